/**
 * The control plane: sandboxes of a key are made, listed, timed, paused, resumed and ended.
 *
 * @module
 */
import { availableParallelism, totalmem } from "node:os";
import { z } from "zod";
import type { RunInfo } from "../api/index.ts";
import { envsSchema, taken } from "./process.ts";
import { Refusal, refusalOf } from "./refusal.ts";
import type { Sandbox, Sandboxes } from "./sandboxes.ts";
import type { Template } from "./templates.ts";

/** The version of E2B's service inside a sandbox whose form is spoken here: streamed uploads, ends of input. */
export const ENVD_VERSION = "0.5.7";
/** Seconds, where a caller names none: E2B's own. */
const TIMEOUT_S = { v1: 15, v2: 300 } as const;
const TIMEOUT_S_MAX = 30 * 86_400;
const METADATA_MAX = 32;
const METADATA_BYTES_MAX = 4096;
const ENVS_MAX = 64;
const ENVS_BYTES_MAX = 64 << 10;
const PAGE_MAX = 100;

const MIB = 1 << 20;

export interface ControlParts {
  readonly sandboxes: Sandboxes;
  readonly templates: ReadonlyMap<string, Template>;
}

/** A question to the control plane, by a key that was found good. */
export interface Asked {
  readonly key: string;
  readonly method: string;
  /** Decoded parts of the path, without the version: `["sandboxes", "r-…", "pause"]`. */
  readonly path: readonly string[];
  readonly version: "v1" | "v2";
  readonly query: URLSearchParams;
  body(): Promise<unknown>;
}

