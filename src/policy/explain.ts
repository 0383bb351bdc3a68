/**
 * A task in plain sentences, for the person who answers for it and may never have seen YAML.
 *
 * @module
 */
import { assert, printBytes, printDuration } from "../base/index.ts";
import { effectsOfMethod, FINDING_KINDS, type Effect, type FindingKind } from "../action/index.ts";
import { variableOf } from "./credential-ref.ts";
import { printDial, printProxy, type Dial } from "./dial.ts";
import { printObject } from "./object-glob.ts";
import { CONFIRMED_EFFECTS } from "./task-checks.ts";
import { RESPONSES, type Response } from "./task-schema.ts";
import type { Task, TaskGrant, TaskRule } from "./task.ts";

/** Sentences on one thing; with `grant`, on the grant of that name. */
export interface Explained {
  readonly about: string;
  readonly grant?: string;
  readonly sentences: readonly string[];
}

/** Explains `task`: one sentence, or a few that belong together, for each entry. */
export function explainTask(task: Task): readonly string[] {
  return explainParts(task).flatMap(({ sentences }) => sentences);
}

/** The same sentences, in their order, by what they are about. */
export function explainParts(task: Task): readonly Explained[] {
  const { grants } = task;
  const parts: readonly Explained[] = [
    { about: "the task", sentences: [`Task ${task.task}: ${sentence(task.purpose)}`] },
    ...grants.map((grant) => ({
      ...{ about: grant.name, grant: grant.name, sentences: explainGrant(grant) },
    })),
    { about: "all of them", sentences: grants.length === 0 ? [] : explainPrivate(grants) },
    { about: "everything else", sentences: [explainRest(grants)] },
    { about: "ways in", sentences: explainPublished(task) },
    { about: "its place", sentences: explainPlace(task) },
    { about: "limits", sentences: explainLimits(task) },
    { about: "environment", sentences: explainEnvironment(task.environment) },
    { about: "findings", sentences: explainFindings(task) },
    { about: "detectors", sentences: explainDetectors(task) },
  ];
  return parts.filter(({ sentences }) => sentences.length > 0);
}

/** Reports whether a variable of this name is likely to hold a secret. */
export function isSecretName(name: string): boolean {
  return SECRET.test(name);
}

const SECRET =
  /(?:KEY|TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|CREDENTIALS?|COOKIE|DSN|DATABASE_URL|CONNECTION_STRING)S?(?=_|\d|$)/i;

function explainRest(grants: readonly TaskGrant[]): string {
  const rest =
    "no address given as a number, no other protocol (so no SSH, mail, databases or UDP), none " +
    "of this machine's own services, and nothing in its network";
  if (grants.length === 0) return `It can reach nothing outside: no name, ${rest}.`;
  const isExcepted = grants.some(({ dial, kind }) => dial !== undefined || kind !== "http");
  const except = isExcepted ? ", except as said above" : "";
  return `It can reach nothing else: no other name or port, ${rest}${except}.`;
}

function explainGrant(grant: TaskGrant): readonly string[] {
  const hosts = grant.hosts.map((host) =>
    host.startsWith("*.") ? `every name below ${host.slice(2)}` : host,
  );
  const ports = `port${grant.ports.length > 1 ? "s" : ""} ${list(grant.ports.map(String))}`;
  const sentences = [`${grant.name}: it can reach ${list(hosts)} on ${ports}, ${howOf(grant)}.`];
  if (grant.kind === "splice" || grant.kind === "opaque") {
    sentences.push(...explainUninspected(grant));
  }
  if (grant.with !== undefined) {
    sentences.push(`${grant.name}: as its system is set, ${JSON.stringify(grant.with)}.`);
  }
  if (grant.dial !== undefined) sentences.push(explainDial(grant.name, grant.dial));
  if (grant.proxy !== undefined) {
    sentences.push(
      `${grant.name}: the connection goes through the HTTP proxy ${printProxy(grant.proxy)}, which resolves the name and sees it, and nothing of what is said.`,
    );
  }
  if (grant.credential !== undefined || grant.candidates !== undefined) {
    sentences.push(explainCredential(grant));
  }
  if (grant.mint !== undefined) sentences.push(explainMint(grant));
  if (grant.ca !== undefined) {
    sentences.push(
      `${grant.name}: the server is verified with the certificates in ${grant.ca} too.`,
    );
  }
  return [...sentences, ...grant.allow.flatMap((rule) => explainRule(grant, rule))];
}

function explainMint({ name, mint = {} }: TaskGrant): string {
  const asked = Object.entries(mint).map(([key, value]) => `${key} ${JSON.stringify(value)}`);
  const narrowed = asked.length === 0 ? "" : `, with ${list(asked)}`;
  return `${name}: when it starts the system makes a credential for this run alone${narrowed}, which is revoked when it ends.`;
}

