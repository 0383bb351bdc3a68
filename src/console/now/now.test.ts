import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { EVENT_TYPES } from "../../action/index.ts";
import { byNeed, runCardSchema, STRIP_EFFECTS, type Entry, type RunInfo } from "../../api/index.ts";
import { agentOf, cardOf, factsSchema, KnownRuns } from "./index.ts";

const START = Date.parse("2026-11-27T10:00:00.000Z");
const SOURCE = `task: post
purpose: Write
grants:
  - system: http
    name: blog
    hosts: [blog.example]
    allow:
      - { methods: [GET], paths: ["/**"] }
      - { methods: [POST], paths: [/posts], unattended: { count: 5, reason: "few", expires: 2027-06-01 } }
  - { system: tcp, name: mirror, hosts: [mirror.example], opaque: true }
`;

type Draft = Pick<Entry, "type"> & Partial<Entry> & { readonly s?: number };

const BEGIN: readonly Draft[] = [
  { type: "policy", data: { digest: "d", source: SOURCE, file: "post.yaml" } },
  {
    type: "run.start",
    data: {
      ...{ task: "post", purpose: "Write", command: ["node", "agent.mjs"], workspace: "/w" },
      lifetimeMs: 3_600_000,
      compute: { cpus: 2, memoryBytes: 1024, gpu: [0, 1] },
    },
  },
  { type: "run.proved", data: { proofs: [] } },
];

/** The card after `drafts`, each a second behind the one before or at second `s`, seen at second `at`. */
function card(drafts: readonly Draft[], at = 60, info?: RunInfo) {
  const runs = new KnownRuns();
  [...BEGIN, ...drafts].forEach(({ s, ...draft }, n) => {
    const ms = START + (s ?? n) * 1000;
    runs.take({ at: new Date(ms).toISOString(), monoMs: n, run: "r-1", seq: n, ...draft });
  });
  const facts = runs.get("r-1");
  assert.ok(facts !== undefined);
  // It crosses to another thread and stands in the index.
  const kept = factsSchema.parse(JSON.parse(JSON.stringify(facts)));
  assert.deepEqual(kept, JSON.parse(JSON.stringify(facts)));
  return runCardSchema.parse(cardOf(kept, info, START + at * 1000));
}

test("a card says who does what, by which leave, within which limits", () => {
  const made = card([
    {
      type: "usage",
      data: { spanMs: 10_000, cpu: 1.5, memory: 512, gpus: [{ gpu: 0, busy: 0.5 }] },
    },
    { type: "usage", data: { spanMs: 0, gpuSeconds: 4 } }, // No sample.
    { type: "model", data: { tokens: { in: 900, out: 100 } } },
    { type: "model", data: { tokens: { in: 50, out: null } } },
    { type: "outcome", flow: "f-1", data: { bytesOut: 10, bytesIn: 20 } },
    { type: "outcome", flow: "f-2", data: { bytesOut: 1, bytesIn: 2 } },
    { type: "flow.close", flow: "f-1", data: { bytesOut: 15, bytesIn: 25 } },
  ]);
  assert.equal(made.state, "running");
  assert.deepEqual(made.agent, { name: "agent.mjs", isKnown: false });
  assert.deepEqual(made.autonomy, { rules: 1, actions: 5 });
  assert.deepEqual(made.grants, ["blog", "mirror"]);
  assert.equal(made.lifetimeMs, 3_600_000);
  assert.deepEqual(made.budgets, [
    { what: "tokens", used: 1050 },
    { what: "cpu", used: 15, limit: 2, now: 1.5 },
    { what: "memory", used: 512, limit: 1024 },
    { what: "gpu", used: 0.5, limit: 2 },
    // What a connection that is closed told in its end, and of one that is open what its exchanges told.
    { what: "sent", used: 16 },
    { what: "received", used: 27 },
  ]);
  assert.deepEqual(made.needs, []);
});

test("money counts when the server did it, by currency; a refusal moves nothing", () => {
  const pay = (
    action: string,
    verdict: "allow" | "confirm" | "deny",
    value: string,
    currency = "EUR",
  ): Draft => ({
    type: "action",
    verdict,
    action,
    data: { effects: ["spend"], amount: { currency, value } },
  });
  const outcome = (id: string, data: NonNullable<Entry["data"]>) =>
    ({ type: "outcome", action: id, data }) as const;
  const made = card([
    pay("a-1", "allow", "12.50"),
    outcome("a-1", { status: 200 }),
    pay("a-2", "confirm", "100"),
    outcome("a-2", { status: 403 }),
    outcome("a-2", { status: 201, approval: "ap-1" }),
    pay("a-3", "allow", "7"),
    outcome("a-3", { status: 402 }),
    pay("a-4", "allow", "9"),
    pay("a-5", "deny", "1000"),
    outcome("a-5", { status: 200 }),
    pay("a-6", "allow", "3", "USD"),
    outcome("a-6", { status: 200 }),
  ]);
  assert.deepEqual(
    made.budgets.filter(({ what }) => what === "money"),
    [
      { what: "money", used: 112.5, currency: "EUR" },
      { what: "money", used: 3, currency: "USD" },
    ],
  );
});

