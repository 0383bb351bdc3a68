/**
 * A reporter of `node --test`: which files and which tests took longest, when all are over.
 *
 * @module
 */
import { relative } from "node:path";
import type { TestEvent } from "node:test/reporters";

const SHOWN = 20;

/** Seconds that one file or one test took, and its name. */
type Took = readonly [seconds: number, name: string];

/** Reads the runner's events to their end, then lists. */
// oxlint-disable-next-line import/no-default-export -- the runner takes no other
export default async function* slowest(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const files: Took[] = [];
  const tests: Took[] = [];
  const nameOf = (file = "") => relative(process.cwd(), file);
  for await (const { type, data } of events) {
    if (type === "test:summary" && data.file !== undefined) {
      files.push([data.duration_ms / 1000, nameOf(data.file)]);
    } else if ((type === "test:pass" || type === "test:fail") && data.details.type !== "suite") {
      tests.push([data.details.duration_ms / 1000, `${nameOf(data.file)}: ${data.name}`]);
    }
  }
  const total = files.reduce((sum, [seconds]) => sum + seconds, 0);
  yield `\nslowest of ${files.length} files (${total.toFixed()} s one after the other)\n${list(files)}`;
  yield `\nslowest of ${tests.length} tests\n${list(tests)}`;
}

function list(took: readonly Took[]): string {
  const most = took.toSorted(([a], [b]) => b - a).slice(0, SHOWN);
  return most.map(([seconds, name]) => `${seconds.toFixed(1).padStart(8)} s  ${name}\n`).join("");
}
