/**
 * Entry of the command line: finds the command, parses its options, turns faults into sentences.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { assert, isFault } from "../base/fault.ts";
import { requireOwnFolder } from "../base/own-folder.ts";
import { visibleLines } from "../base/visible-text.ts";
import { locateHome } from "../link/index.ts";
import { EXIT, type Command, type Context } from "./command.ts";
import { loadCommand } from "./commands/index.ts";

process.exitCode = await main(process.argv.slice(2));

async function main(argv: readonly string[]): Promise<number> {
  const [name = "help", ...line] = argv;
  if (name === "help" || name === "--help" || name === "-h") {
    const { helpOf, overview } = await import("./help.ts");
    const about = await loadCommand(line[0] ?? "");
    process.stdout.write(about === undefined ? overview() : helpOf(about));
    return EXIT.ok;
  }
  const command = await loadCommand(name);
  if (command === undefined) {
    process.stderr.write(`cofferdam: no command ${JSON.stringify(name)}; see \`cofferdam help\`\n`);
    return EXIT.usage;
  }
  if (beforeRest(line).some((word) => word === "--help" || word === "-h")) {
    process.stdout.write((await import("./help.ts")).helpOf(command));
    return EXIT.ok;
  }
  try {
    return await runCommand(command, line);
  } catch (error) {
    return report(command, error, beforeRest(line).includes("--json"));
  }
}

async function runCommand(command: Command, line: readonly string[]): Promise<number> {
  const own = beforeRest(line);
  const rest = line.slice(own.length + 1);
  const { values, positionals } = parseArgs({
    args: [...own],
    options: command.options,
    allowPositionals: true,
    strict: true,
  });
  const [least, most] = command.positionals;
  if (positionals.length < least || positionals.length > most) {
    process.stderr.write(`cofferdam ${command.name}: usage: ${command.name} ${command.usage}\n`);
    return command.name === "run" ? EXIT.refused : EXIT.usage;
  }
  const home = locateHome(process.env);
  // Before a word is said: another user's socket would get the task's variables, and what a person types.
  requireOwnFolder(home.root, { isVisit: true });
  const context: Context = {
    values: values as Context["values"],
    positionals,
    rest,
    home,
    daemon: async () => (await import("../client/index.ts")).connectDaemon(home),
    running: async () => (await import("../client/index.ts")).createClient(home),
    // Much of it are the words of an agent, of servers and of file names: none may command the terminal.
    out: (text) => void process.stdout.write(visibleLines(text)),
    err: (text) => void process.stderr.write(visibleLines(text)),
  };
  const code = await command.run(context);
  assert(Number.isInteger(code), "a command returns its exit code");
  return code;
}

function beforeRest(line: readonly string[]): readonly string[] {
  const end = line.indexOf("--");
  return end < 0 ? line : line.slice(0, end);
}

function report(command: Command, error: unknown, json: boolean): number {
  const usage =
    error instanceof TypeError &&
    "code" in error &&
    String(error.code).startsWith("ERR_PARSE_ARGS");
  const code = isFault(error) ? error.code : usage ? "cli.usage" : "cli.internal";
  const message = error instanceof Error ? error.message : String(error);
  const hint = isFault(error)
    ? error.hint
    : usage
      ? `see \`cofferdam help ${command.name}\``
      : undefined;
  if (json) process.stderr.write(`${JSON.stringify({ error: { code, message, hint } })}\n`);
  else
    process.stderr.write(
      visibleLines(`cofferdam: ${message}\n${hint === undefined ? "" : `  fix: ${hint}\n`}`),
    );
  if (code === "cli.internal" && error instanceof Error) process.stderr.write(`${error.stack}\n`);
  return usage && command.name !== "run" ? EXIT.usage : EXIT.refused;
}
