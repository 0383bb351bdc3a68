/**
 * The warm pool: sandboxes made ahead, for the kinds of run that were started lately.
 *
 * A kind is told by its key, which holds all that shapes a launch (prepared.ts); it is computed anew for
 * each run, so a replaced workspace, tool, launcher or limit makes another key, and what waits under the
 * old one is never found again (INV-40). How many wait follows demand: who takes the last one doubles it,
 * and it is halved for each while without a start. They are made one at a time, when no run is being started, and end when they are old.
 *
 * @module
 */
import { createRunId, describeError, isFault } from "../base/index.ts";
import { keyOf, prepareSandbox, removePrepared, type Prepared, type Recipe } from "./prepared.ts";
import type { World } from "./world.ts";

/** How many wait for a kind that was started once. */
export const WAITING_MIN = 2;
/** How many wait for one kind at most: as many starts of one moment are fast. */
export const WAITING_MAX = 32;
/** Kinds that are kept; beyond, the one not started for longest goes. */
export const KINDS_MAX = 8;
/** How long a kind that nobody starts is kept ready, in milliseconds. */
export const IDLE_MS_MAX = 5 * 60_000;
/** After how long without a start fewer wait, in milliseconds. */
export const CALM_MS = 60_000;
/** How old a proof may be when its run starts, in milliseconds. */
export const PROOF_AGE_MS_MAX = 10 * 60_000;
const SWEEP_MS = 15_000;
/** How long after the last start sandboxes are made, so that they do not slow it down. */
const QUIET_MS = 5;
/** How long starts that follow each other closely can put that off. */
const PUT_OFF_MS_MAX = 100;

interface Kind {
  readonly recipe: Recipe;
  readonly waiting: Prepared[];
  wanted: number;
  usedMs: number;
}

