/**
 * Plain HTTP, known only by its method: what a request to a system that has no catalog of its own is.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { hideSecrets, visible } from "./secrets.ts";
import { effectsOfMethod, type Effect, type Json } from "../action/index.ts";

/** A request as it will be sent. */
export interface HttpRequest {
  /** As sent: methods are case-sensitive (RFC 9110, 9.1). */
  readonly method: string;
  readonly scheme: "http" | "https";
  readonly host: string;
  readonly port: number;
  /** The request target without its query. */
  readonly path: string;
  /** Without the question mark; empty where there is none. */
  readonly query: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** The whole body, where it was read. */
  readonly body?: Uint8Array | undefined;
  /** What the connection becomes where the server agrees. */
  readonly upgrade?: "websocket" | undefined;
}

/** What an Action says of a request: the part that depends on the kind of system. */
export interface Description {
  readonly verb: string;
  readonly effects: readonly Effect[];
  /** The URL without its query. */
  readonly target: string;
  /** One sentence for a person. */
  readonly summary: string;
  readonly fields: Readonly<Record<string, Json>>;
}

const TARGET_CHARS_MAX = 200; // In the sentence; `target` and `fields` have it in full.
const DEFAULT_PORTS: Readonly<Record<string, number>> = { http: 80, https: 443 };

/** Describes a request. Effects are the method's; a rule of the task file may say otherwise. */
export function describeHttp(request: HttpRequest): Description {
  const { method, scheme, host, port, path, query, headers, body, upgrade } = request;
  const authority = DEFAULT_PORTS[scheme] === port ? host : `${host}:${port}`;
  const target = `${scheme}://${authority}${path}`;
  const contentType = headers["content-type"];
  return {
    verb: upgrade ?? method,
    // A WebSocket carries messages both ways, whatever the method that opens it.
    effects: upgrade === undefined ? effectsOfMethod(method) : ["write"],
    target,
    summary: summarize(upgrade ?? method, target, body),
    fields: {
      method,
      scheme,
      host,
      port,
      path,
      query: hideSecrets(query),
      ...(upgrade === undefined ? {} : { upgrade }),
      ...(typeof contentType === "string" ? { contentType } : {}),
      ...(body === undefined
        ? {}
        : { bodyBytes: body.length, bodySha256: createHash("sha256").update(body).digest("hex") }),
    },
  };
}

const WORDS: Readonly<Record<string, string>> = {
  GET: "Read",
  HEAD: "Look at",
  OPTIONS: "Ask about",
  POST: "Send to",
  PUT: "Replace",
  PATCH: "Change",
  DELETE: "Delete",
  websocket: "Talk both ways with",
};

function summarize(method: string, target: string, body: Uint8Array | undefined): string {
  const word = WORDS[method] ?? "Do something unknown to";
  const object =
    target.length > TARGET_CHARS_MAX ? `${target.slice(0, TARGET_CHARS_MAX)}...` : target;
  const size = body === undefined || body.length === 0 ? "" : ` with ${body.length} bytes`;
  return visible(`${word} ${object}${size} (${method.slice(0, 32)})`);
}
