/**
 * The processes of one run and where they came from, remembered beyond their parents' deaths.
 *
 * A process enters when it is seen (held at a connect or an exec), or at its fork where the kernel
 * tells of forks. Its recorded parent stays its parent: a daemon that forked twice still descends from
 * the command that started it, although the kernel says that process 1 is its parent.
 *
 * @module
 */
import { limitArgv, readImage, readStat, type Image, type ProcessStat } from "./proc-files.ts";

/** Most processes remembered of one run; beyond, the longest known is forgotten first. */
export const NODES_MAX = 8192;
/** Most ancestors told: the nearest, the run's first process, and the child of it that all others descend from. */
export const ANCESTORS_MAX = 17;
const ANCESTOR_ARGV_CHARS_MAX = 256;
const ANCESTOR_EXE_CHARS_MAX = 512;
const DEPTH_MAX = 64; // Longest chain kept in memory, in processes.

/** One process, without its hash. */
export interface SeenNode {
  readonly pid: number;
  readonly exe: string;
  readonly argv: readonly string[];
  readonly file: string | undefined;
}

/** A process with its ancestors, nearest first. Frozen: a change makes another. */
export interface SeenProcess extends SeenNode {
  readonly ancestors: readonly SeenNode[];
}

class Member {
  readonly pid: number;
  readonly parent: Member | undefined;
  readonly depth: number;
  /** Unknown until first seen. */
  startTicks: string | undefined;
  /** Unknown until read; forgotten at an exec. */
  image: Image | undefined;
  /** What it said it would execute, for where it ended before that could be read. */
  claim: Image | undefined;
  /** Its pid may mean another process by now, until looked at again. */
  doubtful = true;
  /** Its description, and the version of the tree that it describes. */
  told: { readonly version: number; readonly process: SeenProcess } | undefined;

  constructor(pid: number, parent: Member | undefined, like?: Member) {
    this.pid = pid;
    this.parent = parent !== undefined && parent.depth >= DEPTH_MAX ? shorten(parent) : parent;
    this.depth = (this.parent?.depth ?? 0) + 1;
    this.image = like?.image;
    this.claim = like?.claim;
  }
}

/** A chain of copies with only the nearest ancestors, the first and its child: so that no chain grows for ever. */
function shorten(member: Member): Member {
  const nearest: Member[] = [];
  let [first, second] = [member, member];
  for (let at: Member | undefined = member; at !== undefined; at = at.parent) {
    if (nearest.length < ANCESTORS_MAX) nearest.push(at);
    [first, second] = [at, first];
  }
  return [...nearest, second].reduceRight<Member>(
    (parent, one) => new Member(one.pid, parent, one),
    new Member(first.pid, undefined, first),
  );
}

/** Which tree a process belongs to, over all runs: what the kernel's stream of forks is looked up in. */
export type Owners = Map<number, ProcessTree>;

export class ProcessTree {
  readonly #members = new Map<number, Member>();
  readonly #owners: Owners;
  readonly #first: Member;
  readonly #ended = new Set<number>();
  /** Counts execs: what was described before one may be another now. */
  #version = 0;

  readonly #followed: boolean;

  /**
   * `initPid`: process 1 of the run, by its pid outside. `followed`: whether every fork and exit is
   * told, so that a pid once seen needs no second look.
   */
  constructor(initPid: number, owners: Owners, followed: boolean) {
    this.#owners = owners;
    this.#followed = followed;
    this.#first = new Member(initPid, undefined);
    this.#add(this.#first);
    this.see(initPid);
  }

  get size(): number {
    return this.#members.size;
  }

  /** Records that `parent` made `child`. */
  forked(parent: number, child: number): void {
    const member = this.#members.get(parent);
    if (member === undefined) return;
    const made = new Member(child, member, member);
    made.doubtful = false;
    this.#add(made);
  }

  /** Records that what `pid` executes is about to change to what it claims, or has changed. */
  executing(pid: number, claim?: Image): void {
    const member = this.#members.get(pid);
    if (member === undefined) return;
    this.#version += 1;
    member.image = undefined;
    member.claim = claim ?? member.claim;
  }

