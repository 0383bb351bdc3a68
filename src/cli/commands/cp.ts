/**
 * `cp`: a file into a run that lives, or out of one, of any length.
 *
 * @module
 */
import { createReadStream, createWriteStream, renameSync, rmSync, statSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import { Fault } from "../../base/index.ts";
import type { Client } from "../../client/index.ts";
import { EXIT, type Command, type Context } from "../command.ts";

const INSIDE = /^(r-[0-9a-z]{1,20}):(.*)$/s;

/** A file in a run; a path that is not absolute starts at its workspace. */
interface Inside {
  readonly run: string;
  readonly path: string;
}

export const cpCommand: Command = {
  name: "cp",
  usage: "RUN:PATH FILE|-   or   FILE|- RUN:PATH",
  options: {},
  optionHelp: {},
  examples: [
    "cofferdam cp r-06hcx9k2m4q7tz:out/report.json report.json",
    "cofferdam cp data.tar r-06hcx9k2m4q7tz:/tmp/data.tar",
    "cofferdam cp r-06hcx9k2m4q7tz:/tmp/log - | less",
  ],
  positionals: [2, 2],
  async run(context) {
    const [from = "", to = ""] = context.positionals;
    const [source, target] = [INSIDE.exec(from), INSIDE.exec(to)];
    if ((source === null) === (target === null)) {
      throw new Fault(
        "cli.usage",
        "one of the two is RUN:PATH, and the other a file of this machine",
        {
          hint: "a file named like a run is written ./r-0:x",
        },
      );
    }
    const client = await context.running();
    if (source !== null) await takeOut(client, await insideOf(client, source), to);
    else if (target !== null) await putIn(client, from, await insideOf(client, target), context);
    return EXIT.ok;
  },
};

async function insideOf(
  client: Client,
  [, run = "", path = ""]: readonly string[],
): Promise<Inside> {
  if (path.startsWith("/")) return { run, path };
  const { workspace } = await client.call("run.show", { run });
  return { run, path: `${workspace}/${path}` };
}

/** Beside its place until it is whole: what breaks off leaves nothing, and what stood there stays. */
async function takeOut(client: Client, from: Inside, to: string): Promise<void> {
  const content = await client.download(from);
  if (to === "-") return pipeline(content, process.stdout, { end: false });
  const file = isFolder(to) ? join(to, basename(from.path)) : resolve(to);
  const part = `${file}.${process.pid}.part`;
  try {
    await pipeline(content, createWriteStream(part, { flags: "wx" }));
    renameSync(part, file);
  } catch (error) {
    rmSync(part, { force: true });
    throw error;
  }
}

async function putIn(client: Client, from: string, to: Inside, context: Context): Promise<void> {
  const path = to.path.endsWith("/") && from !== "-" ? `${to.path}${basename(from)}` : to.path;
  const about = from === "-" ? undefined : statSync(from, { throwIfNoEntry: false });
  if (from !== "-" && about?.isDirectory() !== false) {
    throw new Fault("cli.file", `${from} is ${about === undefined ? "not there" : "a folder"}`, {
      hint: "cp copies one file",
    });
  }
  const mode = about === undefined ? undefined : (about.mode & 0o777).toString(8).padStart(3, "0");
  const of = { run: to.run, path, ...(mode === undefined ? {} : { mode }) };
  const bytes = await client.upload(of, from === "-" ? process.stdin : createReadStream(from));
  context.err(`cofferdam: ${bytes} bytes\n`);
}

const isFolder = (path: string) =>
  statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
