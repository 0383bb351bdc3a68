/**
 * The record: reading, verifying and proving it.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Entry } from "../../api/index.ts";
import { describeError, Fault, isFault, visibleLine } from "../../base/index.ts";
import type { Client } from "../../client/index.ts";
import {
  EXIT,
  JSON_HELP,
  JSON_OPTION,
  textOption,
  type Command,
  type Context,
} from "../command.ts";

export const logCommand: Command = {
  name: "log",
  usage: "[RUN] [--follow] [--json | --format ocsf]",
  options: {
    follow: { type: "boolean", short: "f" },
    format: { type: "string" },
    ...JSON_OPTION,
  },
  optionHelp: {
    follow: "go on as entries arrive",
    format: "ocsf: one event of OCSF 1.8.0 a line",
    json: "one JSON object a line",
  },
  examples: [
    "cofferdam log",
    "cofferdam log r-06hcx9k2m4q7tz --json",
    "cofferdam log --follow --format ocsf",
  ],
  positionals: [0, 1],
  async run(context) {
    const run = context.positionals[0];
    const follow = context.values["follow"] === true;
    const client = await context.daemon();
    const line = await lineOf(context, client);
    const entries = client.stream("log.read", run === undefined ? { follow } : { run, follow });
    let next = 0;
    for await (const entry of entries) {
      if (run === undefined && entry.seq > next) await tellPruned(context, client, next);
      next = entry.seq + 1;
      context.out(`${line(entry)}\n`);
    }
    if (next === 0) await tellPruned(context, client, 0);
    return EXIT.ok;
  },
};

/** Says on standard error why entries from `from` on are left out, where retention took them. */
async function tellPruned(context: Context, client: Client, from: number): Promise<void> {
  const { pruned, last } = await client.call("ledger.pruned", {});
  const range = pruned.find((one) => from < one.to);
  if (range === undefined || last === undefined) return;
  const on = `${last.at.slice(0, 10)} (retention ${last.months} months)`;
  context.err(`cofferdam: entries ${range.from}-${range.to - 1} were pruned on ${on}\n`);
}

async function lineOf({ values }: Context, client: Client): Promise<(entry: Entry) => string> {
  const format = textOption(values, "format");
  if (format === undefined) return values["json"] === true ? JSON.stringify : entryLine;
  if (format !== "ocsf" || values["json"] === true) {
    throw new Fault("cli.usage", "log takes --json, or --format ocsf");
  }
  const { createOcsf } = await import("../../incident/index.ts");
  const { detectorOf } = await import("../../report/index.ts");
  const { version } = await client.call("daemon.status", {});
  const writer = createOcsf({ version, detectorOf });
  return (entry) => JSON.stringify(writer.event(entry));
}

/** One entry on one line: number, time, run, what, verdict and rule, target, process. */
export function entryLine(entry: Entry): string {
  const of = entry.process;
  const who = of === undefined || of.pid === 0 ? "" : `${of.exe}[${of.pid}]`;
  const detail = entry.data?.["detail"] ?? entry.data?.["reason"] ?? usedLine(entry);
  const words = [
    String(entry.seq).padStart(6),
    entry.at.slice(11, 23),
    entry.run ?? "-",
    entry.type.padEnd(13),
    entry.verdict ?? "",
    entry.rule ?? "",
    entry.target ?? "",
    who,
    causeOf(entry),
    typeof detail === "string" ? `- ${detail}` : "",
  ]
    .filter((part) => part !== "")
    .join("  ");
  return visibleLine(words); // A target or a program's name may hold line ends.
}

/** The tool call and step behind an entry; how surely where it is not by its words. */
function causeOf({ cause }: Entry): string {
  const { call, step } = cause ?? {};
  const unsure = call === undefined || call.confidence >= 0.9 ? "" : ` (${call.by})`;
  const parts = [
    ...(call === undefined ? [] : [`${call.name} ${call.id}${unsure}`]),
    ...(step === undefined ? [] : [`step ${step.step} of ${step.trajectory}`]),
  ];
  return parts.length === 0 ? "" : `<- ${parts.join(", ")}`;
}

