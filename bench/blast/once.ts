/**
 * In a process of its own: reads a fact file, answers, and prints how long that took and how much memory it had at most.
 *
 *     node bench/blast/once.ts FILE [read | difference]
 *
 * With `read` it only reads the file and cuts it into lines: the floor. With `difference` it answers two worlds, of which
 * the second has fewer grants, and compares them; reading is not counted.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import { answerOf, differenceOf, solve } from "../../src/blast/index.ts";
import { readFacts, readRules } from "../../src/probe/index.ts";

const [file = "", what] = process.argv.slice(2);
let start = performance.now();
let facts = 0;
let reached = 0;
if (what === "read") facts = readFileSync(file, "utf8").split("\n").length;
else {
  const program = readRules("");
  const stated = readFacts("", program, [file]);
  facts = stated.length;
  if (what === "difference") start = performance.now();
  const solution = solve(program, stated);
  const fewer = stated.filter(({ change = "" }) => !change.startsWith("grants[7"));
  const { outcomes } =
    what === "difference"
      ? changed(differenceOf(solve(program, fewer), solution))
      : answerOf(solution);
  reached = outcomes.filter(({ approverFooled }) => approverFooled !== 0).length;
}
/** What is more than before, in the form of an answer. */
function changed({ outcomes }: ReturnType<typeof differenceOf>) {
  return { outcomes: outcomes.map(({ paths }) => ({ approverFooled: paths.length })) };
}

const ms = performance.now() - start;
const megabytes = process.resourceUsage().maxRSS / 1024;
process.stdout.write(`${JSON.stringify({ ms, megabytes, facts, reached })}\n`);
