/**
 * How a run comes to life: each step undone if a later one fails, the agent's first instruction last.
 *
 * @module
 */
import { constants } from "node:os";
import { join } from "node:path";
import { OWN_HOST, type Process } from "../action/index.ts";
import type { RunInfo, RunStart } from "../api/index.ts";
import { assert, createRunId, describeError, Fault, isFault } from "../base/index.ts";
import { findEntry } from "../catalog/index.ts";
import { clientTrust, type ConnectErrno } from "../gateway/index.ts";
import { printPublished } from "../policy/index.ts";
import { AGENT, BUNDLE_INSIDE, CANARY_ADDRESS, type Tools } from "../sandbox/index.ts";
import type { OwnSystem } from "../systems/index.ts";
import type { ServedGateway } from "../worker/index.ts";
import { openLayer, startLayer, writeStartNames } from "../workspace/index.ts";
import { lend } from "./lending.ts";
import { lineageOf } from "./lineage-of.ts";
import { writeLogins } from "./login-files.ts";
import { enquiriesOf } from "./enquiries.ts";
import { holdRun, type Living } from "./hold.ts";
import { planRun, type Order } from "./order.ts";
import type { Pool } from "./pool.ts";
import { keyOf, layerOptions, prepareSandbox, type Laid, type Prepared } from "./prepared.ts";
import { openPublished, type PublishedPorts } from "./publish.ts";
import { briefProcess, Recorder, type RunEvent } from "./recorder.ts";
import type { Service } from "./mcp-servers.ts";
import { connectOwn, createWayOut } from "./way-out.ts";
import { loadProtocols } from "../protocols/index.ts";
import { knownHostsLine } from "./host-key.ts";
import { createRunFiles, filesOf, removeRunFiles, saveKnownHosts, saveTask } from "./run-files.ts";
import { Run } from "./run.ts";
import { RunLineage } from "./run-lineage.ts";
import type { Runs } from "./runs.ts";
import { copyWorkspace } from "./workspaces.ts";
import { changesOf } from "./workspaces.ts";
import type { World } from "./world.ts";

/** Starts what `request` asks for; resolves when the agent runs. */
export async function startRun(
  world: World,
  runs: Runs,
  pool: Pool,
  request: RunStart,
  service?: Service,
): Promise<Run> {
  const order = await planRun(world, request, service);
  // Before it has anything. What comes between here and its first instruction is looked for there.
  world.lineages.requireOpen(lineageOf(world, order.task, request, order.inherited));
  const { key, recipe } = order;
  const again = (other: RunStart, of: Service) => startRun(world, runs, pool, other, of);
  // What waits has a workspace of its own already.
  if (order.fork !== undefined) return start(world, runs, order, { waiting: undefined }, again);
  return pool.during(key, recipe, async () => {
    const taken: Taken = { waiting: pool.take(key) };
    try {
      return await start(world, runs, order, taken, again);
    } finally {
      await taken.waiting?.close();
    }
  });
}

/** A sandbox that waited, until somebody sees to it: a start that fails before would leave it behind for good. */
interface Taken {
  waiting: Prepared | undefined;
}

