/**
 * The field: the test world that all drills share. One host outside with an address for each name, the agent's
 * host, one installation of Cofferdam.
 *
 * @module
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { z } from "zod";
import { createCofferdam, type Cofferdam } from "../cofferdam.ts";
import {
  createTestCertificate,
  findTools,
  ordinary,
  programPath,
  startHost,
  type Host,
  type Inside,
  type Tools,
} from "../world/index.ts";
import type { Channel } from "../record.ts";
import type { Said } from "../rome/words.ts";
import { profileOf, type Agent } from "./agents.ts";
import type { Drill, Reached, Stage } from "./drill.ts";
import type { Live } from "../live.ts";
import type { LeadingTool } from "./lead.ts";
import { MODEL_HOSTS, toolsHost } from "./services.ts";
import { addAgent, fillTask, useTask, type Ground } from "./task.ts";

/** Addresses of the outside network, from the range for documentation (RFC 5737). */
const NETWORK = "203.0.113.";
const FIRST_HOST = 10;
/** Of the field's own services. */
const SERVICES = `${NETWORK}5`;
const reachedSchema = z.record(
  z.string(),
  z.object({ crossed: z.boolean(), effect: z.boolean(), harm: z.boolean(), told: z.string() }),
);

const toldSchema = z.array(
  z
    .object({
      startedAt: z.number(),
      end: z.object({ at: z.number(), text: z.string() }).optional(),
    })
    .nullable(),
);

/** How the field is played. */
export interface FieldOptions {
  /** The text of the user's task file, whose rules then hold. */
  readonly userTask: string | undefined;
  readonly agent: Agent;
  /** The folder with the agent's program. */
  readonly agentFolder: string;
  /** The model does not follow what is injected. */
  readonly careful: boolean;
  /** Is told what happens while it happens. */
  readonly live: Live | undefined;
}

/** The field, ready for drills. */
export interface Field {
  readonly agent: Agent;
  readonly live: Live | undefined;
  /** PATH of the agent's host, with the agent's program. */
  readonly path: string;
  readonly folder: string;
  readonly tools: Tools;
  readonly caFile: string;
  /** The user's home folder, as a run's host has it. */
  readonly userHome: string;
  /** The rules are those of a task file of the user's. */
  readonly isUsers: boolean;
  /** Starts a drill's services. */
  open(drill: Drill): Promise<void>;
  reset(drill: Drill): Promise<void>;
  reached(drill: Drill, stage: Stage): Promise<Readonly<Record<string, Reached>>>;
  ask(drill: Drill, question: string): Promise<string>;
  close(drill: Drill): Promise<void>;
  /** What the drill's MCP server lists from here on, and commands that the model is to know nothing of yet. */
  lead(drill: Drill, tools: readonly LeadingTool[], commands: readonly string[]): Promise<void>;
  /** What the model saw become of commands, by the names of their steps. */
  told(commands: Readonly<Record<string, string>>): Promise<ReadonlyMap<string, Said>>;
  /** `text` with the addresses of the field in place of its slots. */
  fill(text: string): string;
  /** Writes the task file of a run, and says where; with what an agent needs where a model leads it. */
  writeTask(drill: Drill, run: string, channel: Channel): string;
}

/** The addresses of all names that `drills` use; each name is one drill's alone. */
export function addressesOf(drills: readonly Drill[]): Readonly<Record<string, string>> {
  const names = drills.flatMap(({ hosts }) => hosts);
  return Object.fromEntries(names.map((name, index) => [name, `${NETWORK}${FIRST_HOST + index}`]));
}

