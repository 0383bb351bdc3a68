import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { memoryOf } from "./memory.ts";

test("a process is counted with everything below it", async () => {
  const shell = spawn("/bin/sh", ["-c", "echo; read line & read line"], { stdio: "pipe" });
  try {
    await once(shell.stdout, "data");
    const { names, megabytes } = memoryOf(process.pid);
    assert.equal(names.filter((name) => name === "sh").length, 2, "a child and its child");
    assert.ok(megabytes > 10 && megabytes < 2000, "as much as a Node holds");
  } finally {
    shell.stdin.end();
    await once(shell, "exit");
  }
});
