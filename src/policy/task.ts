/**
 * The Task: a task file that was understood, in the units that the rest of the program uses. Plain
 * JSON, so that it has a digest and can be shown.
 *
 * @module
 */
import { FINDING_KINDS, type Effect, type FindingKind, type Json } from "../action/index.ts";
import { assert, parseBytes, parseDurationMs } from "../base/index.ts";
import { variableOf } from "./credential-ref.ts";
import { parseDial, parseProxy, type Dial, type Proxy } from "./dial.ts";
import { parseExpiryMs } from "./expiry.ts";
import { parseHostPattern, printHostPattern } from "./host-pattern.ts";
import { parseObjectGlob } from "./object-glob.ts";
import { parsePublish, type Published } from "./publish.ts";
import type {
  GatedProtocol,
  GrantSource,
  Response,
  RuleSource,
  TaskSource,
} from "./task-schema.ts";
import { RESPONSES } from "./task-schema.ts";
import { matchesVerb } from "./verb.ts";

/** What a task file needs to know of the catalog's systems, by their names. */
export type Systems = ReadonlyMap<
  string,
  {
    readonly verbs: readonly string[];
    readonly hosts?: readonly string[] | undefined;
    /** What `mint:` takes, where the system mints. */
    readonly mints?: readonly string[] | undefined;
    /** Ports of a grant that names none. */
    readonly ports?: readonly number[] | undefined;
    /** No web service: its own protocol is spoken, and a broker of its own judges it. */
    readonly isSession?: boolean | undefined;
    /** What parts `on:` patterns, by verb; verbs that are not in it act on nothing that can be named. */
    readonly separators?: Readonly<Record<string, string>> | undefined;
    /** What is wrong with a grant's `with:`; absent where the system takes none. */
    flawsOfOptions?(
      options: unknown,
    ): readonly { readonly path: string; readonly message: string }[];
  }
>;

// Types, not interfaces: only they are assignable to Json.
export type Task = {
  readonly task: string;
  readonly purpose: string;
  readonly workspace: "overlay" | "read-only";
  readonly home: "keep" | "fresh";
  readonly lifetimeMs: number;
  readonly compute: TaskCompute;
  /** Names of variables that pass in. */
  readonly environment: readonly string[];
  readonly grants: readonly TaskGrant[];
  readonly approvals: Approvals;
  readonly publish: readonly Published[];
  readonly restart: "never" | "on-failure";
  /** Mildest first, each once; [] only records. */
  readonly respond: Readonly<Record<FindingKind, readonly Response[]>>;
  /** Detectors that are off or set otherwise than usual, by name. */
  readonly detect: Readonly<Record<string, "off" | Readonly<Record<string, number>>>>;
};

/** What a task file needs to know of detectors, by their names. */
export type Detectors = ReadonlyMap<
  string,
  {
    readonly tuning: Readonly<Record<string, { readonly value: number }>>;
    /** One of all runs has no threshold that a single task could set. */
    readonly scope?: "run" | "home";
  }
>;

/** Limits; what is absent is not limited by the task. */
export type TaskCompute = {
  readonly cpus?: number;
  readonly memoryBytes?: number;
  readonly pids?: number;
  readonly diskBytes?: number;
  readonly recordingsBytes?: number;
  /** Numbers, or parts of GPUs as `0/gi1/ci0`. */
  readonly gpu: "none" | "all" | readonly (number | string)[];
  /** GPU time over all of them. */
  readonly gpuSeconds?: number;
};

/** How a person is asked. */
export type Approvals = {
  /** How long the agent is held waiting. */
  readonly holdMs: number;
  readonly expiresMs: number;
  /** How long what was approved and cannot be undone waits. */
  readonly undoMs: number;
  /** Effects that need a second, different person. */
  readonly fourEyes: readonly Effect[];
};

/** How much of a connection is judged: each request; each operation of its protocol; a TLS connection's name; its first bytes. */
export type GrantKind = "http" | "session" | "splice" | "opaque";

