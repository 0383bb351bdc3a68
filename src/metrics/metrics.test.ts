/** What is counted, and how it is written. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { EVENT_TYPES, type Event } from "../action/index.ts";
import { createCounts, FAMILIES, renderFamilies } from "./index.ts";

const words = { detectors: ["loop.calls"], approvalStates: ["requested", "shown"] };
const at = "2026-11-27T00:00:00.000Z";
const event = (type: Event["type"], more: Partial<Event> = {}): Event => {
  return { type, at, monoMs: 0, run: "r-a", ...more };
};
/** The lines of what was counted, without those that are zero. */
function lines(events: readonly Event[]): readonly string[] {
  const counts = createCounts(words);
  for (const one of events) counts.observe(one);
  const text = renderFamilies(counts.families([]), "plain");
  return text.split("\n").filter((line) => line !== "" && !/^#| 0$/.test(line));
}

const CASES: readonly (readonly [readonly Event[], readonly string[], string])[] = [
  [[], [], "nothing is counted yet"],
  [
    [event("action", { verdict: "deny" })],
    [`cofferdam_actions_total{verdict="deny"} 1`],
    "by verdict",
  ],
  [
    [event("action", { verdict: "allow" }), event("repeat", { data: { count: 4 } })],
    [`cofferdam_actions_total{verdict="allow"} 5`],
    "repeated reads are actions",
  ],
  [
    [event("denial", { data: { merged: 7 } })],
    ["cofferdam_denials_total 7"],
    "what merged is as many",
  ],
  [
    [event("finding", { data: { finding: "mining" } })],
    [
      `cofferdam_findings_total{kind="mining"} 1`,
      `cofferdam_detections_total{detector="gateway"} 1`,
    ],
    "on the wire no detector has a name",
  ],
  [
    [event("finding", { data: { finding: "evil-1", detector: "evil-2" } })],
    [`cofferdam_findings_total{kind="other"} 1`, `cofferdam_detections_total{detector="other"} 1`],
    "INV-236: words that are none of ours",
  ],
  [
    [event("run.end", { data: { end: { reason: "my own words" } } })],
    [`cofferdam_run_ends_total{reason="other"} 1`],
    "INV-236: a reason that is none of ours",
  ],
  [
    [
      event("flow.open"),
      event("flow.open"),
      event("flow.close", { data: { bytesOut: 3, bytesIn: -1 } }),
    ],
    [
      "cofferdam_flows_opened_total 2",
      "cofferdam_flows_open 1",
      `cofferdam_flow_bytes_total{direction="out"} 3`,
    ],
    "open ones, and no bytes below none",
  ],
  [
    [event("usage", { data: { gpuSeconds: 2.5 } }), event("usage", { data: { gpuSeconds: "9" } })],
    ["cofferdam_gpu_seconds_total 2.5"],
    "a number only",
  ],
];
for (const [events, expected, why] of CASES) {
  test(`counted: ${why}`, () => assert.deepEqual(lines(events), expected));
}

test("a start is from its first entry to its proof, in every bucket above it", () => {
  const found = lines([
    event("run.start"),
    event("run.proved", { monoMs: 40 }),
    event("run.proved"),
  ]);
  assert.ok(found.includes(`cofferdam_run_start_seconds_bucket{le="0.05"} 1`));
  assert.ok(!found.some((line) => line.includes(`le="0.025"`)));
  assert.ok(found.includes(`cofferdam_run_start_seconds_bucket{le="+Inf"} 1`));
  assert.ok(found.includes("cofferdam_run_start_seconds_sum 0.04"));
});

test("INV-236: whatever is on record, there are as many lines as at first, and no word of it", () => {
  const all = (counts: ReturnType<typeof createCounts>) =>
    renderFamilies(counts.families([]), "plain").replaceAll(/ \S+$/gm, "");
  const empty = all(createCounts(words));
  const word = fc.string({ minLength: 12, maxLength: 30 }).map((text) => `agent-${text}`);
  const data = fc.dictionary(
    fc.constantFrom("finding", "detector", "state", "reason", "end", "merged", "count", "bytesOut"),
    fc.oneof(word, fc.integer(), fc.record({ reason: word })),
  );
  const any = fc.record({
    type: fc.constantFrom(...EVENT_TYPES),
    system: word,
    target: word,
    rule: word,
    run: word,
    data,
  });
  fc.assert(
    fc.property(fc.array(any, { maxLength: 40 }), (events) => {
      const counts = createCounts(words);
      for (const { type, ...more } of events) counts.observe(event(type, more));
      assert.equal(all(counts), empty);
    }),
  );
});

test("the two forms: a counter's title, the end, and what would break a line", () => {
  const family = {
    name: "cofferdam_x_total",
    type: "counter",
    help: "a\\b\nc",
    samples: [{ labels: { of: 'a"b\\c\nd' }, value: 1 }],
  } as const;
  assert.equal(
    renderFamilies([family], "plain"),
    '# HELP cofferdam_x_total a\\\\b\\nc\n# TYPE cofferdam_x_total counter\ncofferdam_x_total{of="a\\"b\\\\c\\nd"} 1\n',
  );
  assert.match(renderFamilies([family], "openmetrics"), /^# HELP cofferdam_x a.*# EOF\n$/s);
});

test("names say what they are: a counter ends in _total, and nothing else does", () => {
  for (const [name, { type, help }] of Object.entries(FAMILIES)) {
    assert.equal(name.endsWith("_total"), type === "counter", name);
    assert.match(help, /^.{10,100}\.$|^1, /, name);
  }
});
