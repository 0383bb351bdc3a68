/**
 * Answers in the order of their questions. What the server says is passed on while it comes; what we answer
 * ourselves waits for its turn. What the server pushes (messages of channels) stands between answers.
 *
 * @module
 */
import { Fault } from "../../../base/index.ts";
import { RedisReplyScanner } from "../../../wire/index.ts";

/** Pushed by the server as an array, to a client of RESP2 that has subscribed. */
const MESSAGES: ReadonlySet<string> = new Set(["message", "pmessage", "smessage"]);
const CONFIRMATIONS: ReadonlySet<string> = new Set([
  "subscribe",
  "psubscribe",
  "ssubscribe",
  "unsubscribe",
  "punsubscribe",
  "sunsubscribe",
]);

/** What was sent and is to be answered. */
export interface Awaited {
  /** How many replies belong to it; one for each channel that is subscribed to. */
  readonly replies: number;
  /** They are confirmations of channels, which RESP3 pushes; whether any are left after it. */
  readonly channels?: "some" | "none";
  /** Only the last of them is for the client: those before it are of MULTI and of what it queued. */
  readonly isTransaction?: true;
  /** None of them is for the client. */
  readonly isOurs?: true;
  /** It was answered. */
  settled?(isError: boolean): void;
}

type Slot = { kind: "ours"; bytes: Buffer } | { kind: "awaited"; awaited: Awaited; left: number };

export class ReplyQueue {
  /** Version of the protocol in which the server answers. */
  resp: 2 | 3 = 2;
  readonly #write: (bytes: Buffer) => void;
  readonly #scanner = new RedisReplyScanner();
  #slots: Slot[] = [];
  #first = 0;
  #hasSubscribed = false;
  #onEmpty: (() => void)[] = [];

  constructor(write: (bytes: Buffer) => void) {
    this.#write = write;
  }

  get isEmpty(): boolean {
    return this.#first === this.#slots.length;
  }

  /** Whether the client has the beginning of a reply, and not its end. */
  get isInside(): boolean {
    return this.#scanner.isInside;
  }

  /** What was sent and not answered. */
  get open(): number {
    return this.#slots.length - this.#first;
  }

  /** Resolves when all is answered. */
  empty(): Promise<void> {
    if (this.isEmpty) return Promise.resolve();
    return new Promise((resolve) => this.#onEmpty.push(resolve));
  }

  /** Answers with `bytes`, after everything that was asked before. */
  answer(bytes: Buffer): void {
    if (this.isEmpty && !this.#scanner.isInside) this.#write(bytes);
    else this.#slots.push({ kind: "ours", bytes });
  }

  /** Something was sent to the server. */
  expect(awaited: Awaited): void {
    this.#slots.push({ kind: "awaited", awaited, left: awaited.replies });
  }

  /**
   * Takes what the server said.
   *
   * @throws {Fault} `redis.reply`: no replies, or one that nobody asked for.
   */
  take(bytes: Buffer): void {
    let at = 0;
    let passed = 0; // Up to here `bytes` were passed on, or left out.
    while (at < bytes.length) {
      const { end, isWhole } = this.#scanner.scan(bytes, at);
      if (!this.#isForClient()) {
        if (passed < at) this.#write(bytes.subarray(passed, at));
        passed = end;
      }
      at = end;
      if (!isWhole) break;
      const hasTurn = this.#ended();
      if (hasTurn && this.#hasOurs()) {
        if (passed < at) this.#write(bytes.subarray(passed, at));
        passed = at;
        this.#flush();
      }
    }
    if (passed < bytes.length) this.#write(bytes.subarray(passed));
    if (this.isEmpty) this.#emptied();
  }

  /** Everything that is still open will not be answered. */
  close(): void {
    for (const slot of this.#slots.splice(this.#first)) {
      if (slot.kind === "awaited") slot.awaited.settled?.(true);
    }
    this.#first = this.#slots.length;
    this.#emptied();
  }

  #isForClient(): boolean {
    if (this.#scanner.type === ">") return true;
    const slot = this.#slots[this.#first];
    if (slot?.kind !== "awaited") return true;
    const { isOurs, isTransaction } = slot.awaited;
    return isOurs !== true && !(isTransaction === true && slot.left > 1);
  }

  /** A reply has ended; whether it may be somebody else's turn now. */
  #ended(): boolean {
    const { type, word } = this.#scanner;
    const slot = this.#slots[this.#first];
    const isConfirmation = CONFIRMATIONS.has(word);
    if (type === ">") {
      const counts =
        slot?.kind === "awaited" && slot.awaited.channels !== undefined && isConfirmation;
      if (!counts) return true;
    } else if (this.#hasSubscribed && this.resp === 2 && type === "*" && MESSAGES.has(word)) {
      return true;
    }
    if (slot?.kind !== "awaited") {
      throw new Fault("redis.reply", "the server answered what nobody asked");
    }
    const { channels } = slot.awaited;
    if (channels !== undefined && isConfirmation) this.#hasSubscribed = true;
    const isError = type === "-" || type === "!";
    // Channels that are refused are refused at once, as one.
    slot.left = channels !== undefined && isError ? 0 : slot.left - 1;
    if (slot.left > 0) return false;
    // From here on an answer may begin with "message" again.
    if (channels === "none" && !isError) this.#hasSubscribed = false;
    this.#drop();
    slot.awaited.settled?.(isError);
    return true;
  }

  #hasOurs(): boolean {
    return this.#slots[this.#first]?.kind === "ours";
  }

  #flush(): void {
    for (;;) {
      const slot = this.#slots[this.#first];
      if (slot?.kind !== "ours") return;
      this.#drop();
      this.#write(slot.bytes);
    }
  }

  #drop(): void {
    this.#first += 1;
    if (this.#first === this.#slots.length) {
      this.#slots = [];
      this.#first = 0;
    } else if (this.#first > 1024) {
      this.#slots = this.#slots.slice(this.#first);
      this.#first = 0;
    }
  }

  #emptied(): void {
    for (const resolve of this.#onEmpty.splice(0)) resolve();
  }
}
