/**
 * `mcp`: servers of MCP that a task grants: what they offer, pinning it, and how an agent's client reaches them.
 *
 * @module
 */
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parse, stringify } from "yaml";
import { EFFECTS, type Effect, type Json } from "../../action/index.ts";
import type { RunOrder } from "../../api/index.ts";
import { Fault, isFault, readTextFile } from "../../base/index.ts";
import { DETECTOR_ABOUTS } from "../../detect/index.ts";
import { parseTaskFile, type TaskGrant } from "../../policy/index.ts";
import { mcp } from "../../protocols/index.ts";
import { EXIT, listOption, textOption, type Command, type Context } from "../command.ts";
import { CLIENTS, clientConfig, urlOf, type ClientName } from "../mcp/client-config.ts";
import { reviewLines, type Listing } from "../mcp/review.ts";
import { startRun } from "../run-stream.ts";
import { systemsOf } from "../systems.ts";
import { readTask } from "./check.ts";
import { pickVariables } from "./run.ts";

export const mcpCommand: Command = {
  name: "mcp",
  usage:
    "config|list|pin [NAME] --task FILE [--client CLIENT] [--effects EFFECT=TOOL,...] [--write FILE]",
  options: {
    task: { type: "string" },
    client: { type: "string" },
    effects: { type: "string", multiple: true },
    write: { type: "string" },
  },
  optionHelp: {
    task: "the task file that grants them",
    client: `config: whose configuration to print: ${CLIENTS.join(", ")}`,
    effects: "pin: what tools do, as you have reviewed them: read=get_*,list_*",
    write: "pin: write the pin to FILE, after showing all of it",
  },
  examples: [
    "cofferdam mcp config --task task.yaml --client claude-code",
    "cofferdam mcp pin files --task task.yaml --effects 'read=read_*' --write files.pin.json",
  ],
  positionals: [1, 2],
  async run(context) {
    const [what = "", name] = context.positionals;
    const grants = readGrants(context);
    if (what === "config") return config(context, grants);
    if (what === "list") return list(context, grants);
    if (what === "pin") return pin(context, oneOf(grants, name));
    throw new Fault("cli.mcp", `mcp ${what} is not known`, { hint: "config, list or pin" });
  },
};

/** The task file that is named, with its grants of MCP. */
function readGrants(context: Context): readonly TaskGrant[] {
  const file = taskFile(context);
  const { systems } = systemsOf(context);
  const { grants } = parseTaskFile(readTask(file), file, Date.now(), systems, DETECTOR_ABOUTS);
  return grants.filter(({ system }) => system === "mcp");
}

function taskFile(context: Context): string {
  const file = textOption(context.values, "task");
  if (file !== undefined) return resolve(file);
  throw new Fault("cli.mcp", "which task? give --task FILE", {
    hint: "`cofferdam grant-template mcp` prints a grant for one",
  });
}

function oneOf(grants: readonly TaskGrant[], name: string | undefined): TaskGrant {
  const found =
    name === undefined && grants.length === 1 ? grants[0] : grants.find((one) => one.name === name);
  if (found !== undefined) return found;
  throw new Fault("cli.mcp", `the task grants no MCP server ${name ?? "without a name"}`, {
    hint:
      grants.length === 0
        ? "it grants none"
        : `it grants ${grants.map((one) => one.name).join(", ")}`,
  });
}

function config(context: Context, grants: readonly TaskGrant[]): number {
  const client = textOption(context.values, "client") ?? CLIENTS[0];
  const isKnown = (one: string): one is ClientName => CLIENTS.some((known) => known === one);
  if (!isKnown(client)) {
    throw new Fault("cli.mcp", `no client ${client} is known here`, { hint: CLIENTS.join(", ") });
  }
  context.out(clientConfig(client, grants));
  return EXIT.ok;
}

function list(context: Context, grants: readonly TaskGrant[]): number {
  for (const grant of grants) {
    const { pin: pinned, server } = (grant.with ?? {}) as {
      pin?: Json;
      server?: { command: string[] };
    };
    const how = server === undefined ? "remote" : `runs ${server.command.join(" ")}`;
    const state =
      pinned === undefined
        ? "not pinned"
        : `pinned by ${typeof pinned === "string" ? pinned : "the task"}`;
    context.out(`${grant.name}  ${urlOf(grant)}  ${how}; ${state}\n`);
  }
  return EXIT.ok;
}

async function pin(context: Context, grant: TaskGrant): Promise<number> {
  const file = taskFile(context);
  const listing = await listingOf(context, file, grant);
  const effects = effectsOf(listOption(context.values, "effects"), listing);
  const before = readBefore(grant, file);
  const made = mcp.makePin(listing, listing, effects);
  context.out(`${reviewLines(listing, before, effects).join("\n")}\n\n${mcp.digestOfPin(made)}\n`);
  const target = textOption(context.values, "write");
  if (target === undefined) {
    context.err("cofferdam: nothing is written; --write FILE pins this\n");
    return EXIT.ok;
  }
  writeFileSync(target, `${JSON.stringify(made, null, 2)}\n`);
  context.err(`cofferdam: pinned in ${target}; the grant names it: with: {pin: FILE}\n`);
  return EXIT.ok;
}

