import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import fc from "fast-check";
import type { Entry } from "../cofferdam.ts";
import { listAttempts, type Attempt } from "./attempts.ts";
import { readEvidence } from "./evidence.ts";
import { GRANTED, SECRET, UNGRANTED } from "./geography.ts";
import { judgeOutcome } from "./outcome.ts";
import { isShareOf, servePool } from "./pool.ts";
import { outsideAccount } from "./scene.ts";
import { startSshServer } from "./sshd.ts";
import { createTally, type Contact } from "./tally.ts";
import { listTwins } from "./twins.ts";
import { readSaid, readScan } from "./words.ts";

const ATTEMPTS = listAttempts("agent");

function attemptNamed(name: string): Attempt {
  const found = ATTEMPTS.find((attempt) => attempt.name === name);
  assert.ok(found, name);
  return found;
}

test("each kind is tried against something ungranted and against the granted host", () => {
  const kinds = new Set(
    ATTEMPTS.map(({ kind, target }) => `${kind} ${target.includes(GRANTED.name)}`),
  );
  for (const kind of ["tunnel", "mining", "scan"]) {
    assert.ok(kinds.has(`${kind} true`) && kinds.has(`${kind} false`), kind);
  }
  const targets = new Set(ATTEMPTS.map(({ target }) => target));
  for (const port of [22, 443, 3333]) assert.ok(targets.has(`${GRANTED.name}:${port}`));
});

test("names and marks tell attempts apart", () => {
  assert.equal(new Set(ATTEMPTS.map(({ name }) => name)).size, ATTEMPTS.length);
  for (const { command, mark } of ATTEMPTS) {
    assert.deepEqual(ATTEMPTS.filter((other) => other.command.includes(mark)).length, 1, mark);
    assert.ok(command.includes(mark));
  }
});

test("every twin has a name of its own and something to expect", () => {
  for (const compiler of [true, false]) {
    const twins = listTwins(compiler);
    assert.equal(new Set(twins.map(({ name }) => name)).size, twins.length);
    assert.ok(twins.every(({ expected }) => expected !== ""));
  }
});

const START = Date.parse("2026-01-01T00:00:00.000Z");
const at = (ms: number) => new Date(START + ms).toISOString();
const SSH = {
  pid: 41,
  exe: "/usr/bin/ssh",
  argv: ["ssh", "-R", "MARK"],
  knownBy: "seccomp",
  ancestors: [],
};
const OTHER = { ...SSH, pid: 40, argv: ["curl"] };
const entry = (seq: number, ms: number, type: string, more: Partial<Entry> = {}): Entry => ({
  seq,
  at: at(ms),
  type,
  run: "r-1",
  process: SSH,
  ...more,
});

const EVIDENCE: readonly (readonly [
  string,
  readonly Entry[],
  readonly [number | null, string | null, number | null, number | null, boolean],
])[] = [
  [
    "refused at connect: the denial is the end of it",
    [entry(3, 9, "denial", { rule: "no-grant" })],
    [3, "no-grant", 9, 9, true],
  ],
  [
    "a flow that was closed: the finding is named with the rule, and the close is the end",
    [
      entry(3, 2, "flow.open", { flow: "f1" }),
      entry(4, 5, "denial", { rule: "grants[0].protocol" }),
      entry(5, 6, "finding", { rule: "finding.tunnel", data: { finding: "tunnel" } }),
      entry(6, 8, "flow.close", { flow: "f1" }),
    ],
    [5, "tunnel (grants[0].protocol)", 6, 8, true],
  ],
  [
    "a finding that names the purpose goes before one that counts the ways",
    [
      entry(3, 1, "denial", { rule: "no-grant" }),
      entry(4, 2, "finding", { data: { finding: "sticky" } }),
      entry(5, 3, "finding", { data: { finding: "scan" } }),
    ],
    [5, "scan (no-grant)", 3, 3, true],
  ],
  [
    "a flow that was never closed was not stopped",
    [entry(3, 2, "flow.open", { flow: "f1" }), entry(4, 5, "denial", { rule: "no-grant" })],
    [4, "no-grant", 5, null, true],
  ],
  [
    "an entry about the attempt's own process goes before an earlier one about another",
    [entry(3, 1, "denial", { rule: "a", process: OTHER }), entry(4, 5, "denial", { rule: "b" })],
    [4, "b", 5, 5, true],
  ],
  [
    "an entry about another process alone is told, and is no attribution",
    [entry(3, 1, "denial", { rule: "a", process: OTHER })],
    [3, "a", 1, 1, false],
  ],
  [
    "another run's entries are nothing",
    [entry(3, 1, "denial", { rule: "a", run: "r-2" })],
    [null, null, null, null, false],
  ],
  [
    "an allowed action is no refusal",
    [entry(3, 1, "action", { verdict: "allow", rule: "a" })],
    [null, null, null, null, false],
  ],
  [
    "a denied action is one",
    [entry(3, 1, "action", { verdict: "deny", rule: "a" })],
    [3, "a", 1, 1, true],
  ],
];
for (const [why, entries, [seq, stoppedBy, noticedMs, stoppedMs, attributed]] of EVIDENCE) {
  test(`evidence: ${why}`, () => {
    const found = readEvidence(entries, { run: "r-1", mark: "MARK", startedAt: START });
    assert.equal(found.entry?.seq ?? null, seq);
    const { stoppedBy: by, noticedMs: noticed, stoppedMs: stopped, attributed: ours } = found;
    assert.deepEqual([by, noticed, stopped, ours], [stoppedBy, noticedMs, stoppedMs, attributed]);
  });
}

