/** Files of runs that live, as the runs themselves see them. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { Readable } from "node:stream";
import { after, before, test } from "node:test";
import type { RunInfo } from "../src/api/index.ts";
import type { Client } from "../src/client/index.ts";
import { eventually, TestHome } from "./support/home.ts";
import { clientOf, execute, startIdle } from "./support/rollout.ts";

const home = new TestHome();
let client: Client;
let run: RunInfo;

before(async () => {
  writeFileSync(`${home.root}/secret`, "of the host");
  mkdirSync(`${home.workspace}/sub`);
  writeFileSync(`${home.workspace}/sub/there.txt`, "there");
  symlinkSync(`${home.root}/secret`, `${home.workspace}/leads-out`);
  client = await clientOf(home);
  run = await startIdle(client, home);
});

after(async () => home.close());

async function read(path: string): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of await client.download({ run: run.run, path }))
    parts.push(part as Buffer);
  return Buffer.concat(parts).toString();
}

const write = async (path: string, text: string, mode?: string) =>
  client.upload({ run: run.run, path, ...(mode && { mode }) }, Readable.from([Buffer.from(text)]));

test("a file goes in and comes out, with its mode, its folders made; the host's own is as it was", async () => {
  const path = `${home.workspace}/made/on/the way/ü.txt`;
  assert.equal(await write(path, "hello", "640"), 5);
  assert.equal(await read(path), "hello");
  const info = await client.call("file.stat", { run: run.run, path });
  assert.deepEqual([info.kind, info.bytes, info.mode], ["file", 5, "640"]);
  await write(path, "other");
  assert.equal(await read(path), "other");
  const mode = async () => (await client.call("file.stat", { run: run.run, path })).mode;
  assert.equal(await mode(), "640", "what is there keeps its mode");
  await write(path, "other", "600");
  assert.equal(await mode(), "600");
  const { stdout } = await execute(client, run.run, ["find", "made", "-type", "f"]);
  assert.equal(stdout, "made/on/the way/ü.txt\n");
  assert.deepEqual(
    await client
      .call("workspace.diff", { run: run.run })
      .then(({ changes }) => changes.map(({ path: at }) => at)),
    ["made", "made/on", "made/on/the way", "made/on/the way/ü.txt"],
  );
});

test("listed, made, moved, removed; names may hold anything", async () => {
  const of = (path: string) => ({ run: run.run, path: `/tmp/files/${path}` });
  await client.call("file.folder", of("a/b"));
  await write("/tmp/files/a/new\nline 'x'", "1");
  await execute(client, run.run, ["ln", "-s", "b", "/tmp/files/a/link"]);
  const listed = await client.call("file.list", { ...of("a"), depth: 2 });
  assert.deepEqual(listed.map(({ path, kind, leadsTo }) => [path, kind, leadsTo]).toSorted(), [
    ["b", "folder", undefined],
    ["link", "link", "b"],
    ["new\nline 'x'", "file", undefined],
  ]);
  await client.call("file.move", { ...of("a/b"), to: "/tmp/files/c" });
  await client.call("file.remove", of("a"));
  assert.deepEqual(
    (await client.call("file.list", of(""))).map(({ path }) => path),
    ["c"],
  );
});

test("INV-223, fault daemon.file: nothing is reached that the run itself could not", async () => {
  const attempts = [
    `${home.workspace}/leads-out`,
    `${home.root}/secret`,
    "/etc/shadow",
    "/proc/1/environ",
    `/proc/${process.pid}/environ`,
  ];
  for (const path of attempts) await assert.rejects(read(path), { code: "daemon.file" }, path);
  await assert.rejects(write("/usr/bin/true", "x"), { code: "daemon.file" });
  // Beneath the run's own /tmp, where it may make what it likes; the host's is another.
  await write(`${home.state}/keys/x`, "x");
  assert.equal(existsSync(`${home.state}/keys/x`), false);
  await assert.rejects(client.call("file.remove", { run: run.run, path: "/usr/bin/true" }), {
    code: "daemon.file",
  });
  assert.equal(await read(`${home.workspace}/sub/there.txt`), "there");
  await assert.rejects(client.call("file.stat", { run: run.run, path: "/tmp/none" }), {
    code: "daemon.file",
    message: /No such file/,
  });
});

test("an upload that breaks off leaves nothing, and what stood there stays", async () => {
  const path = "/tmp/whole";
  await write(path, "before");
  async function* breaks() {
    yield Buffer.alloc(200_000, "x");
    await new Promise((resolve) => setTimeout(resolve, 100));
    throw new Error("the caller's own failure");
  }
  await assert.rejects(client.upload({ run: run.run, path }, breaks()), /own failure/);
  await eventually("what was begun is gone", 10_000, async () =>
    (await execute(client, run.run, ["sh", "-c", "ls -A /tmp | grep whole"])).stdout === "whole\n"
      ? true
      : undefined,
  );
  assert.equal(await read(path), "before");
});

test("an upload over a folder is refused and leaves nothing beside it; half a character names no file", async () => {
  await client.call("file.folder", { run: run.run, path: "/tmp/over/folder" });
  await assert.rejects(write("/tmp/over/folder", "x"), { code: "daemon.file" });
  await assert.rejects(write("/tmp/over/", "x"), { code: "daemon.file" });
  const paths = async (path: string) =>
    (await client.call("file.list", { run: run.run, path })).map((one) => one.path);
  assert.deepEqual(await paths("/tmp/over"), ["folder"]);
  await assert.rejects(write("/tmp/over/\udc80", "x"), { code: "daemon.request" });
  await assert.rejects(execute(client, run.run, ["touch", "/tmp/over/\udc80"]), {
    code: "daemon.request",
  });
  assert.equal(await write("/tmp/over/😀", "x"), 1);
  assert.deepEqual((await paths("/tmp/over")).toSorted(), ["folder", "😀"]);
});

test("a download that nobody reads to its end is ended in the run", async () => {
  await execute(client, run.run, ["sh", "-c", "head -c 50000000 /dev/zero > /tmp/large"]);
  const stream = await client.download({ run: run.run, path: "/tmp/large" });
  await new Promise((resolve) => stream.once("readable", resolve));
  stream.destroy();
  await eventually("its end", 10_000, async () =>
    (await client.call("exec.list", { run: run.run })).length === 0 ? true : undefined,
  );
});

/** Holds the streams of the tool that waits for a FIFO, writes `how` to them, and lets the tool end. */
const HOLDER = `
fifo=$1 how=$2
while :; do for at in /proc/[0-9]*; do
  [ "$(cat "$at/comm" 2>/dev/null)" = "$3" ] && [ "$(readlink "$at/fd/1")" ] || continue
  tr '\\0' ' ' <"$at/cmdline" | grep -qF "$fifo" || continue
  exec 3<"$at/fd/0" 4>"$at/fd/1" 5>"$at/fd/2"
  break 2
done; done
[ "$how" = flood ] && cat /dev/zero >&4 &
printf own >"$fifo"
exec sleep 1000
`;

