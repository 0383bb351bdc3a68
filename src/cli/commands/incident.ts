/**
 * `incident`: what happened in a run, to publish: a report in the formats that are asked for, with proofs.
 *
 * @module
 */
import { join } from "node:path";
import type { Entry } from "../../api/index.ts";
import { Fault, isFault } from "../../base/index.ts";
import { loadVerbs } from "../../blast/index.ts";
import {
  makeReport,
  renderAiid,
  renderAtlas,
  renderHtml,
  renderMarkdown,
  renderOcsf,
  taskSourceOf,
  type Proofs,
  type Report,
  type VerbLookup,
} from "../../incident/index.ts";
import { parseTaskFile, type Task } from "../../policy/index.ts";
import { EXIT, textOption, type Command, type Context } from "../command.ts";
import { detectorOf } from "../detectors.ts";
import { proveEntries, readRun, writeReport } from "../report-files.ts";
import { systemsOf } from "../systems.ts";

type Render = (report: Report, proofs: Proofs) => string;
const FORMATS: ReadonlyMap<string, { readonly file: string; readonly render: Render }> = new Map([
  ["md", { file: "report.md", render: renderMarkdown }],
  ["html", { file: "report.html", render: renderHtml }],
  [
    "ocsf",
    { file: "events.ocsf.jsonl", render: (report: Report) => renderOcsf(report, detectorOf) },
  ],
  ["aiid", { file: "aiid.txt", render: renderAiid }],
  ["atlas", { file: "atlas.yaml", render: renderAtlas }],
]);
const NAMES = [...FORMATS.keys()].join(",");

export const incidentCommand: Command = {
  name: "incident",
  usage: `RUN [--format ${NAMES}] [--out DIR] [--redact persons]`,
  summary: "Report what a run attempted, what became of it and what held, with proofs, to publish.",
  options: {
    format: { type: "string" },
    out: { type: "string" },
    redact: { type: "string" },
  },
  optionHelp: {
    format: `some of ${NAMES}; md where it is not said`,
    out: "a folder to make, with the report and its proofs; without it one format is printed",
    redact: "persons: blacken mail addresses and the names of those who decided, too",
  },
  examples: [
    "cofferdam incident r-06hcx9k2m4q7tz",
    "cofferdam incident r-06hcx9k2m4q7tz --format md,html,ocsf,aiid,atlas --out report",
    "cofferdam incident r-06hcx9k2m4q7tz --format html --redact persons --out public",
    "cofferdam verify --report report --key ledger.vkey",
  ],
  positionals: [1, 1],
  async run(context) {
    const [run = ""] = context.positionals;
    const out = textOption(context.values, "out");
    const formats = formatsOf(context, out);
    const persons = personsOf(context);
    const client = await context.daemon();
    const ledger = join(context.home.root, "ledger");
    const entries = await readRun(client, run, ledger);
    if (entries.length === 0) {
      throw new Fault("cli.no_such_run", `the record has nothing of a run ${JSON.stringify(run)}`, {
        hint: "`cofferdam ps --all` lists runs, `cofferdam log` prints the record",
      });
    }
    const { version } = await client.call("daemon.status", {});
    const { task, verbsOf } = await policyOf(context, entries);
    const report = makeReport(entries, { run, task, verbsOf, detectorOf, persons, version });
    const cited = new Set(report.cited);
    const { proofs, files } = await proveEntries(client, {
      entries: entries.filter(({ seq }) => cited.has(seq)),
      withheld: report.touched,
      ledger,
    });
    const texts = formats.map(({ file, render }) => ({ path: file, text: render(report, proofs) }));
    if (out === undefined) for (const { text } of texts) context.out(text);
    else {
      writeReport(out, [...texts, ...files]);
      context.out(`${texts.map(({ path }) => join(out, path)).join("\n")}\n`);
      context.out(`${proofs.proven.length} of ${report.cited.length} cited entries proven\n`);
    }
    if (report.attempts.length === 0) {
      context.err(`cofferdam: nothing was refused and nothing was found in ${run}\n`);
    }
    for (const { entry, why } of proofs.broken) {
      context.err(`cofferdam: ${entry === undefined ? "the record" : `entry ${entry}`}: ${why}\n`);
    }
    return proofs.broken.length === 0 ? EXIT.ok : EXIT.no;
  },
};

function formatsOf({ values }: Context, out: string | undefined) {
  const names = [...new Set((textOption(values, "format") ?? "md").split(","))];
  if (out === undefined && names.length > 1) {
    throw new Fault("cli.usage", "several formats need a folder: --out DIR");
  }
  return names.map((name) => {
    const format = FORMATS.get(name);
    if (format !== undefined) return format;
    throw new Fault("cli.usage", `no format ${JSON.stringify(name)}; there is ${NAMES}`);
  });
}

function personsOf({ values }: Context): boolean {
  const redact = textOption(values, "redact");
  if (redact === undefined || redact === "persons") return redact !== undefined;
  throw new Fault("cli.usage", `--redact takes persons, not ${JSON.stringify(redact)}`, {
    hint: "secrets are blackened in any case",
  });
}

/** The task as it was read when the run began; what cannot be read any more is told as unknown. */
async function policyOf(
  context: Context,
  entries: readonly Entry[],
): Promise<{ readonly task: Task | undefined; readonly verbsOf: VerbLookup }> {
  try {
    const { entryOf, systems } = systemsOf(context);
    const said = taskSourceOf(entries);
    const task = said && parseTaskFile(said.source, said.file, said.atMs, systems);
    const verbsOf = await loadVerbs(task, entryOf);
    return { task, verbsOf };
  } catch (error) {
    // A system of the user's own may be gone or changed since: the report says that it is unknown.
    if (!isFault(error)) throw error;
    return { task: undefined, verbsOf: () => undefined };
  }
}
