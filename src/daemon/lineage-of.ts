/**
 * Which lineages a run is of. Nothing that runs inside has a say in it: the starter names job and agent, the vault knows
 * its secrets by themselves, and what a run brings along is of all that it is of.
 *
 * @module
 */
import { lstatSync } from "node:fs";
import { join } from "node:path";
import type { LineageKey } from "../action/index.ts";
import type { RunStart } from "../api/index.ts";
import { describeError, Fault, readTextFile } from "../base/index.ts";
import {
  LINEAGES_FILE,
  NO_LINEAGE_RULES,
  parseLineages,
  variableOf,
  type LineageRules,
  type Task,
} from "../policy/index.ts";
import type { Credentials } from "./credentials.ts";
import type { Lineages } from "./lineages.ts";

/** The lineages of a run of `task`; `inherited` are those of the run that it is for, or from. */
export function lineageOf(
  { lineages, credentials }: { readonly lineages: Lineages; readonly credentials: Credentials },
  task: Task,
  { lineage = {}, environment }: Pick<RunStart, "lineage" | "environment">,
  inherited: readonly LineageKey[] = [],
): readonly LineageKey[] {
  const names = new Set(task.grants.flatMap(({ credential }) => credential ?? []));
  const secrets = [...names].map((name) => {
    const variable = variableOf(name);
    if (variable === undefined) {
      return lineages.secretOf(name, credentials.vault.show(name).fingerprint);
    }
    const value = environment[variable] ?? "";
    const known = credentials.isOpen ? credentials.vault.fingerprintOf(value) : undefined;
    return lineages.passingOf(value, known);
  });
  return [
    ...new Set([
      ...(lineage.job === undefined ? [] : [`job:${lineage.job}`]),
      `agent:${lineage.agent ?? task.task}`,
      ...secrets,
      ...inherited,
    ]),
  ];
}

/** What a run is of by the run that it serves, and by the one whose snapshot it starts from: that one's job. */
export function inheritedOf(
  lineages: Lineages,
  owner: string | undefined,
  origin: string | undefined,
): readonly LineageKey[] {
  const jobs = (origin === undefined ? [] : lineages.everOf(origin)).filter((key) =>
    key.startsWith("job:"),
  );
  return [...(owner === undefined ? [] : lineages.keysOf(owner)), ...jobs];
}

/** Reads `lineages.yaml` of the home `root` where it changed. */
export function lineageRulesOf(root: string): () => LineageRules {
  const file = join(root, LINEAGES_FILE);
  let known = { signature: "", rules: NO_LINEAGE_RULES };
  return () => {
    const stat = lstatSync(file, { throwIfNoEntry: false, bigint: true });
    if (stat === undefined) return NO_LINEAGE_RULES;
    const signature = [stat.ino, stat.size, stat.mtimeNs, stat.ctimeNs].join();
    if (known.signature !== signature) known = { signature, rules: readRules(file) };
    return known.rules;
  };
}

function readRules(file: string): LineageRules {
  let source: string;
  try {
    source = readTextFile(file, { mayWait: false });
  } catch (cause) {
    throw new Fault("lineage.rules", `cannot read ${file}: ${describeError(cause)}`, {
      cause,
      hint: "make it a readable file, or remove it where nothing shall be limited",
    });
  }
  return parseLineages(source, file);
}
