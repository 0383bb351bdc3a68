/** The report of a made-up run, word for word; and what is answered of attempts, each way that they can end. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { parse } from "yaml";
import { EVENT_TYPES, FINDING_KINDS, type Process } from "../action/index.ts";
import type { Entry } from "../api/index.ts";
import { parseTaskFile } from "../policy/index.ts";
import { readAttempts } from "./attempts.ts";
import { tacticOf } from "./ids.ts";
import {
  CITED_MAX,
  makeReport,
  renderAiid,
  renderAtlas,
  renderHtml,
  renderMarkdown,
  taskSourceOf,
  type Proofs,
  type ReportOptions,
} from "./index.ts";
import { RUN, SAMPLE } from "./sample.fixture.ts";
import { ROWS_MAX } from "./timeline.ts";

const FIXTURES = join(import.meta.dirname, "..", "..", "test", "fixtures");
const taskOf = (entries: readonly Entry[]) => {
  const said = taskSourceOf(entries);
  return said && parseTaskFile(said.source, said.file, said.atMs);
};
const optionsOf = (entries: readonly Entry[]): ReportOptions => ({
  ...{ run: RUN, version: "0.1.0", persons: false, task: taskOf(entries) },
  verbsOf: () => undefined,
  detectorOf: () => undefined,
});
const report = makeReport(SAMPLE, optionsOf(SAMPLE));
const PROOFS: Proofs = {
  proven: report.cited,
  broken: [],
  size: 200,
  root: "cm9vdA==",
  key: "log+0+k",
};

// To write them anew: scripts/node --test --test-update-snapshots src/incident/report.test.ts
for (const [name, text] of [
  ["report.md", renderMarkdown(report, PROOFS)],
  ["report.html.txt", renderHtml(report, PROOFS)],
  ["aiid.txt", renderAiid(report)],
  ["atlas.yaml", renderAtlas(report)],
] as const) {
  test(`${name} of the sample`, (t) => {
    t.assert.fileSnapshot(text, join(FIXTURES, "incident", name), { serializers: [String] });
  });
}

test("the sample has an entry of every type that a run has", () => {
  const types = new Set<string>(SAMPLE.map(({ type }) => type));
  const missing = EVENT_TYPES.filter((type) => !types.has(type));
  // Of the daemon, of many runs, and of the record itself.
  assert.deepEqual(missing, ["daemon.start", "daemon.stop", "lineage", "record"]);
});

test("a record that does not hold is said first", () => {
  const broken = [{ entry: 110, why: "the proof does not hold" }];
  const text = renderMarkdown(report, { ...PROOFS, broken });
  assert.match(text.split("\n")[2] ?? "", /^WARNING: the record does not hold/);
  assert.match(text, /- entry 110: `the proof does not hold`/);
});

test("a case study has the shape of ATLAS's, and its tactics are known", () => {
  const study = parse(renderAtlas(report)) as Record<string, unknown> & {
    readonly procedure: readonly Record<string, string>[];
  };
  const allowed =
    /^(?:name|summary|incident-date|incident-date-granularity|procedure|reporter|target|actor|case-study-type)$/;
  for (const key of Object.keys(study)) assert.match(key, allowed);
  assert.ok(study.procedure.length > 0);
  for (const step of study.procedure) {
    assert.deepEqual(Object.keys(step), ["tactic", "technique", "description"]);
    assert.match(step["technique"] ?? "", /^AML\.T\d{4}(?:\.\d{3})?$/);
    assert.equal(step["tactic"], tacticOf(step["technique"] ?? ""));
  }
});

const by: Process = { pid: 7, exe: "/bin/x", argv: ["x"], knownBy: "seccomp", ancestors: [] };
const numbered = (...drafts: (Pick<Entry, "type"> & Partial<Entry>)[]): readonly Entry[] =>
  drafts.map((draft, seq) => ({
    seq,
    at: "2026-11-27T09:00:00.000Z",
    monoMs: seq,
    run: RUN,
    process: by,
    ...draft,
  }));
const finding = (kind: string, more: Partial<Entry> = {}) =>
  ({ type: "finding", data: { finding: kind, detail: "d" }, ...more }) as const;
const close = (upstreamOut?: number) =>
  ({
    type: "flow.close",
    flow: "f",
    data: upstreamOut === undefined ? {} : { upstreamOut, upstreamIn: 0 },
  }) as const;
const action = (verdict: "allow" | "deny", id = "a") =>
  ({ type: "action", verdict, action: id, flow: "f", data: { kind: "http" } }) as const;
const outcome = (data: NonNullable<Entry["data"]>) =>
  ({ type: "outcome", action: "a", data }) as const;

const ANSWERS: readonly (readonly [what: string, entries: readonly Entry[], answers: string])[] = [
  ["refused before a connection", numbered({ type: "denial", rule: "no-grant" }), "no no no"],
  [
    "a flow of which nothing passed",
    numbered(finding("tunnel", { flow: "f" }), close(0)),
    "no no no",
  ],
  [
    "a flow of which bytes passed",
    numbered(finding("tunnel", { flow: "f" }), close(9)),
    "yes unknown unknown",
  ],
  [
    "a flow that is open still",
    numbered(finding("tunnel", { flow: "f" })),
    "unknown unknown unknown",
  ],
  [
    "a close that does not count",
    numbered(finding("tunnel", { flow: "f" }), close()),
    "unknown unknown unknown",
  ],
  ["a scan without any flow", numbered(finding("scan")), "no no no"],
  ["a loop inside", numbered(finding("loop")), "unknown unknown unknown"],
  [
    "an allowed action that succeeded",
    numbered(action("allow"), outcome({ status: 200 }), finding("exfiltration", { action: "a" })),
    "yes yes unknown",
  ],
  [
    "an allowed action that the system refused",
    numbered(action("allow"), outcome({ status: 403 }), finding("exfiltration", { action: "a" })),
    "yes no unknown",
  ],
  [
    "an allowed action that was never sent",
    numbered(
      action("allow"),
      outcome({ code: "gateway.connect" }),
      finding("exfiltration", { action: "a" }),
    ),
    "no no no",
  ],
  [
    "an allowed action without outcome",
    numbered(action("allow"), finding("exfiltration", { action: "a" })),
    "unknown unknown unknown",
  ],
  [
    "a refused request beside one that was allowed",
    numbered(action("allow", "b"), action("deny"), close(50)),
    "no no no",
  ],
  [
    "an offence beside what was allowed",
    numbered(action("allow", "b"), finding("mining", { flow: "f" }), close(50)),
    "unknown unknown unknown",
  ],
  [
    "a person's no",
    numbered({ type: "approval", action: "a", data: { state: "denied", approval: "p-1" } }),
    "no no no",
  ],
];
for (const [what, entries, expected] of ANSWERS) {
  test(`${what}: crossed, effect, harm are ${expected}`, () => {
    const [attempt, ...more] = readAttempts(entries);
    assert.deepEqual(more, []);
    const { crossed, effect, harm } = attempt ?? {};
    assert.equal([crossed, effect, harm].map((one) => one?.value).join(" "), expected);
  });
}

test("what waits for a person, and what a claim is, is no attempt that failed", () => {
  assert.deepEqual(readAttempts(numbered({ type: "denial", rule: "approval-pending" })), []);
  assert.deepEqual(readAttempts(numbered({ type: "action", verdict: "confirm" })), []);
});

test("a run in which nothing was refused or found says so", () => {
  const quiet = SAMPLE.filter(({ type }) => !/^(?:finding|denial|response|approval)$/.test(type));
  const text = renderMarkdown(makeReport(quiet, optionsOf(quiet)), undefined);
  assert.match(text, /Nothing was refused and nothing was found: there is no incident/);
});

test("entries without their beginning or with a policy that cannot be read are told as such", () => {
  const some = SAMPLE.slice(5);
  const text = renderMarkdown(makeReport(some, optionsOf(some)), undefined);
  assert.match(text, /The record has no start of run `r-sample`/);
  assert.match(text, /- unknown: the task file is not on record whole/);
  assert.doesNotThrow(() => makeReport([], optionsOf([])));
});

test("what an entry names of ATT&CK, ATLAS and OWASP goes before what its kind is called", () => {
  const named = numbered(
    finding("tunnel", {
      data: { finding: "tunnel", detail: "d", attack: ["T9", "<b>"], atlas: [], owasp: ["ASI02"] },
    }),
  );
  const [found] = makeReport(named, optionsOf(named)).found;
  assert.deepEqual([found?.attack, found?.atlas, found?.owasp], [["T9"], [], ["ASI02"]]);
});

test("every kind of finding is called something", () => {
  for (const kind of FINDING_KINDS) {
    const [found] = makeReport(numbered(finding(kind)), optionsOf([])).found;
    assert.notEqual(found?.title, "A finding", kind);
    assert.ok((found?.owasp.length ?? 0) > 0, kind);
  }
});

// rome.jsonl.gz is `cofferdam log --json` at the end of `cofferdam drill rome`, with paths of that machine replaced.
test("the record of the ROME drill: each run's report, and nothing of it crossed", () => {
  const text = gunzipSync(readFileSync(join(FIXTURES, "rome.jsonl.gz"))).toString();
  const all = text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Entry);
  const runs = new Set(all.flatMap(({ run }) => run ?? []));
  assert.equal(runs.size, 14);
  const kinds = new Set<string>();
  for (const run of runs) {
    const entries = all.filter((entry) => entry.run === run);
    const made = makeReport(entries, { ...optionsOf(entries), run });
    assert.ok(["no"].includes(made.answers.crossed.value), run);
    for (const { kind, held, noticedMs } of made.attempts) {
      kinds.add(kind);
      assert.ok(held.length > 0 && noticedMs !== undefined, `${run} ${kind}`);
    }
  }
  assert.deepEqual([...kinds].sort(), [
    "metadata",
    "mining",
    "no-grant",
    "scan",
    "sticky",
    "tunnel",
  ]);
});

test("a flood makes no report that nobody can read, and leaves no attempt without its proof", () => {
  const flood = numbered(
    ...Array.from({ length: 20_000 }, () => ({ type: "process.start", target: "/bin/x" }) as const),
    ...Array.from(
      { length: 5000 },
      (_, n) =>
        ({
          type: "denial",
          rule: "no-grant",
          target: `t${n}`,
          process: { ...by, pid: n + 1 },
        }) as const,
    ),
    finding("tunnel", { flow: "f", process: { ...by, pid: 99_999 } }),
  );
  const made = makeReport(flood, optionsOf([]));
  assert.ok(made.timeline.rows.length <= ROWS_MAX);
  assert.ok(made.timeline.leftOut > 20_000);
  assert.ok(made.timeline.rows.some(({ type }) => type === "finding"));
  assert.equal(made.cited.length, CITED_MAX);
});
