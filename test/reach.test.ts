/** Into a run and out of it, end to end: published ports, sockets of this machine, access taken back. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { symlinkSync, writeFileSync } from "node:fs";
import { createServer as createHttpServer, type Server } from "node:http";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { RunInfo } from "../src/api/index.ts";
import { eventually, TestHome } from "./support/home.ts";

const home = new TestHome();
const servers: Server[] = [];
const WAIT_MS = 20_000;

/** Answers each client, once it has said its last word, with how much that was. */
const COUNTER = `import socket, sys, threading
def serve(one):
    n = 0
    while True:
        data = one.recv(65536)
        if not data: break
        n += len(data)
    one.sendall(b"got %d" % n)
    one.close()
family = socket.AF_INET6 if sys.argv[1] == "::1" else socket.AF_INET
server = socket.socket(family)
server.bind((sys.argv[1], int(sys.argv[2])))
server.listen()
while True:
    one, _ = server.accept()
    threading.Thread(target=serve, args=(one,), daemon=True).start()
`;

before(() => writeFileSync(join(home.workspace, "counter.py"), COUNTER));
after(async () => {
  for (const server of servers) server.close();
  for (const server of servers) server.closeAllConnections();
  await home.close();
});

function taskFile(name: string, text: string): string {
  const file = join(home.root, name);
  writeFileSync(file, `task: ${name.replace(".yaml", "")}\npurpose: A test.\n${text}`);
  return file;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

const runs = () => home.runs({ all: true });

async function runOf(task: string): Promise<RunInfo> {
  return eventually(`a run of ${task}`, WAIT_MS, async () =>
    (await runs()).find((run) => run.task === task && run.state === "running"),
  );
}

/** What comes back for \`text\`, or how the connection failed. */
function exchange(port: number, host: string, text: string | Buffer): Promise<string> {
  return new Promise((resolve) => {
    const socket: Socket = connect({ port, host, allowHalfOpen: true });
    let said = "";
    socket.on("data", (chunk: Buffer) => (said += chunk.toString()));
    socket.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? ""));
    socket.on("end", () => {
      socket.destroy();
      resolve(said);
    });
    socket.on("connect", () => socket.end(text));
  });
}

test("INV-31: publish leads from this machine's loopback into the run, and from nowhere else", async () => {
  const [port, silent, six] = [await freePort(), await freePort(), await freePort()];
  const task = taskFile(
    "published.yaml",
    `publish: ["${port}:8080", "${silent}:9", "${six}:8086"]\n`,
  );
  const inside = "python3 counter.py ::1 8086 & exec python3 counter.py 127.0.0.1 8080";
  const started = await home.run(["sh", "-c", inside], ["-d", "--task", task]);
  assert.equal(started.code, 0, started.stderr);
  const { run } = await runOf("published");
  for (const [to, host] of [
    [port, "127.0.0.1"],
    [port, "::1"],
    [six, "127.0.0.1"],
  ] as const) {
    await eventually(`port ${to} of ${host}`, WAIT_MS, async () =>
      (await exchange(to, host, "x")) === "got 1" ? true : undefined,
    );
  }
  const big = Buffer.alloc(3_000_000, "x");
  assert.equal(await exchange(port, "127.0.0.1", big), "got 3000000", "half-closed and in full");
  assert.equal(await exchange(silent, "127.0.0.1", "x"), "ECONNRESET", "nobody listens inside");
  const outer = Object.values(networkInterfaces())
    .flat()
    .find((one) => one !== undefined && !one.internal && one.family === "IPv4");
  if (outer !== undefined) assert.equal(await exchange(port, outer.address, "x"), "ECONNREFUSED");

  const second = await home.run(
    ["true"],
    ["--task", taskFile("second.yaml", `publish: [${port}]\n`)],
  );
  assert.equal(second.code, 125, "fault daemon.publish");
  assert.match(
    second.stderr,
    new RegExp(`port ${port} of 127\\.0\\.0\\.1 .*the run ${run}.*published`),
  );
  if (process.getuid?.() === 0) {
    const other = await new Promise<string>((resolve) => {
      const ask = `import socket; s=socket.create_connection(("127.0.0.1",${port})); s.sendall(b"x"); s.shutdown(1); print(s.recv(9))`;
      const as = ["--reuid=65534", "--clear-groups", "/usr/bin/python3", "-c", ask];
      execFile("setpriv", as, (_error, out, err) => resolve(out + err));
    });
    assert.match(other, /reset|Broken pipe/i, "another user of this machine");
  }
  assert.match((await home.call(["ps"])).stdout, new RegExp(`${port}:8080 ${silent}:9`));

  assert.equal((await home.call(["kill", run])).code, 0);
  assert.equal(await exchange(port, "127.0.0.1", "x"), "ECONNREFUSED", "it ends with the run");
  const log = (await home.log()).filter((entry) => entry.run === run);
  const closes = log.filter(
    (entry) => entry.type === "flow.close" && entry.data?.["direction"] === "in",
  );
  const opens = log.filter(
    (entry) => entry.type === "flow.open" && entry.data?.["direction"] === "in",
  );
  assert.equal(opens.length, closes.length);
  assert.ok(closes.some(({ data }) => data?.["bytesIn"] === 3_000_000 && data["bytesOut"] === 11));
  assert.ok(closes.some(({ data }) => /nothing listens on port 9/.test(JSON.stringify(data))));
  assert.ok(opens.every(({ data }) => data?.["uid"] === process.getuid?.()));
  if (process.getuid?.() === 0) {
    const denied = log.filter((entry) => entry.rule === "publish.user");
    assert.match(JSON.stringify(denied.map((entry) => entry.data)), /user 65534 connected/);
  }
});

