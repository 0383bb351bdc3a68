/**
 * What the server says, on its way to the agent: passed through as it comes, followed message by message, so that
 * each operation gets its outcome, refusals stand where the server's own error would, and no answer is longer than
 * was granted.
 *
 * @module
 */
import type { Duplex } from "node:stream";
import { createRedactor } from "../../../vault/index.ts";
import type { Judged } from "../broker.ts";
import {
  BodyReader,
  errorMessage,
  HEADER_BYTES,
  malformed,
  message,
  R,
  readFields,
  withoutValues,
} from "./frames.ts";

/** A message of the server that has to be seen whole. */
const SEEN_BYTES_MAX = 1 << 20;
/** A row: what the server itself has as its most. */
const ROW_BYTES_MAX = 0x3f_ff_ff_ff;
const NOTHING = Buffer.alloc(0);

/** What is awaited of the server. */
export interface Expected {
  /** `query` and `sync` end with the server being ready, `execute` with its own end. */
  readonly kind: "query" | "execute" | "sync";
  readonly judged?: Judged;
  /** Stands in the place of the server's error. */
  readonly instead?: Buffer;
  tag?: string;
  error?: string;
  /** Called when it is over, with whether all went well. */
  readonly done?: (isWell: boolean) => void;
}

/** Of what was judged before: nothing is to be told. */
export const AGAIN = {
  query: { kind: "query" },
  execute: { kind: "execute" },
  sync: { kind: "sync" },
} as const satisfies Readonly<Record<string, Expected>>;

export interface AnswersPorts {
  readonly client: Duplex;
  readonly server: Duplex;
  readonly secrets: readonly string[];
  /** Most rows of one answer. */
  readonly rows: number | undefined;
  /** Columns are hidden, which errors and notices may tell the values of. */
  readonly isHiding?: boolean;
  /** An answer was cut: the server should stop. Resolves when it was told. */
  cancel(): Promise<void>;
  outcome(judged: Judged, data: Readonly<Record<string, string | number>>): void;
  /** Something is wrong with the server. */
  broken(error: unknown): void;
}

export class Answers {
  /** Of the transaction, as the server said last: idle, within one, or within a failed one. */
  status = "I";
  /** Queries and Syncs that were sent, and those that the server is ready after. */
  sent = 0;
  acked = 0;
  /** A COPY FROM STDIN was asked for, and takes data until it is over. */
  isCopying = false;
  /** The server is being told to stop: whatever it gets now could be stopped in place of it. */
  stopping: Promise<void> | undefined;
  /** An error came since the last ready. */
  hasFailed = false;
  /** Called for each error, before what follows. */
  onError: () => void = () => {};
  onParsed: () => void = () => {};
  onReady: () => void = () => {};
  readonly #ports: AnswersPorts;
  readonly #expected: Expected[] = [];
  readonly #redactor: ReturnType<typeof createRedactor> | undefined;
  #held: Buffer | undefined;
  /** Bytes of a row that are still to come. */
  #skip = 0;
  #rows = 0;
  /** The rest of an answer that was cut goes nowhere, up to the server being ready. */
  #isCut = false;
  #waiting: (() => void)[] = [];
  /** Ends of preparing messages (ParseComplete and the like) that somebody waits for. */
  #marks = 0;
  #out: Buffer[] = [];

  constructor(ports: AnswersPorts) {
    this.#ports = ports;
    const secrets = ports.secrets.filter((one) => one !== "");
    this.#redactor = secrets.length === 0 ? undefined : createRedactor(secrets);
  }

  expect(expected: Expected): void {
    this.#expected.push(expected);
    if (expected.kind !== "execute") this.sent += 1;
  }

  /** Whether the agent has every message whole that it has any of. */
  get isBetween(): boolean {
    return this.#skip === 0;
  }

  /** Whether nothing is awaited. */
  get isIdle(): boolean {
    return this.#expected.length === 0 && this.#marks === 0;
  }

  /** Resolves when everything that was sent is answered. */
  async settled(): Promise<void> {
    while (!this.isIdle) await this.changed();
  }

