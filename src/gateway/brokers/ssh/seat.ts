/**
 * What all channels of one agent's connection share: the session, and one connection to the server, which is
 * made when the first of them needs it.
 *
 * @module
 */
import type { ServerChannel } from "ssh2";
import { describeError } from "../../../base/index.ts";
import type { Lease } from "../../../vault/index.ts";
import type { Session } from "../broker.ts";
import { writeOut } from "./flow-control.ts";
import { logIn, type Upstream } from "./upstream.ts";

const END_MS = 5000;
const TOLD_MAX = 64; // Sentences of one connection that are told once.

export class Seat {
  readonly session: Session;
  #upstream: Promise<Upstream> | undefined;
  #lease: Lease | undefined;
  readonly #told = new Set<string>();
  readonly #tasks = new Set<Promise<void>>();

  constructor(session: Session) {
    this.session = session;
  }

  /** Logged in. @throws {Fault} those of `Session.connect` and of `logIn` */
  async upstream(): Promise<Upstream> {
    this.#upstream ??= this.#connect();
    return await this.#upstream;
  }

  /**
   * What must not be told to the agent; known once {@link upstream} has resolved. A password, which the server
   * is told; of a key it only sees what was signed, and to look for one would hold back what conversations
   * wait for.
   */
  get secrets(): readonly string[] {
    return this.#lease === undefined ? [] : secretsOf(this.#lease);
  }

  /** Says `text` to whoever reads the channel's errors, once. */
  tell(channel: ServerChannel, text: string): void {
    if (this.#told.has(text) || this.#told.size >= TOLD_MAX) return;
    this.#told.add(text);
    sayError(channel, text);
  }

  /** Something failed that nobody waits for. */
  broke(error: unknown): void {
    this.session.because(describeError(error));
    this.session.client.destroy();
  }

  /** Something that goes on for a channel, and never rejects. */
  add(task: Promise<void>): void {
    this.#tasks.add(task);
    void task.then(() => this.#tasks.delete(task));
  }

  /** Ends the connection to the server, and resolves when all that went on has told how it ended. */
  async close(): Promise<void> {
    const upstream = await this.#upstream?.catch(() => undefined);
    upstream?.close();
    const { promise: tooLate, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, END_MS);
    await Promise.race([Promise.all(this.#tasks), tooLate]);
    clearTimeout(timer);
  }

  async #connect(): Promise<Upstream> {
    const way = await this.session.connect();
    this.#lease = way.lease;
    const upstream = await logIn(this.session, way);
    void upstream.closed.then((why) => {
      // Whatever is open ends with it; what comes next is another connection of the agent's.
      if (this.session.client.destroyed) return;
      this.session.because(why);
      this.session.client.destroySoon();
    });
    return upstream;
  }
}

/** One line on the channel's other stream, where a program's errors come. */
export function sayError(channel: ServerChannel, text: string): void {
  writeOut(channel, Buffer.from(`${text}\n`), { isError: true }).catch(() => {}); // It is gone.
}

/** What of `lease` the server gets to know. */
export function secretsOf({ attach, secrets }: Lease): readonly string[] {
  return attach.kind === "login" ? secrets : [];
}