/** `read=get_*,list_*`: tools by name, with * for any characters. */
function effectsOf(
  given: readonly string[],
  { tools }: Listing,
): Readonly<Record<string, readonly Effect[]>> {
  const of = new Map<string, Effect[]>();
  for (const one of given) {
    const [, effect = "", names = ""] = /^([a-z-]+)=(.+)$/.exec(one) ?? [];
    const known = EFFECTS.find((each) => each === effect);
    if (known === undefined) {
      throw new Fault("cli.mcp", `not what a tool does: ${one}`, { hint: "read=get_*,list_*" });
    }
    for (const pattern of names.split(",")) {
      const parts = pattern.split("*").map((part) => part.replaceAll(/[^\w-]/g, String.raw`\$&`));
      const glob = new RegExp(`^${parts.join(".*")}$`);
      for (const tool of tools) {
        const name = mcp.nameOf("tools", tool);
        if (name !== undefined && glob.test(name)) of.set(name, [...(of.get(name) ?? []), known]);
      }
    }
  }
  return Object.fromEntries(of);
}

/** What is pinned now, to tell what changed. */
function readBefore(grant: TaskGrant, file: string): mcp.Pin | undefined {
  const named = grant.with?.["pin"];
  if (typeof named !== "string" || named.startsWith("sha256:")) return undefined;
  try {
    return mcp.pinSchema.parse(
      JSON.parse(readTextFile(join(dirname(file), named), { mayWait: false })),
    );
  } catch {
    return undefined; // Not written yet, or broken: all of it is new.
  }
}

const extension = import.meta.url.slice(import.meta.url.lastIndexOf("."));

/** Asks the server from inside a run that may do nothing else: through the gateway, with the server's own task. */
async function listingOf(context: Context, file: string, grant: TaskGrant): Promise<Listing> {
  const lister = fileURLToPath(new URL(`../mcp/lister${extension}`, import.meta.url));
  const kind = extension === ".ts" ? "module-typescript" : "module";
  const script = readFileSync(lister, "utf8");
  const order: RunOrder = {
    task: { source: taskFor(file, grant), fileName: file },
    command: [process.execPath, `--input-type=${kind}`, "-e", script, urlOf(grant)],
    cwd: process.cwd(),
    path: process.env["PATH"] ?? "",
    detach: false,
  };
  const said = await runToEnd(context, order);
  const value = mcp.isMembers(said) ? said : {};
  const items = (member: string): readonly mcp.Members[] => {
    const all = value[member];
    return Array.isArray(all) ? all.flatMap((item) => (mcp.isMembers(item) ? [item] : [])) : [];
  };
  const { server, instructions } = value;
  const { name, version } = mcp.isMembers(server) ? server : ({} as mcp.Members);
  return {
    server:
      typeof name === "string"
        ? `${name} ${typeof version === "string" ? version : ""}`.trim()
        : undefined,
    instructions: typeof instructions === "string" ? instructions : undefined,
    ...{ tools: items("tools"), prompts: items("prompts"), templates: items("templates") },
  };
}

/** The same task with that one grant, which may only list, and nothing pinned. */
function taskFor(file: string, { name }: TaskGrant): string {
  const source = parse(readTask(file)) as {
    [key: string]: unknown;
    grants: { [key: string]: unknown }[];
  };
  const grants = source.grants
    .filter((one) => one["name"] === name)
    .map(({ with: given, ...rest }) => {
      const { pin: _, ...options } = (given ?? {}) as { [key: string]: unknown };
      const allow = [{ verbs: ["tools.list", "prompts.list", "resources.list"] }];
      return { ...rest, with: options, allow };
    });
  return stringify({
    ...{ task: `pin-${name}`.slice(0, 60), purpose: `See what ${name} offers.` },
    ...{ workspace: "read-only", home: "fresh", grants },
  });
}

/** Runs `order`; the last line that it prints, as JSON. */
async function runToEnd(context: Context, order: RunOrder): Promise<Json> {
  const variables = (names: readonly string[]) => pickVariables(names, order.task.source);
  const started = await startRun(context.home, order, variables).catch(async (error: unknown) => {
    if (!isFault(error, "cli.unreachable")) throw error;
    await context.daemon();
    return startRun(context.home, order, variables);
  });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  const take = (frames: ReturnType<typeof started.reader.push>) => {
    for (const { type, payload } of frames) {
      if (type === "stdout") out.push(payload);
      if (type === "stderr") err.push(payload);
    }
  };
  take(started.frames);
  for await (const chunk of started.stream as AsyncIterable<Buffer>)
    take(started.reader.push(chunk));
  const line = Buffer.concat(out).toString("utf8").trim().split("\n").at(-1) ?? "";
  try {
    return JSON.parse(line) as Json;
  } catch (cause) {
    const why = Buffer.concat(err).toString("utf8").trim().slice(-500);
    throw new Fault("cli.mcp", `the server did not list what it offers: ${why}`, {
      cause,
      hint: `\`cofferdam log ${started.info.run}\` has what happened`,
    });
  }
}
