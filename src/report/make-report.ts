/**
 * The report of one run: its entries, the task that stood on record when it began, and the proofs of what it cites.
 *
 * @module
 */
import { join } from "node:path";
import type { Entry, Home } from "../api/index.ts";
import { isFault } from "../base/index.ts";
import { loadVerbs } from "../blast/index.ts";
import { findEntry } from "../catalog/index.ts";
import type { Client } from "../client/index.ts";
import {
  makeReport,
  taskSourceOf,
  type Proofs,
  type Report,
  type VerbLookup,
} from "../incident/index.ts";
import { parseTaskFile, type Task } from "../policy/index.ts";
import { OwnSystems, taskSystems } from "../systems/index.ts";
import { detectorOf } from "./detectors.ts";
import { proveEntries, type ReportFile } from "./report-files.ts";

/** Whose record it is, and who proves. */
export interface ReportPorts {
  readonly home: Home;
  readonly client: Client;
}

export interface RunReport {
  readonly report: Report;
  /** The run's entries as they were read, whole. */
  readonly entries: readonly Entry[];
}

/** The report of `run`, whose entries, all of them and in order, are `entries`. */
export async function makeRunReport(
  { home, client }: ReportPorts,
  of: { readonly run: string; readonly entries: readonly Entry[]; readonly persons: boolean },
): Promise<RunReport> {
  const { run, entries, persons } = of;
  const { version } = await client.call("daemon.status", {});
  const { task, verbsOf } = await policyOf(home, entries);
  const report = makeReport(entries, { run, task, verbsOf, detectorOf, persons, version });
  return { report, entries };
}

/** Proves what `report` cites, and verifies the whole record. */
export async function proveReport(
  { home, client }: ReportPorts,
  { report, entries }: RunReport,
): Promise<{ readonly proofs: Proofs; readonly files: readonly ReportFile[] }> {
  const cited = new Set(report.cited);
  return proveEntries(client, {
    entries: entries.filter(({ seq }) => cited.has(seq)),
    withheld: report.touched,
    ledger: join(home.root, "ledger"),
  });
}

/** The task as it was read when the run began; what cannot be read any more is told as unknown. */
async function policyOf(
  home: Home,
  entries: readonly Entry[],
): Promise<{ readonly task: Task | undefined; readonly verbsOf: VerbLookup }> {
  try {
    const own = new OwnSystems(home.catalog).read();
    const systems = taskSystems([...own.values()].map(({ entry }) => entry));
    const said = taskSourceOf(entries);
    const task = said && parseTaskFile(said.source, said.file, said.atMs, systems);
    const verbsOf = await loadVerbs(task, (kind) => findEntry(kind) ?? own.get(kind)?.entry);
    return { task, verbsOf };
  } catch (error) {
    // A system of the user's own may be gone or changed since: the report says that it is unknown.
    if (!isFault(error)) throw error;
    return { task: undefined, verbsOf: () => undefined };
  }
}
