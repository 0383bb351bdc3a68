/**
 * No run reaches the console, whatever its task file says; what stands beside it on this machine is reached as granted.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { linkSync, statSync, writeFileSync } from "node:fs";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { openAsked, visit, type AskedConsole } from "./support/console.ts";
import { BIN, eventually, TestHome } from "./support/home.ts";

const home = new TestHome();
const twin = createServer((socket) => {
  socket.on("error", () => {});
  socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nthe twin"));
});
let open: AskedConsole;
let port = 0;

before(async () => {
  twin.listen(0, "127.0.0.1");
  await once(twin, "listening");
  open = await openAsked(home);
  port = Number(new URL(open.origin).port);
});
after(async () => {
  await open?.close();
  twin.close();
  await home.close();
});

/** What a run gets from each place that its task file dials. */
async function reach(
  places: Readonly<Record<string, string>>,
): Promise<Readonly<Record<string, string>>> {
  const file = join(home.root, "reach.yaml");
  const grants = Object.entries(places).map(
    ([name, where]) =>
      `  - { system: http, name: ${name}, hosts: [${name}.test], ${where}, allow: [{ methods: [GET], paths: ["/**"] }] }`,
  );
  writeFileSync(file, `task: reach\npurpose: Reach.\ngrants:\n${grants.join("\n")}\n`);
  const script = Object.entries(places)
    .map(([name, where]) => {
      const scheme = where.includes("proxy") ? "https" : "http";
      return `echo "${name} $(curl -s --max-time 20 -w ' %{http_code}' ${scheme}://${name}.test/ | tr '\\n' ' ')"`;
    })
    .join("; ");
  const { code, stdout, stderr } = await home.run(["sh", "-c", script], ["--task", file]);
  assert.equal(code, 0, stderr);
  return Object.fromEntries(
    stdout
      .trim()
      .split("\n")
      .map((line) => [line.split(" ", 1)[0] ?? "", line]),
  );
}

const dial = (where: string) => `ports: [80], dial: "${where}"`;

test("INV-201: no dial, no proxy and no address of this machine leads a run to the console; the port beside it is reached", async () => {
  const own = Object.values(networkInterfaces())
    .flat()
    .find((one) => one?.internal === false && one.family === "IPv4")?.address;
  const places = {
    loopback: dial(`127.0.0.1:${port}`),
    elsewhere: dial(`127.9.8.7:${port}`),
    six: dial(`[::1]:${port}`),
    proxy: `upstream_proxy: "127.0.0.1:${port}"`,
    ...(own === undefined ? {} : { own: dial(`${own}:${port}`) }),
  };
  const twinPort = (twin.address() as AddressInfo).port;
  const said = await reach({ ...places, twin: dial(`127.0.0.1:${twinPort}`) });
  for (const name of Object.keys(places)) {
    assert.match(said[name] ?? "", /an address of Cofferdam itself.* 502$/, said[name]);
  }
  assert.equal(said["twin"], "twin the twin 200");
});

test("INV-201: a run that is open already is kept away from a console that opens later", async () => {
  await open.close();
  const free = createServer().listen(port, "127.0.0.1");
  await once(free, "listening");
  free.on("connection", (socket) => socket.end("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nfree"));
  const file = join(home.root, "later.yaml");
  writeFileSync(
    file,
    `task: later\npurpose: Reach.\ngrants:\n  - { system: http, name: a, hosts: [a.test], ${dial(`127.0.0.1:${port}`)}, allow: [{ methods: [GET], paths: ["/**"] }] }\n`,
  );
  const once_ = "curl -s --max-time 20 -w '%{http_code}\\n' http://a.test/ | tail -n 1";
  const child = home.spawn(
    ["run", "--task", file, "--", "sh", "-c", `${once_}; read line; ${once_}`],
    {},
  );
  let said = "";
  child.stdout?.on("data", (data: Buffer) => (said += data.toString()));
  await eventually("the port as granted", 60_000, () => said.includes("200"));
  free.close();
  open = await openAsked(home, ["--port", String(port)]);
  child.stdin?.end("\n");
  await once(child, "close");
  assert.match(said, /200\s+502/);
});

test("INV-202: no run opens a Unix socket of Cofferdam: neither by a grant, nor by another name of it, nor by its path", async () => {
  const paths = ["console.sock", "daemon.sock"].map((name) => join(home.state, name));
  for (const [at, path] of paths.entries()) {
    assert.equal(statSync(path).mode & 0o777, 0o600);
    await assert.rejects(reach({ below: dial(`unix:${path}`) }), /is below/);
    const second = join(home.root, `second-${at}.sock`);
    linkSync(path, second);
    const { linked } = await reach({ linked: dial(`unix:${second}`) });
    assert.match(linked ?? "", /an address of Cofferdam itself.* 502$/);
    const inside = await home.run(["curl", "-sS", "--unix-socket", path, "http://c/"]);
    assert.notEqual(inside.code, 0);
    assert.equal(inside.stdout, "");
  }
});

test("fault daemon.publish: no run publishes the console's port", async () => {
  const file = join(home.root, "publish.yaml");
  writeFileSync(file, `task: publish\npurpose: Serve.\npublish: [${port}]\n`);
  const { code, stderr } = await home.run(["true"], ["--task", file]);
  assert.equal(code, 125);
  assert.match(stderr, /cannot be published/);
});

