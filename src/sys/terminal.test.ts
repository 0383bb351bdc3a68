import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import * as sys from "./index.ts";

test("a handle signals its process, and says when that has ended", async () => {
  const child = spawn("sleep", ["1000"], { stdio: "ignore" });
  await once(child, "spawn");
  const handle = sys.openProcess(child.pid ?? -1);
  assert.equal(sys.signalProcess(handle, "SIGTERM"), true);
  await once(child, "exit");
  assert.equal(child.signalCode, "SIGTERM");
  assert.equal(sys.signalProcess(handle, "SIGTERM"), false, "its number may be another's by now");
  sys.closeDescriptor(handle);
});

test("fault sys.call: a process that does not exist has no handle", () => {
  assert.throws(() => sys.openProcess(2 ** 22 + 1), { code: "sys.call" });
});

test("fault sys.call: what is no terminal has no size", () => {
  const [a, b] = sys.createSocketPair("stream");
  assert.throws(() => sys.resizeTerminal(a, 80, 24), { code: "sys.call", message: /ENOTTY/ });
  for (const fd of [a, b]) sys.closeDescriptor(fd);
});

test("Landlock's version is a number, 0 where there is none", () => {
  assert.ok(Number.isInteger(sys.landlockAbi()) && sys.landlockAbi() >= 0);
});
