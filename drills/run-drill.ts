/**
 * Runs drills: holds their test worlds, shows progress, tells or prints what was found.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { assert, Fault } from "../src/base/index.ts";
import { findDrills, type Listed } from "./catalogue.ts";
import { agentOf, findAgent } from "./field/agents.ts";
import type { FieldOrder } from "./field/order.ts";
import { resultOf, type DrillEvent } from "./live.ts";
import { drillSchema, isPassed, type DrillRecord } from "./record.ts";
import { ROME_STORY } from "./rome/story.ts";
import { createInk, tellDrill, tellOpening, type Ink } from "./story.ts";
import { tellBare, tellTable } from "./table.ts";
import { findTools, holdWorld, programPath, worldFault } from "./world/index.ts";

const ROME = "rome";
/** Asks it to tell what happens while it happens. */
const ROME_LIVE = "live";
/** In place of the command line's path: without Cofferdam. */
const BARE = "-";
const ROME_PROGRAM = programPath(import.meta.url, "./rome/inside");
const FIELD_PROGRAM = programPath(import.meta.url, "./field/inside");

export interface DrillOptions {
  /** Print one JSON object and nothing else on standard output. */
  readonly json: boolean;
  /** The command line's path; `-` makes only the attempts without Cofferdam. */
  readonly cofferdam: string;
  /** The user's own task file, whose rules hold in place of the drills' own. */
  readonly task?: string;
  /** The real agent that plays what a model is led to, by its name; a small one of ours where it is absent. */
  readonly agent?: string;
  /** The folder with its program; PATH where it is absent. */
  readonly agentFolder?: string;
  /** The model follows nothing that is injected: then nothing is attempted, and the drill fails. */
  readonly careful?: boolean;
  /** Print what happens as it happens, as JSON lines, and the result of each drill as the last of it. */
  readonly live?: boolean;
  readonly out: NodeJS.WritableStream & { readonly isTTY?: boolean };
  readonly err: NodeJS.WritableStream & { readonly isTTY?: boolean };
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Ends the drill, and its world, early. */
  readonly signal?: AbortSignal;
}

/**
 * Runs the drills that `words` mean; resolves with the exit code: 0 only where every attempt was
 * contained and would have got through bare, and every benign twin passed. Of several those that cannot be run
 * on this machine are told and do not count; one that was asked for by name and was not run is a 1.
 *
 * @throws {Fault} `drill.unknown`, or that of whatever kept the world from being set up.
 */
export async function runDrill(words: readonly string[], options: DrillOptions): Promise<number> {
  const listed = findDrills(words);
  const [first] = listed;
  assert(first, "a word that means no drill is refused above");
  const { out, json, environment, task } = options;
  if (task !== undefined && !existsSync(task)) {
    throw new Fault("drill.task", `there is no task file ${task}`, {
      hint: "`--task FILE` names one of yours; without it each drill has its own",
    });
  }
  const ink = createInk(out.isTTY === true && environment["NO_COLOR"] === undefined);
  const isOne = listed.length === 1;
  if (!json && options.live !== true && isOne)
    out.write(`${tellOpening(first.story, ink).join("\n")}\n`);
  const found = await runWorlds(listed, options);
  const isAllFine = found.every((drill) => isPassed(drill) || (!isOne && drill.skipped !== null));
  if (options.live === true) for (const drill of found) tellLive(options, resultOf(drill));
  else
    out.write(
      json
        ? `${JSON.stringify({ drills: found })}\n`
        : `${tellFound(found, options, ink).join("\n")}\n`,
    );
  return isAllFine ? 0 : 1;
}

function tellLive({ out }: DrillOptions, event: DrillEvent): void {
  out.write(`${JSON.stringify(event)}\n`);
}

/** The ROME case alone is told attempt by attempt, everything else as a table. */
function tellFound(
  found: readonly DrillRecord[],
  { cofferdam }: DrillOptions,
  ink: Ink,
): readonly string[] {
  if (cofferdam === BARE) return tellBare(found, ink);
  const [first, ...more] = found;
  if (first?.name === ROME && more.length === 0) return tellDrill(first, ink);
  return tellTable(found, ink);
}

