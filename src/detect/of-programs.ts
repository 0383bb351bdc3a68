/**
 * Detectors of single programs, by what they are and what they are given.
 *
 * @module
 */
import type { Process } from "../action/index.ts";
import { defineDetector, type Detector, type DetectorAbout } from "./detector.ts";
import { found } from "./found.ts";
import { programOf, type Program } from "./program.ts";

/** How sure it is that a program is misuse, 0 to 1, and why. */
export type Judgement = readonly [score: number, why: string];

/** Judges each program that is started by itself; nothing where it is none of those looked for. */
export function detectorOfPrograms(
  about: DetectorAbout,
  judge: (program: Program, process: Process) => Judgement | undefined,
): Detector {
  return defineDetector<object>({
    ...about,
    sees: ["process.start"],
    scope: "run",
    start: () => ({}),
    observe(_state, event) {
      const { process } = event;
      const judged = process === undefined ? undefined : judge(programOf(process), process);
      return judged === undefined ? [] : [found(about, event, ...judged)];
    },
  });
}