export type TaskGrant = {
  /** `splice` and `opaque` are both `system: tcp` in the file. */
  readonly kind: GrantKind;
  /** As the file says it: `http`, `tcp`, or a system of the catalog. */
  readonly system: string;
  readonly name: string;
  /** Host patterns in canonical form. */
  readonly hosts: readonly string[];
  readonly ports: readonly number[];
  readonly tls: boolean;
  readonly dial?: Dial;
  readonly proxy?: Proxy;
  /** A file, relative to the task file's folder. */
  readonly ca?: string;
  /** Where a system of the catalog lives below its hosts: `/blog`. */
  readonly under?: string;
  /** What is particular to its kind of system. */
  readonly with?: Readonly<Record<string, Json>>;
  /** Its name in the vault, or `$NAME`; of {@link candidates} the one that there is. */
  readonly credential?: string;
  /** Where the file leaves open which, until a run starts (credential-ref.ts). */
  readonly candidates?: readonly string[];
  /** A credential is made for the run alone; what is asked for beside. */
  readonly mint?: Readonly<Record<string, Json>>;
  /** Variables of the run that hold its placeholder. */
  readonly variables?: readonly string[];
  /** Grants whose private data may be written here. */
  readonly pairs: readonly string[];
  /** Protocols that an opaque grant lets through besides the harmless ones. */
  readonly protocols: readonly GatedProtocol[];
  /** Empty for what is not http. */
  readonly allow: readonly TaskRule[];
};

export type TaskRule = {
  /** Empty for a system of the catalog. */
  readonly methods: readonly string[];
  /** Path globs as written; empty for a system of the catalog. */
  readonly paths: readonly string[];
  /** Of a system of the catalog: `post.list`, `post.*`, `*`. */
  readonly verbs?: readonly string[];
  /** What may be acted on, each pattern in its segments. */
  readonly on?: readonly (readonly string[])[];
  /** What parted them, and joins them for people. */
  readonly separator?: string;
  /** They are written from the root: `/etc/nginx`. */
  readonly isRooted?: true;
  /** Of a system of the catalog: what does more than these is not covered. */
  readonly doing?: readonly Effect[];
  /** Absent: by method. */
  readonly effects?: readonly Effect[];
  readonly unattended?: Unattended;
  /** May be opened as a WebSocket. */
  readonly websocket?: true;
  /** Its WebSockets may carry binary messages that nobody here understands. */
  readonly opaque?: true;
};

/** Leave to do what otherwise waits for a person. */
export type Unattended = {
  readonly count: number;
  /** The count is for any such time; without it for the whole run. */
  readonly perMs?: number;
  readonly reason: string;
  /** Milliseconds since the epoch from which on it no longer holds. */
  readonly expiresMs: number;
};

/** Converts what the schema accepted. */
export function taskOf(source: TaskSource, systems: Systems): Task {
  const { memory, disk, recordings, gpu_seconds, ...compute } = source.compute;
  const { lifetime, ...rest } = source;
  return {
    ...rest,
    lifetimeMs: parseDurationMs(lifetime),
    compute: {
      ...defined(compute),
      gpu: compute.gpu,
      ...(memory === undefined ? {} : { memoryBytes: parseBytes(memory) }),
      ...(disk === undefined ? {} : { diskBytes: parseBytes(disk) }),
      ...(gpu_seconds === undefined ? {} : { gpuSeconds: gpu_seconds }),
      ...(recordings === undefined ? {} : { recordingsBytes: parseBytes(recordings) }),
    },
    approvals: approvalsOf(source),
    grants: source.grants.map((grant) => grantOf(grant, systems)),
    publish: source.publish.map(publishedOf),
    respond: respondOf(source),
  };
}

function respondOf(source: TaskSource): Record<FindingKind, readonly Response[]> {
  const entries = FINDING_KINDS.map((kind) => {
    const said = new Set([source.respond[kind] ?? (kind === "sticky" ? "pause" : [])].flat());
    return [kind, RESPONSES.filter((one) => one !== "record" && said.has(one))];
  });
  return Object.fromEntries(entries) as Record<FindingKind, readonly Response[]>;
}

function approvalsOf({ approvals }: TaskSource): Approvals {
  return {
    holdMs: parseDurationMs(approvals.hold),
    expiresMs: parseDurationMs(approvals.expires),
    undoMs: approvals.undo === undefined ? 0 : parseDurationMs(approvals.undo),
    fourEyes: approvals.four_eyes,
  };
}

