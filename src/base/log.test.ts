import assert from "node:assert/strict";
import { test } from "node:test";
import { createLog, LOG_LINES_MAX, LOG_WINDOW_MS } from "./log.ts";

test("a flood of one event fills no disk, hides no other, and is counted", () => {
  let now = 0;
  const lines: { event: string; leftOut?: number; n?: number }[] = [];
  const log = createLog(
    (line) => void lines.push(JSON.parse(line) as (typeof lines)[number]),
    () => now,
  );
  for (let n = 0; n < LOG_LINES_MAX + 1000; n += 1) log.info("flood", { n });
  log.warn("other");
  assert.equal(lines.length, LOG_LINES_MAX + 1);
  assert.equal(lines.at(-1)?.event, "other");
  now = LOG_WINDOW_MS;
  log.info("flood");
  log.info("flood");
  assert.deepEqual(
    lines.slice(-2).map(({ leftOut }) => leftOut),
    [1000, undefined],
  );
});

test("what comes now and then is written, all of it", () => {
  let now = 0;
  let lines = 0;
  const log = createLog(
    () => void (lines += 1),
    () => now,
  );
  for (; now < LOG_WINDOW_MS * 20; now += LOG_WINDOW_MS / LOG_LINES_MAX) log.info("seldom");
  assert.equal(lines, 20 * LOG_LINES_MAX);
});
