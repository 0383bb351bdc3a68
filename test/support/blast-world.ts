/**
 * Small worlds for tests of answers, with the rules that ship.
 *
 * @module
 */
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { findEntry } from "../../src/catalog/index.ts";
import { parseTaskFile, type Task } from "../../src/policy/index.ts";
import { taskSystems } from "../../src/systems/index.ts";
import {
  loadVerbs,
  parseFacts,
  parseRules,
  solve,
  type Fact,
  type Ground,
  type Program,
  type Solution,
} from "../../src/blast/index.ts";

const RULES = join(import.meta.dirname, "..", "..", "rules");

/** The rules that ship. */
export const PROGRAM: Program = parseRules(
  readdirSync(RULES)
    .filter((name) => name.endsWith(".rules"))
    .sort()
    .map((name) => ({ file: `rules/${name}`, text: readFileSync(join(RULES, name), "utf8") })),
);

export function factsOf(text: string): readonly Fact[] {
  return parseFacts({ file: "world.facts", text }, PROGRAM);
}

export function solved(text: string): Solution {
  return solve(PROGRAM, factsOf(text));
}

/** A task file as the command line reads it. */
export function taskFrom(source: string): Task {
  return parseTaskFile(source, "ops.yaml", Date.parse("2026-11-27T00:00:00Z"), taskSystems([]));
}

export async function groundFor(task: Task, known = ""): Promise<Ground> {
  return { program: PROGRAM, known: factsOf(known), verbsOf: await loadVerbs(task, findEntry) };
}

/** Beginning of a task file, to which grants are added. */
export const HEAD = `# What the shop's agent may do.
task: ops
purpose: Keep the shop running.
compute: { cpus: 2 }
grants:
`;

export const NEWS = `  - system: listmonk
    name: news            # the company's newsletter
    hosts: [news.example.com]
    credential: news
    allow:
      # Drafts only, says the office.
      - verbs: [campaign.read, campaign.schedule]
        unattended: { count: 20, reason: "the calendar is planned", expires: "2027-06-01" }
`;

export const SHOP = `  - system: postgres
    name: shop
    hosts: [db.example.com]
    credential: shop-agent
    with: { database: shop }
    allow:
      - { verbs: [select, update], on: [public.orders, public.customers] }
      - verbs: [delete]
`;
