/**
 * git's own HTTP server (git-http-backend) in the test world, behind a bridge of CGI (RFC 3875). Whoever comes may
 * push.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

/** A running server. */
export interface GitServer {
  close(): void;
}

/** Serves the repositories below `root`. */
export async function serveGit(root: string, address: string, port: number): Promise<GitServer> {
  const server = createServer((request, response) => answer(root, request, response));
  server.listen(port, address);
  await once(server, "listening");
  return {
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

function answer(root: string, request: IncomingMessage, response: ServerResponse): void {
  const { method = "", url = "", headers } = request;
  const [path = "", query = ""] = url.split("?");
  const given = {
    CONTENT_TYPE: headers["content-type"],
    CONTENT_LENGTH: headers["content-length"],
    HTTP_CONTENT_ENCODING: headers["content-encoding"],
    GIT_PROTOCOL: headers["git-protocol"]?.toString(),
  };
  const child = spawn("git", ["http-backend"], {
    env: {
      PATH: process.env["PATH"],
      HOME: "/nonexistent",
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: "1",
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_CONFIG_COUNT: "1",
      GIT_CONFIG_KEY_0: "safe.directory",
      GIT_CONFIG_VALUE_0: "*",
      REMOTE_USER: "agent",
      REMOTE_ADDR: "127.0.0.1",
      PATH_INFO: decodeURIComponent(path),
      QUERY_STRING: query,
      REQUEST_METHOD: method,
      ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
    },
    stdio: ["pipe", "pipe", "ignore"],
  });
  child.on("error", () => response.destroy());
  child.stdin.on("error", () => {}); // It need not read to the end.
  request.pipe(child.stdin);
  const out: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
  child.on("close", () => {
    const all = Buffer.concat(out);
    const end = Math.max(all.indexOf("\r\n\r\n"), 0);
    let status = 200;
    for (const line of all.toString("latin1", 0, end).split("\r\n")) {
      const [name = "", value = ""] = line.split(/: (.*)/s);
      if (name.toLowerCase() === "status") status = Number.parseInt(value, 10);
      else if (name !== "") response.setHeader(name, value);
    }
    response.writeHead(status).end(all.subarray(end + 4));
  });
}