test("the strip counts what was done by its gravest effect and verdict, and denials once", () => {
  const action = { type: "action", verdict: "allow" } as const;
  const { strip, counts } = card(
    [
      { ...action, s: 10, data: { effects: ["read"] } },
      { ...action, s: 10, data: { effects: ["publish", "write"] } },
      { type: "repeat", s: 10, data: { count: 4 } },
      { type: "action", s: 11, verdict: "deny", action: "a-1", data: { effects: ["delete"] } },
      { type: "denial", s: 11, verdict: "deny", action: "a-1", data: { effect: "delete" } },
      { type: "denial", s: 12, verdict: "deny", data: { merged: 3 } },
      { ...action, verdict: "confirm", s: 150, data: { effects: ["send"] } },
    ],
    160,
  );
  assert.equal(strip.end, START / 1000 + 160);
  const said = strip.cells.map(([before, effect, verdict, count]) => [
    ...[before, STRIP_EFFECTS[effect], verdict, count],
  ]);
  // The first ones are more than two minutes ago.
  assert.deepEqual(said, [[10, "send", 1, 1]]);
  assert.deepEqual(counts, { actions: 8, allow: 6, confirm: 1, deny: 4, findings: 0, flows: 0 });
  const early = card([
    { ...action, s: 10, data: { effects: ["read"] } },
    { type: "repeat", s: 10, data: { count: 4 } },
    { type: "denial", s: 11, verdict: "deny", data: { merged: 3 } },
  ]);
  assert.deepEqual(
    early.strip.cells.map(([before, effect, , count]) => [before, STRIP_EFFECTS[effect], count]),
    [
      [50, "read", 5],
      [49, "connect", 3],
    ],
  );
});

const approval = (id: string, state: string): Draft => ({
  type: "approval",
  target: "https://blog.example/posts",
  data: { approval: id, state, verb: "post.publish" },
});

test("what waits for a person is needed until somebody decides it", () => {
  const waits = card([
    approval("ap-1", "requested"),
    approval("ap-2", "requested"),
    approval("ap-1", "shown"),
  ]);
  assert.equal(waits.waiting, 2);
  assert.deepEqual(
    waits.needs.map(({ level, why, text }) => [level, why, text]),
    [["act", "approval", "post.publish https://blog.example/posts and 1 more"]],
  );
  const decided = card([
    approval("ap-1", "requested"),
    approval("ap-1", "approved"),
    approval("ap-2", "requested"),
    approval("ap-2", "expired"),
  ]);
  assert.deepEqual([decided.waiting, decided.needs], [0, []]);
});

const found: Draft = { type: "finding", data: { finding: "tunnel", detail: "ssh inside" } };

test("a pause for a finding needs a person; a person's own does not; what is over is worth a look for an hour", () => {
  const paused = card([found, { type: "run.pause", data: { reason: "tunnel: ssh inside" } }]);
  assert.deepEqual(
    [paused.state, paused.needs[0]?.level, paused.needs.length],
    ["paused", "act", 1],
  );
  const byHand = card([{ type: "run.pause", data: { reason: "by hand" } }]);
  assert.deepEqual([byHand.state, byHand.pauseReason, byHand.needs], ["paused", "by hand", []]);
  const [swarm, other] = ["job:a was paused by hand", "tunnel:\tssh was paused by hand"].map(
    (reason) => card([{ type: "run.pause", data: { reason } }]),
  );
  assert.deepEqual([swarm?.needs, other?.needs[0]?.level], [[], "act"]);
  const resumed = card([{ type: "run.pause", data: { reason: "x" } }, { type: "run.resume" }]);
  assert.deepEqual([resumed.state, resumed.needs], ["running", []]);
  const end: Draft = { type: "run.end", data: { end: { reason: "finding", detail: "tunnel" } } };
  assert.deepEqual(
    card([found, end]).needs.map(({ level }) => level),
    ["look"],
  );
  assert.deepEqual(card([found, end], 4000).needs, []);
  const failed: Draft = { type: "run.end", data: { end: { reason: "exited", code: 3 } } };
  assert.deepEqual(
    card([failed]).needs.map(({ why }) => why),
    ["failed"],
  );
  const done: Draft = { type: "run.end", data: { end: { reason: "exited", code: 0 } } };
  assert.deepEqual(card([approval("ap-1", "requested"), done]).needs, []);
});

