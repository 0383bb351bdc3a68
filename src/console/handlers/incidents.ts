/**
 * Incidents: runs in which something was refused or noticed, and the report of one, to read and to publish.
 *
 * @module
 */
import type { Answers, Entry, RunInfo } from "../../api/index.ts";
import { assert, Fault } from "../../base/index.ts";
import type { Report } from "../../incident/index.ts";
import {
  FORMATS,
  makeRunReport,
  proveReport,
  tarOf,
  type ReportFile,
  type RunReport,
} from "../../report/index.ts";
import type { ConsoleDesk, ConsoleHandlers } from "../desk.ts";
import { oneByOne } from "../share.ts";

export function incidentHandlers(
  desk: ConsoleDesk,
): Pick<ConsoleHandlers, "incident.list" | "incident.report" | "incident.export"> {
  /** Each holds all entries of a run, and an export hashes the whole record. */
  const inTurn = oneByOne();
  const made = async (run: string, persons: boolean): Promise<RunReport> =>
    makeRunReport(desk, { run, entries: await entriesOf(desk, run), persons });
  return {
    "incident.list": async ({ offset, limit }, { signal }) => {
      const all = await desk.client.call("run.list", { all: true });
      const told = all
        .filter(({ counts }) => counts.denials + counts.findings > 0)
        .toSorted((one, other) => (one.startedAt < other.startedAt ? 1 : -1));
      const page = told.slice(offset, offset + limit);
      const runs = await Promise.all(page.map(async (run) => infoOf(desk, run, signal)));
      return { total: told.length, runs };
    },
    "incident.report": async ({ run, persons }, { signal }) => {
      const { report } = await inTurn(signal, async () => made(run, persons));
      return read(report);
    },
    "incident.export": async ({ run, persons, formats, proofs: wanted }, { signal }) => {
      const { of, proofs, files } = await inTurn(signal, async () => {
        const report = await made(run, persons);
        return { of: report, ...(await proveReport(desk, report)) };
      });
      const texts = formats.map((name): ReportFile => {
        const format = FORMATS.get(name);
        assert(format, "the contract names formats that there are");
        return { path: format.file, text: format.render(of.report, proofs) };
      });
      const counts = {
        cited: of.report.cited.length,
        proven: proofs.proven.length,
        broken: proofs.broken,
      };
      const [only] = texts;
      if (!wanted && texts.length === 1 && only !== undefined) {
        const base64 = Buffer.from(only.text).toString("base64");
        return { name: `${run}-${only.path}`, base64, ...counts };
      }
      const tar = tarOf(`incident-${run}`, [...texts, ...(wanted ? files : [])]);
      return { name: `incident-${run}.tar`, base64: tar.toString("base64"), ...counts };
    },
  };
}

/** @throws {Fault} `console.no_such_run` */
async function entriesOf({ record }: ConsoleDesk, run: string): Promise<readonly Entry[]> {
  const entries: Entry[] = [];
  for await (const batch of record.entries({ run: [run] })) entries.push(...batch);
  if (entries.length > 0) return entries;
  throw new Fault("console.no_such_run", `the record has nothing of a run ${run}`);
}

async function infoOf(
  { record }: ConsoleDesk,
  { run, task, purpose, state, startedAt, endedAt, counts }: RunInfo,
  signal: AbortSignal,
): Promise<Answers<"incident.list">["runs"][number]> {
  const { finding } = await record.facets({ run: [run], type: ["finding"] }, signal);
  const kinds = Object.entries(finding)
    .map(([kind, count]) => ({ kind, count }))
    .toSorted((one, other) => other.count - one.count);
  const { denials, findings } = counts;
  return {
    ...{ run, task, purpose, state, startedAt, denials, findings, kinds },
    ...(endedAt === undefined ? {} : { endedAt }),
  };
}

/** What is read of a report; what only formats need stays behind. */
function read(report: Report): Answers<"incident.report"> {
  const { touched: _, told: __, version: ___, cited, attempts, timeline, ...rest } = report;
  return {
    ...rest,
    cited: cited.length,
    attempts: attempts.map(({ cause, findings: _findings, refusals: _refusals, ...attempt }) => {
      const call = cause?.call;
      return { ...attempt, ...(call === undefined ? {} : { call: `${call.name} ${call.id}` }) };
    }),
    timeline: { ...timeline, rows: timeline.rows.map(({ isAllowed: _allowed, ...row }) => row) },
  };
}
