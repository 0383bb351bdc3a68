import assert from "node:assert/strict";
import { test } from "node:test";
import type { Asker, ConsoleDesk } from "../desk.ts";
import { drillHandlers } from "./drills.ts";

test("a drill that cannot be begun is refused, and ends neither the console nor the next drill", async () => {
  const { signal } = new AbortController();
  // Only what a drill is started with; there is no program in that folder.
  const desk = { packageRoot: "/nonexistent", closing: signal } as ConsoleDesk;
  const handlers = drillHandlers(desk);
  const unheard: unknown[] = [];
  const hear = (reason: unknown) => void unheard.push(reason);
  process.on("unhandledRejection", hear);
  try {
    for (const name of ["d08-planted-token", "rome"]) {
      const begun = handlers["drill.run"]({ name }, { signal } as Asker);
      await assert.rejects(begun[Symbol.asyncIterator]().next(), { code: "ENOENT" });
    }
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(unheard, []);
  } finally {
    process.off("unhandledRejection", hear);
  }
});
