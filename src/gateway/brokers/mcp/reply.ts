/**
 * The agent's side of one HTTP exchange: one JSON message, or a stream of events.
 *
 * @module
 */
import { once } from "node:events";
import type { ServerResponse } from "node:http";
import type { Json } from "../../../action/index.ts";
import { printEvent, type StreamEvent } from "../../../wire/index.ts";
import type { Id, Members } from "./terms.ts";

/** JSON-RPC's own codes, and those that MCP adds. */
export const CODES = {
  parse: -32700,
  request: -32600,
  params: -32602,
  internal: -32603,
  /** Cofferdam's no; of the range that JSON-RPC leaves to implementations. */
  denied: -32001,
  header: -32020,
} as const;

/** An error as it stands in an answer. */
export function errorBody(id: Id | null, code: number, message: string, data?: Json): string {
  return JSON.stringify({
    jsonrpc: "2.0",
    id,
    error: { code, message, ...(data === undefined ? {} : { data }) },
  });
}

export class Reply {
  readonly #response: ServerResponse;
  /** Fields of the server's that the agent needs. */
  sessionId: string | undefined;

  constructor(response: ServerResponse) {
    this.#response = response;
  }

  get isOver(): boolean {
    return this.#response.writableEnded || this.#response.destroyed;
  }

  get isBegun(): boolean {
    return this.#response.headersSent;
  }

  onGone(done: () => void): void {
    this.#response.once("close", done);
  }

  /** Answers with one message. */
  json(text: string, status = 200): void {
    if (this.isOver) return;
    if (this.isBegun) {
      this.#response.end(printEvent({ event: "message", data: text }));
      return;
    }
    const body = Buffer.from(text);
    this.#response.writeHead(status, [
      ...["Content-Type", "application/json"],
      ...["Content-Length", String(body.length)],
      ...this.#fields(),
    ]);
    this.#response.end(body);
  }

  /** `id` is null where the request's own is not known. */
  error(id: Id | null, code: number, message: string, more: ErrorOptions = {}): void {
    this.json(errorBody(id, code, message, more.data), more.status ?? 200);
  }

  result(id: Id, result: Members): void {
    this.json(JSON.stringify({ jsonrpc: "2.0", id, result }));
  }

  empty(status: number): void {
    if (this.isOver || this.isBegun) return;
    this.#response.writeHead(status, ["Content-Length", "0", ...this.#fields()]);
    this.#response.end();
  }

  /** From here on events. */
  stream(): void {
    if (this.isBegun) return;
    this.#response.writeHead(200, [
      ...["Content-Type", "text/event-stream"],
      ...["Cache-Control", "no-cache, no-transform"],
      ...this.#fields(),
    ]);
    this.#response.flushHeaders();
  }

  async event(event: StreamEvent): Promise<void> {
    if (this.isOver) return;
    this.stream();
    if (!this.#response.write(printEvent(event))) {
      await Promise.race([once(this.#response, "drain"), once(this.#response, "close")]);
    }
  }

  end(): void {
    if (!this.isOver) this.#response.end();
  }

  #fields(): string[] {
    return this.sessionId === undefined ? [] : ["Mcp-Session-Id", this.sessionId];
  }
}

interface ErrorOptions {
  readonly status?: number;
  readonly data?: Json;
}
