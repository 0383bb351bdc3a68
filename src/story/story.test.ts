import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { EVENT_TYPES, VERDICTS } from "../action/index.ts";
import { storyItemSchema, type Entry } from "../api/index.ts";
import { SAMPLE } from "../incident/sample.fixture.ts";
import { processRows } from "./process-rows.ts";
import { itemOf, type Told } from "./item.ts";
import { Story } from "./story.ts";
import { chainOf, childrenOf, locateIn, rowsOf, stripOf } from "./window.ts";

const ALL = { filter: {} };

function told(entries: readonly Entry[]): Story {
  const story = new Story();
  for (const entry of entries) story.add(entry);
  return story;
}

/** Entries from number 100 on, ten milliseconds apart unless they say otherwise. */
function run(...drafts: readonly (Partial<Entry> & Pick<Entry, "type">)[]): readonly Entry[] {
  return drafts.map((draft, at) => ({
    seq: 100 + at,
    at: "2026-11-27T09:00:00.000Z",
    monoMs: 1000 + at * 10,
    run: "r-1",
    ...draft,
  }));
}

const node = (pid: number, ...argv: string[]) => ({ pid, exe: `/usr/bin/${argv[0]}`, argv });
const by = (line: readonly ReturnType<typeof node>[]): NonNullable<Entry["process"]> => {
  const [own = node(0, ""), ...ancestors] = line;
  return { ...own, knownBy: "seccomp", ancestors };
};
const AGENT = node(20, "node", "agent.mjs");
const SHELL = node(30, "bash", "-c", "curl site");
const CURL = node(31, "curl", "https://site.example/a");
const cause: Entry["cause"] = {
  call: { id: "toolu_1", name: "Bash", source: "model", by: "argv", confidence: 1 },
};

/** A turn that calls a tool, whose process asks for what is refused. */
const WALK = run(
  { type: "run.start", data: { task: "t", command: ["node", "agent.mjs"] } },
  { type: "process.start", target: "/usr/bin/node", process: by([AGENT]) },
  { type: "flow.open", flow: "f-1", target: "api.model.example:443", process: by([AGENT]) },
  {
    ...{ type: "action", verdict: "allow", rule: "grants[0]", system: "model", flow: "f-1" },
    ...{ action: "a-1", target: "https://api.model.example/v1/messages", process: by([AGENT]) },
    data: { verb: "message.create", effects: ["send"] },
  },
  {
    ...{ type: "tool.call", flow: "f-1", action: "a-1", system: "model", process: by([AGENT]) },
    ...{ cause, data: { call: "toolu_1", name: "Bash", source: "model", input: "curl site" } },
  },
  {
    ...{ type: "model", flow: "f-1", action: "a-1", system: "model", process: by([AGENT]) },
    data: { provider: "anthropic", model: "m-1", calls: 1, tokens: { in: 9, out: 2 } },
  },
  { type: "outcome", flow: "f-1", action: "a-1", data: { status: 200, bytesOut: 5, bytesIn: 7 } },
  { type: "process.start", process: by([SHELL, AGENT]), cause },
  { type: "process.start", process: by([CURL, SHELL, AGENT]), cause },
  {
    type: "flow.open",
    flow: "f-2",
    target: "site.example:443",
    process: by([CURL, SHELL, AGENT]),
    cause,
  },
  {
    ...{ type: "action", verdict: "deny", rule: "grants[1]", system: "site", flow: "f-2" },
    ...{
      action: "a-2",
      target: "https://site.example/a",
      process: by([CURL, SHELL, AGENT]),
      cause,
    },
    data: { verb: "DELETE", effects: ["delete"] },
  },
  {
    ...{ type: "denial", verdict: "deny", rule: "grants[1]", system: "site", flow: "f-2" },
    ...{ action: "a-2", target: "https://site.example/a", data: { reason: "no" } },
  },
  {
    ...{ type: "finding", rule: "finding.loop", flow: "f-2", action: "a-2", cause },
    data: { finding: "loop", detail: "again" },
  },
  { type: "response", data: { finding: 112, kind: "loop", responses: ["pause"], withinMs: 3 } },
  {
    ...{ type: "flow.close", flow: "f-2" },
    data: { upstreamOut: 11, upstreamIn: 0, bytesOut: 60, bytesIn: 9, reason: "cut" },
  },
  { type: "tool.result", data: { call: "toolu_1", source: "model", isError: true, excerpt: "no" } },
  { type: "run.end", data: { end: { reason: "exited", code: 1 } } },
);

