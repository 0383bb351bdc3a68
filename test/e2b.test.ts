/** The adapter for E2B's clients, asked by their public client from npm, with a real daemon and real sandboxes behind it. */
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import {
  AuthenticationError,
  CommandExitError,
  FileNotFoundError,
  FileType,
  NotFoundError,
  Sandbox,
  SandboxError,
  SandboxNotFoundError,
  TimeoutError,
} from "e2b";
import { openAdapter, type OpenAdapter } from "./support/e2b.ts";
import { eventually, TestHome } from "./support/home.ts";

const home = new TestHome();
const twin = createServer((socket) => {
  socket.on("error", () => {});
  socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nthe twin"));
});
let adapter: OpenAdapter;
let options: { readonly apiKey: string; readonly apiUrl: string; readonly sandboxUrl: string };
/** The one that most tests share. */
let box: Sandbox;

const GRANTLESS = "task: sandbox\npurpose: Holds what callers run.\nhome: fresh\nlifetime: 1h\n";

before(async () => {
  twin.listen(0, "127.0.0.1");
  await once(twin, "listening");
  const { port } = twin.address() as AddressInfo;
  home.write("there.txt", "the operator's\n");
  writeFileSync(join(home.root, "base.yaml"), GRANTLESS);
  writeFileSync(
    join(home.root, "reach.yaml"),
    `${GRANTLESS}grants:\n  - { system: http, name: twin, hosts: [twin.test], ports: [80], dial: "127.0.0.1:${port}", allow: [{ methods: [GET], paths: ["/**"] }] }\n`,
  );
  const { stdout } = await home.call(["e2b", "key", "add", "trainer"]);
  const { root, workspace } = home;
  adapter = await openAdapter(home, [
    ...["--task", join(root, "base.yaml"), "--linger", "1"],
    ...["--template", `reach=${join(root, "reach.yaml")},${workspace}`],
  ]);
  const { origin } = adapter;
  options = { apiKey: stdout.trim(), apiUrl: origin, sandboxUrl: origin };
  box = await Sandbox.create({
    ...options,
    envs: { GREETING: "hello" },
    metadata: { episode: "7", "what for": "a=b&c ü" },
  });
});
after(async () => {
  await adapter?.close();
  twin.close();
  await home.close();
});

const sh = async (script: string) => box.commands.run(script);

test("a command: output as it comes, errors apart, its code, its folder, its environment", async () => {
  const heard: string[] = [];
  const done = await box.commands.run('echo "$GREETING $MORE"; pwd; echo no >&2', {
    envs: { MORE: "there" },
    cwd: "/tmp",
    onStdout: (text) => void heard.push(text),
  });
  assert.deepEqual([done.stdout, done.stderr, done.exitCode], ["hello there\n/tmp\n", "no\n", 0]);
  assert.equal(heard.join(""), done.stdout);
  assert.equal((await sh("pwd; cat there.txt")).stdout, `${home.workspace}\nthe operator's\n`);
  await assert.rejects(sh("echo out; exit 3"), (error: unknown) => {
    assert.ok(error instanceof CommandExitError);
    assert.deepEqual([error.exitCode, error.stdout], [3, "out\n"]);
    return true;
  });
  const user = await box.commands.run("id -un", { user: "root" });
  assert.equal(user.stdout, "agent\n", "one user, whatever it is called");
  await assert.rejects(box.commands.run("true", { user: "nobody" }), AuthenticationError);
});

test("a command in the background: listed, heard by a second listener, fed, ended", async () => {
  const cat = await box.commands.run("cat; echo end", { background: true, stdin: true });
  const second = await box.commands.connect(cat.pid);
  const listed = (await box.commands.list()).find(({ pid }) => pid === cat.pid);
  assert.deepEqual([listed?.cmd, listed?.args], ["/bin/bash", ["-l", "-c", "cat; echo end"]]);
  await cat.sendStdin("one\n");
  await box.commands.sendStdin(cat.pid, "two\n");
  await cat.closeStdin();
  assert.equal((await cat.wait()).stdout, "one\ntwo\nend\n");
  assert.equal((await second.wait()).stdout, "one\ntwo\nend\n");
  const long = await box.commands.run("setsid sleep 4711 & sleep 4711", { background: true });
  assert.equal(await long.kill(), true);
  await assert.rejects(long.wait(), CommandExitError);
  assert.equal(await box.commands.kill(long.pid), false, "there is none of that number any more");
  assert.equal((await sh("pgrep -f 'sleep 471[1]' | wc -l")).stdout.trim(), "0");
});