/** Of what a run uses, what is known. */
function usedLine({ type, data = {} }: Entry): string | undefined {
  if (type !== "usage") return undefined;
  const { spanMs, cpu, memory, gpus, gpuSeconds } = data;
  const time = typeof gpuSeconds === "number" ? [`${gpuSeconds} s of GPU time`] : [];
  if (spanMs === 0) return time.join("");
  const parts = [
    typeof cpu === "number" ? `${cpu} cores` : "cores not counted",
    ...(typeof memory === "number" ? [`${Math.round(memory / 2 ** 20)} MiB`] : []),
    ...(Array.isArray(gpus) ? gpus : []).map((gpu) => {
      const { gpu: number, busy, unread } = Object(gpu) as Readonly<Record<string, unknown>>;
      const known = typeof busy === "number" ? `${Math.round(busy * 100)} %` : "not known";
      return `GPU ${String(number)} ${known}${typeof unread === "string" ? ` (${unread})` : ""}`;
    }),
    ...time,
  ];
  return parts.join(", ");
}

export const verifyCommand: Command = {
  name: "verify",
  usage: "[--home DIR] [--since CHECKPOINT] [--report DIR | --proof FILE] [--key FILE] [--json]",
  options: {
    home: { type: "string" },
    since: { type: "string" },
    report: { type: "string" },
    proof: { type: "string" },
    key: { type: "string" },
    ...JSON_OPTION,
  },
  optionHelp: {
    home: "a copied home instead of the current one",
    since: "a file with an earlier checkpoint that this record must continue",
    report: "the folder of a report by `incident`, which needs no home",
    proof:
      "a file by `prove`: with --key it needs no home; without, it is held against the record of now",
    key: "with --report or --proof: a copy of the record's key that was kept elsewhere",
    ...JSON_HELP,
  },
  examples: [
    "cofferdam verify",
    "cofferdam verify --home /backup/cofferdam --since monday.txt",
    "cofferdam verify --report report --key ledger.vkey",
    "cofferdam verify --proof entry-42.tlog-proof --key ledger.vkey",
  ],
  positionals: [0, 0],
  async run(context) {
    const folder = textOption(context.values, "report");
    const proof = textOption(context.values, "proof");
    if (folder !== undefined) return await verifyReport(context, folder);
    if (proof !== undefined) return await verifyOne(context, proof);
    if (context.values["key"] !== undefined) {
      throw new Fault("cli.usage", "verify takes --key with --report or --proof");
    }
    const root = textOption(context.values, "home") ?? context.home.root;
    const since = textOption(context.values, "since");
    const { verifyLedger } = await import("../../ledger/index.ts");
    const report = await verifyLedger(join(root, "ledger"), {
      ...(since === undefined ? {} : { since: readFileSync(since, "utf8") }),
      ...(process.stderr.isTTY ? { onProgress: showHashed(context) } : {}),
    });
    if (context.values["json"] === true) context.out(`${JSON.stringify(report)}\n`);
    else {
      context.out(
        report.ok
          ? `intact: ${report.size} entries, root ${report.root}\n`
          : `NOT intact: ${report.problems.length} problems\n`,
      );
      for (const { from, to } of report.pruned) {
        context.out(`  entries ${from}-${to - 1} were pruned; their hashes are verified\n`);
      }
      for (const { seq, at, months, ranges } of report.prunings) {
        const which = ranges.map(({ from, to }) => `${from}-${to - 1}`).join(", ");
        context.out(
          `  entry ${seq}: pruned on ${at.slice(0, 10)} by a retention of ${months} months: ${which}\n`,
        );
      }
      for (const problem of report.problems) {
        const where = problem.seq === undefined ? problem.file : `entry ${problem.seq}`;
        context.out(`  ${where}: ${problem.what}\n`);
      }
    }
    return report.ok ? EXIT.ok : EXIT.no;
  },
};

