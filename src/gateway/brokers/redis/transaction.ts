/**
 * What stands between MULTI and EXEC: kept here, so that it is judged as a whole, and nothing of it is at the server
 * while a person decides.
 *
 * @module
 */

const COMMANDS_MAX = 10_000;

/** What cannot be queued: it changes the connection, or by what the commands after it are judged. */
export const UNQUEUED: ReadonlySet<string> = new Set([
  "auth",
  "hello",
  "multi",
  "watch",
  "select",
  "subscribe",
  "psubscribe",
  "ssubscribe",
  "unsubscribe",
  "punsubscribe",
  "sunsubscribe",
  "client",
  "monitor",
]);

export class Transaction {
  readonly commands: (readonly Buffer[])[] = [];
  /** Something in it was refused: EXEC will do nothing. */
  isSpoilt = false;
  #bytes = 0;
  readonly #bytesMax: number;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Whether there was room for it. */
  add(words: readonly Buffer[]): boolean {
    for (const word of words) this.#bytes += word.length + WORD_BYTES;
    if (this.commands.length >= COMMANDS_MAX || this.#bytes > this.#bytesMax) {
      this.isSpoilt = true;
      return false;
    }
    this.commands.push(words);
    return true;
  }
}

const WORD_BYTES = 16; // What a word costs beside its bytes, about.
