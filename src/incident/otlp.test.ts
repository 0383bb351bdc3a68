/** Telemetry in the form that OTLP's JSON has: identifiers in hex, long numbers as text, spans that end. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { flawsOfLogs, flawsOfTraces } from "../../test/support/otlp.ts";
import { createOtlp, logsRequest, tracesRequest } from "./index.ts";
import { SAMPLE } from "./sample.fixture.ts";

test("every entry is one log record, and what begins and ends is a span with its cause", () => {
  const writer = createOtlp();
  const told = SAMPLE.map((entry) => writer.add(entry));
  const logs = logsRequest(
    told.map(({ log }) => log),
    "0.1.0",
  );
  assert.deepEqual(flawsOfLogs(logs), []);
  const spans = told.flatMap((one) => one.spans);
  assert.deepEqual(flawsOfTraces(tracesRequest(spans, "0.1.0")), []);
  const named = new Map(spans.map((span) => [JSON.stringify(span["name"]), span]));
  assert.deepEqual([...named.keys()].sort(), [
    '"POST site"',
    '"execute_tool Bash"',
    '"flow outside.example:443"',
    '"flow site.example:443"',
  ]);
  const tool = named.get('"execute_tool Bash"');
  const flow = named.get('"flow outside.example:443"');
  assert.equal(flow?.["parentSpanId"], tool?.["spanId"], "the tool call is behind the flow");
  assert.equal(
    named.get('"POST site"')?.["parentSpanId"],
    named.get('"flow site.example:443"')?.["spanId"],
  );
  const text = JSON.stringify(tool);
  assert.match(text, /"gen_ai.operation.name","value":\{"stringValue":"execute_tool"/);
  assert.match(text, /"gen_ai.tool.call.id","value":\{"stringValue":"toolu_1"/);
  assert.equal(writer.openSince(), undefined, "the run's end ends what is open");
});

test("what is open says from where it is needed again, and gives the same span when it is read again", () => {
  const cut = SAMPLE.findIndex(({ type }) => type === "flow.close");
  const first = createOtlp();
  for (const entry of SAMPLE.slice(0, cut)) first.add(entry);
  const from = first.openSince() ?? -1;
  assert.equal(SAMPLE.find(({ seq }) => seq === from)?.type, "tool.call");
  const again = createOtlp();
  const spans = SAMPLE.filter(({ seq }) => seq >= from).flatMap((entry) => again.add(entry).spans);
  const whole = createOtlp();
  assert.deepEqual(
    spans,
    SAMPLE.flatMap((entry) => whole.add(entry).spans),
  );
});

test("an action that was refused ends at once, and failed", () => {
  const writer = createOtlp();
  const [span] = writer.add({
    ...{ seq: 0, type: "action", at: "2026-11-27T09:00:00.000Z", monoMs: 0, run: "r-1" },
    ...{ action: "a-1", verdict: "deny", system: "site", data: { verb: "POST" } },
  }).spans;
  assert.deepEqual(span?.["status"], { code: 2 });
});