/** One line on a terminal that changes, and is gone at the end. */
function showHashed({ err }: Context): (hashed: number, size: number) => void {
  return (hashed, size) => {
    err(hashed === size ? "\r\u001B[K" : `\r\u001B[K  ${hashed} of ${size} entries hashed`);
  };
}

async function verifyReport(context: Context, folder: string): Promise<number> {
  const { checkReport } = await import("../../report/index.ts");
  const { ok, proven, withheld, problems, key, isOwnKey } = checkReport(
    folder,
    textOption(context.values, "key"),
  );
  if (context.values["json"] === true) {
    context.out(`${JSON.stringify({ ok, proven, withheld, problems, key, isOwnKey })}\n`);
    return ok ? EXIT.ok : EXIT.no;
  }
  context.out(
    ok
      ? `proven: ${proven.length} entries, and of ${withheld.length} more the hash, by ${key}\n`
      : `NOT proven: ${problems.length} problems\n`,
  );
  for (const { entry, what } of problems) context.out(`  entry ${entry}: ${what}\n`);
  if (isOwnKey) {
    context.err("cofferdam: the key is the report's own; --key FILE names one kept elsewhere\n");
  }
  return ok ? EXIT.ok : EXIT.no;
}

/**
 * One proof, by a key from elsewhere, since a proof brings none; or, without one, held against the record of now, whose
 * tree has its entry also where the content was pruned.
 */
async function verifyOne(context: Context, file: string): Promise<number> {
  const keyFile = textOption(context.values, "key");
  const { renewProof, verifyProof } = await import("../../ledger/index.ts");
  const text = readText(file);
  const isJson = context.values["json"] === true;
  const ledger = join(textOption(context.values, "home") ?? context.home.root, "ledger");
  try {
    const { seq, size, origin, event } =
      keyFile === undefined
        ? (await renewProof(ledger, text)).proven
        : verifyProof(text, readText(keyFile));
    context.out(
      isJson
        ? `${JSON.stringify({ ok: true, seq, size, origin, event })}\n`
        : `proven: entry ${seq} is in the record ${origin}, of ${size} entries\n${entryLine({ ...event, seq })}\n`,
    );
    return EXIT.ok;
  } catch (error) {
    if (!isFault(error, "ledger.proof") && !isFault(error, "ledger.note")) throw error;
    const { message } = error;
    context.out(
      isJson ? `${JSON.stringify({ ok: false, why: message })}\n` : `NOT proven: ${message}\n`,
    );
    return EXIT.no;
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new Fault("cli.report", `${file} cannot be read: ${describeError(error)}`, {
      hint: "`cofferdam prove ENTRY` makes a proof",
    });
  }
}

export const proveCommand: Command = {
  name: "prove",
  usage: "ENTRY... [--json]",
  options: JSON_OPTION,
  optionHelp: { json: "print JSON instead of text, a line for each of several entries" },
  examples: ["cofferdam prove 42 > entry-42.tlog-proof", "cofferdam prove 42 43 --json"],
  positionals: [1, 100],
  async run({ positionals, values, daemon, out }: Context) {
    const seqs = positionals.map(entryNumber);
    const json = values["json"] === true;
    // Proofs as text say nowhere where one ends.
    if (!json && seqs.length > 1) throw new Fault("cli.usage", "prove takes several with --json");
    const client = await daemon();
    for (const seq of seqs) {
      const proof = await client.call("ledger.prove", { seq });
      out(json ? `${JSON.stringify(proof)}\n` : proof.proof);
    }
    return EXIT.ok;
  },
};

function entryNumber(text: string): number {
  const seq = Number(text);
  if (Number.isSafeInteger(seq) && seq >= 0) return seq;
  throw new Fault("cli.entry", `${JSON.stringify(text)} is no entry number`, {
    hint: "`cofferdam log` prints them",
  });
}
