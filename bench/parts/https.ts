/**
 * Many small HTTPS requests over 32 connections that stay open, inspected, beside the same client at the
 * same server without anything between.
 *
 * @module
 */
import { startDaemon } from "../daemon.ts";
import { parseWrk, wrkWords } from "../load.ts";
import type { Part } from "../part.ts";
import { systemTool } from "../place.ts";
import { createRow } from "../row.ts";
import { inTurns } from "../statistics.ts";
import { runProgram } from "../program.ts";
import { NAME, startUpstream } from "../upstream.ts";

const ROUNDS = 5;
const SECONDS = 2;

export const https: Part = {
  name: "https",
  async measure({ scratch, profiles }) {
    const wrk = systemTool("wrk", "wrk");
    await using upstream = await startUpstream(scratch);
    await using daemon = await startDaemon(scratch, { profiles });
    const { task, tlsPort } = upstream;
    const inside = wrkWords(wrk, `https://${NAME}/1k`, SECONDS);
    const outside = wrkWords(wrk, `https://localhost:${tlsPort}/1k`, SECONDS);
    const { ours, direct } = await inTurns(ROUNDS, {
      ours: async () => parseWrk(await daemon.run(inside, { task })),
      direct: async () => parseWrk(await runProgram(outside)),
    });
    return [
      createRow({
        name: "https/keep-alive-32",
        unit: "requests/s",
        values: ours,
        against: { name: "nginx direct", values: direct },
        goal: { of: "ratio", must: ">=", be: 0.25 },
      }),
    ];
  },
};
