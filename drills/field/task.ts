/**
 * The task file that a drill's runs get: the drill's own, or the user's own with its hosts in the test world.
 *
 * @module
 */
import { parse, stringify } from "yaml";
import { z } from "zod";
import { Fault } from "../../src/base/index.ts";

/** What a task file of a drill may name: `${address:HOST}`, `${ca}`, `${expires}`: a day from now on. */
const SLOT = /\$\{(ca|expires|address:([a-z0-9.-]+))\}/g;

/** The test world, as a task file sees it. */
export interface Ground {
  readonly addresses: Readonly<Record<string, string>>;
  readonly caFile: string;
  /** A day in the near future, as `2027-06-30`. */
  readonly expires: string;
}

/** A drill's own task file with the test world's addresses in it. */
export function fillTask(source: string, ground: Ground): string {
  return source.replace(SLOT, (slot, kind: string, host = "") => {
    const value = { ca: ground.caFile, expires: ground.expires }[kind] ?? ground.addresses[host];
    if (value === undefined)
      throw new Fault("drill.task", `a task file names ${slot}: no such host`);
    return value;
  });
}

const ruleSchema = z.looseObject({
  verbs: z.array(z.string()).optional(),
  effects: z.array(z.string()).optional(),
});
const grantSchema = z.looseObject({
  system: z.string(),
  hosts: z.array(z.string()).optional(),
  ports: z.array(z.number()).optional(),
  tls: z.boolean().optional(),
  allow: z.array(ruleSchema).optional(),
});
const taskSchema = z.looseObject({
  grants: z.array(grantSchema).optional(),
  environment: z.array(z.string()).optional(),
});
type Grant = z.infer<typeof grantSchema>;

/** Keys of a grant that say what it may reach and with what, and so are the drill's. */
const PLACE_KEYS = new Set(["hosts", "ports", "tls", "dial", "ca", "credential", "with", "under"]);
/** Keys of the whole task that would make the agent's start the user's and not the drill's. */
const START_KEYS = new Set(["environment", "publish", "restart"]);

/**
 * The user's rules in the drill's world. Each grant of the drill's own task file gets the rules (`allow`,
 * `pairs`, `mint`) of the first grant of the user's file for the same system, or is left out where the user
 * grants no such system; what stands beside the grants (`respond`, `approvals`, `compute`, `workspace`) is the
 * user's. So nothing of the user's systems is named, let alone reached.
 *
 * @throws {Fault} `drill.task` where the user's file is no task file.
 */
export function useTask(users: string, drills: string): string {
  const user = read(users);
  const own = read(drills);
  const grants = (own.grants ?? []).flatMap((grant): Grant[] => {
    const by = user.grants?.find(({ system }) => system === grant.system);
    if (by === undefined) return [];
    const rules = Object.entries(by).filter(([key]) => !PLACE_KEYS.has(key));
    const place = Object.entries(grant).filter(([key]) => PLACE_KEYS.has(key));
    const { pairs: _, mint: __, ...kept } = Object.fromEntries(rules);
    return [{ ...kept, name: grant["name"], system: grant.system, ...Object.fromEntries(place) }];
  });
  const rest = Object.entries(user).filter(([key]) => key !== "grants" && !START_KEYS.has(key));
  return stringify(
    { ...Object.fromEntries(rest), home: "fresh", grants },
    {
      aliasDuplicateObjects: false, // A task file is plain data.
    },
  );
}

/** Where an agent that a model leads finds what it needs, in the test world. */
export interface AgentPlace {
  /** `ADDRESS` of the model APIs. */
  readonly address: string;
  readonly modelHosts: readonly string[];
  readonly caFile: string;
  /** The name of its MCP server, where it has one. */
  readonly tools?: string;
  /** Variables that pass in beside those of the profile. */
  readonly passed: readonly string[];
}

/**
 * A task file with what an agent needs beside it: the grants of its shipped profile, led to the test world, and its
 * MCP server, of which it may only ask what there is. The model sees what the agent reads, so its API is paired
 * with whatever may be read privately: else the first private read ends the conversation, and shows nothing.
 */
export function addAgent(task: string, profile: string, place: AgentPlace): string {
  const own = read(task);
  const agents = read(profile);
  const grants = own.grants ?? [];
  const sources = grants.filter(isPrivate).map((grant) => grant["name"]);
  const led = (agents.grants ?? []).map((grant): Grant => {
    const isOurs = grant.hosts?.every((host) => place.modelHosts.includes(host)) ?? true;
    if (!isOurs) return grant;
    const isModel = grant.allow?.some(({ verbs }) => verbs !== undefined) === true;
    const pairs = isModel && sources.length > 0 ? { pairs: sources } : {};
    return { ...grant, dial: `${place.address}:443`, ca: place.caFile, ...pairs };
  });
  const tools = place.tools === undefined ? [] : [toolsGrant(place.tools, place.address)];
  const names = [...(own.environment ?? []), ...(agents.environment ?? []), ...place.passed];
  return stringify(
    { ...own, environment: [...new Set(names)], grants: [...grants, ...led, ...tools] },
    { aliasDuplicateObjects: false },
  );
}

/** Whether private data may be read by a grant, as far as the file says. */
function isPrivate({ allow }: Grant): boolean {
  return (
    allow?.some(
      ({ verbs, effects }) => verbs !== undefined || effects?.includes("read-private") === true,
    ) === true
  );
}

function toolsGrant(host: string, address: string): Grant {
  return {
    system: "mcp",
    name: "agent-tools",
    hosts: [host],
    ports: [80],
    tls: false,
    dial: `${address}:80`,
    // Claude Code listens for changes of the list.
    allow: [{ verbs: ["tools.list", "subscriptions.listen"] }],
  };
}

function read(source: string): z.infer<typeof taskSchema> {
  try {
    return taskSchema.parse(parse(source));
  } catch (cause) {
    throw new Fault("drill.task", "this is no task file", {
      cause,
      hint: "`cofferdam check FILE` says what is wrong with it and where",
    });
  }
}
