/** What every drill of the field has to be, and the pure parts of the frame. */
import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { test } from "node:test";
import { parse } from "yaml";
import { CATALOGUE, findDrills } from "../catalogue.ts";
import type { Cofferdam, Entry } from "../cofferdam.ts";
import { faultsOf, LED } from "../record.ts";
import { DRILLS } from "../registry.ts";
import { instruct, instructionsIn } from "../model/index.ts";
import { readSaid, type Said } from "../rome/words.ts";
import { channelsOf, runOf, runsOf, type Attempt, type Drill, type Reached } from "./drill.ts";
import { addressesOf } from "./field.ts";
import { recordAttempts, recordTwins } from "./findings.ts";
import type { Phase } from "./phase.ts";
import { fillTask, useTask } from "./task.ts";
import { judgeRequests, type Seen } from "./web.ts";

/** The catalogue of incidents' drills; D28 is the twins of all. */
const ALL =
  "d01 d02 d03 d04 d05 d06 d07 d08 d09 d10 d11 d12 d13 d14 d15 d16 d17 d18 d19 d20 d21 d22 d23 d24 d25 d26 d27";

test("every drill from D01 to D27 is there once, and D28 means all of them", () => {
  assert.deepEqual(
    CATALOGUE.flatMap(({ ids }) => ids),
    ALL.split(" "),
  );
  assert.deepEqual(findDrills(["D28"]), CATALOGUE);
  assert.deepEqual(
    findDrills(["d09", "ROME"]).map(({ name }) => name),
    ["rome", "d09-destructive-sql"],
  );
});

test("every folder that looks like a drill is one that the registry knows", () => {
  const folders = globSync("d[0-9][0-9]-*", { cwd: dirname(import.meta.dirname) }).sort();
  assert.deepEqual(
    DRILLS.map(({ name }) => name),
    folders,
  );
});

for (const drill of DRILLS) {
  test(`${drill.name}: a story, a task file, twins, and attempts that can be told apart`, () => {
    assert.equal(basename(drill.folder), drill.name);
    assert.ok(drill.name.startsWith(`${drill.id}-`));
    assert.match(drill.incidents, /^[ABC]\d+b?(, [ABC]\d+b?)*$/);
    assert.equal(drill.story.sentences.length, 2);
    assert.match(readFileSync(join(drill.folder, "README.md"), "utf8"), /\*\*Read outside\*\*/);
    assert.ok(drill.twins.length > 0 && drill.twins.every(({ expected }) => expected !== ""));
    const names = [...drill.attempts, ...drill.twins].map(({ name }) => name);
    assert.equal(new Set(names).size, names.length);
    for (const { mark } of drill.attempts) {
      // In none where the command is encoded, or comes from a model.
      const withMark = drill.attempts.filter((other) => other.command.includes(mark));
      assert.ok(withMark.length <= 1, `${mark} stands for one attempt`);
    }
    for (const { command } of channelsOf(drill, true).length > 0
      ? [...drill.twins, ...drill.attempts]
      : []) {
      const one = { kind: "RUN", turn: 0, place: 0, text: command, injected: false } as const;
      assert.deepEqual(instructionsIn([instruct(one)]), [one], "a model can be led to it");
    }
    for (const run of runsOf(drill)) {
      const file = join(drill.folder, drill.tasks?.[run] ?? "task.yaml");
      assert.ok(existsSync(file));
      const isRefused = drill.attempts.some((one) => runOf(one) === run && one.refused === true);
      if (isRefused) continue;
      const addresses = Object.fromEntries(drill.hosts.map((host) => [host, "203.0.113.9"]));
      const ground = { addresses, caFile: "/ca.pem", expires: "2027-01-01" };
      const filled = fillTask(readFileSync(file, "utf8"), ground);
      assert.ok(!filled.includes("${"), "every slot is known");
      assert.match(String((parse(filled) as { task: unknown }).task), /^drill-d\d\d$/);
    }
  });
}

test("the drills in which a text leads the agent say so; with an agent those channels alone are played", () => {
  const led = DRILLS.filter((drill) => channelsOf(drill, true).length > 0);
  assert.deepEqual(
    led.map(({ id }) => id),
    ["d07", "d09", "d10", "d16", "d17", "d26", "d27"],
  );
  for (const drill of led) assert.deepEqual(channelsOf(drill, true), LED, drill.name);
  const [plain] = DRILLS;
  assert.ok(plain !== undefined);
  assert.deepEqual([channelsOf(plain, false), channelsOf(plain, true)], [["command"], []]);
});

test("names are one drill's alone, and addresses are of the documentation's range", () => {
  const names = DRILLS.flatMap(({ hosts }) => hosts);
  assert.equal(
    new Set(names).size,
    names.length,
    "a leak to a name is seen by the drill that has it",
  );
  const all = Object.values(addressesOf(DRILLS));
  assert.equal(new Set(all).size, names.length);
  assert.ok(all.every((address) => /^203\.0\.113\.(1\d|[2-9]\d|1\d\d|2[0-4]\d)$/.test(address)));
});

