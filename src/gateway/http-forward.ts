/**
 * Carries one judged request to its upstream and the answer back, in constant memory, whatever version
 * of HTTP either side speaks. Each side's pace is the other's: nothing is read that cannot be written.
 *
 * @module
 */
import { createHash, type Hash } from "node:crypto";
import type { Readable } from "node:stream";
import { describeError, Fault, isFault } from "../base/index.ts";
import type { ExpectedContent } from "../catalog/index.ts";
import { createStratumWatch } from "../wire/index.ts";
import { createBodyWatch } from "./body-watch.ts";
import { endToEnd, headerPairs, listOf, safeTrailers, type RawHeaders } from "./http-headers.ts";
import type { AnswerScreen } from "./credential.ts";
import type { CheckedRequest } from "./http-request.ts";
import type {
  AnswerHead,
  ByteSink,
  ByteSource,
  ClientSide,
  UpstreamAnswer,
  UpstreamCall,
  UpstreamSide,
} from "./http-sides.ts";
import type { GatewayLimits } from "./limits.ts";
import type { ModelWatch } from "./model-watch.ts";

/** One request that may go, and the way back. */
export interface Forwarding {
  readonly request: CheckedRequest;
  readonly client: ClientSide;
  /** The body where it was read whole: exactly these bytes are sent. */
  readonly body: Buffer | undefined;
  readonly upstream: UpstreamSide;
  /** Of a request with a credential: looks through the answer. */
  readonly screen?: AnswerScreen | undefined;
  /** What the body must be: else its end does not go out. */
  readonly content?: ExpectedContent | undefined;
  /** Of an exchange with a model: reads along. */
  readonly model?: ModelWatch | undefined;
  readonly limits: GatewayLimits;
}

/** What became of a request. */
export interface Outcome {
  /** The status that went to the client; absent where none did. */
  readonly status?: number;
  /** Body bytes to the upstream, and back. */
  readonly bytesOut: number;
  readonly bytesIn: number;
  /** Messages of a WebSocket to the upstream, and back. */
  readonly messagesOut?: number;
  readonly messagesIn?: number;
  /** Hex SHA-256 of what was sent of a body that streamed. */
  readonly bodySha256?: string;
  /** Why it did not end well: a code and a sentence. Nothing was answered yet where `status` is absent. */
  readonly failure?: { readonly code: string; readonly detail: string };
  /** Places of the answer in which the credential stood, and was blackened. */
  readonly redacted?: number;
  /** A mining message was seen and what carried it was cut. */
  readonly mining?: string;
}

/**
 * Sends the request; settles when both directions are done. Never rejects. A client that leaves ends its
 * upstream, and with that what is under way here.
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
  const { request, client, body, upstream, content } = forwarding;
  const trailerNames = listOf(client.head.rawHeaders, "trailer");
  let call: UpstreamCall;
  try {
    if (body !== undefined || request.framing.kind === "none") {
      checkContent(content, createHash("sha256").update(body ?? ""), body?.length ?? 0);
    }
    call = await upstream.call({ request, body, trailerNames });
  } catch (error) {
    return { outcome: { bytesOut: 0, bytesIn: 0, failure: failureOf(error) }, wasStale: false };
  }
  const relay = new Relay(forwarding, call);
  const outcome = await relay.run();
  const repeatable = REPEATABLE.has(request.method) && request.framing.kind === "none";
  return { outcome, wasStale: repeatable && call.isReused() && !relay.answered };
}

/** One try at one exchange. */
class Relay {
  answered = false;
  readonly #forwarding: Forwarding;
  readonly #call: UpstreamCall;
  #bytesOut = 0;
  #bytesIn = 0;
  #informational = 0;
  #isSent = false; // Nothing more of the request is to come.
  #mining: string | undefined;
  #hash: Hash | undefined;

  constructor(forwarding: Forwarding, call: UpstreamCall) {
    this.#forwarding = forwarding;
    this.#call = call;
  }

