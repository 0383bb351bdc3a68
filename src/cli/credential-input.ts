/**
 * Where a secret comes from: a hidden prompt, standard input, a file, or a line of a .env file; never the command
 * line, which every program of the machine and the shell's history see.
 *
 * @module
 */
import { closeSync, openSync, readFileSync, writeSync } from "node:fs";
import { ReadStream } from "node:tty";
import { parseEnv } from "node:util";
import { Fault, readTextFile } from "../base/index.ts";
import { textOption, type Values } from "./command.ts";

const LINE_BYTES_MAX = 16_384;
const STDIN = 0;

/** The secret that the options name a source for, else what a person types unseen. */
export async function readSecret(values: Values, prompt: string): Promise<string> {
  const file = textOption(values, "file");
  const envFile = textOption(values, "dotenv");
  const sources = [values["stdin"] === true, file !== undefined, envFile !== undefined];
  if (sources.filter(Boolean).length > 1) {
    throw new Fault("cli.usage", "--stdin, --file and --dotenv exclude each other");
  }
  if (values["stdin"] === true) return bare(readFileSync(STDIN, "utf8"), "standard input");
  if (file !== undefined) return bare(readTextFile(file, { mayWait: true }), file);
  if (envFile !== undefined) return fromEnvFile(envFile);
  return askHidden(prompt);
}

/** The text of the file that option `name` names, without its last line end; `undefined` where it was not given. */
export function readSecretFile(values: Values, name: string): string | undefined {
  const file = textOption(values, name);
  return file === undefined ? undefined : bare(readTextFile(file, { mayWait: true }), file);
}

/** `FILE:VARIABLE` */
function fromEnvFile(source: string): string {
  const colon = source.lastIndexOf(":");
  const [file, variable] = [source.slice(0, colon), source.slice(colon + 1)];
  if (colon < 1 || variable === "") {
    throw new Fault("cli.usage", "--dotenv takes FILE:VARIABLE", {
      hint: "for example --dotenv .env:API_TOKEN",
    });
  }
  const value = parseEnv(readTextFile(file, { mayWait: true }))[variable];
  if (value !== undefined && value !== "") return value;
  throw new Fault("cli.no_secret", `${file} has no ${variable}`, {
    hint: "write VARIABLE=secret on a line of its own",
  });
}

function bare(text: string, from: string): string {
  const secret = text.replace(/\r?\n$/, "");
  if (secret !== "") return secret;
  throw new Fault("cli.no_secret", `nothing came from ${from}`, {
    hint: "is it the right source?",
  });
}

/**
 * What a person types at the controlling terminal, unseen.
 *
 * @throws {Fault} `cli.no_terminal` where there is none, `cli.cancelled` at Ctrl-C.
 */
export async function askHidden(prompt: string): Promise<string> {
  const answer = await ask(prompt, { isHidden: true });
  if (answer !== "") return answer;
  throw new Fault("cli.no_secret", "nothing was typed", { hint: "try again" });
}

/** What a person types at the controlling terminal, which is not standard input: that could be a pipe. */
export async function ask(
  prompt: string,
  { isHidden }: { readonly isHidden: boolean },
): Promise<string> {
  const descriptor = openTerminal();
  const input = new ReadStream(descriptor);
  try {
    if (isHidden) input.setRawMode(true); // Before the prompt: whoever types ahead is not shown either.
    writeSync(descriptor, prompt);
    return await readLine(input);
  } finally {
    if (isHidden) {
      input.setRawMode(false);
      writeSync(descriptor, "\n");
    }
    input.destroy();
  }
}

/** Writes to the controlling terminal and to nothing else: no pipe or file gets it. */
export function tellTerminal(text: string): void {
  const descriptor = openTerminal();
  try {
    writeSync(descriptor, text);
  } finally {
    closeSync(descriptor);
  }
}

function openTerminal(): number {
  try {
    return openSync("/dev/tty", "r+");
  } catch (cause) {
    throw new Fault("cli.no_terminal", "there is no terminal to ask a person at", {
      hint: "run it at a terminal; a secret may also come by --stdin, --file or --dotenv",
      cause,
    });
  }
}

async function readLine(input: ReadStream): Promise<string> {
  let line = Buffer.alloc(0);
  for await (const chunk of input) {
    for (const byte of chunk as Buffer) {
      if (byte === 0x0d || byte === 0x0a) return line.toString("utf8");
      if (byte === 0x03 || byte === 0x04) {
        throw new Fault("cli.cancelled", "cancelled; nothing was changed");
      }
      if (byte === 0x7f || byte === 0x08) line = Buffer.from(line.toString("utf8").slice(0, -1));
      else line = Buffer.concat([line, Buffer.of(byte)]);
      if (line.length > LINE_BYTES_MAX) throw new Fault("cli.cancelled", "a line above 16 KiB");
    }
  }
  throw new Fault("cli.cancelled", "the terminal is gone; nothing was changed");
}