  /** Resolves when every window that was begun is over. */
  async windowsOver(): Promise<void> {
    while (this.acked < this.sent) await this.changed();
  }

  /** Awaits `count` ends of preparing messages; whether they came without an error. */
  async marks(count: number): Promise<boolean> {
    this.#marks = count;
    while (this.#marks > 0 && !this.hasFailed) await this.changed();
    this.#marks = 0;
    return !this.hasFailed;
  }

  changed(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Says something of ours to the agent; only where nothing of the server's is to come before it. */
  say(...frames: readonly Buffer[]): void {
    this.#write(Buffer.concat(frames));
  }

  /** The connection is over: what is open has this outcome. */
  close(): void {
    for (const one of this.#expected.splice(0)) this.#finish({ ...one, error: "gone" });
    this.#wake();
  }

  take(chunk: Buffer): void {
    try {
      this.#take(chunk);
    } catch (error) {
      this.#ports.broken(error);
    }
  }

  #take(fresh: Buffer): void {
    const chunk = this.#held === undefined ? fresh : Buffer.concat([this.#held, fresh]);
    this.#held = undefined;
    let at = Math.min(this.#skip, chunk.length);
    this.#skip -= at;
    let from = this.#isCut ? at : 0;
    while (at < chunk.length) {
      if (chunk.length - at < HEADER_BYTES) break;
      const type = chunk[at] ?? 0;
      const end = at + 1 + chunk.readUInt32BE(at + 1);
      if (type === R.dataRow || type === R.copyData) {
        if (end - at > ROW_BYTES_MAX || end < at + HEADER_BYTES) throw malformed("an odd row");
        this.#rows += 1;
        if (this.#rows === (this.#ports.rows ?? -1) + 1 && !this.#isCut) {
          this.#emit(chunk, from, at);
          this.#cut();
        }
        if (this.#isCut) from = Math.min(end, chunk.length);
        if (end > chunk.length) {
          this.#skip = end - chunk.length;
          at = chunk.length;
        } else at = end;
        continue;
      }
      if (end - at > SEEN_BYTES_MAX || end < at + HEADER_BYTES) throw malformed("an odd message");
      if (end > chunk.length) break;
      const frame = chunk.subarray(at, end);
      const instead = this.#see(type, frame);
      if (instead !== undefined || this.#isCut) {
        this.#emit(chunk, from, at);
        if (instead !== undefined) this.#out.push(instead);
        from = end;
      }
      at = end;
    }
    this.#emit(chunk, from, at);
    if (at < chunk.length) this.#held = chunk.subarray(at);
    this.#flush();
    if (this.#waiting.length > 0) this.#wake();
  }

  /** Follows one message; what it returns goes in its place. */
  #see(type: number, frame: Buffer): Buffer | undefined {
    switch (type) {
      case R.commandComplete: {
        this.#ended((expected) => {
          expected.tag = new BodyReader(frame.subarray(HEADER_BYTES)).text();
        });
        return undefined;
      }
      case R.emptyQuery:
      case R.portalSuspended:
        this.#ended(() => {});
        return undefined;
      case R.error: {
        const ours = this.#failed(frame);
        return ours ?? (this.#ports.isHiding === true ? withoutValues(frame) : undefined);
      }
      case R.notice:
        return this.#ports.isHiding === true ? withoutValues(frame) : undefined;
      case R.ready:
        return this.#ready(frame);
      case R.copyIn:
        if (!this.isCopying) throw malformed("the server wants data that nobody offered");
        return undefined;
      case R.parameterStatus:
        this.#pinned(frame);
        return undefined;
      case R.parseComplete:
        this.onParsed();
        if (this.#marks > 0) this.#marks -= 1;
        return undefined;
      case R.closeComplete:
      case R.noData:
      case R.rowDescription:
        if (this.#marks > 0) this.#marks -= 1;
        return undefined;
      case R.bindComplete:
      case R.parameterDescription:
      case R.copyOut:
      case R.copyDone:
      case R.notification:
        return undefined;
      default:
        throw malformed(`a message of type ${JSON.stringify(String.fromCharCode(type))}`);
    }
  }

  /** One statement is over. */
  #ended(note: (expected: Expected) => void): void {
    this.#rows = 0;
    this.isCopying = false;
    const head = this.#expected[0];
    if (head === undefined || head.kind === "sync") return;
    if (head.judged !== undefined) note(head);
    if (head.kind === "execute") this.#over(head);
  }

  #failed(frame: Buffer): Buffer | undefined {
    this.#rows = 0;
    this.isCopying = false;
    this.hasFailed = true;
    this.onError();
    const head = this.#expected[0];
    const { C: code = "?" } = readFields(frame.subarray(HEADER_BYTES));
    if (head !== undefined && head.judged !== undefined) head.error = code;
    // What was asked after it the server passes over, up to the Sync.
    for (let next = head; next?.kind === "execute"; next = this.#expected[0]) {
      if (next.judged !== undefined) next.error ??= "skipped";
      this.#over(next, false);
    }
    return head?.instead ?? undefined;
  }

  #ready(frame: Buffer): Buffer | undefined {
    this.status = String.fromCharCode(frame[HEADER_BYTES] ?? 0x49);
    this.#rows = 0;
    this.isCopying = false;
    let head = this.#expected[0];
    while (head?.kind === "execute") {
      this.#over(head, false);
      head = this.#expected[0];
    }
    if (head === undefined) throw malformed("the server is ready where nobody asked");
    const isWell = !this.hasFailed;
    this.hasFailed = false;
    this.acked += 1;
    this.onReady();
    this.#over(head, isWell);
    if (!this.#isCut) return undefined;
    this.#isCut = false;
    return frame;
  }

  #over(expected: Expected, isWell = true): void {
    this.#expected.shift();
    this.#finish(expected, isWell);
  }

  #finish(expected: Expected, isWell = true): void {
    const { judged, tag, error, done } = expected;
    if (judged !== undefined) {
      const data = error === undefined ? { tag: tag ?? "" } : { error };
      this.#ports.outcome(judged, data);
    }
    done?.(isWell && error === undefined);
  }

  #pinned(frame: Buffer): void {
    const body = new BodyReader(frame.subarray(HEADER_BYTES));
    const [name, value] = [body.text(), body.text()];
    const isOdd =
      (name === "client_encoding" && value !== "UTF8") ||
      (name === "standard_conforming_strings" && value !== "on");
    if (isOdd) throw malformed(`${name} became ${value}`);
  }