test("from a finding the chain leads to the model's turn, and back down", () => {
  const story = told(WALK);
  const finding = story.item("112");
  assert.ok(finding !== undefined);
  const kinds = chainOf(finding).map(({ kind, id }) => [kind, id]);
  assert.deepEqual(kinds, [
    ["action", "110"],
    ["flow", "109"],
    ["process", "108"],
    ["process", "107"],
    ["call", "104"],
    ["model", "103"],
  ]);
  const [action] = chainOf(finding);
  assert.ok(action !== undefined);
  assert.deepEqual(
    childrenOf(story, action).map(({ id }) => id),
    ["112"],
  );
  const turn = story.item("103");
  assert.ok(turn !== undefined);
  assert.deepEqual(
    childrenOf(story, turn).map(({ id }) => id),
    ["104"],
  );
});

test("each item says what became of it", () => {
  const story = told(WALK);
  const item = (id: string) => {
    const one = story.item(id);
    assert.ok(one !== undefined, id);
    return itemOf(one, story.hasEnded);
  };
  assert.deepEqual(item("103").tokens, { in: 9, out: 2 });
  assert.equal(item("103").name, "m-1");
  assert.equal(item("103").lane, "model");
  assert.equal(item("104").state, "error");
  assert.equal(item("104").isOpen, false);
  assert.equal(item("110").refused, 1, "a refusal and its reason are one");
  assert.equal(item("110").findings, 1);
  assert.equal(item("112").state, "pause");
  assert.deepEqual(
    [item("109").bytesOut, item("109").bytesIn],
    [11, 0],
    "what left, not what was tried",
  );
  assert.equal(item("102").isOpen, false, "nothing of a run that ended is open");
  assert.deepEqual(item("110").entries, { first: 110, last: 111, count: 2 });
});

test("the map has what left by program and by tool call, and what was refused", () => {
  const story = told(WALK);
  const program = story.traffic.map("program");
  const curl = program.edges.find(({ from }) => from === "/usr/bin/curl");
  assert.deepEqual(
    [curl?.to, curl?.connections, curl?.bytesOut, curl?.deny, curl?.findings, curl?.systems],
    ["site.example", 1, 11, 1, 1, ["site"]],
  );
  const call = story.traffic.map("call");
  assert.ok(call.actors.some(({ item, label }) => item === "104" && label.startsWith("Bash")));
  assert.ok(call.edges.some(({ from, to }) => from === "call 104" && to === "site.example"));
});

test("the process tree rolls up what was refused below", () => {
  const { rows, processes, left } = processRows(told(WALK));
  assert.deepEqual([processes, left], [3, 0]);
  assert.deepEqual(
    rows.map(({ pid, depth }) => [pid, depth]),
    [
      [20, 0],
      [30, 1],
      [31, 2],
    ],
  );
  assert.deepEqual(rows[0]?.below, { processes: 2, refused: 1, findings: 1 });
  assert.deepEqual(rows[2]?.reached, ["site.example"]);
  assert.equal(rows[2]?.callName, "Bash");
  const marked = processRows(told(run({ type: "process.start", process: by([AGENT]) })), {
    refused: true,
  });
  assert.deepEqual(marked.rows, []);
});

const FILTERS = [
  // filter, ids, why
  [{ lanes: ["finding"] }, ["112"], "a lane"],
  [{ refused: true }, ["110", "112"], "what was refused, and findings"],
  [{ effects: ["delete"] }, ["110"], "an effect"],
  [{ verdicts: ["deny"] }, ["110"], "a verdict"],
  [{ systems: ["site"] }, ["110"], "a system"],
  [{ text: "CURL SITE" }, ["104", "107"], "text, in any case"],
  [{ under: "104" }, ["104", "107", "108", "109", "110", "112"], "what came of a tool call"],
  [{ under: "none" }, [], "nothing is under what is not there"],
] as const;
for (const [filter, ids, why] of FILTERS) {
  test(`a filter by ${why} finds ${ids.length}`, () => {
    const { rows, matched } = rowsOf(
      told(WALK),
      { filter: JSON.parse(JSON.stringify(filter)) },
      { offset: 0, limit: 99 },
    );
    assert.deepEqual(
      rows.map(({ id }) => id),
      ids,
    );
    assert.equal(matched, ids.length);
  });
}

