/**
 * The daemon: opens the world, recovers, serves the control contract, and closes in order.
 *
 * @module
 */
import { flushCompileCache } from "node:module";
import type { Gives, Home } from "../api/index.ts";
import { describeError, Fault } from "../base/index.ts";
import { neededVariables, parseTaskFile, resolveCredentials } from "../policy/index.ts";
import { DETECTOR_ABOUTS } from "../detect/index.ts";
import { taskSystems } from "../systems/index.ts";
import { leaveDelegatedGroup } from "../sandbox/index.ts";
import { approvalHandlers } from "./approval-handlers.ts";
import { execHandlers } from "./exec-handlers.ts";
import { lineageHandlers } from "./lineage-handlers.ts";
import { credentialHandlers } from "./credentials.ts";
import { createMetrics } from "./metrics.ts";
import { probeTask } from "./probing.ts";
import { passkeyHandlers } from "./passkeys.ts";
import { serveControl, type Handlers } from "./server.ts";
import { readEntries } from "./log-reader.ts";
import { guardDisk } from "./disk-guard.ts";
import { Keeping, prunedIn } from "./keeping.ts";
import { Pool } from "./pool.ts";
import { removeUnclaimed } from "./run-files.ts";
import { readFile, writeFile } from "./run-paths.ts";
import { serveRunStream } from "./run-stream.ts";
import { settleMcp } from "./mcp-settle.ts";
import { Runs } from "./runs.ts";
import { joinService } from "./service.ts";
import { supportHandlers } from "./support.ts";
import { startRun } from "./start.ts";
import { listSnapshots, removeSnapshot, takeSnapshot, tidySnapshots } from "./snapshots.ts";
import { leaveHandlers, takeLeave } from "./taken-leave.ts";
import { openWorld, type World } from "./world.ts";
import { applyRun, diffRun, discardRun, requireFree } from "./workspaces.ts";
import { version } from "./version.ts";

/** Runs the daemon of `home` until it is told to stop. */
export async function serve(home: Home): Promise<void> {
  flushCompileCache(); // What workers load is on the disk then: they start in half the time, the first one too.
  const stopped = Promise.withResolvers<string>();
  const failed = (error: unknown) => stopped.resolve(`failed: ${describeError(error)}`);
  if (process.env["NOTIFY_SOCKET"] !== undefined) leaveDelegatedGroup();
  const world = await openWorld(home, failed);
  const { ledger, log } = world;
  const service = joinService({ home, ledger, log, environment: process.env, pid: process.pid });
  const runs = new Runs(world);
  world.desk.approvals.follow(({ id, run, state }) => {
    if (state === "cancelled")
      void runs.live
        .find((one) => one.id === run)
        ?.disallow(id)
        .catch(() => {});
  });
  await note(world, "daemon.start");
  await runs.recover();
  await world.recordings.recover();
  // Before a run can start: what it finds belongs to runs that are over.
  world.minting.recover();
  await removeUnclaimed(home.runs, world.log);
  await tidySnapshots(home.snapshots, world.log);
  const pool = new Pool(world);
  const running = () => runs.live.filter(({ info }) => info.state === "running");
  takeLeave(world, runs);
  const unguard = guardDisk(home.root, running, world.log);
  const keeping = new Keeping(world, runs);
  const handlers = createHandlers({ world, runs, pool, keeping }, (why) => stopped.resolve(why));
  const server = await serveControl(
    home.socket,
    handlers,
    createStreams({ world, runs, pool }),
    world.log,
  );
  process.on("SIGTERM", () => stopped.resolve("SIGTERM"));
  process.on("SIGINT", () => stopped.resolve("SIGINT"));
  process.on("SIGHUP", () => {}); // The terminal that started it may go.
  world.log.info("daemon.ready", { home: home.root, pid: process.pid });
  service.ready();
  const reason = await stopped.promise;
  world.log.info("daemon.stopping", { reason });
  service.stopping();
  server.close();
  unguard();
  await keeping.close();
  for (const run of runs.live) run.stop("daemon", `the daemon stops: ${reason}`);
  await Promise.all([pool.close(), runs.settled()]);
  server.closeAllConnections();
  await note(world, "daemon.stop", { reason });
  await world.close();
}

function createStreams({ world, runs, pool }: Parts): Parameters<typeof serveControl>[2] {
  const { execs } = world;
  return {
    transfers: {
      read: (of, gone) => readFile(execs, runs.living(of.run), { ...of, gone }),
      write: (of, content, gone) => writeFile(execs, runs.living(of.run), { ...of, gone }, content),
    },
    attach(id) {
      const run = runs.attachable(id);
      return (stream) => run.attach(stream);
    },
    run: (stream) =>
      void serveRunStream(stream, {
        namesOf: ({ source, fileName }) =>
          neededVariables(world.tasks.parse(source, fileName, world.clock.now().wallMs).task),
        start: (request) => startRun(world, runs, pool, request),
      }),
  };
}

