/**
 * A host of the test world: a program in a network namespace of its own, with a link to the network
 * it is on, that answers questions over the channel Node gives a child.
 *
 * @module
 */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { promisify } from "node:util";
import { z } from "zod";
import { describeError, Fault } from "../../src/base/index.ts";
import { ordinary, type Tools } from "./tools.ts";

const run = promisify(execFile);
/** Longest wait for a host's answer, in milliseconds. */
const ANSWER_MS = 10_000;

const questionSchema = z.object({ id: z.number(), ask: z.string(), value: z.json() });
const answerSchema = z.object({ id: z.number(), value: z.json(), error: z.string().optional() });
export type Json = z.infer<ReturnType<typeof z.json>>;

/** A host as the drill sees it. */
export interface Host {
  readonly pid: number;
  /**
   * Asks it something and resolves with its answer.
   *
   * @throws {Fault} `drill.host` where it fails, dies, or does not answer within 10 seconds.
   */
  ask(ask: string, value?: Json): Promise<Json>;
}

/** One link between the caller's namespace and a host's. */
export interface Link {
  /** The interface's name on our side; on the host's side it is `eth0`. */
  readonly name: string;
  readonly ours: readonly string[];
  readonly theirs: readonly string[];
  /** Further addresses, each reached over this link without a network of its own. */
  readonly routes: readonly string[];
  /** Files that the host has in place of the machine's: `{"/etc/passwd": "/path/of/another"}`. */
  readonly files: Readonly<Record<string, string>>;
}

/** Binds each pair of paths before `--`, in a mount namespace of its own, and becomes what follows. */
const BIND_FILES =
  'while [ "$1" != -- ]; do mount --bind "$1" "$2" && shift 2 || exit 1; done; shift; exec "$@"';

/**
 * Starts `program` in a network namespace of its own and links it. It may listen on any port, as any
 * user: the namespace is its own.
 *
 * @throws {Fault} `drill.network` where a link cannot be made.
 */
export async function startHost(tools: Tools, program: string, link: Link): Promise<Host> {
  const files = Object.entries(link.files).flatMap(([over, by]) => [by, over]);
  const shell = ["--net", "--mount", "--", "/bin/sh", "-c", BIND_FILES, "host"];
  const line = [...shell, ...files, "--", ...ordinary(tools), process.execPath, program];
  const child = spawn(tools("unshare"), line, {
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const gone = once(child, "exit").then(([code]) => {
    throw new Fault("drill.host", `the host ${link.name} ended (exit ${code})`);
  });
  gone.catch(() => {}); // Told to whoever waits for an answer.
  child.on("error", () => {}); // A question to a host that is gone: the same is told.
  const waiting = new Map<number, (answer: z.infer<typeof answerSchema>) => void>();
  child.on("message", (message) => {
    const answer = answerSchema.parse(message);
    waiting.get(answer.id)?.(answer);
    waiting.delete(answer.id);
  });
  let last = 0;
  const ask = async (ask: string, value: Json = null): Promise<Json> => {
    const id = (last += 1);
    const answered = new Promise<z.infer<typeof answerSchema>>((resolve, reject) => {
      waiting.set(id, resolve);
      const fail = () => reject(new Fault("drill.host", `${link.name} did not answer ${ask}`));
      setTimeout(fail, ANSWER_MS).unref();
    });
    child.send({ id, ask, value });
    const answer = await Promise.race([answered, gone]);
    if (answer.error !== undefined) {
      throw new Fault("drill.host", `the host ${link.name} failed at ${ask}: ${answer.error}`);
    }
    return answer.value;
  };
  try {
    await ask("ready"); // From here on it is in its namespace.
    await connect(tools, child.pid ?? 0, link);
  } catch (error) {
    child.kill("SIGKILL");
    throw error;
  }
  return { pid: child.pid ?? 0, ask };
}

async function connect(tools: Tools, pid: number, link: Link): Promise<void> {
  const ours = [
    `link add ${link.name} type veth peer name eth0 netns ${pid}`,
    ...link.ours.map((address) => `addr add ${address} dev ${link.name}`),
    `link set ${link.name} up`,
    ...link.routes.map((route) => `route add ${route} dev ${link.name}`),
  ];
  const theirs = [
    "link set lo up",
    ...link.theirs.map((address) => `addr add ${address} dev eth0`),
    "link set eth0 up",
  ];
  const inside = ["--target", String(pid), "--net", "--"];
  const port = "echo 0 >/proc/sys/net/ipv4/ip_unprivileged_port_start";
  try {
    for (const line of ours) await run(tools("ip"), line.split(" "));
    for (const line of theirs) {
      await run(tools("nsenter"), [...inside, tools("ip"), ...line.split(" ")]);
    }
    await run(tools("nsenter"), [...inside, "/bin/sh", "-c", port]);
  } catch (cause) {
    throw new Fault("drill.network", `cannot link the test world: ${describeError(cause)}`, {
      cause,
      hint: "the kernel needs virtual Ethernet pairs: modprobe veth",
    });
  }
}

/** Serves a host's answers until the parent is gone; `handlers` are the questions it knows. */
export function serveHost(
  handlers: Readonly<Record<string, (value: Json) => Promise<Json>>>,
): void {
  process.on("disconnect", () => process.exit(0));
  process.on("message", (message) => {
    const { id, ask, value } = questionSchema.parse(message);
    const answer = async () => {
      try {
        const handler = handlers[ask];
        if (ask !== "ready" && handler === undefined) throw new Error("an unknown question");
        process.send?.({ id, value: (await handler?.(value)) ?? null });
      } catch (error) {
        process.send?.({ id, value: null, error: describeError(error) });
      }
    };
    void answer();
  });
}
