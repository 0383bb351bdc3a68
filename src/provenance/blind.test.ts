/** The same watch where the kernel does not tell of forks: older kernels, containers. */
import assert from "node:assert/strict";
import { constants } from "node:os";
import { after, before, test } from "node:test";
import { createWatcher, type Watcher } from "./index.ts";
import { actor, watchCommand } from "./target.fixture.ts";

const { EPERM } = constants.errno;
let watcher: Watcher;
before(() => {
  const program = new URL("./blind-worker.fixture.ts", import.meta.url);
  watcher = createWatcher({ onFailure: (error) => assert.ifError(error), program });
});
after(() => watcher.close());

test("execs are found by looking again: one that failed is not told", async () => {
  // The shell itself connects, and so is seen to be what it was.
  const connects = "true < /dev/tcp/127.0.0.1/9";
  const command = `shopt -s execfail; exec /no/such/program; ${connects}; ${actor} connect 127.0.0.1 9`;
  const seen = await watchCommand(watcher, ["/bin/bash", "-c", `${command}; exit`], () => EPERM);
  // On a loaded machine the failed one may be told before it is looked at, but never as having happened.
  assert.deepEqual(
    seen.execs.filter((exec) => exec.confirmed).map((exec) => exec.path),
    ["/bin/bash", actor],
  );
});

test("an exec whose process ended before one could look is told as what it claimed to be", async () => {
  const seen = await watchCommand(watcher, ["/bin/sh", "-c", "/no/such/program; read line"]);
  const last = seen.execs.at(-1);
  assert.deepEqual([last?.path, last?.confirmed], ["/no/such/program", false]);
  assert.equal(last?.process.exeSha256, undefined);
});

test("INV-20: a thousand processes are told apart, each with its living ancestors", async () => {
  const command = [actor, "many", "127.0.0.1", "9", "1000"];
  const seen = await watchCommand(watcher, command, () => EPERM);
  assert.equal(new Set(seen.connects.map((one) => one.pid)).size, 1000);
  const parents = new Set(seen.connects.map((one) => one.process.ancestors[0]?.pid));
  assert.equal(parents.size, 1);
});

test("an orphan of parents that were never seen descends from the run's first process", async () => {
  const command = [actor, "daemon", "127.0.0.1", "9", "stay"];
  const seen = await watchCommand(watcher, command, () => EPERM, "daemon");
  const [connect] = seen.connects;
  assert.deepEqual(
    connect?.process.ancestors.map((one) => one.pid),
    [seen.initPid],
    "what was not seen is not invented",
  );
});