function explainCredential({ name, credential, candidates = [] }: TaskGrant): string {
  const named = (ref: string) => {
    const variable = variableOf(ref);
    return variable === undefined
      ? `the credential ${ref}`
      : `what your variable ${variable} holds`;
  };
  if (credential !== undefined) {
    return `${name}: its requests are sent with ${named(credential)}, which the run never holds.`;
  }
  const which = candidates.map(named).join(", else with ");
  return `${name}: its requests are sent with ${which}, which the run never holds; where there is none, without.`;
}

function howOf({ kind, tls, system }: TaskGrant): string {
  if (kind === "session") {
    return `as ${system}, of which each operation is judged${tls || system === "ssh" ? "" : "; unencrypted"}`;
  }
  if (kind === "splice") return "encrypted (TLS) past the gateway";
  if (kind === "opaque") return "by any protocol";
  return tls
    ? "encrypted (HTTPS)"
    : "unencrypted (HTTP), so that others on the way can read and change it";
}

/** What nobody judges is said in full: this is where tunnels could hide. */
function explainUninspected(grant: TaskGrant): readonly string[] {
  const { name, kind, protocols } = grant;
  const seen =
    kind === "splice"
      ? "only the name in the TLS greeting is checked"
      : "only how each side begins is looked at";
  const sentences = [
    `Warning: ${name} is not inspected: ${seen}. Whoever runs that server and the run together can send anything either way in it, a tunnel or mining included; no request is judged or recorded, and no credential is ever added.`,
  ];
  if (kind === "splice") return sentences;
  const tunnels = protocols.filter((one) => !MINING.has(one));
  if (tunnels.length > 0) {
    sentences.push(
      `Warning: ${name} may carry ${list(tunnels)}, so a tunnel from outside into the run is possible through it.`,
    );
  }
  const mining = protocols.filter((one) => MINING.has(one));
  if (mining.length > 0) {
    sentences.push(
      `Warning: ${name} may carry ${list(mining)}, so it allows mining cryptocurrency.`,
    );
  }
  return sentences;
}
const MINING: ReadonlySet<string> = new Set(["stratum", "crypto-p2p"]);

/** Sockets of which whoever may write to them rules the machine or its containers. */
const RULING_SOCKET = /(?:docker|podman|containerd|crio|libvirt|lxd|incus|systemd|dbus|snapd)/;

function explainDial(name: string, dial: Dial): string {
  assert(!("own" in dial), "no task file dials Cofferdam itself");
  if ("path" in dial) {
    const rules = RULING_SOCKET.test(dial.path)
      ? " Warning: by its name that is a service which rules this machine; a run that reaches it may get out of its sandbox."
      : "";
    return `${name}: the connection really goes to ${printDial(dial)}, a socket of a program on this machine.${rules}`;
  }
  const place = PLACES.find(([pattern]) => pattern.test(dial.address))?.[1] ?? "a fixed address";
  return `${name}: the connection really goes to ${printDial(dial)}, ${place}.`;
}

function explainPublished({ publish }: Task): readonly string[] {
  return publish.map((port) => {
    const inside = port.host === port.run ? "" : ` (port ${port.run} inside)`;
    return `Port ${port.host} of this machine, at 127.0.0.1 and ::1 only, leads into the run${inside}: your own programs can connect to what listens there, and a browser that does shows what the run made.`;
  });
}

const PLACES: readonly (readonly [RegExp, string])[] = [
  [/^127\.|^::1$/, "which is this machine itself"],
  [
    /^169\.254\.|^fe[89ab]|^fd00:ec2:/,
    "an address of the link itself, where clouds hand out this machine's credentials: be sure that you mean it",
  ],
  [
    /^10\.|^192\.168\.|^172\.(?:1[6-9]|2\d|3[01])\.|^100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.|^f[cd]/,
    "which is in the internal network",
  ],
];

const WORDS: Readonly<Record<Effect, string>> = {
  read: "read",
  "read-private": "read private data",
  write: "write",
  publish: "publish",
  send: "send messages",
  execute: "run code or workflows",
  delete: "delete",
  administer: "administer",
  spend: "spend money",
};

function explainRule(grant: TaskGrant, rule: TaskRule): readonly string[] {
  if (rule.verbs !== undefined) return [explainVerbs(grant, rule)];
  const groups = new Map<string, { effects: readonly Effect[]; methods: string[] }>();
  for (const method of rule.methods) {
    const effects = rule.effects ?? effectsOfMethod(method);
    const group = groups.get(effects.join()) ?? { effects, methods: [] };
    group.methods.push(method);
    groups.set(effects.join(), group);
  }
  const paths = rule.paths.includes("/**") ? "any path" : list(rule.paths);
  const requests = [...groups.values()].map(({ effects, methods }) => {
    const can = `${list(effects.map((effect) => WORDS[effect]))} with ${list(methods)} at ${paths}`;
    return `${grant.name}: it may ${can}${confirmation(rule, effects)}.`;
  });
  return [...requests, ...explainWebSocket(grant, rule, paths)];
}

