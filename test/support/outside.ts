/**
 * The outside of the tests of tools and agents: one HTTPS server on loopback for every name that the task grants, with
 * registries, a git server and a web page.
 *
 * @module
 */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { createTestCertificate } from "../../drills/world/index.ts";
import { registryPages } from "./registries.ts";

export const GIT_HOST = "git.example.com";
export const WEB_HOST = "web.example.com";
export const PAGE = "a granted page";
const HTML = `<!DOCTYPE html><title>t</title><body><script>document.body.append("${PAGE}")</script>`;

export interface Outside {
  readonly hosts: readonly string[];
  readonly port: number;
  readonly ca: string;
  /** `METHOD URL` of each request. */
  readonly asked: readonly string[];
  close(): Promise<void>;
}

/** Starts it; `folder` is for its git repository. */
export async function startOutside(folder: string): Promise<Outside> {
  const pages = new Map([
    ...registryPages(),
    [`https://${WEB_HOST}/`, HTML] as const,
    [`https://${WEB_HOST}/text`, `${PAGE}\n`] as const,
  ]);
  const hosts = [...new Set([GIT_HOST, ...[...pages.keys()].map((url) => new URL(url).host)])];
  const { ca, certificate, key } = createTestCertificate(hosts);
  makeRepository(folder);
  const asked: string[] = [];
  const server = createServer({ cert: certificate, key }, (request, response) => {
    const { host = "" } = request.headers;
    asked.push(`${request.method} https://${host}${request.url}`);
    if (host === GIT_HOST) serveGit(request, response, folder);
    else servePage(request, response, pages.get(`https://${host}${request.url ?? ""}`));
  });
  server.on("tlsClientError", () => {});
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    hosts,
    port: (server.address() as AddressInfo).port,
    ca,
    asked,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

function servePage(
  request: IncomingMessage,
  response: ServerResponse,
  page: string | Buffer | undefined,
): void {
  request.resume();
  const type = typeof page === "string" && page.startsWith("<") ? "text/html" : "application/json";
  response.writeHead(page === undefined ? 404 : 200, { "content-type": type });
  response.end(page);
}

function makeRepository(folder: string): void {
  const work = join(folder, "work");
  mkdirSync(work);
  writeFileSync(join(work, "file"), "from git\n");
  const git = (...args: readonly string[]) =>
    execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@example.com", ...args], {
      cwd: work,
    });
  git("init", "-q", "-b", "main");
  git("add", "-A");
  git("commit", "-qm", "first");
  git("clone", "-q", "--bare", work, join(folder, "sample.git"));
}

/** git-http-backend(1) by CGI (RFC 3875): the server's own side of the smart protocol. */
function serveGit(request: IncomingMessage, response: ServerResponse, folder: string): void {
  const { pathname, search } = new URL(request.url ?? "/", "https://git.invalid");
  const { headers } = request;
  const cgi = spawn("git", ["http-backend"], {
    stdio: ["pipe", "pipe", "ignore"],
    env: {
      PATH: process.env["PATH"],
      GIT_PROJECT_ROOT: folder,
      GIT_HTTP_EXPORT_ALL: "1",
      GIT_CONFIG_COUNT: "1", // The repository is ours, whoever runs the test.
      GIT_CONFIG_KEY_0: "safe.directory",
      GIT_CONFIG_VALUE_0: "*",
      GIT_PROTOCOL: String(headers["git-protocol"] ?? ""),
      REQUEST_METHOD: request.method,
      PATH_INFO: pathname,
      QUERY_STRING: search.slice(1),
      CONTENT_TYPE: headers["content-type"] ?? "",
      HTTP_CONTENT_ENCODING: headers["content-encoding"] ?? "",
    },
  });
  request.pipe(cgi.stdin);
  const chunks: Buffer[] = [];
  cgi.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  cgi.stdout.on("end", () => {
    const all = Buffer.concat(chunks);
    const end = all.indexOf("\r\n\r\n");
    const fields = all
      .toString("latin1", 0, end)
      .split("\r\n")
      .map((line) => line.split(": ", 2));
    const { Status = "200", ...rest } = Object.fromEntries(fields) as Record<string, string>;
    response.writeHead(Number.parseInt(Status, 10), rest);
    response.end(all.subarray(end + 4));
  });
}