  /**
   * Records that the first thread of `pid` ended. The process may go on in its other threads, or as
   * the one of them that executes something else: so it is only the first to be forgotten.
   */
  exited(pid: number): void {
    const member = this.#members.get(pid);
    if (member === undefined) return;
    member.doubtful = true;
    if (member !== this.#first) this.#ended.add(pid);
  }

  /** Some forks and exits were missed: every pid has to be looked at again. */
  doubt(): void {
    for (const member of this.#members.values()) member.doubtful = true;
  }

  /** Forgets `pid`, which means another process by now; its children keep it as their parent. */
  forget(pid: number): void {
    this.#ended.delete(pid);
    if (!this.#members.delete(pid)) return;
    if (this.#owners.get(pid) === this) this.#owners.delete(pid);
  }

  /** Forgets everything. */
  clear(): void {
    for (const pid of this.#members.keys()) this.forget(pid);
  }

  /** Places a living process in the tree; certain where it is held meanwhile. */
  see(pid: number): void {
    const known = this.#members.get(pid);
    if (known !== undefined && !known.doubtful) return;
    const stat = readStat(pid);
    if (stat === undefined) return;
    if (known !== undefined && (known.startTicks ?? stat.startTicks) === stat.startTicks) {
      this.#sawAlive(known, stat);
      return;
    }
    const member = new Member(pid, this.#parentOf(stat));
    this.#sawAlive(member, stat);
    this.#add(member);
  }

  /** Without the kernel's stream of forks and exits a pid stays doubtful: it may be another's next. */
  #sawAlive(member: Member, stat: ProcessStat): void {
    member.startTicks = stat.startTicks;
    member.doubtful = !this.#followed;
    this.#ended.delete(member.pid);
  }

  /** What `pid` is and descends from, its image read where not known; `undefined` where never seen. */
  describe(pid: number, claim?: Image): SeenProcess | undefined {
    const member = this.#members.get(pid);
    if (member === undefined) return undefined;
    if (claim !== undefined) return { ...claim, pid, ancestors: ancestorsOf(member) };
    if (member.told?.version === this.#version) return member.told.process;
    const image = (member.image ??= readImage(pid)) ?? member.claim;
    const own = { exe: "", argv: [], file: undefined, ...image, pid };
    const process: SeenProcess = { ...own, ancestors: ancestorsOf(member) };
    if (member.image !== undefined) member.told = { version: this.#version, process };
    return process;
  }

  #add(member: Member): void {
    this.forget(member.pid); // So that the order of the map is the order of arrival.
    this.#members.set(member.pid, member);
    this.#owners.set(member.pid, this);
    if (this.#members.size <= NODES_MAX) return;
    const [ended] = this.#ended;
    const [, oldest] = this.#members.keys(); // Never the first.
    this.forget(ended ?? oldest ?? member.pid);
  }

  /** The recorded parent, seen first where it is not; the run's first where the kernel names another. */
  #parentOf(stat: ProcessStat): Member {
    const missing: { pid: number; stat: ProcessStat }[] = [];
    for (let at = stat; missing.length < DEPTH_MAX;) {
      const known = this.#members.get(at.parent);
      const next = at.parent > 1 ? readStat(at.parent) : undefined;
      if (known !== undefined && known.startTicks === undefined)
        known.startTicks = next?.startTicks;
      if (known !== undefined && known.startTicks === next?.startTicks) {
        return this.#attach(missing, known);
      }
      if (next === undefined) break; // Left the run: it was given to a process outside.
      missing.push({ pid: at.parent, stat: next });
      at = next;
    }
    return this.#first;
  }

  #attach(chain: readonly { pid: number; stat: ProcessStat }[], top: Member): Member {
    return chain.reduceRight<Member>((parent, { pid, stat }) => {
      const member = new Member(pid, parent);
      this.#sawAlive(member, stat);
      this.#add(member);
      return member;
    }, top);
  }
}

function ancestorsOf(member: Member): readonly SeenNode[] {
  const nodes: SeenNode[] = [];
  for (let at = member.parent; at !== undefined; at = at.parent) {
    // The last two stay: whose command it is shows in the first's child (native/exec.c), however deep it forks.
    if (nodes.length >= ANCESTORS_MAX - 2 && at.parent?.parent !== undefined) continue;
    // Where it is dead and was never read nor said anything, only its pid is known.
    at.image ??= at.startTicks === undefined ? undefined : readOwnImage(at);
    const image = at.image ?? at.claim;
    nodes.push({
      pid: at.pid,
      exe: image?.exe.slice(0, ANCESTOR_EXE_CHARS_MAX) ?? "",
      argv: limitArgv(image?.argv ?? [], ANCESTOR_ARGV_CHARS_MAX),
      file: image?.file,
    });
  }
  return nodes;
}

/** Reads an ancestor's image, unless its pid means another process by now. */
function readOwnImage(member: Member): Image | undefined {
  return readStat(member.pid)?.startTicks === member.startTicks ? readImage(member.pid) : undefined;
}