function explainVerbs(
  grant: TaskGrant,
  { verbs = [], on, doing, effects, unattended, ...written }: TaskRule,
): string {
  const all = verbs.includes("*") ? "whatever its system knows" : list(verbs);
  const does =
    effects === undefined ? "" : `, which may ${list(effects.map((effect) => WORDS[effect]))}`;
  const objects = (on ?? []).map((glob) => printObject(glob, written));
  const which = `${all}${objects.length === 0 ? "" : ` on ${list(objects, "or")}`}${does}`;
  const limit =
    doing === undefined
      ? ""
      : `, as far as it only may ${list(doing.map((effect) => WORDS[effect]))}`;
  const waits =
    doing?.every((effect) => !CONFIRMED_EFFECTS.has(effect)) === true
      ? ""
      : confirmation({ methods: [], paths: [], ...(unattended && { unattended }) }, [
          ...CONFIRMED_EFFECTS,
        ]);
  return `${grant.name}: it may ask for ${which}${limit}${waits === "" ? "" : `; for what publishes, sends, executes, deletes, administers or spends${waits.replace(/^ -( but)?/, "")}`}.`;
}

function explainWebSocket(grant: TaskGrant, rule: TaskRule, paths: string): readonly string[] {
  if (rule.websocket !== true) return [];
  const binary =
    rule.opaque === true
      ? ", also in binary that nobody here can read (UNINSPECTED): only how each message begins is looked at"
      : ", in text and JSON, of which only how each message begins is looked at";
  return [
    `${grant.name}: it may keep a WebSocket open at ${paths} and talk through it both ways${binary}.`,
  ];
}

function confirmation(rule: TaskRule, effects: readonly Effect[]): string {
  if (!effects.some((effect) => CONFIRMED_EFFECTS.has(effect))) return "";
  const waits = "a person must confirm, who sees exactly what will happen";
  if (rule.unattended === undefined) return ` - but each time ${waits}`;
  const { count, perMs, reason, expiresMs } = rule.unattended;
  const each = perMs === undefined ? "a run" : `in any ${printDuration(perMs)}`;
  return ` - without asking anybody, ${count} time${count > 1 ? "s" : ""} ${each}, ${until(expiresMs)}, because: ${sentence(reason).replace(/\.$/, "")}. Beyond that, each time ${waits}`;
}

function until(expiresMs: number): string {
  const wholeDay = expiresMs % DAY_MS === 0;
  const last = new Date(wholeDay ? expiresMs - DAY_MS : expiresMs).toISOString();
  return wholeDay
    ? `until the end of ${last.slice(0, 10)} (UTC)`
    : `before ${last.slice(0, 19)} (UTC)`;
}
const DAY_MS = 864e5;

function explainPrivate(grants: readonly TaskGrant[]): readonly string[] {
  const sources = grants.filter(({ allow }) =>
    allow.some(({ effects }) => effects?.includes("read-private")),
  );
  return sources.map(({ name }) => {
    const paired = grants.filter(({ pairs }) => pairs.includes(name)).map((grant) => grant.name);
    const except = paired.length === 0 ? "" : ` but ${list(paired)}`;
    return `Once it has read private data from ${name}, whatever changes another system${except} needs a person's confirmation.`;
  });
}

function explainPlace({ workspace, home }: Task): readonly string[] {
  return [
    workspace === "overlay"
      ? "It sees the current folder and may change it, but the changes are kept aside until you apply them."
      : "It sees the current folder and cannot change it.",
    home === "keep"
      ? "It has a private home folder, not yours, which is kept for its next run here."
      : "It has a private home folder, not yours, which starts empty and is thrown away.",
  ];
}

