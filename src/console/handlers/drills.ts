/**
 * Drills: what there is, and one that is watched. A drill is the command line's, as a person would start it: a process
 * of its own with a home of its own in namespaces of their own, that ends with whoever watches it.
 *
 * @module
 */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { z } from "zod";
import { drillEventSchema, type Answers, type DrillEvent } from "../../api/index.ts";
import { Fault } from "../../base/index.ts";
import type { ConsoleDesk, ConsoleHandlers } from "../desk.ts";
import { shared } from "../share.ts";

/** What is kept of a drill's standard error, for the fault that it ends with. */
const ERROR_CHARS_MAX = 8000;

const listSchema = z.array(
  z.looseObject({
    ids: z.array(z.string()),
    name: z.string(),
    incidents: z.string(),
    story: z.looseObject({ title: z.string(), sentences: z.array(z.string()) }),
    lacks: z.string().optional(),
  }),
);
const errorSchema = z.object({
  error: z.object({ code: z.string(), message: z.string(), hint: z.string().optional() }),
});

export function drillHandlers(
  desk: ConsoleDesk,
): Pick<ConsoleHandlers, "drill.list" | "drill.run"> {
  let running: string | undefined;
  return {
    "drill.list": shared(async () => listDrills(desk)), // Each is a process.
    "drill.run": async function* ({ name }, { signal }) {
      if (running !== undefined) {
        throw new Fault("console.drill_busy", `the drill ${running} goes on`, {
          hint: "one at a time: wait for its end, or close the page that watches it",
        });
      }
      running = name;
      try {
        yield* watchDrill(desk, name, AbortSignal.any([signal, desk.closing]));
      } finally {
        running = undefined;
      }
    },
  };
}

async function listDrills(desk: ConsoleDesk): Promise<Answers<"drill.list">> {
  const child = start(desk, ["--list", "--json"]);
  const said = saidBy(child);
  let out = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => (out += text));
  await once(child, "close");
  if (child.exitCode !== 0) throw faultOf(child, said());
  return listSchema.parse(JSON.parse(out)).map(({ ids, name, incidents, story, lacks }) => {
    const { title, sentences } = story;
    return { ids, name, incidents, title, sentences, ...(lacks === undefined ? {} : { lacks }) };
  });
}

/** @throws {Fault} what kept it from being set up. */
async function* watchDrill(
  desk: ConsoleDesk,
  name: string,
  signal: AbortSignal,
): AsyncIterable<DrillEvent> {
  const child = start(desk, ["--live", name]);
  const said = saidBy(child);
  const closed = once(child, "close");
  closed.catch(() => {}); // What was never begun is told below; unheard until then, it would end the console.
  const stop = () => void child.kill("SIGTERM");
  signal.addEventListener("abort", stop, { once: true });
  try {
    if (child.stdout !== null) {
      for await (const line of createInterface({ input: child.stdout, crlfDelay: Infinity })) {
        yield drillEventSchema.parse(JSON.parse(line));
      }
    }
    await closed;
    // 1: something was not contained, which its result says.
    const isTold = child.exitCode === 0 || child.exitCode === 1;
    if (!isTold && !signal.aborted) throw faultOf(child, said());
  } finally {
    signal.removeEventListener("abort", stop);
    stop(); // Whoever stops reading wants no more of it; its world ends in order.
    await closed;
  }
}

function start({ packageRoot }: ConsoleDesk, line: readonly string[]): ChildProcess {
  const program = join(packageRoot, "bin", "cofferdam");
  return spawn(program, ["drill", ...line], { stdio: ["ignore", "pipe", "pipe"], cwd: "/" });
}

/** The end of what a program says on its standard error. */
function saidBy(child: ChildProcess): () => string {
  let text = "";
  child.stderr?.setEncoding("utf8").on("data", (part: string) => {
    text = (text + part).slice(-ERROR_CHARS_MAX);
  });
  return () => text;
}

function faultOf({ exitCode }: ChildProcess, said: string): Fault {
  for (const line of said.split("\n")) {
    const { data } = errorSchema.safeParse(parse(line));
    if (data === undefined) continue;
    const { code, message, hint } = data.error;
    return new Fault(code, message, hint === undefined ? {} : { hint });
  }
  return new Fault("console.drill", `the drill ended (exit ${exitCode}): ${said.trim()}`, {
    hint: "`cofferdam drill` in a terminal shows more; `cofferdam doctor` names what is missing",
  });
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined; // Somebody else's line.
  }
}
