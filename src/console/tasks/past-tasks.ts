/**
 * Texts that runs were started with, and what those runs did, as the record has it.
 *
 * @module
 */
import type { Entry } from "../../api/index.ts";
import { HistoryReader, type History } from "../../autonomy/index.ts";
import type { Client } from "../../client/index.ts";

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

/** Reads on where it was, so that a long record is read once. */
export class PastTasks {
  readonly #client: Client;
  readonly #sources = new Map<string, Pick<PastText, "file" | "source">>();
  readonly #texts = new Map<string, PastText>();
  #next = 0;
  #reading: Promise<void> = Promise.resolve();

  constructor(client: Client) {
    this.#client = client;
  }

  /** Of every run, the earliest first. */
  async texts(): Promise<readonly PastText[]> {
    // One after another: two that read the same entries would not know where the next begin.
    this.#reading = this.#reading.catch(() => {}).then(() => this.#readOn());
    await this.#reading;
    return [...this.#texts.values()];
  }

  /** What runs of `task` did. */
  async historyOf(task: string, signal: AbortSignal): Promise<History> {
    const reader = new HistoryReader(task);
    const texts = await this.texts();
    for (const { run } of texts.filter((one) => one.task === task)) {
      const entries = this.#client.stream("log.read", { run, follow: false }, signal);
      for await (const entry of entries) reader.read(entry);
    }
    return reader.history;
  }

  async #readOn(): Promise<void> {
    const entries = this.#client.stream("log.read", { follow: false, from: this.#next });
    for await (const entry of entries) {
      this.#take(entry);
      this.#next = entry.seq + 1;
    }
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