test("a finding that takes leave, a grant that is taken back: the card says so", () => {
  const made = card([
    { type: "policy", data: { digest: "e", by: "revoke", grant: "blog", reason: "revoked" } },
    { type: "policy", data: { digest: "f", by: "finding", leave: "taken", why: "tunnel: ssh" } },
  ]);
  assert.deepEqual(made.grants, ["mirror"]);
  assert.equal(made.autonomy.taken, "tunnel: ssh");
});

test("the daemon knows of an end that is not on record", () => {
  const info: RunInfo = {
    ...{ run: "r-1", task: "post", purpose: "Write", command: ["node"], workspace: "/w" },
    workspaceMode: "overlay",
    state: "ended",
    startedAt: "2026-11-27T10:00:00.000Z",
    endedAt: "2026-11-27T10:00:30.000Z",
    end: { reason: "daemon" },
    entries: { first: 0, last: 2 },
    counts: { flows: 0, actions: 0, denials: 0, findings: 0 },
  };
  assert.equal(card([], 60, info).state, "ended");
  // What it said before the run was ready is not believed against the record.
  const { endedAt: _, end: __, ...starting } = info;
  assert.equal(card([], 60, { ...starting, state: "starting" }).state, "running");
});

for (const [command, name, isKnown] of [
  [["claude", "-p", "hello"], "Claude Code", true],
  [["/usr/local/bin/codex", "exec", "x"], "Codex", true],
  [["npx", "-y", "opencode"], "OpenCode", true],
  [["python3", "train.py"], "train.py", false],
  [["sh", "-c", "rm -rf / --no-preserve-root"], "sh", false],
  [["/opt/agents/mine"], "mine", false],
  [[], "", false],
  [["constructor"], "constructor", false],
] as const) {
  test(`${JSON.stringify(command)} is ${name || "nobody"}`, () => {
    assert.deepEqual(agentOf({ command: [...command] }), { name, isKnown });
  });
}

test("need first, the longest waiting of them; then what should be looked at, the newest, what is over", () => {
  const at = (s: number) => new Date(START + s * 1000).toISOString();
  const base = { ...card([]), needs: [] };
  const need = (level: "act" | "look", s: number) => [
    { level, why: "finding" as const, text: "", since: at(s), seq: 1 },
  ];
  const cards = [
    { ...base, run: "done", state: "ended" as const },
    { ...base, run: "new", startedAt: at(50) },
    { ...base, run: "old", startedAt: at(40) },
    { ...base, run: "found", needs: need("look", 5) },
    { ...base, run: "waits", needs: need("act", 9) },
    { ...base, run: "waits-long", needs: need("act", 7) },
  ];
  const order = cards.toSorted(byNeed).map(({ run }) => run);
  assert.deepEqual(order, ["waits-long", "waits", "found", "new", "old", "done"]);
});

test("whatever an entry's data holds, there is a card", () => {
  const entry = fc.record({
    type: fc.constantFrom(...EVENT_TYPES),
    flow: fc.option(fc.constantFrom("f-1", "__proto__"), { nil: undefined }),
    data: fc.dictionary(
      fc.constantFrom(
        ...["effects", "state", "approval", "bytesOut", "tokens", "cpu", "gpus", "compute", "end"],
        ...[
          "count",
          "merged",
          "source",
          "command",
          "leave",
          "grant",
          "reason",
          "finding",
          "attempt",
        ],
      ),
      fc.oneof(
        fc.jsonValue(),
        fc.constantFrom("requested", "__proto__", "read", -1, 1e308, "\ud800", ["delete"], "{"),
      ),
    ),
  });
  const property = fc.property(fc.array(entry, { maxLength: 12 }), (drafts) => {
    card(drafts as readonly Draft[]);
  });
  fc.assert(property, { numRuns: 300 });
});

test("runs that ended are let go of, the oldest first; those that live are not", () => {
  const runs = new KnownRuns();
  let seq = 0;
  const take = (run: string, draft: Draft) => {
    runs.take({
      at: new Date(START + seq).toISOString(),
      monoMs: 1,
      run,
      seq: (seq += 1),
      ...draft,
    });
  };
  for (const first of BEGIN) take("r-lives", first);
  for (let n = 0; n < 600; n += 1) {
    for (const first of BEGIN) take(`r-${n}`, first);
    take(`r-${n}`, { type: "run.end", data: { end: { reason: "exited", code: 0 } } });
  }
  assert.equal(runs.all().length, 257);
  assert.ok(runs.get("r-lives") !== undefined);
  assert.ok(runs.get("r-599") !== undefined && runs.get("r-300") === undefined);
});
