/**
 * What a task file is judged by besides its own text: rules, facts, and the systems that it may name.
 *
 * @module
 */
import { loadVerbs, type Fact, type Ground, type Program } from "../blast/index.ts";
import { DETECTOR_ABOUTS } from "../detect/index.ts";
import { parseTaskFile, type Task } from "../policy/index.ts";
import { readFacts, readRules, signatureOf } from "../probe/index.ts";
import { systemsIn, type HomeSystems } from "../systems/index.ts";

/** Where a home has it; without `facts` none of its own count. */
export interface KnownAt {
  readonly rules: string;
  readonly facts: string;
  readonly catalog: string;
}

/** Read once, it serves for many texts. */
export interface Surroundings extends HomeSystems {
  readonly program: Program;
  readonly known: readonly Fact[];
}

/** @throws {Fault} where a file of rules, facts or systems cannot be read, or is none. */
export function surroundingsOf(home: KnownAt, factFiles: readonly string[] = []): Surroundings {
  const program = readRules(home.rules);
  const known = readFacts(home.facts, program, factFiles);
  return { program, known, ...systemsIn(home.catalog) };
}

/** The surroundings of a home, read again where a file of theirs changed: fifty thousand facts take a while to read. */
export class LivingSurroundings {
  readonly #home: KnownAt;
  #signature = "";
  #read: Surroundings | undefined;

  constructor(home: KnownAt) {
    this.#home = home;
  }

  /** @throws {Fault} as {@link surroundingsOf}; what cannot be read is tried again. */
  now(): Surroundings {
    const { rules, facts, catalog } = this.#home;
    const signature = signatureOf([rules, facts, catalog]);
    if (this.#read !== undefined && signature === this.#signature) return this.#read;
    this.#read = surroundingsOf(this.#home);
    this.#signature = signature;
    return this.#read;
  }
}

/** A task file's text, and how it is read. */
export interface TaskText {
  readonly source: string;
  /** As its faults call it. */
  readonly fileName: string;
  /** The present: leave that has run out is refused. */
  readonly nowMs: number;
}

/** A task file that was read. */
export interface TaskFile {
  readonly task: Task;
  readonly source: string;
  /** Reads a changed text as this one was. @throws {FileFault} where it is none. */
  parse(source: string): Task;
}

/** @throws {FileFault} with everything that is wrong with it. */
export function readTaskFile(
  { source, fileName, nowMs }: TaskText,
  { systems }: Pick<HomeSystems, "systems">,
): TaskFile {
  const parse = (text: string) => parseTaskFile(text, fileName, nowMs, systems, DETECTOR_ABOUTS);
  return { task: parse(source), source, parse };
}

/** What `task` is judged by. */
export async function groundOf(
  task: Task,
  { program, known, entryOf }: Surroundings,
): Promise<Ground> {
  return { program, known, verbsOf: await loadVerbs(task, entryOf) };
}
