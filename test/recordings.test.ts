/**
 * Recordings end to end: shells that runs open by real ssh, kept by the daemon, listed, read and searched by
 * `cofferdam recordings`; and what is left of them when a worker or the daemon dies.
 */
import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import {
  appendFileSync,
  globSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { RecordingInfo } from "../src/api/index.ts";
import { SshHome } from "./ssh/kit.ts";
import { atTerminal } from "./support/terminal.ts";
import { eventually } from "./support/home.ts";

const it = new SshHome();
let task = "";
before(async () => {
  await it.start();
  const expires = new Date(Date.now() + 2 * 86_400_000).toISOString().slice(0, 10);
  task = it.task(
    `      - { verbs: [shell, script], unattended: { count: 100, reason: a test, expires: "${expires}" } }\n`,
  );
});
after(() => it.close());

async function list(...args: readonly string[]): Promise<readonly RecordingInfo[]> {
  const { stdout } = await it.home.call(["recordings", ...args, "--json"]);
  return stdout
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as RecordingInfo);
}

const fileOf = ({ run, id }: RecordingInfo) =>
  join(it.home.state, "runs", run, "recordings", `${id}.cast`);

/** Starts a shell that stays, and waits until it shows "stands". */
async function standing(): Promise<ChildProcess> {
  const child = it.home.spawn([
    "run",
    "--task",
    task,
    "--",
    "sh",
    "-c",
    "(echo echo st'an'ds; sleep 600) | ssh -tt server.example",
  ]);
  let shown = "";
  child.stdout?.on("data", (data: Buffer) => (shown += data.toString()));
  await eventually("the shell stands", 30_000, () => /^stands/m.test(shown) || undefined);
  return child;
}

test("INV-129: a shell of a run is recorded by the daemon, out of the run's reach, and read back safely", async () => {
  const { stdout, stderr } = await it.run(
    task,
    `ssh -tt server.example "printf 'a pass\\\\033[31mwo\\\\033[0mrd\\\\033]0;t\\\\007 is here\\\\n'; seq 1 200000"
find / -name '*.cast*' 2>/dev/null; curl -s http://cofferdam.internal/recordings; ls /run/cofferdam`,
  );
  assert.match(stdout, /200000\r\n/, stderr);
  assert.doesNotMatch(stdout, /rec-|\\.cast/);
  const [one] = await list();
  assert.ok(one !== undefined);
  assert.deepEqual([one.system, one.state, one.check], ["server", "complete", "ok"]);
  const outcome = (await it.home.log()).find(({ seq }) => seq === one.entry);
  assert.equal(outcome?.type, "outcome");
  assert.match(JSON.stringify(outcome?.data?.["recording"]), /"sha256":"[0-9a-f]{64}"/);

  const shown = await it.home.call(["recordings", "show", one.id]);
  assert.match(shown.stdout, /^a password is here\n1\n2\n/);
  assert.match(shown.stdout, /\n200000\n$/);
  const raw = await it.home.call(["recordings", "show", one.id, "--raw"]);
  assert.equal(raw.stdout, readFileSync(fileOf(one), "utf8"));
  const found = await it.home.call(["recordings", "search", "a PASSWORD is", "--run", one.run]);
  assert.deepEqual([found.code, found.stdout.split(" line ")[1]], [0, "1: a password is here\n"]);
  assert.equal((await it.home.call(["recordings", "search", "not in it"])).code, 1);
  const terminal = await atTerminal(["recordings", "show", one.id, "--raw"], [], {
    COFFERDAM_HOME: it.home.state,
  });
  assert.match(terminal.shown, /would command this terminal/, "cli.terminal");
  assert.equal((await it.home.call(["recordings", "show"])).code, 125);
  assert.match((await it.home.call(["recordings", "show", "rec-0"])).stderr, /no recording rec-0/);
});