async function start(
  world: World,
  runs: Runs,
  order: Order,
  taken: Taken,
  startServer: (request: RunStart, service: Service) => Promise<Run>,
): Promise<Run> {
  const { waiting } = taken;
  const { request, task, policy, own, authorities } = order;
  const id = waiting?.id ?? createRunId(world.clock.now().wallMs);
  const files = filesOf(world.home.runs, id);
  try {
    if (waiting === undefined) createRunFiles(files);
    await order.fork?.layOut(files);
    saveTask(files, request.task.source);
  } catch (error) {
    // Nobody knows of it yet, and what was laid out of a snapshot may be large.
    if (waiting === undefined) await removeRunFiles(files);
    throw error;
  }
  const keys = lineageOf(world, task, request, order.inherited);
  const lineage = new RunLineage(world.lineages, id, keys);
  const recorder = new Recorder(id, world.ledger, world.clock, (error) =>
    run.stop("ledger", `the record cannot be written: ${describeError(error)}`),
  );
  const run = new Run({
    info: { ...describeRun(id, order, world), lineage: [...keys] },
    task,
    policy,
    files,
    recorder,
    clock: world.clock,
    log: world.log,
    authorities,
    own,
    desk: world.desk,
    unattended: world.unattended,
    lineage,
    ...(order.fork === undefined ? {} : { inherited: order.fork.inherited }),
    lending: lend(world.credentials, id, task, {
      environment: request.environment,
      entryOf: (kind) => findEntry(kind) ?? own.get(kind)?.entry,
      createCanary: () => lineage.createCanary(),
      renew: (grant) => world.minting.renew(run, grant),
    }),
    held: !request.detach,
    beyond: {
      alert: (text) => world.channels.alert(text),
      disown: async (one) => {
        await world.minting.revoke(one);
        world.credentials.forgetRun(one);
      },
      pauseLineage: (key, why) => world.lineages.pause(key, why),
      changes: async ({ info }) => changesOf(world, info),
      now: () => new Date(world.clock.now().wallMs).toISOString(),
    },
  });
  if (run.hostKey !== "") saveKnownHosts(files, knownHostsLine(run.hostKey));
  try {
    runs.add(run);
    world.lineages.join(run, keys);
    world.detections.add(id, task, {
      tell: ({ kind, why, ...of }) => run.finding(kind, why, of),
      again: ({ kind, action }) => run.foundAgain(kind, action),
    });
    recorder.watch = (event) => {
      lineage.note(event);
      return world.detections.observe(event);
    };
    void run.ended.then(() => {
      world.detections.remove(id);
      world.enquiries.remove(run.id);
      world.usage.forget(run.id);
      void world.minting.revoke(run.id).then(() => world.credentials.forgetRun(run.id));
    });
    // The daemon itself describes only its own operations, which make and end logins.
    await loadProtocols(task.grants.flatMap((one) => (one.mint === undefined ? [] : one.system)));
    await recordStart(world, run, order);
    await world.minting.mint(run);
    await world.servers.start(run, request, startServer);
    const published = await publishPorts(world, runs, run);
    taken.waiting = undefined; // What brings the run up ends it where that fails.
    const raised = await bringUpSomehow(world, run, order, waiting).catch(
      async (error: unknown) => {
        await published.close();
        throw error;
      },
    );
    hold(world, run, raised, published);
    return run;
  } catch (error) {
    const detail = describeError(error);
    world.log.warn("run.start.failed", { run: id, error: detail });
    await run.finish({ reason: "sandbox", detail });
    throw error;
  }
}

function describeRun(id: string, { task, request, recipe, fork }: Order, world: World): RunInfo {
  return {
    run: id,
    task: task.task,
    purpose: task.purpose,
    state: "starting",
    command: request.command,
    workspace: recipe.workspace,
    workspaceMode: task.workspace,
    startedAt: new Date(world.clock.now().wallMs).toISOString(),
    entries: { first: 0, last: 0 },
    counts: { flows: 0, actions: 0, denials: 0, findings: 0 },
    publish: task.publish.map(printPublished),
    ...(request.labels === undefined ? {} : { labels: request.labels }),
    ...(fork === undefined ? {} : { from: { snapshot: fork.info.snapshot, run: fork.info.run } }),
  };
}

/** Takes the ports of this machine that the task publishes; nothing leads in before the agent runs. */
async function publishPorts(world: World, runs: Runs, run: Run): Promise<PublishedPorts> {
  return openPublished(run.task.publish, {
    clock: world.clock,
    uid: process.geteuid?.() ?? 0,
    record: (event) => run.record(event),
    note: (event) => run.recorder.note(event),
    holderOf(port) {
      const takes = (other: Run) => other.task.publish.some(({ host }) => host === port);
      const holder = runs.live.find((other) => other !== run && takes(other));
      return holder === undefined ? undefined : `the run ${holder.id} (${holder.task.task})`;
    },
  });
}

/**
 * Written before anything of the run happens, so that a killed daemon's successor finds it (INV-11). The
 * disk is not waited for: it has these entries within a tenth of a second, and in any case before the
 * first action that is more than a write leaves, since that waits for all entries before its own (INV-9).
 */
async function recordStart(
  { lineages: { shared } }: World,
  run: Run,
  { request, recipe, fork }: Order,
): Promise<void> {
  const { task, policy, own, recorder } = run;
  await recorder.record({
    type: "policy",
    data: {
      digest: policy.digest,
      source: request.task.source,
      file: request.task.fileName,
      ...(own.size === 0 ? {} : { systems: digestsOf(own) }),
    },
  });
  const { compute, lifetimeMs, purpose } = task;
  await recorder.record({
    type: "run.start",
    data: {
      task: task.task,
      purpose,
      policy: policy.digest,
      command: request.command,
      workspace: recipe.workspace,
      workspaceMode: task.workspace,
      lineage: [...run.lineage.keys],
      ...(shared.length === 0 ? {} : { shared: [...shared] }),
      lifetimeMs,
      limits: recipe.plan.held.map((held) => ({ ...held })),
      compute: { ...compute, gpu: [compute.gpu].flat() },
      environment: Object.keys(passedIn(run, request)),
      ...(run.lending.canary === undefined ? {} : { canary: run.lending.canary.digest }),
      publish: task.publish.map(printPublished),
      ...(request.profile === undefined ? {} : { profile: request.profile }),
      ...(request.labels === undefined ? {} : { labels: request.labels }),
      ...(fork === undefined ? {} : { from: { snapshot: fork.info.snapshot, run: fork.info.run } }),
    },
  });
}

