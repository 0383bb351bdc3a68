/**
 * `npm run bench`: how fast Cofferdam is, each figure beside its floor or its peer in the same run.
 *
 * Exits with 0 if everything was measured, whether or not the goals were met; with 1 where something
 * could not be measured, which is then said with its fix.
 *
 * @module
 */
import { writeFileSync } from "node:fs";
import { cpus, loadavg, release } from "node:os";
import { describeError, isFault } from "../src/base/index.ts";
import { namesOf, parseArguments, USAGE, type Arguments } from "./arguments.ts";
import { PARTS } from "./parts/index.ts";
import { createScratch } from "./place.ts";
import type { Row } from "./row.ts";
import { formatTable } from "./table.ts";

/** A part that could not be measured. */
interface Unmeasured {
  readonly part: string;
  readonly why: string;
}

async function bench({ only, json, profiles }: Arguments): Promise<number> {
  const machine = {
    cpu: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    kernel: release(),
    node: process.version,
    load: loadavg()[0] ?? 0,
  };
  console.log(
    `${machine.cores} x ${machine.cpu}, Linux ${machine.kernel}, load ${machine.load.toFixed(2)} before`,
  );
  const rows: Row[] = [];
  const unmeasured: Unmeasured[] = [];
  const details: Record<string, unknown> = {};
  const sentences: string[] = [];
  const tell = (name: string, value: unknown, sentence: string) => {
    details[name] = value;
    sentences.push(sentence);
  };
  for (const part of PARTS.filter(({ name }) => only === undefined || only.includes(name))) {
    process.stderr.write(`measuring ${part.name}\n`);
    using scratch = createScratch();
    try {
      rows.push(...(await part.measure({ scratch, profiles, tell })));
    } catch (error) {
      unmeasured.push({ part: part.name, why: describeError(error) });
    }
  }
  if (rows.length > 0) console.log(`\n${formatTable(rows)}\n`);
  for (const sentence of sentences) console.log(sentence);
  for (const { part, why } of unmeasured) console.log(`not measured: ${part}: ${why}`);
  console.log(summary(rows, unmeasured));
  if (json !== undefined) {
    const at = new Date().toISOString();
    const told = { at, machine, rows, details, unmeasured };
    writeFileSync(json, `${JSON.stringify(told, null, 2)}\n`);
  }
  return unmeasured.length === 0 ? 0 : 1;
}

function summary(rows: readonly Row[], unmeasured: readonly Unmeasured[]): string {
  const goals = rows.filter(({ met }) => met !== null);
  const missed = goals.filter(({ met }) => met === false).map(({ name }) => name);
  const words = missed.length === 0 ? "" : `; missed: ${missed.join(", ")}`;
  const left = unmeasured.length === 0 ? "" : `; ${unmeasured.length} parts not measured`;
  return `${goals.length - missed.length} of ${goals.length} goals met${words}${left}`;
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => process.exit(1)); // What was started ends with this process.
}
try {
  const wanted = parseArguments(process.argv.slice(2), PARTS);
  if (wanted.help) console.log(USAGE + namesOf(PARTS).join(" "));
  else process.exitCode = await bench(wanted);
} catch (error) {
  if (!isFault(error)) throw error;
  console.error(`cofferdam bench: ${describeError(error)}`);
  process.exitCode = 2;
}
