/**
 * `run --watch`: a task file that grows out of what its agent asks for. It begins with nothing; after each run a person goes
 * through what was refused, and what they add is written to the file, with what it makes of the blast radius. Nothing is
 * asked while the agent runs: then the terminal is the agent's, and it could answer for itself (INV-186).
 *
 * @module
 */
import { existsSync, openSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { isatty, ReadStream, WriteStream } from "node:tty";
import { wishesOf, type Offer, type Wish } from "../autonomy/index.ts";
import { Fault, visibleLine } from "../base/index.ts";
import { differenceOf, loadVerbs, printChanges, solveTask } from "../blast/index.ts";
import { DETECTOR_ABOUTS } from "../detect/index.ts";
import { parseTaskFile, type Task } from "../policy/index.ts";
import { readFacts, readRules } from "../probe/index.ts";
import { editYaml } from "../yaml/index.ts";
import type { Context } from "./command.ts";
import { readTask } from "./commands/check.ts";
import { Keyboard } from "./keyboard.ts";
import { systemsOf } from "./systems.ts";

/** Runs once under the file as it is; resolves with the run's name and its exit code. */
export type RunOnce = () => Promise<{ readonly run: string; readonly code: number }>;

/** Makes the file where there is none. @throws {Fault} `cli.watch` where nobody can be asked. */
export function beginWatch(context: Context, file: string): void {
  if (!isatty(0) || !isatty(1)) {
    throw new Fault("cli.watch", "--watch asks a person, and this is no terminal", {
      hint: "run it at a terminal, or write the task file from `cofferdam log RUN`",
    });
  }
  if (existsSync(file)) return;
  const name =
    basename(file)
      .replace(/\.ya?ml$/, "")
      .replaceAll(/[^A-Za-z0-9-]+/g, "-") || "task";
  const purpose = `What ${visibleLine(context.rest.join(" ")).slice(0, 100)} needs.`;
  writeFileSync(file, `task: ${name}\npurpose: ${JSON.stringify(purpose)}\n`, { flag: "wx" });
}

/** Runs, asks, and runs again for as long as a person wants; resolves with the last exit code. */
export async function watchRuns(context: Context, file: string, once: RunOnce): Promise<number> {
  for (;;) {
    const { run, code } = await once();
    const { state } = await (await context.daemon()).call("run.show", { run });
    if (state !== "ended") return code; // It was let go of, and goes on.
    const added = await askAbout(context, file, run);
    if (added === 0 || !(await confirm(context, "Run it again? [y/n] "))) return code;
  }
}

async function askAbout(context: Context, file: string, run: string): Promise<number> {
  const { systems } = systemsOf(context);
  const entries = [];
  for await (const entry of (await context.daemon()).stream("log.read", { run, follow: false }))
    entries.push(entry);
  const parse = (text: string) => parseTaskFile(text, file, Date.now(), systems, DETECTOR_ABOUTS);
  const wishes = wishesOf(entries, parse(readTask(file)), systems);
  if (wishes.length === 0) {
    context.err("cofferdam: nothing was refused\n");
    return 0;
  }
  context.err(
    `\ncofferdam: ${wishes.length} thing${wishes.length === 1 ? " was" : "s were"} refused\n`,
  );
  let added = 0;
  for (let at = 0; at < wishes.length; at += 1) {
    // Anew each time: what was added may be what the next one adds to.
    const source = readTask(file);
    const task = parse(source);
    const wish = wishesOf(entries, task, systems)[at];
    if (wish === undefined) continue;
    const offer = await choose(context, wish);
    if (offer === "quit") break;
    if (offer === undefined) continue;
    const changed = editYaml(source, offer.edits);
    if (changed === undefined) throw new Fault("cli.watch", `${file} is not as it was read`);
    const now = parse(changed);
    writeFileSync(file, changed);
    added += 1;
    for (const line of await radius(context, task, now)) context.err(`    ${visibleLine(line)}\n`);
  }
  return added;
}

async function choose(
  context: Context,
  { says, offers, hint }: Wish,
): Promise<Offer | undefined | "quit"> {
  context.err(`\n  ${visibleLine(says)}\n`);
  if (hint !== undefined) context.err(`    ${visibleLine(hint)}\n`);
  if (offers.length === 0) return undefined;
  for (const offer of offers) context.err(`    ${offer.key}  ${visibleLine(offer.says)}\n`);
  context.err("    n  no\n    q  no more questions\n");
  const answer = await line(context, "  > ");
  if (answer === "q") return "quit";
  return offers.find(({ key }) => key === answer);
}

async function confirm(context: Context, prompt: string): Promise<boolean> {
  return (await line(context, prompt)) === "y";
}

const SETTLE_MS = 300; // What was typed for the agent, and is still on its way, is no answer.

async function line(context: Context, prompt: string): Promise<string> {
  // Its own way to the terminal: what relayed the run has ended the standard one.
  const [input, output] = [new ReadStream(openSync("/dev/tty", "r")), new WriteStream(2)];
  const keyboard = new Keyboard(input, output);
  keyboard.open();
  try {
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    return ((await keyboard.line(prompt)) ?? "q").trim().toLowerCase();
  } finally {
    keyboard.close();
    input.destroy();
    context.err("\n");
  }
}

async function radius(context: Context, before: Task, after: Task): Promise<readonly string[]> {
  const program = readRules(context.home.rules);
  const known = readFacts(context.home.facts, program);
  const { entryOf } = systemsOf(context);
  const verbsOf = await loadVerbs(after, entryOf);
  const ground = { program, known, verbsOf };
  return printChanges(differenceOf(solveTask(before, ground), solveTask(after, ground)));
}
