/** What the tests of the task file share: small files, and what is wrong with them. */
import type { Systems } from "./task.ts";
import assert from "node:assert/strict";
import { test } from "node:test";
import { DETECTOR_ABOUTS } from "../detect/index.ts";
import { FileFault, type Problem } from "../yaml/index.ts";
import { parseTaskFile } from "./task-file.ts";

export const NOW_MS = Date.parse("2026-11-23T12:00:00Z");

/** All problems of `source`, or none where it is a task. */
export function problemsOf(source: string): readonly Problem[] {
  try {
    parseTaskFile(source, "task.yaml", NOW_MS, undefined, DETECTOR_ABOUTS);
    return [];
  } catch (error) {
    if (!(error instanceof FileFault)) throw error;
    assert.equal(error.code, "policy.task_file");
    return error.problems;
  }
}

/** The least file that is a task. */
export const LEAST = "task: a\npurpose: b\n";
/** A file with one grant, which starts at line 4. */
export const grant = (lines: string) => `${LEAST}grants:\n  - system: http\n    name: x\n${lines}`;
/** A file with one grant, whose rules start at line 8. */
export const rules = (lines: string) => grant(`    hosts: [x.example]\n    allow:\n${lines}`);
/** A grant's rule that lets everything be read. */
export const ANY = '    allow: [{ methods: [GET], paths: ["/**"] }]\n';
/** A file with two grants, on lines 4 and 5. */
export const two = (first: string, second: string) =>
  `${LEAST}grants:\n  - { system: http, name: x, ${first} }\n  - { system: http, name: y, ${second} }\n`;
/** The same in one line. */
export const GET = 'allow: [{ methods: [GET], paths: ["/**"] }]';

/** A file that must be refused: why, the file, where, and what must be said of it. */
export type Broken = readonly [why: string, source: string, place: string, says: RegExp];

/** One test for each file. */
export function testBroken(files: readonly Broken[]): void {
  for (const [why, source, place, says] of files) {
    test(`fault policy.task_file at ${place}: ${why}`, () => {
      const problems = problemsOf(source).map(
        ({ line, column, message, hint }) => `${line}:${column}: ${message}; ${hint}`,
      );
      const found = problems.find((text) => text.startsWith(place) && says.test(text));
      assert.ok(found, problems.join("\n"));
    });
  }
}

/** Systems of the catalog, as far as task files need them. */
export const SYSTEMS: Systems = new Map([
  ["wordpress", { verbs: ["post.list", "post.draft", "post.publish", "user.create"], mints: [] }],
  ["github", { verbs: ["issue.create"], hosts: ["api.github.com"] }],
  [
    "postgres",
    {
      verbs: ["select", "update", "delete"],
      ports: [5432],
      isSession: true,
      separators: { select: ".", update: ".", delete: "." },
      flawsOfOptions: () => [],
    },
  ],
]);
