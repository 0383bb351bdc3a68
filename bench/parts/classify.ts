/**
 * What judging one request costs: 4 KiB of a post, a workflow, a mutation and a mail, from the bytes to an Action
 * and from that to a verdict; beside what anybody needs who reads and hashes those bytes.
 *
 * @module
 */
import { hash } from "node:crypto";
import { closeSync, openSync, readSync } from "node:fs";
import { UNKNOWN_PROCESS } from "../../src/action/index.ts";
import { Fault } from "../../src/base/index.ts";
import { actionOfHeld } from "../../src/gateway/index.ts";
import { decide, initialPolicyState, type Decision } from "../../src/policy/index.ts";
import type { Part } from "../part.ts";
import { createCases, type Case } from "../requests.ts";
import { createRow, type Row, type RowInput } from "../row.ts";
import { inTurns, quantile } from "../statistics.ts";

const ROUNDS = 9;
const REQUESTS = 1000; // In a round.

export const classify: Part = {
  name: "classify",
  group: "actions",
  async measure() {
    const rows: Row[] = [];
    for (const [system, it] of createCases()) {
      requireMeaning(it);
      const { ours, floor } = await sampled({
        ours: () => decided(it),
        floor: () => [JSON.parse(it.held.body.toString()), hash("sha256", it.held.body)],
      });
      const row = (share: number, against: RowInput["against"], be: number) =>
        createRow({
          name: `actions/classify-and-decide-${system}-p${share * 100}`,
          unit: "us",
          values: quantiles(ours, share, net),
          ...(against === undefined ? {} : { against }),
          goal: { of: "value", must: "<", be },
        });
      const read = { name: "JSON.parse and SHA-256", values: quantiles(floor, 0.5, net) };
      // On a busy machine one call in a hundred loses its core to somebody else, whatever it does.
      const clock = { name: "with the waits for a core", values: quantiles(ours, 0.99, gross) };
      rows.push(row(0.5, read, 100), row(0.99, clock, 1000));
    }
    return rows;
  },
};

/** From bytes to verdict, as the daemon judges what waits: nothing is known of the body before. */
function decided({ held, grant, entry, policy }: Case): { verb: string; decision: Decision } {
  const at = { wallMs: Date.now(), monoMs: performance.now() };
  const action = actionOfHeld(held, { run: "r-bench", at, grant, entry, cause: UNKNOWN_PROCESS });
  return { verb: action.verb, decision: decide(policy, initialPolicyState, action) };
}

/** What nobody understood would be judged fast. @throws {Fault} `bench.case` */
function requireMeaning(it: Case): void {
  const { verb, decision } = decided(it);
  const { length } = it.held.body;
  if (verb === it.verb && decision.rule.includes(".allow[") && length > 4000) return;
  const what = `${verb}, ${decision.verdict} by ${decision.rule}, of ${length} bytes`;
  throw new Fault("bench.case", `${it.grant.name}: ${it.verb} is ${what}`);
}

/** A call: how long it took, and how much of that it waited for a core, in microseconds. */
interface Call {
  readonly us: number;
  readonly waitedUs: number;
}

/** Rounds of calls. */
type Rounds = readonly (readonly Call[])[];

const net = ({ us, waitedUs }: Call) => us - waitedUs;
const gross = ({ us }: Call) => us;

function quantiles(rounds: Rounds, share: number, of: (call: Call) => number): readonly number[] {
  return rounds.map((calls) => quantile(calls.map(of), share));
}

/** Every call of every work, the works in turns. */
async function sampled<Name extends string>(
  works: Readonly<Record<Name, () => unknown>>,
): Promise<Readonly<Record<Name, Rounds>>> {
  using waits = watchWaits();
  const names = Object.keys(works) as Name[];
  const entries = names.map((name) => [name, [] as Call[][]] as const);
  const rounds = Object.fromEntries(entries) as Record<Name, Call[][]>;
  const measurements = names.map((name) => {
    const measure = () => {
      rounds[name].push(Array.from({ length: REQUESTS }, () => callOf(works[name], waits)));
      return 0;
    };
    return [name, measure] as const;
  });
  await inTurns(ROUNDS, Object.fromEntries(measurements));
  for (const name of names) rounds[name].shift(); // The round for warming up.
  return rounds;
}

function callOf(work: () => unknown, waits: Waits): Call {
  const before = waits.us();
  const start = performance.now();
  work();
  const us = (performance.now() - start) * 1000;
  const waited = waits.us() - before;
  return { us, waitedUs: waited > us ? 0 : waited }; // Else it waited while it was asked, not while it worked.
}

interface Waits extends Disposable {
  /** How long this thread has waited for a core, since its start. */
  us(): number;
}

/** `/proc/PID/schedstat`: nanoseconds on a core, nanoseconds waiting for one, and how many turns. */
function watchWaits(): Waits {
  const file = openSync("/proc/self/schedstat", "r");
  const text = Buffer.alloc(100);
  return {
    us: () =>
      Number(text.toString("latin1", 0, readSync(file, text, 0, 100, 0)).split(" ")[1]) / 1000,
    [Symbol.dispose]: () => closeSync(file),
  };
}
