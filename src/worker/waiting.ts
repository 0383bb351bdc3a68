/**
 * Actions that wait for a person, of which the request is still to come from the worker, piece by piece.
 *
 * @module
 */
import type { Action } from "../action/index.ts";
import { Fault } from "../base/index.ts";
import { GATEWAY_LIMITS } from "../gateway/index.ts";

/** Most at once: a file that is open waits for as long as the agent likes. */
export const WAITING_MAX = 1024;
const CHARS_MAX = 16 << 20; // Of all of them together, as JSON.
/** Those of which the bodies are coming: they are held in memory. */
const SPOOLING_MAX = 16;
/** Those that more came after than are kept: what is on the way about them is no lie. */
const FORGOTTEN_MAX = 4096;

interface Waiter {
  readonly action: Action;
  readonly chars: number;
  readonly chunks: Buffer[];
  bytes: number;
}

export class Waiting {
  readonly #waiting = new Map<string, Waiter>();
  readonly #forgotten = new Set<string>();

  add(action: Action): void {
    const { length: chars } = JSON.stringify(action);
    this.#waiting.set(action.id, { action, chars, chunks: [], bytes: 0 });
    // A worker that never says what is to become of them holds no memory with them.
    let all = this.#waiting.values().reduce((sum, one) => sum + one.chars, 0);
    for (const [oldest, one] of this.#waiting) {
      const isFew = this.#waiting.size <= WAITING_MAX && all <= CHARS_MAX;
      if (isFew || oldest === action.id) break;
      all -= one.chars;
      this.#forget(oldest);
    }
  }

  /** Takes the next piece of a body; says what is wrong with it, if anything. */
  spool(action: string, bytes: Buffer): string | undefined {
    if (this.#forgotten.has(action)) return undefined;
    const waiter = this.#waiting.get(action);
    if (waiter === undefined) return "the body of an action that does not wait";
    waiter.bytes += bytes.length;
    if (waiter.bytes > GATEWAY_LIMITS.spoolBytes) return "a body longer than may be stored";
    waiter.chunks.push(bytes);
    const spooling = [...this.#waiting].filter(([, one]) => one.bytes > 0);
    if (spooling.length > SPOOLING_MAX) this.#forget(spooling[0]?.[0]);
    return undefined;
  }

  /**
   * The action `id`, whole, which waits here no longer; nothing where it does not wait.
   *
   * @throws {Fault} `worker.waiting` where more came after it than are kept.
   */
  take(id: string): { readonly action: Action; readonly body: Buffer } | undefined {
    if (this.#forgotten.delete(id)) {
      throw new Fault("worker.waiting", `more than ${WAITING_MAX} requests wait to be complete`, {
        hint: "finish some of them, and ask again",
      });
    }
    const waiter = this.#waiting.get(id);
    this.#waiting.delete(id);
    return waiter && { action: waiter.action, body: Buffer.concat(waiter.chunks) };
  }

  #forget(id = ""): void {
    if (!this.#waiting.delete(id)) return;
    this.#forgotten.add(id);
    const [oldest = ""] = this.#forgotten;
    if (this.#forgotten.size > FORGOTTEN_MAX) this.#forgotten.delete(oldest);
  }
}
