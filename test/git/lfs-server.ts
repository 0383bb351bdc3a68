/** A small server of large files (LFS): the batch API, locks, and the basic transfer, there or at another host. */
import { hash } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

const TYPE = "application/vnd.git-lfs+json";

/** Speaks as two hosts at one port: the API at any repository of one, files at both. */
export class LfsServer {
  readonly objects = new Map<string, Buffer>();
  readonly locks = new Map<string, string>();
  readonly seen: string[] = [];
  /** Where files go: below the repository's own API, or at another host. */
  elsewhere: string | undefined;
  readonly #login: string;
  readonly #server = createServer((request, response) => void this.#answer(request, response));

  constructor(user: string, password: string) {
    this.#login = `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
  }

  async listen(): Promise<number> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    return (this.#server.address() as AddressInfo).port;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "", url = "", headers } = request;
    this.seen.push(`${method} ${url}`);
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer);
    } catch {
      return; // It broke off, and nothing of it is kept.
    }
    const body = Buffer.concat(chunks);
    const say = (status: number, value: unknown) =>
      response.writeHead(status, { "content-type": TYPE }).end(JSON.stringify(value));
    const isFile = url.startsWith("/storage/");
    if (isFile ? headers["x-token"] !== "for-files" : headers.authorization !== this.#login) {
      response.writeHead(isFile ? 403 : 401).end();
      return;
    }
    const [, oid = ""] = /\/([0-9a-f]{64})(?:\?.*)?$/.exec(url) ?? [];
    if (method === "PUT") {
      // Trusting, as a server should not be: what arrives is kept under the name it came by.
      this.objects.set(oid, body);
      response.writeHead(200).end();
    } else if (method === "GET" && oid !== "") {
      const object = this.objects.get(oid);
      response.writeHead(object === undefined ? 404 : 200).end(object);
    } else if (url.endsWith("/objects/batch")) say(200, this.#batch(url, body, headers.host ?? ""));
    else if (url.endsWith("/locks") && method === "POST") {
      const { path } = JSON.parse(body.toString()) as { path: string };
      const id = hash("sha1", path).slice(0, 8);
      this.locks.set(id, path);
      say(201, { lock: lock(id, path) });
    } else if (url.endsWith("/unlock")) {
      const id = url.split("/").at(-2) ?? "";
      const path = this.locks.get(id) ?? "";
      this.locks.delete(id);
      say(200, { lock: lock(id, path) });
    } else if (url.endsWith("/locks/verify")) {
      say(200, { ours: [...this.locks].map(([id, path]) => lock(id, path)), theirs: [] });
    } else if (/\/locks(\?|$)/.test(url)) {
      say(200, { locks: [...this.locks].map(([id, path]) => lock(id, path)) });
    } else response.writeHead(404).end();
  }

  #batch(url: string, body: Buffer, host: string): unknown {
    const { operation, objects } = JSON.parse(body.toString()) as {
      operation: "upload" | "download";
      objects: { oid: string; size: number }[];
    };
    const own = `http://${host}${url.replace(/\/batch$/, "")}`;
    const place = this.elsewhere === undefined ? own : `${this.elsewhere}/storage/a/b`;
    const header = this.elsewhere === undefined ? {} : { "X-Token": "for-files" };
    return {
      transfer: "basic",
      objects: objects.map(({ oid, size }) => ({
        oid,
        size,
        actions: { [operation]: { href: `${place}/${oid}?signature=x`, header } },
      })),
    };
  }
}

function lock(id: string, path: string): unknown {
  return { id, path, locked_at: "2026-01-01T00:00:00Z", owner: { name: "bot" } };
}