test("a place is found by entry, time, item, and the finding beside", () => {
  const story = told(WALK);
  const at = (find: Parameters<typeof locateIn>[2]) => locateIn(story, ALL, find)?.id;
  assert.equal(at({ entry: 111 }), "110", "an entry that is about an action");
  assert.equal(at({ ms: 95 }), "110");
  assert.equal(at({ item: "112" }), "112");
  assert.equal(at({ finding: "next" }), "110", "the first");
  assert.equal(at({ finding: "next", of: "110" }), "112");
  assert.equal(at({ finding: "previous", of: "112" }), "110");
  assert.equal(at({ finding: "next", of: "112" }), undefined);
});

const SCAN = Array.from({ length: 500 }, (_, at) => ({
  ...({ type: "denial", rule: "no-grant", target: `10.0.0.${at}:22`, verdict: "deny" } as const),
  ...{ process: by([CURL, SHELL, AGENT]), data: { title: "t", reason: "r" } },
}));
const GROUPED = [
  // drafts, items at most, counted, why
  [SCAN, 24, 500, "a sweep is told apart at its beginning only"],
  [SCAN.map((one) => ({ ...one, target: "a:1" })), 4, 500, "equal denials are one"],
  [
    Array.from({ length: 300 }, (_, at) => ({
      ...({ type: "action", verdict: "allow", rule: "g", action: `a-${at}`, flow: "f" } as const),
      ...{ target: "t", data: { verb: "GET", effects: ["read"] } },
    })),
    ...([1, 300, "equal reads on a connection are one"] as const),
  ],
] as const;
for (const [drafts, most, counted, why] of GROUPED) {
  test(`${why}, with an exact count`, () => {
    const { items } = told(run(...drafts));
    assert.ok(items.length <= most, `${items.length} items`);
    const sum = items
      .filter(({ lane }) => lane === "action")
      .reduce((all, { count }) => all + count, 0);
    assert.equal(sum, counted);
  });
}

test("equal denials that come much later are told anew, and writes never are one", () => {
  const denial = { type: "denial", rule: "r", target: "t" } as const;
  assert.equal(told(run({ ...denial, monoMs: 0 }, { ...denial, monoMs: 60_000 })).items.length, 2);
  const data = { verb: "PUT", effects: ["write"] };
  const write = { type: "action", verdict: "allow", target: "t", data } as const;
  assert.equal(told(run({ ...write, action: "a-1" }, { ...write, action: "a-2" })).items.length, 2);
});

test("what is done after the end does not stretch the strip", () => {
  const after = { seq: 999, at: "", monoMs: 9_000_000, run: "r-1", type: "workspace" } as const;
  const story = told([...WALK, after]);
  assert.equal(story.spanMs, 160);
  assert.equal(stripOf(story, ALL, 16).stepMs, 10);
  holds(story, [...WALK, after]);
});

test("a shell's call is told by its command, and what is no whole JSON as it is", () => {
  const label = (input: string) =>
    told(run({ type: "tool.call", data: { input } })).items[0]?.label;
  assert.equal(label('{"command":"id"}'), "id");
  assert.equal(label('{"command":"id'), '{"command":"id');
  assert.equal(label('{"path":"a"}'), '{"path":"a"}');
});

test("a model's call that its answer never made is told as such", () => {
  const story = told(
    run({ type: "tool.result", data: { call: "x", source: "model", excerpt: "root" } }),
  );
  assert.equal(story.items[0]?.state, "never called");
});

test("an approval that a person denied is refused once, whatever is said of it later", () => {
  const approval = (state: string) => {
    const data = { state, approval: "p-1", effects: ["send"] };
    return { type: "approval", action: "a-1", target: "t", data } as const;
  };
  const story = told(run(approval("requested"), approval("denied"), approval("denied")));
  const [item] = story.items;
  assert.deepEqual(
    [item?.refused, item?.verdict, item?.isOpen, item?.approval],
    [1, "confirm", false, "p-1"],
  );
});

test("the sample of every kind is told whole, and as the contract has it", () => {
  const story = told(SAMPLE);
  for (const one of story.items) storyItemSchema.parse(itemOf(one, false));
  holds(story, SAMPLE);
});

