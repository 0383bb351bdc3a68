/** Commands and files in runs whose agent wants to hold up or use up the daemon by them. */
import assert from "node:assert/strict";
import { readdirSync, readlinkSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { RunInfo } from "../src/api/index.ts";
import type { Client } from "../src/client/index.ts";
import { eventually, TestHome } from "./support/home.ts";
import { clientOf, execute, startIdle } from "./support/rollout.ts";

const home = new TestHome();
let client: Client;
let run: RunInfo;

before(async () => {
  client = await clientOf(home);
  run = await startIdle(client, home);
});

after(async () => home.close());

const sh = async (script: string, options: Parameters<typeof execute>[3] = {}) =>
  execute(client, run.run, ["sh", "-c", script], options);

/** Pipes that the daemon has open. */
async function pipes(): Promise<number> {
  const { pid } = await client.call("daemon.status", {});
  const folder = `/proc/${pid}/fd`;
  return readdirSync(folder).filter((fd) => {
    try {
      return readlinkSync(join(folder, fd)).startsWith("pipe:");
    } catch {
      return false; // Closed meanwhile.
    }
  }).length;
}

test("a command that process 1 cannot take, or tell of, ends no run", async () => {
  const long = await execute(client, run.run, ["x".repeat(20_000)]);
  assert.equal(long.end.reason, "not-started");
  assert.match(long.end.detail ?? "", /^x+: ENAMETOOLONG$/);
  const environment = Object.fromEntries(Array.from({ length: 70_000 }, (_, n) => [`v${n}`, ""]));
  await assert.rejects(sh("true", { environment }), { code: "sandbox.exec" });
  const argv = ["true", "x".repeat(4_150_000)];
  await assert.rejects(execute(client, run.run, argv), { code: "sandbox.exec" });
  await assert.rejects(execute(client, run.run, ["true", "a\0b"]), { code: "sandbox.field" });
  assert.equal((await sh("echo lives")).stdout, "lives\n");
});

test("INV-222: a file that never ends to be read is read for nobody whose caller has gone", async () => {
  await sh("mkfifo /tmp/fifo");
  const asked = request({
    socketPath: join(home.state, "daemon.sock"),
    path: "/v1/file.read",
    method: "POST",
  });
  asked.on("error", () => {}); // It is broken off here.
  asked.end(JSON.stringify({ run: run.run, path: "/tmp/fifo" }));
  const list = async () => client.call("exec.list", { run: run.run });
  await eventually("its tool", 10_000, async () => (await list()).length === 1);
  asked.destroy();
  await eventually("its end", 10_000, async () => (await list()).length === 0);
  assert.equal((await client.call("run.show", { run: run.run })).state, "running");
});

test("a listing tells of files whose time no date reaches", async () => {
  const set = await sh("cd /tmp && touch far && touch -d @99999999999999 far && stat -c %Y far");
  assert.equal(set.stdout, "99999999999999\n");
  const files = await client.call("file.list", { run: run.run, path: "/tmp" });
  assert.ok(files.some(({ path }) => path === "far"));
});

test("a command whose neighbour ends while it begins is known by its id", async () => {
  for (let n = 0; n < 8; n += 1) {
    const gone = new AbortController();
    const short = sh("true");
    const argv = ["sleep", "1000"];
    for await (const line of client.stream("run.exec", { run: run.run, argv }, gone.signal)) {
      if (line.type !== "started") continue;
      await short;
      const listed = await client.call("exec.list", { run: run.run });
      assert.deepEqual(
        listed.map(({ exec }) => exec),
        [line.exec],
      );
      await client.call("exec.cancel", { run: run.run, exec: line.exec });
    }
  }
});

test("what commands leave behind holds few descriptors of the daemon's, and input that nobody takes none", async () => {
  const before = await pipes();
  for (let n = 0; n < 12; n += 1) await sh("true", { interactive: true });
  await eventually("its input's end", 10_000, async () => (await pipes()) <= before);
  for (let round = 0; round < 9; round += 1) {
    await Promise.all(Array.from({ length: 8 }, async () => sh("sleep 1000 &")));
  }
  await eventually("few", 10_000, async () => (await pipes()) <= before + 128);
  assert.ok((await pipes()) > before + 64); // They do hold them.
});
