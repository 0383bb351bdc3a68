/**
 * Loaded before each test file: one that does not end by itself fails, with what holds it. The runner's own limit is
 * for tests: what a failed test left open would hold its file, and the whole suite behind it, for good.
 *
 * @module
 */
import { relative } from "node:path";
import { isMainThread } from "node:worker_threads";

/** Twice what the longest file takes on a loaded machine. */
const LIMIT_MS = Number(process.env["COFFERDAM_TEST_FILE_LIMIT_MS"] ?? 720_000);

// Not in the runner, nor in programs and threads of a test.
if (process.env["NODE_TEST_CONTEXT"] === "child-v8" && isMainThread) {
  const end = () => {
    const file = relative(process.cwd(), process.argv[1] ?? "");
    const held = process.getActiveResourcesInfo().join(", ");
    console.error(`${file}: not over after ${LIMIT_MS / 1000} s; open: ${held}`);
    process.exit(1);
  };
  setTimeout(end, LIMIT_MS).unref();
}
