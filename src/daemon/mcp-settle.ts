/**
 * What grants of MCP say by file: pins are read when a run is planned, so that what was reviewed stands in the
 * policy itself, and on record; a server of ours is reached through the daemon, and nowhere else.
 *
 * @module
 */
import { dirname, resolve } from "node:path";
import type { Json } from "../action/index.ts";
import { describeError, Fault, readTextFile } from "../base/index.ts";
import type { Task, TaskGrant } from "../policy/index.ts";
import { mcp } from "../protocols/index.ts";

/** `task` with what its grants of MCP name by file; `task` itself where there is none. */
export function settleMcp(task: Task, taskFile: string): Task {
  if (!task.grants.some(({ system }) => system === "mcp")) return task;
  return { ...task, grants: task.grants.map((grant) => settleGrant(grant, dirname(taskFile))) };
}

function settleGrant(grant: TaskGrant, folder: string): TaskGrant {
  if (grant.system !== "mcp") return grant;
  const options = mcp.optionsSchema.parse(grant.with ?? {});
  const { pin, server } = options;
  const isFile = typeof pin === "string" && !mcp.isDigest(pin);
  const settled = isFile
    ? { ...grant.with, pin: readPin(resolve(folder, pin)) as Json }
    : grant.with;
  return {
    ...grant,
    ...(settled === undefined ? {} : { with: settled }),
    ...(server === undefined ? {} : { dial: { own: true } }),
  };
}

/** Whether a run of `task` starts servers. */
export function bringsServers({ grants }: Task): boolean {
  return grants.some(({ dial, system }) => system === "mcp" && dial !== undefined && "own" in dial);
}

/**
 * The pin that the file at `path` holds.
 *
 * @throws {Fault} `daemon.mcp_pin` where it cannot be read, or holds none.
 */
export function readPin(path: string): NonNullable<mcp.Options["pin"]> {
  try {
    return mcp.pinSchema.parse(JSON.parse(readTextFile(path, { mayWait: false })));
  } catch (cause) {
    throw new Fault("daemon.mcp_pin", `cannot read the pin ${path}: ${describeError(cause)}`, {
      cause,
      hint: "`cofferdam mcp pin` shows what the server offers, and writes one",
    });
  }
}
