/**
 * How fast the record is: entries that one caller waits for, each on disk and under a signed checkpoint;
 * entries of many callers, which share commits; and verifying it all again. Beside them the same bytes
 * written and synced without a ledger, and only hashed.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { closeSync, fdatasyncSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { Event } from "../../src/action/index.ts";
import { Fault, systemClock } from "../../src/base/index.ts";
import { openLedger, verifyLedger, type Ledger } from "../../src/ledger/index.ts";
import type { Part } from "../part.ts";
import { createRow } from "../row.ts";
import { inTurns } from "../statistics.ts";
import { timed } from "../timing.ts";

const ROUNDS = 3;
const ALONE = 1000;
const CALLERS = 512;
const TOGETHER = 60 * CALLERS;

/** An ordinary entry of some 600 bytes: a request by a process with two ancestors. */
function eventOf(n: number): Event {
  const name = { exe: "/usr/bin/node", argv: ["node", "tools/publish.mjs", "--all", "--quiet"] };
  return {
    type: "action",
    at: new Date(1_790_000_000_000 + n).toISOString(),
    monoMs: n,
    run: "r-06hcx9k2m4q7tz",
    flow: `f-${n}`,
    target: `https://api.example.com/v1/posts/${n}`,
    verdict: "allow",
    rule: "site#2",
    data: { method: "GET", status: 200, bytesIn: 1024 + n, bytesOut: 211, by: [name, name, name] },
  };
}

export const ledger: Part = {
  name: "ledger",
  async measure({ scratch }) {
    const dir = join(scratch.root, "ledger");
    const options = { dir, keys: join(scratch.root, "keys"), clock: systemClock };
    const log = await openLedger(options);
    const bytes = Buffer.from(JSON.stringify(eventOf(0)));
    const file = openSync(join(scratch.root, "plain"), "a");
    const write = (times: number, entries: number) => {
      for (let n = 0; n < times; n += 1) {
        writeSync(file, Buffer.alloc(bytes.length * entries, bytes));
        fdatasyncSync(file);
      }
    };
    try {
      const appended = await inTurns(ROUNDS, {
        alone: () => perSecond(ALONE, () => appendAlone(log)),
        aloneFloor: () => perSecond(ALONE, () => write(ALONE, 1)),
        together: () => perSecond(TOGETHER, () => appendTogether(log)),
        togetherFloor: () => perSecond(TOGETHER, () => write(TOGETHER / CALLERS, CALLERS)),
      });
      const entries = log.size;
      await log.close();
      const verified = await inTurns(ROUNDS, {
        verify: () => perSecond(entries, () => verify(dir)),
        verifyFloor: () => perSecond(entries, () => hash(bytes, entries)),
      });
      return rowsOf({ ...appended, ...verified });
    } finally {
      closeSync(file);
      await log.close();
    }
  },
};

type Name = "alone" | "aloneFloor" | "together" | "togetherFloor" | "verify" | "verifyFloor";

function rowsOf(taken: Readonly<Record<Name, readonly number[]>>) {
  const unit = "entries/s";
  return [
    createRow({
      name: "ledger/durable",
      unit,
      values: taken.alone,
      against: { name: "write and fdatasync alone", values: taken.aloneFloor },
      goal: { of: "value", must: ">=", be: 5000 },
    }),
    createRow({
      name: "ledger/group-commit",
      unit,
      values: taken.together,
      against: { name: `${CALLERS} at once written and synced`, values: taken.togetherFloor },
      goal: { of: "value", must: ">=", be: 50_000 },
    }),
    createRow({
      name: "ledger/verify",
      unit,
      values: taken.verify,
      against: { name: "SHA-256 of the entries alone", values: taken.verifyFloor },
      goal: { of: "value", must: ">=", be: 50_000 },
    }),
  ];
}

async function perSecond(count: number, work: () => unknown): Promise<number> {
  return (count * 1000) / (await timed(work));
}

async function appendAlone(log: Ledger): Promise<void> {
  for (let n = 0; n < ALONE; n += 1) await log.append(eventOf(n), { sync: true });
}

/** Every caller waits for each of its entries, as a flow does. */
async function appendTogether(log: Ledger): Promise<void> {
  const caller = async () => {
    for (let n = 0; n < TOGETHER / CALLERS; n += 1) await log.append(eventOf(n), { sync: true });
  };
  await Promise.all(Array.from({ length: CALLERS }, caller));
}

async function verify(dir: string): Promise<void> {
  const { ok, problems } = await verifyLedger(dir);
  if (!ok) throw new Fault("bench.ledger", `the ledger does not verify: ${problems[0]?.what}`);
}

function hash(bytes: Buffer, times: number): void {
  for (let n = 0; n < times; n += 1) createHash("sha256").update(bytes).digest();
}
