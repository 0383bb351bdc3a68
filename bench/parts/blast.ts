/**
 * What the blast radius costs: a world of 500 grants and 50,000 facts from its file to the answer, in a process of its own,
 * beside reading that file and cutting it into lines; and whether ten times as much takes not much more than ten times as long.
 *
 * @module
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { Fault } from "../../src/base/index.ts";
import { worldOf } from "../blast/world.ts";
import type { Part } from "../part.ts";
import { runProgram } from "../program.ts";
import { createRow } from "../row.ts";

const ROUNDS = 5;
const GRANTS = 500;
const FACTS = 50_000;
const TENTH = 10;

const onceSchema = z.object({
  ms: z.number(),
  megabytes: z.number(),
  facts: z.number(),
  reached: z.number(),
});
type Once = z.infer<typeof onceSchema>;

export const blast: Part = {
  name: "blast",
  async measure({ scratch }) {
    const all = join(scratch.folder("whole"), "all.facts");
    const some = join(scratch.folder("part"), "some.facts");
    writeFileSync(all, worldOf(GRANTS, FACTS));
    writeFileSync(some, worldOf(GRANTS / TENTH, FACTS / TENTH));
    const taken: {
      readonly whole: Once;
      readonly part: Once;
      readonly floor: Once;
      readonly difference: Once;
    }[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      taken.push({
        whole: await once(all),
        part: await once(some),
        floor: await once(all, "read"),
        difference: await once(all, "difference"),
      });
    }
    const whole = taken.map((one) => one.whole);
    const differ = taken.some(({ difference }) => difference.reached === 0);
    if (differ || whole.some(({ facts, reached }) => facts !== FACTS || reached < 3)) {
      throw new Fault("bench.case", "the world was not answered, so the figures mean nothing");
    }
    return [
      createRow({
        name: "blast/answer",
        unit: "ms",
        values: whole.map(({ ms }) => ms),
        against: { name: "reading the file", values: taken.map(({ floor }) => floor.ms) },
        goal: { of: "value", must: "<", be: 1000 },
      }),
      createRow({
        name: "blast/memory",
        unit: "MiB",
        values: whole.map(({ megabytes }) => megabytes),
        against: { name: "reading the file", values: taken.map(({ floor }) => floor.megabytes) },
        goal: { of: "value", must: "<", be: 300 },
      }),
      createRow({
        name: "blast/difference",
        unit: "ms",
        values: taken.map(({ difference }) => difference.ms),
        against: { name: "one answer", values: whole.map(({ ms }) => ms) },
        goal: { of: "value", must: "<", be: 2000 },
      }),
      createRow({
        name: "blast/ten-times",
        unit: "ms",
        values: whole.map(({ ms }) => ms),
        against: { name: "a tenth of the facts", values: taken.map(({ part }) => part.ms) },
        goal: { of: "ratio", must: "<=", be: 14 }, // 10 times log(50,000) / log(5,000), and some.
      }),
    ];
  },
};

async function once(file: string, ...words: readonly string[]): Promise<Once> {
  const script = join(import.meta.dirname, "../blast/once.ts");
  const out = await runProgram([process.execPath, script, file, ...words]);
  return onceSchema.parse(JSON.parse(out));
}
