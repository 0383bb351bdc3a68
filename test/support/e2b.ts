/**
 * The adapter for E2B's clients as a process, for tests.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { request as ask, type IncomingHttpHeaders } from "node:http";
import { createInterface } from "node:readline";
import type { TestHome } from "./home.ts";

export interface OpenAdapter {
  readonly origin: string;
  readonly child: ChildProcess;
  close(signal?: NodeJS.Signals): Promise<void>;
}

/** Starts `cofferdam e2b ARGS`, and waits until it listens. */
export async function openAdapter(home: TestHome, args: readonly string[]): Promise<OpenAdapter> {
  const child = home.spawn(["e2b", ...args]);
  let err = "";
  child.stderr?.on("data", (data: Buffer) => (err += data.toString()));
  assert.ok(child.stdout !== null);
  const lines = createInterface({ input: child.stdout });
  let origin = "";
  for await (const line of lines) {
    origin = /^e2b: (http:\/\/127\.0\.0\.1:\d+)$/.exec(line)?.[1] ?? "";
    if (origin !== "") break;
  }
  assert.notEqual(origin, "", err);
  const close = async (signal: NodeJS.Signals = "SIGINT") => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const closed = once(child, "close");
    child.kill(signal);
    child.stdout?.resume();
    await closed;
  };
  return { origin, child, close };
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** Sends what no client would; `path` goes out as it is. */
export async function raw(
  origin: string,
  path: string,
  {
    method = "GET",
    headers = {},
    body,
  }: {
    readonly method?: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: string | Buffer;
  } = {},
): Promise<RawAnswer> {
  const { hostname, port } = new URL(origin);
  return new Promise((resolve, reject) => {
    const sent = ask({ hostname, port, path, method, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (data: Buffer) => chunks.push(data));
      response.on("error", reject);
      response.on("end", () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text: Buffer.concat(chunks).toString(),
        }),
      );
    });
    sent.on("error", reject);
    sent.end(body);
  });
}
