/**
 * How long what a home holds is kept: once a day what is older than the retention goes, on record, in small steps, and
 * never while a run starts; and nothing goes while a backup is made.
 *
 * @module
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { backup, type DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import type { Event } from "../action/index.ts";
import type { Gives } from "../api/index.ts";
import { describeError, Fault } from "../base/index.ts";
import type { Ledger } from "../ledger/index.ts";
import { cutoffOf, Holds, planPruning, readRetention, type Plan } from "../retention/index.ts";
import type { Runs } from "./runs.ts";
import type { Caller, Handlers } from "./server.ts";
import type { World } from "./world.ts";

type KeepingHandlers = Pick<
  Handlers,
  Extract<keyof Handlers, `retention.${string}` | `backup.${string}`>
>;

const FIRST_MS = 10 * 60_000;
const DAY_MS = 24 * 3_600_000;
/** Between two steps: what runs ask for comes in between. */
const STEP_MS = 2;
const STARTING_MS = 100;
/** How long copies of databases from before they were brought to a newer form are kept. */
const COPIES_MS = 30 * DAY_MS;
const COPY = /^[a-z-]+\.db\.format-\d+$/;
/** Where copies of databases wait for a backup, below the home. */
export const BACKUP_FOLDER = "backup";
const cursorSchema = z.object({ from: z.int().nonnegative() });

export class Keeping {
  readonly #world: World;
  readonly #runs: Runs;
  readonly #holds: Holds;
  readonly #timers: readonly NodeJS.Timeout[];
  readonly #closing = new AbortController();
  /** One pruning at a time, and none beside a hold that is made. */
  #turn: Promise<unknown> = Promise.resolve();
  #backups = 0;

  constructor(world: World, runs: Runs) {
    this.#world = world;
    this.#runs = runs;
    this.#holds = new Holds(world.home.root);
    rmSync(join(world.home.root, BACKUP_FOLDER), { recursive: true, force: true });
    const daily = () => void this.#daily();
    this.#timers = [setTimeout(daily, FIRST_MS).unref(), setInterval(daily, DAY_MS).unref()];
  }

  get handlers(): KeepingHandlers {
    return {
      "retention.show": () => this.#inTurn(() => this.#show()),
      "retention.prune": () =>
        this.#inTurn(async () => ({ ...(await this.#prune()), show: await this.#show() })),
      "retention.hold": ({ run, why }, caller) => this.#inTurn(() => this.#hold(run, why, caller)),
      "retention.release": ({ run, why }, caller) =>
        this.#inTurn(() => this.#release(run, why, caller)),
      "backup.hold": (_, { signal }) => this.#backup(signal),
    };
  }

  /** Ends a pruning under way between two of its steps; the next daemon goes on with it. */
  async close(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#closing.abort();
    await this.#turn;
  }

