/**
 * The two sides of an exchange, as the middle sees them: a client that asked, an upstream that is asked.
 * Everything between them (check, judge, record, forward) is the same for every version of HTTP; what
 * differs stands behind these.
 *
 * @module
 */
import type { Socket } from "node:net";
import type { Duplex, Readable, Writable } from "node:stream";
import type { Problem } from "./denial.ts";
import type { RawHeaders } from "./http-headers.ts";
import type { CheckedRequest, RequestHead } from "./http-request.ts";

/** Whether the connection may carry another request. */
export type After = "next" | "last";

/** The head of an answer; `headers` are end-to-end. */
export interface AnswerHead {
  readonly status: number;
  readonly reason: string;
  readonly headers: RawHeaders;
  /** The head is all there is: no body, no trailers. */
  readonly isWhole: boolean;
}

/** One request as its client's connection gave it, and the way back. */
export interface ClientSide {
  readonly head: RequestHead;
  readonly body: Readable;
  /** The connection carries one exchange at a time, so that what breaks this one breaks it. */
  readonly isAlone: boolean;
  /** The whole request has been read. */
  readonly isComplete: boolean;
  /** As they came; only where the request is complete. */
  readonly trailers: RawHeaders;
  /** The final answer's head is out. */
  readonly isAnswered: boolean;
  /** Nobody is there any more. */
  readonly isGone: boolean;
  /** Where the answer's body goes. */
  readonly sink: Writable;
  /** Calls back once where the client leaves before its answer is whole and its connection stays. */
  onGone(left: () => void): void;
  /** Passes an informational (1xx) answer on, where the client may get one. */
  inform(status: number, headers: RawHeaders): void;
  begin(answer: AnswerHead): void;
  end(trailers: readonly [string, string][]): void;
  /** Ends an answer so that it looks cut. */
  cut(): void;
  /** The client's request to become a WebSocket was granted: what comes from here on is ours to read. */
  takeOver(): Socket;
  /** Answers by a problem of ours; `after` is what the caller would have of the connection. */
  refuse(problem: Problem, after: After): Promise<After>;
}

/** What an upstream answered. */
export interface UpstreamAnswer {
  readonly status: number;
  readonly reason: string;
  /** As they came, without pseudo-header fields. */
  readonly headers: RawHeaders;
  readonly isWhole: boolean;
  readonly body: Readable;
  /** The body ended before its end; only after it ended. */
  isCut(): boolean;
  /** As they came; only after the body's end. */
  trailers(): RawHeaders;
}

/** One request under way to an upstream. */
export interface UpstreamCall {
  /** Where the request's body goes. */
  readonly sink: Writable;
  /** The connection was used before, so that its end may have crossed this request. */
  isReused(): boolean;
  /** Resolves with the final answer; rejects where there is none, or where `inform` throws. */
  answer(inform: (status: number, headers: RawHeaders) => void): Promise<UpstreamAnswer>;
  /** Sends the head now, ahead of a body that may be long in coming. */
  flush(): void;
  end(body: Buffer | undefined, trailers: readonly [string, string][]): void;
  /** Ends it at once, in both directions. */
  cut(error?: Error): void;
}

/** A request ready to be sent: judged, recorded, with its body where that was read whole. */
export interface Sending {
  readonly request: CheckedRequest;
  readonly body: Buffer | undefined;
  /** Names that the client announced as trailers. */
  readonly trailerNames: readonly string[];
}

/** The upstream of one client connection; never shared with another. */
export interface UpstreamSide {
  call(sending: Sending): Promise<UpstreamCall>;
  /** Asks for a WebSocket on a connection of its own. */
  askUpgrade(request: CheckedRequest): Promise<Switched | UpstreamAnswer>;
}

/** An upstream that switched protocols: what it said, and its connection from there on. */
export interface Switched {
  readonly headers: RawHeaders;
  readonly socket: Duplex;
}
