/**
 * Whether a run stands still, and for whom. Three can hold it, each by itself: its worker's absence, until another serves it;
 * what was found of it or a person who paused it, until a person lets it go on; and each lineage of it that was paused, until
 * that is let go on. It goes on when none does.
 *
 * What is wanted is set at once; that the processes follow has its turn, so no order of the two leaves it running while it
 * is held (INV-160, INV-164).
 *
 * @module
 */
import type { RunInfo } from "../api/index.ts";
import { Fault } from "../base/index.ts";
import type { RunEvent } from "./recorder.ts";

/** The run, as far as it is stopped and let go. */
export interface Stoppable {
  readonly id: string;
  state(): RunInfo["state"];
  /** What `ps` shows from now on; `why` where it is paused. */
  shows(state: "running" | "paused", why?: string): void;
  record(event: RunEvent, options?: { readonly sync?: boolean }): Promise<unknown>;
  notice(text: string): void;
  /** Stops its processes, or lets them go; nothing where it has none. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Resolves when it runs, or is stopped before that. */
  runs(): Promise<unknown>;
  /** A person lets it go on: what was found before is answered. */
  resumed(): void;
}

/** Why only a person lets it go on. */
interface Hold {
  readonly why: string;
  readonly by: "finding" | "person";
}

/** Who may freeze it for a while, each by itself. */
type Freezer = "worker" | symbol;

export class Standstill {
  readonly #of: Stoppable;
  /** Why nobody lets it run: no worker serves it, or its files are read or taken as they are. */
  readonly #frozen = new Map<Freezer, string>();
  #hold: Hold | undefined;
  /** Why, by lineage that was paused. */
  readonly #lineages = new Map<string, string>();
  #free = Promise.withResolvers<void>();
  #stands = false;
  #turn: Promise<void> = Promise.resolve();

  constructor(of: Stoppable) {
    this.#of = of;
  }

  /** Its processes are gone, and those to come run; tells what was found that no pause has answered. */
  renew(): string | undefined {
    this.#stands = false;
    this.#frozen.delete("worker"); // Those have a gateway of their own.
    return this.#hold?.by === "finding" ? this.#hold.why : undefined;
  }

