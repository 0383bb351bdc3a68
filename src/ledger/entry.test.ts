import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { canonicalJson, type Event } from "../action/index.ts";
import { sampleEvent } from "../../test/support/ledger.ts";
import { CUT_MEMBER, ENTRY_BYTES_MAX, decodeEvent, encodeEvent, isEntry } from "./entry.ts";

const PLAIN = sampleEvent(7, { data: { n: 1, text: "gr\u00fc\u00df \u20ac" } });

test("an event is stored as its canonical JSON and comes back whole", () => {
  const { bytes, event } = encodeEvent(PLAIN);
  assert.equal(bytes.toString(), canonicalJson(PLAIN));
  assert.deepEqual(event, PLAIN);
  assert.deepEqual(decodeEvent(bytes, 0), PLAIN);
});

function withArgv(argv: string[]): Event {
  return sampleEvent(1, {
    process: { pid: 9, exe: "/usr/bin/ssh", argv, knownBy: "seccomp", ancestors: [] },
  });
}
const nested = (depth: number): NonNullable<Event["data"]> =>
  JSON.parse(`${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`);
const half = "half \ud800 a pair";

// What an agent may choose; each must become an entry that still says what was done.
const HOSTILE: readonly (readonly [Event, string])[] = [
  [withArgv(["ssh", "-R", "x".repeat(2_000_000)]), "an argv of two megabytes"],
  [withArgv(Array.from({ length: 100_000 }, (_, n) => `${n}`)), "100,000 arguments"],
  [withArgv(["\u0001".repeat(60_000)]), "characters that take six bytes each"],
  [withArgv([half]), "half a surrogate pair"],
  [sampleEvent(1, { data: nested(5000) }), "nested 5,000 deep"],
  [sampleEvent(1, { target: `https://x/${"\u20ac".repeat(40_000)}` }), "a long target"],
  [sampleEvent(1, { data: { [`k${"x".repeat(80_000)}`]: 1 } }), "a long name of a member"],
  [
    sampleEvent(1, { data: Object.fromEntries(Array.from({ length: 20_000 }, (_, n) => [n, n])) }),
    "20,000 members",
  ],
];
for (const [event, why] of HOSTILE) {
  test(`${why} is cut, marked and recorded, never refused`, () => {
    const { bytes, event: stored } = encodeEvent(event);
    assert.ok(bytes.length <= ENTRY_BYTES_MAX);
    assert.ok(isEntry(bytes));
    assert.deepEqual(decodeEvent(bytes, 0), stored);
    assert.equal(stored.type, event.type);
    assert.ok(Array.isArray(stored.data?.[CUT_MEMBER]));
  });
}

test("what was cut is listed with its length and the digest of the whole", () => {
  const long = "y".repeat(100_000);
  const { event } = encodeEvent(withArgv(["ssh", "-R", long]));
  assert.deepEqual(event.data, {
    [CUT_MEMBER]: [{ path: "process.argv[2]", length: 100_000, sha256: hash("sha256", long) }],
  });
  assert.deepEqual(event.process?.argv.slice(0, 2), ["ssh", "-R"], "the rest stands as it was");
  assert.match(event.process?.argv[2] ?? "", /^y{1000,}…$/);
});

test("any event of any size and content becomes one entry", () => {
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom("\u0001".repeat(9000), half, "\u20ac".repeat(30_000)),
  );
  const node = fc.record({ pid: fc.nat(), exe: text, argv: fc.array(text) });
  const process = fc.record({
    pid: fc.nat(),
    exe: text,
    exeSha256: text,
    argv: fc.array(text, { size: "max", maxLength: 40 }),
    knownBy: fc.constant("proc" as const),
    ancestors: fc.array(node, { size: "max", maxLength: 30 }),
  });
  const data = fc.dictionary(text, fc.oneof(text, fc.array(text), fc.integer()));
  const all = fc.record({ target: text, rule: text, system: text, flow: text, process, data });
  const property = fc.property(all, (more) => {
    const { bytes, event } = encodeEvent(sampleEvent(1, more));
    assert.ok(bytes.length <= ENTRY_BYTES_MAX);
    assert.deepEqual(decodeEvent(bytes, 0), event);
  });
  fc.assert(property, { numRuns: 15 });
});

test("a member of any name is read back, __proto__ too", () => {
  const data = JSON.parse('{"__proto__": "x", "constructor": 1}') as NonNullable<Event["data"]>;
  const { bytes } = encodeEvent({ ...PLAIN, data });
  assert.deepEqual(Object.keys(decodeEvent(bytes, 0).data ?? {}).sort(), [
    "__proto__",
    "constructor",
  ]);
});

test("fault ledger.event: what is no event is a bug of the recorder's, and refused", () => {
  const odd = { ...PLAIN, extra: 1 };
  assert.throws(() => encodeEvent(odd), { code: "ledger.event" });
});

const WRONG: readonly (readonly [object, string])[] = [
  [{ type: "rumour" }, "a type that there is not"],
  [{ monoMs: "7" }, "a time that is no number"],
  [{ rule: 3 }, "a rule that is no text"],
  [{ verdict: "maybe" }, "a verdict that there is not"],
  [{ data: ["x"] }, "data that is no object"],
  [{ process: { pid: -1, exe: "", argv: [], knownBy: "proc", ancestors: [] } }, "no process id"],
  [{ process: "init" }, "no process"],
];
for (const [members, why] of WRONG) {
  test(`fault ledger.event: ${why} is refused`, () => {
    const odd = Object.assign({ ...PLAIN }, members);
    assert.throws(() => encodeEvent(odd), { code: "ledger.event" });
  });
}

test("a value that no JSON says is a bug, and no entry", () => {
  const odd = Object.assign({ ...PLAIN }, { data: { n: 1n } });
  assert.throws(() => encodeEvent(odd), /not JSON: a bigint/);
});

const NOT_ENTRIES = [
  ["", "nothing"],
  ["\0\0\0\0", "the zeroes that a power loss leaves"],
  ['{"b":1,"a":2}', "not canonical"],
  ['{"a":2', "torn"],
  ['{"a":"\\ud800"}', "half a surrogate pair"],
  ["\xff", "not UTF-8"],
] as const;
for (const [text, why] of NOT_ENTRIES) {
  test(`fault ledger.corrupt: ${JSON.stringify(text)} is no entry: ${why}`, () => {
    const bytes = Buffer.from(text, "latin1");
    assert.equal(isEntry(bytes), false);
    assert.throws(() => decodeEvent(bytes, 3), { code: "ledger.corrupt", message: /entry 3 / });
  });
}
