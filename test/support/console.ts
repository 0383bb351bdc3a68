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

/** What a page's origin keeps; any will do. */
const KEY = "k".repeat(43);

/** Somebody who is signed in. */
export class Visitor {
  readonly origin: string;
  readonly cookie: string;
  /** Every answer so far, as bytes came: what must never be in one is looked for here. */
  said = "";

  constructor(origin: string, cookie: string) {
    this.origin = origin;
    this.cookie = cookie;
  }

  async ask<Name extends ApiName>(name: Name, asks: Asks<Name>): Promise<Answers<Name>> {
    const response = await this.post(`/api/${name}`, JSON.stringify(asks));
    const text = await response.text();
    this.said += text;
    assert.equal(response.status, 200, `${name}: ${text}`);
    return JSON.parse(text) as Answers<Name>;
  }

  /** The refusal of what is refused. */
  async refusal(name: string, asks: unknown): Promise<{ code: string; message: string }> {
    const response = await this.post(`/api/${name}`, JSON.stringify(asks));
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
    const response = await this.post(`/api/${name}`, JSON.stringify(asks), {}, signal);
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

  /** Posts `body` as it is, as a page of the console does; `headers` over its own. */
  async post(
    path: string,
    body: string,
    headers: Readonly<Record<string, string>> = {},
    signal?: AbortSignal,
  ): Promise<Response> {
    return fetch(new URL(path, this.origin), {
      method: "POST",
      headers: {
        ...{ origin: this.origin, "content-type": "application/json" },
        ...{ cookie: this.cookie, "x-cofferdam-key": KEY },
        ...headers,
      },
      body,
      ...(signal === undefined ? {} : { signal }),
    });
  }
}

/** A console, and the first who came in. */
export class AskedConsole extends Visitor {
  readonly #child: ChildProcess;

  constructor(child: ChildProcess, { origin, cookie }: Visitor) {
    super(origin, cookie);
    this.#child = child;
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
  return new AskedConsole(child, await signIn(await told(child)));
}

/** Somebody more, by a further link; `args` are of `cofferdam console --link`. */
export async function visit(home: TestHome, args: readonly string[]): Promise<Visitor> {
  const { stdout, stderr } = await home.call(["console", "--link", ...args]);
  const link = /^sign in: (\S+)$/m.exec(stdout)?.[1];
  assert.ok(link !== undefined, stdout + stderr);
  return signIn(link);
}

/** Takes a link as its page does. */
export async function signIn(href: string): Promise<Visitor> {
  const { origin, hash } = new URL(href);
  const body = JSON.stringify({ link: hash.replace("#link=", "") });
  const response = await new Visitor(origin, "").post("/session/link", body);
  assert.equal(response.status, 200, await response.text());
  const [cookie = ""] = (response.headers.getSetCookie()[0] ?? "").split(";");
  return new Visitor(origin, cookie);
}

/** The link that a console prints when it is open. */
export async function told(child: ChildProcess): Promise<string> {
  let [out, err] = ["", ""];
  child.stderr?.on("data", (data: Buffer) => (err += data.toString()));
  const found = Promise.withResolvers<string>();
  child.stdout?.on("data", (data: Buffer) => {
    out += data.toString();
    const link = /^sign in: (\S+)$/m.exec(out)?.[1];
    if (link !== undefined) found.resolve(link);
  });
  child.once("exit", (code) =>
    found.reject(new Error(`cofferdam console ended with ${code}: ${out}${err}`)),
  );
  return found.promise;
}