export interface Answer {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

const seconds = z.int().min(0).max(TIMEOUT_S_MAX);
const createSchema = z.looseObject({
  templateID: z.string().min(1).max(200),
  timeout: seconds.nullish(),
  metadata: z
    .record(z.string().max(128), z.string().max(1024))
    .refine((all) => Object.keys(all).length <= METADATA_MAX, `more than ${METADATA_MAX}`)
    .refine((all) => bytesOf(all) <= METADATA_BYTES_MAX, `above ${METADATA_BYTES_MAX} bytes`)
    .nullish(),
  envVars: envsSchema
    .refine((all) => Object.keys(all).length <= ENVS_MAX, `more than ${ENVS_MAX}`)
    .refine((all) => bytesOf(all) <= ENVS_BYTES_MAX, `above ${ENVS_BYTES_MAX} bytes`)
    .nullish(),
  /** Always so: each sandbox has a token. */
  secure: z.boolean().nullish(),
  autoPause: z.boolean().nullish(),
  allow_internet_access: z.boolean().nullish(),
});
const KNOWN: ReadonlySet<string> = new Set(Object.keys(createSchema.shape));

/** What a caller may not bring, and who decides it. */
const OF_THE_TASK =
  "is not a caller's to choose: the template's task file says what its sandboxes reach and use";
const NOT_HERE: Readonly<Record<string, string>> = {
  network: OF_THE_TASK,
  iam: OF_THE_TASK,
  volumeMounts: OF_THE_TASK,
  mcp: "is not supported: a task file grants MCP servers",
  autoResume: "is not supported: connect to a paused sandbox to have it go on",
  autoPauseMemory: "is not supported: a sandbox is paused as it is, with its memory",
};

const extending = z.strictObject({
  timeout: seconds.nullish(),
  memory: z.boolean().nullish(),
  autoPause: z.boolean().nullish(),
});

/** @throws {Refusal} */
export async function control(parts: ControlParts, asked: Asked): Promise<Answer> {
  const [collection, id, what, ...more] = asked.path;
  if (more.length === 0 && collection === "sandboxes") {
    if (id === undefined) {
      if (asked.method === "GET") return listing(parts, asked);
      if (asked.method === "POST") return create(parts, asked);
    } else if (id !== "metrics") {
      const act = ACTS[`${asked.method} ${what ?? ""}`];
      if (act !== undefined) {
        const found = await parts.sandboxes.get(asked.key, id);
        return act({ ...parts, ...found, asked });
      }
    }
  }
  if (
    asked.method === "GET" &&
    collection === "templates" &&
    id === "aliases" &&
    what !== undefined
  ) {
    if (parts.templates.has(what))
      return { status: 200, body: { templateID: what, public: false } };
    throw new Refusal("not_found", `no template ${JSON.stringify(what)}`);
  }
  throw unsupported(asked);
}

/** Says what is not there, and where the same is found: no answer is made up. */
function unsupported({ method, path }: Asked): Refusal {
  const said = `${method} /${path.join("/")}`.slice(0, 200);
  const what = [...path].reverse().find((part) => part in INSTEAD);
  return new Refusal(
    "unimplemented",
    `${said} is not supported${what === undefined ? "" : `: ${INSTEAD[what]}`}`,
  );
}
const INSTEAD: Readonly<Record<string, string>> = {
  logs: "the record has it (`cofferdam log SANDBOX`)",
  metrics: "the record has it (`cofferdam log SANDBOX`, entries of type usage)",
  network: "the template's task file says what its sandboxes reach",
  fork: "memory is not copied here",
  snapshots: "memory is not copied here",
  templates: "an operator names templates when the adapter is started",
  volumes: "the template's task file says what its sandboxes have",
  secrets: "credentials are the vault's, and task files grant them (`cofferdam credential`)",
  teams: "a key is all that is known of a caller",
};

async function create({ sandboxes, templates }: ControlParts, asked: Asked): Promise<Answer> {
  const said = taken(createSchema, await asked.body());
  for (const [name, value] of Object.entries(said)) {
    if (KNOWN.has(name) || isNothing(value) || (name === "autoPauseMemory" && value === true))
      continue;
    throw new Refusal("unimplemented", `${name} ${NOT_HERE[name] ?? "is not supported"}`);
  }
  const template = templates.get(said.templateID);
  if (template === undefined)
    throw new Refusal("not_found", `no template ${JSON.stringify(said.templateID)}`);
  if (said.allow_internet_access === false && template.reaches) {
    throw new Refusal(
      "unimplemented",
      `allow_internet_access ${OF_THE_TASK}; ask for a template that grants nothing`,
    );
  }
  const most = Math.floor(template.lifetimeMs / 1000);
  const wanted = said.timeout ?? Math.min(TIMEOUT_S[asked.version], most);
  if (wanted > most) {
    throw new Refusal(
      "invalid_argument",
      `the task of template ${template.name} lets a sandbox live ${most} s, not ${wanted}`,
    );
  }
  const sandbox = await sandboxes.create({
    key: asked.key,
    template,
    metadata: said.metadata ?? {},
    envs: said.envVars ?? {},
    timeoutMs: wanted * 1000,
    onTimeout: said.autoPause === true ? "pause" : "kill",
  });
  return { status: 201, body: opened(sandbox) };
}

/** What asks for nothing: a client may say all that it knows, and want none of it. */
function isNothing(value: unknown): boolean {
  if (value === null || value === undefined || value === false) return true;
  if (Array.isArray(value)) return value.length === 0;
  if (typeof value !== "object") return false;
  return Object.values(value).every(isNothing);
}

interface Found extends ControlParts {
  readonly sandbox: Sandbox;
  readonly info: RunInfo;
  readonly asked: Asked;
}

const ACTS: Readonly<Record<string, (of: Found) => Promise<Answer>>> = {
  "GET ": async ({ sandbox, info }) => ({
    status: 200,
    body: {
      ...listed(sandbox, info),
      ...opened(sandbox),
      allowInternetAccess: null,
      lifecycle: { autoResume: false, onTimeout: sandbox.order.onTimeout },
    },
  }),
  "DELETE ": async ({ sandboxes, sandbox }) => {
    await sandboxes.kill(sandbox);
    return { status: 204 };
  },
  "POST timeout": async ({ sandboxes, sandbox, asked }) => {
    const { timeout } = taken(z.strictObject({ timeout: seconds }), await asked.body());
    sandboxes.setTimeout(sandbox, timeout * 1000, { onlyLater: false });
    return { status: 204 };
  },
  "POST refreshes": async ({ sandboxes, sandbox, asked }) => {
    const { duration } = taken(
      z.strictObject({ duration: seconds.default(TIMEOUT_S.v1) }),
      await asked.body(),
    );
    sandboxes.setTimeout(sandbox, duration * 1000, { onlyLater: true });
    return { status: 204 };
  },
  "POST pause": async ({ sandboxes, sandbox, info, asked }) => {
    const { memory } = taken(z.strictObject({ memory: z.boolean().nullish() }), await asked.body());
    if (memory === false)
      throw new Refusal("unimplemented", "a sandbox is paused as it is, with its memory");
    if (info.state === "paused") throw new Refusal("aborted", `${sandbox.id} is paused already`);
    await sandboxes.pause(sandbox);
    return { status: 204 };
  },
  "POST connect": async (of) => goOn(of, of.asked.version === "v2" ? TIMEOUT_S.v2 : undefined),
  "POST resume": async (of) => {
    if (of.info.state !== "paused") throw new Refusal("aborted", `${of.sandbox.id} is not paused`);
    return goOn(of, TIMEOUT_S.v1);
  },
};

/** Has a sandbox go on where it is paused, and live on; for one that runs, only longer. */
async function goOn(
  { sandboxes, sandbox, info, asked }: Found,
  usual: number | undefined,
): Promise<Answer> {
  const { timeout, memory } = taken(extending, await asked.body());
  if (memory === false) throw new Refusal("unimplemented", "a sandbox goes on with its memory");
  const most = Math.floor((sandbox.lastMs - Date.now()) / 1000);
  const wanted = timeout ?? (usual === undefined ? undefined : Math.max(0, Math.min(usual, most)));
  if (wanted === undefined) throw new Refusal("invalid_argument", "timeout: seconds");
  const isPaused = info.state === "paused";
  // Before it goes on: a sandbox whose timer is then refused would have none.
  if (isPaused && wanted > most) {
    throw new Refusal("invalid_argument", `timeout: its task has ${most} s left`);
  }
  if (isPaused) await sandboxes.resume(sandbox, info);
  sandboxes.setTimeout(sandbox, wanted * 1000, { onlyLater: !isPaused });
  return { status: isPaused ? 201 : 200, body: opened(sandbox) };
}

/** Sandboxes of a key, the newest first, a page at a time. */
async function listing(
  { sandboxes }: ControlParts,
  { key, query, version }: Asked,
): Promise<Answer> {
  const states = query.getAll("state").flatMap((one) => one.split(","));
  const wanted = metadataOf(query.get("metadata"));
  const template = query.get("template");
  const after = query.get("startedAfter");
  const sign = query.get("order") === "asc" ? 1 : -1;
  const found = (await sandboxes.list(key))
    .filter(({ sandbox, info }) => {
      const { order } = sandbox;
      if (version === "v1" && info.state === "paused") return false; // It lists running ones.
      if (states.length > 0 && !states.includes(stateOf(info))) return false;
      if (template !== null && order.template.name !== template) return false;
      if (after !== null && !(sandbox.startedMs >= Date.parse(after))) return false;
      return wanted.every(([name, value]) => order.metadata[name] === value);
    })
    .sort(
      (a, b) =>
        sign *
        (a.sandbox.startedMs - b.sandbox.startedMs || (a.sandbox.id < b.sandbox.id ? -1 : 1)),
    );
  if (version === "v1")
    return { status: 200, body: found.map(({ sandbox, info }) => listed(sandbox, info)) };
  const limit = taken(z.coerce.number().int().min(1).max(PAGE_MAX), query.get("limit") ?? PAGE_MAX);
  const token = query.get("nextToken");
  const from = token === null ? 0 : found.findIndex(({ sandbox }) => sandbox.id === token) + 1;
  const page = found.slice(from, from + limit);
  const last = from + limit < found.length ? page.at(-1)?.sandbox.id : undefined;
  return {
    status: 200,
    body: page.map(({ sandbox, info }) => listed(sandbox, info)),
    headers: {
      "x-total-running": String(found.filter(({ info }) => info.state !== "paused").length),
      ...(last === undefined ? {} : { "x-next-token": last }),
    },
  };
}

/** `user=abc&app=prod`, whose names and values the clients encode once more. */
function metadataOf(said: string | null): readonly (readonly [string, string])[] {
  try {
    return [...new URLSearchParams(said ?? "")].map(([name, value]) => [
      decodeURIComponent(name),
      decodeURIComponent(value),
    ]);
  } catch (error) {
    throw new Refusal(
      "invalid_argument",
      "metadata is not encoded as it should be",
      refusalOf(error),
    );
  }
}

function opened(sandbox: Sandbox) {
  return {
    sandboxID: sandbox.id,
    templateID: sandbox.order.template.name,
    alias: sandbox.order.template.name,
    clientID: "cofferdam",
    envdVersion: ENVD_VERSION,
    envdAccessToken: sandbox.token,
    domain: null,
    trafficAccessToken: null,
  };
}

function listed(sandbox: Sandbox, info: RunInfo) {
  return {
    sandboxID: sandbox.id,
    templateID: sandbox.order.template.name,
    alias: sandbox.order.template.name,
    clientID: "cofferdam",
    startedAt: new Date(sandbox.startedMs).toISOString(),
    endAt: new Date(sandbox.isPaused ? sandbox.lastMs : sandbox.endsMs).toISOString(),
    state: stateOf(info),
    metadata: sandbox.order.metadata,
    envdVersion: ENVD_VERSION,
    ...MACHINE,
  };
}

function stateOf({ state }: RunInfo): "running" | "paused" {
  return state === "paused" ? "paused" : "running";
}

/** The machine's: what a sandbox may take of it stands in its task. */
const MACHINE = {
  cpuCount: availableParallelism(),
  memoryMB: Math.floor(totalmem() / MIB),
  diskSizeMB: 0,
};

function bytesOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}
