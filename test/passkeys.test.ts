/** Decisions that a passkey signed, end to end: a real daemon over its socket, an authenticator in software. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { chmodSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, before, test } from "node:test";
import { locateHome, type EndpointName, type Takes } from "../src/api/index.ts";
import { createClient } from "../src/client/index.ts";
import { ask, post } from "./console/approval-cases.ts";
import { Authenticator, type Lie } from "./support/authenticator.ts";
import { eventually, TestHome, type Result } from "./support/home.ts";

const PORT = 4711;
const ORIGIN = `http://localhost:${PORT}`;
const UID = process.getuid?.() ?? -1;
const home = new TestHome();
const client = createClient(locateHome({ COFFERDAM_HOME: home.state }));
const closing = new AbortController();
const ada = new Authenticator(ORIGIN);
const bob = new Authenticator(ORIGIN);
const vic = new Authenticator(ORIGIN);
let ids: string[] = [];

type Said = Takes<"passkey.prove">["said"];
const YES: Said = { decision: "approve" };

before(async () => {
  const needsTwo = { needsTwo: true };
  const two = Array.from({ length: 7 }, (_, at) => ({
    ...post(`<p>${at}</p>`),
    limits: needsTwo,
  }));
  ids = [...(await ask(home, two))];
  await home.ask("daemon.status", {});
  const announced = client.stream("console.announce", { port: PORT }, closing.signal);
  await announced[Symbol.asyncIterator]().next();
  await add("ada", ada, ["viewer", "approver"]);
  await add("bob", bob, ["viewer", "approver"]);
  await add("vic", vic, ["viewer"]);
});
after(async () => {
  closing.abort();
  await home.close();
});

async function add(
  person: string,
  key: Authenticator,
  roles: Takes<"passkey.enrol">["roles"],
): Promise<string> {
  const made = key.make(await home.ask("passkey.enrol", { person, roles }), "key");
  return (await home.ask("passkey.register", { person, roles, made, by: "cli:1" })).id;
}

async function proof(id: string, said: Said, key: Authenticator, lie: Lie = {}) {
  return key.sign(await home.ask("passkey.prove", { id, said }), lie);
}

const approve = async (id: string, more: Partial<Takes<"approvals.approve">> = {}) =>
  home.ask("approvals.approve", { id, code: await home.codeOf(id), ...more });

function list(text: string): void {
  const file = join(home.state, "approvers.yaml");
  writeFileSync(file, text);
  chmodSync(file, 0o600);
}
const PERSONS = `approvers:
  - name: ada
    identities: [passkey:ada, cli:${UID}]
  - name: bob
    identities: [passkey:bob, telegram:7]
`;
const unlist = () => rmSync(join(home.state, "approvers.yaml"), { force: true });

async function refuses<Name extends EndpointName>(name: Name, takes: Takes<Name>, code: string) {
  await assert.rejects(home.ask(name, takes), { code });
}

test("INV-208: a decision is its passkey's person's, and a signature for another decision is none", async () => {
  const [id = "", other = ""] = ids;
  const code = await home.codeOf(id);
  const allowance = { count: 2, forMs: 60_000 };
  for (const [said, why] of [
    [{ decision: "deny", reason: "" }, "a no"],
    [{ decision: "undo" }, "an undo"],
    [{ decision: "approve", allowance }, "leave for more"],
    [{ decision: "edit", sha256: "0".repeat(64) }, "an edit"],
  ] as const) {
    const signed = await proof(id, said, ada);
    await assert.rejects(approve(id, { proof: signed }), { code: "passkey.nonce" }, why);
  }
  await assert.rejects(approve(id, { proof: await proof(other, YES, ada) }), {
    code: "passkey.nonce",
  });
  const published = await proof(id, YES, ada, { origin: "http://localhost:3000" });
  await assert.rejects(approve(id, { proof: published }), { code: "passkey.refused" });
  const unverified = await proof(id, YES, ada, { isVerified: false });
  await assert.rejects(approve(id, { proof: unverified }), { code: "passkey.refused" });
  await assert.rejects(approve(id, { proof: await proof(id, YES, vic) }), {
    code: "passkey.role",
  });
  assert.deepEqual((await home.ask("approvals.show", { id })).by, []);

  const signed = await proof(id, YES, ada);
  const { by, state } = await approve(id, { proof: signed });
  assert.deepEqual([by, state], [["passkey:ada"], "shown"]);
  await refuses("approvals.approve", { id, code, proof: signed }, "passkey.nonce");
  const reason = "not today";
  const no = { decision: "deny", reason } as const;
  const otherNo = await proof(id, no, bob);
  await refuses("approvals.deny", { id, reason: "for ever", proof: otherNo }, "passkey.nonce");
  const denied = await home.ask("approvals.deny", { id, reason, proof: await proof(id, no, bob) });
  assert.deepEqual([denied.state, denied.by], ["denied", ["passkey:bob"]]);
  const entries = (await home.log()).filter(({ type }) => type === "approval");
  assert.ok(entries.some(({ data }) => data?.["by"] === "passkey:ada"));
  assert.ok(entries.some(({ data }) => data?.["by"] === "passkey:bob"));
});

test("INV-271: a yes with another digest than the card's is none, signed or not, and nothing is asked to be signed for it", async () => {
  const [, , unsigned = "", , , , signed = ""] = ids;
  const digestOf = async (id: string) => (await home.ask("approvals.show", { id })).action.digest;
  // Of the same code: it is the beginning of the digest.
  const other = (digest: string) => `${digest.slice(0, 6)}${"0".repeat(digest.length - 6)}`;
  const code = "approval.code";
  const bare = await digestOf(unsigned);
  await assert.rejects(approve(unsigned, { digest: other(bare) }), { code });
  assert.equal((await approve(unsigned, { digest: bare })).by.length, 1);
  const digest = await digestOf(signed);
  await refuses("passkey.prove", { id: signed, said: YES, digest: other(digest) }, code);
  const yes = await proof(signed, YES, ada);
  await assert.rejects(approve(signed, { digest: other(digest), proof: yes }), { code });
  const asked = await home.ask("passkey.prove", { id: signed, said: YES, digest });
  const { by } = await approve(signed, { digest, proof: ada.sign(asked) });
  assert.deepEqual(by, ["passkey:ada"]);
});

test("INV-208: what was edited after it was signed for is not what was signed for", async (t) => {
  const posts: string[] = [];
  const site = createServer(async (request, response) => {
    posts.push(await text(request));
    response.setHeader("content-type", "application/json");
    response.end('{"id":1,"status":"publish"}');
  });
  site.listen(0, "127.0.0.1");
  await once(site, "listening");
  t.after(() => site.close());
  const run = publishing((site.address() as AddressInfo).port);
  const { id } = await eventually("it waits", 60_000, async () =>
    (await home.approvals()).find(({ summary }) => summary.includes("Winter sale by run")),
  );
  const signed = await proof(id, YES, ada);
  const { body } = await home.ask("approvals.show", { id });
  const json = JSON.parse(Buffer.from(body, "base64").toString()) as object;
  const made = Buffer.from(JSON.stringify({ ...json, title: "Spring sale" }));
  const sha256 = createHash("sha256").update(made).digest("hex");
  const edit = { id, body: made.toString("base64") };
  const wrong = await proof(id, { decision: "edit", sha256: "0".repeat(64) }, bob);
  await refuses("approvals.edit", { ...edit, proof: wrong }, "passkey.nonce");
  const right = await proof(id, { decision: "edit", sha256 }, bob);
  const edited = await home.ask("approvals.edit", { ...edit, proof: right });
  assert.match(edited.note, /title/);
  await assert.rejects(approve(id, { proof: signed }), { code: "passkey.nonce" });
  assert.deepEqual((await approve(id, { proof: await proof(id, YES, ada) })).by, ["passkey:ada"]);
  assert.equal((await run).stdout, "200");
  assert.deepEqual(
    posts.map((one) => (JSON.parse(one) as { title: string }).title),
    ["Spring sale"],
  );
});

/** A run that publishes once, at a site on `port`. */
function publishing(port: number): Promise<Result> {
  const file = join(home.root, "task.yaml");
  const grant = `{ system: wordpress, name: blog, hosts: [blog.test], ports: [80], dial: "127.0.0.1:${port}", allow: [{ verbs: ["*"], doing: [read, write, publish] }] }`;
  writeFileSync(file, `task: t\npurpose: p\napprovals: { hold: 90s }\ngrants:\n  - ${grant}\n`);
  const body = JSON.stringify({ title: "Winter sale by run", content: "x", status: "publish" });
  const script = `curl -s -o /dev/null -w '%{http_code}' --max-time 95 -H 'content-type: application/json' -d '${body}' http://blog.test/wp-json/wp/v2/posts`;
  return home.run(["sh", "-c", script], ["--task", file]);
}

