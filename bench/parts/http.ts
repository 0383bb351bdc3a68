/**
 * Plain HTTP requests through the gateway, beside srt's proxy: the same client, the same upstream.
 *
 * @module
 */
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { startDaemon } from "../daemon.ts";
import { loadWords, parseLoad, shellLine, type Load, type LoadMode } from "../load.ts";
import type { Part } from "../part.ts";
import { builtTool } from "../place.ts";
import { createRow, type Goal, type Row } from "../row.ts";
import { createSrt } from "../srt.ts";
import { inTurns } from "../statistics.ts";
import { NAME, startUpstream } from "../upstream.ts";

const ROUNDS = 5;
const SECONDS = 1;

/** One kind of load, and what is taken of it. */
interface Figure {
  readonly name: string;
  readonly mode: LoadMode;
  readonly clients: number;
  readonly unit: string;
  readonly take: (load: Load) => number;
  readonly goal: Goal;
}

const p50Ms = (load: Load) => load.p50 / 1000;
const NEW = {
  clients: 1,
  unit: "ms",
  take: p50Ms,
  goal: { of: "ratio", must: "<", be: 0.4 },
} as const;
const FIGURES: readonly Figure[] = [
  { name: "http/new", mode: "new", ...NEW },
  // The peer's client need not look a name up, its proxy does: the stricter reading of the same goal.
  { name: "http/new-and-lookup", mode: "named", ...NEW },
  {
    name: "http/keep-alive",
    mode: "keep",
    clients: 1,
    unit: "ms",
    take: p50Ms,
    goal: { of: "ratio", must: "<", be: 0.3 },
  },
  {
    name: "http/new-16-clients",
    mode: "new",
    clients: 16,
    unit: "requests/s",
    take: (load) => load.requests / load.seconds,
    goal: { of: "ratio", must: ">=", be: 5 },
  },
];

export const http: Part = {
  name: "http",
  async measure({ scratch, profiles }) {
    await using upstream = await startUpstream(scratch);
    const srt = createSrt(scratch, upstream.caFile);
    await using daemon = await startDaemon(scratch, { profiles });
    const program = builtTool("load");
    const inside = join(daemon.workspace, "load"); // A run sees no folder but its own.
    copyFileSync(program, inside);
    const rows: Row[] = [];
    for (const { name, mode, clients, unit, take, goal } of FIGURES) {
      const of = { mode, clients, seconds: SECONDS };
      const words = loadWords(inside, { ...of, host: NAME, port: 80 });
      const theirs = loadWords(program, { ...of, host: "localhost", port: upstream.port });
      const { ours, peer } = await inTurns(ROUNDS, {
        ours: async () => take(parseLoad(await daemon.run(words, { task: upstream.task }))),
        peer: async () => take(parseLoad(await srt(shellLine(theirs)))),
      });
      const against = { name: "srt", values: peer };
      rows.push(createRow({ name, unit, values: ours, against, goal }));
    }
    return rows;
  },
};
