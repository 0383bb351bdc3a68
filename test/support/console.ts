/**
 * A console that is asked over HTTP as its pages do, without a browser.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import type { Answers, ApiName, Asks, StreamingName } from "../../src/api/index.ts";
import type { TestHome } from "./home.ts";

export class AskedConsole {
  readonly #child: ChildProcess;
  readonly #origin: string;
  readonly #cookie: string;
  /** Every answer so far, as bytes came: what must never be in one is looked for here. */
  said = "";

  constructor(child: ChildProcess, origin: string, cookie: string) {
    this.#child = child;
    this.#origin = origin;
    this.#cookie = cookie;
  }

  async ask<Name extends ApiName>(name: Name, asks: Asks<Name>): Promise<Answers<Name>> {
    const response = await this.#post(`/api/${name}`, asks);
    const text = await response.text();
    this.said += text;
    assert.equal(response.status, 200, `${name}: ${text}`);
    return JSON.parse(text) as Answers<Name>;
  }

  /** The refusal of what is refused. */
  async refusal(name: string, asks: unknown): Promise<{ code: string; message: string }> {
    const response = await this.#post(`/api/${name}`, asks);
    const text = await response.text();
    this.said += text;
    assert.notEqual(response.status, 200, `${name} was answered: ${text}`);
    return JSON.parse(text) as { code: string; message: string };
  }

  async *stream<Name extends StreamingName>(
    name: Name,
    asks: Asks<Name>,
    signal?: AbortSignal,
  ): AsyncIterable<Answers<Name>> {
    const response = await this.#post(`/api/${name}`, asks, signal);
    assert.equal(response.status, 200, name);
    assert.ok(response.body !== null);
    for await (const line of createInterface({ input: Readable.fromWeb(response.body) })) {
      this.said += `${line}\n`;
      const value = JSON.parse(line) as
        | Answers<Name>
        | { fault: { code: string; message: string } };
      if ("fault" in value) throw Object.assign(new Error(value.fault.message), value.fault);
      yield value;
    }
  }

  /** All that a stream gives. */
  async all<Name extends StreamingName>(
    name: Name,
    asks: Asks<Name>,
  ): Promise<readonly Answers<Name>[]> {
    const all: Answers<Name>[] = [];
    for await (const one of this.stream(name, asks)) all.push(one);
    return all;
  }

  async #post(path: string, body: unknown, signal?: AbortSignal): Promise<Response> {
    return post(this.#origin, path, body, { cookie: this.#cookie }, signal);
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    this.#child.kill("SIGTERM");
    await once(this.#child, "exit");
  }
}

/** Opens a console over `home`, signed in by its link. */
export async function openAsked(
  home: TestHome,
  args: readonly string[] = [],
): Promise<AskedConsole> {
  const child = home.spawn(["console", ...args]);
  const { origin, link } = await told(child);
  const signedIn = await post(origin, "/session", { link });
  assert.equal(signedIn.status, 200, await signedIn.text());
  const [cookie = ""] = (signedIn.headers.getSetCookie()[0] ?? "").split(";");
  return new AskedConsole(child, origin, cookie);
}

async function post(
  origin: string,
  path: string,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
  signal?: AbortSignal,
): Promise<Response> {
  return fetch(new URL(path, origin), {
    method: "POST",
    headers: { ...headers, origin, "content-type": "application/json" },
    body: JSON.stringify(body),
    ...(signal === undefined ? {} : { signal }),
  });
}

async function told(child: ChildProcess): Promise<{ origin: string; link: string }> {
  let [out, err] = ["", ""];
  child.stderr?.on("data", (data: Buffer) => (err += data.toString()));
  const found = Promise.withResolvers<{ origin: string; link: string }>();
  child.stdout?.on("data", (data: Buffer) => {
    out += data.toString();
    const origin = /^console: (\S+)$/m.exec(out)?.[1];
    const link = /^sign in: \S+#link=(\S+)$/m.exec(out)?.[1];
    if (origin !== undefined && link !== undefined) found.resolve({ origin, link });
  });
  child.once("exit", (code) =>
    found.reject(new Error(`cofferdam console ended with ${code}: ${out}${err}`)),
  );
  return found.promise;
}
