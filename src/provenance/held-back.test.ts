/** What the thread answers by itself, and how fast it answers a run that floods. */
import assert from "node:assert/strict";
import { constants } from "node:os";
import { after, before, test } from "node:test";
import * as sys from "../sys/index.ts";
import { createWatcher, type Watcher } from "./index.ts";
import { COOKIES_MAX, SharedState } from "./shared-state.ts";
import { actor, notes, startTarget, until, watchCommand } from "./target.fixture.ts";

const { ECONNREFUSED, EPERM } = constants.errno;
let watcher: Watcher;
before(() => {
  watcher = createWatcher({ onFailure: (error) => assert.ifError(error) });
});
after(() => watcher.close());

test("INV-29: what is allowed from now on is that protocol, address and port, and nothing else", async () => {
  const connects = ["connect 127.0.0.1 9", "connect 127.0.0.1 9", "connect 127.0.0.1 8"];
  const others = ["connect 127.0.0.2 9", "udp 127.0.0.1 9", "connect 127.0.0.1 9"];
  const script = [...connects, ...others].map((one) => `${actor} ${one}`).join("; ");
  const seen = await watchCommand(watcher, ["/bin/sh", "-c", script], (attempt) =>
    attempt.port === 9 && attempt.address === "127.0.0.1" && attempt.protocol === "tcp"
      ? "from now on"
      : EPERM,
  );
  const asked = seen.connects.map((one) => `${one.protocol} ${one.address} ${one.port}`);
  assert.deepEqual(asked, [
    "tcp 127.0.0.1 9",
    "tcp 127.0.0.1 8",
    "tcp 127.0.0.2 9",
    "udp 127.0.0.1 9",
  ]);
  const free = `connect ${ECONNREFUSED}\n`; // By the kernel: nobody listens there.
  const refused = `connect ${EPERM}\n`;
  assert.equal(seen.output, `${free}${free}${refused}${refused}udp ${EPERM}\n${free}`);
});

test("INV-29: what was allowed in one run is asked for in another, and a refusal is asked for again", async () => {
  const script = `${actor} connect 127.0.0.1 9; ${actor} connect 127.0.0.1 9`;
  for (const [answer, asked] of [
    ["from now on", 1],
    ["from now on", 1],
    [EPERM, 2],
    [0, 2],
  ] as const) {
    const seen = await watchCommand(watcher, ["/bin/sh", "-c", script], () => answer);
    assert.equal(seen.connects.length, asked);
  }
});

test("INV-30: a run that floods waits for its answers, and a quiet one beside it does not", async () => {
  const flood = await startTarget([actor, "latency", "127.0.0.1", "9", "400"]);
  const flooding = notes(() => ECONNREFUSED);
  watcher.watch("flood", flood.sources, flooding);
  watcher.hold("flood", 100);
  await until(() => flooding.connects.length > 0);
  // Five times as many calls: by the time they are through, the flood would be, too.
  const quiet = await watchCommand(
    watcher,
    [actor, "latency", "127.0.0.1", "9", "2000"],
    () => ECONNREFUSED,
  );
  const meanwhile = flooding.connects.length;
  assert.equal(quiet.connects.length, 2000);
  assert.ok(meanwhile < 400, `${meanwhile} of the flood's 400`);
  watcher.hold("flood", 0);
  await flood.ended;
  assert.equal(flooding.connects.length, 400, "all of it is answered in the end");
  await watcher.unwatch("flood");
  sys.closeDescriptor(flood.listenFd);
});

test("INV-30: a run that is held back ends at once when it is killed", async () => {
  const target = await startTarget([actor, "latency", "127.0.0.1", "9", "400"]);
  const handlers = notes(() => ECONNREFUSED);
  watcher.watch("killed", target.sources, handlers);
  watcher.hold("killed", 100);
  await until(() => handlers.connects.length > 0);
  process.kill(target.sources.initPid, "SIGKILL");
  await target.ended;
  await watcher.unwatch("killed");
  assert.ok(handlers.connects.length < 400);
  sys.closeDescriptor(target.listenFd);
});

test("the ring keeps the latest connections, and forgets the oldest first", () => {
  const ours = new SharedState();
  const theirs = new SharedState(ours.memory);
  for (let n = 1; n <= COOKIES_MAX + 3; n += 1) theirs.connected(BigInt(n), n);
  assert.deepEqual(
    [1n, 3n, 4n, BigInt(COOKIES_MAX + 3)].map((cookie) => ours.whoConnected(cookie)),
    [undefined, undefined, 4, COOKIES_MAX + 3],
  );
  theirs.connected(4n, 77);
  assert.equal(ours.whoConnected(4n), 77, "a socket that connects again has a new owner");
  ours.forget(4n);
  assert.equal(ours.whoConnected(4n), undefined);
});