test("INV-209: passkeys make two persons of nobody who is not listed as two", async () => {
  const [, , , id = ""] = ids;
  await approve(id);
  const unlisted = await proof(id, YES, ada);
  await assert.rejects(approve(id, { proof: unlisted }), { code: "approval.same_person" });
  list(PERSONS);
  const same = await proof(id, YES, ada);
  await assert.rejects(approve(id, { proof: same }), { code: "approval.same_person" });
  const { by, state } = await approve(id, { proof: await proof(id, YES, bob) });
  assert.deepEqual(by, [`cli:${UID}`, "passkey:bob"]);
  assert.notEqual(state, "shown", "both said yes");
  unlist();
});

test("INV-209: where passkeys are required nothing else decides, and the command line says why", async () => {
  const [, , , , id = "", early = ""] = ids;
  list(PERSONS);
  await approve(early); // Said before it was required.
  list(`${PERSONS}passkeys: required\n`);
  const told = await home.call(["approvals", "approve", id, "--code", await home.codeOf(id)]);
  assert.equal(told.code, 125);
  assert.match(told.stderr, /decides nothing here without a passkey/);
  assert.match(told.stderr, /cofferdam console/);
  await refuses("approvals.deny", { id, reason: "" }, "approval.proof");
  await refuses("approvals.undo", { id: early }, "approval.proof");
  assert.equal((await approve(id, { proof: await proof(id, YES, ada) })).state, "shown");
  assert.notEqual((await approve(id, { proof: await proof(id, YES, bob) })).state, "shown");
  const one = await approve(early, { proof: await proof(early, YES, bob) });
  assert.deepEqual([one.state, one.by], ["shown", ["passkey:bob"]], "the unsigned yes is none");
  list(`${PERSONS}passkeys: sometimes\n`);
  const unread = await proof(early, YES, ada);
  await assert.rejects(approve(early, { proof: unread }), { code: "channel.approvers" });
  unlist();
});

