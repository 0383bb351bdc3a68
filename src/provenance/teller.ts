/**
 * What the watching thread tells the main thread: each process once, each executable once, and of one
 * run no more at a time than the main thread deals with.
 *
 * @module
 */
import { PROCESSES_TOLD, type OddKind, type Report } from "./messages.ts";
import { openExecutable, type Image } from "./proc-files.ts";
import type { ProcessTree, SeenProcess } from "./process-tree.ts";
import type { SharedState } from "./shared-state.ts";

const FILES_MAX = 2048; // Executables remembered as handed over; fewer than the main thread's hashes.

/** The run that is told about. */
export interface ToldOf {
  readonly number: number;
  readonly shared: SharedState;
}

export class Teller {
  readonly #post: (report: Report) => void;
  readonly #files = new Set<string>();
  readonly #told = new WeakMap<SeenProcess, number>();
  #serial = 0;

  constructor(post: (report: Report) => void) {
    this.#post = post;
  }

  /** Tells what costs the main thread something: it counts in the run's backlog until dealt with. */
  tell(watch: ToldOf, report: Report): void {
    watch.shared.told();
    this.#post(report);
  }

  odd(watch: ToldOf, what: OddKind, detail: string, process?: SeenProcess): void {
    this.tell(watch, { kind: "odd", watch: watch.number, odd: { what, detail, process } });
  }

  /** Describes a process, and hands over its executable where it is a new one. */
  describe(tree: ProcessTree, pid: number, claim?: Image): SeenProcess | undefined {
    const process = tree.describe(pid, claim);
    if (process === undefined) return undefined;
    for (const node of [process, ...process.ancestors]) this.#handOver(node.pid, node.file);
    return process;
  }

  /** The number of a description, which is told first where the main thread may not have it. */
  refer(watch: ToldOf, process: SeenProcess): number {
    const known = this.#told.get(process);
    if (known !== undefined && this.#serial - known < PROCESSES_TOLD) return known;
    this.#serial += 1;
    this.#told.set(process, this.#serial);
    this.tell(watch, { kind: "process", watch: watch.number, serial: this.#serial, process });
    return this.#serial;
  }

  /** The main thread could not take this executable; it is handed over when it is seen again. */
  forget(file: string): void {
    this.#files.delete(file);
  }

  #handOver(pid: number, file: string | undefined): void {
    if (file === undefined) return;
    if (!this.#files.delete(file)) {
      const descriptor = openExecutable(pid, file);
      if (descriptor === undefined) return;
      this.#post({ kind: "file", file, descriptor });
    }
    this.#files.add(file); // Last in the set is used last.
    for (const oldest of this.#files) {
      if (this.#files.size <= FILES_MAX) break;
      this.#files.delete(oldest);
    }
  }
}
