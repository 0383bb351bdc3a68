/** What the adapter for E2B's clients refuses: other keys, other tokens, pages, runs; and what ends with it. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { chmodSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { request as ask } from "node:http";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { AuthenticationError, Sandbox, SandboxNotFoundError } from "e2b";
import { locateHome } from "../src/api/index.ts";
import { createLog, isFault } from "../src/base/index.ts";
import { ApiKeys, openAdapter as openHere } from "../src/e2b/index.ts";
import { openAdapter, raw, type OpenAdapter } from "./support/e2b.ts";
import { eventually, TestHome } from "./support/home.ts";
import { clientOf } from "./support/rollout.ts";

const home = new TestHome();
const twin = createServer((socket) => {
  socket.on("error", () => {});
  socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nthe twin"));
});
let adapter: OpenAdapter;
let origin = "";
let port = 0;
let base: { readonly apiUrl: string; readonly sandboxUrl: string };
const kept = new ApiKeys(home.state);
const keys: Record<string, string> = {};
let box: Sandbox;
let inside: Readonly<Record<string, string>>;

const TASK = "task: sandbox\npurpose: Holds what callers run.\nhome: fresh\nlifetime: 1h\n";
const file = (name: string) => join(home.root, name);
const serve = ["--task", file("base.yaml"), "--sandboxes", "2", "--linger", "0"];

before(async () => {
  twin.listen(0, "127.0.0.1");
  await once(twin, "listening");
  for (const name of ["anna", "bert"]) keys[name] = kept.add(name);
  const free = createServer().listen(0, "127.0.0.1");
  await once(free, "listening");
  ({ port } = free.address() as AddressInfo);
  free.close();
  await once(free, "close");
  // Grants that would lead to the adapter, and to what stands beside it.
  const grant = (name: string, where: number) =>
    `  - { system: http, name: ${name}, hosts: [${name}.test], ports: [80], dial: "127.0.0.1:${where}", allow: [{ methods: [GET, POST], paths: ["/**"] }] }\n`;
  const grants = grant("adapter", port) + grant("twin", (twin.address() as AddressInfo).port);
  writeFileSync(file("base.yaml"), `${TASK}grants:\n${grants}`);
  adapter = await openAdapter(home, [...serve, "--listen", `127.0.0.1:${port}`]);
  ({ origin } = adapter);
  base = { apiUrl: origin, sandboxUrl: origin };
  box = await Sandbox.create({ ...base, apiKey: keys["anna"] ?? "" });
  const { text } = await raw(origin, `/sandboxes/${box.sandboxId}`, {
    headers: { "x-api-key": keys["anna"] ?? "" },
  });
  const { envdAccessToken: token } = JSON.parse(text) as { envdAccessToken: string };
  inside = { "e2b-sandbox-id": box.sandboxId, "x-access-token": token };
});
after(async () => {
  await adapter?.close();
  twin.close();
  await home.close();
});

test("INV-264: no grant leads a sandbox to the adapter; what stands beside it is reached as granted", async () => {
  const said = await box.commands.run(
    `for one in adapter twin; do echo $(curl -s -m 20 -w ' %{http_code}' http://$one.test/health); done; curl -s -m 5 ${origin}/health || echo no way`,
  );
  const [closed = "", open = "", direct = ""] = said.stdout.split("\n");
  assert.match(closed, /an address of Cofferdam itself.* 502$/);
  assert.equal(open, "the twin 200");
  assert.doesNotMatch(direct, /204/);
  assert.match(said.stdout, /no way/);
  const other = await home.call(["e2b", ...serve]); // fault daemon.adapter
  assert.equal(other.code, 125);
  assert.match(other.stderr, /an adapter for e2b is open already/);
});

test("INV-264: it hears its own address alone, no page, and nothing in another form", async () => {
  const good = { "x-api-key": keys["anna"] ?? "" };
  assert.equal((await raw(origin, "/v2/sandboxes", { headers: good })).status, 200);
  const { port: at } = new URL(origin);
  for (const [why, path, headers] of [
    ["rebinding", "/v2/sandboxes", { ...good, host: `evil.example:${at}` }],
    ["another name of this machine", "/v2/sandboxes", { ...good, host: `localhost:${at}` }],
    ["no port", "/v2/sandboxes", { ...good, host: "127.0.0.1" }],
    ["a page", "/v2/sandboxes", { ...good, origin: "https://evil.example" }],
    ["its own page", "/v2/sandboxes", { ...good, origin }],
    ["an image of a page", "/v2/sandboxes", { ...good, "sec-fetch-site": "cross-site" }],
    ["a proxy's form", `${origin}/v2/sandboxes`, good],
    ["two slashes", "//v2/sandboxes", good],
    ["a page, inside", "/files?path=/etc/hostname", { ...inside, origin: "null" }],
  ] as const) {
    const { status, headers: said } = await raw(origin, path, { headers });
    assert.equal(status, 403, why);
    assert.equal(said["access-control-allow-origin"], undefined);
  }
  const preflight = await raw(origin, "/v2/sandboxes", {
    method: "OPTIONS",
    headers: { origin: "https://evil.example", "access-control-request-method": "POST" },
  });
  assert.equal(preflight.status, 403);
  assert.equal(preflight.headers["access-control-allow-origin"], undefined);
});

test("INV-263: without a key, or with another's, there is no sandbox", async () => {
  const wrong = `e2b_${"0".repeat(40)}`;
  await assert.rejects(Sandbox.create({ ...base, apiKey: wrong }), AuthenticationError);
  for (const said of [
    "",
    "e2b_",
    `${keys["anna"]} `,
    keys["anna"]?.toUpperCase() ?? "",
    "x".repeat(9000),
  ]) {
    const { status } = await raw(origin, "/v2/sandboxes", { headers: { "x-api-key": said } });
    assert.equal(status, said.endsWith(" ") ? 200 : 401, said.slice(0, 50)); // HTTP leaves blanks out.
  }
  const bert = { ...base, apiKey: keys["bert"] ?? "" };
  assert.deepEqual(await Sandbox.list(bert).nextItems(), []);
  const { sandboxId: id } = box;
  await assert.rejects(Sandbox.connect(id, bert), SandboxNotFoundError);
  await assert.rejects(Sandbox.getInfo(id, bert), SandboxNotFoundError);
  await assert.rejects(Sandbox.pause(id, bert), SandboxNotFoundError);
  await assert.rejects(Sandbox.setTimeout(id, 1, bert), SandboxNotFoundError);
  assert.equal(await Sandbox.kill(id, bert), false);
  // Neither is a run that is no sandbox anybody's here.
  const run = await home.ask("run.start", {
    task: { source: TASK, fileName: file("own.yaml") },
    ...{
      command: [],
      cwd: home.workspace,
      path: process.env["PATH"] ?? "",
      environment: {},
      detach: true,
    },
  });
  await assert.rejects(
    Sandbox.connect(run.run, { ...base, apiKey: keys["anna"] ?? "" }),
    SandboxNotFoundError,
  );
  assert.equal((await home.ask("run.kill", { run: run.run })).state, "ended");
  assert.equal(await box.isRunning(), true);
});

test("INV-263: what is inside a sandbox is opened by its own token, and by nothing else; who guesses learns nothing", async () => {
  const bert = await Sandbox.create({ ...base, apiKey: keys["bert"] ?? "" });
  const { text } = await raw(origin, `/sandboxes/${bert.sandboxId}`, {
    headers: { "x-api-key": keys["bert"] ?? "" },
  });
  const other = (JSON.parse(text) as { envdAccessToken: string }).envdAccessToken;
  assert.match(other, /^[0-9a-f]{64}$/);
  const json = { "content-type": "application/json" };
  const unknown = { ...inside, "e2b-sandbox-id": "r-none" };
  const said = new Set<string>();
  for (const [why, headers] of [
    ["none", { "e2b-sandbox-id": box.sandboxId }],
    ["another's", { ...inside, "x-access-token": other }],
    ["the key", { ...inside, "x-access-token": keys["anna"] ?? "" }],
    ["a sandbox that is none", unknown],
    ["only the key", { "e2b-sandbox-id": box.sandboxId, "x-api-key": keys["anna"] ?? "" }],
  ] as const) {
    const list = { method: "POST", headers: { ...json, ...headers }, body: "{}" };
    const calls = await raw(origin, "/process.Process/List", list);
    assert.equal(calls.status, 401, why);
    said.add(calls.text);
    for (const path of [
      "/files?path=/etc/hostname",
      "/health",
      "/files?path=/etc/hostname&signature=v1_",
    ]) {
      assert.equal((await raw(origin, path, { headers })).status, 401, `${why} ${path}`);
    }
    const start = Buffer.from(
      JSON.stringify({ process: { cmd: "/bin/touch", args: ["/tmp/opened"] } }),
    );
    const head = Buffer.from([0, 0, 0, 0, start.length]);
    const stream = await raw(origin, "/process.Process/Start", {
      method: "POST",
      headers: { "content-type": "application/connect+json", ...headers },
      body: Buffer.concat([head, start]),
    });
    assert.match(stream.text, /"unauthenticated"/, why);
  }
  assert.equal(said.size, 1, "one answer to all");
  assert.equal(await box.files.exists("/tmp/opened"), false);
  await bert.kill();
});

test("faults in the form of calls: what is no message, too long, packed, unknown, or not a call", async () => {
  const json = { "content-type": "application/json", ...inside };
  const stream = { "content-type": "application/connect+json", ...inside };
  const start = Buffer.from('{"process":{"cmd":"true"}}');
  const framed = (flags: number, length: number, body: Buffer) => {
    const head = Buffer.alloc(5);
    head.writeUInt8(flags);
    head.writeUInt32BE(length, 1);
    return Buffer.concat([head, body]);
  };
  for (const [path, headers, body, status, said] of [
    ["/process.Process/List", json, "not json", 400, "invalid_argument"],
    ["/process.Process/Nothing", json, "{}", 501, "unimplemented"],
    ["/process.Process/constructor", json, "{}", 501, "unimplemented"],
    ["/process.Process/Start", json, "{}", 501, "unimplemented"],
    ["/filesystem.Filesystem/Stat", json, '{"path":"a\\u0000b"}', 400, "invalid_argument"],
    ["/filesystem.Filesystem/Stat", json, '{"path":"/none"}', 404, "not_found"],
    [
      "/process.Process/SendInput",
      json,
      '{"process":{"pid":1},"input":{"stdin":"aGk="}}',
      404,
      "not_found",
    ],
    [
      "/process.Process/List",
      { ...json, "content-type": "application/proto" },
      "x",
      501,
      "unimplemented",
    ],
    ["/process.Process/List", json, `"${"x".repeat(5 << 20)}"`, 429, "resource_exhausted"],
    ["/process.Process/Start", stream, framed(1, start.length, start), 200, "invalid_argument"],
    ["/process.Process/Start", stream, framed(0, start.length + 1, start), 200, "invalid_argument"],
    ["/process.Process/Start", stream, framed(0, 0xffffffff, start), 200, "resource_exhausted"],
    ["/process.Process/Start", stream, Buffer.alloc(0), 200, "invalid_argument"],
    ["/process.Process/List", stream, framed(0, start.length, start), 200, "unimplemented"],
    [
      "/process.Process/Start",
      { ...stream, "connect-content-encoding": "gzip" },
      framed(0, start.length, start),
      200,
      "unimplemented",
    ],
    ["/files/compose", json, "{}", 501, "not supported"],
    ["/init", json, "{}", 501, "not supported"],
  ] as const) {
    const answer = await raw(origin, path, { method: "POST", headers, body }).catch(
      () => undefined,
    );
    // Of one that is too long the answer may be lost with the connection.
    if (answer === undefined) assert.equal(said, "resource_exhausted");
    else {
      assert.equal(answer.status, status, answer.text);
      assert.ok(answer.text.includes(said), answer.text);
    }
  }
  const fed = await box.commands.run("cat", { background: true, stdin: true });
  const input = [
    { start: { process: { pid: fed.pid } } },
    { data: { input: { stdin: Buffer.from("streamed\n").toString("base64") } } },
  ].map((one) => Buffer.from(JSON.stringify(one)));
  const sent = await raw(origin, "/process.Process/StreamInput", {
    method: "POST",
    headers: stream,
    body: Buffer.concat(input.map((one) => framed(0, one.length, one))),
  });
  assert.equal(sent.text.includes("error"), false, sent.text);
  await fed.closeStdin();
  assert.equal((await fed.wait()).stdout, "streamed\n");
});

test("an upload that breaks off leaves nothing, in either form; one that is whole leaves all", async () => {
  const at = encodeURIComponent(join(home.workspace, "half"));
  const part = '--b\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\nhal';
  const form = { "content-type": "multipart/form-data; boundary=b", ...inside };
  const send = async (body: string) =>
    raw(origin, `/files?path=${at}`, { method: "POST", headers: form, body });
  assert.equal((await send(part)).status, 400);
  assert.equal((await send("--b--\r\n")).status, 400);
  for (const [type, body] of [
    ["application/octet-stream", "hal"],
    [form["content-type"], part],
  ] as const) {
    const { hostname, port: to } = new URL(origin);
    const headers = { ...inside, "content-type": type, "content-length": 1000 };
    const sent = ask({ hostname, port: to, path: `/files?path=${at}`, method: "POST", headers });
    sent.on("error", () => {});
    sent.write(body);
    await eventually(
      "its writing",
      10_000,
      async () => (await home.ask("exec.list", { run: box.sandboxId })).length > 0 || undefined,
    );
    sent.destroy();
    await eventually(
      "its end",
      10_000,
      async () => (await home.ask("exec.list", { run: box.sandboxId })).length === 0 || undefined,
    );
  }
  const names = (await box.files.list(".")).map(({ name }) => name);
  assert.deepEqual(
    names.filter((name) => name.includes("half")),
    [],
  );
  assert.equal((await send(`${part}f\r\n--b--\r\n`)).status, 200);
  assert.equal(await box.files.read("half"), "half");
});

test("INV-265: what Cofferdam or its operator paused, no key has go on", async () => {
  await home.ask("run.pause", { run: box.sandboxId });
  const anna = { ...base, apiKey: keys["anna"] ?? "" };
  await assert.rejects(Sandbox.connect(box.sandboxId, anna), /409.*Cofferdam paused this sandbox/);
  assert.equal((await home.ask("run.show", { run: box.sandboxId })).state, "paused");
  await home.ask("run.resume", { run: box.sandboxId });
  assert.equal((await box.commands.run("echo on")).stdout, "on\n");
  // Also where the key had paused it before, and somebody else has since.
  await box.pause();
  await home.ask("run.resume", { run: box.sandboxId });
  await home.ask("lineage.pause", { lineage: "job:e2b.anna" });
  await assert.rejects(Sandbox.connect(box.sandboxId, anna), /409.*Cofferdam paused this sandbox/);
  await home.ask("lineage.resume", { lineage: "job:e2b.anna" });
  assert.equal((await box.commands.run("echo on")).stdout, "on\n");
});

test("a key has as many sandboxes as it may, also when it asks for all at once", async () => {
  const anna = { ...base, apiKey: keys["anna"] ?? "" };
  const asked = await Promise.allSettled([1, 2, 3].map(async () => Sandbox.create(anna)));
  const made = asked.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  assert.equal(made.length, 1, "two at once, of which one is there");
  await Promise.all(made.map(async (one) => one.kill()));
});

test("INV-263: a key that was removed opens nothing, also of what it made; the file has no key in it", async () => {
  const path = file("home/e2b-keys.json");
  assert.equal(statSync(path).mode & 0o777, 0o600);
  for (const key of Object.values(keys)) {
    assert.ok(!readFileSync(path, "utf8").includes(key.slice("e2b_".length)));
  }
  const bert = await Sandbox.create({ ...base, apiKey: keys["bert"] ?? "" });
  kept.remove("bert");
  assert.deepEqual(
    kept.list().map(({ name }) => name),
    ["anna"],
  );
  await assert.rejects(bert.commands.run("true"), AuthenticationError);
  await assert.rejects(bert.kill(), AuthenticationError);
  // Whoever is called bert now is another.
  const another = kept.add("bert");
  await assert.rejects(bert.commands.run("true"), AuthenticationError);
  const list = await raw(origin, "/v2/sandboxes", { headers: { "x-api-key": another } });
  assert.deepEqual(JSON.parse(list.text), []);
  kept.remove("bert");
  assert.throws(() => kept.remove("bert"), { code: "e2b.key" });
  assert.throws(() => kept.add("anna"), { code: "e2b.key" });
  assert.throws(() => kept.add("Not A Name"), { code: "e2b.key" });
  chmodSync(path, 0o644);
  assert.throws(() => kept.list(), /is not this user's alone/);
  const { status } = await raw(origin, "/v2/sandboxes", {
    headers: { "x-api-key": keys["anna"] ?? "" },
  });
  assert.equal(status, 500, "and no key counts");
  chmodSync(path, 0o600);
});

test("INV-266: sandboxes end with their adapter; what one that was killed left, the next ends", async () => {
  const { pid } = adapter.child;
  await adapter.close("SIGKILL");
  assert.notEqual(pid, undefined);
  assert.equal((await home.ask("run.show", { run: box.sandboxId })).state, "running");
  adapter = await openAdapter(home, [...serve, "--listen", `127.0.0.1:${port}`]);
  assert.equal((await home.ask("run.show", { run: box.sandboxId })).state, "ended");
  const anna = { apiUrl: adapter.origin, sandboxUrl: adapter.origin, apiKey: keys["anna"] ?? "" };
  const last = await Sandbox.create(anna);
  await last.commands.run("sleep 4720", { background: true });
  await adapter.close();
  assert.equal((await home.ask("run.show", { run: last.sandboxId })).state, "ended");
  assert.equal((await home.runs()).length, 0);
});

test("faults e2b.template, e2b.port: each with its reason", async () => {
  writeFileSync(file("kept.yaml"), "task: a\npurpose: Shares its home.\n");
  writeFileSync(file("published.yaml"), `${TASK}publish: [3999]\n`);
  const { workspace } = home;
  const fine = `base=${file("base.yaml")},${workspace}`;
  const client = await clientOf(home);
  const options = {
    ...{ home: locateHome({ COFFERDAM_HOME: home.state }), client, cwd: home.root, port: 0 },
    ...{ lingerMs: 0, sandboxesMax: 1, log: createLog(() => {}) },
  };
  for (const [templates, why] of [
    [[], /no template/],
    [["a"], /not a template/],
    [[fine, fine], /not a template/],
    [["a=base.yaml,/none"], /is no folder/],
    [[`a=kept.yaml,${workspace}`], /share one home folder/],
    [[`a=published.yaml,${workspace}`], /publish a port/],
  ] as const) {
    const opening = openHere({ ...options, templates });
    await assert.rejects(opening, (error: unknown) => {
      assert.ok(isFault(error, "e2b.template"), String(error));
      assert.match(error.message, why);
      return true;
    });
  }
  const { port: busy } = twin.address() as AddressInfo;
  const taken = openHere({ ...options, templates: [fine], port: busy });
  await assert.rejects(taken, { code: "e2b.port" });
});

test("fault cli.usage: it stays on this machine, and knows what is done with keys", async () => {
  const open = await home.call(["e2b", "--task", file("base.yaml"), "--listen", "0.0.0.0:8790"]);
  assert.deepEqual([open.code, /takes 127\.0\.0\.1:PORT/.test(open.stderr)], [125, true]);
  assert.match((await home.call(["e2b", "key", "lend"])).stderr, /of keys there are/);
});
