/**
 * Ten thousand requests that wait for a person, 4 KiB each: what they add to the memory of a daemon, and how long
 * their list takes as the command line asks for it, beside reading as many rows from SQLite.
 *
 * @module
 */
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { UNKNOWN_PROCESS } from "../../src/action/index.ts";
import { Approvals, WAITING_MAX } from "../../src/approval/index.ts";
import { Fault, systemClock } from "../../src/base/index.ts";
import { actionOfHeld, isOperation } from "../../src/gateway/index.ts";
import { startDaemon, type Daemon } from "../daemon.ts";
import { memoryOf } from "../memory.ts";
import type { Part } from "../part.ts";
import { ROOT } from "../place.ts";
import { createCases, type Case } from "../requests.ts";
import { createRow } from "../row.ts";
import { inTurns } from "../statistics.ts";
import { timed, timedProgram } from "../timing.ts";

const WAITING = 10_000;
const ROUNDS = 15;
const SETTLE_MS = 3000;
const FILE = "approvals.db";

export const approvals: Part = {
  name: "approvals",
  group: "actions",
  async measure({ scratch, profiles }) {
    const bare = scratch.folder("bare");
    const home = scratch.folder("full");
    await fill(join(home, FILE));
    const copy = join(scratch.root, FILE); // The daemon has its own to itself.
    copyFileSync(join(home, FILE), copy);
    const empty = await usingDaemon(bare, weigh);
    await using daemon = await startDaemon(scratch, { profiles, home });
    using db = new DatabaseSync(copy);
    const read = db.prepare("SELECT * FROM approvals ORDER BY created, id");
    const { list, floor } = await inTurns(ROUNDS, {
      list: () => timed(() => listAll(daemon)),
      floor: () => timed(() => read.all()),
    });
    const full = await weigh(daemon);
    const { environment } = daemon;
    const cli = [join(ROOT, "bin", "cofferdam"), "approvals", "list"];
    const { whole, node } = await inTurns(ROUNDS, {
      whole: () => timedProgram(cli, { environment }),
      node: () => timedProgram([process.execPath, "-e", "0"]),
    });
    return [
      createRow({
        name: "approvals/10000-memory",
        unit: "MB",
        values: [full - empty],
        against: { name: "a daemon without any", values: [empty] },
        goal: { of: "value", must: "<", be: 200 },
      }),
      createRow({ name: "approvals/10000-daemon", unit: "MB", values: [full] }),
      createRow({
        name: "approvals/10000-list",
        unit: "ms",
        values: list,
        against: { name: "their rows from SQLite", values: floor },
        goal: { of: "value", must: "<", be: 100 },
      }),
      createRow({
        name: "approvals/10000-list-printed",
        unit: "ms",
        values: whole,
        against: { name: "bare node -e 0", values: node },
      }),
    ];

    async function usingDaemon<T>(root: string, ask: (one: Daemon) => Promise<T>): Promise<T> {
      await using one = await startDaemon(scratch, { home: root });
      await listAll(one, 0);
      return await ask(one);
    }
  },
};

/** Asks as `cofferdam approvals list` does. @throws {Fault} `bench.approvals` where not all are listed. */
async function listAll({ client }: Daemon, expected = WAITING): Promise<void> {
  const { length } = await client.call("approvals.list", { all: false });
  if (length !== expected) throw new Fault("bench.approvals", `${length} wait, not ${expected}`);
}

async function weigh({ pid }: Daemon): Promise<number> {
  await sleep(SETTLE_MS);
  return memoryOf(pid).megabytes;
}

/** Has all of them asked for, by as many runs as it takes. */
async function fill(file: string): Promise<void> {
  const approvals = new Approvals({ file, clock: systemClock, record: async () => {} });
  const cases = [...createCases().values()];
  for (let n = 0; n < WAITING; n += 1) {
    const it = cases[n % cases.length];
    if (it !== undefined) await approvals.request(requestOf(it, n));
  }
  approvals.close();
}

function requestOf({ held, grant, entry }: Case, n: number) {
  if (isOperation(held)) throw new Error("the cases are requests");
  const run = `r-${Math.floor(n / WAITING_MAX)}`;
  const { body, facts: _, ...rest } = held;
  const headers = [...held.headers, "x-request-id", `${n}`]; // Or it would join the one before it.
  const at = systemClock.now();
  const context = { run, at, grant, entry, cause: UNKNOWN_PROCESS };
  return {
    run,
    task: "bench",
    action: actionOfHeld({ ...held, headers }, context),
    pin: { grant: { name: grant.name } },
    spool: { request: { ...rest, headers }, body },
    limits: { expiresMs: 86_400_000, undoMs: 0, needsTwo: false },
  };
}
