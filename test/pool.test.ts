/** Sandboxes that wait, as a person's daemon keeps them: they end with it, however it ends. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { createClient } from "../src/client/index.ts";
import { locateHome } from "../src/api/index.ts";
import { BIN, eventually, TestHome } from "./support/home.ts";

// The command line's own cache of code is looked at here, which it has no need of under another (scripts/test.ts).
delete process.env["NODE_COMPILE_CACHE"];
const home = new TestHome();
after(() => home.close());
const client = createClient(locateHome({ COFFERDAM_HOME: home.state }));

/** Processes whose command line names this test's workspace: the sandboxes' bubblewraps. */
function sandboxes(): readonly number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => commandLine(pid).includes(`\0${home.workspace}\0`));
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return ""; // Ended.
  }
}

async function waiting(): Promise<number> {
  return eventually("sandboxes wait", 10_000, async () => {
    const status = await client.call("daemon.status", {});
    return status.waiting > 0 ? status.waiting : undefined;
  });
}

test("INV-15 INV-42: kill -9 of the daemon ends what waits; the next daemon tidies up", async () => {
  assert.equal((await home.run(["true"])).code, 0);
  await waiting();
  assert.ok(sandboxes().length > 0);
  const pid = home.daemonPid();
  assert.ok(pid !== undefined);
  process.kill(pid, "SIGKILL");
  await eventually("no process is left", 5000, () => sandboxes().length === 0 || undefined);
  assert.equal((await home.run(["true"])).code, 0);
  const wait = await waiting();
  const unclaimed = readdirSync(join(home.state, "runs")).filter(
    (id) => !existsSync(join(home.state, "runs", id, "run.json")),
  );
  assert.ok(unclaimed.length <= wait + 1, "those of now, and one that is being made");
  assert.match((await home.call(["verify"])).stdout, /^intact/);
});

test("INV-42: `stop` needs no force for sandboxes that wait, and leaves none", async () => {
  assert.equal((await home.run(["true"])).code, 0);
  await waiting();
  const { code, stderr } = await home.call(["stop"]);
  assert.equal(code, 0, stderr);
  await eventually("no process is left", 5000, () => sandboxes().length === 0 || undefined);
});

test("INV-42: code is cached where its owner alone can write, or not at all", async () => {
  const code = join(home.state, "code");
  await home.call(["ps"]);
  assert.equal(statSync(code).mode & 0o777, 0o700);
  assert.ok(readdirSync(code).length > 0, "it is used");
  const within = await home.run(["true"], [], { cwd: code });
  assert.match(within.stderr, /Cofferdam's own state/, "no run has it as its workspace");
});

const OPEN: readonly (readonly [string, (code: string, elsewhere: string) => void])[] = [
  [
    "others can write to it",
    (code) => {
      mkdirSync(code);
      chmodSync(code, 0o770);
    },
  ],
  ["it is a link", (code, elsewhere) => symlinkSync(elsewhere, code)],
];
for (const [what, make] of OPEN) {
  test(`INV-42: a folder for code is left alone where ${what}`, () => {
    const state = mkdtempSync(join(home.root, "open-"));
    const elsewhere = mkdtempSync(join(home.root, "elsewhere-"));
    make(join(state, "code"), elsewhere);
    const { status } = spawnSync(BIN, ["help"], { env: { ...process.env, COFFERDAM_HOME: state } });
    assert.equal(status, 0);
    assert.deepEqual([readdirSync(join(state, "code")), readdirSync(elsewhere)], [[], []]);
  });
}
