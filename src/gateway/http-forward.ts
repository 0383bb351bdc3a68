/**
 * Carries one judged request to its upstream and the answer back, in constant memory.
 *
 * The request is written anew by Node's client from the checked parts; the client's bytes never reach
 * an upstream as they came. Each side's pace is the other's: nothing is read that cannot be written.
 *
 * @module
 */
import { request as sendRequest, type ClientRequest, type IncomingMessage } from "node:http";
import type { ServerResponse } from "node:http";
import type { Readable, Writable } from "node:stream";
import { describeError, isFault } from "../base/index.ts";
import { createStratumWatch } from "../wire/index.ts";
import { endToEnd, listOf, safeTrailers } from "./http-headers.ts";
import { authorityOf, type CheckedRequest } from "./http-request.ts";
import type { GatewayLimits } from "./limits.ts";
import type { UpstreamAgent } from "./upstream-agent.ts";

/** One request that may go, and the way back. */
export interface Forwarding {
  readonly request: CheckedRequest;
  readonly incoming: IncomingMessage;
  readonly response: ServerResponse;
  /** The body where it was read whole: exactly these bytes are sent. */
  readonly body: Buffer | undefined;
  readonly agent: UpstreamAgent;
  readonly limits: GatewayLimits;
}

/** What became of a request. */
export interface Outcome {
  /** The status that went to the client; absent where none did. */
  readonly status?: number;
  /** Body bytes to the upstream, and back. */
  readonly bytesOut: number;
  readonly bytesIn: number;
  /** Why it did not end well: a code and a sentence. Nothing was answered yet where `status` is absent. */
  readonly failure?: { readonly code: string; readonly detail: string };
  /** A mining message was seen and what carried it was cut. */
  readonly mining?: string;
}

/**
 * Sends the request; settles when both directions are done. Never rejects. A client that leaves ends its
 * agent, and with that what is under way here.
 */
export async function forward(forwarding: Forwarding): Promise<Outcome> {
  const first = await attempt(forwarding);
  const mayRepeat = first.outcome.failure !== undefined && first.wasStale;
  return mayRepeat ? (await attempt(forwarding)).outcome : first.outcome;
}

interface Attempt {
  readonly outcome: Outcome;
  /** The kept connection had been closed by the upstream, and asking again changes nothing. */
  readonly wasStale: boolean;
}

const REPEATABLE: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);

async function attempt(forwarding: Forwarding): Promise<Attempt> {
  const relay = new Relay(forwarding);
  const outcome = await relay.run();
  const { method, framing } = forwarding.request;
  const repeatable = REPEATABLE.has(method) && framing.kind === "none";
  return { outcome, wasStale: repeatable && relay.upstream.reusedSocket && !relay.answered };
}

/** One try at one exchange. */
class Relay {
  readonly upstream: ClientRequest;
  answered = false;
  readonly #forwarding: Forwarding;
  #bytesOut = 0;
  #bytesIn = 0;
  #informational = 0;
  #isSent = false; // Nothing more of the request is to come.
  #mining: string | undefined;

  constructor(forwarding: Forwarding) {
    this.#forwarding = forwarding;
    const { request, agent, limits } = forwarding;
    this.upstream = sendRequest({
      agent,
      method: request.method,
      path: request.target,
      host: request.host,
      port: request.port,
      headers: upstreamHeaders(forwarding),
      setHost: false,
      insecureHTTPParser: false,
      maxHeaderSize: limits.responseHeadBytes,
    });
    this.upstream.on("error", () => {}); // Told by `run`; what comes after an answer is its end.
  }

  async run(): Promise<Outcome> {
    const { response } = this.#forwarding;
    const answer = this.#answer();
    const sending = this.#send().then(() => (this.#isSent = true));
    let failure: Outcome["failure"];
    let status: number | undefined;
    try {
      const message = checkVersion(await answer);
      this.answered = true;
      await this.#deliver(message);
      status = message.statusCode;
    } catch (error) {
      failure = failureOf(error);
      this.upstream.destroy();
      if (response.headersSent) response.destroy(); // A cut answer must look cut.
    }
    // After an early answer the client gets a moment to notice it before its connection closes.
    if (!this.#isSent) await this.#linger(sending);
    if (failure === undefined) response.end();
    return {
      ...(status === undefined ? {} : { status }),
      bytesOut: this.#bytesOut,
      bytesIn: this.#bytesIn,
      ...(failure === undefined ? {} : { failure }),
      ...(this.#mining === undefined ? {} : { mining: this.#mining }),
    };
  }

  /** Resolves with the final answer, and passes informational ones on. */
  #answer(): Promise<IncomingMessage> {
    const { incoming, response, limits } = this.#forwarding;
    return new Promise((resolve, reject) => {
      this.upstream.once("error", reject);
      this.upstream.once("close", () =>
        reject(new Error("the connection ended without an answer")),
      );
      this.upstream.once("response", resolve);
      this.upstream.on("information", (info) => {
        this.#informational += 1;
        if (this.#informational > limits.informational) {
          // Rejected first: an answer in the same packet is still parsed after `destroy`.
          reject(new Error(`more than ${limits.informational} informational answers`));
          this.upstream.destroy();
        } else if (incoming.httpVersion === "1.1" && !response.headersSent) {
          response.writeInformation(info.statusCode, endToEnd(info.rawHeaders));
        }
      });
      this.upstream.once("upgrade", (_message, socket) => {
        socket.destroy();
        reject(new Error("the upstream switched protocols unasked"));
      });
    });
  }

  /** Sends the body; resolves when it is out, or when nobody takes it any more. */
  async #send(): Promise<void> {
    const { request, incoming, body } = this.#forwarding;
    if (request.framing.kind === "none" || body !== undefined) {
      this.#bytesOut = body?.length ?? 0;
      this.upstream.end(body);
      return;
    }
    this.upstream.flushHeaders(); // The upstream may want to say 100, or no, before the body comes.
    try {
      await this.#pumpBody();
    } catch (error) {
      this.upstream.destroy(error instanceof Error ? error : undefined);
      return;
    }
    if (this.upstream.destroyed || !incoming.complete) return;
    const trailers = safeTrailers(incoming.rawTrailers);
    if (trailers.length > 0 && request.framing.kind === "chunked") {
      this.upstream.addTrailers(trailers);
    }
    this.upstream.end();
  }

