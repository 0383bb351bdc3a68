import assert from "node:assert/strict";
import { duplexPair } from "node:stream";
import { test } from "node:test";
import { createFrameReader, encodeFrame, type RunStart } from "../api/index.ts";
import { Fault } from "../base/index.ts";
import { serveRunStream, type RunStarter } from "./run-stream.ts";

const ORDER = {
  task: { source: "", fileName: "a.yaml" },
  command: ["true"],
  cwd: "/",
  path: "",
  detach: true,
};

/** Serves one stream that says `frames`, to its end; gives what was asked for and what was answered. */
async function talk(frames: readonly Buffer[], names: readonly string[] = []) {
  const [ours, theirs] = duplexPair();
  const requests: RunStart[] = [];
  const starter: RunStarter = {
    namesOf: () => names,
    start(request) {
      requests.push(request);
      throw new Fault("test.no_run", "this far and no further");
    },
  };
  const answers: string[] = [];
  const reader = createFrameReader();
  theirs.on("data", (chunk: Buffer) => {
    for (const { type, payload } of reader.push(chunk))
      answers.push(`${type} ${payload.toString()}`);
  });
  const served = serveRunStream(ours, starter);
  for (const frame of frames) {
    theirs.write(frame);
    await new Promise((resolve) => setImmediate(resolve));
  }
  theirs.end();
  await served;
  await new Promise((resolve) => setImmediate(resolve));
  return { requests, answers };
}

const start = encodeFrame("start", JSON.stringify(ORDER));

test("a task that passes nothing in is not asked about the environment", async () => {
  const { requests, answers } = await talk([start]);
  assert.deepEqual(requests, [{ ...ORDER, environment: {} }]);
  assert.match(answers.join(), /^refused .*test\.no_run/);
});

test("variables are asked for by name, and others that are sent are left out", async () => {
  const given = encodeFrame("environment", JSON.stringify({ WANTED: "1", OTHER: "2" }));
  const { requests, answers } = await talk([start, given], ["WANTED", "ABSENT"]);
  assert.equal(answers[0], 'needs ["WANTED","ABSENT"]');
  assert.deepEqual(requests[0]?.environment, { WANTED: "1" });
});

const BAD: readonly (readonly [string, readonly Buffer[]])[] = [
  ["nothing at all", []],
  ["another frame first", [encodeFrame("stdin", "x")]],
  [
    "input behind the start, before there is a run",
    [Buffer.concat([start, encodeFrame("stdin", "x")])],
  ],
  ["no JSON", [encodeFrame("start", "{")]],
  ["an environment unasked", [encodeFrame("start", JSON.stringify({ ...ORDER, environment: {} }))]],
  [
    "no command, and somebody to watch it",
    [encodeFrame("start", JSON.stringify({ ...ORDER, command: [], detach: false }))],
  ],
  ["bytes that are no frame", [Buffer.from("GET / HTTP/1.1\r\n\r\n")]],
];
for (const [what, frames] of BAD) {
  test(`INV-1: ${what} starts nothing`, async () => {
    const { requests, answers } = await talk(frames);
    assert.deepEqual(requests, []);
    assert.match(answers.join(), /^refused .*(daemon\.request|api\.frame)/);
  });
}
