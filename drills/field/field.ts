/**
 * The field: the test world that all drills share. One host outside with an address for each name, the agent's
 * host, one installation of Cofferdam.
 *
 * @module
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";
import { createCofferdam, type Cofferdam } from "../cofferdam.ts";
import {
  createTestCertificate,
  ordinary,
  programPath,
  startHost,
  type Host,
  type Inside,
  type Tools,
} from "../world/index.ts";
import type { Drill, Reached, Stage } from "./drill.ts";
import { fillTask, useTask, type Ground } from "./task.ts";

/** Addresses of the outside network, from the range for documentation (RFC 5737). */
const NETWORK = "203.0.113.";
const FIRST_HOST = 10;
const reachedSchema = z.record(
  z.string(),
  z.object({ crossed: z.boolean(), effect: z.boolean(), harm: z.boolean(), told: z.string() }),
);

/** The field, ready for drills. */
export interface Field {
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
  /** `text` with the addresses of the field in place of its slots. */
  fill(text: string): string;
  /** Writes the task file of a run, and says where. */
  writeTask(drill: Drill, run: string): string;
}

/** The addresses of all names that `drills` use; each name is one drill's alone. */
export function addressesOf(drills: readonly Drill[]): Readonly<Record<string, string>> {
  const names = drills.flatMap(({ hosts }) => hosts);
  return Object.fromEntries(names.map((name, index) => [name, `${NETWORK}${FIRST_HOST + index}`]));
}

/** Sets the field up around the calling process, which is on the agent's host. */
export async function openField(
  tools: Tools,
  inside: Inside,
  drills: readonly Drill[],
  userTask: string | undefined,
): Promise<Field> {
  const { folder } = inside;
  execFileSync(tools("ip"), ["link", "set", "lo", "up"]);
  const addresses = addressesOf(drills);
  const outside = await startHost(tools, programPath(import.meta.url, "./outside"), {
    name: "wan",
    ours: [`${NETWORK}1/24`],
    theirs: Object.values(addresses).map((address) => `${address}/24`),
    routes: [],
    files: {},
  });
  const { ca, certificate, key } = createTestCertificate(Object.keys(addresses));
  const caFile = join(folder, "ca.pem");
  writeFileSync(caFile, ca);
  const names = Object.entries(addresses).map(([name, address]) => `${address} ${name}\n`);
  const hosts = `127.0.0.1 localhost\n${names.join("")}`;
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
  return {
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
    fill: (text) => fillTask(text, ground),
    writeTask(drill, run) {
      const source = readFileSync(join(drill.folder, drill.tasks?.[run] ?? "task.yaml"), "utf8");
      const own = fillTask(source, ground);
      const file = join(folder, "tasks", `${drill.name}-${run}.yaml`);
      writeFileSync(file, userTask === undefined ? own : useTask(userTask, own));
      return file;
    },
  };
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
export async function installCofferdam(
  inside: Inside,
  field: Field,
  bin: string,
  drills: readonly Drill[],
  name = "home",
): Promise<Installation> {
  const home = join(inside.folder, name);
  mkdirSync(home, { mode: 0o700 });
  const cofferdam = createCofferdam([...ordinary(field.tools), bin], {
    PATH: `${dirname(process.execPath)}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin`,
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
