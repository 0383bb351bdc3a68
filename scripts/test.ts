/**
 * `npm test`: everything that `npm run check` does, and every test there is, the real drills included.
 *
 * @module
 */
import { runStatic, runStep } from "./check.ts";

// test/agents and test/heavy are apart (`npm run test:agents`, `test:heavy`), since what they install is 1.2 and 2.8 GB.
const PATTERNS = [
  "src/**/*.test.ts",
  "test/*.test.ts",
  "test/!(agents|heavy)/**/*.test.ts",
  "drills/**/*.test.ts",
  "bench/**/*.test.ts",
];

runStatic();
// One file at a time would waste the second core; more would starve the drills of theirs.
// A test that waits for ever fails instead; the longest file takes about a minute.
const OPTIONS = ["--test-concurrency=2", "--test-timeout=600000"];
runStep("tests", process.execPath, ["--test", ...OPTIONS, ...PATTERNS]);
