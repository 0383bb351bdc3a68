/**
 * The server's side: requests over HTTP/1.1, and their answers message by message.
 *
 * @module
 */
import type { AgentOptions, IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { describeError, Fault } from "../../../base/index.ts";
import { EventStreamReader, type StreamEvent } from "../../../wire/index.ts";
import { attach, type Lease } from "../../../vault/index.ts";
import { headerPairs, type RawHeaders } from "../../http-headers.ts";
import type { GatewayLimits } from "../../limits.ts";

// Taken, not imported: an import reads every export, and one of them loads all of Node's own undici (0371).
const { Agent, request } = process.getBuiltinModule("node:http");

/** A connection on which the server has proved who it is, and the credential for it. */
export interface Link {
  readonly socket: Duplex;
  readonly lease: Lease | undefined;
}

/** One request to the server. */
export interface Sending {
  readonly method: "POST" | "GET" | "DELETE";
  readonly target: string;
  /** Fields without `Host`, framing and credential. */
  readonly headers: RawHeaders;
  readonly body?: Buffer;
}

/** What the server answered: its head, and what follows as text, event by event. */
export interface Answer {
  readonly status: number;
  readonly sessionId: string | undefined;
  readonly kind: "json" | "stream" | "none";
  /** Of JSON the one message; of a stream each event. Throws where it breaks off. */
  events(): AsyncIterable<StreamEvent>;
  cancel(): void;
  /** No more of it counts: a moment for its end, so that its connection can be used again. */
  finish(): Promise<void>;
}

const FINISH_MS = 250;

/** Longest message of a server that is read, in bytes. */
export const MESSAGE_BYTES_MAX = 16 << 20;
const SOCKETS_MAX = 8; // A stream, a call, and answers to what the server asks meanwhile.

/** Connections as they are needed, kept a moment for the next request. */
class Links extends Agent {
  readonly #open: () => Promise<Link>;
  lease: Lease | undefined;

  constructor(open: () => Promise<Link>, options: AgentOptions) {
    super(options);
    this.#open = open;
  }

  override createConnection(
    _options: unknown,
    created?: (error: Error | null, stream: Duplex) => void,
  ): undefined {
    this.#open().then(
      ({ socket, lease }) => {
        this.lease = lease;
        created?.(null, socket);
      },
      // Node's own form of it: an error, and no stream.
      (error: Error) => (created as ((error: Error) => void) | undefined)?.(error),
    );
    return undefined;
  }
}

export interface UpstreamOptions {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  readonly limits: GatewayLimits;
  /** Opens one more connection. */
  open(): Promise<Link>;
  /** The time, for credentials that are computed from it. */
  wallMs(): number;
}

export class Upstream {
  readonly #options: UpstreamOptions;
  readonly #links: Links;
  #first: Promise<Link> | undefined;
  #isBare = false;

