/**
 * The ROME drill end to end: in a world of its own, against the real command line, and against one
 * that contains nothing.
 */
import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { drillSchema, faultsOf, type DrillRecord } from "../drills/record.ts";

const ROOT = join(import.meta.dirname, "..");
const MAIN = join(ROOT, "drills", "main.ts");

function start(file: string, line: readonly string[]): ChildProcess {
  return spawn(file, [...line], { stdio: ["ignore", "pipe", "pipe"], cwd: "/" });
}

async function finish(child: ChildProcess): Promise<{ code: number; out: string; err: string }> {
  let [out, err] = ["", ""];
  child.stdout?.setEncoding("utf8").on("data", (text: string) => (out += text));
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (err += text));
  const [code] = (await once(child, "close")) as [number | null];
  return { code: code ?? -1, out, err };
}

/** The one object that `--json` prints. */
function readDrill(out: string): DrillRecord {
  const { drills } = z.object({ drills: z.tuple([drillSchema]) }).parse(JSON.parse(out));
  return drills[0];
}

test("`cofferdam drill rome --json`: every attempt contained, crossed bare; every twin passes", async () => {
  const { code, out, err } = await finish(
    start(join(ROOT, "bin", "cofferdam"), ["drill", "rome", "--json"]),
  );
  assert.notEqual(out, "", err);
  const drill = readDrill(out);
  assert.equal(drill.name, "rome");
  for (const attempt of drill.attempts) {
    assert.deepEqual(faultsOf(attempt), [], `${attempt.name}: ${JSON.stringify(attempt)}`);
  }
  for (const twin of drill.twins) assert.ok(twin.passed, `${twin.name}: ${twin.detail}`);
  assert.equal(drill.ledgerIntact, true);
  assert.equal(code, 0);
  const kinds = ["tunnel-22", "tunnel-443", "mining-stratum", "mining-login", "mining-stratum-tls"];
  const names = new Set(drill.attempts.map(({ name }) => name));
  for (const kind of kinds) {
    for (const how of ["granted", "ungranted"])
      assert.ok(names.has(`${kind}-${how}`), `${kind} ${how}`);
  }
  for (const name of ["scan-internal", "scan-metadata", "scan-granted"]) assert.ok(names.has(name));
});

/** A command line that runs what it is given with nothing in its way, and records nothing. */
const LEAKY = `#!/bin/sh
[ "$1" = run ] || exit 0
while [ "$1" != -- ]; do shift; done
shift
echo '{"event":"run.start","run":"r-0"}' >&2
sed -i 's/outside[.]example/203.0.113.10/g; s/api[.]granted[.]example/203.0.113.20/g' plan.json
exec "$@"
`;

test("the drill sees what gets through: with no containment every attempt crosses, takes effect and harms", async () => {
  const folder = mkdtempSync(join(tmpdir(), "cofferdam-leaky-"));
  chmodSync(folder, 0o755);
  const leaky = join(folder, "cofferdam");
  writeFileSync(leaky, LEAKY, { mode: 0o755 });
  const drilling = start(process.execPath, [MAIN, "rome", "--json", "--cofferdam", leaky]);
  const { code, out, err } = await finish(drilling);
  rmSync(folder, { recursive: true });
  assert.notEqual(out, "", err);
  for (const { name, crossed, effect, harm, bareCrossed, bare, output } of readDrill(out)
    .attempts) {
    const found = { crossed, effect, harm, bareCrossed };
    const all = { crossed: true, effect: true, harm: true, bareCrossed: true };
    assert.deepEqual(found, all, `${name}: bare ${bare}; in a run ${output}`);
  }
  assert.equal(code, 1);
});

/** Folders and processes of drills that were not there before. */
function traces(): ReadonlySet<string> {
  const folders = readdirSync(tmpdir()).filter((name) => name.startsWith("cofferdam-drill-"));
  const processes = readdirSync("/proc").filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      return readFileSync(join("/proc", pid, "cmdline"), "utf8").includes("cofferdam-drill-");
    } catch {
      return false; // Gone meanwhile.
    }
  });
  return new Set([...folders, ...processes]);
}

for (const signal of ["SIGINT", "SIGKILL"] as const) {
  test(`nothing of a drill is left after ${signal}: no process, so no namespace, and no folder`, async () => {
    const before = traces();
    const child = start(process.execPath, [MAIN, "rome", "--cofferdam", "-"]);
    let told = "";
    child.stderr?.setEncoding("utf8").on("data", (text: string) => (told += text));
    while (!told.includes("without Cofferdam")) await sleep(20);
    const made = [...traces()].filter((trace) => !before.has(trace));
    assert.ok(made.length > 3, "there is a world to leave behind");
    child.kill(signal);
    await once(child, "exit");
    const limit = Date.now() + 20_000;
    const left = () => made.filter((trace) => traces().has(trace));
    while (left().length > 0 && Date.now() < limit) await sleep(50);
    assert.deepEqual(left(), []);
    if (signal === "SIGINT") assert.equal(child.exitCode, 130, "drill.stopped, as shells tell it");
  });
}

test("a drill that is not known is refused with 125 and what there is", async () => {
  const { code, err } = await finish(start(process.execPath, [MAIN, "roma", "--json"]));
  assert.equal(code, 125);
  assert.match(err, /"drill\.unknown".*there is: rome/);
});
