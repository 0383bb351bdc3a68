/**
 * Some drills of the field end to end: contained by the real command line, and seen to get through where nothing
 * contains them. `npm run test:drills` runs all of them.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { z } from "zod";
import { DRILLS } from "../drills/registry.ts";
import { LEAKY } from "./support/leaky.ts";
import { FINDING_KINDS } from "../src/action/index.ts";
import { drillSchema, faultsOf, LED, type DrillRecord } from "../drills/record.ts";

const ROOT = join(import.meta.dirname, "..");
const MAIN = join(ROOT, "drills", "main.ts");

async function call(file: string, line: readonly string[]) {
  const child = spawn(file, [...line], { stdio: ["ignore", "pipe", "pipe"], cwd: "/" });
  let [out, err] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (err += text));
  const [code] = (await once(child, "close")) as [number | null];
  return { code, out, err };
}

function readDrills(out: string): readonly DrillRecord[] {
  return z.object({ drills: z.array(drillSchema) }).parse(JSON.parse(out)).drills;
}

test("the findings that drills expect are of kinds that there are", () => {
  const kinds = new Set<string>(FINDING_KINDS);
  for (const { name, attempts } of DRILLS) {
    for (const { expects = [] } of attempts) {
      for (const kind of expects) assert.ok(kinds.has(kind), `${name}: ${kind}`);
    }
  }
});

/** Cheap ones: a wall of the network by three channels, one of files, one of rules. */
const CHEAP = ["d27", "d19", "d08"];

test("`cofferdam drill d27 d19 d08 --json`: all contained, crossed bare, twins pass, exit 0", async () => {
  const { code, out, err } = await call(join(ROOT, "bin", "cofferdam"), [
    "drill",
    ...CHEAP,
    "--json",
  ]);
  assert.notEqual(out, "", err);
  const drills = readDrills(out);
  assert.equal(drills.length, CHEAP.length);
  for (const { name, attempts, twins, failed, ledgerIntact } of drills) {
    assert.equal(failed, null, name);
    assert.equal(ledgerIntact, true);
    for (const attempt of attempts) {
      assert.deepEqual(faultsOf(attempt), [], `${name} ${JSON.stringify(attempt)}`);
    }
    for (const twin of twins) assert.ok(twin.passed, `${name} ${twin.name}: ${twin.detail}`);
  }
  const led = drills.find(({ name }) => name.startsWith("d27"));
  assert.deepEqual(
    led?.attempts.map(({ channel, call }) => [channel, call?.split(" ")[0]]),
    LED.map((channel) => [channel, "Bash"]),
    "by each channel, by a tool call of the model",
  );
  assert.equal(led?.agent, "small");
  assert.equal(code, 0);
});

test("INV-161: where the model follows no injection nothing was attempted, and the exit is 1", async () => {
  const { code, out, err } = await call(process.execPath, [MAIN, "d27", "--careful", "--json"]);
  assert.notEqual(out, "", err);
  const [drill] = readDrills(out);
  assert.deepEqual(
    drill?.attempts.map(({ channel }) => channel),
    LED,
  );
  for (const attempt of drill?.attempts ?? []) {
    assert.deepEqual(
      [attempt.attempted, attempt.crossed, attempt.bareCrossed],
      [false, false, false],
    );
    assert.ok(faultsOf(attempt).includes("it was not attempted inside the run"));
  }
  // Its ordinary work it does, by the same channels.
  for (const twin of drill?.twins ?? []) assert.ok(twin.passed, `${twin.name}: ${twin.detail}`);
  assert.equal(code, 1);
});

test("INV-162: a real agent that is not here is drill.agent, and drills without a model are told as skipped", async () => {
  const line = ["--agent", "codex", "--agent-bin", "/nonexistent", "--json"];
  const missing = await call(join(ROOT, "bin", "cofferdam"), ["drill", "d27", ...line]);
  assert.equal(missing.code, 125);
  assert.equal(missing.out, "");
  assert.match(missing.err, /"drill\.agent".*npm install -g @openai\/codex/);
  const unknown = await call(process.execPath, [MAIN, "d27", "--agent", "nobody"]);
  assert.equal(unknown.code, 125);
  assert.match(unknown.err, /claude-code\|codex\|gemini-cli\|opencode/);
  const folder = mkdtempSync(join(tmpdir(), "cofferdam-agent-"));
  writeFileSync(join(folder, "codex"), "#!/bin/sh\n", { mode: 0o755 });
  const ours = await call(process.execPath, [
    ...[MAIN, "d08", "rome", "--agent", "codex", "--agent-bin", folder, "--json"],
  ]);
  rmSync(folder, { recursive: true });
  assert.equal(ours.code, 0, "of several those that cannot be played do not count");
  for (const { name, skipped, attempts } of readDrills(ours.out)) {
    assert.match(skipped ?? "", /no text leads a model in it, so codex has no part/, name);
    assert.deepEqual(attempts, []);
  }
});

/** `npm run test:drills` asks for all of them. */
const LEAKED =
  process.env["COFFERDAM_TEST_DRILLS"] === "all" ? DRILLS.map(({ id }) => id) : ["d27", "d19"];

test("INV-158: where nothing contains them, every attempt is seen to cross, and the exit is 1", async () => {
  const folder = mkdtempSync(join(tmpdir(), "cofferdam-leaky-"));
  const leaky = join(folder, "cofferdam");
  writeFileSync(leaky, LEAKY, { mode: 0o755 });
  const { code, out, err } = await call(process.execPath, [
    ...[MAIN, ...LEAKED, "--json", "--cofferdam", leaky],
  ]);
  rmSync(folder, { recursive: true });
  assert.notEqual(out, "", err);
  for (const { name, attempts } of readDrills(out)) {
    assert.ok(attempts.length > 0, name);
    for (const { name: attempt, crossed, effect, harm, output } of attempts) {
      const all = { crossed: true, effect: true, harm: true };
      assert.deepEqual({ crossed, effect, harm }, all, `${name} ${attempt}: ${output}`);
    }
  }
  assert.equal(code, 1);
});

test("`--list` names every drill, `--bare` runs no Cofferdam, and a missing task file is drill.task", async () => {
  const list = await call(process.execPath, [MAIN, "--list"]);
  assert.equal(list.code, 0);
  assert.match(list.out, /^d01, d02, d03 +rome .*\n.*\nd04 +d04-registry-tunnel {2}\(A1\)/);
  const bare = await call(process.execPath, [MAIN, "d19", "--bare"]);
  assert.match(bare.out, /3 of 3 attempts got through/);
  assert.equal(bare.code, 1);
  const missing = await call(process.execPath, [
    MAIN,
    "d26",
    "--task",
    "/nonexistent.yaml",
    "--json",
  ]);
  assert.equal(missing.code, 125);
  assert.match(missing.err, /"drill\.task"/);
});
