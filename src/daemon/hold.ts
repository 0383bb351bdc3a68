/**
 * Holding a living run: its streams to the console, its lifetime, its end.
 *
 * @module
 */
import { finished } from "node:stream/promises";
import type { Duplex, Writable } from "node:stream";
import { z } from "zod";
import type { Frame } from "../api/index.ts";
import { describeError } from "../base/index.ts";
import type { AgentStreams, Exit, Gpu, Limits, Sandbox } from "../sandbox/index.ts";
import type { ServedGateway } from "../worker/index.ts";
import type { PublishedPorts } from "./publish.ts";
import { leftBehind, type Ground } from "./left.ts";
import { briefProcess } from "./recorder.ts";
import { restartWaitMs } from "./restart.ts";
import type { Run } from "./run.ts";
import type { World } from "./world.ts";

const LAST_OUTPUT_MS = 2_000; // How long the end of a run waits for the rest of its output.
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const;
const sizeSchema = z.object({ columns: z.number().int().min(1), rows: z.number().int().min(1) });

/** What makes a run live. */
export interface Living {
  readonly sandbox: Sandbox;
  readonly gateway: ServedGateway;
  readonly limits: Limits;
  readonly gpus: readonly Gpu[];
  readonly streams: AgentStreams;
  readonly published: PublishedPorts;
  readonly ground: Ground;
  /** What its agent has, and a command has that comes later. */
  readonly base: { readonly environment: Readonly<Record<string, string>>; readonly cwd: string };
  /** Reads the counters of refused packets a last time. */
  closePackets(): void;
  /** Brings the command up once more, all new but for workspace and home. */
  again(): Promise<void>;
}

/** Gives the run its living parts, and sees it to its end. */
export function holdRun(world: World, run: Run, living: Living): void {
  const { sandbox, limits, streams, gateway, published } = living;
  const outputs = takeOutputs(run, streams);
  run.begin(
    {
      pause: () => limits.pause(),
      resume: () => limits.resume(),
      written: () => limits.written(),
      kill: async () => {
        await limits.kill(); // Also what is frozen, which a signal alone does not reach.
        await sandbox.kill();
      },
      input: (frame) => takeInput(frame, sandbox, streams),
      recheck: (cutAll) => gateway.recheck(cutAll),
      pids: () => limits.pids(),
      exec: ({ argv, cwd, environment, terminal }) =>
        sandbox.exec({
          argv,
          cwd: cwd ?? living.base.cwd,
          environment: {
            ...living.base.environment,
            ...(terminal === undefined ? {} : { TERM: terminal.term ?? "xterm-256color" }),
            ...environment,
          },
          ...(terminal === undefined ? {} : { terminal }),
        }),
      keepGranted() {
        world.servers.keep(run);
        published.keep(run.task.publish);
      },
      // The watcher names the ends as the accepting side sees them; the gateway as the agent does.
      attribute: (flow) =>
        world.watcher.attribute(run.id, {
          family: flow.family,
          localAddress: flow.remoteAddress,
          localPort: flow.remotePort,
          remoteAddress: flow.localAddress,
          remotePort: flow.localPort,
          destination: { address: flow.remoteAddress, port: flow.remotePort },
        }),
    },
    sandbox.initPid,
  );
  limits.onExceeded((exceeded) => run.stop("limit", exceeded));
  const unwatch = world.usage.watch({
    id: run.id,
    gpus: living.gpus,
    limits,
    isRunning: () => run.info.state === "running",
    note: (event) => run.recorder.note(event),
    spent(what, ms) {
      try {
        world.lineages.spent(run.id, what, ms);
      } catch (error) {
        // What cannot be counted is not spent any further.
        run.stop("limit", `what it uses cannot be counted: ${describeError(error)}`);
      }
    },
    gpuSecondsMax: () => run.task.compute.gpuSeconds,
    exceeded: (why) => run.stop("limit", why),
    async describe(pid) {
      const process = await world.watcher.describe(run.id, pid);
      return process && briefProcess(process);
    },
  });
  void sandbox.exited.then((exit) => {
    unwatch();
    return endRun(world, run, living, { exit, outputs });
  });
}

