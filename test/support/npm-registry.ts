/**
 * An npm registry with one package in it: what `npm install NAME` asks, and nothing else.
 *
 * @module
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createTestCertificate } from "../../drills/world/index.ts";

const HOST = "registry.npmjs.org";

export interface NpmRegistry {
  readonly host: string;
  readonly port: number;
  readonly ca: string;
  /** `METHOD path` of each request. */
  readonly asked: readonly string[];
  close(): Promise<void>;
}

/** Starts a registry on loopback that has `name` at version 1.0.0, whose main file is `source`. */
export async function startNpmRegistry(name: string, source: string): Promise<NpmRegistry> {
  const { ca, certificate, key } = createTestCertificate([HOST]);
  const tarball = pack(name, source);
  const document = {
    name,
    "dist-tags": { latest: "1.0.0" },
    versions: {
      "1.0.0": {
        name,
        version: "1.0.0",
        main: "index.js",
        dist: {
          tarball: `https://${HOST}/${name}/-/${name}-1.0.0.tgz`,
          integrity: `sha512-${createHash("sha512").update(tarball).digest("base64")}`,
          shasum: createHash("sha1").update(tarball).digest("hex"),
        },
      },
    },
  };
  const answers: Readonly<Record<string, readonly [type: string, body: string | Buffer]>> = {
    [`/${name}`]: ["application/json", JSON.stringify(document)],
    [`/${name}/-/${name}-1.0.0.tgz`]: ["application/octet-stream", tarball],
  };
  const asked: string[] = [];
  const server = createServer({ cert: certificate, key }, (request, response) => {
    const { method = "", url = "" } = request;
    asked.push(`${method} ${url}`);
    const answer = method === "GET" ? answers[url] : undefined;
    const [type, body] = answer ?? ["application/json", "{}"];
    response.writeHead(answer === undefined ? 404 : 200, { "content-type": type });
    response.end(body);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    host: HOST,
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

function pack(name: string, source: string): Buffer {
  const folder = mkdtempSync(join(tmpdir(), "cofferdam-npm-"));
  try {
    mkdirSync(join(folder, "package"));
    const about = { name, version: "1.0.0", main: "index.js" };
    writeFileSync(join(folder, "package", "package.json"), JSON.stringify(about));
    writeFileSync(join(folder, "package", "index.js"), source);
    return execFileSync("tar", ["-czf", "-", "-C", folder, "package"]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
