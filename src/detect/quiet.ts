/**
 * One finding for one thing: what is noticed again and again about the same is told once in a while.
 *
 * @module
 */
import { touch } from "./bounded.ts";
import { programOf } from "./program.ts";
import type { Detection } from "./detector.ts";

/** How long the same is not told again, unless it is surer. */
export const QUIET_MS = 10 * 60_000;
/** Of one detector within that time, whatever they are about; more only where it is surer than all before. */
export const TOLD_MAX = 20;
const SUBJECTS_MAX = 512;

/** Decides what of a run's detections is told. */
export interface Quiet {
  /** Whether `detection` is told now. */
  isTold(detection: Detection, monoMs: number): boolean;
}

export function createQuiet(): Quiet {
  const subjects = new Map<string, { atMs: number; score: number }>();
  const told = new Map<string, { sinceMs: number; count: number; score: number }>();
  return {
    isTold({ detector, target, subject: of = "", process, score }, monoMs) {
      const make = () => ({ atMs: Number.NEGATIVE_INFINITY, score: 0 });
      // Scripts of one interpreter are several programs.
      const by = process === undefined ? "" : `${process.exe} ${programOf(process).name}`;
      const key = `${detector} ${target ?? ""} ${of} ${by}`;
      const subject = touch(subjects, key, SUBJECTS_MAX, make);
      if (monoMs - subject.atMs < QUIET_MS && score <= subject.score) return false;
      subject.atMs = monoMs;
      subject.score = score;
      const none = { sinceMs: monoMs, count: 0, score: 0 };
      const all = touch(told, detector, SUBJECTS_MAX, () => ({ ...none }));
      if (monoMs - all.sinceMs >= QUIET_MS) Object.assign(all, none);
      all.count += 1;
      const isSurer = score > all.score;
      if (isSurer) all.score = score;
      return isSurer || all.count <= TOLD_MAX;
    },
  };
}