/** Shows what the agent says; all streams that there are of it. */
function takeOutputs(run: Run, streams: AgentStreams): readonly NodeJS.ReadableStream[] {
  if (streams.kind === "none") return [];
  if (streams.kind === "terminal") {
    run.console.take("stdout", streams.terminal);
    return [streams.terminal];
  }
  run.console.take("stdout", streams.stdout);
  run.console.take("stderr", streams.stderr);
  return [streams.stdout, streams.stderr];
}

/** What it leaves that others execute is on record ahead of its end. */
async function recordLeft(run: Run, ground: Ground): Promise<void> {
  const left = leftBehind(ground);
  if (left.length === 0) return;
  await run.record({ type: "workspace", target: run.info.workspace, data: { left: [...left] } });
}

interface Ending {
  readonly exit: Exit;
  readonly outputs: readonly NodeJS.ReadableStream[];
}

async function endRun(world: World, run: Run, living: Living, ending: Ending): Promise<void> {
  const enough = AbortSignal.timeout(LAST_OUTPUT_MS);
  const drained = ending.outputs.map((stream) =>
    // Its own error is the end of it as well; what came before has been passed on.
    finished(stream as Duplex, { writable: false, signal: enough }).catch(() => {}),
  );
  await Promise.all(drained);
  // Nobody reads it any more; open, it would keep what the run was (its keys, its namespaces) in the kernel.
  if (living.streams.kind === "pipes") living.streams.stdin.destroy();
  living.closePackets();
  run.recorder.hurry();
  await living.gateway.close();
  await world.watcher.unwatch(run.id);
  const usage = living.limits.usage();
  const { problem, ...exit } = ending.exit;
  const detail = problem === undefined ? {} : { detail: problem };
  const used = Object.entries(usage).filter(([, value]) => value !== undefined);
  const known = Object.fromEntries(used);
  const end = { ...exit, ...detail, reason: "exited" };
  const waitMs = restartWaitMs(run.task, ending.exit, run.info.attempt ?? 1);
  // No process is left, so the groups are empty; giving them back need not be waited for by viewers.
  const tidy = async () => {
    await living.limits.close();
  };
  try {
    if (waitMs === undefined || !(await run.awaitRestart({ ...exit, usage: known }, waitMs))) {
      await living.published.close();
      await recordLeft(run, living.ground);
      await run.finish(end, known, tidy);
      return;
    }
    await tidy();
    await living.again();
  } catch (error) {
    const failure = describeError(error);
    world.log.warn("run.restart.failed", { run: run.id, error: failure });
    await living.published.close();
    await run.finish({ reason: "sandbox", detail: failure }, known);
  }
}

function takeInput(
  frame: Frame,
  sandbox: Sandbox,
  streams: AgentStreams,
): Promise<void> | undefined {
  if (streams.kind === "none") return undefined;
  const stdin = streams.kind === "terminal" ? streams.terminal : streams.stdin;
  switch (frame.type) {
    case "stdin":
      // An agent that reads slowly slows the person's side, not the daemon's memory.
      if (stdin.writable && !stdin.write(frame.payload)) return writable(stdin);
      return undefined;
    case "stdin-end":
      // A terminal has no end of input but the character for it (termios VEOF).
      if (streams.kind === "terminal") stdin.write(Buffer.from([4]));
      else stdin.end();
      return undefined;
    case "resize": {
      const size = sizeSchema.safeParse(JSON.parse(frame.payload.toString()));
      if (size.success && streams.kind === "terminal") {
        streams.terminal.resize(size.data.columns, size.data.rows);
      }
      return undefined;
    }
    case "signal": {
      const name = SIGNALS.find((signal) => signal === frame.payload.toString());
      if (name !== undefined) sandbox.signal(name);
      return undefined;
    }
    default:
      return undefined;
  }
}

async function writable(stream: Writable): Promise<void> {
  await new Promise<void>((resolve) => {
    stream.once("drain", resolve);
    stream.once("close", resolve);
    stream.once("error", () => resolve());
  });
}