export class Pool {
  readonly #world: World;
  readonly #kinds = new Map<string, Kind>();
  readonly #sweeper: NodeJS.Timeout;
  /** What is being made or ended; resolves, never rejects. */
  readonly #busy = new Set<Promise<void>>();
  /** Kinds that need a copy of their workspace, which only a run may make. */
  readonly #copied = new Set<string>();
  #starting = 0;
  #filling = false;
  #quietSinceMs = 0;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(world: World) {
    this.#world = world;
    this.#sweeper = setInterval(() => this.sweep(), SWEEP_MS).unref();
  }

  /** How many sandboxes wait. */
  get size(): number {
    return [...this.#kinds.values()].reduce((sum, kind) => sum + kind.waiting.length, 0);
  }

  /** Whether all that is wanted waits. */
  get isFull(): boolean {
    return !this.#filling && [...this.#kinds.values()].every((kind) => !lacks(kind));
  }

  /**
   * The freshest sandbox that waits under `key`, no longer the pool's; `undefined` where none is fit.
   * Nothing is awaited, so no other run can be given the same one.
   */
  take(key: string): Prepared | undefined {
    const kind = this.#kinds.get(key);
    if (kind === undefined) return undefined;
    let taken: Prepared | undefined;
    while (taken === undefined && kind.waiting.length > 0) {
      const one = kind.waiting.pop();
      if (one !== undefined && this.#isFit(one)) taken = one;
      else if (one !== undefined) this.#end(one);
    }
    if (kind.waiting.length === 0) kind.wanted = Math.min(kind.wanted * 2, WAITING_MAX);
    return taken;
  }

  /** Runs `start`, which starts a run of `recipe`; sandboxes for further ones are made after it. */
  async during<T>(key: string, recipe: Recipe, start: () => Promise<T>): Promise<T> {
    this.#starting += 1;
    try {
      const started = await start();
      this.#want(key, recipe);
      return started;
    } finally {
      this.#starting -= 1;
      this.#schedule();
    }
  }

  /** Ends what is too old or too long unused. */
  sweep(): void {
    const { monoMs } = this.#world.clock.now();
    for (const [key, kind] of this.#kinds) {
      const idleMs = monoMs - kind.usedMs;
      if (idleMs > IDLE_MS_MAX) this.#drop(key);
      if (idleMs > CALM_MS) kind.wanted = Math.max(WAITING_MIN, Math.ceil(kind.wanted / 2));
      const fit = kind.waiting.filter((one) => this.#isFit(one)).slice(-kind.wanted);
      for (const one of kind.waiting.splice(0)) if (!fit.includes(one)) this.#end(one);
      kind.waiting.push(...fit);
    }
    this.#schedule();
  }

  /** Makes no more, and ends all that wait; resolves when none of their processes is left. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#sweeper);
    clearTimeout(this.#timer);
    for (const key of this.#kinds.keys()) this.#drop(key);
    while (this.#busy.size > 0) await Promise.all(this.#busy);
  }

  #isFit({ sandbox, limits, proved }: Prepared): boolean {
    const ageMs = this.#world.clock.now().monoMs - proved.monoMs;
    return ageMs <= PROOF_AGE_MS_MAX && limits.holds(sandbox.initPid) && sandbox.isAlive();
  }

  #want(key: string, recipe: Recipe): void {
    if (this.#copied.has(key)) return;
    const usedMs = this.#world.clock.now().monoMs;
    const known = this.#kinds.get(key);
    if (known !== undefined) known.usedMs = usedMs;
    else this.#kinds.set(key, { recipe, waiting: [], wanted: WAITING_MIN, usedMs });
    const oldest = [...this.#kinds].toSorted(([, a], [, b]) => a.usedMs - b.usedMs);
    for (const [other] of oldest.slice(0, -KINDS_MAX)) this.#drop(other);
  }

  #schedule(): void {
    if (this.#closed || this.#filling || this.#timer !== undefined) return;
    if ([...this.#kinds.values()].every((kind) => !lacks(kind))) return;
    this.#quietSinceMs = performance.now();
    this.#await(this.#quietSinceMs);
  }

  #await(sinceMs: number): void {
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      const late = performance.now() - sinceMs >= PUT_OFF_MS_MAX;
      if (this.#starting > 0 && !late) this.#await(sinceMs);
      else this.#track(this.#fillOne());
    }, QUIET_MS).unref();
  }

  /** Makes one sandbox for the kind that has the fewest of what it wants. */
  async #fillOne(): Promise<void> {
    const [first] = [...this.#kinds]
      .filter(([, kind]) => lacks(kind))
      .toSorted(([, a], [, b]) => a.waiting.length / a.wanted - b.waiting.length / b.wanted);
    if (this.#closed || first === undefined) return;
    const [key, kind] = first;
    this.#filling = true;
    const id = createRunId(this.#world.clock.now().wallMs);
    try {
      const one = await prepareSandbox(this.#world, kind.recipe, id);
      if (this.#isWanted(key, kind)) this.#keep(kind, one);
      else {
        this.#drop(key);
        await this.#dispose(one);
      }
    } catch (error) {
      // A run of this kind would fail as well, and say so to whoever starts it; or work on a copy.
      if (isFault(error, "sandbox.overlay")) this.#copied.add(key);
      this.#world.log.warn("pool.prepare", { error: describeError(error) });
      this.#drop(key);
      await removePrepared(this.#world, id);
    } finally {
      this.#filling = false;
      this.#schedule();
    }
  }

  /** Asked when it has been made, too: what was swapped meanwhile must not wait under the old key. */
  #isWanted(key: string, kind: Kind): boolean {
    if (this.#closed || this.#kinds.get(key) !== kind) return false;
    try {
      return keyOf(this.#world, kind.recipe) === key;
    } catch {
      return false; // Something that it was made from is gone.
    }
  }

  #keep(kind: Kind, one: Prepared): void {
    kind.waiting.push(one);
    void one.sandbox.exited.then(() => {
      const at = kind.waiting.indexOf(one);
      if (at < 0) return; // Taken: its run sees to it.
      kind.waiting.splice(at, 1);
      this.#world.log.warn("pool.died", { sandbox: one.id });
      this.#end(one);
      this.#schedule();
    });
  }

  #drop(key: string): void {
    const kind = this.#kinds.get(key);
    this.#kinds.delete(key);
    for (const one of kind?.waiting.splice(0) ?? []) this.#end(one);
  }

  #end(one: Prepared): void {
    this.#track(this.#dispose(one));
  }

  async #dispose(one: Prepared): Promise<void> {
    try {
      await one.close();
    } catch (error) {
      this.#world.log.warn("pool.close", { sandbox: one.id, error: describeError(error) });
    }
    await removePrepared(this.#world, one.id);
  }

  #track(work: Promise<void>): void {
    this.#busy.add(work);
    void work.finally(() => this.#busy.delete(work));
  }
}

function lacks({ waiting, wanted }: Kind): boolean {
  return waiting.length < wanted;
}
