/**
 * Texts that runs were started with, and what those runs did, as the record has it.
 *
 * @module
 */
import type { Entry, RecordQuery } from "../../api/index.ts";
import { HistoryReader, type History } from "../../autonomy/index.ts";
import { Fault } from "../../base/index.ts";
import type { Client } from "../../client/index.ts";
import type { Record } from "../record/index.ts";

/** What one run was started with. */
export interface PastText {
  readonly run: string;
  /** The task's name. */
  readonly task: string;
  readonly file: string;
  readonly source: string;
  /** RFC 3339. */
  readonly at: string;
}

/** How long the index may take to come to what is on record now. */
const CATCH_UP_MS = 10_000;
const RUNS_AT_ONCE = 64; // As many values as a query takes.

/** Reads on where it was, so that a long record is read once. */
export class PastTasks {
  readonly #record: Record;
  readonly #client: Pick<Client, "call">;
  readonly #sources = new Map<string, Pick<PastText, "file" | "source">>();
  readonly #texts = new Map<string, PastText>();
  #next = 0;
  #reading: Promise<void> = Promise.resolve();

  constructor(record: Record, client: Pick<Client, "call">) {
    this.#record = record;
    this.#client = client;
  }

  /** Of every run that the index has come to, the earliest first. */
  async texts(): Promise<readonly PastText[]> {
    // One after another: two that read the same entries would not know where the next begin.
    this.#reading = this.#reading.catch(() => {}).then(() => this.#readOn());
    await this.#reading;
    return [...this.#texts.values()];
  }

  /**
   * What runs of `task` did, all that is on record by now: from less would follow that a grant is not used which is.
   *
   * @throws {Fault} `console.record_behind` where the index does not come to it in time.
   */
  async historyOf(task: string, signal: AbortSignal): Promise<History> {
    await this.#caughtUp(signal);
    const reader = new HistoryReader(task);
    const runs = (await this.texts()).filter((one) => one.task === task).map(({ run }) => run);
    for (let at = 0; at < runs.length; at += RUNS_AT_ONCE) {
      await this.#each({ run: runs.slice(at, at + RUNS_AT_ONCE) }, signal, (one) =>
        reader.read(one),
      );
    }
    return reader.history;
  }

  async #caughtUp(signal: AbortSignal): Promise<void> {
    const { entries } = await this.#client.call("daemon.status", {});
    if (this.#record.status().indexed >= entries) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const forget = this.#record.onGrowth((indexed) => {
      if (indexed >= entries) resolve();
    });
    const late = setTimeout(resolve, CATCH_UP_MS);
    signal.addEventListener("abort", () => resolve(), { once: true });
    await promise;
    clearTimeout(late);
    forget();
    const { indexed, fault } = this.#record.status();
    if (indexed >= entries) return;
    throw new Fault(
      "console.record_behind",
      `the index has come to entry ${indexed} of ${entries}${fault === undefined ? "" : `: ${fault}`}`,
      { hint: "ask again in a moment; `cofferdam tighten` reads the record itself" },
    );
  }

  async #readOn(): Promise<void> {
    const signal = new AbortController().signal;
    const query: RecordQuery = { type: ["policy", "run.start"], from: this.#next };
    await this.#each(query, signal, (entry) => {
      this.#take(entry);
      this.#next = entry.seq + 1;
    });
  }

  async #each(
    query: RecordQuery,
    signal: AbortSignal,
    take: (entry: Entry) => void,
  ): Promise<void> {
    for await (const batch of this.#record.entries(query, signal)) batch.forEach(take);
  }

  #take({ type, run, at, data = {} }: Entry): void {
    if (run === undefined) return;
    const { source, file, task } = data;
    if (type === "policy" && typeof source === "string" && typeof file === "string") {
      this.#sources.set(run, { source, file });
    }
    if (type !== "run.start" || typeof task !== "string") return;
    const text = this.#sources.get(run);
    this.#sources.delete(run);
    if (text !== undefined) this.#texts.set(run, { run, task, at, ...text });
  }
}
