/**
 * Programs that people use, unmodified, through the gateway: curl, nghttp2's clients, nginx as upstream.
 */
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { connect, createServer as createTcpServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { plainSite, worldWith, type Site } from "./http2-test-kit.ts";
import { destroyAll, listening, openWorld, type World } from "./test-kit.ts";

const SITE: Site = {
  speaks: "h2",
  serve(stream, headers) {
    let bytes = 0;
    stream.on("data", (chunk: Buffer) => (bytes += chunk.length));
    stream.on("end", () => {
      if (stream.destroyed) return;
      stream.respond({ ":status": 200 });
      stream.end(`${headers[":method"]} ${headers[":path"]} ${bytes}`);
    });
  },
};

function run(program: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    execFile(program, args, { timeout: 20_000 }, (_error, out, err) => resolve(out + err));
  });
}

function folder(t: TestContext): string {
  const made = mkdtempSync(join(tmpdir(), "cofferdam-http2-"));
  t.after(() => rmSync(made, { recursive: true }));
  return made;
}

async function curlFor(t: TestContext, it: World) {
  const port = await it.listenerFor("a.test", 443);
  const ca = join(folder(t), "ca.pem");
  writeFileSync(ca, it.authority.certificatePem);
  const fixed = ["-sS", "--cacert", ca, "--connect-to", `a.test:443:127.0.0.1:${port}`];
  return (...args: string[]) => run("curl", [...fixed, ...args]);
}

test("curl speaks HTTP/2 and HTTP/1.1 through it: reads, uploads, many at once, and hears a no", async (t) => {
  const it = await worldWith(t, SITE, { allow: `[{ methods: [GET, PUT], paths: ["/v1/**"] }]` });
  const curl = await curlFor(t, it);
  const version = ["-w", " %{http_version}\\n"];
  assert.equal(await curl("--http2", ...version, "https://a.test/v1/x"), "GET /v1/x 0 2\n");
  const upload = ["-T", "/usr/bin/ssh", "https://a.test/v1/up"];
  assert.match(await curl("--http2", ...upload), /^PUT \/v1\/up \d{5,}$/);
  const many = await curl("--http2", "-Z", ...version, "https://a.test/v1/[1-40]");
  assert.equal(new Set(many.match(/GET \/v1\/\d+ 0/g)).size, 40);
  const denied = await curl("--http2", "-X", "DELETE", "https://a.test/v1/x");
  assert.match(denied, /"status":403.*grants no DELETE on \/v1\/x/);
  assert.deepEqual(it.findings, []);
});

test("curl speaks HTTP/1.1 to a site that speaks only HTTP/1.1, and HTTP/2 to the gateway before it", async (t) => {
  const it = await worldWith(t, {
    speaks: "http/1.1",
    serve: (request, response) => void response.end(`${request.httpVersion} ${request.url}`),
  });
  const curl = await curlFor(t, it);
  const version = ["-w", " %{http_version}\\n"];
  assert.equal(await curl("--http1.1", ...version, "https://a.test/x"), "1.1 /x 1.1\n");
  assert.equal(await curl("--http2", ...version, "https://a.test/x"), "1.1 /x 2\n");
});

/** A TCP port that carries bytes to the gateway's listener: these clients connect where the URL says. */
async function relayTo(t: TestContext, port: number): Promise<number> {
  const relay = createTcpServer((socket) => {
    const other = connect(port, "127.0.0.1");
    for (const one of [socket, other]) one.on("error", () => {});
    socket.pipe(other).pipe(socket);
  });
  t.after(() => destroyAll([relay]));
  return await listening(relay);
}

test("nghttp and h2load speak plain HTTP/2 by prior knowledge", async (t) => {
  const plain = plainSite((stream, headers) => {
    stream.respond({ ":status": 200 });
    stream.end(`fine ${headers[":path"]}`);
  });
  const it = await worldWith(t, SITE, { plain });
  const port = await relayTo(t, await it.listenerFor("plain.test", 80));
  const authority = ["-H", ":authority: plain.test"];
  const said = await run("nghttp", ["--no-dep", ...authority, `http://127.0.0.1:${port}/x`]);
  assert.match(said, /fine \/x/);
  const load = ["-n", "300", "-c", "3", "-m", "20", ...authority, `http://127.0.0.1:${port}/y`];
  assert.match(await run("h2load", load), /300 succeeded, 0 failed, 0 errored/);
  assert.deepEqual([it.denials, it.findings], [[], []]);
});

test("nginx with HTTP/2 answers through it: whole, by range, compressed as it comes", async (t) => {
  const place = folder(t);
  const text = "a line of text\n".repeat(5000);
  writeFileSync(join(place, "file.txt"), text);
  const probe = createServer();
  const port = await listening(probe);
  await destroyAll([probe]);
  const config = `daemon off; master_process off; pid ${place}/pid; error_log stderr;
events {}
http { access_log off; client_body_temp_path ${place}/b; proxy_temp_path ${place}/p;
 fastcgi_temp_path ${place}/f; uwsgi_temp_path ${place}/u; scgi_temp_path ${place}/s;
 types { text/plain txt; } gzip on;
 server { listen 127.0.0.1:${port} http2; root ${place}; } }`;
  writeFileSync(join(place, "nginx.conf"), config);
  const nginx = spawn("nginx", ["-c", join(place, "nginx.conf")], {
    stdio: "ignore",
    env: { PATH: `${process.env["PATH"]}:/usr/sbin` },
  });
  t.after(() => nginx.kill());
  for (let up = false; !up;) {
    const socket = connect(port, "127.0.0.1");
    up = await Promise.race([
      once(socket, "connect").then(() => true),
      once(socket, "close").then(() => false),
    ]).catch(() => false);
    socket.destroy();
    if (!up) await new Promise((resolve) => setTimeout(resolve, 10));
  }
  const grants = `  - { system: http, name: n, hosts: [n.test], ports: [80], dial: "127.0.0.1:${port}", allow: [{ methods: [GET], paths: ["/**"] }] }\n`;
  const it = await openWorld({ grants });
  t.after(() => it.close());
  const to = `n.test:80:127.0.0.1:${await it.listenerFor("n.test", 80)}`;
  const curl = (...args: string[]) =>
    run("curl", ["-sS", "--http2-prior-knowledge", "--connect-to", to, ...args]);
  assert.equal(await curl("http://n.test/file.txt"), text);
  assert.equal(await curl("-r", "2-5", "http://n.test/file.txt"), "line");
  assert.equal(await curl("--compressed", "http://n.test/file.txt"), text);
  assert.match(await curl("-I", "-X", "GET", "http://n.test/none"), /^HTTP\/2 404/);
  assert.deepEqual([it.denials, it.findings], [[], []]);
});