const text = fc.oneof(fc.constantFrom("f-1", "a-1", "toolu_1", "x"), fc.string());
const pid = fc.integer({ min: 0, max: 5 });
const nodes = fc.record({ pid, exe: text, argv: fc.array(text, { maxLength: 3 }) });
const members = [
  "call",
  "name",
  "source",
  "state",
  "effects",
  "count",
  "merged",
  "finding",
  "responses",
];
const json = fc.oneof(fc.jsonValue(), fc.integer({ min: -2, max: 9 }), text);
const junk = fc.record(
  {
    type: fc.constantFrom(...EVENT_TYPES),
    monoMs: fc.oneof(fc.integer({ min: 0, max: 99_999 }), fc.double({ noNaN: true })),
    verdict: fc.constantFrom(...VERDICTS),
    system: text,
    target: text,
    flow: text,
    action: text,
    process: fc.record({
      ...{
        pid,
        exe: text,
        argv: fc.array(text, { maxLength: 3 }),
        knownBy: fc.constant("proc" as const),
      },
      ancestors: fc.array(nodes, { maxLength: 3 }),
    }),
    cause: fc.constant(cause),
    data: fc.dictionary(fc.constantFrom(...members), json),
  },
  { requiredKeys: ["type"] },
);

/** Every entry is of one item, parents stand before their children, and each strip has all that began in it. */
function holds(story: Story, entries: readonly Entry[]): void {
  const counted = story.items.reduce((sum, one) => sum + one.entries, 0);
  // Use is a curve, and what is of a lineage of no single run.
  const items = entries.filter(({ type }) => type !== "usage" && type !== "lineage");
  assert.equal(counted, items.length);
  for (const one of story.items) {
    assert.ok(one.parent === undefined || one.parent.place < one.place);
    assert.ok(one.endMs >= one.ms && one.ms >= 0);
    assert.ok(chainOf(one).length <= 50);
  }
  const strip = stripOf(story, ALL, 7);
  const lanes = Object.values(strip.lanes).flat();
  const count = (of: readonly Told[]) => of.reduce((sum, one) => sum + one.count, 0);
  assert.equal(
    lanes.reduce((sum, one) => sum + one, 0),
    count(story.items),
  );
}

test("any entries in any order are told, and nothing is lost or counted twice", () => {
  const property = fc.property(fc.array(junk, { maxLength: 40 }), (drafts) => {
    const entries = run(...(drafts as readonly (Partial<Entry> & Pick<Entry, "type">)[]));
    const story = told(entries);
    for (const one of story.items) storyItemSchema.parse(itemOf(one, story.hasEnded));
    holds(story, entries);
    const again = told([...entries, ...entries]);
    assert.equal(again.items.length, story.items.length, "what was told is told once");
    for (const kind of ["program", "call"] as const) story.traffic.map(kind);
    processRows(story);
  });
  fc.assert(property, { numRuns: 300 });
});

test("a hundred thousand entries of one run are folded in linear time", () => {
  const many = (count: number) =>
    Array.from({ length: count }, (_, at): Entry => {
      const process = by([node(1000 + at, "curl", `${at}`), SHELL, AGENT]);
      const common = {
        seq: at,
        at: "",
        monoMs: at,
        run: "r-1",
        process,
        cause,
        flow: `f-${at >> 2}`,
      };
      const types = ["process.start", "flow.open", "action", "flow.close"] as const;
      return {
        ...{
          ...common,
          type: types[at % 4] ?? "dns",
          action: `a-${at}`,
          target: `h${at % 5000}:1`,
        },
        ...{ verdict: "deny", data: { effects: ["write"], bytesOut: 1 } },
      };
    });
  const timed = (entries: readonly Entry[]) => {
    const start = process.cpuUsage().user;
    const story = told(entries);
    for (let n = 0; n < 5; n += 1)
      rowsOf(story, { filter: { text: "zzz" } }, { offset: 0, limit: 100 });
    return process.cpuUsage().user - start;
  };
  timed(many(10_000));
  const [small, large] = [timed(many(20_000)), timed(many(100_000))];
  // Five times as much; twenty times would be a square.
  assert.ok(large < 14 * Math.max(small, 20_000), `${small} and ${large} microseconds`);
});