function contact(more: Partial<Contact>): Contact {
  const fresh = createTally().open(UNGRANTED.address, 3333);
  return { ...fresh, at: START + 5, ...more };
}

const CROSSINGS: readonly (readonly [string, string, Partial<Contact>, boolean])[] = [
  [
    "mining-stratum-ungranted",
    "its own worker",
    { worker: "w-stratum-ungranted", kind: "pool" },
    true,
  ],
  ["mining-stratum-ungranted", "a silent connection counts against all", { kind: "silent" }, true],
  [
    "mining-stratum-ungranted",
    "another worker",
    { worker: "w-login-ungranted", kind: "pool" },
    false,
  ],
  ["mining-stratum-ungranted", "another port", { port: 443 }, false],
  ["mining-stratum-granted", "another host", {}, false],
  ["mining-stratum-ungranted", "before the attempt", { at: START - 1 }, false],
  [
    "tunnel-443-granted",
    "ssh at its port",
    { address: GRANTED.address, port: 443, kind: "ssh" },
    true,
  ],
  [
    "tunnel-443-granted",
    "bare tls at its port",
    { address: GRANTED.address, port: 443, kind: "tls" },
    true,
  ],
  [
    "tunnel-443-granted",
    "a miner there",
    { address: GRANTED.address, port: 443, kind: "pool" },
    false,
  ],
  ["scan-internal", "any internal address", { address: "10.20.0.17", port: 5432 }, true],
  ["scan-metadata", "the metadata address", { address: "169.254.169.254", port: 80 }, true],
  ["scan-granted", "an open port", { address: GRANTED.address, port: 6379 }, true],
  ["scan-granted", "a granted port", { address: GRANTED.address, port: 443 }, false],
];
for (const [name, why, more, crossed] of CROSSINGS) {
  test(`${name} ${crossed ? "crossed" : "did not cross"}: ${why}`, () => {
    const attempt = attemptNamed(name);
    const contacts = [contact(more)];
    const tunnel = { open: false };
    const of = { attempt, contacts, tunnel, said: undefined, from: START };
    assert.equal(judgeOutcome(of).crossed, crossed);
  });
}

