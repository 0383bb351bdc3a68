/**
 * The console's side of the index: questions to its thread, and what it tells.
 *
 * @module
 */
import { statSync } from "node:fs";
import { extname, join } from "node:path";
import { Worker } from "node:worker_threads";
import type { Entry, RecordQuery, RecordStatus } from "../../api/index.ts";
import { Fault } from "../../base/index.ts";
import { KnownRuns, type RunFacts } from "../now/index.ts";
import type { Record, RecordOptions } from "./index.ts";
import type { Answer, FromThread, Question, ToThread } from "./messages.ts";
import { INDEX_FILE } from "./record-index.ts";

/** Questions that wait at once, of all tabs. */
const WAITING_MAX = 256;
const BATCH = 256;
/** Of the thread; columns and results lie outside of this heap. */
const HEAP_MIB = 1024;
const extension = extname(import.meta.url);
const PROGRAM = new URL(`./thread${extension}`, import.meta.url);

/** Opens the index of the record in `root`, and begins to follow; nothing is awaited. */
export function openRecord({ root }: RecordOptions): Record {
  // Root may look at anybody's home, and leaves nothing there that its owner could not open.
  const isOwn = statSync(root).uid === process.geteuid?.();
  const start = { ledger: join(root, "ledger"), index: isOwn ? join(root, INDEX_FILE) : "" };
  return new ThreadedRecord(
    new Worker(PROGRAM, {
      workerData: start,
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MIB },
    }),
  );
}

interface Waiting {
  resolve(answer: Answer[Question["kind"]]): void;
  reject(error: unknown): void;
}

class ThreadedRecord implements Record {
  readonly #thread: Worker;
  readonly #asked = new Map<number, Waiting>();
  readonly #listeners = new Set<(indexed: number) => void>();
  readonly #runs = new KnownRuns();
  readonly #ended = Promise.withResolvers<void>();
  #status: RecordStatus = { indexed: 0, size: 0 };
  #next = 1;
  #isEnded = false;

  constructor(thread: Worker) {
    this.#thread = thread;
    thread.on("message", (message: FromThread) => this.#take(message));
    thread.on("error", (error) => this.#end(error));
    thread.on("exit", () => this.#end(undefined));
    thread.unref();
  }

  status(): RecordStatus {
    return this.#status;
  }

  runs(): readonly RunFacts[] {
    return this.#runs.all();
  }

  grown(size: number, isOpened = false): void {
    this.#send({ grown: size, isOpened });
  }

  async search(query: RecordQuery, signal?: AbortSignal) {
    const { count, size } = await this.#ask({ kind: "search", query }, signal);
    return { count, size };
  }

  async page(
    query: RecordQuery,
    { offset, limit }: { readonly offset: number; readonly limit: number },
    signal?: AbortSignal,
  ) {
    return this.#ask({ kind: "page", query, offset, limit }, signal);
  }

  async locate(query: RecordQuery, seq: number, signal?: AbortSignal): Promise<number> {
    const { offset = 0 } = await this.#ask({ kind: "search", query, near: seq }, signal);
    return offset;
  }

  async facets(query: RecordQuery, signal?: AbortSignal) {
    return this.#ask({ kind: "facets", query }, signal);
  }

  async entry(seq: number): Promise<Entry> {
    return this.#ask({ kind: "entry", seq });
  }

  async *entries(
    query: RecordQuery,
    signal?: AbortSignal,
    from = 0,
  ): AsyncIterable<readonly Entry[]> {
    // Where it begins is no part of what is looked for: whoever goes on asks the same.
    const { from: first = 0, ...sought } = query;
    for (let next = Math.max(from, first); ;) {
      const asked = { kind: "entries", query: sought, from: next, limit: BATCH } as const;
      const batch = await this.#ask(asked, signal);
      const last = batch.at(-1);
      if (last === undefined) return;
      yield batch;
      next = last.seq + 1;
    }
  }

  onGrowth(listener: (indexed: number) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    this.#thread.ref();
    this.#send({ close: true });
    await this.#ended.promise;
  }

  async #ask<Asked extends Question>(
    question: Asked,
    signal?: AbortSignal,
  ): Promise<Answer[Asked["kind"]]> {
    signal?.throwIfAborted();
    if (this.#isEnded) throw ended();
    if (this.#asked.size >= WAITING_MAX) {
      throw new Fault(
        "console.record_busy",
        `${WAITING_MAX} questions to the record wait already`,
        {
          hint: "try again in a moment",
        },
      );
    }
    const id = this.#next;
    this.#next += 1;
    const forget = () => {
      this.#asked.get(id)?.reject(signal?.reason);
      this.#asked.delete(id);
      this.#send({ forget: id });
    };
    signal?.addEventListener("abort", forget, { once: true });
    this.#thread.ref(); // Who waits for an answer keeps the process.
    try {
      const answer = await new Promise<Answer[Question["kind"]]>((resolve, reject) => {
        this.#asked.set(id, { resolve, reject });
        this.#send({ ask: id, question });
      });
      return answer as Answer[Asked["kind"]]; // The thread answers a question in its kind.
    } finally {
      signal?.removeEventListener("abort", forget);
      if (this.#asked.size === 0) this.#thread.unref();
    }
  }

  #send(message: ToThread): void {
    this.#thread.postMessage(message, []);
  }

  #take(message: FromThread): void {
    if ("status" in message) {
      this.#status = message.status;
      if (message.isNew) this.#runs.clear();
      for (const facts of message.runs) this.#runs.put(facts);
      for (const listener of this.#listeners) listener(message.status.indexed);
      return;
    }
    const id = "answered" in message ? message.answered : message.refused;
    const asked = this.#asked.get(id);
    this.#asked.delete(id);
    if ("answered" in message) asked?.resolve(message.answer);
    else {
      const { code, message: text, hint } = message.fault;
      asked?.reject(new Fault(code, text, hint === undefined ? {} : { hint }));
    }
  }

  /** The thread is gone: by {@link close}, or by itself, which is a bug or a lack of memory. */
  #end(cause: unknown): void {
    this.#isEnded = true;
    if (cause !== undefined) this.#status = { ...this.#status, fault: ended(cause).message };
    for (const { reject } of this.#asked.values()) reject(ended(cause));
    this.#asked.clear();
    this.#ended.resolve();
  }
}

function ended(cause?: unknown): Fault {
  return new Fault("console.record", "the index of the record has ended", {
    hint: "start the console again; `cofferdam verify` checks the record itself",
    cause,
  });
}