  constructor(options: UpstreamOptions) {
    this.#options = options;
    const { upstreamIdleMs: timeout } = options.limits;
    this.#links = new Links(() => this.#next(), {
      keepAlive: true,
      maxSockets: SOCKETS_MAX,
      maxFreeSockets: 1,
      timeout,
    });
  }

  /** A connection is made before the first request: its credential is part of the request. */
  #next(): Promise<Link> {
    const first = this.#first;
    this.#first = undefined;
    return first ?? this.#options.open();
  }

  async #lease(): Promise<Lease | undefined> {
    if (this.#links.lease === undefined && this.#first === undefined && !this.#isBare) {
      this.#first = this.#options.open();
      this.#first.catch(() => {});
      const { lease } = await this.#first;
      this.#links.lease = lease;
      this.#isBare = lease === undefined;
    }
    return this.#links.lease;
  }
  /** What must not be echoed by the server. */
  get secrets(): readonly string[] {
    return this.#links.lease?.secrets ?? [];
  }

  /**
   * Sends, and resolves with the head of the answer.
   *
   * @throws {Fault} `gateway.mcp_answer` where the answer is none; those of connecting.
   */
  async send({ method, target, headers, body }: Sending): Promise<Answer> {
    const lease = await this.#lease();
    const { host, port, tls, limits } = this.#options;
    const authority = port === (tls ? 443 : 80) ? host : `${host}:${port}`;
    const bare = { method, target, headers: [...headers], ...(body === undefined ? {} : { body }) };
    const sent = lease === undefined ? bare : attach(bare, lease, "", this.#options.wallMs());
    const fields = [
      ...["Host", authority],
      ...sent.headers,
      ...["Accept-Encoding", "identity"],
      ...(body === undefined ? [] : ["Content-Length", String(body.length)]),
    ];
    const message = await new Promise<IncomingMessage>((resolve, reject) => {
      const asked = request({
        agent: this.#links,
        ...{ host, port, method, path: sent.target, headers: fields },
        setDefaultHeaders: false,
        maxHeaderSize: limits.responseHeadBytes,
      });
      asked.setTimeout(limits.exchangeIdleMs, () => asked.destroy(new Error("no answer in time")));
      asked.once("response", resolve);
      asked.on("error", reject);
      asked.end(body);
    }).catch((error: unknown) => {
      if (error instanceof Fault) throw error;
      throw new Fault("gateway.mcp_answer", `the server did not answer: ${describeError(error)}`);
    });
    return answerOf(message);
  }

  close(): void {
    this.#links.destroy();
    this.#first?.then(({ socket }) => socket.destroy()).catch(() => {});
  }
}

const SESSION_ID = /^[\x21-\x7e]{1,256}$/; // 2025-11-25, "Session management": visible ASCII.

function answerOf(message: IncomingMessage): Answer {
  const pairs = headerPairs(message.rawHeaders);
  const one = (name: string) => {
    const values = pairs.filter(([field]) => field === name).map(([, value]) => value);
    return values.length === 1 ? values[0] : undefined;
  };
  message.on("error", () => {}); // Whoever reads it is told.
  const type = (one("content-type") ?? "").split(";")[0]?.trim().toLowerCase();
  const coding = one("content-encoding");
  const isPlain = coding === undefined || coding.toLowerCase() === "identity";
  const kind = !isPlain
    ? "none"
    : type === "text/event-stream"
      ? "stream"
      : type === "application/json"
        ? "json"
        : "none";
  const id = one("mcp-session-id");
  return {
    status: message.statusCode ?? 0,
    sessionId: id !== undefined && SESSION_ID.test(id) ? id : undefined,
    kind,
    events: () => (kind === "stream" ? readStream(message) : readWhole(message)),
    cancel: () => void message.destroy(),
    finish: () => finish(message),
  };
}

function finish(message: IncomingMessage): Promise<void> {
  if (message.readableEnded || message.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      if (!message.readableEnded) message.destroy();
      resolve();
    };
    const timer = setTimeout(done, FINISH_MS);
    message.once("end", done).once("close", done).resume();
  });
}

/** Leaving off early does not cut the connection: {@link Answer.finish} may still see its end. */
function chunksOf(message: IncomingMessage): AsyncIterable<Buffer> {
  return message.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
}

async function* readStream(message: IncomingMessage): AsyncGenerator<StreamEvent> {
  const reader = new EventStreamReader(MESSAGE_BYTES_MAX);
  for await (const chunk of chunksOf(message)) yield* reader.push(chunk);
}

async function* readWhole(message: IncomingMessage): AsyncGenerator<StreamEvent> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of chunksOf(message)) {
    bytes += chunk.length;
    if (bytes > MESSAGE_BYTES_MAX) {
      message.destroy();
      throw new Fault(
        "gateway.mcp_answer",
        `the server's answer has more than ${MESSAGE_BYTES_MAX} bytes`,
      );
    }
    chunks.push(chunk);
  }
  if (bytes > 0) yield { data: Buffer.concat(chunks).toString("utf8") };
}
