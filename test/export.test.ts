/** `export --follow` over the ends of daemons: a stop, a kill in the middle, and a record that lost its end. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { cpSync, existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { eventually, TestHome } from "./support/home.ts";
import { OtlpReceiver } from "./support/otlp.ts";

const home = new TestHome();
const receiver = new OtlpReceiver();
let to = "";
before(async () => {
  to = `${await receiver.start()}/v1/logs`;
});
after(async () => {
  receiver.stop();
  await home.close();
});

/** A follower, and what it says. */
function follow() {
  const child = home.spawn(["export", "otlp", "--to", to, "--follow"]);
  let said = "";
  child.stderr?.on("data", (data: Buffer) => (said += data.toString()));
  const ended = once(child, "exit");
  after(() => child.kill("SIGKILL"));
  return { child, ended, said: () => said };
}

/** Ends the daemon, and waits until it is gone. */
async function stop(): Promise<void> {
  const pid = home.daemonPid() ?? 0;
  await home.call(["stop"]);
  await eventually("its end", 30_000, () => (existsSync(`/proc/${pid}`) ? undefined : true));
}
/** Waits until the receiver has entry `seq`. */
const taken = (seq: number) =>
  eventually(`entry ${seq}`, 30_000, () => receiver.seqs.includes(seq) || undefined);
/** Waits until it has all that there are now; tells how many. */
const allTaken = async () => {
  const { length } = await home.log();
  await taken(length - 1);
  return length;
};
const waited = (said: () => string, times: number) =>
  eventually("its daemon's end", 30_000, () =>
    said().split("it is waited for").length > times ? true : undefined,
  );

test("INV-167: a follower goes on with the next daemon, and leaves out no entry and sends none twice", async () => {
  await home.run(["true"]);
  const { child, ended, said } = follow();
  await taken(0);

  await stop();
  await waited(said, 1);
  await home.run(["true"]); // Starts the next daemon.
  const seen = await allTaken();

  // Killed while it writes: no goodbye, and perhaps half a line.
  const busy = home.run(["sh", "-c", "for n in 1 2 3 4 5 6 7 8 9; do true & done; sleep 60"]);
  await taken(seen);
  process.kill(home.daemonPid() ?? 0, "SIGKILL");
  await busy;
  await waited(said, 2);
  await home.run(["true"]);

  const length = await allTaken();
  child.kill("SIGTERM");
  await ended;
  assert.deepEqual(
    receiver.seqs.slice(0, length),
    Array.from({ length }, (_, seq) => seq),
  );
  assert.deepEqual(receiver.flaws, []);
});

test("fault cli.cursor: a record that has lost what was sent is told, and nothing is sent behind it", async () => {
  await stop();
  const ledger = join(home.state, "ledger");
  const older = join(home.root, "older");
  cpSync(ledger, older, { recursive: true });
  receiver.seqs.length = 0;
  await home.run(["true"]);
  const { ended, said } = follow();
  await allTaken();
  await stop();
  await waited(said, 1);
  rmSync(ledger, { recursive: true });
  cpSync(older, ledger, { recursive: true });
  receiver.seqs.length = 0;
  await home.run(["true"]);
  const [code] = (await ended) as [number];
  assert.equal(code, 125);
  assert.match(said(), /is not in the record any more/);
  assert.deepEqual(receiver.seqs, []);
});