test("fault console.port: no console opens where a run published, or where somebody listens at one of the addresses", async () => {
  const file = join(home.root, "published.yaml");
  const free = createServer().listen(0, "127.0.0.1");
  await once(free, "listening");
  const once_ = (free.address() as AddressInfo).port;
  free.close();
  await once(free, "close");
  writeFileSync(file, `task: publish\npurpose: Serve.\npublish: [${once_}]\n`);
  assert.equal((await home.run(["true"], ["--task", file])).code, 0);
  const other = new TestHome();
  try {
    const published = await home.call(["console", "--port", String(once_)]);
    assert.match(published.stderr, /run r-\w+ published port/);
    for (const address of ["127.0.0.1", "::1"]) {
      const squatter = createServer().listen(0, address);
      await once(squatter, "listening");
      const taken = String((squatter.address() as AddressInfo).port);
      const { code, stderr } = await other.call(["console", "--port", taken]);
      squatter.close();
      assert.equal(code, 125);
      assert.match(stderr, new RegExp(`cannot listen on port ${taken} of ${address}`));
    }
  } finally {
    await other.close();
  }
});

test("fault daemon.console: a second console of a home says where the first is; fault console.absent: none to ask", async () => {
  const { code, stderr } = await home.call(["console"]);
  assert.equal(code, 125);
  assert.match(stderr, new RegExp(`a console is open already: ${open.origin}[^]*--link`));
  assert.equal(
    (await (await visit(home, ["--role", "approver"])).ask("session.show", {})).roles.join(),
    "viewer,approver",
  );
  const other = new TestHome();
  const none = await other.call(["console", "--link"]);
  await other.close();
  assert.match(none.stderr, /no console of this home answers/);
});

test("INV-274: a stream that outlives its daemon says that approvals may be others, once the next one answers", async () => {
  const gone = new AbortController();
  const stream = await fetch(`${open.origin}/api/stream?approvals`, {
    headers: {
      ...{ cookie: open.cookie, "x-cofferdam-key": "k".repeat(43) },
      ...{ "sec-fetch-site": "same-origin", "sec-fetch-mode": "cors" },
    },
    signal: gone.signal,
  });
  let told = 0;
  const reading = (async () => {
    const lines = stream.body?.pipeThrough(new TextDecoderStream()) ?? assert.fail();
    for await (const text of lines) told += text.split("event: approvals\n").length - 1;
  })();
  const broken = assert.rejects(reading, { name: "AbortError" });
  await eventually("told at the opening", 20_000, async () => told > 0);
  await home.call(["stop", "--force"]);
  await eventually("nothing served", 20_000, async () => (await fetch(open.origin)).status === 503);
  const before = told;
  await home.ask("daemon.status", {});
  await eventually("told anew", 30_000, async () => told > before);
  gone.abort();
  await broken;
  await eventually("served", 20_000, async () => (await fetch(open.origin)).status === 200);
});

test("INV-201, fault console.unannounced: without a daemon nothing is served; the next one is told anew", async () => {
  await home.call(["stop", "--force"]);
  await eventually("nothing served", 20_000, async () => {
    const answer = await fetch(open.origin);
    const isRefused = answer.status === 503;
    if (isRefused) assert.match(await answer.text(), /console\.unannounced/);
    else await answer.text();
    return isRefused;
  });
  const { again } = await reach({ again: dial(`127.0.0.1:${port}`) });
  assert.match(again ?? "", /an address of Cofferdam itself.* 502$/);
  await eventually("served", 20_000, async () => (await fetch(open.origin)).status === 200);
  await open.ask("session.show", {});
});

test("fault console.assets: pages that are not built are said", async () => {
  const { readAssets } = await import("../src/console/assets.ts");
  assert.throws(() => readAssets(join(home.root, "none")), { code: "console.assets" });
});

test("INV-201: when the console has ended, its port is a port like any other", async () => {
  await open.close();
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nfree"));
  }).listen(port, "127.0.0.1");
  await once(server, "listening");
  try {
    const { free } = await reach({ free: dial(`127.0.0.1:${port}`) });
    assert.equal(free, "free free 200");
  } finally {
    server.close();
  }
});

test("a machine without IPv6 has a console at 127.0.0.1", async (t) => {
  const script = `ip link set lo up && echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6 && exec "$0" console`;
  const other = new TestHome();
  const child = spawn("unshare", ["-rn", "sh", "-c", script, BIN], {
    env: { ...process.env, COFFERDAM_HOME: other.state },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  child.stdout.on("data", (data: Buffer) => (said += data.toString()));
  child.stderr.on("data", (data: Buffer) => (said += data.toString()));
  try {
    await eventually("an end or a console", 60_000, () =>
      /sign in:|cofferdam:|unshare:/.test(said),
    );
    if (/unshare:|sysctl|Read-only|Permission/.test(said)) t.skip(said);
    else assert.match(said, /^console: http:\/\/localhost:\d+$/m);
  } finally {
    child.kill("SIGTERM");
    await once(child, "close");
    await other.close();
  }
});
