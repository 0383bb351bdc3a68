/**
 * Sends the record to a receiver of OpenTelemetry (OTLP/HTTP, JSON), from a process of its own: it reads behind a cursor that
 * moves on when something was taken, and reads no further than a few batches ahead. So a receiver that stands still holds
 * up nothing but this process, and what was not taken is sent again: at least once.
 *
 * Source: opentelemetry.io/docs/specs/otlp, "OTLP/HTTP": what may be tried again is 429, 502, 503 and 504.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import type { Entry } from "../api/index.ts";
import { describeError, Fault } from "../base/index.ts";
import { createOtlp, logsRequest, tracesRequest, type Telemetry } from "../incident/index.ts";

const BATCH_MAX = 256;
/** Entries that are read and not sent yet. */
const AHEAD_MAX = 1024;
const REQUEST_MS = 30_000;
const RETRY_MS_MIN = 250;
const RETRY_MS_MAX = 30_000;
/** Tries before an export that follows nothing gives up. */
const TRIES_MAX = 6;
const RETRYABLE: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/** Where an export goes on. */
const cursorSchema = z.object({
  /** The first entry that was not taken. */
  next: z.int().nonnegative(),
  /** From here on entries are read again, since spans that began there are open. */
  from: z.int().nonnegative(),
});
export type Cursor = z.infer<typeof cursorSchema>;

export interface ExportOptions {
  readonly logs: URL;
  readonly traces: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly version: string;
  readonly cursor: Cursor;
  /** Tries again for ever, as what it reads goes on for ever. */
  readonly follow: boolean;
  /** Keeps where it is. */
  save(cursor: Cursor): void;
  warn(text: string): void;
}

/** Where the logs and the traces of receiver `to` go: beside each other. @throws {Fault} `cli.usage` */
export function receiverOf(to: string): { readonly logs: URL; readonly traces: URL } {
  if (!URL.canParse(to) || !/^https?:$/.test(new URL(to).protocol)) {
    throw new Fault("cli.usage", `--to takes a URL of http or https, not ${JSON.stringify(to)}`);
  }
  const base = to.replace(/\/(?:v1\/logs\/?)?$/, "");
  return { logs: new URL(`${base}/v1/logs`), traces: new URL(`${base}/v1/traces`) };
}

/** Where the cursor of an export to `logs` is kept, below the home. */
export function cursorFile(home: string, logs: URL): string {
  const name = createHash("sha256").update(logs.href).digest("hex").slice(0, 16);
  return join(home, "exports", `${name}.json`);
}

/** The cursor in `file`; the beginning where there is none. @throws {Fault} `cli.cursor` */
export function readCursor(file: string, entries: number): Cursor {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return { next: 0, from: 0 };
    throw error;
  }
  const hint = `to send all of it again, remove ${file}`;
  const { data } = cursorSchema.safeParse(parse(text));
  if (data === undefined) throw new Fault("cli.cursor", `${file} holds no cursor`, { hint });
  if (data.next > entries) {
    throw new Fault("cli.cursor", `${file} is of entry ${data.next}, and the record ends before`, {
      hint,
    });
  }
  return data;
}

export function saveCursor(file: string, cursor: Cursor): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  writeFileSync(`${file}.new`, JSON.stringify(cursor), { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // Said by whoever needs it.
  }
}

/**
 * Sends `entries`, which begin at `cursor.from`; resolves with the number of those that were taken.
 *
 * @throws {Fault} `cli.receiver` where the receiver refuses what it is sent, or where nothing is followed and it cannot
 *   be reached. The cursor stays at what was taken.
 */
