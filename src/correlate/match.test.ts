/** Which connection on record a line is about, where ports and addresses agree or do not. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Event } from "../action/index.ts";
import { parsePlace } from "./place.ts";
import { Correlator } from "./match.ts";

const AT = Date.parse("2026-03-01T10:00:00.000Z");
const at = (ms: number) => new Date(AT + ms).toISOString();
const TO = "203.0.113.9:2222";

/** How surely the line of `source` is the connection's, which left from 10.0.0.5:44732; `undefined` where it is nobody's. */
function by(source: string, afterMs: number) {
  const [from, to] = [parsePlace(source), parsePlace(TO)];
  assert.ok(from !== undefined && to !== undefined);
  const [fromMs, toMs] = [AT + afterMs, AT + afterMs];
  const correlator = new Correlator([{ line: 1, fromMs, toMs, source: from, target: to }], {
    withinMs: 5000,
    skewMs: 0,
  });
  const of = { run: "r-a", flow: "f-1", monoMs: 0 };
  const events: readonly Event[] = [
    { ...of, type: "flow.open", at: at(0), target: "jump.example:2222", data: { port: 2222 } },
    {
      ...{ ...of, type: "action", at: at(1), target: "jump.example:2222" },
      data: { out: [{ at: at(0), from: "10.0.0.5:44732", to: TO }] },
    },
    { ...of, type: "flow.close", at: at(60_000), data: {} },
  ];
  for (const [seq, event] of events.entries()) correlator.observe({ ...event, seq });
  return correlator.found()[0]?.matches[0]?.by;
}

test("the very 5-tuple is exact, and behind a NAT address and time have to do", () => {
  assert.equal(by("10.0.0.5:44732", 10), "exact");
  assert.equal(by("10.0.0.5:44732", 50_000), "exact", "while it is open");
  assert.equal(by("198.51.100.7:61000", 10), "address", "a NAT's");
  assert.equal(by("198.51.100.7:61000", 50_000), undefined, "too late");
});

test("from its own address another port is another connection, however near in time", () => {
  assert.equal(by("10.0.0.5:58042", 10), undefined);
});
