/**
 * All detectors over one stream of events.
 *
 * @module
 */
import type { Event, EventType } from "../action/index.ts";
import { tuningOf, type Detection, type Detector, type Tuning } from "./detector.ts";

/** What is noticed in the events so far. */
export interface Detections {
  /** What `event` adds, most certain first. */
  observe(event: Event): readonly Detection[];
}

interface Part {
  readonly detector: Detector;
  readonly tuning: Tuning;
  readonly states: Map<string, unknown>;
}

const HOME = "";
const NONE: readonly Detection[] = [];

/**
 * Runs `detectors` side by side; each keeps a state per run, or one of all runs, until the run's end.
 *
 * @param tuning Per detector's name: thresholds that are not the default ones.
 */
export function createDetections(
  detectors: readonly Detector[],
  tuning: Readonly<Record<string, Tuning>> = {},
): Detections {
  const parts = detectors.map((detector): Part => {
    const own = Object.hasOwn(tuning, detector.name) ? tuning[detector.name] : undefined;
    return { detector, tuning: { ...tuningOf(detector), ...own }, states: new Map() };
  });
  const byType = new Map<EventType, Part[]>();
  for (const part of parts) {
    for (const type of part.detector.sees) {
      byType.set(type, [...(byType.get(type) ?? []), part]);
    }
  }
  return {
    observe(event) {
      const found: Detection[] = [];
      for (const { detector, tuning: values, states } of byType.get(event.type) ?? NO_PARTS) {
        const key = detector.scope === "run" ? (event.run ?? HOME) : HOME;
        let state = states.get(key);
        if (state === undefined) states.set(key, (state = detector.start(values)));
        found.push(...detector.observe(state, event));
      }
      if (event.type === "run.end" && event.run !== undefined) {
        for (const { detector, states } of parts) {
          if (detector.scope === "run") states.delete(event.run);
        }
      }
      return found.length === 0 ? NONE : found.sort((a, b) => b.score - a.score);
    },
  };
}

const NO_PARTS: readonly Part[] = [];