  #inTurn<T>(act: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(act);
    this.#turn = done.catch(() => {}); // Told to who asked.
    return done;
  }

  async #daily(): Promise<void> {
    const { log, home } = this.#world;
    try {
      const { entries, runs } = await this.#inTurn(() => this.#prune());
      if (entries > 0 || runs.length > 0) log.info("retention.pruned", { entries, runs });
      for (const name of readdirSync(home.root).filter((one) => COPY.test(one))) {
        const path = join(home.root, name);
        const ageMs = this.#world.clock.now().wallMs - statSync(path).mtimeMs;
        if (ageMs > COPIES_MS) rmSync(path);
      }
    } catch (error) {
      log.warn("retention.failed", { error: describeError(error) });
    }
  }

  readonly #pace = async (): Promise<void> => {
    do {
      const ms = this.#runs.isStarting ? STARTING_MS : STEP_MS;
      await sleep(ms, undefined, { signal: this.#closing.signal });
    } while (this.#runs.isStarting);
  };

  get #cutoff(): string | undefined {
    return cutoffOf(readRetention(this.#world.home.root), this.#world.clock.now().wallMs);
  }

  async #plan(cutoff: string): Promise<Plan> {
    const { ledger } = this.#world;
    await ledger.checkpoint();
    const whyKept = this.#keeper(cutoff);
    return planPruning({ ledger, cutoff, whyKept, unsent: this.#unsent(), pace: this.#pace });
  }

  /** Tells why what is of a run stays, each time as it stands then. */
  #keeper(cutoff: string): (run: string) => string | undefined {
    const live = new Set(this.#runs.live.map(({ id }) => id));
    const past = new Map(this.#runs.list(true).map((info) => [info.run, info]));
    const holds = new Map(this.#holds.list().map((hold) => [hold.run, hold]));
    const { inUse } = this.#world;
    const { approvals } = this.#world.desk;
    const waiting = new Map(approvals.list(false).map(({ id, run }) => [run, id]));
    const { watches } = this.#world.desk.kept;
    return (run) => {
      const hold = holds.get(run);
      if (hold !== undefined) return `${run} is on hold since ${hold.at.slice(0, 10)}: ${hold.why}`;
      if (live.has(run)) return `${run} lives`;
      if (inUse.has(run)) return `what ${run} left is being read or changed`;
      if (waiting.has(run)) return `approval ${waiting.get(run)} of ${run} waits`;
      const watched = approvals
        .ofRun(run, Number.MAX_SAFE_INTEGER)
        .find(({ id }) => watches.get(id));
      if (watched !== undefined) return `what ${watched.id} of ${run} set going lies ahead`;
      const { endedAt } = past.get(run) ?? {};
      return endedAt !== undefined && endedAt >= cutoff
        ? `${run} ended on ${endedAt.slice(0, 10)}, and is kept whole`
        : undefined;
    };
  }

  /** The first entry that not every export has sent. */
  #unsent(): { readonly from: number; readonly why: string } | undefined {
    const folder = join(this.#world.home.root, "exports");
    let names: readonly string[];
    try {
      names = readdirSync(folder).filter((name) => name.endsWith(".json"));
    } catch {
      return undefined; // Nobody exports.
    }
    const cursors = names.map((name) => {
      const why = `an export has not sent them yet (${join("exports", name)}; remove it if nobody follows any more)`;
      // One that cannot be read has sent nothing, for all that is known.
      return { from: cursorIn(join(folder, name)), why };
    });
    return cursors.toSorted((a, b) => a.from - b.from)[0];
  }

  async #show(): Promise<Gives<"retention.show">> {
    const { home, ledger } = this.#world;
    const { months, warning } = readRetention(home.root);
    const cutoff = this.#cutoff;
    const plan =
      cutoff === undefined ? { ranges: [], entries: 0, kept: [] } : await this.#plan(cutoff);
    return {
      months,
      ...(warning === undefined ? {} : { warning }),
      ...(cutoff === undefined ? {} : { cutoff }),
      due: { ranges: [...plan.ranges], entries: plan.entries },
      kept: [...plan.kept],
      ...prunedIn(ledger),
      holds: [...this.#holds.list()],
    };
  }

  /** Removes what is due, and what belonged to runs whose last entries went. */
  async #prune(): Promise<Omit<Gives<"retention.prune">, "show">> {
    if (this.#backups > 0) {
      throw new Fault("retention.busy", "a backup is being made, and needs what is there", {
        hint: "try again when it is done",
      });
    }
    const { ledger } = this.#world;
    const { months } = readRetention(this.#world.home.root);
    const cutoff = this.#cutoff;
    if (cutoff === undefined || months === "forever") return { entries: 0, runs: [] };
    const { ranges, entries } = await this.#plan(cutoff);
    if (ranges.length > 0) {
      const data = { why: `older than ${months} months`, before: cutoff };
      await ledger.prune(ranges, { months, at: this.#now(), data, pace: this.#pace });
    }
    const runs: string[] = [];
    const whyKept = this.#keeper(cutoff);
    for (const { run, state, entries: of } of this.#runs.list(true)) {
      if (state !== "ended") continue;
      const range = ledger.pruning?.all.find(({ from, to }) => from <= of.first && of.last < to);
      if (range === undefined) continue;
      await this.#pace();
      if (whyKept(run) !== undefined) continue;
      await this.#forget(run);
      runs.push(run);
    }
    return { entries, runs };
  }

  /** Its folder last: what is cut short before is done again at the next pruning. */
  async #forget(run: string): Promise<void> {
    const { desk, channels, log } = this.#world;
    const of = desk.approvals.ofRun(run, Number.MAX_SAFE_INTEGER);
    channels.kept?.forget(of.map(({ id }) => id)); // Only the approvals tell which messages are the run's.
    desk.kept.approvals.forgetRun(run);
    // What cannot be removed is nobody's from here on, and is tried again by the next daemon: the others go all the same.
    await this.#runs
      .forget(run)
      .catch((error: unknown) => log.warn("retention.run", { run, error: describeError(error) }));
  }

  async #hold(run: string, why: string, caller: Caller): Promise<Record<string, never>> {
    this.#runs.info(run);
    const { at } = this.#now();
    this.#holds.add({ run, why, at, by: identityOf(caller) });
    await this.#record({ done: "hold", why, by: identityOf(caller) }, run);
    return {};
  }

  async #release(run: string, why: string, caller: Caller): Promise<Record<string, never>> {
    if (this.#holds.of(run) === undefined) {
      throw new Fault("retention.no_hold", `${run} is not on hold`, {
        hint: "`cofferdam retention` lists those that are",
      });
    }
    await this.#record({ done: "release", why, by: identityOf(caller) }, run);
    this.#holds.remove(run);
    return {};
  }

  async #record(data: NonNullable<Event["data"]>, run: string): Promise<void> {
    await this.#world.ledger.append({ type: "record", ...this.#now(), run, data }, { sync: true });
  }

  #now(): Pick<Event, "at" | "monoMs"> {
    const { wallMs, monoMs } = this.#world.clock.now();
    return { at: new Date(wallMs).toISOString(), monoMs };
  }

  /** Copies of the databases, which only their writer can read whole, until `signal` aborts. */
  async *#backup(signal: AbortSignal): AsyncIterable<Gives<"backup.hold">> {
    const { home, desk, channels, unattended, lineages } = this.#world;
    const databases: readonly (readonly [string, DatabaseSync | undefined])[] = [
      ["approvals.db", desk.kept.approvals.database],
      ["watches.db", desk.kept.watches.database],
      ["unattended.db", unattended.database],
      ["lineages.db", lineages.database],
      ["channels.db", channels.kept?.database],
    ];
    const above = join(home.root, BACKUP_FOLDER);
    mkdirSync(above, { recursive: true, mode: 0o700 });
    const folder = mkdtempSync(join(above, "b-"));
    this.#backups += 1;
    try {
      await this.#inTurn(() => Promise.resolve()); // A pruning under way is ended first.
      const files: string[] = [];
      for (const [name, database] of databases) {
        if (database === undefined) continue;
        await backup(database, join(folder, name));
        files.push(name);
      }
      yield { folder, files };
      if (!signal.aborted) {
        await new Promise<void>((resolve) => {
          for (const one of [signal, this.#closing.signal]) {
            if (one.aborted) resolve();
            one.addEventListener("abort", () => resolve(), { once: true });
          }
        });
      }
    } finally {
      this.#backups -= 1;
      rmSync(folder, { recursive: true, force: true });
    }
  }
}

/** What is gone from the record, and by which pruning. */
export function prunedIn({ pruning }: Pick<Ledger, "pruning">): Gives<"ledger.pruned"> {
  if (pruning === undefined) return { pruned: [] };
  const { seq: entry, at, months, all } = pruning;
  return { pruned: [...all], last: { entry, at, months } };
}

function cursorIn(file: string): number {
  try {
    return cursorSchema.parse(JSON.parse(readFileSync(file, "utf8"))).from;
  } catch {
    return 0;
  }
}

function identityOf({ uid, claims }: Caller): string {
  return claims ?? `cli:${uid}`;
}