test("INV-130: whoever changes, plants or takes away a recording is told of", async () => {
  const [one] = await list();
  assert.ok(one !== undefined);
  const path = fileOf(one);
  appendFileSync(path, "x");
  const changed = await it.home.call(["recordings", "show", one.id]);
  assert.equal(changed.code, 1);
  assert.match(changed.stderr, /is not what was recorded: changed/);
  assert.equal((await it.home.call(["recordings", "search", "password"])).code, 1);
  truncateSync(path, one.bytes);
  const planted = join(path, "..", "rec-planted.cast");
  writeFileSync(planted, "");
  assert.deepEqual(
    (await list(one.run)).map(({ check }) => check),
    ["ok", "unrecorded"],
  );
  rmSync(planted);
  const bytes = readFileSync(path);
  rmSync(path);
  const missing = await it.home.call(["recordings"]);
  assert.deepEqual([missing.code, /\bmissing$/m.test(missing.stdout)], [1, true]);
  writeFileSync(path, bytes, { mode: 0o600 });
  assert.equal((await it.home.call(["recordings"])).code, 0);
});

test("a worker that is killed leaves a recording that is on record as incomplete", async () => {
  const child = await standing();
  const open = (await list()).find(({ state }) => state === "recording");
  assert.equal(open?.check, "open");
  const log = readFileSync(it.home.state + "/daemon.log", "utf8").split("\n");
  const serving = log.findLast(
    (line) => line.includes('"worker.serves"') && line.includes(open?.run ?? "none"),
  );
  process.kill((JSON.parse(serving ?? "{}") as { pid: number }).pid, "SIGKILL");
  const sealed = await eventually("it is sealed", 30_000, async () =>
    (await list(open?.run ?? "")).find(({ state }) => state === "incomplete"),
  );
  assert.deepEqual([sealed.id, sealed.check], [open?.id, "ok"]);
  assert.match(sealed.end ?? "", /the worker that parsed its traffic ended/);
  assert.match((await it.home.call(["recordings", "show", sealed.id])).stdout, /^stands$/m);
  const gone = once(child, "close");
  await it.home.call(["kill", sealed.run]);
  await gone;
});

test("a daemon that is killed leaves one that the next puts on record as incomplete; an ended run none", async () => {
  const child = await standing();
  const gone = once(child, "close");
  process.kill(it.home.daemonPid() ?? 0, "SIGKILL");
  await gone;
  const all = await list();
  const left = all.find(({ end }) => end === "the daemon died");
  assert.deepEqual([left?.state, left?.check], ["incomplete", "ok"]);
  assert.match(
    (await it.home.call(["recordings", "show", left?.id ?? ""])).stderr,
    /not complete: the daemon died/,
  );

  const ended = await standing();
  const over = once(ended, "close");
  const open = (await list()).find(({ state }) => state === "recording");
  await it.home.call(["kill", open?.run ?? ""]);
  await over;
  const [last] = await list(open?.run ?? "");
  assert.equal(last?.check, "ok");
  assert.deepEqual(globSync(join(it.home.state, "runs/*/recordings/*.part")), []);
});

test("INV-166: a run whose recordings are full has its terminals ended, and another run has not", async () => {
  const small = join(it.home.root, "small.yaml");
  writeFileSync(small, `${readFileSync(task, "utf8")}compute: { recordings: 64KiB }\n`);
  const shell = (text: string) => `ssh -tt server.example "${text}" </dev/null; echo "code $?"`;
  const { stdout, stderr } = await it.run(
    small,
    `${shell("seq 1 200000")}; ${shell("seq 1 200000")}`,
  );
  assert.match(stderr, /all recordings of its run take 65536 bytes, as much as they may/);
  assert.deepEqual(stdout.match(/code \d+/g), ["code 255", "code 255"]);
  assert.ok(!stdout.includes("200000"));
  const run = (await it.home.log()).findLast(({ type }) => type === "run.start")?.run ?? "";
  const files = await list(run);
  assert.ok(files.reduce((sum, { bytes }) => sum + bytes, 0) <= 65_536);
  assert.ok(
    files.some(({ state, end }) => state === "incomplete" && /65536 bytes/.test(end ?? "")),
  );
  const recorded = (await it.home.log()).filter(
    ({ run: of, type, data }) => of === run && type === "outcome" && data?.["recording"],
  );
  assert.ok(recorded.length > 0);
  assert.ok(recorded.every(({ data }) => data?.["failed"] === "recording.full"));

  const other = await it.run(task, shell("echo aga'in'"));
  assert.match(other.stdout, /^again\r?\n[^]*code 0/m);
});
