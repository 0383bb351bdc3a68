import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { lookAtExec, type Pending } from "./exec-claims.ts";
import { readImage, readStat } from "./proc-files.ts";

const TRIES = 20;
/** So many that the kernel is a while at laying them out, and the executable is the new one already. */
const ARGUMENTS = Array.from({ length: 100_000 }, () => "x");

test("an exec has happened when its arguments can be read, not while the kernel lays them out", async () => {
  for (let n = 0; n < TRIES; n += 1) {
    const line = ["-c", 'echo; read go; exec sleep "$@"', "sh", "60", ...ARGUMENTS];
    const child = spawn("/bin/sh", line, { stdio: ["pipe", "pipe", "inherit"] });
    await once(child.stdout, "data");
    const { pid } = child;
    assert.ok(pid !== undefined);
    const stat = readStat(pid);
    assert.ok(stat !== undefined);
    const claim = { exe: "/bin/sleep", argv: [], file: undefined };
    child.stdin.end("\n");
    const sinceMs = performance.now();
    const pending: Pending = { ...stat, pid, tid: pid, claim, sinceMs, looks: 0 };
    while (lookAtExec(pending, performance.now()) === "wait");
    assert.equal(readImage(pid)?.argv[0], "sleep", `try ${n}`);
    child.kill("SIGKILL");
    await once(child, "close");
  }
});
