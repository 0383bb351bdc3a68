/**
 * Where a credential was lent, by what the record says: task files on record name it, and allowed actions of their
 * grants went with it.
 *
 * @module
 */
import { GRANTED_RUNS_MAX, type Answers, type Entry, type RunInfo } from "../../api/index.ts";
import { isFault } from "../../base/index.ts";
import { taskSourceOf } from "../../incident/index.ts";
import { parseTaskFile } from "../../policy/index.ts";
import { OwnSystems, taskSystems } from "../../systems/index.ts";
import type { ConsoleDesk, ConsoleHandlers } from "../desk.ts";

const EVENTS_MAX = 100;

export function lentHandlers(desk: ConsoleDesk): Pick<ConsoleHandlers, "credential.trail"> {
  return {
    "credential.trail": async ({ name }, { signal }) => {
      const events = await newest(desk, { type: ["credential"], text: name }, EVENTS_MAX);
      const policies = await newest(desk, { type: ["policy"], text: name }, 4 * GRANTED_RUNS_MAX);
      const runs = new Map(
        (await desk.client.call("run.list", { all: true })).map((run) => [run.run, run]),
      );
      const lent = new Map<string, Lent>();
      for (const entry of policies) {
        const run = runs.get(entry.run ?? "");
        const grants = grantsOf(desk, entry, name);
        if (run === undefined || grants.length === 0 || lent.has(run.run)) continue;
        if (lent.size >= GRANTED_RUNS_MAX) break;
        lent.set(run.run, await lentTo(desk, run, grants, signal));
      }
      return {
        runs: [...lent.values()].toSorted((one, other) =>
          one.startedAt < other.startedAt ? 1 : -1,
        ),
        events: events
          .filter(({ data }) => data?.["credential"] === name)
          .map(({ seq, at, data }) => ({ entry: seq, at, detail: textOf(data?.["detail"]) })),
      };
    },
  };
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

type Lent = Answers<"credential.trail">["runs"][number];

/** The last `max` entries that match, newest first. */
async function newest(
  { record }: ConsoleDesk,
  query: Parameters<ConsoleDesk["record"]["search"]>[0],
  max: number,
): Promise<readonly Entry[]> {
  const { count } = await record.search(query);
  const offset = Math.max(0, count - max);
  const { rows } = await record.page(query, { offset, limit: Math.max(1, count - offset) });
  const entries = await Promise.all(rows.map(async ({ seq }) => record.entry(seq)));
  return entries.toReversed();
}

/** Names of the grants that the task file on record gives the credential to. */
function grantsOf({ home }: ConsoleDesk, entry: Entry, name: string): readonly string[] {
  const said = taskSourceOf([entry]);
  if (said === undefined) return [];
  try {
    const own = new OwnSystems(home.catalog).read();
    const systems = taskSystems([...own.values()].map((system) => system.entry));
    const { grants } = parseTaskFile(said.source, said.file, said.atMs, systems);
    return grants
      .filter(({ credential, candidates = [] }) => credential === name || candidates.includes(name))
      .map((grant) => grant.name);
  } catch (error) {
    // A file of an earlier release, or a system that is gone: what it granted cannot be told any more.
    if (!isFault(error)) throw error;
    return [];
  }
}

async function lentTo(
  { record }: ConsoleDesk,
  { run, task, state, startedAt, revoked = [] }: RunInfo,
  grants: readonly string[],
  signal: AbortSignal,
): Promise<Lent> {
  const query = {
    run: [run],
    type: ["action" as const],
    verdict: ["allow" as const],
    system: [...grants],
  };
  const { count } = await record.search(query, signal);
  const last =
    count === 0
      ? undefined
      : (await record.page(query, { offset: count - 1, limit: 1 }, signal)).rows[0];
  return {
    ...{ run, task, state, startedAt, uses: count },
    grants: grants.filter((grant) => !revoked.includes(grant)),
    revoked: grants.filter((grant) => revoked.includes(grant)),
    ...(last === undefined
      ? {}
      : { last: { entry: last.seq, at: last.at, target: last.target ?? "" } }),
  };
}