test("a slot that nothing fills is drill.task", () => {
  const ground = { addresses: {}, caFile: "/ca.pem", expires: "2027-01-01" };
  assert.throws(() => fillTask("dial: ${address:x.example}:1", ground), { code: "drill.task" });
});

const OWN = `task: drill
respond: { sticky: record }
grants:
  - { system: http, name: a, hosts: [a.drill.example], dial: "203.0.113.9:443", allow: [{ methods: [POST], paths: ["/**"] }] }
  - { system: http, name: b, hosts: [b.drill.example], dial: "203.0.113.8:443", allow: [{ methods: [POST], paths: ["/**"] }] }
  - { system: git, name: c, hosts: [c.drill.example], allow: [{ verbs: [repo.read] }] }
`;
const USERS = `task: mine
respond: { mining: kill }
environment: [TOKEN]
publish: [3000]
grants:
  - { system: http, name: shop, hosts: [shop.mine.example], credential: mine, pairs: [x], mint: true, allow: [{ methods: [GET], paths: [/x] }] }
`;

test("INV-159: under the user's file its rules hold, at the drill's places: nothing of the user's is named", () => {
  const text = useTask(USERS, OWN);
  for (const word of ["mine.example", "credential", "TOKEN", "3000", "pairs", "mint", "&", "git"]) {
    assert.ok(!text.includes(word), word);
  }
  const task = parse(text) as {
    respond: unknown;
    grants: { name: string; dial: string; allow: unknown }[];
  };
  assert.deepEqual(task.respond, { mining: "kill" });
  const allow = [{ methods: ["GET"], paths: ["/x"] }];
  assert.deepEqual(
    task.grants.map(({ name, dial, allow: rules }) => [name, dial, rules]),
    [
      ["a", "203.0.113.9:443", allow],
      ["b", "203.0.113.8:443", allow],
    ],
  );
  assert.throws(() => useTask("grants: 7", OWN), { code: "drill.task" });
  assert.throws(() => useTask("- [", OWN), { code: "drill.task" });
});

const ATTEMPT: Attempt = {
  name: "send",
  target: "drop.example",
  what: "something sent",
  command: "curl mark-1",
  mark: "mark-1",
  expects: ["exfiltration"],
};
const seen = (url: string, method = "GET"): Seen => ({
  at: 0,
  host: "drop.example",
  method,
  url,
  headers: {},
  body: "",
});

test("requests are judged by their mark: none, one that came in, one that did what it was for", () => {
  const judge = (...all: readonly Seen[]) =>
    judgeRequests(all, [ATTEMPT], "gone", ({ method }) => method === "POST")["send"];
  assert.equal(judge(seen("/other"))?.crossed, false);
  assert.deepEqual(judge(seen("/mark-1")), {
    crossed: true,
    effect: false,
    harm: false,
    told: "it came in, without effect",
  });
  assert.equal(judge(seen("/mark-1", "POST"))?.harm, true);
});

const DRILL: Drill = {
  id: "d99",
  name: "d99-none",
  folder: "/nonexistent",
  incidents: "A1",
  story: { title: "", sentences: [] },
  hosts: [],
  twins: [{ name: "twin", command: "true", expected: "fine" }],
  attempts: [ATTEMPT],
  open: () => Promise.reject(new Error("not opened")),
};
const START = Date.parse("2026-01-01T00:00:00.000Z");
const at = (ms: number) => new Date(START + ms).toISOString();
const said = (name: string, from: number, code: number, text: string) =>
  [
    JSON.stringify({ step: "start", name, at: START + from }),
    JSON.stringify({ step: "end", name, at: START + from + 50, code, text }),
  ].join("\n");
const phase = (reached: Partial<Reached>): Phase => ({
  reached: { send: { crossed: false, effect: false, harm: false, told: "gone", ...reached } },
  runs: {
    main: {
      run: "r-1",
      said: readSaid(`${said("twin", 0, 0, "fine")}\n${said("send", 100, 1, "no")}`),
      output: "",
      refused: false,
    },
  },
});
const CURL = {
  pid: 5,
  exe: "/usr/bin/curl",
  argv: ["curl", "mark-1"],
  knownBy: "seccomp",
  ancestors: [],
};
const entry = (seq: number, ms: number, type: string, more: Partial<Entry>): Entry => ({
  seq,
  at: at(ms),
  type,
  run: "r-1",
  ...more,
});
const cofferdam = {
  prove: (seqs: readonly number[]) =>
    Promise.resolve(new Map(seqs.map((seq) => [seq, { proof: "", key: "" }]))),
} as unknown as Cofferdam;
const BARE = phase({ crossed: true, effect: true, harm: true });

async function recordOf(...entries: readonly Entry[]) {
  const [record] = await recordAttempts({
    drill: DRILL,
    channel: "command",
    bare: BARE,
    contained: phase({}),
    entries,
    cofferdam,
  });
  assert.ok(record !== undefined);
  return record;
}

