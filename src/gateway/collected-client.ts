/**
 * A client of our own for {@link forward}: it has the whole request in its hands and keeps the answer. It
 * stands where no agent waits: look-ups before a verdict, and what a person approved.
 *
 * @module
 */
import { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import { Readable } from "node:stream";
import { assert } from "../base/index.ts";
import { AnswerScreen, withCredential, type Credentialed } from "./credential.ts";
import { failureOf, forward, type Outcome } from "./http-forward.ts";
import type { RawHeaders } from "./http-headers.ts";
import type { CheckedRequest, RequestHead } from "./http-request.ts";
import type { AnswerHead, ByteSink, ClientSide, UpstreamSide } from "./http-sides.ts";
import type { GatewayLimits } from "./limits.ts";

/** An answer as far as it was kept. */
export interface CollectedAnswer {
  readonly status: number;
  readonly headers: RawHeaders;
  readonly body: Buffer;
  /** There was more than is kept. */
  readonly isCut: boolean;
}

/** What became of a request of ours; `answer` is absent where none came. */
export interface Asked {
  readonly outcome: Outcome;
  readonly answer: CollectedAnswer | undefined;
}

/** A request of ours. */
export interface Question {
  readonly request: CheckedRequest;
  readonly body?: Buffer | undefined;
  readonly credential?: Credentialed | undefined;
}

/** Sends `request` with `body` and keeps at most `bytesMax` of the answer's body. Never rejects. */
export async function ask(
  upstream: UpstreamSide,
  { request, body, credential }: Question,
  limits: GatewayLimits,
): Promise<Asked> {
  let sent = request;
  let screen: AnswerScreen | undefined;
  if (credential !== undefined) {
    try {
      sent = withCredential(request, body, credential, Date.now());
      screen = new AnswerScreen(credential.lease);
    } catch (error) {
      return { outcome: { bytesOut: 0, bytesIn: 0, failure: failureOf(error) }, answer: undefined };
    }
  }
  const client = new CollectedClient(request, body, limits.keptAnswerBytes);
  const whole = request.framing.kind === "none" ? undefined : (body ?? Buffer.alloc(0));
  const outcome = await forward({ request: sent, client, body: whole, upstream, screen, limits });
  return { outcome, answer: client.answered };
}

function assertNever(message: string): never {
  assert(false, message);
  throw new Error(message);
}

class CollectedSink extends EventEmitter implements ByteSink {
  readonly destroyed = false;
  readonly chunks: Buffer[] = [];
  readonly #bytesMax: number;
  #bytes = 0;

  constructor(bytesMax: number) {
    super();
    this.#bytesMax = bytesMax;
  }

  get isCut(): boolean {
    return this.#bytes > this.#bytesMax;
  }

  write(bytes: Buffer): boolean {
    const left = this.#bytesMax - this.#bytes;
    if (left > 0) this.chunks.push(Buffer.from(bytes.subarray(0, left)));
    this.#bytes += bytes.length;
    return true;
  }
}

class CollectedClient implements ClientSide {
  readonly head: RequestHead;
  readonly body = Readable.from([]);
  readonly isAlone = true;
  readonly isComplete = true;
  readonly trailers: RawHeaders = [];
  readonly isGone = false;
  readonly sink: CollectedSink;
  readonly #body: Buffer | undefined;
  #head: AnswerHead | undefined;

  constructor({ method, target }: CheckedRequest, body: Buffer | undefined, bytesMax: number) {
    this.head = { method, url: target, httpVersion: "1.1", rawHeaders: [] };
    this.#body = body;
    this.sink = new CollectedSink(bytesMax);
  }

  get isAnswered(): boolean {
    return this.#head !== undefined;
  }

  get answered(): CollectedAnswer | undefined {
    if (this.#head === undefined) return undefined;
    const { status, headers } = this.#head;
    return { status, headers, body: Buffer.concat(this.sink.chunks), isCut: this.sink.isCut };
  }

  whole(): Buffer {
    return this.#body ?? Buffer.alloc(0);
  }

  onGone(): void {}
  inform(): void {}
  end(): void {}
  cut(): void {}

  begin(answer: AnswerHead): void {
    this.#head = answer;
  }

  answer(answer: AnswerHead, body: Buffer): void {
    this.#head = answer;
    this.sink.write(body);
  }

  takeOver(): Socket {
    return assertNever("what is collected never becomes a WebSocket");
  }

  refuse(): Promise<"last"> {
    return Promise.resolve("last");
  }
}
