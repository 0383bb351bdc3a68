/**
 * Detection: every event of a run goes past the detectors, and what they notice becomes a finding of each run that it
 * is about. Findings are events as well; no detector sees them.
 *
 * @module
 */
import type { Event } from "../action/index.ts";
import {
  createDetections,
  createQuiet,
  DETECTORS,
  type Detection,
  type Detections,
  type Quiet,
  type Tuning,
} from "../detect/index.ts";
import type { Task } from "../policy/index.ts";

/** A run, as far as it is told. */
interface Watched {
  readonly detections: Detections;
  readonly quiet: Quiet;
  readonly off: ReadonlySet<string>;
  tell(detection: Detection): void;
  /** Told of one like it not long ago: nothing is said again, and what holds goes on holding. */
  again(detection: Detection): void;
}

/** What is noticed in all runs of one daemon. */
export class RunDetections {
  readonly #runs = new Map<string, Watched>();
  readonly #home = createDetections(DETECTORS.filter(({ scope }) => scope === "home"));

  /** From here on what is noticed of run `id` is told, as its task has it. */
  add(id: string, { detect }: Pick<Task, "detect">, by: Pick<Watched, "tell" | "again">): void {
    const settings = Object.entries(detect);
    const off = new Set(settings.flatMap(([name, value]) => (value === "off" ? [name] : [])));
    const tuning = Object.fromEntries(
      settings.flatMap(([name, value]): [string, Tuning][] =>
        value === "off" ? [] : [[name, value]],
      ),
    );
    const own = DETECTORS.filter(({ scope, name }) => scope === "run" && !off.has(name));
    this.#runs.set(id, {
      detections: createDetections(own, tuning),
      quiet: createQuiet(),
      off,
      ...by,
    });
  }

  /** The run is over. */
  remove(id: string): void {
    this.#runs.delete(id);
  }

  /** Shows `event` to the detectors; gives what tells the runs of what was noticed, to be called behind its entry. */
  observe(event: Event): (() => void) | undefined {
    const run = this.#runs.get(event.run ?? "");
    if (run === undefined) return undefined;
    const found = [...run.detections.observe(event), ...this.#home.observe(event)];
    if (found.length === 0) return undefined;
    return () => {
      for (const detection of found) {
        const about = this.#runs.get(detection.run ?? "");
        if (about === undefined || about.off.has(detection.detector)) continue;
        if (about.quiet.isTold(detection, event.monoMs)) about.tell(detection);
        else about.again(detection);
      }
    };
  }
}
