/** `cofferdam metrics`: of a real daemon, over a real port. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { request, type IncomingMessage } from "node:http";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { FAMILIES } from "../src/metrics/index.ts";
import { TestHome } from "./support/home.ts";

const home = new TestHome();
const server: { port: number; end(): Promise<void> } = { port: 0, end: async () => {} };
before(async () => {
  home.write("task.yaml", "task: secret-project\npurpose: nothing that a scraper should read\n");
  const ran = await home.call(["run", "--task", "task.yaml", "--", "/bin/sh", "-c", "exit 3"]);
  assert.equal(ran.code, 3, ran.stderr);
  const child = home.spawn(["metrics", "--listen", "127.0.0.1:0"]);
  assert.ok(child.stdout !== null);
  for await (const line of createInterface({ input: child.stdout })) {
    server.port = Number(/:(\d+)\/metrics$/.exec(line)?.[1]);
    break;
  }
  server.end = async () => {
    child.kill("SIGTERM");
    await once(child, "exit");
  };
});
after(async () => {
  await server.end();
  await home.close();
});

async function ask(
  path: string,
  more: { readonly method?: string; readonly headers?: Record<string, string> } = {},
): Promise<{ status: number; text: string; type: string }> {
  const sent = request({ host: "127.0.0.1", port: server.port, path, ...more }).end();
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  let text = "";
  for await (const piece of response) text += String(piece);
  const { statusCode: status = 0, headers } = response;
  return { status, text, type: headers["content-type"] ?? "" };
}

test("the endpoint daemon.metrics and the command give the same: what the record says, and the daemon's state", async () => {
  const { code, stdout, stderr } = await home.call(["metrics"]);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^cofferdam_up 1$/m);
  assert.match(stdout, /^cofferdam_run_starts_total 1$/m);
  assert.match(stdout, /^cofferdam_run_ends_total\{reason="exited"\} 1$/m);
  assert.match(stdout, /^cofferdam_run_start_seconds_count 1$/m);
  assert.match(stdout, /^cofferdam_ledger_writable 1$/m);
  assert.match(stdout, /^cofferdam_ledger_bytes [1-9]\d+$/m);
  for (const name of Object.keys(FAMILIES))
    assert.match(stdout, new RegExp(`^# TYPE ${name} `, "m"));
  const { text } = await ask("/metrics");
  const names = (all: string) => all.match(/^# TYPE .*$/gm);
  assert.deepEqual(names(text), names(stdout));
});

test("INV-236: no word of a task, a run or a command is in it", async () => {
  const { text } = await ask("/metrics");
  assert.doesNotMatch(text, /secret-project|scraper|r-[0-9a-z]{10}|bin\/sh/);
});

test("INV-241: it answers to its own address only, and only what it has", async () => {
  const rows = [
    ["/metrics", {}, 200, "text/plain; version=0.0.4; charset=utf-8"],
    ["/metrics", { headers: { accept: "application/openmetrics-text" } }, 200, /openmetrics/],
    ["/metrics", { headers: { host: "evil.example" } }, 403, /plain/],
    ["/metrics", { headers: { host: `evil.example:${server.port}` } }, 403, /plain/],
    ["/metrics", { method: "POST" }, 405, /plain/],
    ["/v1/daemon.stop", {}, 404, /plain/],
    ["/healthz", {}, 200, /plain/],
  ] as const;
  for (const [path, more, status, type] of rows) {
    const answer = await ask(path, more);
    assert.equal(answer.status, status, `${path} ${JSON.stringify(more)}`);
    assert.match(answer.type, typeof type === "string" ? new RegExp(`^${type}$`) : type);
  }
  assert.match(
    (await ask("/metrics", { headers: { accept: "application/openmetrics-text" } })).text,
    /# EOF\n$/,
  );
});

const REFUSED = [
  // arguments, what it says, why
  [
    ["--listen", "0.0.0.0:0"],
    /--beyond-loopback/,
    "INV-241: other machines are meant only where it is said",
  ],
  [["--listen", "[::]:0"], /--beyond-loopback/, "INV-241: the same of IPv6"],
  [
    ["--listen", "localhost:9464"],
    /127\.0\.0\.1:9464/,
    "fault cli.listen: a name may lead elsewhere",
  ],
  [["--listen", "127.0.0.1:99999"], /not an address and a port/, "no such port"],
] as const;
for (const [args, message, why] of REFUSED) {
  test(why, async () => {
    const { code, stderr } = await home.call(["metrics", ...args]);
    assert.equal(code, 125);
    assert.match(stderr, message);
  });
}

test("a file for the textfile collector is there whole", async () => {
  const file = join(home.root, "cofferdam.prom");
  assert.equal((await home.call(["metrics", "--textfile", file])).code, 0);
  assert.match(readFileSync(file, "utf8"), /^cofferdam_up 1$/m);
  assert.ok(!existsSync(`${file}.new`));
});

test("a daemon that does not answer is down, and not well; the scraper is told so", async () => {
  assert.equal((await home.call(["stop"])).code, 0);
  const { status, text } = await ask("/metrics");
  assert.equal(status, 200);
  assert.match(text, /^cofferdam_up 0$/m);
  assert.doesNotMatch(text, /cofferdam_runs/);
  assert.equal((await ask("/healthz")).status, 503);
});
