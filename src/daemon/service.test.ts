/** The daemon as a service: what a manager hears, and what it does not hear. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { locateHome } from "../api/index.ts";
import { Fault, type Log } from "../base/index.ts";
import { connectDaemon, SERVICE_MARK } from "../client/index.ts";
import { listenAsManager } from "../../test/support/notify-socket.ts";
import { joinService, type ServiceOptions } from "./service.ts";

const place = mkdtempSync(join(tmpdir(), "cofferdam-service-"));
after(() => rmSync(place, { recursive: true }));
const socket = join(place, "notify");
const manager = await listenAsManager(socket);
after(manager.end);

let homes = 0;
function scene(ledger: Partial<ServiceOptions["ledger"]> = {}, more: Record<string, string> = {}) {
  const root = join(place, `home-${(homes += 1)}`);
  mkdirSync(root);
  const home = locateHome({ COFFERDAM_HOME: root });
  const warned: string[] = [];
  const log: Log = { info: () => {}, warn: (event) => void warned.push(event) };
  const environment: Record<string, string | undefined> = {
    NOTIFY_SOCKET: socket,
    WATCHDOG_USEC: "90000",
    ...more,
  };
  const whole = { failure: undefined, checkpoint: async () => "", ...ledger };
  const service = joinService({ home, ledger: whole, log, environment, pid: 7 });
  return { home, service, warned, environment };
}
/** What comes until `word` does, which is asked of the manager by the service itself. */
async function heardUntil(word: string): Promise<string[]> {
  const heard: string[] = [];
  for (;;) {
    const one = await manager.next();
    if (one === word) return heard;
    heard.push(one);
  }
}

test("INV-235: it is ready when it serves, and lives while its loop turns and the record is on disk", async () => {
  let commits = 0;
  const { service, environment, home } = scene({
    checkpoint: async () => String((commits += 1)),
  });
  assert.deepEqual(Object.keys(environment), [], "what it starts does not hear of the manager");
  service.ready();
  assert.match(await manager.next(), /^READY=1\nSTATUS=serving /);
  assert.equal(await manager.next(), "WATCHDOG=1");
  assert.ok(commits >= 1, "the record was committed for it");
  assert.ok(existsSync(join(home.root, "alive")));
  const before = performance.now();
  while (performance.now() - before < 150); // The loop does not turn.
  service.stopping();
  const heard = await heardUntil("STOPPING=1");
  assert.ok(heard.length <= 1, `while it hung it said nothing: ${heard.join(" ")}`);
  assert.equal(await manager.next(), "WATCHDOG=1", "ending runs is still living");
  rmSync(home.root, { recursive: true }); // Nothing can be written from here on, and it says so no more.
});

const ILL: readonly (readonly [string, Partial<ServiceOptions["ledger"]>])[] = [
  ["the record has failed", { failure: new Fault("ledger.failed", "no space") }],
  ["a commit fails", { checkpoint: async () => Promise.reject(new Fault("ledger.failed", "no")) }],
  ["the disk does not answer", { checkpoint: () => new Promise<string>(() => {}) }],
];
for (const [why, ledger] of ILL) {
  test(`INV-235: it is silent where ${why}`, async () => {
    const { service, warned } = scene(ledger);
    service.ready();
    await sleep(200); // Six beats that are not sent.
    service.stopping();
    const heard = await heardUntil("STOPPING=1");
    assert.deepEqual(
      heard.filter((one) => one === "WATCHDOG=1"),
      [],
    );
    assert.equal(heard.length, 1, "only that it was ready");
    if (!why.startsWith("the disk")) assert.ok(warned.includes("service.unwell"));
  });
}

test("a watchdog of another process, or none, is not fed", async () => {
  for (const more of [{ WATCHDOG_PID: "8" }, { WATCHDOG_USEC: "0" }, { WATCHDOG_USEC: "soon" }]) {
    const { service } = scene({}, more);
    service.ready();
    await sleep(60);
    service.stopping();
    assert.equal((await heardUntil("STOPPING=1")).length, 1);
  }
});

test("INV-240 fault cli.service: no command starts a daemon beside a service; one by hand takes the home back", async () => {
  const { home } = scene();
  assert.ok(existsSync(join(home.root, SERVICE_MARK)));
  await assert.rejects(connectDaemon(home, 50), { code: "cli.service", hint: /systemctl start/ });
  assert.ok(!existsSync(home.log), "nothing was started");
  const log: Log = { info: () => {}, warn: () => {} };
  const ledger = { failure: undefined, checkpoint: async () => "" };
  joinService({ home, ledger, log, environment: {}, pid: 7 }).ready();
  assert.ok(!existsSync(join(home.root, SERVICE_MARK)));
});
