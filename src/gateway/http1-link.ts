/**
 * One connection to an upstream that speaks HTTP/1.1: asks, reads the answer, and is asked again where
 * both sides agree that nothing is left on it.
 *
 * @module
 */
import type { Socket } from "node:net";
import { Fault } from "../base/index.ts";
import { createResponseReader, type ReadEvent, type ResponseMessage } from "../wire/index.ts";
import type { RawHeaders } from "./http-headers.ts";
import { IncomingBody } from "./http1-body.ts";
import { Outgoing } from "./http1-outgoing.ts";
import type { GatewayLimits } from "./limits.ts";

/** A final answer; for 101 there is no body, and the connection is no link's any more. */
export interface LinkAnswer {
  readonly message: ResponseMessage;
  readonly body: IncomingBody;
}

export interface Question {
  readonly method: string;
  readonly isUpgrade: boolean;
  inform(status: number, headers: RawHeaders): void;
}

/** A question that is not over: neither asked nor answered to its end. */
interface Asked {
  readonly question: Question;
  readonly settled: PromiseWithResolvers<LinkAnswer>;
  answer: LinkAnswer | undefined;
  isSent: boolean;
}

/** Told of what a link becomes: free for the next question, or gone for good. */
export interface LinkOwner {
  freed(link: UpstreamLink): void;
  gone(link: UpstreamLink): void;
}

export class UpstreamLink {
  /** It has been asked before, so that its end may have crossed this question. */
  isReused = false;
  readonly socket: Socket;
  readonly out: Outgoing;
  readonly #owner: LinkOwner;
  readonly #reader;
  readonly #idleMs: number;
  #asked: Asked | undefined;
  #isReading = false;
  #hasEnded = false;
  #isReleased = false;
  #error: Error | undefined;
  #idleTimer: NodeJS.Timeout | undefined;

  constructor(socket: Socket, limits: GatewayLimits, owner: LinkOwner) {
    this.socket = socket;
    this.out = new Outgoing(socket);
    this.#owner = owner;
    this.#idleMs = limits.upstreamIdleMs;
    const { responseHeadBytes, headers } = limits;
    this.#reader = createResponseReader({ headBytes: responseHeadBytes, fields: 4 * headers });
    socket.on("data", this.#onData);
    socket.on("end", this.#onEnd);
    socket.on("error", this.#onError);
    socket.once("close", this.#onClose);
    if (socket.destroyed) queueMicrotask(this.#onClose);
  }

  get isUsable(): boolean {
    return !this.socket.destroyed && !this.#hasEnded && !this.#isReleased;
  }

  /** Resolves with the final answer to what is written next. */
  ask(question: Question): Promise<LinkAnswer> {
    clearTimeout(this.#idleTimer);
    const settled = Promise.withResolvers<LinkAnswer>();
    this.#asked = { question, settled, answer: undefined, isSent: false };
    this.#reader.expect(question.method);
    return settled.promise;
  }

  /** The question is out to its end. */
  sent(): void {
    if (this.#asked === undefined) return;
    this.#asked.isSent = true;
    this.#settle();
  }

  /** Ends everything at once, unless `question` is over. */
  abandon(question: Question, error: Error): void {
    if (this.#asked?.question === question) this.cut(error);
  }

  /** Ends everything at once. */
  cut(error: Error): void {
    const asked = this.#asked;
    this.#asked = undefined;
    if (asked?.answer === undefined) asked?.settled.reject(error);
    else {
      asked.answer.body.fail(error);
      asked.settled.resolve(asked.answer);
    }
    this.socket.destroy();
  }

  readonly #onData = (chunk: Buffer) => {
    this.#reader.push(chunk);
    this.#advance();
  };

  readonly #onEnd = () => {
    this.#hasEnded = true;
    this.#advance();
  };

  readonly #onError = (error: Error) => void (this.#error ??= error);

  readonly #onClose = () => {
    clearTimeout(this.#idleTimer);
    // An error is made only where it is told to somebody.
    if (this.#asked !== undefined) {
      this.cut(this.#error ?? new Error("the connection ended without an answer"));
    }
    if (!this.#isReleased) this.#owner.gone(this);
    this.#isReleased = true;
  };

  #advance(): void {
    if (this.#isReading) return;
    this.#isReading = true;
    this.#read();
    this.#isReading = false;
    // Told when all that came is read, so that a short body is whole by then.
    const asked = this.#asked;
    if (asked?.answer !== undefined) asked.settled.resolve(asked.answer);
    this.#settle();
  }

  #read(): void {
    while (!this.#isReleased) {
      const asked = this.#asked;
      // Nobody asked for it: what it would be taken for is the answer to the next question.
      if (asked === undefined || asked.answer?.body.isComplete === true) {
        if (this.#reader.unread > 0 || this.#hasEnded) this.socket.destroy();
        return;
      }
      if (asked.answer?.body.isFull === true) {
        this.socket.pause();
        return;
      }
      const event = this.#reader.next() ?? (this.#hasEnded ? this.#reader.end() : undefined);
      if (event !== undefined) {
        this.#heed(event, asked);
        continue;
      }
      if (this.#hasEnded) this.cut(new Error("the connection ended without an answer"));
      else if (this.socket.isPaused()) this.socket.resume();
      return;
    }
  }

  #heed(event: ReadEvent<ResponseMessage>, asked: Asked): void {
    if (event.kind === "data") asked.answer?.body.push(event.bytes);
    else if (event.kind === "end") asked.answer?.body.finish(event.trailers);
    else if (event.kind === "head") this.#begin(event.head, asked);
    else if (event.flaw === "cut") this.cut(new Error(event.why));
    else {
      const detail = `the upstream's answer is not well-formed HTTP: ${event.why}`;
      this.cut(new Fault("gateway.upstream_answer", detail));
    }
  }

  #begin(message: ResponseMessage, asked: Asked): void {
    const { status } = message;
    if (status >= 200 || (status === 101 && asked.question.isUpgrade)) {
      asked.answer = { message, body: new IncomingBody(() => this.#advance()) };
      if (status === 101) this.#release();
    } else if (status === 101) this.cut(new Error("the upstream switched protocols unasked"));
    else {
      try {
        asked.question.inform(status, message.fields);
      } catch (error) {
        this.cut(error instanceof Error ? error : new Error(String(error)));
      }
    }
  }

  /** Both directions of a question are done: the next one may come, or nobody any more. */
  #settle(): void {
    const asked = this.#asked;
    if (asked?.answer?.body.isComplete !== true || !asked.isSent) return;
    this.#asked = undefined;
    this.isReused = true;
    if (!asked.answer.message.persists || this.#reader.unread > 0 || !this.isUsable) {
      this.socket.destroy();
      return;
    }
    // It was paused while nobody took what came: the rest was read already, and the next answer is awaited.
    if (this.socket.isPaused()) this.socket.resume();
    this.#idleTimer = setTimeout(() => this.socket.destroy(), this.#idleMs);
    this.#owner.freed(this);
  }

  /** The connection is somebody else's from here on; what came behind the head is theirs. */
  #release(): void {
    this.#isReleased = true;
    this.socket.removeListener("data", this.#onData);
    this.socket.removeListener("end", this.#onEnd);
    this.socket.removeListener("close", this.#onClose);
    this.socket.pause();
    if (this.#reader.unread > 0) this.socket.unshift(Buffer.from(this.#reader.rest()));
    this.#owner.gone(this);
  }
}
