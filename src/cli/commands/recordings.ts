/**
 * `recordings`: what terminals of runs showed: listed with what the record says of each, read as text, searched.
 *
 * @module
 */
import { once } from "node:events";
import type { RecordingInfo } from "../../api/index.ts";
import { Fault } from "../../base/index.ts";
import type { CastEvent, ScreenLine } from "../../recording/index.ts";
import type { Client } from "../../client/index.ts";
import { EXIT, JSON_OPTION, textOption, type Command, type Context } from "../command.ts";
import { table } from "./runs.ts";

const USAGE = "[RUN] | show ID [--raw] | search TEXT [--run RUN]";

export const recordingsCommand: Command = {
  name: "recordings",
  usage: `${USAGE} [--json]`,
  options: { raw: { type: "boolean" }, run: { type: "string" }, ...JSON_OPTION },
  optionHelp: {
    raw: "show: the asciicast as it is, for a file or a player, not for a terminal",
    run: "search: only recordings of this run",
    json: "one JSON object a line",
  },
  examples: [
    "cofferdam recordings",
    "cofferdam recordings r-06hcx9k2m4q7tz --json",
    "cofferdam recordings show rec-06hcx9k2m4q7tz",
    "cofferdam recordings show rec-06hcx9k2m4q7tz --raw | asciinema play -",
    'cofferdam recordings search "permission denied" --run r-06hcx9k2m4q7tz',
  ],
  positionals: [0, 2],
  async run(context) {
    const [word, of] = context.positionals;
    if (word === "show" && of !== undefined) return await show(context, of);
    if (word === "search" && of !== undefined && of !== "") return await search(context, of);
    if (of === undefined && word !== "show" && word !== "search") return await list(context, word);
    throw new Fault("cli.usage", `recordings takes ${USAGE}`);
  },
};

async function list(context: Context, run: string | undefined): Promise<number> {
  const all = await (await context.daemon()).call("recordings.list", given({ run }));
  if (isJson(context)) for (const one of all) context.out(`${JSON.stringify(one)}\n`);
  else {
    const head = ["ID", "RUN", "SYSTEM", "WHEN", "SECONDS", "BYTES", "STATE", "FILE"];
    const rows = all.map((one) => [
      one.id,
      one.run,
      one.system || "-",
      one.startedAt.slice(0, 19) || "-",
      one.seconds.toFixed(1),
      String(one.bytes),
      one.end === undefined ? one.state : `${one.state}: ${one.end}`,
      one.check,
    ]);
    context.out(table([head, ...rows]));
  }
  return all.every(isAsRecorded) ? EXIT.ok : EXIT.no;
}

async function show(context: Context, id: string): Promise<number> {
  const isRaw = context.values["raw"] === true;
  if (isRaw && process.stdout.isTTY) {
    throw new Fault("cli.terminal", "what a recording holds would command this terminal", {
      hint: `write it to a file, or play it: cofferdam recordings show ${id} --raw | asciinema play -`,
    });
  }
  const client = await context.daemon();
  const [one] = await client.call("recordings.list", { id });
  if (one === undefined) {
    throw new Fault("recording.none", `there is no recording ${id}`, {
      hint: "`cofferdam recordings` lists them",
    });
  }
  if (isRaw) for await (const bytes of bytesOf(client, one)) await write(bytes);
  else for await (const lines of await linesIn(client, one)) print(context, one, lines);
  if (one.state === "incomplete" && one.end !== undefined) {
    context.err(`cofferdam: ${id} is not complete: ${one.end}\n`);
  }
  if (isAsRecorded(one)) return EXIT.ok;
  context.err(`cofferdam: the file of ${id} is not what was recorded: ${one.check}\n`);
  return EXIT.no;
}

function print(context: Context, { id }: RecordingInfo, lines: readonly ScreenLine[]): void {
  const shown = lines.map(({ number, seconds, text }) =>
    isJson(context) ? JSON.stringify({ id, line: number, seconds, text }) : text,
  );
  if (shown.length > 0) context.out(`${shown.join("\n")}\n`);
}

async function search(context: Context, wanted: string): Promise<number> {
  const client = await context.daemon();
  const run = textOption(context.values, "run");
  const { LineSearch } = await import("../../recording/index.ts");
  const all = await client.call("recordings.list", given({ run }));
  let found = 0;
  for (const one of all) {
    if (one.check === "missing" || one.check === "removed") continue;
    const looking = new LineSearch(wanted);
    for await (const lines of await linesIn(client, one)) {
      const some = looking.of(lines);
      found += some.length;
      for (const line of some) context.out(`${foundLine(context, one, line, wanted)}\n`);
    }
  }
  const unsure = all.filter((one) => !isAsRecorded(one));
  for (const { id, check } of unsure) {
    context.err(`cofferdam: the file of ${id} is not what was recorded: ${check}\n`);
  }
  return found > 0 && unsure.length === 0 ? EXIT.ok : EXIT.no;
}

function foundLine(context: Context, one: RecordingInfo, line: ScreenLine, wanted: string): string {
  const { id, run } = one;
  const { number, seconds, text, written, unseen } = line;
  // What is not on the screen any more, or never was, is told as it was written.
  const beside = holds(text, wanted)
    ? undefined
    : holds(unseen, wanted)
      ? `(not shown) ${unseen}`
      : `(overwritten) ${written}`;
  return isJson(context)
    ? JSON.stringify({ id, run, seconds, line: number, text, ...given({ beside }) })
    : `${id}  ${seconds.toFixed(1)} s  line ${number}: ${beside ?? text}`;
}

function holds(text: string, wanted: string): boolean {
  return text.toLowerCase().includes(wanted.toLowerCase());
}

/** `removed` is what a person did to a run that is over, folder and all. */
function isAsRecorded({ check }: RecordingInfo): boolean {
  return check === "ok" || check === "open" || check === "removed";
}

async function linesIn(
  client: Client,
  one: RecordingInfo,
): Promise<AsyncIterable<readonly ScreenLine[]>> {
  const { CastReader, linesOf } = await import("../../recording/index.ts");
  const reader = new CastReader();
  async function* events(): AsyncIterable<readonly CastEvent[]> {
    for await (const bytes of bytesOf(client, one)) yield reader.push(bytes);
  }
  return linesOf(events());
}

async function* bytesOf(client: Client, { run, id }: RecordingInfo): AsyncIterable<Buffer> {
  for await (const { bytes } of client.stream("recordings.read", { run, id })) {
    yield Buffer.from(bytes, "base64");
  }
}

/** Past `context.out`, which spells out what commands a terminal. */
async function write(bytes: Buffer): Promise<void> {
  if (!process.stdout.write(bytes)) await once(process.stdout, "drain");
}

function isJson({ values }: Context): boolean {
  return values["json"] === true;
}

/** The same without what is not given. */
function given<T extends Readonly<Record<string, string | undefined>>>(
  all: T,
): { [Key in keyof T]?: string } {
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as {
    [Key in keyof T]?: string;
  };
}
