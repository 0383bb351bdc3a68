import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { parseApprovers, personsOf, readApprovers, readDeciders } from "./approvers.ts";

const root = mkdtempSync(join(tmpdir(), "cofferdam-approvers-"));
const file = join(root, "approvers.yaml");
after(() => rmSync(root, { recursive: true, force: true }));

const GOOD = `approvers:
  - name: ada
    identities: [cli:1000, telegram:4711, slack:U024BE7LH, ntfy:ada]
  - name: bob
    identities: [telegram:815]
channels:
  telegram: { token: { credential: bot }, chats: [4711, -100123] }
  slack: { token: { file: slack.token }, channel: C024BE91L }
  ntfy:
    topic: { file: cards.topic }
    replies: { ada: { file: ada.topic } }
`;

test("INV-67: an identity is one person's, whichever of theirs it is", () => {
  const { personOf } = personsOf(parseApprovers(GOOD, "a.yaml"));
  for (const one of ["cli:1000", "telegram:4711", "slack:U024BE7LH", "ntfy:ada"]) {
    assert.equal(personOf(one), "ada");
  }
  assert.equal(personOf("telegram:815"), "bob");
  for (const one of ["telegram:471", "telegram:47110", "TELEGRAM:4711", "cli:0", "ada", ""]) {
    assert.equal(personOf(one), undefined, one);
  }
});

test("INV-209: where passkeys are required, who has signed nothing is nobody", () => {
  const listed = GOOD.replace("ntfy:ada]", "ntfy:ada, passkey:ada]");
  const before = personsOf(parseApprovers(listed, "a.yaml"));
  assert.equal(before.needsProof, false);
  assert.equal(before.personOf("passkey:ada"), "ada");
  assert.equal(before.personOf("telegram:4711"), "ada");
  const { personOf, needsProof } = personsOf(
    parseApprovers(`${listed}passkeys: required\n`, "a.yaml"),
  );
  assert.equal(needsProof, true);
  assert.equal(personOf("passkey:ada"), "ada");
  for (const one of ["telegram:4711", "cli:1000", "ntfy:ada", "passkey:bob", "passkey:Ada"]) {
    assert.equal(personOf(one), undefined, one);
  }
});

test("a channel has its public address where the file says none", () => {
  const { channels } = parseApprovers(GOOD, "a.yaml");
  assert.equal(channels?.telegram?.api, "https://api.telegram.org");
  assert.equal(channels?.slack?.api, "https://slack.com/api");
  assert.equal(channels?.ntfy?.api, "https://ntfy.sh");
});

const person = (identity: string) => `approvers:\n  - name: ada\n    identities: [${identity}]\n`;
const telegram = (settings: string) =>
  `${person("telegram:1")}channels:\n  telegram: { chats: [1], ${settings} }\n`;
const REFUSED = [
  // text, what stands in the fault, why
  ["", "a.yaml:1:1: ", "an empty list is no list"],
  ["approvers: []\n", "a.yaml:1:12: ", "nobody could ever decide"],
  [person('"@ada"'), "a.yaml:3:18: ", "a name that a user chooses is nobody"],
  [person("telegram:ada"), "a.yaml:3:18: ", "nor is a user name"],
  [person('"telegram:04711"'), "a.yaml:3:18: ", "a number has one spelling"],
  [person("slack:ada"), "a.yaml:3:18: ", "a Slack id is upper case"],
  [person("cli:-1"), "a.yaml:3:18: ", "no user has that number"],
  [
    `${person("cli:1")}  - name: bob\n    identities: [cli:1]\n`,
    "a.yaml:5:18: ",
    "one identity of two persons would be two persons",
  ],
  [
    `${person("cli:1")}  - name: ada\n    identities: [cli:2]\n`,
    "a.yaml:4:11: ",
    "two entries of one name might be two persons",
  ],
  [`${person("cli:1")}approver: []\n`, 'did you mean "approvers"', "what is not known is refused"],
  [
    `${person("cli:1")}approvers: []\n`,
    'the key "approvers" stands twice',
    "only one would be obeyed",
  ],
  [
    telegram("token: { file: t }, api: http://api.telegram.org"),
    "is not an https address",
    "the token would go in the clear",
  ],
  [
    telegram("token: { file: t }, api: http://127.0.0.1.evil.example"),
    "is not an https address",
    "that is not this machine",
  ],
  [telegram("token: 42:secret"), "a.yaml:5:34: ", "a secret in the file"],
  [telegram("token: {}"), "and not both or neither", "no secret"],
  [telegram("token: { file: a, credential: b }"), "and not both or neither", "two"],
  [
    `${person("cli:1")}channels:\n  ntfy: { topic: { file: t }, replies: { eve: { file: e } } }\n`,
    "which is nobody's identity",
    "a topic whose word counts for nobody",
  ],
] as const;
for (const [text, expected, why] of REFUSED) {
  test(`fault channel.approvers, with its place: ${why}`, () => {
    assert.throws(
      () => parseApprovers(text, "a.yaml"),
      (error: Error & { code?: string }) => {
        assert.equal(error.code, "channel.approvers");
        assert.ok(error.message.includes(expected), `${expected} in\n${error.message}`);
        assert.match(error.message, /^a\.yaml:\d+:\d+: /);
        assert.ok(!error.message.includes("42:secret"), "and a secret is not shown");
        return true;
      },
    );
  });
}

test("fault channel.file: a list that others can read or write, or that is elsewhere, is none", () => {
  assert.equal(readApprovers(root), undefined, "nothing is listed");
  assert.equal(readDeciders(root).personOf("cli:7"), "cli:7", "so everybody is themselves");
  assert.equal(readDeciders(root).personOf("telegram:7"), undefined, "but by no channel");
  writeFileSync(file, person("cli:1"), { mode: 0o600 });
  assert.equal(readDeciders(root).personOf("cli:7"), undefined);
  for (const mode of [0o644, 0o640, 0o602]) {
    chmodSync(file, mode);
    assert.throws(() => readDeciders(root), { code: "channel.file" });
  }
  rmSync(file);
  writeFileSync(join(root, "other"), person("cli:1"), { mode: 0o600 });
  symlinkSync(join(root, "other"), file);
  assert.throws(() => readDeciders(root), { code: "channel.file" });
});