function grantOf(source: GrantSource, systems: Systems): TaskGrant {
  const dial = source.dial === undefined ? undefined : parseDial(source.dial);
  const proxy = source.upstream_proxy === undefined ? undefined : parseProxy(source.upstream_proxy);
  return {
    kind: kindOf(source, systems),
    system: source.system,
    name: source.name,
    hosts: (source.hosts ?? systems.get(source.system)?.hosts ?? []).map((host) =>
      printHostPattern(parseHostPattern(host)),
    ),
    ports: portsOf(source, systems),
    tls:
      kindOf(source, systems) === "opaque"
        ? false
        : tlsOf({ ...source, ports: portsOf(source, systems) }),
    ...(dial === undefined ? {} : { dial }),
    ...(proxy === undefined ? {} : { proxy }),
    ...(source.ca === undefined ? {} : { ca: source.ca }),
    ...(source.under === undefined ? {} : { under: source.under }),
    ...(source.with === undefined ? {} : { with: source.with }),
    ...credentialOf(source),
    ...(source.mint === undefined ? {} : { mint: source.mint === true ? {} : source.mint }),
    pairs: source.pairs ?? [],
    protocols: source.protocols ?? [],
    allow: (source.allow ?? []).map((rule) => ruleOf(rule, systems.get(source.system))),
  };
}

function credentialOf({ credential, variable }: GrantSource): Partial<TaskGrant> {
  if (credential === undefined) return {};
  const isSettled = typeof credential === "string" && variableOf(credential) === undefined;
  return {
    ...(isSettled ? { credential } : { candidates: [credential].flat() }),
    ...(variable === undefined ? {} : { variables: [variable].flat() }),
  };
}

const HTTPS_PORT = 443;

/** Ports of a grant as written. */
export function portsOf(
  { ports, system }: { readonly ports?: readonly number[] | undefined; readonly system: string },
  systems: Systems,
): readonly number[] {
  return ports ?? systems.get(system)?.ports ?? [HTTPS_PORT];
}

function kindOf(
  { splice, opaque, system }: Pick<GrantSource, "splice" | "opaque" | "system">,
  systems: Systems,
): GrantKind {
  if (systems.get(system)?.isSession === true) return "session";
  if (splice === true) return "splice";
  return opaque === true ? "opaque" : "http";
}

function publishedOf(source: string | number): Published {
  const published = parsePublish(source);
  assert(!("problem" in published), "the schema has checked the ports");
  return published;
}

/** Port 80 alone is plain HTTP by custom; everything else is TLS unless the file says otherwise. */
export function tlsOf(source: { tls?: boolean | undefined; ports: readonly number[] }): boolean {
  return source.tls ?? !(source.ports.length === 1 && source.ports[0] === 80);
}

type SystemInfo = Systems extends ReadonlyMap<string, infer Info> ? Info : never;

function ruleOf({ unattended, on, ...source }: RuleSource, system?: SystemInfo): TaskRule {
  const { methods = [], paths = [], ...more } = source;
  const separator = separatorOf(source.verbs ?? [], system) ?? "";
  const globs =
    on === undefined
      ? {}
      : {
          on: on.map((one) => parseObjectGlob(one, separator)),
          separator,
          ...(separator !== "" && on.some((one) => one.startsWith(separator))
            ? { isRooted: true as const }
            : {}),
        };
  const rule = { methods, paths, ...defined(more), ...globs };
  if (unattended === undefined) return rule;
  const expiresMs = parseExpiryMs(unattended.expires);
  assert(expiresMs !== undefined, "the schema has checked the date");
  const { count, reason, per } = unattended;
  const window = per === undefined ? {} : { perMs: parseDurationMs(per) };
  return { ...rule, unattended: { count, ...window, reason, expiresMs } };
}

/** What parts the patterns of a rule over `verbs`; `undefined` where they differ, or act on nothing that has a name. */
export function separatorOf(
  verbs: readonly string[],
  system: Pick<SystemInfo, "separators"> | undefined,
): string | undefined {
  const found = Object.entries(system?.separators ?? {})
    .filter(([verb]) => verbs.some((pattern) => matchesVerb(pattern, verb)))
    .map(([, separator]) => separator);
  return new Set(found).size === 1 ? found[0] : undefined;
}

function defined<Value extends object>(
  value: Value,
): { [Key in keyof Value]: Exclude<Value[Key], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as {
    [Key in keyof Value]: Exclude<Value[Key], undefined>;
  };
}
