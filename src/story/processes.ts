/**
 * The processes of a run, as its entries speak of them: executed ones, and those that only stand between.
 *
 * @module
 */
import type { Process, ProcessNode } from "../action/index.ts";
import type { Entry, StoryKind, StoryLane } from "../api/index.ts";
import { Remembered } from "./bounded.ts";
import type { Told } from "./item.ts";
import { commandOf, cut } from "./values.ts";

const ARGV_WORDS_MAX = 48;
const WORD_CHARS_MAX = 300;

type Begin = (
  entry: Entry,
  beginning: {
    readonly lane: StoryLane;
    readonly kind: StoryKind;
    readonly label: string;
    readonly parent?: Told | undefined;
    readonly id?: string;
  },
) => Told;

export class Processes {
  readonly #byPid = new Remembered<number, Told>();
  readonly #begin: Begin;

  constructor(begin: Begin) {
    this.#begin = begin;
  }

  /** The process that `entry` names, told by it where it was not known. */
  of(entry: Entry): Told | undefined {
    const { process: own } = entry;
    if (own === undefined || own.pid === 0) return undefined;
    return this.#byPid.get(own.pid) ?? this.#mentioned(entry, own, 0);
  }

  /** An execve: a new process, or another image of one. */
  started(entry: Entry, call: Told | undefined): Told {
    const { process: own } = entry;
    if (own === undefined || own.pid === 0) {
      return this.#begin(entry, { lane: "process", kind: "process", label: entry.target ?? "" });
    }
    const [above] = own.ancestors;
    const known = this.#byPid.get(own.pid);
    // A pid that comes round again has another parent.
    if (
      known?.process !== undefined &&
      (above === undefined || known.process.parentPid === above.pid)
    ) {
      known.process.exe = cut(own.exe);
      known.process.argv = briefArgv(own.argv);
      known.process.execs += 1;
      known.label = commandOf(own.argv, own.exe);
      known.by = { pid: own.pid, exe: known.process.exe };
      known.call ??= call;
      return known;
    }
    const parent = above === undefined ? undefined : this.#mentioned(entry, own, 1);
    const told = this.#tell(entry, own, parent, call, String(entry.seq));
    if (told.process !== undefined) told.process.execs = 1;
    return told;
  }

  /** The busiest processes of a sample: pid and cores. */
  use(data: Entry["data"]): void {
    const busiest = data?.["busiest"];
    if (!Array.isArray(busiest)) return;
    for (const one of busiest) {
      if (typeof one !== "object" || one === null || Array.isArray(one)) continue;
      const { pid, cores } = one;
      const facts = typeof pid === "number" ? this.#byPid.get(pid)?.process : undefined;
      if (facts === undefined || typeof cores !== "number") continue;
      facts.cpu = Math.max(facts.cpu ?? 0, cores);
    }
  }

  /** The process at `depth` of the line from `process` upwards: those above it are told first. */
  #mentioned(entry: Entry, process: Process, depth: number): Told | undefined {
    const line: readonly ProcessNode[] = [process, ...process.ancestors];
    let told: Told | undefined;
    for (let at = line.length - 1; at >= depth; at -= 1) {
      const node = line[at];
      if (node === undefined || node.pid === 0) continue;
      const known = this.#byPid.get(node.pid);
      told = known ?? this.#tell(entry, node, told, undefined, `${entry.seq}p${node.pid}`);
      // Of an ancestor the entry's cause says nothing.
      if (known === undefined && at > 0) forgetCause(told);
    }
    return told;
  }

  #tell(
    entry: Entry,
    node: ProcessNode,
    above: Told | undefined,
    call: Told | undefined,
    id: string,
  ): Told {
    // A process of another call than its parent's, or of the first, came of the call.
    const parent = call !== undefined && call !== above?.call ? call : above;
    const label = commandOf(node.argv, node.exe);
    const told = this.#begin(entry, { lane: "process", kind: "process", label, parent, id });
    if (told.kind === "more") return told;
    told.count = 1;
    const exe = cut(node.exe);
    told.by = { pid: node.pid, exe };
    told.process = {
      ...{ pid: node.pid, parentPid: above?.process?.pid ?? 0, parent: above, exe },
      ...{ argv: briefArgv(node.argv), execs: 0, cpu: undefined },
      ...{ flows: 0, actions: 0, refused: 0, findings: 0, reached: new Set<string>() },
    };
    this.#byPid.set(node.pid, told);
    return told;
  }
}

function forgetCause(told: Told): void {
  told.call = told.parent?.kind === "call" ? told.parent : told.parent?.call;
  told.tie = undefined;
}

function briefArgv(argv: readonly string[]): readonly string[] {
  const words = argv.slice(0, ARGV_WORDS_MAX).map((word) => cut(word, WORD_CHARS_MAX));
  return argv.length > ARGV_WORDS_MAX ? [...words, "…"] : words;
}
