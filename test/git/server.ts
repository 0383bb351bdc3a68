/** git's own HTTP server (git-http-backend) behind a bridge of CGI (RFC 3875), which asks for a login. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What came to the server. */
export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly authorization: string;
  readonly bytes: number;
}

/** Serves the repositories below `root`, on a port of the loopback. */
export class GitServer {
  readonly seen: Seen[] = [];
  readonly #server: Server;
  readonly #root: string;
  readonly #login: string;

  constructor(root: string, user: string, password: string) {
    this.#root = root;
    this.#login = `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
    this.#server = createServer((request, response) => this.#answer(request, response));
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

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const { method = "", url = "", headers } = request;
    const authorization = headers.authorization ?? "";
    if (authorization !== this.#login) {
      request.resume();
      response.writeHead(401, { "www-authenticate": 'Basic realm="git"' }).end();
      return;
    }
    const [path = "", query = ""] = url.split("?");
    const child = spawn("git", ["http-backend"], {
      env: {
        PATH: process.env["PATH"],
        GIT_PROJECT_ROOT: this.#root,
        GIT_HTTP_EXPORT_ALL: "1",
        // The repositories belong to whoever runs the test, and no configuration of the host counts.
        ...{ GIT_CONFIG_NOSYSTEM: "1", HOME: "/nonexistent", GIT_CONFIG_COUNT: "1" },
        ...{ GIT_CONFIG_KEY_0: "safe.directory", GIT_CONFIG_VALUE_0: "*" },
        REMOTE_USER: "agent",
        REMOTE_ADDR: "127.0.0.1",
        PATH_INFO: decodeURIComponent(path),
        QUERY_STRING: query,
        REQUEST_METHOD: method,
        CONTENT_TYPE: headers["content-type"] ?? "",
        ...(headers["content-length"] === undefined
          ? {}
          : { CONTENT_LENGTH: headers["content-length"] }),
        ...(headers["content-encoding"] === undefined
          ? {}
          : { HTTP_CONTENT_ENCODING: headers["content-encoding"] }),
        ...(typeof headers["git-protocol"] === "string"
          ? { GIT_PROTOCOL: headers["git-protocol"], HTTP_GIT_PROTOCOL: headers["git-protocol"] }
          : {}),
      },
      stdio: ["pipe", "pipe", "ignore"],
    });
    let bytes = 0;
    request.on("data", (chunk: Buffer) => (bytes += chunk.length));
    request.on("end", () => this.seen.push({ method, url, authorization, bytes }));
    request.pipe(child.stdin);
    child.stdin.on("error", () => {});
    const out: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
    child.on("close", () => {
      const all = Buffer.concat(out);
      const end = all.indexOf("\r\n\r\n");
      const head = all.toString("latin1", 0, Math.max(end, 0)).split("\r\n");
      let status = 200;
      for (const line of head) {
        const colon = line.indexOf(":");
        const [name, value] = [line.slice(0, colon), line.slice(colon + 1).trim()];
        if (name.toLowerCase() === "status") status = Number.parseInt(value, 10);
        else if (name !== "") response.setHeader(name, value);
      }
      response.writeHead(status);
      response.end(all.subarray(end + 4));
    });
  }
}
