/**
 * The upstream's side of an HTTP/1.1 exchange: the request is written anew from the checked parts; the
 * client's bytes never reach an upstream as they came.
 *
 * @module
 */
import { requestHead } from "../wire/index.ts";
import type { RawHeaders } from "./http-headers.ts";
import { authorityOf, type CheckedRequest } from "./http-request.ts";
import type {
  Sending,
  Switched,
  UpstreamAnswer,
  UpstreamCall,
  UpstreamSide,
} from "./http-sides.ts";
import type { IncomingBody } from "./http1-body.ts";
import { UpstreamLink, type LinkAnswer, type Question } from "./http1-link.ts";
import type { GatewayLimits } from "./limits.ts";
import type { UpstreamAgent } from "./upstream-agent.ts";
import { handshakeFields } from "./websocket-handshake.ts";

/** How many connections may be open at once (who asks beyond that waits), and be kept while idle. */
export interface LinkCounts {
  readonly open: number;
  readonly free: number;
}

export function http1Upstream(
  agent: UpstreamAgent,
  limits: GatewayLimits,
  counts: LinkCounts,
): UpstreamSide {
  const links = new Links(agent, limits, counts);
  return {
    get isUnconnected() {
      return counts.open === 1 && links.isEmpty && !agent.hasNext;
    },
    adopt: (connection) => agent.adopt(connection),
    async call(sending) {
      return startCall(await links.take(), sending);
    },
    async askUpgrade(request) {
      return await askUpgrade(await links.take(), request);
    },
  };
}

/** The connections of one client's upstream. */
class Links {
  readonly #agent: UpstreamAgent;
  readonly #limits: GatewayLimits;
  readonly #counts: LinkCounts;
  readonly #free: UpstreamLink[] = [];
  readonly #waiting: (() => void)[] = [];
  #open = 0;

  constructor(agent: UpstreamAgent, limits: GatewayLimits, counts: LinkCounts) {
    this.#agent = agent;
    this.#limits = limits;
    this.#counts = counts;
  }

  get isEmpty(): boolean {
    return this.#open === 0;
  }

  async take(): Promise<UpstreamLink> {
    for (;;) {
      const link = this.#free.pop();
      if (link?.isUsable === true) return link;
      if (link !== undefined) continue; // Its close is still to come.
      if (this.#open < this.#counts.open) return await this.#connect();
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  async #connect(): Promise<UpstreamLink> {
    this.#open += 1;
    try {
      const { socket } = await this.#agent.next();
      return new UpstreamLink(socket, this.#limits, this);
    } catch (error) {
      this.#open -= 1;
      this.#waiting.shift()?.();
      throw error;
    }
  }

  freed(link: UpstreamLink): void {
    if (this.#free.length < this.#counts.free) this.#free.push(link);
    else link.socket.destroy();
    this.#waiting.shift()?.();
  }

  gone(link: UpstreamLink): void {
    this.#open -= 1;
    const at = this.#free.indexOf(link);
    if (at >= 0) this.#free.splice(at, 1);
    this.#waiting.shift()?.();
  }
}

const EMPTY = Buffer.alloc(0);

async function askUpgrade(
  link: UpstreamLink,
  request: CheckedRequest,
): Promise<Switched | UpstreamAnswer> {
  const { method, target } = request;
  const answer = link.ask({ method, isUpgrade: true, inform() {} });
  const headers = ["Host", authorityOf(request), ...handshakeFields(request)];
  link.out.begin(requestHead(method, target, headers), "raw");
  link.out.end(EMPTY, []);
  link.sent();
  const { message, body } = await answer;
  if (message.status === 101) return { headers: message.fields, socket: link.socket };
  return new Answer({ message, body });
}

function startCall(link: UpstreamLink, sending: Sending): UpstreamCall {
  const { request, body } = sending;
  const { method, target } = request;
  const isChunked = body === undefined && request.framing.kind === "chunked";
  const { isReused } = link;
  let question: Question | undefined;
  return {
    sink: link.out,
    isReused: () => isReused,
    async answer(inform) {
      question = { method, isUpgrade: false, inform };
      const answer = link.ask(question);
      link.out.begin(
        requestHead(method, target, headersOf(sending)),
        isChunked ? "chunked" : "raw",
      );
      return new Answer(await answer);
    },
    flush: () => link.out.flush(),
    end(last, trailers) {
      link.out.end(last ?? EMPTY, trailers);
      link.sent();
    },
    cut(error) {
      if (question !== undefined) link.abandon(question, error ?? new Error("it was cut"));
    },
  };
}

class Answer implements UpstreamAnswer {
  readonly status: number;
  readonly reason: string;
  readonly headers: RawHeaders;
  readonly isWhole: boolean;
  readonly body: IncomingBody;

  constructor({ message, body }: LinkAnswer) {
    const { status, reason, fields, framing } = message;
    this.status = status;
    this.reason = /^[\t\x20-\x7e]*$/.test(reason) ? reason : "";
    this.headers = fields;
    this.isWhole = framing.kind === "none";
    this.body = body;
  }

  whole(): Buffer | undefined {
    return this.body.whole();
  }

  broken(): Error | undefined {
    return this.body.broken;
  }

  trailers(): RawHeaders {
    return this.body.trailers;
  }
}

const WITHOUT_BODY: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "TRACE", "DELETE"]);

function headersOf({ request, body, trailerNames }: Sending): RawHeaders {
  const headers = ["Host", authorityOf(request), ...request.headers];
  if (body !== undefined) headers.push("Content-Length", String(body.length));
  else if (request.framing.kind === "length") {
    headers.push("Content-Length", String(request.framing.bytes));
  } else if (request.framing.kind === "chunked") {
    headers.push("Transfer-Encoding", "chunked");
    if (trailerNames.length > 0) headers.push("Trailer", trailerNames.join(", "));
  } else if (!WITHOUT_BODY.has(request.method)) {
    headers.push("Content-Length", "0"); // RFC 9110, 8.6: says that there is no body to wait for.
  }
  if (request.expectContinue && body === undefined) headers.push("Expect", "100-continue");
  // `TE` is for this hop, so it is said anew; the only coding that matters to anyone is trailers.
  if (request.wantsTrailers) headers.push("TE", "trailers", "Connection", "keep-alive, TE");
  return headers;
}