  /** Passes the request's body on; what no upstream takes any more is thrown away, within a limit. */
  async #pumpBody(): Promise<void> {
    const { incoming, limits } = this.#forwarding;
    const watch = createStratumWatch();
    let thrownAway = 0;
    for await (const chunk of chunksOf(incoming)) {
      if (this.upstream.destroyed) {
        thrownAway += chunk.length;
        if (thrownAway > limits.lingerBytes) return;
        continue;
      }
      this.#refuseMining(watch, chunk);
      this.#bytesOut += chunk.length;
      if (!this.upstream.write(chunk)) await drained(this.upstream);
    }
  }

  #refuseMining(watch: ReturnType<typeof createStratumWatch>, chunk: Buffer): void {
    const hit = watch.push(chunk);
    if (hit === undefined) return;
    this.#mining = hit.detail;
    throw new Error("a mining pool's protocol");
  }

  async #linger(sending: Promise<unknown>): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, this.#forwarding.limits.lingerMs);
    this.#forwarding.response.once("close", resolve);
    await Promise.race([sending, promise]);
    clearTimeout(timer);
    this.upstream.destroy();
  }

  async #deliver(message: IncomingMessage): Promise<void> {
    const { response, incoming } = this.#forwarding;
    const headers = endToEnd(message.rawHeaders);
    // Whoever has not sent all of a request by now cannot be sure where the next one begins.
    if (!incoming.complete) headers.push("connection", "close");
    response.sendDate = false;
    response.writeHead(message.statusCode ?? 502, reasonPhrase(message), headers);
    response.flushHeaders();
    const watch = createStratumWatch();
    for await (const chunk of chunksOf(message)) {
      if (response.destroyed) return;
      this.#refuseMining(watch, chunk);
      this.#bytesIn += chunk.length;
      if (!response.write(chunk)) await drained(response);
    }
    const trailers = safeTrailers(message.rawTrailers);
    if (trailers.length > 0) response.addTrailers(trailers);
  }
}

/** What `stream` gives, chunk by chunk; leaving the loop leaves the stream alive. */
async function* chunksOf(stream: Readable): AsyncGenerator<Buffer> {
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
    if (!Buffer.isBuffer(chunk)) throw new TypeError("a stream of bytes gave something else");
    yield chunk;
  }
}

function drained(stream: Writable): Promise<void> {
  if (stream.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      stream.removeListener("drain", done);
      stream.removeListener("close", done);
      resolve();
    };
    stream.on("drain", done);
    stream.on("close", done);
  });
}

function upstreamHeaders({ request, incoming, body }: Forwarding): string[] {
  const headers = ["Host", authorityOf(request), ...request.headers];
  if (body !== undefined) headers.push("Content-Length", String(body.length));
  else if (request.framing.kind === "length") {
    headers.push("Content-Length", String(request.framing.bytes));
  } else if (request.framing.kind === "chunked") {
    headers.push("Transfer-Encoding", "chunked");
    const trailer = listOf(incoming.rawHeaders, "trailer");
    if (trailer.length > 0) headers.push("Trailer", trailer.join(", "));
  } else if (!["GET", "HEAD", "OPTIONS", "TRACE", "DELETE"].includes(request.method)) {
    headers.push("Content-Length", "0"); // RFC 9110, 8.6: says that there is no body to wait for.
  }
  if (request.expectContinue && body === undefined) headers.push("Expect", "100-continue");
  // `TE` is for this hop, so it is said anew; the only coding that matters to anyone is trailers.
  if (request.wantsTrailers) headers.push("TE", "trailers", "Connection", "keep-alive, TE");
  return headers;
}

function checkVersion(message: IncomingMessage): IncomingMessage {
  if (message.httpVersionMajor === 1) return message;
  message.destroy();
  throw new Error(`the answer says HTTP/${message.httpVersion}`);
}

function reasonPhrase(message: IncomingMessage): string {
  const text = message.statusMessage ?? "";
  return /^[\t\x20-\x7e]*$/.test(text) ? text : "";
}

function failureOf(error: unknown): { code: string; detail: string } {
  if (isFault(error)) return { code: error.code, detail: describeError(error) };
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (code.startsWith("HPE_")) {
    const detail = `the upstream's answer is not HTTP/1.1: ${describeError(error)}`;
    return { code: "gateway.upstream_answer", detail };
  }
  return { code: "gateway.upstream_lost", detail: `the upstream failed: ${describeError(error)}` };
}
