/**
 * Operating failures of daemon and command line: each is named, says what and why, and opens nothing.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { locateHome } from "../src/api/index.ts";
import { createClient } from "../src/client/index.ts";
import { resolveHost } from "../src/daemon/resolve.ts";
import { loadInfos } from "../src/daemon/run-files.ts";
import { Runs } from "../src/daemon/runs.ts";
import { checkWorkspace } from "../src/daemon/workspace-place.ts";
import { launcherPath } from "../src/sandbox/index.ts";
import { TestHome } from "./support/home.ts";

const home = new TestHome();
after(() => home.close());
const place = mkdtempSync(join(tmpdir(), "cofferdam-refusals-"));
after(() => rmSync(place, { recursive: true, force: true }));

function task(text: string): string {
  const file = join(home.root, "refused.yaml");
  writeFileSync(file, `task: refused\npurpose: Be refused.\n${text}`);
  return file;
}

const STARTS: readonly (readonly [string, string, RegExp])[] = [
  ["sandbox.limit", "compute: { gpu: [63] }\n", /GPU.*\/dev\/nvidiaN/],
  ["sandbox.limit", "compute: { cpus: 100000 }\n", /cpus|processor/i],
  [
    "daemon.authority",
    "grants:\n  - system: http\n    name: a\n    hosts: [a.example]\n    ca: ./none.pem\n    allow:\n      - methods: [GET]\n        paths: [/**]\n",
    /cannot read the grant's authority/,
  ],
];
for (const [code, text, words] of STARTS) {
  test(`fault ${code}: nothing starts`, async () => {
    const result = await home.run(["sh", "-c", "echo ran"], ["--task", task(text), "--json"]);
    assert.equal(result.code, 125, result.stderr);
    assert.equal(result.stdout, "");
    assert.match(result.stderr, words);
  });
}

const PLACES: readonly (readonly [string, string])[] = [
  ["/", "the system"],
  ["/etc", "the system"],
  ["/usr/share", "the system"],
  ["/proc/self", "the system"],
  [homedir(), "a whole home"],
  [join(homedir(), ".."), "a folder that holds a home"],
  [place, "a folder that holds Cofferdam's state"],
  [join(place, "state", "runs"), "Cofferdam's state itself"],
  [join(place, "nowhere"), "a folder that is not there"],
  [join(place, "link"), "the state by a link"],
];
mkdirSync(join(place, "state", "runs"), { recursive: true });
mkdirSync(join(place, "project"));
symlinkSync(join(place, "state"), join(place, "link"));
for (const [path, what] of PLACES) {
  test(`INV-4 fault daemon.workspace: ${what} is no workspace`, () =>
    assert.throws(() => checkWorkspace(path, join(place, "state")), { code: "daemon.workspace" }));
}
for (const [path, what] of [
  [place, "the folder around it"],
  [join(place, "state"), "itself"],
  [join(place, "state", "runs"), "a folder in it"],
] as const) {
  test(`INV-4 fault daemon.workspace: of a state that is called by a link, ${what} is no workspace`, () =>
    assert.throws(() => checkWorkspace(path, join(place, "link")), { code: "daemon.workspace" }));
}

test("INV-4 fault daemon.workspace: a home that is called by a link is no workspace", () => {
  const named = process.env["HOME"];
  process.env["HOME"] = join(place, "link"); // As where /home is a link to another disk.
  try {
    const state = join(place, "elsewhere");
    assert.throws(() => checkWorkspace(join(place, "state"), state), { code: "daemon.workspace" });
    assert.equal(checkWorkspace(join(place, "project"), state), join(place, "project"));
  } finally {
    process.env["HOME"] = named;
  }
});

test("a project beside the state is a workspace", () => {
  const project = join(place, "project");
  assert.equal(checkWorkspace(project, join(place, "state")), project);
});

test("fault daemon.run_file: a run's description that cannot be read is named, not guessed", () => {
  const runs = join(place, "runs");
  mkdirSync(join(runs, "r-1"), { recursive: true });
  writeFileSync(join(runs, "r-1", "run.json"), "{");
  assert.throws(() => loadInfos(runs), { code: "daemon.run_file" });
});

test("fault daemon.full: beyond the limit no run is taken", () => {
  // The registry asks nothing of either before it looks at its limit.
  const none = undefined as never;
  const room = { runs: 0, why: "its 20 open files allow no more", hint: "raise LimitNOFILE=" };
  assert.throws(() => new Runs(none, room).add(none), {
    code: "daemon.full",
    message: /open files/,
    hint: /LimitNOFILE/,
  });
});

test("fault daemon.resolve: a name without an address", async () => {
  await assert.rejects(resolveHost("no-such-name.invalid"), { code: "daemon.resolve" });
});

test("fault sandbox.launcher: an architecture without a launcher", () => {
  assert.throws(() => launcherPath("mips"), { code: "sandbox.launcher" });
});

test("fault cli.unreachable, cli.control: no daemon, and one that speaks otherwise", async () => {
  const root = join(place, "other");
  mkdirSync(root);
  const client = createClient(locateHome({ COFFERDAM_HOME: root }));
  await assert.rejects(client.call("daemon.status", {}), { code: "cli.unreachable" });
  const server = createServer((_, response) => response.writeHead(500).end("nonsense"));
  server.listen(join(root, "daemon.sock"));
  await once(server, "listening");
  await assert.rejects(client.call("daemon.status", {}), { code: "cli.control" });
  server.close();
});

test("fault cli.daemon: a daemon that cannot start says why", async () => {
  const broken = new TestHome();
  mkdirSync(broken.state);
  writeFileSync(join(broken.state, "ledger"), "not a folder");
  const result = await broken.run(["true"]);
  assert.equal(result.code, 125);
  assert.match(result.stderr, /daemon did not start/);
  await broken.close();
});

test("fault cli.entry, cli.task_file, daemon.state, daemon.no_such_run: asked for what is not there", async () => {
  assert.match((await home.call(["prove", "x"])).stderr, /no entry number/);
  assert.match((await home.call(["check", join(place, "none.yaml")])).stderr, /cannot read/);
  assert.match((await home.call(["kill", "r-none"])).stderr, /no run/);
  const { stdout } = await home.run(["sleep", "30"], ["-d"]);
  assert.equal((await home.call(["stop"])).code, 125, "a daemon with runs does not stop unasked");
  assert.equal((await home.call(["discard", stdout.trim()])).code, 125, "its layer is in use");
  assert.equal((await home.call(["kill", stdout.trim()])).code, 0);
});

test("fault cli.lost: a daemon that dies under an attached run is told, and is no success", async () => {
  const viewer = home.spawn(["run", "--", "sh", "-c", "echo up; sleep 60"]);
  const closed = once(viewer, "close");
  let err = "";
  viewer.stderr?.on("data", (data: Buffer) => (err += data.toString()));
  if (viewer.stdout !== null) await once(viewer.stdout, "data");
  const pid = home.daemonPid();
  assert.ok(pid !== undefined);
  process.kill(pid, "SIGKILL");
  const [code] = (await closed) as [number];
  assert.equal(code, 125);
  assert.match(err, /daemon is gone/);
});

test("INV-16: the workspace changes by apply only, what others execute by name, and discard discards", async () => {
  writeFileSync(join(home.workspace, "file.txt"), "before\n");
  const script = "echo after > file.txt; echo all: > Makefile; rm -f gone; echo kept > kept.txt";
  const result = await home.run(["sh", "-c", script], ["--json"]);
  const run = /"run":"(r-[0-9a-z]+)"/.exec(result.stderr)?.[1] ?? "";
  const read = (name: string) => readFileSync(join(home.workspace, name), "utf8");
  assert.equal(read("file.txt"), "before\n");
  assert.match((await home.call(["diff", run])).stdout, /\+after/);
  assert.equal((await home.call(["apply", run])).code, 1, "something is held back");
  assert.equal(read("file.txt"), "after\n");
  assert.throws(() => read("Makefile"));
  assert.equal((await home.call(["apply", run, "--confirm", "Makefile"])).code, 0);
  assert.equal(read("Makefile"), "all:\n");
  assert.equal((await home.call(["discard", run])).code, 0);
  assert.equal((await home.call(["diff", run])).code, 125);
});

test("fault daemon.read_only: a run that could not write has no changes", async () => {
  const file = task("workspace: read-only\n");
  const result = await home.run(["sh", "-c", "echo x > new.txt"], ["--task", file, "--json"]);
  assert.notEqual(result.code, 0);
  const run = /"run":"(r-[0-9a-z]+)"/.exec(result.stderr)?.[1] ?? "";
  assert.equal((await home.call(["diff", run])).code, 125);
});

test("INV-215: daemon.identity: a process speaks for people of an OpenID provider alone, and for nobody who is not listed", async () => {
  await home.call(["ps"]);
  const client = createClient(locateHome({ COFFERDAM_HOME: home.state }));
  for (const identity of [
    "telegram:4711",
    "cli:0",
    "passkey:alice",
    "alice",
    "oidc:",
    "oidc:a b@c",
  ]) {
    await assert.rejects(client.as(identity).call("daemon.status", {}), {
      code: "daemon.identity",
    });
  }
  // Who may ask is the socket's matter; for whom, the decision's.
  await client.as("oidc:somebody@id.example").call("daemon.status", {});
});