/** The worlds of the chosen drills, one after the other; each drill's record in the catalogue's order. */
async function runWorlds(
  listed: readonly Listed[],
  options: DrillOptions,
): Promise<readonly DrillRecord[]> {
  const names = listed.map(({ name }) => name);
  const field = names.filter((name) => name !== ROME);
  const found: DrillRecord[] = [];
  if (names.includes(ROME)) found.push(...(await runRome(options)));
  if (field.length > 0) {
    const words = [JSON.stringify(orderOf(field, options))];
    found.push(...(await runWorld(FIELD_PROGRAM, words, options)));
  }
  const lacking = names.filter((name) => !found.some((drill) => drill.name === name));
  if (lacking.length > 0) throw new Fault("drill.lost", `no result of ${lacking.join(", ")}`);
  return names.flatMap((name) => found.filter((drill) => drill.name === name));
}

/** Looks for the agent here, where PATH is the user's: a fault is better early. */
function orderOf(names: readonly string[], options: DrillOptions): FieldOrder {
  const { cofferdam, task, agent, agentFolder, environment } = options;
  const { careful = false, live = false } = options;
  return {
    names: [...names],
    careful,
    live,
    agentFolder: findAgent(agentOf(agent), environment["PATH"] ?? "", agentFolder),
    ...(cofferdam === BARE ? {} : { cofferdam }),
    ...(task === undefined ? {} : { task }),
    ...(agent === undefined ? {} : { agent }),
  };
}

/** The ROME case has its own task file, which is a part of what it shows, and no text leads anybody in it. */
async function runRome(options: DrillOptions): Promise<readonly DrillRecord[]> {
  const { cofferdam, task, agent } = options;
  const skipped =
    task !== undefined
      ? "it is about the ports of its own task file; run it without --task"
      : agent !== undefined
        ? `no text leads a model in it, so ${agent} has no part; run it without --agent`
        : undefined;
  const words = [cofferdam, ...(options.live === true ? [ROME_LIVE] : [])];
  if (skipped === undefined) return runWorld(ROME_PROGRAM, words, options);
  const { title } = ROME_STORY;
  const blank = { name: ROME, title, incidents: "A9, A10", attempts: [], twins: [] };
  const rules = task === undefined ? {} : { task };
  return [drillSchema.parse({ ...blank, ...rules, skipped, ledgerIntact: false })];
}

async function runWorld(
  program: string,
  words: readonly string[],
  options: DrillOptions,
): Promise<readonly DrillRecord[]> {
  const path = options.environment["PATH"] ?? "";
  const found: DrillRecord[] = [];
  let fault: Fault | undefined;
  const progress = showProgress(options);
  const world = holdWorld({
    tools: findTools(path),
    program,
    arguments: words,
    environment: { PATH: path, LANG: "C.UTF-8" },
    onMessage(message) {
      if (message.kind === "progress") progress.show(message.text);
      else if (message.kind === "live") tellLive(options, message.event);
      else if (message.kind === "result") found.push(message.drill);
      else {
        const { code, message: text, hint } = message;
        fault = new Fault(code, text, hint === undefined ? {} : { hint });
      }
    },
  });
  const stop = () => void world.stop();
  options.signal?.addEventListener("abort", stop);
  const { code, stderr } = await world.ended;
  options.signal?.removeEventListener("abort", stop);
  progress.clear();
  if (options.signal?.aborted === true) throw new Fault("drill.stopped", "the drill was stopped");
  if (fault !== undefined) throw fault;
  if (found.length === 0) throw worldFault(code, stderr);
  return found;
}

/** On a terminal one line that changes; elsewhere a line for each step; an event to who watches; nothing with JSON. */
function showProgress(options: DrillOptions): { show(text: string): void; clear(): void } {
  const { err, json } = options;
  if (options.live === true) {
    return { show: (text) => tellLive(options, { event: "progress", text }), clear: () => {} };
  }
  const live = err.isTTY === true;
  const started = Date.now();
  return {
    show(text) {
      if (json) return;
      const seconds = ((Date.now() - started) / 1000).toFixed(1);
      err.write(live ? `\r\u001B[K  ${seconds} s  ${text}` : `  ${seconds} s  ${text}\n`);
    },
    clear() {
      if (live && !json) err.write("\r\u001B[K");
    },
  };
}