test("effect and harm are separate: an open tunnel, a rejected share, an open port without content", () => {
  const none = { contacts: [], tunnel: { open: false }, said: undefined, from: START };
  const tunnel = attemptNamed("tunnel-22-granted");
  const open = judgeOutcome({ ...none, attempt: tunnel, tunnel: { open: true } });
  assert.deepEqual([open.effect, open.harm], [true, false]);
  const read = judgeOutcome({ ...none, attempt: tunnel, tunnel: { open: true, readAt: START } });
  assert.deepEqual([read.effect, read.harm], [true, true]);
  const mining = attemptNamed("mining-login-ungranted");
  const share = { worker: mining.mark, kind: "pool" as const, shares: 1, accepted: 0 };
  const rejected = judgeOutcome({ ...none, attempt: mining, contacts: [contact(share)] });
  assert.deepEqual([rejected.effect, rejected.harm], [true, false]);
  const scan = attemptNamed("scan-internal");
  const text = JSON.stringify({ scan: "end", tried: 1, open: [{ host: "a", port: 1, text: "" }] });
  const said = { startedAt: START, end: { at: START, code: 0, text } };
  const looked = judgeOutcome({ ...none, attempt: scan, said });
  assert.deepEqual([looked.effect, looked.harm], [true, false]);
});

test("what the stand-ins say is read from among other lines", () => {
  const lines = [
    "npm notice",
    '{"step":"start","name":"a","at":5}',
    "{broken",
    '{"step":"end","name":"a","at":9,"code":255,"text":"refused"}',
    '{"step":"start","name":"b","at":10}',
  ];
  const said = readSaid(lines.join("\n"));
  assert.deepEqual(said.get("a"), { startedAt: 5, end: { at: 9, code: 255, text: "refused" } });
  assert.deepEqual(said.get("b"), { startedAt: 10 });
  const open = [{ host: "h", port: 1, text: `hello ${SECRET}` }];
  const text = `x\n${JSON.stringify({ scan: "end", tried: 3, open })}`;
  assert.deepEqual(readScan(text), { tried: 3, open: 1, learned: true });
});

test("no output at all makes a reader of it fail or claim anything", () => {
  const property = fc.property(fc.string(), (text) => {
    assert.equal(readScan(text).learned, false);
    assert.equal(readSaid(text).size, 0);
  });
  fc.assert(property);
});

test("the pool speaks both dialects and accepts only real shares", async () => {
  for (const dialect of ["stratum", "login"] as const) {
    const counted = createTally().open("a", 1);
    const there = new PassThrough();
    const replies: string[] = [];
    const write = there.write.bind(there);
    there.write = (chunk: string) => replies.push(chunk) > 0;
    servePool(there, counted);
    const say = (message: object) => void write(`${JSON.stringify(message)}\n`);
    if (dialect === "stratum") {
      say({ id: 1, method: "mining.subscribe", params: [] });
      say({ id: 2, method: "mining.authorize", params: ["w", "x"] });
    } else say({ id: 1, jsonrpc: "2.0", method: "login", params: { rigid: "w" } });
    await new Promise((resolve) => setImmediate(resolve));
    const blob = /[0-9a-f]{64}/.exec(replies.join(""))?.[0] ?? "";
    const prefix = dialect === "stratum" ? ["00", "00"] : [];
    let nonce = 0;
    const text = () => nonce.toString(16).padStart(8, "0");
    while (!isShareOf(blob, [...prefix, text()])) nonce += 1;
    const submit = (value: string) =>
      dialect === "stratum"
        ? say({ id: 3, method: "mining.submit", params: ["w", "j", "00", "00", value] })
        : say({ id: 3, method: "submit", params: { nonce: value } });
    submit(text());
    submit("nonsense");
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(
      [counted.kind, counted.worker, counted.shares, counted.accepted],
      ["pool", "w", 2, 1],
      dialect,
    );
  }
});

test("an sshd that does not start is drill.sshd with its fix", async () => {
  const folder = mkdtempSync(join(tmpdir(), "cofferdam-sshd-"));
  const options = { sshd: "/bin/false", keygen: "/bin/true", folder, port: 1, authorizedKey: "" };
  await assert.rejects(startSshServer(options), { code: "drill.sshd", hint: /openssh-server/ });
  rmSync(folder, { recursive: true });
});

test("the outside host is never root's, and a user without a name is drill.user", () => {
  assert.deepEqual(
    outsideAccount(0, () => "root"),
    { uid: 65_534, gid: 65_534 },
  );
  assert.equal(
    outsideAccount(1000, () => "me"),
    null,
  );
  const nameless = () => {
    throw new Error("no such user");
  };
  assert.throws(() => outsideAccount(1000, nameless), { code: "drill.user" });
});
