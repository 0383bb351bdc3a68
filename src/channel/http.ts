/**
 * One request to a channel's service. Nothing is followed, little is read, and no secret is in what is thrown:
 * the path holds one.
 *
 * @module
 */
import { request } from "undici";
import { describeError, Fault, visibleLine } from "../base/index.ts";
import { RateFault } from "./channel.ts";

const ANSWER_BYTES_MAX = 4 << 20; // Hundred updates of Telegram, each with a long message.
const TIMEOUT_MS = 30_000;
const DETAIL_CHARS_MAX = 200;
/** What we wait where a service says that we are too fast, and not for how long; and the longest. */
const RATE_WAIT_MS = 30_000;
const RATE_WAIT_MS_MAX = 3_600_000;

export interface ApiCall {
  /** Without a slash at its end. */
  readonly api: string;
  readonly path: string;
  readonly method: "GET" | "POST";
  /** Sent as JSON. */
  readonly json?: unknown;
  readonly bearer?: string;
  /** How long the service may take on purpose. */
  readonly waitMs?: number;
  readonly signal: AbortSignal;
  readonly secrets: readonly string[];
}

export interface ApiAnswer {
  readonly status: number;
  readonly text: string;
}

/** @throws {Fault} `channel.unreachable` where no answer comes; `channel.rate` at status 429. */
export async function callApi(call: ApiCall): Promise<ApiAnswer> {
  const { api, path, method, json, bearer, waitMs = 0, signal, secrets } = call;
  const timeout = AbortSignal.timeout(TIMEOUT_MS + waitMs);
  try {
    const answer = await request(`${api}${path}`, {
      method,
      headers: {
        accept: "application/json",
        ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
        ...(json === undefined ? {} : { "content-type": "application/json; charset=utf-8" }),
      },
      ...(json === undefined ? {} : { body: JSON.stringify(json) }),
      headersTimeout: TIMEOUT_MS + waitMs,
      signal: AbortSignal.any([signal, timeout]),
    });
    const text = await readAll(answer.body);
    if (answer.statusCode === 429) {
      throw new RateFault(`${new URL(api).host} asks us to wait`, waitOf(answer.headers, text));
    }
    if (answer.statusCode >= 500) throw new Error(`status ${answer.statusCode}`);
    return { status: answer.statusCode, text };
  } catch (cause) {
    if (cause instanceof Fault) throw cause;
    const why = timeout.aborted ? "no answer in time" : describeError(cause);
    // The cause is left out: it may hold the address with the token in it.
    throw new Fault("channel.unreachable", told(api, why, secrets));
  }
}

/** @throws {Fault} `channel.api` where it is no JSON. */
export function parseJson(text: string, api: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw apiFault(api, "the answer is not JSON", []);
  }
}

/** The service answered, and it was a no. */
export function apiFault(api: string, why: string, secrets: readonly string[]): Fault {
  return new Fault("channel.api", told(api, why, secrets));
}

/** In words that may be shown. */
function told(api: string, why: string, secrets: readonly string[]): string {
  const bare = secrets.reduce((text, one) => text.replaceAll(one, "***"), why);
  const short = visibleLine(bare).slice(0, DETAIL_CHARS_MAX);
  return `${new URL(api).host}: ${short}`;
}

async function readAll(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > ANSWER_BYTES_MAX) throw new Error("an answer above 4 MiB");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** Seconds, in `Retry-After` (RFC 9110, 10.2.3) or where Telegram has them: `parameters.retry_after`. */
function waitOf(headers: Readonly<Record<string, unknown>>, text: string): number {
  const own = /"retry_after"\s*:\s*(\d{1,6})/.exec(text)?.[1];
  const seconds = Number(headers["retry-after"] ?? own ?? "");
  if (!(seconds > 0)) return RATE_WAIT_MS;
  return Math.min(seconds * 1000, RATE_WAIT_MS_MAX);
}
