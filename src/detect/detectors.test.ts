/** What holds of every detector: its names, its documents, that no run can make it large or slow. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { EVENT_TYPES, FINDING_KINDS, type Event, type Process } from "../action/index.ts";
import { createDetections } from "./detection.ts";
import { tuningOf } from "./detector.ts";
import { DETECTOR_ABOUTS, DETECTORS, EVERY_ABOUT } from "./detectors.ts";
import { FLOW_DETECTORS, SERIES_DETECTORS } from "./flow/index.ts";

/** Identifiers whose names were read in the published lists: ATT&CK 17.1, ATLAS 5.6, OWASP Agentic 2026. */
const CHECKED = new Set(
  (
    "T1018 T1021.004 T1027 T1041 T1046 T1048 T1053.003 T1059.004 T1059.006 T1070 T1071.001 T1071.004 T1090 T1098.004 " +
    "T1102 T1219 T1496 T1496.001 T1499 T1546.004 T1552.001 T1552.005 T1562 T1567 T1568.002 T1571 T1572 T1610 T1611 " +
    "AML.T0034.002 AML.T0053 AML.T0055 AML.T0072 AML.T0075 AML.T0080 AML.T0081 AML.T0083 AML.T0086 AML.T0096 AML.T0097 " +
    "AML.T0103 AML.T0105 AML.T0107 AML.T0108 AML.T0112.000 " +
    "ASI01 ASI02 ASI03 ASI04 ASI05 ASI06 ASI07 ASI08 ASI09 ASI10"
  ).split(" "),
);

const rows = ["commands.test.ts", "streams.test.ts", "exfiltration.test.ts"]
  .map((file) => readFileSync(join(import.meta.dirname, file), "utf8"))
  .join("\n");

test("names are unique, and every detector says what it is in terms that were checked", () => {
  assert.equal(DETECTOR_ABOUTS.size, DETECTORS.length + 1);
  const flows = FLOW_DETECTORS.length + SERIES_DETECTORS.length;
  assert.equal(EVERY_ABOUT.size, DETECTOR_ABOUTS.size + flows);
  for (const {
    name,
    kind,
    title,
    explanation,
    attack,
    atlas,
    owasp,
    tuning,
  } of DETECTOR_ABOUTS.values()) {
    assert.match(name, /^[a-z]+(?:\.[a-z]+)?$/);
    assert.ok(FINDING_KINDS.includes(kind) && title.length > 10 && explanation.length > 100, name);
    assert.ok(attack.length + atlas.length + owasp.length > 0, name);
    for (const id of [...attack, ...atlas, ...owasp]) assert.ok(CHECKED.has(id), `${name}: ${id}`);
    for (const { value, unit, meaning } of Object.values(tuning))
      assert.ok(value > 0 && unit && meaning);
  }
});