function explainLimits({ lifetimeMs, compute, restart }: Task): readonly string[] {
  const { cpus, memoryBytes, pids, diskBytes, recordingsBytes, gpu, gpuSeconds } = compute;
  const limits = [
    cpus === undefined ? "" : `${cpus} processor${cpus === 1 ? "" : "s"}`,
    memoryBytes === undefined ? "" : `${printBytes(memoryBytes)} of memory`,
    pids === undefined ? "" : `${pids} processes`,
    diskBytes === undefined ? "" : `${printBytes(diskBytes)} of disk`,
    recordingsBytes === undefined
      ? ""
      : `${printBytes(recordingsBytes)} of recordings of its terminals`,
    gpuSeconds === undefined ? "" : `${gpuSeconds} seconds of GPU time`,
  ].filter((part) => part !== "");
  const missing = [
    cpus === undefined ? "processors" : "",
    memoryBytes === undefined ? "memory" : "",
    pids === undefined ? "processes" : "",
    diskBytes === undefined ? "disk" : "",
  ].filter((part) => part !== "");
  return [
    `It ends after ${printDuration(lifetimeMs)} at the latest${restart === "never" ? "" : ", and starts again within that time when it fails"}.`,
    ...(limits.length === 0 ? [] : [`It may use at most ${list(limits)}.`]),
    ...(missing.length === 0 ? [] : [`The file sets no limit of its own on ${list(missing)}.`]),
    ...explainDefaults(compute),
    gpu === "none"
      ? "It has no GPU."
      : `It may use ${gpu === "all" ? "every GPU" : `GPU ${list(gpu.map(String))}`}.`,
  ];
}

/** What holds where the file names nothing (docs/reference/limits.md). */
function explainDefaults({ memoryBytes, pids, diskBytes }: Task["compute"]): readonly string[] {
  const defaults = [
    memoryBytes === undefined
      ? "half of this machine's memory, where control groups hold that"
      : "",
    pids === undefined ? "4096 processes" : "",
    diskBytes === undefined ? "all of the disk but what the record needs" : "",
  ].filter((part) => part !== "");
  return defaults.length === 0 ? [] : [`By default it may use ${list(defaults)}.`];
}

function explainEnvironment(names: readonly string[]): readonly string[] {
  if (names.length === 0) return ["None of your environment variables pass in."];
  return [
    `Of your environment variables it gets ${list(names)}, where set, and no others.`,
    ...names
      .filter(isSecretName)
      .map(
        (name) =>
          `Warning: ${name} looks like a secret. The run itself holds it, and can use or send it wherever it can reach. It stays outside where a grant says "credential: $" and its name.`,
      ),
  ];
}

const MISBEHAVIOUR: Readonly<Record<FindingKind, string>> = {
  tunnel: "opening a tunnel",
  mining: "mining cryptocurrency",
  scan: "probing many destinations",
  metadata: "reaching for the cloud's credentials",
  protocol: "speaking another protocol than the granted one",
  resolver: "getting round the name service",
  sticky: "trying several ways to what was denied",
  credential: "handling credentials in ways it was not given them for",
  escape: "attacking the sandbox",
  changed: "using what is not as a person reviewed it",
  exfiltration: "taking data out",
  beacon: "calling home at regular times",
  persistence: "leaving what outlives the run",
  agent: "starting or unleashing another agent",
  signal: "signalling to other runs",
  flood: "asking for more approvals than a person can read",
  loop: "going round in circles",
  usage: "using compute that fits no tool call",
  claim: "saying what was not seen to happen",
  tampering: "tampering with the record",
};

const DOES: Readonly<Record<Response, string>> = {
  record: "that is recorded and the run goes on",
  alert: "those who decide are told",
  "confirm-all": "whatever changes something waits for a person from then on",
  cut: "every connection that it has is cut",
  revoke: "grants with a credential are taken back",
  pause: "the run is paused until you resume it",
  "pause-lineage": "every run of its job, or else of its agent, is paused until you resume them",
  kill: "the run is killed",
};

function explainFindings({ respond }: Task): readonly string[] {
  const clauses = new Map<string, string[]>();
  // Gravest first, so that what ends a run is read first.
  const gravity = (kind: FindingKind) => RESPONSES.indexOf(respond[kind].at(-1) ?? "record");
  for (const kind of FINDING_KINDS.toSorted((a, b) => gravity(b) - gravity(a))) {
    const does = respond[kind].toReversed().map((response) => DOES[response]);
    const clause = does.length === 0 ? DOES.record : list(does);
    clauses.set(clause, [...(clauses.get(clause) ?? []), MISBEHAVIOUR[kind]]);
  }
  return [...clauses].map(([does, kinds]) => `If it is found ${list(kinds, "or")}, ${does}.`);
}

/** What is noticed less than usual is said as a warning. */
function explainDetectors({ detect }: Task): readonly string[] {
  return Object.entries(detect).map(([name, setting]) =>
    setting === "off"
      ? `Warning: the detector ${name} is off: what it would notice is not found, and nothing answers it.`
      : `The detector ${name} is set otherwise than usual: ${list(Object.entries(setting).map(([key, value]) => `${key} ${value}`))}.`,
  );
}

function list(items: readonly string[], word = "and"): string {
  const last = items.at(-1) ?? "";
  return items.length < 2 ? last : `${items.slice(0, -1).join(", ")} ${word} ${last}`;
}

function sentence(text: string): string {
  const line = text.trim().replaceAll(/\s+/g, " ");
  return /[.!?]$/.test(line) ? line : `${line}.`;
}
