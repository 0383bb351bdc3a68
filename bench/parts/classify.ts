/**
 * What judging one request costs: 4 KiB of a post, a workflow, a mutation and a mail, from the bytes to an Action
 * and from that to a verdict; beside what anybody needs who reads and hashes those bytes.
 *
 * @module
 */
import { hash } from "node:crypto";
import { UNKNOWN_PROCESS } from "../../src/action/index.ts";
import { Fault } from "../../src/base/index.ts";
import { actionOfHeld } from "../../src/gateway/index.ts";
import { decide, initialPolicyState, type Decision } from "../../src/policy/index.ts";
import type { Part } from "../part.ts";
import { createCases, type Case } from "../requests.ts";
import { createRow, type Row } from "../row.ts";
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
      const first = Array.from({ length: REQUESTS }, () => microseconds(() => decided(it)));
      const usual = quantile(first, 0.5);
      const { ours, read, spin } = await sampled({
        ours: () => decided(it),
        read: () => [JSON.parse(it.held.body.toString()), hash("sha256", it.held.body)],
        spin: () => spinFor(usual),
      });
      const row = (share: number, beside: string, others: Rounds, be: number) =>
        createRow({
          name: `actions/classify-and-decide-${system}-p${share * 100}`,
          unit: "us",
          values: ours.map((round) => quantile(round, share)),
          against: { name: beside, values: others.map((round) => quantile(round, share)) },
          goal: { of: "value", must: "<", be },
        });
      rows.push(row(0.5, "JSON.parse and SHA-256", read, 100));
      // What the machine makes of any work that takes as long: where it is busy, that and not ours is seen.
      rows.push(row(0.99, "spinning as long", spin, 1000));
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

/** Rounds, each with how long every call took. */
type Rounds = readonly (readonly number[])[];

/** How long each call took, in microseconds, the works in turns. */
async function sampled<Name extends string>(
  works: Readonly<Record<Name, () => unknown>>,
): Promise<Readonly<Record<Name, Rounds>>> {
  const rounds = Object.fromEntries(
    Object.keys(works).map((name) => [name, [] as number[][]]),
  ) as Record<Name, number[][]>;
  const names = Object.keys(works) as Name[];
  const measurements = Object.fromEntries(
    names.map((name) => [
      name,
      () => {
        rounds[name].push(Array.from({ length: REQUESTS }, () => microseconds(works[name])));
        return 0;
      },
    ]),
  ) as unknown as Record<Name, () => number>;
  await inTurns(ROUNDS, measurements);
  for (const name of names) rounds[name].shift(); // The round for warming up.
  return rounds;
}

function microseconds(work: () => unknown): number {
  const start = performance.now();
  work();
  return (performance.now() - start) * 1000;
}

function spinFor(us: number): void {
  for (const until = performance.now() + us / 1000; performance.now() < until;);
}
