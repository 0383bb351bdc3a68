/** What is kept of a run that was paused, and how much of it at most. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { keepEvidence } from "./evidence.ts";

const root = mkdtempSync(join(tmpdir(), "cofferdam-evidence-"));
after(() => rmSync(root, { recursive: true, force: true }));

interface Kept {
  readonly left: number;
  readonly processes: readonly { pid: number; maps: string[]; argv: string[]; Name: string }[];
  readonly sockets: Readonly<Record<string, readonly string[]>>;
}

function keep(name: string, pids: readonly number[]): { kept: Kept; bytes: number } {
  const scene = { run: "r-1", at: "", why: "", pids };
  const { evidence = "" } = keepEvidence(join(root, name), scene) ?? {};
  const text = readFileSync(evidence, "utf8");
  return { kept: JSON.parse(text) as Kept, bytes: text.length };
}

test("a process is kept with what it was doing", () => {
  const { kept } = keep("few", [process.pid, process.ppid]);
  assert.deepEqual(
    [kept.processes.map(({ pid }) => pid), kept.left],
    [[process.pid, process.ppid], 0],
  );
  const [own] = kept.processes;
  assert.equal(own?.argv[0], process.argv0);
  assert.ok(own.maps.length > 10 && own.Name !== "");
  assert.deepEqual(Object.keys(kept.sockets), ["tcp", "tcp6", "udp", "udp6", "unix"]);
});

test("a run of many processes with much in them fills neither memory nor disk: the rest is counted", () => {
  const many = Array.from({ length: 1000 }, () => process.pid);
  const { kept, bytes } = keep("many", many);
  assert.ok(kept.processes.length > 10, "the first of them");
  assert.equal(kept.processes.length + kept.left, 1000);
  assert.ok(bytes < 16 << 20, `${bytes} bytes`);
});