test("INV-266: a command's time ends it, and what it started", async () => {
  const late = box.commands.run("sleep 4712 & sleep 4712", { timeoutMs: 400 });
  await assert.rejects(late, TimeoutError);
  await eventually("its end", 10_000, async () => (await count("471[2]")) === 0);
});

const count = async (sleeps: string) =>
  Number((await sh(`pgrep -f 'sleep ${sleeps}' | wc -l`)).stdout);

test("INV-266: a command that nobody listens to any more ends, and one that is listened to again does not", async () => {
  const gone = await box.commands.run("sleep 4713", { background: true });
  const kept = await box.commands.run("sleep 4714", { background: true });
  await gone.disconnect();
  await kept.disconnect();
  const again = await box.commands.connect(kept.pid);
  await eventually("the end of the first", 20_000, async () => (await count("471[3]")) === 0);
  assert.equal(await count("471[4]"), 1);
  await again.kill();
});

test("a terminal: its size, a new one, its keys", async () => {
  const shown: Buffer[] = [];
  const pty = await box.pty.create({
    cols: 91,
    rows: 17,
    onData: (data) => void shown.push(Buffer.from(data)),
  });
  const type = async (text: string) => box.pty.sendInput(pty.pid, Buffer.from(text));
  const text = () => Buffer.concat(shown).toString();
  await type("stty size\n");
  await eventually("its size", 10_000, () => text().includes("17 91") || undefined);
  await box.pty.resize(pty.pid, { cols: 50, rows: 20 });
  await type("stty size; exit\n");
  assert.equal((await pty.wait()).exitCode, 0);
  assert.match(text(), /20 50/);
});

test("files: written, read, looked at, listed, moved, removed, under any name", async () => {
  const name = "dir one/ü ?#%25&+\"'\n.txt";
  const written = await box.files.write(name, "content");
  assert.equal(written.path, join(home.workspace, name));
  assert.equal(await box.files.read(name), "content");
  assert.equal((await sh("cat 'dir one'/*")).stdout, "content");
  const [entry] = await box.files.list("dir one");
  assert.deepEqual(
    [entry?.path, entry?.type, entry?.size, entry?.permissions],
    [written.path, FileType.FILE, 7, "-rw-r--r--"],
  );
  assert.equal(await box.files.exists(name), true);
  assert.equal(await box.files.exists("dir one/none"), false);
  assert.equal(await box.files.makeDir("a/b/c"), true);
  assert.equal(await box.files.makeDir("a/b/c"), false);
  assert.equal((await box.files.list("a", { depth: 3 })).length, 2);
  const moved = await box.files.rename(name, "a/b/moved");
  assert.deepEqual([moved.type, moved.name], [FileType.FILE, "moved"]);
  await sh("ln -s /etc/hostname a/link");
  assert.equal((await box.files.getInfo("a/link")).symlinkTarget, "/etc/hostname");
  await box.files.remove("a");
  assert.equal(await box.files.exists("a"), false);
  await box.files.remove("a"); // What is gone is gone.
  await assert.rejects(box.files.read("a/none"), FileNotFoundError);
  await assert.rejects(box.files.list("none"), NotFoundError);
  await assert.rejects(box.files.read("/proc/1/environ"), SandboxError);
  await assert.rejects(box.files.read("~/x"), /no home is put in/);
  assert.equal(readFileSync(join(home.workspace, "there.txt"), "utf8"), "the operator's\n");
});