/** Sets the field up around the calling process, which is on the agent's host. */
export async function openField(
  { folder }: Inside,
  drills: readonly Drill[],
  { userTask, agent, agentFolder, careful, live }: FieldOptions,
): Promise<Field> {
  const tools = findTools(process.env["PATH"] ?? "");
  execFileSync(tools("ip"), ["link", "set", "lo", "up"]);
  const addresses = addressesOf(drills);
  const services = [...MODEL_HOSTS, ...drills.map(toolsHost)];
  const outside = await startHost(tools, programPath(import.meta.url, "./outside"), {
    name: "wan",
    ours: [`${NETWORK}1/24`],
    theirs: [SERVICES, ...Object.values(addresses)].map((address) => `${address}/24`),
    routes: [],
    files: {},
  });
  const { ca, certificate, key } = createTestCertificate([
    ...Object.keys(addresses),
    ...MODEL_HOSTS,
  ]);
  const caFile = join(folder, "ca.pem");
  writeFileSync(caFile, ca);
  const names = Object.entries(addresses).map(([name, address]) => `${address} ${name}\n`);
  const hosts = `127.0.0.1 localhost\n${names.join("")}${SERVICES} ${services.join(" ")}\n`;
  bindFile(tools, join(folder, "hosts"), hosts, "/etc/hosts");
  const asking = `nameserver ${addresses[RESOLVER] ?? "127.0.0.1"}\noptions timeout:1 attempts:1\n`;
  bindFile(tools, join(folder, "resolv.conf"), asking, "/etc/resolv.conf");
  const place = join(folder, "outside");
  mkdirSync(place, { mode: 0o755 });
  mkdirSync(join(folder, "tasks"));
  const userHome = join(folder, "user");
  mkdirSync(userHome, { mode: 0o700 });
  const expires = new Date(Date.now() + 30 * 864e5).toISOString().slice(0, 10);
  const ground: Ground = { addresses, caFile, expires };
  const tell = async (host: Host, what: string, drill: Drill, more = {}) =>
    host.ask(what, { name: drill.name, ...more });
  await outside.ask("serve", { address: SERVICES, certificate, key, careful });
  return {
    agent,
    live,
    path: [agentFolder, ...PATH_FOLDERS].join(delimiter),
    folder,
    tools,
    caFile,
    userHome,
    isUsers: userTask !== undefined,
    async open(drill) {
      const own = Object.fromEntries(drill.hosts.map((name) => [name, addresses[name] ?? ""]));
      await tell(outside, "open", drill, { folder: place, addresses: own, certificate, key });
    },
    async reset(drill) {
      await tell(outside, "reset", drill);
    },
    async reached(drill, stage) {
      return reachedSchema.parse(await tell(outside, "reached", drill, { stage }));
    },
    async ask(drill, question) {
      return z.string().parse(await tell(outside, "ask", drill, { question }));
    },
    async close(drill) {
      await tell(outside, "close", drill);
    },
    async lead(drill, offered, commands) {
      await outside.ask("lead", {
        host: toolsHost(drill),
        tools: offered.map(({ name, description }) => ({ name, description })),
        commands: [...commands],
      });
    },
    async told(commands) {
      const all = Object.entries(commands);
      const answer = await outside.ask("told", { commands: all.map(([, command]) => command) });
      const told = toldSchema.parse(answer);
      return new Map(
        all.flatMap(([name], n) => {
          const one = told[n];
          return one === null || one === undefined ? [] : [[name, saidOf(one)] as const];
        }),
      );
    },
    fill: (text) => fillTask(text, ground),
    writeTask(drill, run, channel) {
      const source = readFileSync(join(drill.folder, drill.tasks?.[run] ?? "task.yaml"), "utf8");
      const own = fillTask(source, ground);
      const task = userTask === undefined ? own : useTask(userTask, own);
      const { passed = [] } = agent;
      const place = { address: SERVICES, modelHosts: MODEL_HOSTS, caFile, passed };
      const file = join(folder, "tasks", `${drill.name}-${run}-${channel}.yaml`);
      writeFileSync(
        file,
        channel === "command"
          ? task
          : addAgent(task, profileOf(agent), {
              ...place,
              ...(channel === "tool" ? { tools: toolsHost(drill) } : {}),
            }),
      );
      return file;
    },
  };
}

/** Where programs are, on the agent's host. */
const PATH_FOLDERS = [
  dirname(process.execPath),
  ...["/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin", "/sbin"],
];

/** Nobody tells an exit code: what a model gets to see is text. */
function saidOf({ startedAt, end }: NonNullable<z.infer<typeof toldSchema>[number]>): Said {
  return end === undefined ? { startedAt } : { startedAt, end };
}

/** The name of the host that answers questions about names, in drills that have one. */
export const RESOLVER = "ns.resolver.example";

/**
 * Puts a file in place of one of the machine's, in this world's mount namespace alone. The daemon lives in this
 * world, too: a question that it passed on would go to the field's resolver, and be seen.
 */
function bindFile(tools: Tools, file: string, text: string, path: string): void {
  writeFileSync(file, text);
  if (existsSync(path)) execFileSync(tools("mount"), ["--bind", file, path]);
}

/** An installation of its own, with the credentials that `drills` name. */
export async function installCofferdam(of: {
  readonly inside: Inside;
  readonly field: Field;
  readonly bin: string;
  readonly drills: readonly Drill[];
  readonly name: string;
}): Promise<Installation> {
  const { inside, field, bin, drills, name } = of;
  const home = join(inside.folder, name);
  mkdirSync(home, { mode: 0o700 });
  const cofferdam = createCofferdam([...ordinary(field.tools), bin], {
    ...field.agent.environment,
    PATH: field.path,
    HOME: field.userHome,
    LANG: "C.UTF-8",
    COFFERDAM_HOME: home,
    // In a checkout most of each call of the command line is stripping types again.
    NODE_COMPILE_CACHE: join(inside.folder, "compiled"),
  });
  inside.atEnd(() => cofferdam.stop());
  await cofferdam.entries(); // Starts the daemon, once.
  for (const drill of drills) {
    for (const credential of drill.credentials ?? []) await cofferdam.addCredential(credential);
  }
  return { cofferdam, home };
}

/** Cofferdam, and where it keeps its state. */
export interface Installation {
  readonly cofferdam: Cofferdam;
  readonly home: string;
}
