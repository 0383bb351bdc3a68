/**
 * Task files that were parsed lately: a rollout starts hundreds of runs from one text.
 *
 * @module
 */
import { DETECTOR_ABOUTS } from "../detect/index.ts";
import { taskSystems, type OwnSystem, type OwnSystems } from "../systems/index.ts";
import {
  compileRunPolicy,
  parseTaskFile,
  type Policy,
  type Systems,
  type Task,
} from "../policy/index.ts";

const TEXTS_MAX = 32; // Of at most 256 KiB each.

/** A task file, understood. */
export interface ParsedTask {
  readonly task: Task;
  readonly policy: Policy;
  /** Systems of the user's own that its grants name, as they are now. */
  readonly own: ReadonlyMap<string, OwnSystem>;
}

export class TaskCache {
  readonly #own: OwnSystems;
  /** What {@link #systems} was made from. */
  #known: ReadonlyMap<string, OwnSystem> | undefined;
  #systems: Systems = new Map();
  readonly #parsed = new Map<string, ParsedTask>();

  constructor(own: OwnSystems) {
    this.#own = own;
  }

  /**
   * Parses and compiles `source`, once for each text and name.
   *
   * @throws {FileFault} as `parseTaskFile` and `OwnSystems.read` do, each time anew.
   */
  parse(source: string, fileName: string, nowMs: number): ParsedTask {
    this.#refresh();
    const key = `${fileName}\n${source}`;
    const known = this.#parsed.get(key);
    if (known !== undefined) return known;
    const task = parseTaskFile(source, fileName, nowMs, this.#systems, DETECTOR_ABOUTS);
    const named = new Set<string>(task.grants.map(({ system }) => system));
    const own = new Map([...(this.#known ?? [])].filter(([name]) => named.has(name)));
    const parsed = { task, policy: compileRunPolicy(task), own };
    // Whether leave that runs out is still good depends on the time: such a file is parsed each time.
    if (task.grants.some(({ allow }) => allow.some((rule) => rule.unattended !== undefined))) {
      return parsed;
    }
    this.#parsed.set(key, parsed);
    for (const oldest of this.#parsed.keys()) {
      if (this.#parsed.size <= TEXTS_MAX) break;
      this.#parsed.delete(oldest);
    }
    return parsed;
  }

  /** A system that changed makes every text another. */
  #refresh(): void {
    const own = this.#own.read();
    if (own === this.#known) return;
    this.#parsed.clear();
    this.#systems = taskSystems([...own.values()].map(({ entry }) => entry));
    this.#known = own;
  }
}