  #cut(): void {
    this.#isCut = true;
    const rows = this.#ports.rows ?? 0;
    this.#out.push(
      errorMessage({
        code: "54000",
        message: `Cofferdam: the answer has more than ${rows} rows, which is as many as are granted`,
        hint: "narrow it with WHERE or LIMIT, or count instead",
      }),
    );
    this.stopping = this.#ports.cancel().finally(() => {
      this.stopping = undefined;
    });
  }

  #emit(chunk: Buffer, from: number, to: number): void {
    if (to > from)
      this.#out.push(from === 0 && to === chunk.length ? chunk : chunk.subarray(from, to));
  }

  #flush(): void {
    const [first, ...more] = this.#out;
    if (first === undefined) return;
    this.#out = [];
    this.#write(more.length === 0 ? first : Buffer.concat([first, ...more]));
  }

  #write(bytes: Buffer): void {
    const { client, server } = this.#ports;
    if (!client.write(this.#redacted(bytes)) && !server.isPaused()) {
      server.pause();
      client.once("drain", () => server.resume());
    }
  }

  /** Without secrets, also where a long row comes in pieces; nothing is held back at the end of a message. */
  #redacted(bytes: Buffer): Buffer {
    if (this.#redactor === undefined) return bytes;
    const now = this.#redactor.push(bytes);
    const held = this.#skip > 0 ? NOTHING : this.#redactor.end();
    return held.length === 0 ? now : Buffer.concat([now, held]);
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }
}

/** Messages of a stored answer to an approved statement that stand for its Execute. */
export function ready(status: string): Buffer {
  return message(R.ready, Buffer.from(status));
}