export async function exportOtlp(
  entries: AsyncIterable<Entry>,
  options: ExportOptions,
): Promise<number> {
  const writer = createOtlp();
  const queue: { waiting: Waiting[]; isOver: boolean; failure?: unknown } = {
    waiting: [],
    isOver: false,
  };
  let wake = Promise.withResolvers<void>();
  const turned = () => wake.promise;
  const turn = () => {
    const { resolve } = wake;
    wake = Promise.withResolvers();
    resolve();
  };
  const read = async () => {
    for await (const entry of entries) {
      const of = writer.add(entry);
      if (entry.seq < options.cursor.next) continue; // Read again for the spans that it opens.
      while (queue.waiting.length >= AHEAD_MAX && queue.failure === undefined) await turned();
      if (queue.failure !== undefined) return;
      queue.waiting.push({ seq: entry.seq, open: writer.openSince(), of });
      turn();
    }
  };
  void read()
    .catch((error: unknown) => (queue.failure ??= error))
    .finally(() => {
      queue.isOver = true;
      turn();
    });
  let taken = 0;
  for (;;) {
    while (queue.waiting.length === 0 && !queue.isOver) await turned();
    const batch = queue.waiting.slice(0, BATCH_MAX);
    const last = batch.at(-1);
    if (last === undefined) break;
    try {
      await sendBatch(batch, options);
    } catch (error) {
      queue.failure ??= error;
      turn();
      break;
    }
    queue.waiting = queue.waiting.slice(batch.length);
    taken += batch.length;
    const next = last.seq + 1;
    options.save({ next, from: Math.min(last.open ?? next, next) });
    turn();
  }
  if (queue.failure !== undefined) throw queue.failure;
  return taken;
}

interface Waiting {
  readonly seq: number;
  /** From where on entries are needed again when this is the last that was taken. */
  readonly open: number | undefined;
  readonly of: Telemetry;
}

async function sendBatch(batch: readonly Waiting[], options: ExportOptions): Promise<void> {
  const { logs, traces, version } = options;
  const records = batch.map(({ of }) => of.log);
  await send(logs, logsRequest(records, version), options);
  const spans = batch.flatMap(({ of }) => of.spans);
  if (spans.length > 0) await send(traces, tracesRequest(spans, version), options);
}

async function send(to: URL, body: unknown, options: ExportOptions): Promise<void> {
  const text = JSON.stringify(body);
  for (let tries = 1; ; tries += 1) {
    const { isTaken, why, waitMs } = await attempt(to, text, options);
    if (isTaken) return;
    if (!options.follow && tries >= TRIES_MAX) {
      throw new Fault("cli.receiver", `the receiver ${to.origin} did not take it: ${why}`, {
        hint: "what it took is kept, and the rest is sent the next time",
      });
    }
    if (tries === 1) options.warn(`${to.origin}: ${why}; it is tried again`);
    await sleep(
      Math.max(waitMs, Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** Math.min(tries - 1, 10))),
    );
  }
}

interface Attempted {
  readonly isTaken: boolean;
  readonly why: string;
  readonly waitMs: number;
}

async function attempt(to: URL, text: string, options: ExportOptions): Promise<Attempted> {
  let response: Response;
  let answer: string;
  try {
    response = await fetch(to, {
      method: "POST",
      headers: { ...options.headers, "content-type": "application/json" },
      body: text,
      redirect: "error",
      signal: AbortSignal.timeout(REQUEST_MS),
    });
    answer = await response.text();
  } catch (error) {
    const { cause = error } = error as Error;
    return { isTaken: false, why: describeError(cause), waitMs: 0 };
  }
  const { status } = response;
  if (RETRYABLE.has(status)) {
    const seconds = Number(response.headers.get("retry-after") ?? 0);
    const waitMs = Number.isFinite(seconds) ? Math.min(seconds * 1000, RETRY_MS_MAX) : 0;
    return { isTaken: false, why: `status ${status}`, waitMs };
  }
  if (status < 200 || status > 299) {
    throw new Fault(
      "cli.receiver",
      `the receiver ${to.href} answered ${status}: ${answer.slice(0, 200)}`,
      {
        hint: "a receiver of OTLP/HTTP in JSON is needed: POST /v1/logs and /v1/traces",
      },
    );
  }
  const rejected = rejectedIn(parse(answer));
  // The specification says not to send again what was taken in part.
  if (rejected !== undefined) options.warn(`${to.origin} rejected a part: ${rejected}`);
  return { isTaken: true, why: "", waitMs: 0 };
}

const partialSchema = z.object({
  partialSuccess: z.object({
    rejectedLogRecords: z.coerce.number().optional(),
    rejectedSpans: z.coerce.number().optional(),
    errorMessage: z.string().optional(),
  }),
});

function rejectedIn(answer: unknown): string | undefined {
  const { data } = partialSchema.safeParse(answer);
  if (data === undefined) return undefined;
  const { rejectedLogRecords = 0, rejectedSpans = 0, errorMessage = "" } = data.partialSuccess;
  const count = rejectedLogRecords + rejectedSpans;
  return count === 0 ? undefined : `${count}, ${errorMessage}`;
}