for (const how of ["hold", "flood"]) {
  test(`a file's tool that has ended is not waited for where another of the run holds its streams: ${how}`, async () => {
    const fifo = `/tmp/fifo-${how}`;
    await execute(client, run.run, ["mkfifo", fifo]);
    const holder = execute(client, run.run, ["sh", "-c", HOLDER, "sh", fifo, how, "cat"]);
    const got = await read(fifo);
    assert.match(got, how === "hold" ? /^own$/ : /^\0*own\0*$/);
    assert.ok(got.length < 4 << 20);
    for (const { exec, argv } of await client.call("exec.list", { run: run.run })) {
      assert.equal(argv[4], fifo, "only the holder is left");
      await client.call("exec.cancel", { run: run.run, exec });
    }
    await holder.catch(() => {});
  });
}

test("a command's output ends with it, whatever writes on to it", async () => {
  const script = "cat /dev/zero & printf own; kill -0 $!";
  const { stdout, end } = await execute(client, run.run, ["sh", "-c", script]);
  assert.equal(end.code, 0);
  assert.ok(stdout.includes("own"));
});

test("what is no request is told", async () => {
  await assert.rejects(read("relative"), { code: "daemon.request" });
  await assert.rejects(
    client.upload({ run: run.run, path: "/tmp/x", mode: "9" }, Readable.from([Buffer.alloc(0)])),
    { code: "daemon.request" },
  );
  await assert.rejects(client.download({ run: "r-0000", path: "/tmp/x" }), {
    code: "daemon.no_such_run",
  });
});