/** A site that begins each answer and does not end it. */
async function endlessSite(): Promise<number> {
  const server = createHttpServer((request, response) => {
    response.write("begun\n");
    if (request.url !== "/endless") response.end("done\n");
  }).listen(0, "127.0.0.1");
  servers.push(server);
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

test("INV-32, fault daemon.wider: `revoke` and `narrow` hold at once, are recorded, and never widen", async () => {
  const port = await endlessSite();
  const grant = (name: string, methods: string) =>
    `  - { system: http, name: ${name}, hosts: [${name}.test], ports: [80], dial: "127.0.0.1:${port}", allow: [{ methods: [${methods}], paths: ["/**"] }] }\n`;
  const task = taskFile("wide.yaml", `grants:\n${grant("a", "GET, POST")}${grant("b", "GET")}`);
  const inside = `
    curl -sN http://a.test/endless; echo "a $?"
    curl -s -o /dev/null -w 'again %{http_code}\\n' http://a.test/
    curl -s -o /dev/null -w 'b %{http_code}\\n' http://b.test/
    curl -sN http://b.test/endless; echo "b $?"`;
  const child = home.spawn(["run", "--task", task, "--", "sh", "-c", inside]);
  let out = "";
  child.stdout?.on("data", (chunk: Buffer) => (out += chunk.toString()));
  const ended = once(child, "close");
  const { run } = await runOf("wide");
  const said = (text: string) =>
    eventually(text, WAIT_MS, () => (out.includes(text) ? true : undefined));
  await said("begun");

  const wider = taskFile("wider.yaml", `grants:\n${grant("a", "GET, PUT")}`);
  const refused = await home.call(["narrow", run, "--task", wider]);
  assert.equal(refused.code, 125);
  assert.match(refused.stderr, /daemon\.wider|could be wider: a: grants\[0\]\.allow\[0\]: PUT/);
  const without = await home.call(["narrow", run]);
  assert.match(without.stderr, /narrow needs --task FILE/, "fault cli.usage");
  const nobody = await home.call(["revoke", run, "nobody"]);
  assert.match(nobody.stderr, /no grant "nobody".*\n?.*it has a, b/, "fault daemon.no_such_grant");

  const revoked = await home.call(["revoke", run, "a"]);
  assert.deepEqual([revoked.code, revoked.stdout], [0, `${run} running, without a\n`]);
  await said("again 403");
  await said("b 200");
  await said("b 200\nbegun");
  const narrower = taskFile("narrower.yaml", "");
  const narrowed = await home.call(["narrow", run, "--task", narrower, "--json"]);
  assert.equal(narrowed.code, 0, narrowed.stderr);
  await ended;
  assert.match(out, /^begun\na [1-9]\d*\nagain 403\nb 200\nbegun\nb [1-9]\d*\n$/);

  assert.match(
    (await home.call(["log", run])).stdout,
    /policy .*the grant a was revoked; 1 connection was cut/,
  );
  const policies = (await home.log()).filter((one) => one.run === run && one.type === "policy");
  const chain = policies.map(({ data }) => [
    data?.["before"],
    data?.["digest"],
    data?.["by"],
    data?.["cut"],
  ]);
  const [first, second, third] = chain;
  assert.equal(chain.length, 3);
  assert.deepEqual(second?.[0], first?.[1], "each names the one before");
  assert.deepEqual(third?.[0], second?.[1]);
  assert.deepEqual(
    [second?.slice(2), third?.slice(2)],
    [
      ["revoke", 1],
      ["narrow", 1],
    ],
  );
  assert.equal((JSON.parse(narrowed.stdout) as RunInfo).policy, third?.[1]);
});

/** Holds one connection open, reads something private by another, and tells what became of the first. */
const CARRIER = `import socket, sys, urllib.request
held = socket.create_connection((sys.argv[1], 5000))
print(held.recv(100).decode().strip(), flush=True)
print(urllib.request.urlopen("http://crm.test/").read().decode().strip(), flush=True)
try:
    held.settimeout(20)
    print("held" if held.recv(100) else "ended")
except ConnectionResetError:
    print("cut")
except TimeoutError:
    print("still open")
`;

test("INV-33: what nobody looks into is served though the server speaks first, and cut by a private read", async () => {
  const greeter = createServer((socket) => {
    socket.on("error", () => {});
    socket.write("hello\n");
    setTimeout(() => socket.destroyed || socket.write("later\n"), 3000);
  }).listen(0, "127.0.0.1");
  await once(greeter, "listening");
  const { port } = greeter.address() as AddressInfo;
  const crm = `{ system: http, name: crm, hosts: [crm.test], ports: [80], dial: "127.0.0.1:${await endlessSite()}", allow: [{ methods: [GET], paths: ["/**"], effects: [read-private] }] }`;
  const raw = (name: string, more: string) =>
    `  - { system: tcp, name: ${name}, hosts: [${name}.test], ports: [5000], dial: "127.0.0.1:${port}", opaque: true${more} }\n`;
  const grants = `grants:\n  - ${crm}\n${raw("raw", "")}${raw("paired", ", pairs: [crm]")}`;
  writeFileSync(join(home.workspace, "carrier.py"), CARRIER);
  const task = taskFile("carried.yaml", grants);
  const said = async (host: string) =>
    (await home.run(["python3", "carrier.py", host], ["--task", task])).stdout;
  assert.equal(await said("raw.test"), "hello\nbegun\ndone\ncut\n");
  assert.equal(await said("paired.test"), "hello\nbegun\ndone\nheld\n", "its twin");
  greeter.close();
});

test("fault daemon.dial: a grant leads only to a socket that is there, and that no run could replace", async () => {
  const real = join(home.root, "service.sock");
  const server = createHttpServer((_request, response) => response.end("by socket\n")).listen(real);
  servers.push(server);
  await once(server, "listening");
  const link = join(home.root, "link.sock");
  symlinkSync(real, link);
  const below = join(home.workspace, "agents.sock");
  const mine = createServer().listen(below);
  await once(mine, "listening");
  const start = (path: string) =>
    home.run(
      ["curl", "-s", "http://s.test/"],
      [
        "--task",
        taskFile(
          "socket.yaml",
          `grants:\n  - { system: http, name: s, hosts: [s.test], ports: [80], dial: "unix:${path}", allow: [{ methods: [GET], paths: ["/**"] }] }\n`,
        ),
      ],
    );
  const good = await start(real);
  assert.deepEqual([good.code, good.stdout], [0, "by socket\n"], good.stderr);
  for (const [path, says] of [
    [link, /is a link/],
    [below, /is below/],
    [join(home.state, "daemon.sock"), /is below/],
    [join(home.root, "absent.sock"), /is not there/],
    ["/etc/hostname", /is no socket/],
  ] as const) {
    const { code, stderr } = await start(path);
    assert.equal(code, 125, path);
    assert.match(stderr, says);
  }
  mine.close();
});