test("a passkey signs in as its person with its roles, until `cofferdam passkeys remove`", async () => {
  const signed = ada.sign(await home.ask("passkey.challenge", {}));
  assert.deepEqual(await home.ask("passkey.signIn", signed), {
    person: "ada",
    roles: ["viewer", "approver"],
  });
  await refuses("passkey.signIn", signed, "passkey.nonce");
  const listed = await home.call(["passkeys", "list"]);
  assert.match(listed.stdout, /^k-[0-9a-f]{12} +ada +key +viewer,approver /m);
  const [{ id } = { id: "" }] = await home.ask("passkey.list", {});
  const removed = await home.call(["passkeys", "remove", id]);
  assert.equal(removed.code, 0, removed.stderr);
  assert.match(removed.stdout, /removed k-[0-9a-f]{12}: ada, key/);
  const late = ada.sign(await home.ask("passkey.challenge", {}));
  await refuses("passkey.signIn", late, "passkey.unknown");
  const [, other = ""] = ids;
  const signedLate = await proof(other, YES, ada);
  await assert.rejects(approve(other, { proof: signedLate }), { code: "passkey.unknown" });
  const wrong = await home.call(["passkeys", "remove", id]);
  assert.match(wrong.stderr, /no passkey "k-/);
  assert.equal((await home.call(["passkeys", "add"])).code, 125);
  const entries = (await home.log()).filter(({ data }) => data?.["kind"] === "passkey");
  assert.deepEqual(
    entries.map(({ data }) => [data?.["action"], data?.["credential"], data?.["by"]]),
    [
      ["added", "passkey:ada", "cli:1"],
      ["added", "passkey:bob", "cli:1"],
      ["added", "passkey:vic", "cli:1"],
      ["removed", "passkey:ada", `cli:${UID}`],
    ],
  );
});