  /** New processes run: whoever paused those before has paused them, too. */
  async begin(): Promise<void> {
    if (this.#hold !== undefined || this.isClosed) await this.#settle();
  }

  /** Whether a lineage of it is paused. */
  get isClosed(): boolean {
    return this.#lineages.size > 0;
  }

  /** Resolves when no lineage of it is paused. */
  async open(): Promise<void> {
    while (this.isClosed) await this.#free.promise;
  }

  /** Its lineage is paused: it stands still when this resolves, if it runs; else it does not begin. */
  async close(lineage: string, why: string): Promise<void> {
    const stood = this.#stands;
    this.#lineages.set(lineage, why);
    if (!this.#isThere()) return;
    await this.#settle();
    if (stood || !this.#isThere()) return;
    await this.#of.record({ type: "run.pause", data: { reason: why, lineage } });
    this.#of.notice(
      `paused: ${why}; \`cofferdam resume --lineage ${lineage}\` lets all of them go on`,
    );
  }

  /** Its lineage goes on; what holds it otherwise goes on holding it. */
  async reopen(lineage: string): Promise<void> {
    if (!this.#lineages.delete(lineage) || this.isClosed) return;
    this.#free.resolve();
    this.#free = Promise.withResolvers();
    this.#of.resumed();
    if (this.#of.state() !== "paused") return;
    if (this.#hold === undefined && this.#frozenFor === undefined) await this.#goOn();
    else await this.#settle();
  }

  /** A person, or who guards the disk, pauses it. @throws {Fault} `daemon.state` where it is held already. */
  async pause(why: string): Promise<void> {
    const state = this.#of.state();
    if (state !== "running" && (state !== "paused" || this.#isHeld)) {
      throw this.#stateFault("running");
    }
    const before = this.#hold;
    // A finding's stays one: what it was found of is not started again.
    this.#hold = before?.by === "finding" ? before : { why, by: "person" };
    try {
      await this.#settle();
    } catch (error) {
      this.#hold = before; // It runs, and whoever paused it is told so.
      throw error;
    }
    await this.#tell(why);
  }

  /** Has it stand still for what was found, as soon as it runs. */
  async found(why: string): Promise<void> {
    const wasHeld = this.#isHeld;
    this.#hold = { why, by: "finding" };
    if (this.#of.state() === "starting") await this.#of.runs();
    if (!this.#isThere()) return;
    await this.#settle();
    if (!wasHeld) await this.#tell(why);
  }

  async #tell(why: string): Promise<void> {
    await this.#of.record({ type: "run.pause", data: { reason: why } });
    this.#of.notice(`paused: ${why}; \`cofferdam resume ${this.#of.id}\` lets it go on`);
  }

  get #frozenFor(): string | undefined {
    return this.#frozen.values().next().value;
  }

  get #isHeld(): boolean {
    return this.#hold !== undefined && this.#stands;
  }

  /** A person lets it go on. @throws {Fault} `daemon.state` */
  async resume(): Promise<void> {
    const frozenFor = this.#frozenFor;
    if (this.#of.state() !== "paused") throw this.#stateFault("paused");
    if (frozenFor !== undefined && this.#hold === undefined) {
      throw new Fault("daemon.state", `${this.#of.id} is held still: ${frozenFor}`, {
        hint: "it goes on by itself when that is over",
      });
    }
    const [lineage] = this.#lineages.keys();
    if (lineage !== undefined) {
      throw new Fault("daemon.state", `${this.#of.id} is of ${lineage}, which is paused`, {
        hint: `\`cofferdam resume --lineage ${lineage}\` lets all of it go on`,
      });
    }
    this.#hold = undefined;
    this.#of.resumed(); // What is found from here on, while it is let go, pauses it anew.
    if (frozenFor === undefined) return await this.#goOn();
    await this.#settle();
    const reason = `it goes on when that is over: ${frozenFor}`;
    await this.#of.record({ type: "run.resume", data: { reason } }, { sync: true });
    this.#of.notice(reason);
  }

  /** Freezes what runs until {@link thaw}; `false` where nothing does, or `by` has frozen it already. */
  async freeze(by: Freezer, why: string): Promise<boolean> {
    if (!this.#isThere() || this.#frozen.has(by)) return false;
    const stood = this.#stands;
    this.#frozen.set(by, why);
    await this.#settle();
    if (stood) return true;
    await this.#of.record({ type: "run.pause", data: { reason: why } });
    if (by === "worker") this.#of.notice(`frozen: ${why}; it goes on when another serves it`);
    return true;
  }

  /** Undoes {@link freeze}; what holds it otherwise goes on holding it. */
  async thaw(by: Freezer): Promise<void> {
    this.#frozen.delete(by);
    if (this.#frozen.size > 0) return;
    if (this.#of.state() !== "paused") return;
    if (this.#hold === undefined && !this.isClosed) await this.#goOn();
    else await this.#settle();
  }

  async #goOn(): Promise<void> {
    await this.#of.record({ type: "run.resume" }, { sync: true });
    await this.#settle();
  }

  /** Has the processes do what is wanted by then, and shows it. */
  #settle(): Promise<void> {
    const turn = this.#turn.then(async () => {
      const [lineage] = this.#lineages.values();
      const why = this.#hold?.why ?? lineage ?? this.#frozenFor;
      const isHeld = why !== undefined;
      if (isHeld !== this.#stands) {
        await (isHeld ? this.#of.pause() : this.#of.resume());
        this.#stands = isHeld;
      }
      if (this.#isThere()) this.#of.shows(isHeld ? "paused" : "running", why);
    });
    this.#turn = turn.catch(() => {}); // Told to whoever asked for it.
    return turn;
  }

  #isThere(): boolean {
    const state = this.#of.state();
    return state === "running" || state === "paused";
  }

  #stateFault(wanted: string): Fault {
    return new Fault("daemon.state", `${this.#of.id} is ${this.#of.state()}, not ${wanted}`);
  }
}