  async run(): Promise<Outcome> {
    const { client } = this.#forwarding;
    client.onGone(() => this.#call.cut(new Error("the client left")));
    const answer = this.#call.answer((status, headers) => this.#inform(status, headers));
    const sending = this.#send().then(() => (this.#isSent = true));
    let failure: Outcome["failure"];
    let status: number | undefined;
    try {
      const message = await answer;
      this.answered = true;
      if (this.#deliverWhole(message)) status = message.status;
      else {
        await this.#deliver(message);
        status = message.status;
        // After an early answer the client gets a moment to notice it before its connection closes.
        if (!this.#isSent) await this.#linger(sending);
        this.#forwarding.model?.end();
        client.end(this.#trailersOf(message));
      }
    } catch (error) {
      failure = this.#cleanFailureOf(error);
      this.#call.cut();
      if (client.isAnswered) client.cut(); // A cut answer must look cut.
      if (!this.#isSent) await this.#linger(sending);
    }
    return {
      ...(status === undefined ? {} : { status }),
      bytesOut: this.#bytesOut,
      bytesIn: this.#bytesIn,
      ...(this.#hash === undefined ? {} : { bodySha256: this.#hash.digest("hex") }),
      ...(failure === undefined ? {} : { failure }),
      ...((this.#forwarding.screen?.found ?? 0) === 0
        ? {}
        : { redacted: this.#forwarding.screen?.found ?? 0 }),
      ...(this.#mining === undefined ? {} : { mining: this.#mining }),
    };
  }

  #inform(status: number, headers: RawHeaders): void {
    const { client, limits } = this.#forwarding;
    this.#informational += 1;
    if (this.#informational > limits.informational) {
      throw new Error(`more than ${limits.informational} informational answers`);
    }
    const fields = endToEnd(headers);
    client.inform(status, this.#forwarding.screen?.head(fields) ?? fields);
  }

  /** What went wrong, with no word of a server's that holds the credential. */
  #cleanFailureOf(error: unknown): NonNullable<Outcome["failure"]> {
    const { code, detail } = failureOf(error);
    return { code, detail: this.#forwarding.screen?.words(detail) ?? detail };
  }

  /** Sends the body; resolves when it is out, or when nobody takes it any more. */
  async #send(): Promise<void> {
    const { request, client, body } = this.#forwarding;
    if (request.framing.kind === "none" || body !== undefined) {
      this.#bytesOut = body?.length ?? 0;
      this.#call.end(body, []);
      return;
    }
    this.#call.flush(); // The upstream may want to say 100, or no, before the body comes.
    try {
      await this.#pumpBody();
    } catch (error) {
      this.#call.cut(error instanceof Error ? error : undefined);
      return;
    }
    if (!client.isComplete) this.#call.cut(new Error("the request broke off"));
    if (this.#call.sink.destroyed || !client.isComplete) return;
    const trailers = request.framing.kind === "chunked" ? safeTrailers(client.trailers) : [];
    this.#call.end(undefined, trailers);
  }

  /**
   * Passes the request's body on; what no upstream takes any more is thrown away, within a limit. Of what has to be
   * some content the last piece is kept back until it is (INV-128).
   */
  async #pumpBody(): Promise<void> {
    const { client, limits, content, model } = this.#forwarding;
    const { sink } = this.#call;
    const watch = createBodyWatch(client.head.rawHeaders);
    const hash = (this.#hash = createHash("sha256"));
    let thrownAway = 0;
    let last: Buffer | undefined;
    const pass = async (chunk: Buffer) => {
      this.#bytesOut += chunk.length;
      if (!sink.write(chunk)) await drained(sink);
    };
    try {
      for await (const chunk of chunksOf(client.body)) {
        if (sink.destroyed) {
          thrownAway += chunk.length;
          if (thrownAway > limits.lingerBytes) return;
          continue;
        }
        this.#refuseMining(await watch.push(chunk));
        hash.update(chunk);
        model?.pushRequest(chunk);
        if (last !== undefined) await pass(last);
        if (content === undefined) await pass(chunk);
        else last = chunk;
        if (this.#bytesOut + (last?.length ?? 0) > (content?.bytesMax ?? Infinity)) {
          throw contentFault(`of more than the ${content?.bytesMax} bytes that are taken`);
        }
      }
      await model?.endRequest();
      if (!client.isComplete) return;
      checkContent(content, hash.copy(), 0);
      if (last !== undefined) await pass(last);
    } finally {
      watch.close();
    }
  }

  #refuseMining(hit: { readonly detail: string } | undefined): void {
    if (hit === undefined) return;
    this.#mining = hit.detail;
    throw new Error("a mining pool's protocol");
  }

  async #linger(sending: Promise<unknown>): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, this.#forwarding.limits.lingerMs);
    this.#forwarding.client.sink.once("close", resolve);
    await Promise.race([sending, promise]);
    clearTimeout(timer);
    this.#call.cut();
  }

  /** Answers at once where the request is out and the whole answer is here. */
  #deliverWhole(message: UpstreamAnswer): boolean {
    const body = this.#isSent ? message.whole() : undefined;
    if (body === undefined || this.#forwarding.model !== undefined) return false;
    const { screen, client } = this.#forwarding;
    this.#refuseMining(createStratumWatch().push(body));
    this.#bytesIn = body.length;
    const clean = screen === undefined ? body : screen.whole(body);
    client.answer(this.#headOf(message), clean, this.#trailersOf(message));
    return true;
  }

  async #deliver(message: UpstreamAnswer): Promise<void> {
    const { client, screen, model } = this.#forwarding;
    client.begin(this.#headOf(message));
    model?.head(message.status, message.headers);
    const watch = createStratumWatch();
    await pump(message.body, client.sink, (chunk) => {
      this.#refuseMining(watch.push(chunk));
      this.#bytesIn += chunk.length;
      const clean = screen === undefined ? chunk : screen.push(chunk);
      // INV-140: what it calls is on its way to the record before it goes on.
      const read = model?.push(clean);
      return read === undefined ? clean : read.then(() => clean);
    });
    if (client.isGone) return;
    const broken = message.broken();
    if (broken !== undefined) throw broken;
    const rest = screen?.end();
    if (rest === undefined || rest.length === 0) return;
    await model?.push(rest);
    client.sink.write(rest);
  }

  #headOf({ status, reason, headers, isWhole }: UpstreamAnswer): AnswerHead {
    const fields = endToEnd(headers);
    const { screen } = this.#forwarding;
    if (screen === undefined) return { status, reason, headers: fields, isWhole };
    return { status, reason: screen.words(reason), headers: screen.head(fields), isWhole };
  }

  #trailersOf(message: UpstreamAnswer): readonly [string, string][] {
    const trailers = safeTrailers(message.trailers());
    const { screen } = this.#forwarding;
    if (screen === undefined) return trailers;
    return headerPairs(screen.head(trailers.flat())).map(([name, value]) => [name, value]);
  }
}

/** @throws {Fault} `gateway.content` */
function checkContent(content: ExpectedContent | undefined, hash: Hash, bytes: number): void {
  if (content === undefined) return;
  if (bytes > content.bytesMax) throw contentFault(`of more than ${content.bytesMax} bytes`);
  if (hash.digest("hex") !== content.sha256) throw contentFault("that is not what its name says");
}

function contentFault(what: string): Fault {
  return new Fault("gateway.content", `a large file ${what}; nothing of it is kept`);
}

/**
 * Carries `source` to `sink` at the pace of the slower, until either ends; `look` sees each chunk before it
 * goes, says what goes of it, and may throw. By events: an iterator costs several promises for each chunk.
 */
function pump(
  source: ByteSource,
  sink: ByteSink,
  look: (chunk: Buffer) => Buffer | Promise<Buffer>,
): Promise<void> {
  return new Promise((resolve, reject) => {
    /** A chunk is still looked at: nothing overtakes it, neither what comes all the same nor the end. */
    let busy: Promise<void> | undefined;
    const waiting: Buffer[] = [];
    let isFull = false;
    const settle = (error?: Error) => {
      if (busy !== undefined) {
        void busy.then(() => settle(error));
        return;
      }
      source.removeListener("data", take);
      for (const event of ENDS) source.removeListener(event, settle);
      sink.removeListener("drain", goOn);
      sink.removeListener("close", leave);
      if (error === undefined) resolve();
      else reject(error);
    };
    const fail = (error: unknown) => {
      waiting.length = 0;
      source.pause();
      settle(error instanceof Error ? error : new Error(String(error)));
    };
    const pass = (clean: Buffer) => {
      if (sink.write(clean)) return;
      isFull = true;
      source.pause();
    };
    const later = async (looked: Promise<Buffer>): Promise<void> => {
      try {
        const clean = await looked;
        busy = undefined;
        pass(clean);
        for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
          take(next);
          if (busy !== undefined) return;
        }
        if (!isFull && !sink.destroyed) source.resume();
      } catch (error) {
        busy = undefined;
        fail(error);
      }
    };
    const take = (chunk: Buffer) => {
      if (busy !== undefined) {
        waiting.push(chunk);
        return;
      }
      try {
        const looked = look(chunk);
        if (Buffer.isBuffer(looked)) pass(looked);
        else {
          source.pause();
          busy = later(looked);
        }
      } catch (error) {
        fail(error);
      }
    };
    const goOn = () => {
      isFull = false;
      if (busy === undefined) source.resume();
    };
    const leave = () => settle();
    for (const event of ENDS) source.once(event, settle);
    sink.on("drain", goOn);
    sink.once("close", leave);
    if (source.readableEnded || source.destroyed || sink.destroyed) settle();
    else {
      source.on("data", take);
      source.resume();
    }
  });
}

const ENDS = ["end", "close", "error"] as const;

/** What `stream` gives, chunk by chunk; leaving the loop leaves the stream alive. */
async function* chunksOf(stream: Readable): AsyncGenerator<Buffer> {
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
    if (!Buffer.isBuffer(chunk)) throw new TypeError("a stream of bytes gave something else");
    yield chunk;
  }
}

/** Resolves when `stream` takes more, or takes nothing any more. */
export function drained(stream: ByteSink): Promise<void> {
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

/** What a failed upstream is, as a code and a sentence. */
export function failureOf(error: unknown): { code: string; detail: string } {
  if (isFault(error)) return { code: error.code, detail: describeError(error) };
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (/^ERR_HTTP2_(?:STATUS|INVALID|ERROR)/.test(code)) {
    const detail = `the upstream's answer is not well-formed HTTP: ${describeError(error)}`;
    return { code: "gateway.upstream_answer", detail };
  }
  return { code: "gateway.upstream_lost", detail: `the upstream failed: ${describeError(error)}` };
}
