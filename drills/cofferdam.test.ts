import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Fault } from "../src/base/index.ts";
import { createCofferdam } from "./cofferdam.ts";
import { inParallel } from "./parallel.ts";
import { runDrill } from "./run-drill.ts";

test("a Cofferdam that refuses is drill.cofferdam with its own words, never a contained attempt", async () => {
  const cofferdam = createCofferdam(["/bin/false"], {});
  const run = { task: "t.yaml", cwd: "/", command: ["true"], limitMs: 5000 };
  await assert.rejects(cofferdam.run(run), { code: "drill.cofferdam" });
  await assert.rejects(cofferdam.entries(), { code: "drill.cofferdam" });
  assert.deepEqual((await cofferdam.verify()).ok, false);
});

test("a Cofferdam that is not there is drill.cofferdam", async () => {
  const cofferdam = createCofferdam(["/nonexistent/cofferdam"], {});
  await assert.rejects(cofferdam.entries(), { code: "drill.cofferdam" });
});

test("an unknown drill is drill.unknown and names those there are", async () => {
  const options = { json: true, cofferdam: "-", environment: {} };
  const streams = { out: process.stdout, err: process.stderr };
  for (const name of ["", "roma", "constructor"]) {
    await assert.rejects(
      runDrill([name], { ...options, ...streams }),
      (error: unknown) =>
        error instanceof Fault &&
        error.code === "drill.unknown" &&
        error.hint?.startsWith("there is: rome, d04-registry-tunnel, ") === true,
    );
  }
});

test("parallel work keeps its order and its bound", async () => {
  let running = 0;
  let most = 0;
  const results = await inParallel([3, 1, 2, 5, 4], 2, async (item) => {
    running += 1;
    most = Math.max(most, running);
    await new Promise((resolve) => setImmediate(resolve));
    running -= 1;
    return item * 10;
  });
  assert.deepEqual(results, [30, 10, 20, 50, 40]);
  assert.equal(most, 2);
});

test("drills know Cofferdam by its command line: of src they import base alone", () => {
  const files = globSync("**/*.ts", { cwd: import.meta.dirname });
  assert.ok(files.length > 30);
  for (const file of files) {
    const text = readFileSync(join(import.meta.dirname, file), "utf8");
    for (const [, from = ""] of text.matchAll(/from "([^"]*\/src\/[^"]*)"/g)) {
      assert.match(from, /\/src\/base\/index\.ts$/, `${file} imports ${from}`);
    }
  }
});