test("files: several at once, empty ones, packed ones, bytes; by addresses that are signed", async () => {
  const several = await box.files.write([
    { path: "m/1", data: "one" },
    { path: 'm/"2"', data: "" },
  ]);
  assert.deepEqual(
    several.map(({ name }) => name),
    ["1", '"2"'],
  );
  assert.equal(await box.files.read('m/"2"'), "");
  await box.files.write("m/packed", "text ".repeat(1000), { gzip: true });
  assert.equal((await box.files.read("m/packed")).length, 5000);
  const address = await box.downloadUrl("m/1", { useSignatureExpiration: 60 });
  assert.equal(await (await fetch(address)).text(), "one");
  for (const [from, to] of [
    ["m%2F1", "m%2Fpacked"],
    [/signature_expiration=\d+/, "signature_expiration=9999999999"],
    ["signature=v1_", "signature=v1_x"],
  ] as const) {
    assert.equal((await fetch(address.replace(from, to))).status, 401, String(from));
  }
  assert.equal(
    (await fetch(address, { method: "POST", body: "x" })).status,
    401,
    "to read, not to write",
  );
  const past = await box.downloadUrl("m/1", { useSignatureExpiration: -5 });
  assert.equal((await fetch(past)).status, 401);
  const form = new FormData();
  form.append("file", new Blob(["signed"]));
  const put = await fetch(await box.uploadUrl("m/signed"), { method: "POST", body: form });
  assert.equal(put.status, 200, await put.text());
  assert.equal(await box.files.read("m/signed"), "signed");
});

