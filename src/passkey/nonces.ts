/**
 * Numbers that are good once, for one thing, for two minutes. They carry their own end and seal, so that nobody who
 * only asks for them (anybody may ask to sign in) makes the daemon remember anything; only what was signed is taken.
 *
 * @module
 */
import { createHash, createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { Fault, type Clock } from "../base/index.ts";

export const NONCE_MS = 2 * 60_000;
const RANDOM_BYTES = 16;
const END_BYTES = 6;
const SEAL_BYTES = 32;

export class Nonces {
  readonly #key = randomBytes(32);
  readonly #clock: Clock;
  /** Those that were taken, until they are over anyway. */
  readonly #taken = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A new one for exactly what `about` says. */
  issue(about: string): string {
    const head = Buffer.alloc(RANDOM_BYTES + END_BYTES);
    randomBytes(RANDOM_BYTES).copy(head);
    head.writeUIntBE(Math.floor(this.#now() + NONCE_MS), RANDOM_BYTES, END_BYTES);
    return Buffer.concat([head, this.#seal(head, about)]).toString("base64url");
  }

  /** @throws {Fault} `passkey.nonce` where it is not ours, for something else, used, or too old. */
  check(nonce: string, about: string): void {
    this.#endOf(nonce, about);
  }

  /** Uses it up. @throws {Fault} as {@link check} does. */
  take(nonce: string, about: string): void {
    const endMs = this.#endOf(nonce, about);
    for (const [old, oldEndMs] of this.#taken) if (oldEndMs <= this.#now()) this.#taken.delete(old);
    this.#taken.set(nonce, endMs);
  }

  #endOf(nonce: string, about: string): number {
    const bytes = Buffer.from(nonce, "base64url");
    const head = bytes.subarray(0, RANDOM_BYTES + END_BYTES);
    const seal = bytes.subarray(RANDOM_BYTES + END_BYTES);
    // One spelling each: what decodes to the same bytes would be the same number twice.
    const isOurs = seal.length === SEAL_BYTES && bytes.toString("base64url") === nonce;
    if (!isOurs || !timingSafeEqual(seal, this.#seal(head, about))) {
      throw refused("it is not of what was asked for");
    }
    const endMs = head.readUIntBE(RANDOM_BYTES, END_BYTES);
    if (this.#now() >= endMs) throw refused("it is too old");
    if (this.#taken.has(nonce)) throw refused("it was used already");
    return endMs;
  }

  #seal(head: Uint8Array, about: string): Buffer {
    const digest = createHash("sha256").update(about).digest();
    return createHmac("sha256", this.#key).update(head).update(digest).digest();
  }

  /** By the clock that nobody sets. */
  #now(): number {
    return this.#clock.now().monoMs;
  }
}

function refused(why: string): Fault {
  return new Fault("passkey.nonce", `this signature counts for nothing: ${why}`, {
    hint: "what is signed is asked for anew each time, holds for two minutes, and counts once: try again",
  });
}
