/**
 * The two sides of an exchange, as the middle sees them: a client that asked, an upstream that is asked.
 * Everything between them (check, judge, record, forward) is the same for every version of HTTP; what
 * differs stands behind these.
 *
 * @module
 */
import type { Socket } from "node:net";
import type { Duplex, Readable } from "node:stream";
import type { Problem } from "./denial.ts";
import type { RawHeaders } from "./http-headers.ts";
import type { CheckedRequest, RequestHead } from "./http-request.ts";

/** Whether the connection may carry another request. */
export type After = "next" | "last";

/** Where bytes come from, from `resume` on: a stream, or what stands for one. */
export interface ByteSource {
  readonly destroyed: boolean;
  readonly readableEnded: boolean;
  on(event: "data", take: (bytes: Buffer) => void): unknown;
  once(event: "end" | "close" | "error", done: (error?: Error) => void): unknown;
  removeListener(event: "data", take: (bytes: Buffer) => void): unknown;
  removeListener(event: "end" | "close" | "error", done: (error?: Error) => void): unknown;
  pause(): unknown;
  resume(): unknown;
  destroy(): unknown;
}

/** Where bytes go: a stream, or what stands for one. */
export interface ByteSink {
  readonly destroyed: boolean;
  /** Returns false where the next bytes should wait for "drain". */
  write(bytes: Buffer): boolean;
  on(event: "drain" | "close", listener: () => void): unknown;
  once(event: "drain" | "close", listener: () => void): unknown;
  removeListener(event: "drain" | "close", listener: () => void): unknown;
}

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
  /** The body, where all of it came with the head and nobody has asked for {@link body}. */
  whole(): Buffer | undefined;
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
  readonly sink: ByteSink;
  /** Calls back once where the client leaves before its answer is whole and its connection stays. */
  onGone(left: () => void): void;
  /** Passes an informational (1xx) answer on, where the client may get one. */
  inform(status: number, headers: RawHeaders): void;
  /** The whole answer at once: what `begin`, `sink` and `end` do, in one write. */
  answer(answer: AnswerHead, body: Buffer, trailers: readonly [string, string][]): void;
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
  readonly body: ByteSource;
  /** The body, where all of it came with the head and nobody has asked for {@link body}. */
  whole(): Buffer | undefined;
  /** Why the body ended before its end, if it did; only after it ended. */
  broken(): Error | undefined;
  /** As they came; only after the body's end. */
  trailers(): RawHeaders;
}

/** One request under way to an upstream. */
export interface UpstreamCall {
  /** Where the request's body goes. */
  readonly sink: ByteSink;
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
  /** The next request needs a connection to be made, and no other does. */
  readonly isUnconnected: boolean;
  /** Takes a connection that was made ahead: the next request's, if it has not failed. */
  adopt(connection: Promise<Socket>): void;
  call(sending: Sending): Promise<UpstreamCall>;
  /** Asks for a WebSocket on a connection of its own. */
  askUpgrade(request: CheckedRequest): Promise<Switched | UpstreamAnswer>;
}

/** An upstream that switched protocols: what it said, and its connection from there on. */
export interface Switched {
  readonly headers: RawHeaders;
  readonly socket: Duplex;
}
