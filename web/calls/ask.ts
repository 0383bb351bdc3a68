/**
 * Asking the console's server: the control contract over `POST /api/NAME`, typed by the very tables that it serves.
 *
 * @module
 */
import type { Answers, ApiName, Asks, StreamingName } from "../../src/api/index.ts";

import {
  forgetPageKey,
  keepPageKey,
  keyHashOf,
  newPageKey,
  pageKey,
  PAGE_KEY_HEADER,
} from "./key.ts";

interface Refusal {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
}

/** A refusal, as the server words it. */
export class ApiFault extends Error {
  readonly code: string;
  readonly hint: string | undefined;
  readonly status: number;

  constructor(status: number, body: Refusal) {
    super(body.message);
    this.name = "ApiFault";
    this.code = body.code;
    this.hint = body.hint;
    this.status = status;
  }
}

/** @throws {ApiFault} what the server refuses; `web.unreachable` where it does not answer. */
export async function ask<Name extends ApiName>(
  name: Name,
  asks: Asks<Name>,
  signal?: AbortSignal,
): Promise<Answers<Name>> {
  const response = await post(`/api/${name}`, asks, signal);
  return (await response.json()) as Answers<Name>;
}

/** What a streaming endpoint gives, as it comes; leaving the loop ends it. */
export async function* askStream<Name extends StreamingName>(
  name: Name,
  asks: Asks<Name>,
  signal?: AbortSignal,
): AsyncIterable<Answers<Name>> {
  const ending = new AbortController();
  signal?.addEventListener("abort", () => ending.abort(), { once: true });
  try {
    const response = await post(`/api/${name}`, asks, ending.signal);
    let rest = "";
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { done = true, value = "" } = (await reader?.read()) ?? {};
      const lines = (rest + value).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) yield valueOf(line) as Answers<Name>;
      if (done) return;
    }
  } finally {
    ending.abort();
  }
}

/** One line of a stream. @throws {ApiFault} where it is the last, and says what went wrong. */
function valueOf(line: string): unknown {
  const value = JSON.parse(line) as unknown;
  if (typeof value === "object" && value !== null && "fault" in value) {
    throw new ApiFault(200, value.fault as Refusal);
  }
  return value;
}

/** Takes a link's token for a session. */
export async function signInByLink(link: string): Promise<void> {
  await signIn("/session/link", { link });
}

export type SignatureAsk = Answers<"passkey.prove">;
export type Proof = NonNullable<Asks<"approvals.approve">["proof"]>;

/** What a passkey has to sign to sign in. */
export async function askToSignIn(): Promise<SignatureAsk> {
  return (await (await post("/session/passkey/ask", {})).json()) as SignatureAsk;
}

/** Takes a passkey's signature for a session. */
export async function signInByProof(proof: Proof): Promise<void> {
  await signIn("/session/passkey", { proof });
}

/** Leaves for the provider, from where one comes back signed in. */
export async function signInAtProvider(): Promise<void> {
  const key = newPageKey();
  const hash = await keyHashOf(key);
  keepPageKey(key);
  location.assign(`/session/oidc?key=${hash}`);
}

/** Ends the session; its key opens nothing any more, and is forgotten. */
export async function signOut(): Promise<void> {
  await ask("session.end", {});
  forgetPageKey();
}

/** Each session has a key of its own, kept once it has begun: where that fails, what there is goes on. */
async function signIn(path: string, body: unknown): Promise<void> {
  const key = newPageKey();
  await post(path, body, undefined, key);
  keepPageKey(key);
}

/** How one may sign in here. */
export interface Offers {
  readonly links: boolean;
  readonly oidc: boolean;
}

export async function offers(): Promise<Offers> {
  return (await (await post("/session/offers", {})).json()) as Offers;
}

async function post(
  path: string,
  body: unknown,
  signal?: AbortSignal,
  key = pageKey(),
): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, {
      method: "POST",
      headers: { "content-type": "application/json", [PAGE_KEY_HEADER]: key },
      body: JSON.stringify(body),
      ...(signal === undefined ? {} : { signal }),
    });
  } catch (cause) {
    if (signal?.aborted === true) throw cause;
    throw new ApiFault(0, {
      code: "web.unreachable",
      message: "the console does not answer",
      hint: "is `cofferdam console` still running?",
    });
  }
  if (response.ok) return response;
  throw new ApiFault(response.status, (await response.json()) as { code: string; message: string });
}