test("every detector has something that it notices and a benign twin", () => {
  // Those of claims have rows of their own, beside the joiner that they need.
  for (const { name } of DETECTORS.filter(({ kind }) => kind !== "claim")) {
    const own = rows.split(/\n {2}\[/).filter((row) => row.trimStart().startsWith(`"${name}",`));
    assert.ok(
      own.some((row) => /,\s*(?:true|[1-9]),\s*"/.test(row)),
      `${name} notices nothing`,
    );
    assert.ok(
      own.some((row) => /,\s*(?:false|0),\s*"/.test(row)),
      `${name} has no benign twin`,
    );
  }
});

test("INV-145: no detector sees findings or what follows from them, so none feeds itself", () => {
  for (const { name, sees } of DETECTORS) {
    assert.ok(!sees.includes("finding") && !sees.includes("response"), name);
  }
});

/** Numbers that repeat, so that a failure does. */
function numbersFrom(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 1_103_515_245 + 12_345) % 2_147_483_648) / 2_147_483_648;
}

/** An event as a hostile run makes them: every name new, long or odd, in any order. */
function hostile(n: number, random: () => number): Event {
  const type = EVENT_TYPES[Math.floor(random() * EVENT_TYPES.length)] ?? "dns";
  const name = `${n}.${"x".repeat(random() < 0.02 ? 5000 : 20)}${Math.floor(random() * 1e9)}`;
  const argv = ["/bin/sh", "-c", `echo ${name} > ${name}; ${name} | sh`, name];
  const process = {
    pid: n,
    exe: `/tmp/${name}`,
    exeSha256: name,
    argv,
    knownBy: "proc" as const,
    ancestors: [],
  };
  const verdict = (["allow", "confirm", "deny"] as const)[n % 3] ?? "deny";
  const effects = n % 2 === 0 ? ["read"] : ["write"];
  const route = JSON.stringify([name, name, n % 65_536, name, name]);
  const fields = {
    host: `${name}.test`,
    path: `/${name}/${n}`,
    query: `a=${name}&b=${name}`,
    command: `tee ${name}`,
  };
  const said = {
    call: name,
    digest: name,
    name,
    type: "TXT",
    effects,
    fields,
    route,
    state: "denied",
    task: name,
  };
  return {
    type,
    run: "r-a",
    at: "",
    monoMs: n * 7,
    verdict,
    system: name,
    target: `10.${n % 256}.${(n >> 8) % 256}.1${n % 5 === 0 ? "" : name}`,
    action: name,
    process,
    data: {
      ...said,
      bytesOut: 10,
      status: 500,
      upstreamOut: 1e6,
      isError: true,
      cpu: 4,
      summary: name,
      in: 9,
      left: [name],
      command: argv,
    },
  };
}

/** How many values a state holds, in maps, sets, lists and objects; texts count by their characters. */
function weigh(value: unknown): number {
  if (typeof value === "string") return value.length;
  if (typeof value !== "object" || value === null) return 1;
  if (value instanceof Map)
    return [...value].reduce((sum, pair) => sum + weigh(pair[0]) + weigh(pair[1]), 1);
  if (value instanceof Set) return [...value].reduce<number>((sum, one) => sum + weigh(one), 1);
  return Object.values(value).reduce<number>((sum, one) => sum + weigh(one), 1);
}

test("INV-146: a million hostile events leave every detector small", () => {
  const EVENTS = 1_000_000;
  const WEIGHT_MAX = 8 << 20;
  const states = DETECTORS.map((detector) => ({
    detector,
    state: detector.start(tuningOf(detector)),
  }));
  const bySeen = Map.groupBy(
    states.flatMap((one) => one.detector.sees.map((type) => [type, one] as const)),
    ([type]) => type,
  );
  const random = numbersFrom(7);
  for (let n = 0; n < EVENTS; n += 1) {
    const event = hostile(n, random);
    for (const [, { detector, state }] of bySeen.get(event.type) ?? [])
      detector.observe(state, event);
  }
  for (const { detector, state } of states) {
    assert.ok(weigh(state) < WEIGHT_MAX, `${detector.name} holds ${weigh(state)}`);
  }
});

test("no event of whatever data makes a detector throw: it would stand between the run and its record", () => {
  const keys =
    "name type effects fields route state digest summary verb kind call isError command task left in out gpus cpu status code bytesOut";
  const data = fc.record(
    Object.fromEntries(keys.split(" ").map((key) => [key, fc.jsonValue({ maxDepth: 2 })])),
    { requiredKeys: [] },
  );
  const text = fc.string({ unit: "binary", maxLength: 40 });
  const process = fc.record({
    pid: fc.nat(),
    exe: text,
    argv: fc.array(text, { maxLength: 6 }),
    knownBy: fc.constant("proc" as const),
    ancestors: fc.constant<Process["ancestors"]>([]),
  });
  const event = fc.record(
    {
      type: fc.constantFrom(...EVENT_TYPES),
      run: fc.constantFrom("a", "b"),
      at: fc.constant(""),
      monoMs: fc.nat(),
      verdict: fc.constantFrom("allow" as const, "confirm" as const, "deny" as const),
      target: text,
      action: text,
      system: text,
      process,
      data,
    },
    { requiredKeys: ["type", "run", "at", "monoMs"] },
  );
  const property = fc.property(fc.array(event, { maxLength: 8 }), (events) => {
    const detections = createDetections(DETECTORS);
    for (const one of events) detections.observe(one as Event);
  });
  fc.assert(property, { numRuns: 1000 });
});