/** What its own systems meant: their files may change afterwards. */
function digestsOf(own: ReadonlyMap<string, OwnSystem>): Readonly<Record<string, string>> {
  return Object.fromEntries([...own].map(([name, { digest }]) => [name, digest]));
}

/** A run's living parts but for its ports, which outlive a failed attempt. */
interface Raised extends Omit<Living, "published" | "again"> {
  /** Brings the command up once more, all new but for workspace and home. */
  again(): Promise<Raised>;
}

function hold(world: World, run: Run, raised: Raised, published: PublishedPorts): void {
  const again = async () => hold(world, run, await raised.again(), published);
  published.begin(() => raised.sandbox.sockets());
  world.servers.raised(run, () => raised.sandbox.sockets());
  holdRun(world, run, { ...raised, published, again });
}

/** In a sandbox that waits, else in a new one; over an overlay, or on a copy where none can be mounted. */
async function bringUpSomehow(
  world: World,
  run: Run,
  order: Order,
  waiting: Prepared | undefined,
): Promise<Raised> {
  try {
    const laid = order.fork === undefined ? {} : { laid: { startBytes: 0 } };
    return await bringUp(world, run, order, { waiting, ...laid });
  } catch (error) {
    // One that waited may die this moment. Its agent has not begun then: that is told before it does.
    if (waiting !== undefined && !isFault(error, "lineage.paused")) {
      world.log.warn("pool.unfit", { sandbox: run.id, error: describeError(error) });
      return bringUpSomehow(world, run, order, undefined);
    }
    if (!isFault(error, "sandbox.overlay") || order.fork !== undefined) throw error;
    world.log.warn("run.copied", { run: run.id, error: describeError(error) });
    const copied = { ...order, recipe: { ...order.recipe, isCopied: true } };
    return bringUp(world, run, copied, { laid: { startBytes: await copyWorkspace(world, run) } });
  }
}

/** What a run is brought up in: nothing, where all is made anew. */
interface Ground {
  readonly waiting?: Prepared | undefined;
  /** Its layer as it is: with a copy in it, or with what an earlier attempt left. */
  readonly laid?: Laid;
}

/** Gives the run its sandbox. Undone as a whole where a step fails. */
async function bringUp(
  world: World,
  run: Run,
  order: Order,
  { waiting, laid }: Ground,
): Promise<Raised> {
  const { request, recipe, key } = order;
  const undo: (() => unknown)[] = waiting === undefined ? [] : [() => waiting.close()];
  try {
    const prepared = waiting ?? (await prepareSandbox(world, recipe, run.id, laid));
    if (waiting === undefined) undo.push(() => prepared.close());
    const { sandbox, limits } = prepared;
    limits.place(sandbox.initPid);
    const { gateway, closePackets } = await connect(world, run, prepared);
    undo.push(() => gateway.close());
    undo.push(closePackets);
    if (recipe.mode === "overlay" && laid === undefined) await markStart(run, order);
    if (waiting !== undefined && keyOf(world, recipe) !== key) {
      throw new Fault("daemon.workspace", "the host changed while the run was started");
    }
    await recordProofs(run, prepared, waiting !== undefined);
    const home = recipe.home ?? join(run.files.root, "home");
    writeLogins(home, run.lending.logins);
    plantCanary(world, run, home);
    // INV-242: from here on it would run, and whoever paused its lineage has not seen it do so.
    world.lineages.requireOpen(run.lineage.keys);
    run.release();
    const environment = agentEnvironment(run, request, recipe.tools);
    const base = { environment, cwd: recipe.workspace };
    const streams =
      request.command.length === 0
        ? sandbox.idle()
        : await sandbox.start({
            argv: request.command,
            ...base,
            ...(request.terminal && { terminal: request.terminal }),
          });
    const again = () => bringUp(world, run, order, { laid: laid ?? { startBytes: 0 } });
    const isOverlay = recipe.mode === "overlay" && recipe.isCopied !== true;
    const ground = {
      upper: isOverlay ? join(run.files.layer, "upper") : undefined,
      home,
      startMs: Date.parse(run.info.startedAt),
    };
    const { gpus } = recipe.plan;
    return { sandbox, gateway, limits, gpus, streams, base, closePackets, again, ground };
  } catch (error) {
    for (const step of undo.toReversed()) await step();
    throw error;
  }
}

