/**
 * The thread of the index: follows the ledger's folder, and answers questions in between; see record.ts.
 *
 * @module
 */
import { setImmediate as breathe } from "node:timers/promises";
import { parentPort, workerData } from "node:worker_threads";
import type { RecordQuery, RecordStatus } from "../../api/index.ts";
import { assert, describeError, isFault } from "../../base/index.ts";
import { LedgerReader } from "../../ledger/index.ts";
import type { Answer, FromThread, Question, Refusal, Start, ToThread } from "./messages.ts";
import { RecordIndex, type Result } from "./record-index.ts";
import { removeStore } from "./store.ts";

/** How long entries are taken in before questions have their turn. */
const TURN_MS = 20;
/** What is taken in is kept after so many entries, and once nothing more comes for a moment. */
const COMMIT_ENTRIES = 65_536;
const COMMIT_IDLE_MS = 500;
/** Growth, and runs that changed, are told at most four times a second. */
const TELL_MS = 250;
/** Bytes of entries in one answer, but for the last of them. */
const ANSWER_BYTES_MAX = 4 * 2 ** 20;

assert(parentPort, "this is a thread");
const port = parentPort;
const { ledger, index: file } = workerData as Start;
const reader = new LedgerReader(ledger);
const waiting = new Map<number, Question>();

let index = RecordIndex.open(reader, file);
let expected = Math.max(reader.signedSize, index.size);
let pruning = reader.pruning?.seq;
let failure: unknown;
const closing = new AbortController();
/** The ledger was opened anew, and may be another. */
let isOpened = false;
/** Whether something came since the last look. */
let isNews = false;
let wake = () => {};
const told = { size: 0, atMs: -Infinity, isNew: true, failure };

port.on("message", (message: ToThread) => {
  if ("ask" in message) waiting.set(message.ask, message.question);
  else if ("forget" in message) waiting.delete(message.forget);
  else if ("close" in message) closing.abort();
  else {
    expected = Math.max(expected, message.grown);
    isOpened ||= message.isOpened;
  }
  isNews = true;
  wake();
});

/** What was taken in is thrown away where the ledger does not hold it any more. */
function renewUnlessFits(): void {
  isOpened = false;
  pruning = reader.pruning?.seq;
  try {
    if (index.fits) return;
    index.close();
    removeStore(file);
    index = RecordIndex.open(reader, file);
    expected = reader.signedSize;
    failure = undefined;
    Object.assign(told, { size: 0, atMs: -Infinity, isNew: true });
  } catch (error) {
    failure = error;
  }
}

/** Takes entries in for a turn; returns whether there is more. */
function advance(): boolean {
  if (failure !== undefined) return false;
  const end = performance.now() + TURN_MS;
  try {
    while (performance.now() < end) {
      if (index.advance() === 0) return false;
      if (index.uncommitted >= COMMIT_ENTRIES) index.commit();
    }
    return true;
  } catch (error) {
    failure = error; // Told with the status; what was taken in can still be found.
    return false;
  }
}

function keep(): void {
  try {
    index.commit();
  } catch (error) {
    failure = error;
  }
}

function tell(): void {
  const { size } = index;
  const status: RecordStatus = {
    indexed: size,
    size: Math.max(expected, size),
    ...(failure === undefined ? {} : { fault: describeError(failure) }),
  };
  send({ status, runs: index.runs.since(told.size), isNew: told.isNew });
  Object.assign(told, { size, atMs: performance.now(), isNew: false, failure });
}

function send(message: FromThread): void {
  port.postMessage(message, []);
}

async function answerAll(): Promise<void> {
  for (const [id, question] of waiting) {
    try {
      const answer = await answerTo(question, () => waiting.has(id));
      if (waiting.delete(id)) send({ answered: id, answer });
    } catch (error) {
      if (waiting.delete(id)) send({ refused: id, fault: refusalOf(error) });
    }
  }
}

function refusalOf(error: unknown): Refusal {
  if (!isFault(error)) return { code: "console.record", message: describeError(error) };
  return { code: error.code, message: error.message, hint: error.hint };
}

type AnyAnswer = Answer[Question["kind"]];

async function answerTo(question: Question, isWanted: () => boolean): Promise<AnyAnswer> {
  if (question.kind === "entry") return index.entry(question.seq).entry;
  const { size } = index;
  const result = await found(question.query, isWanted);
  const { count } = result;
  switch (question.kind) {
    case "search": {
      const { near } = question;
      return { count, size, ...(near === undefined ? {} : { offset: result.locate(near) }) };
    }
    case "facets":
      return { count, size, ...index.facets(result) };
    case "page": {
      const numbers = result.slice(question.offset, question.offset + question.limit);
      return { count, size, rows: numbers.map((seq) => index.row(seq)) };
    }
    default: {
      const offset = result.locate(question.from);
      return entriesOf(result.slice(offset, offset + question.limit));
    }
  }
}

/** As many as one answer takes, and at least one where there is one. */
function entriesOf(numbers: readonly number[]): Answer["entries"] {
  const entries = [];
  let size = 0;
  for (const seq of numbers) {
    if (size > ANSWER_BYTES_MAX) break;
    const { entry, bytes } = index.entry(seq);
    entries.push(entry);
    size += bytes;
  }
  return entries;
}

async function found(query: RecordQuery, isWanted: () => boolean): Promise<Result> {
  const steps = index.find(query);
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
    await breathe();
    if (!isWanted()) throw new Error("nobody waits for it any more");
  }
}

/** Until something comes, or `ms` have passed; says whether nothing came. */
async function sleep(ms: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<void>();
  wake = resolve;
  const timer = setTimeout(resolve, ms);
  if (!isNews) await promise;
  clearTimeout(timer);
  return !isNews;
}

while (!closing.signal.aborted) {
  isNews = false;
  if (isOpened || reader.pruning?.seq !== pruning) renewUnlessFits();
  const isMore = advance();
  await answerAll();
  const isUntold = index.size !== told.size || told.isNew || failure !== told.failure;
  const restMs = told.atMs + TELL_MS - performance.now();
  if (isUntold && restMs <= 0) tell();
  if (isMore) await breathe();
  else if (isUntold && restMs > 0) await sleep(restMs);
  else if (await sleep(COMMIT_IDLE_MS)) keep();
}
keep();
index.close();
port.close();
