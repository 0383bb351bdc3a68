import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { EventStreamReader, printEvent, type StreamEvent } from "./event-stream.ts";

const read = (text: string, sizes: readonly number[] = []): readonly StreamEvent[] => {
  const reader = new EventStreamReader(1 << 20);
  const bytes = Buffer.from(text);
  const events: StreamEvent[] = [];
  let at = 0;
  for (const size of sizes) {
    events.push(...reader.push(bytes.subarray(at, at + size)));
    at += size;
  }
  return [...events, ...reader.push(bytes.subarray(at))];
};

const CASES: readonly (readonly [why: string, text: string, events: readonly StreamEvent[]])[] = [
  ["one event", "event: message\ndata: {}\n\n", [{ event: "message", data: "{}" }]],
  ["lines of data are one text", "data: a\ndata: b\n\n", [{ data: "a\nb" }]],
  ["every end of a line", "data: a\r\ndata: b\rdata: c\n\r\n", [{ data: "a\nb\nc" }]],
  ["one space is no part of a value", "data:  a\n\n", [{ data: " a" }]],
  ["comments keep the line open and say nothing", ": ping\n\n", []],
  ["an id alone", "id: 7\ndata:\n\n", [{ id: "7", data: "" }]],
  ["a time to wait", "retry: 500\n\n", [{ retryMs: 500 }]],
  ["a field of nobody's", "Data: a\ndata2: b\n\n", []],
  ["an id that would end a header", "id: a b\ndata: x\n\n", [{ data: "x" }]],
  ["what has no end yet is no event", "data: a\n", []],
  ["a name without a colon", "data\n\n", [{ data: "" }]],
];
for (const [why, text, events] of CASES) {
  test(`event stream: ${why}`, () => {
    assert.deepEqual(read(text), events);
    assert.deepEqual(
      read(
        text,
        Array.from({ length: text.length }, () => 1),
      ),
      events,
      "byte by byte",
    );
  });
}

test("fault wire.event_stream: no UTF-8, and an event without end", () => {
  const bad = () => new EventStreamReader(10).push(Buffer.from([0xff, 0xfe]));
  assert.throws(bad, { code: "wire.event_stream" });
  assert.throws(() => new EventStreamReader(10).push(Buffer.from("data: 12345678901")), {
    code: "wire.event_stream",
  });
});

test("fuzz: any bytes in any pieces are read alike, and what is printed is read again", () => {
  const text = fc.array(
    fc.constantFrom("data: a", "id: 1", "event: m", ":", "\n", "\r", "\r\n", "é", "x", "retry: 3"),
  );
  const sizes = fc.array(fc.nat(7));
  fc.assert(
    fc.property(text, sizes, (parts, cuts) => {
      const whole = parts.join("");
      assert.deepEqual(read(whole, cuts), read(whole));
    }),
    { seed: 299, numRuns: 3000 },
  );
  fc.assert(
    fc.property(fc.string(), (data) => {
      const lines = data.replaceAll(/\r\n|\r/g, "\n");
      assert.deepEqual(read(printEvent({ data })), [{ data: lines }]);
    }),
    { seed: 299, numRuns: 2000 },
  );
});