/** In a kept HOME an earlier run may have left something in its place: that is no reason not to start. */
function plantCanary({ log }: World, { id, lending: { canary } }: Run, home: string): void {
  if (canary === undefined) return;
  try {
    writeLogins(home, [canary.file]);
  } catch (error) {
    if (!isFault(error, "daemon.login")) throw error;
    log.warn("run.canary.unplanted", { run: id, error: describeError(error) }); // Its variables are there.
  }
}

/** What the host holds from here on is what the run starts from; the run does not wait for the disk. */
async function markStart(run: Run, { recipe }: Order): Promise<void> {
  const { layer } = run.files;
  const { durable } = await startLayer(layer, layerOptions(recipe));
  durable
    .then(async () => writeStartNames(await openLayer(layer)))
    .catch((error: unknown) => run.stop("sandbox", describeError(error)));
}

/** The last entry before the agent's first instruction; when it was proved is part of it. */
async function recordProofs(run: Run, prepared: Prepared, waited: boolean): Promise<void> {
  const at = new Date(prepared.proved.wallMs).toISOString();
  const proofs = prepared.proofs.map((proof) => ({ ...proof }));
  await run.record({ type: "run.proved", data: { proofs, at, waited } });
}

interface Crossing {
  readonly gateway: ServedGateway;
  closePackets(): void;
}

/** Everything that crosses the run's border: connections, questions to the resolver, held calls. */
async function connect(world: World, run: Run, prepared: Prepared): Promise<Crossing> {
  world.enquiries.add(run.id, enquiriesOf(run, world.desk, world.clock));
  const gateway = await world.workers.serve(run, {
    clock: world.clock,
    authority: world.authority,
    connect: createWayOut(world, (host) => connectOwn(world, run.id, host)),
    recordings: {
      begin: (about, terminal) =>
        world.recordings.begin(
          { ...about, run: run.id, runBytes: run.task.compute.recordingsBytes },
          terminal,
          run.lending.secrets(),
        ),
      settle: (recording) => world.recordings.settle(recording),
    },
  });
  // The sandbox was proved while nobody but a "no" answered; so the run's own judge is asked, too.
  const { errno } = gateway.judgeConnect(CANARY_ADDRESS, "tcp");
  assert(errno !== 0, "no policy grants an address that is nobody's (RFC 5737)");
  const listeners = prepared.adopt({
    // What may knock once may knock again: the gateway judges every flow, by the policy of then.
    onConnect: ({ address, port, protocol, process }) =>
      errnoOf(gateway.judgeConnect({ address, port }, protocol, briefProcess(process)).errno) ||
      "from now on",
    onExec({ process }) {
      run.recorder.note(execEvent(process));
      run.noteArguments(process);
    },
    onOdd: ({ what, detail, process }) => {
      if (what === "icmp" || what === "other") {
        gateway.refusedUnheard({ transport: what, count: 1, process: briefProcess(process) });
        return;
      }
      // A socket family or call that no ordinary program uses; the rest is trouble of our own.
      if (what === "family" || what === "call") {
        run.finding("escape", detail, { process: briefProcess(process) });
      } else world.log.warn("provenance.odd", { run: run.id, what, detail });
    },
  });
  run.recorder.onHold = (holdMs) => world.watcher.hold(run.id, holdMs);
  for (const fd of listeners.tcp) gateway.acceptTcp(fd);
  for (const fd of listeners.dns) gateway.acceptDns(fd);
  const closePackets = world.packets.follow(listeners.netfilter, gateway, (error) =>
    run.stop("sandbox", `refused packets cannot be counted: ${describeError(error)}`),
  );
  return { gateway, closePackets };
}

function execEvent(process: Process): RunEvent {
  return { type: "process.start", target: process.exe, process: briefProcess(process) };
}

function errnoOf(name: ConnectErrno): number {
  return name === 0 ? 0 : constants.errno[name];
}

/** What of the starter's variables the run gets; those that a credential is kept in it does not. */
function passedIn(run: Run, { environment }: RunStart): Record<string, string> {
  const names = new Set(run.task.environment);
  return Object.fromEntries(Object.entries(environment).filter(([name]) => names.has(name)));
}

/** All that the agent finds in its environment: what the task names, and what a program must have. */
function agentEnvironment(run: Run, request: RunStart, tools: Tools): Record<string, string> {
  return {
    LANG: "C.UTF-8",
    ...tools.environment,
    ...passedIn(run, request),
    ...run.lending.variables,
    COFFERDAM_URL: `http://${OWN_HOST}`,
    ...clientTrust(BUNDLE_INSIDE),
    ...(request.terminal && { TERM: request.terminal.term }),
    HOME: AGENT.home,
    USER: AGENT.name,
    LOGNAME: AGENT.name,
    SHELL: "/bin/bash",
    PATH: tools.path,
    TMPDIR: "/tmp",
    COFFERDAM_RUN: run.id,
  };
}
