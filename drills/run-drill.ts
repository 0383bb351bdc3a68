/**
 * Runs a drill: holds its test world, shows its progress, tells or prints what it found.
 *
 * @module
 */
import { Fault } from "../src/base/index.ts";
import { isPassed, type DrillRecord } from "./record.ts";
import { ROME_STORY } from "./rome/story.ts";
import { createInk, tellDrill, tellOpening, type Story } from "./story.ts";
import { findTools, holdWorld, programPath, worldFault } from "./world/index.ts";

/** Every drill: its story, and the program that runs inside its world. */
const DRILLS: Readonly<Record<string, { readonly story: Story; readonly program: string }>> = {
  rome: { story: ROME_STORY, program: programPath(import.meta.url, "./rome/inside") },
};

export interface DrillOptions {
  /** Print one JSON object and nothing else on standard output. */
  readonly json: boolean;
  /** The command line's path; `-` makes only the attempts without Cofferdam. */
  readonly cofferdam: string;
  readonly out: NodeJS.WritableStream & { readonly isTTY?: boolean };
  readonly err: NodeJS.WritableStream & { readonly isTTY?: boolean };
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Ends the drill, and its world, early. */
  readonly signal?: AbortSignal;
}

/**
 * Runs the drill `name`; resolves with its exit code: 0 only where every attempt was contained and
 * would have got through bare, and every benign twin passed.
 *
 * @throws {Fault} `drill.unknown`, or that of whatever kept the world from being set up.
 */
export async function runDrill(name: string, options: DrillOptions): Promise<number> {
  const drill = Object.hasOwn(DRILLS, name) ? DRILLS[name] : undefined;
  if (drill === undefined) {
    throw new Fault("drill.unknown", `no drill ${JSON.stringify(name)}`, {
      hint: `there is: ${Object.keys(DRILLS).join(", ")}`,
    });
  }
  const { out, json, environment } = options;
  const ink = createInk(out.isTTY === true && environment["NO_COLOR"] === undefined);
  if (!json) out.write(`${tellOpening(drill.story, ink).join("\n")}\n`);
  const found = await runWorld(drill.program, options);
  out.write(
    json ? `${JSON.stringify({ drills: [found] })}\n` : `${tellDrill(found, ink).join("\n")}\n`,
  );
  return isPassed(found) ? 0 : 1;
}

async function runWorld(program: string, options: DrillOptions): Promise<DrillRecord> {
  const path = options.environment["PATH"] ?? "";
  let found: DrillRecord | undefined;
  let fault: Fault | undefined;
  const progress = showProgress(options);
  const world = holdWorld({
    tools: findTools(path),
    program,
    arguments: [options.cofferdam],
    environment: { PATH: path, LANG: "C.UTF-8" },
    onMessage(message) {
      if (message.kind === "progress") progress.show(message.text);
      else if (message.kind === "result") found = message.drill;
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
  if (found === undefined) throw worldFault(code, stderr);
  return found;
}

/** On a terminal one line that changes; elsewhere a line for each step; nothing with JSON. */
function showProgress(options: DrillOptions): { show(text: string): void; clear(): void } {
  const { err, json } = options;
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
