/**
 * `npm test`: everything that `npm run check` does, and every test there is, the real drills included.
 *
 * @module
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DAEMON_FLAGS } from "../src/client/index.ts";
import { runStatic, runStep } from "./check.ts";

// test/agents and test/heavy are apart (`npm run test:agents`, `test:heavy`), since what they install is 1.2 and 2.8 GB; so
// is test/console (`npm run test:console`), which needs a browser, and test/ops (`npm run test:ops`), which boots a systemd.
// test/large (`npm run test:large`) moves gigabytes.
const PATTERNS = [
  "src/**/*.test.ts",
  "test/*.test.ts",
  "test/!(agents|heavy|console|large|ops)/**/*.test.ts",
  "drills/**/*.test.ts",
  "bench/**/*.test.ts",
];

runStatic();
// Hundreds of programs of this run load the same sources: types are stripped and code is compiled once. What is in such
// a folder is executed, so it is this run's alone (docs/decisions/0371).
const compiled = mkdtempSync(join(tmpdir(), "cofferdam-test-compiled-"));
process.on("exit", () => rmSync(compiled, { recursive: true, force: true }));
process.on("SIGINT", () => {}); // It ends the step, and that ends us.
process.env["NODE_COMPILE_CACHE"] = compiled;
const ALL = `
await import("./src/daemon/index.ts");
await (await import("./src/gateway/index.ts")).loadBrokers();
const { allProtocols, loadProtocols } = await import("./src/protocols/index.ts");
await loadProtocols(allProtocols().keys());`;
runStep("compile", process.execPath, [...DAEMON_FLAGS, "--input-type=module", "--eval", ALL]);
// Half of what a file takes is waiting, so three at a time are quicker; but on two cores a third takes from drills and
// samples of use what their time limits count on.
// A test that waits for ever fails instead, and so does a file that does not end when its tests have.
const OPTIONS = [
  ...["--test-concurrency=2", "--test-timeout=600000"],
  ...["--import", join(import.meta.dirname, "file-limit.ts")],
];
const REPORTERS = ["spec", join(import.meta.dirname, "slowest.ts")].flatMap((reporter) => [
  `--test-reporter=${reporter}`,
  "--test-reporter-destination=stdout",
]);
runStep("tests", process.execPath, ["--test", ...OPTIONS, ...REPORTERS, ...PATTERNS]);
