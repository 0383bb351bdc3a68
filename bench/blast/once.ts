/**
 * In a process of its own: reads a fact file, answers, and prints how long that took and how much memory it had at most.
 *
 *     node bench/blast/once.ts FILE [read]
 *
 * With `read` it only reads the file and cuts it into lines: the floor.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import { answerOf, solve } from "../../src/blast/index.ts";
import { readFacts, readRules } from "../../src/probe/index.ts";

const [file = "", what] = process.argv.slice(2);
const start = performance.now();
let facts = 0;
let reached = 0;
if (what === "read") facts = readFileSync(file, "utf8").split("\n").length;
else {
  const program = readRules("");
  const stated = readFacts("", program, [file]);
  const { outcomes } = answerOf(solve(program, stated));
  facts = stated.length;
  reached = outcomes.filter(({ approverFooled }) => approverFooled !== 0).length;
}
const ms = performance.now() - start;
const megabytes = process.resourceUsage().maxRSS / 1024;
process.stdout.write(`${JSON.stringify({ ms, megabytes, facts, reached })}\n`);
