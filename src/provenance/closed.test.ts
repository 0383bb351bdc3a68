import assert from "node:assert/strict";
import { constants } from "node:os";
import { test } from "node:test";
import type { Fault } from "../base/index.ts";
import * as sys from "../sys/index.ts";
import { createWatcher, type Watcher } from "./index.ts";
import { actor, notes, startTarget, until } from "./target.fixture.ts";

const { ENOSYS, ECONNREFUSED } = constants.errno;
const twice = `${actor} connect 127.0.0.1 9; while read line; do eval "$line"; done`;

/** A shell that has connected once under watch, and waits before it tries again. */
async function startPair(watcher: Watcher, onConnect: () => number = () => ECONNREFUSED) {
  const target = await startTarget(["/bin/sh", "-c", twice]);
  const handlers = notes(onConnect);
  watcher.watch("run", target.sources, handlers);
  return { target, handlers };
}

test("INV-20: where the watch has ended, the kernel refuses (ENOSYS): closed, not open", async () => {
  const watcher = createWatcher({ onFailure: (error) => assert.ifError(error) });
  const { target, handlers } = await startPair(watcher);
  await target.printed(`connect ${ECONNREFUSED}`);
  await watcher.unwatch("run");
  // The shell cannot even start another program.
  target.child.stdin?.end(`${actor} connect 127.0.0.1 9 || echo refused $?\n`);
  const { output } = await target.ended;
  assert.match(output, /refused 126\n$/);
  assert.equal(handlers.connects.length, 1);
  await watcher.close();
  sys.closeDescriptor(target.listenFd);
});

test("INV-20: a connect that waits when the watcher closes is refused", async () => {
  const watcher = createWatcher({ onFailure: (error) => assert.ifError(error) });
  let closing: Promise<void> | undefined;
  const { target } = await startPair(watcher, () => {
    closing = watcher.close(); // The decision comes too late to be given.
    return 0;
  });
  await target.printed("connect");
  target.child.stdin?.end();
  const { output } = await target.ended;
  await closing;
  assert.equal(output, `connect ${ENOSYS}\n`);
  sys.closeDescriptor(target.listenFd);
});

test("INV-20: provenance.worker: a dead thread closes every run, and is reported once", async () => {
  const failures: Fault[] = [];
  const program = new URL("./dying-worker.fixture.ts", import.meta.url);
  const watcher = createWatcher({ onFailure: (error) => void failures.push(error), program });
  const { target, handlers } = await startPair(watcher);
  const { code } = await target.ended;
  assert.equal(code, ENOSYS, "its very first exec was refused");
  await until(() => failures.length > 0);
  assert.deepEqual(
    failures.map((one) => [one.code, String(one.cause)]),
    [["provenance.worker", "Error: a bug"]],
  );
  assert.deepEqual(handlers.connects, []);
  await watcher.unwatch("run");
  assert.throws(() => watcher.watch("next", target.sources, notes()), { code: "provenance.state" });
  await watcher.close();
  sys.closeDescriptor(target.listenFd);
});