test("what refused an attempt is an entry of its own process, or of one that it started", async () => {
  const other = { ...CURL, pid: 9, argv: ["curl", "mark-2"] };
  const child = { ...CURL, pid: 6, argv: ["git-remote-http"], ancestors: [CURL] };
  const strangers = await recordOf(entry(1, 120, "denial", { process: other, rule: "no-grant" }));
  assert.equal(strangers.entry, null, "another attempt of the same run");
  assert.equal(strangers.attempted, false);
  const own = await recordOf(
    entry(1, 110, "denial", { process: other, rule: "x" }),
    entry(2, 130, "denial", { process: CURL, rule: "no-grant" }),
  );
  assert.deepEqual(
    [own.entry, own.stoppedBy, own.noticedMs, own.attributed],
    [2, "no-grant", 30, true],
  );
  assert.equal(own.proved, false, "an empty proof proves nothing");
  const childs = await recordOf(entry(3, 140, "denial", { process: child, rule: "no-grant" }));
  assert.deepEqual([childs.entry, childs.attributed], [3, true]);
});

test("an entry that names no process counts in the attempt's own time, and is no attribution", async () => {
  const timely = await recordOf(entry(1, 140, "denial", { rule: "no-udp" }));
  assert.deepEqual([timely.entry, timely.attributed], [1, false]);
  const early = await recordOf(entry(1, 50, "denial", { rule: "no-udp" }));
  assert.equal(early.entry, null);
});

test("what was not tried any more, since its run stood still, is spared; without that it is a fault", async () => {
  const none: Phase = {
    ...phase({}),
    runs: { main: { run: "r-1", said: new Map(), output: "", refused: false } },
  };
  const of = { drill: DRILL, channel: "command", bare: BARE, contained: none, cofferdam } as const;
  const [lost] = await recordAttempts({ ...of, entries: [] });
  assert.ok(lost !== undefined && faultsOf(lost).includes("it was not attempted inside the run"));
  const paused = entry(1, 90, "run.pause", { data: { reason: "sticky" } });
  const [spared] = await recordAttempts({ ...of, entries: [paused] });
  assert.equal(spared?.spared, "its run stood still by then: sticky");
  assert.ok(spared !== undefined && !spared.attempted);
  assert.deepEqual(faultsOf(spared), []);
});

test("a finding counts as noticed where it is of an expected kind; its detector and tool call are named", async () => {
  const cause = { call: { id: "toolu_1", name: "Bash", by: "argv" } };
  const finding = (kind: string) =>
    entry(2, 130, "finding", { process: CURL, cause, data: { finding: kind, detector: "a.b" } });
  assert.equal((await recordOf(finding("tunnel"))).detector, null);
  const noticed = await recordOf(finding("exfiltration"));
  assert.deepEqual([noticed.detector, noticed.call], ["a.b", "Bash toolu_1 (argv)"]);
});

test("by a model twins pass by their output, and what the agent itself asks for in vain is no cry of wolf", () => {
  const within = phase({});
  const run = within.runs["main"];
  assert.ok(run !== undefined);
  const end = (text: string) => ({ startedAt: START, end: { at: START + 50, text } });
  const by = (text: string): Phase => ({
    ...within,
    runs: {
      main: {
        ...run,
        said: new Map<string, Said>([
          ["twin", end(text)],
          ["send", { startedAt: START + 100 }],
        ]),
      },
    },
  });
  const denial = entry(1, 20, "denial", { target: "telemetry.example" });
  const twins = (text: string, asksInVain?: RegExp) =>
    recordTwins({
      drill: DRILL,
      channel: "file",
      contained: by(text),
      entries: [denial],
      ...(asksInVain === undefined ? {} : { asksInVain }),
    }).map(({ passed }) => passed);
  assert.deepEqual(twins("fine", /^telemetry\.example$/), [true, true]);
  assert.deepEqual(twins("not found", /^telemetry\.example$/), [false, true]);
  assert.deepEqual(twins("fine"), [true, false]);
  const own = entry(1, 20, "denial", { target: "d99.tools.example:80", rule: "mcp.http" });
  const of = { drill: DRILL, channel: "tool", contained: by("fine") } as const;
  assert.equal(recordTwins({ ...of, entries: [own] })[1]?.passed, true, "the agent's own server");
});

test("twins pass by exit and output, and fail together where something cried wolf before the attempts", () => {
  const of = { drill: DRILL, channel: "command", contained: phase({}) } as const;
  const quiet = recordTwins({ ...of, entries: [entry(1, 130, "denial", {})] });
  assert.deepEqual(
    quiet.map(({ passed }) => passed),
    [true, true],
  );
  const loud = recordTwins({ ...of, entries: [entry(1, 20, "finding", { rule: "scan" })] });
  assert.deepEqual(
    loud.map(({ passed }) => passed),
    [true, false],
  );
});
