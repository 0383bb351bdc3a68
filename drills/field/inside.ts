/**
 * The drills that share the field, as the program of its test world.
 *
 *   node inside.ts ORDER FOLDER
 *
 * ORDER is {@link FieldOrder} as JSON.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import { describeError } from "../../src/base/index.ts";
import type { Cofferdam, Entry } from "../cofferdam.ts";
import type { DrillEvent } from "../live.ts";
import { inParallel } from "../parallel.ts";
import type { AttemptRecord, Channel, DrillRecord, TwinRecord } from "../record.ts";
import { DRILLS } from "../registry.ts";
import { runInside, type Inside } from "../world/index.ts";
import { agentOf, type Agent } from "./agents.ts";
import { channelsOf, type Drill } from "./drill.ts";
import { installCofferdam, openField, type Field, type Installation } from "./field.ts";
import { recordAttempts, recordTwins } from "./findings.ts";
import { orderSchema, type FieldOrder } from "./order.ts";
import { bare, contained, type Phase } from "./phase.ts";

/** How many drills at once. */
const DRILLS_AT_ONCE = 2;

/** How a person is told of a channel. */
const BY: Readonly<Record<Channel, string>> = {
  command: "",
  prompt: "by its prompt, ",
  file: "by a file, ",
  tool: "by a tool's description, ",
};

await runInside(main);

async function main(inside: Inside): Promise<void> {
  const order = orderSchema.parse(JSON.parse(process.argv[2] ?? ""));
  const tell = (text: string) => inside.say({ kind: "progress", text });
  const chosen = DRILLS.filter(({ name }) => order.names.includes(name));
  const drills = chosen.filter((drill) => obstacleOf(drill, order) === undefined);
  for (const drill of chosen) {
    const skipped = obstacleOf(drill, order);
    if (skipped !== undefined)
      inside.say({ kind: "result", drill: { ...blank(drill, order), skipped } });
  }
  if (drills.length === 0) return;
  tell("building a world outside");
  const { cofferdam: bin, task, agentFolder, careful } = order;
  const agent = agentOf(order.agent);
  const live = order.live ? (event: DrillEvent) => inside.say({ kind: "live", event }) : undefined;
  const userTask = task === undefined ? undefined : readFileSync(task, "utf8");
  const field = await openField(inside, drills, { userTask, agent, agentFolder, careful, live });
  const sharing = drills.filter(({ ownInstallation }) => ownInstallation !== true);
  const install = (some: readonly Drill[], name: string) =>
    bin === undefined || some.length === 0
      ? Promise.resolve(undefined)
      : installCofferdam({ inside, field, bin, drills: some, name });
  const shared = await install(sharing, "home");
  const done = await inParallel(drills, DRILLS_AT_ONCE, async (drill) => {
    const own = sharing.includes(drill) ? shared : await install([drill], `home-${drill.id}`);
    const channels = channelsOf(drill, order.agent !== undefined);
    live?.(planOf(drill, channels));
    return { drill, own, phases: await carryOut({ field, drill, channels, own, tell }) };
  });
  tell("what the ledger says, and its proofs");
  const read = new Map<Installation | undefined, Ledger>();
  for (const { drill, own, phases } of done) {
    const ledger = read.get(own) ?? (await readLedger(own));
    read.set(own, ledger);
    const { entries, ledgerIntact } = ledger;
    const record = { ...blank(drill, order), ledgerIntact };
    const more = { drill, agent, phases, entries, cofferdam: own?.cofferdam };
    inside.say({ kind: "result", drill: await fill(record, more) });
  }
}

function planOf(drill: Drill, channels: readonly Channel[]): DrillEvent {
  const attempts = channels.flatMap((channel) =>
    drill.attempts.map(({ name, what, target }) => ({ name, channel, what, target })),
  );
  const twins = drill.twins.map(({ name }) => name);
  return { event: "plan", drill: drill.name, attempts, twins };
}

/** Why a drill cannot be run as it was asked for; undefined where it can. */
function obstacleOf(drill: Drill, { agent }: FieldOrder): string | undefined {
  if (agent !== undefined && channelsOf(drill, true).length === 0) {
    return `no text leads a model in it, so ${agent} has no part; run it without --agent`;
  }
  return drill.lacks?.();
}

interface Ledger {
  readonly entries: readonly Entry[];
  readonly ledgerIntact: boolean;
}

async function readLedger(own: Installation | undefined): Promise<Ledger> {
  if (own === undefined) return { entries: [], ledgerIntact: false };
  const entries = await own.cofferdam.entries();
  return { entries, ledgerIntact: (await own.cofferdam.verify()).ok };
}

/** What became of a drill by one channel. */
interface ByChannel {
  readonly channel: Channel;
  readonly bare: Phase;
  readonly contained?: Phase;
}
type Phases = readonly ByChannel[] | { readonly failed: string };

/** Both phases of a drill, by each channel; a drill that fails takes no other with it. */
async function carryOut(of: {
  readonly field: Field;
  readonly drill: Drill;
  readonly channels: readonly Channel[];
  readonly own: Installation | undefined;
  readonly tell: (text: string) => void;
}): Promise<Phases> {
  const { field, drill, channels, own: installation, tell } = of;
  const done: ByChannel[] = [];
  try {
    await field.open(drill);
    for (const channel of channels) {
      const what = `${drill.id}: ${drill.story.title}, ${BY[channel]}`;
      tell(`${what}without Cofferdam`);
      const without = await bare(field, drill, channel);
      if (installation === undefined) {
        done.push({ channel, bare: without });
        continue;
      }
      tell(`${what}in runs`);
      const within = await contained(field, drill, { channel, installation });
      done.push({ channel, bare: without, contained: within });
    }
    return done;
  } catch (error) {
    return { failed: describeError(error) };
  } finally {
    await field.close(drill).catch(() => {}); // The world ends with it anyway.
  }
}

async function fill(
  record: DrillRecord,
  of: {
    readonly drill: Drill;
    readonly agent: Agent;
    readonly phases: Phases;
    readonly entries: readonly Entry[];
    readonly cofferdam: Cofferdam | undefined;
  },
): Promise<DrillRecord> {
  const { drill, agent, phases, entries, cofferdam } = of;
  if ("failed" in phases) return { ...record, failed: phases.failed };
  const { asksInVain } = agent;
  const attempts: AttemptRecord[] = [];
  const twins: TwinRecord[] = [];
  for (const phase of phases) {
    const more = cofferdam === undefined ? {} : { cofferdam };
    attempts.push(...(await recordAttempts({ drill, entries, ...phase, ...more })));
    const { channel, contained: within } = phase;
    if (within === undefined) continue;
    twins.push(...recordTwins({ drill, channel, contained: within, entries, asksInVain }));
  }
  return { ...record, attempts, twins };
}

function blank(drill: Drill, { task = "built-in", agent }: FieldOrder): DrillRecord {
  const { name, incidents, story } = drill;
  const isLed = channelsOf(drill, true).length > 0;
  return {
    name,
    title: story.title,
    incidents,
    skipped: null,
    failed: null,
    agent: isLed ? agentOf(agent).name : null,
    task,
    attempts: [],
    twins: [],
    ledgerIntact: false,
  };
}
