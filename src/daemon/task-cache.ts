/**
 * Task files that were parsed lately: a rollout starts hundreds of runs from one text.
 *
 * @module
 */
import {
  compilePolicy,
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
}

export class TaskCache {
  readonly #systems: Systems;
  readonly #parsed = new Map<string, ParsedTask>();

  constructor(systems: Systems) {
    this.#systems = systems;
  }

  /** What grants may name. */
  get systems(): Systems {
    return this.#systems;
  }

  /**
   * Parses and compiles `source`, once for each text and name.
   *
   * @throws {TaskFileFault} as `parseTaskFile` does, each time anew.
   */
  parse(source: string, fileName: string, nowMs: number): ParsedTask {
    const key = `${fileName}\n${source}`;
    const known = this.#parsed.get(key);
    if (known !== undefined) return known;
    const task = parseTaskFile(source, fileName, nowMs, this.#systems);
    const parsed = { task, policy: compilePolicy(task) };
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
}