test("a large file goes both ways as it comes, in memory that does not grow with it", async () => {
  const piece = randomBytes(1 << 20);
  const PIECES = 48;
  const sent = createHash("sha256");
  let left = PIECES;
  const source = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (left === 0) return controller.close();
      left -= 1;
      sent.update(piece);
      controller.enqueue(piece);
    },
  });
  const peak = () =>
    Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${adapter.child.pid}/status`, "utf8"))?.[1]);
  const before_ = peak();
  await box.files.write("/tmp/large", source);
  const got = createHash("sha256");
  let bytes = 0;
  for await (const chunk of (await box.files.read("/tmp/large", {
    format: "stream",
  })) as unknown as AsyncIterable<Uint8Array>) {
    got.update(chunk);
    bytes += chunk.length;
  }
  assert.equal(bytes, PIECES << 20);
  assert.equal(got.digest("hex"), sent.digest("hex"));
  const grownKiB = peak() - before_;
  assert.ok(grownKiB < (PIECES << 10) / 2, `${grownKiB} KiB for ${PIECES} MiB`);
});

test("a sandbox is told of, listed, timed, paused, resumed, ended", async () => {
  const own = await Sandbox.create("reach", {
    ...options,
    timeoutMs: 600_000,
    metadata: { n: "1" },
  });
  const info = await own.getInfo();
  assert.deepEqual([info.templateId, info.metadata, info.state], ["reach", { n: "1" }, "running"]);
  assert.equal(info.endAt.getTime() - info.startedAt.getTime(), 600_000);
  const ids = async (query: object) =>
    (await Sandbox.list({ ...options, query }).nextItems()).map(({ sandboxId }) => sandboxId);
  assert.deepEqual(await ids({ metadata: { "what for": "a=b&c ü" } }), [box.sandboxId]);
  assert.deepEqual(await ids({ metadata: { n: "2" } }), []);
  const pages = Sandbox.list({ ...options, limit: 1 });
  assert.deepEqual((await pages.nextItems())[0]?.sandboxId, own.sandboxId, "the newest first");
  assert.deepEqual((await pages.nextItems())[0]?.sandboxId, box.sandboxId);
  assert.equal(pages.hasNext, false);

  await own.commands.run("(while :; do date +%s%N > /tmp/tick; sleep 0.01; done) & echo");
  assert.equal(await own.pause(), true);
  assert.equal(await own.pause(), false);
  assert.equal(await own.isRunning(), false);
  assert.deepEqual(await ids({ state: ["paused"] }), [own.sandboxId]);
  // More than its task lets it live is refused, and it stands still as before.
  const tooLong = Sandbox.connect(own.sandboxId, { ...options, timeoutMs: 2 * 3_600_000 });
  await assert.rejects(tooLong, /its task has \d+ s left/);
  assert.equal(await own.isRunning(), false);
  const same = await Sandbox.connect(own.sandboxId, { ...options, timeoutMs: 300_000 });
  assert.equal(await same.isRunning(), true);
  const [first, later] = (
    await same.commands.run("cat /tmp/tick; sleep 0.2; cat /tmp/tick")
  ).stdout.split("\n");
  assert.notEqual(first, later, "what ran goes on");

  await assert.rejects(own.setTimeout(2 * 3_600_000), /lets this sandbox live \d+ s more/);
  assert.equal(await own.isRunning(), true);
  await own.setTimeout(1000);
  await eventually("its end", 20_000, async () => !(await own.isRunning()) || undefined);
  assert.equal(await own.kill(), false);
  await assert.rejects(Sandbox.connect(own.sandboxId, options), SandboxNotFoundError);
  await assert.rejects(own.commands.run("true"), SandboxNotFoundError);
});

test("on record: whose sandbox, what its caller said of it, its commands; no value of its environment", async () => {
  const of = (await home.log()).filter(({ run }) => run === box.sandboxId);
  const start = of.find(({ type }) => type === "run.start");
  assert.deepEqual(start?.data?.["labels"], {
    "e2b.key": "trainer",
    "e2b.template": "base",
    "e2b.metadata": '{"episode":"7","what for":"a=b&c ü"}',
    "e2b.environment": "GREETING",
  });
  assert.ok(of.some(({ type, data }) => type === "exec" && data?.["label"] === "e2b"));
  const { lineage } = await home.ask("run.show", { run: box.sandboxId });
  assert.ok(lineage?.includes("job:e2b.trainer"), "and one lineage for all of a key");
});

test("INV-265: what a sandbox reaches is its template's to say: denied and on record, or granted", async () => {
  const curl = "curl -s -m 10 -o /dev/null -w '%{http_code}' http://twin.test/ || true";
  assert.equal((await sh(curl)).stdout, "403");
  const denied = (await home.log()).filter(
    ({ run, type, target }) =>
      run === box.sandboxId && type !== "exec" && target?.includes("twin.test"),
  );
  assert.ok(denied.length > 0, "the attempt is on record, as this sandbox's");
  const own = await Sandbox.create("reach", options);
  assert.equal((await own.commands.run(curl)).stdout, "200");
  await own.kill();
});

test("INV-265: a caller's own word on network, volumes or identity starts nothing; nor does a template that nobody named", async () => {
  const before_ = (await home.runs({ all: true })).length;
  for (const [more, why] of [
    [{ network: { allowOut: ["twin.test"] } }, /501: network is not a caller's/],
    [{ network: { egressProxy: { address: "127.0.0.1:1" } } }, /501: network/],
    [{ volumeMounts: { "/data": "a" } }, /501: volumeMounts/],
    [{ iam: { tokens: { a: { audience: "x", tokenType: "y" } } } }, /501: iam/],
    [{ lifecycle: { onTimeout: "pause", autoResume: true } }, /501: autoResume/],
    [{ timeoutMs: 2 * 3_600_000 }, /lets a sandbox live 3600 s/],
    [{ metadata: { a: "x".repeat(1025) } }, /400: metadata/],
    [{ envs: { "A=B": "1" } }, /400: envVars/],
  ] as const) {
    await assert.rejects(Sandbox.create({ ...options, ...(more as object) }), why);
  }
  for (const name of ["none", "../base", "/etc/passwd", "__proto__"]) {
    await assert.rejects(Sandbox.create(name, options), /404: no template/);
  }
  const closed = { ...options, allowInternetAccess: false };
  await assert.rejects(Sandbox.create("reach", closed), /501: allow_internet_access/);
  assert.equal((await home.runs({ all: true })).length, before_);
  await (await Sandbox.create(closed)).kill(); // Of what reaches nothing, it is so.
});

test("what is not there is said to be so", async () => {
  await assert.rejects(box.getMetrics(), /501.*not supported/);
  await assert.rejects(box.createSnapshot(), /501.*memory is not copied/);
  await assert.rejects(Sandbox.fork(box.sandboxId, options), /501.*memory is not copied/);
  await assert.rejects(box.updateNetwork({ denyOut: [] }), /501.*task file/);
  await assert.rejects(box.pause({ keepMemory: false }), /501.*with its memory/);
  await assert.rejects(
    box.files.watchDir("/tmp", () => {}),
    /not watched here/,
  );
  const marked = box.files.write("x", "x", { metadata: { a: "b" } });
  await assert.rejects(marked, /envd|metadata/);
});
