/**
 * A worker's questions to the daemon, and the sockets that come with some of the answers.
 *
 * @module
 */
import { Fault } from "../base/index.ts";
import { receiveMessage } from "../sys/index.ts";
import type { Lines } from "./lines.ts";
import type { Answers, Order, Said, SaidFault, SaidOfRun, SaidVerdict } from "./protocol.ts";

/** What is said with `Word`, without what this module adds. */
type Words<Word extends Said["say"]> = Omit<Extract<SaidOfRun, { say: Word }>, "say" | "n">;

interface Waiting {
  resolve(value: unknown): void;
  reject(error: unknown): void;
  /** What the answer is to whoever asked; called as it comes, so that sockets are taken in their order. */
  readonly read: (value: unknown) => unknown;
}

/** A verdict, and the descriptor that came with it. */
export interface Intended {
  readonly verdict: SaidVerdict;
  readonly descriptor?: number;
}

/** Questions over `lines`; descriptors come by `carrier`. */
export class Calls {
  readonly #lines: Lines;
  readonly #carrier: number;
  readonly #waiting = new Map<number, Waiting>();
  #next = 0;

  constructor(lines: Lines, carrier: number) {
    this.#lines = lines;
    this.#carrier = carrier;
  }

  /** Says something that is not answered. */
  note(message: Said): void {
    this.#lines.send(message);
  }

  /** Says it now, ahead of whatever this turn does next. */
  noteNow(message: Said): void {
    this.#lines.send(message);
    this.#lines.flush();
  }

  /** Asks; rejects with the daemon's fault. */
  ask<Word extends Exclude<keyof Answers, "dial" | "intend">>(
    say: Word,
    words: Words<Word>,
  ): Promise<Answers[Word]> {
    // What the daemon answers is the daemon's own: it is trusted to be of the type that it promises.
    return this.#ask(say, words, (value) => value) as Promise<Answers[Word]>;
  }

  /** Asks for a connection; resolves to its descriptor, which the caller owns. */
  dial(words: Words<"dial">): Promise<number> {
    return this.#ask("dial", words, () => this.takeDescriptor()) as Promise<number>;
  }

  /** Asks for a verdict; the caller owns the descriptor that may come with it. */
  intend(words: Words<"intend">): Promise<Intended> {
    const read = (value: unknown): Intended => {
      const verdict = value as SaidVerdict;
      if (verdict.dialled !== "connected") return { verdict };
      return { verdict, descriptor: this.takeDescriptor() };
    };
    return this.#ask("intend", words, read) as Promise<Intended>;
  }

  /** Takes an answer in. */
  answered(order: Extract<Order, { n: number }>): void {
    const waiting = this.#waiting.get(order.n);
    if (waiting === undefined) throw new Fault("worker.order", "an answer to no question");
    this.#waiting.delete(order.n);
    if (order.order === "answer") {
      waiting.resolve(waiting.read(order.value));
      return;
    }
    waiting.reject(faultOf(order));
  }

  /** The next descriptor from the carrier: it was sent before the word that tells of it. */
  takeDescriptor(): number {
    const [descriptor] = receiveMessage(this.#carrier)?.descriptors ?? [];
    if (descriptor === undefined) throw new Fault("worker.order", "no descriptor came");
    return descriptor;
  }

  #ask(say: string, words: object, read: Waiting["read"]): Promise<unknown> {
    const n = this.#next++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(n, { resolve, reject, read });
      this.#lines.send({ say, n, ...words });
    });
  }
}

/** The daemon's fault, as it told it. */
export function faultOf({ code, message, hint }: SaidFault): Fault {
  return new Fault(code, message, hint === undefined ? {} : { hint });
}
