/**
 * `incident`: what happened in a run, to publish: a report in the formats that are asked for, with proofs.
 *
 * @module
 */
import { join } from "node:path";
import { Fault } from "../../base/index.ts";
import { FORMATS, makeRunReport, proveReport, readRun, writeReport } from "../../report/index.ts";
import { EXIT, textOption, type Command, type Context } from "../command.ts";

const NAMES = [...FORMATS.keys()].join(",");

export const incidentCommand: Command = {
  name: "incident",
  usage: `RUN [--format ${NAMES}] [--out DIR] [--redact persons]`,
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
    const entries = await readRun(client, run, join(context.home.root, "ledger"));
    if (entries.length === 0) {
      throw new Fault("cli.no_such_run", `the record has nothing of a run ${JSON.stringify(run)}`, {
        hint: "`cofferdam ps --all` lists runs, `cofferdam log` prints the record",
      });
    }
    const ports = { home: context.home, client };
    const made = await makeRunReport(ports, { run, entries, persons });
    const { report } = made;
    const { proofs, files } = await proveReport(ports, made);
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