interface Parts {
  readonly world: World;
  readonly runs: Runs;
  readonly pool: Pool;
}

function createHandlers(
  { world, runs, pool, keeping }: Parts & { readonly keeping: Keeping },
  stop: (why: string) => void,
): Handlers {
  const metrics = createMetrics(world, runs, pool);
  const startedAt = new Date(world.clock.now().wallMs).toISOString();
  return {
    "daemon.status": async () => ({
      pid: process.pid,
      version: version(),
      home: world.home.root,
      startedAt,
      runs: runs.live.length,
      waiting: pool.size,
      entries: world.ledger.size,
    }),
    "daemon.metrics": async () => [...metrics()] as Gives<"daemon.metrics">,
    "daemon.stop": async ({ force }) => {
      if (runs.live.length > 0 && !force) {
        throw new Fault("daemon.state", `${runs.live.length} runs are active`, {
          hint: "wait for them, or `cofferdam stop --force` kills them",
        });
      }
      stop("asked to");
      return {};
    },
    "console.announce": (which, { signal }) => world.consoles.announce(which, signal),
    "adapter.announce": (which, { signal }) => world.consoles.announceAdapter(which, signal),
    "run.start": async (request) => (await startRun(world, runs, pool, request)).info,
    "run.list": async ({ all }) => runs.list(all),
    "run.show": async ({ run }) => runs.info(run),
    "run.pause": async ({ run }) => {
      await runs.living(run).pause("by hand");
      return runs.info(run);
    },
    "run.resume": async ({ run }) => {
      requireFree(world, run);
      await runs.living(run).resume();
      return runs.info(run);
    },
    "run.kill": async ({ run }) => {
      const living = runs.living(run);
      living.stop("killed", "killed by hand");
      await living.ended;
      return runs.info(run);
    },
    "run.cut": async ({ run }) => ({ cut: await runs.living(run).cut("cut by hand") }),
    "run.revoke": async ({ run, grant }) => {
      await runs.living(run).revoke(grant);
      return runs.info(run);
    },
    "run.step": async ({ run, trajectory, episode, step }) => {
      const at = { trajectory, episode, step };
      world.usage.settle(run);
      await runs.living(run).record({ type: "step", data: at });
      return runs.info(run);
    },
    ...execHandlers(world.execs, runs),
    "run.snapshot": async ({ run, name }) =>
      takeSnapshot(world, runs.info(run), runs.remembered(run), name),
    "snapshot.list": async () => listSnapshots(world.home.snapshots),
    "snapshot.remove": async ({ snapshot }) => {
      await removeSnapshot(world, snapshot);
      return {};
    },
    "run.narrow": async ({ run, task: { source, fileName } }) => {
      const living = runs.living(run);
      const systems = taskSystems([...living.own.values()].map(({ entry }) => entry));
      const task = parseTaskFile(
        source,
        fileName,
        world.clock.now().wallMs,
        systems,
        DETECTOR_ABOUTS,
      );
      // What was settled when it began stays settled.
      const had = new Set(living.task.grants.flatMap(({ credential }) => credential ?? []));
      await living.narrow(
        settleMcp(
          resolveCredentials(task, (one) => had.has(one)),
          fileName,
        ),
        { by: "narrow", source, file: fileName },
      );
      return runs.info(run);
    },
    "log.read": (which, { signal }) => readEntries(world.ledger, which, signal),
    "ledger.prove": async ({ seq }) => ({
      proof: await world.ledger.prove(seq),
      key: world.ledger.verifierKey,
    }),
    "ledger.pruned": async () => prunedIn(world.ledger),
    "workspace.diff": async ({ run }) => diffRun(world, runs.info(run), runs.remembered(run)),
    "workspace.apply": async ({ run, ...options }) =>
      applyRun(world, runs.info(run), options, runs.remembered(run)),
    "workspace.discard": async ({ run }) => discardRun(world, runs.info(run)),
    "recordings.list": (which) => world.recordings.list(which),
    "recordings.read": (which) => piecesOf(world.recordings.read(which)),
    ...credentialHandlers(world.credentials),
    "probe.task": (request) => probeTask(world, request),
    ...lineageHandlers(world.lineages),
    ...leaveHandlers(world),
    ...approvalHandlers(world, runs),
    ...passkeyHandlers(world),
    ...keeping.handlers,
    ...supportHandlers(world, runs),
  };
}

async function* piecesOf(file: AsyncIterable<Buffer>): AsyncIterable<{ readonly bytes: string }> {
  for await (const piece of file) yield { bytes: piece.toString("base64") };
}

async function note(world: World, type: "daemon.start" | "daemon.stop", data = {}): Promise<void> {
  const { wallMs, monoMs } = world.clock.now();
  const at = new Date(wallMs).toISOString();
  const about = { version: version(), pid: process.pid, uid: process.getuid?.() ?? -1, ...data };
  await world.ledger.append({ type, at, monoMs, data: about }, { sync: true });
}
