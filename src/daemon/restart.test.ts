import assert from "node:assert/strict";
import { test } from "node:test";
import { ATTEMPTS_MAX, RESTART_WAIT_MS, restartWaitMs } from "./restart.ts";

const CASES = [
  // restart, exit, attempt, wait, why
  ["on-failure", { code: 1 }, 1, RESTART_WAIT_MS, "it failed"],
  ["on-failure", { signal: "SIGSEGV" }, 1, RESTART_WAIT_MS, "it crashed"],
  ["on-failure", { code: 1 }, 3, 4 * RESTART_WAIT_MS, "each wait is twice the one before"],
  ["on-failure", { code: 1 }, ATTEMPTS_MAX, undefined, "too often"],
  ["on-failure", { code: 0 }, 1, undefined, "it did what it was to do"],
  ["on-failure", { code: 127, problem: "no such command" }, 1, undefined, "it will never start"],
  ["never", { code: 1 }, 1, undefined, "nobody asked for it"],
] as const;
for (const [restart, exit, attempt, wait, why] of CASES) {
  test(`restart ${restart} after ${JSON.stringify(exit)}, attempt ${attempt}: ${why}`, () =>
    assert.equal(restartWaitMs({ restart }, exit, attempt), wait));
}
