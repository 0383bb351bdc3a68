/**
 * Unix sockets that grants dial: looked at before the run starts, since a path can lead elsewhere.
 *
 * @module
 */
import { lstatSync, realpathSync } from "node:fs";
import { Fault } from "../base/index.ts";
import type { Policy } from "../policy/index.ts";

/**
 * Requires that every such path is what it says, a socket, and not below `writable`: what the agent may
 * write there, now or by `apply`, could put another socket or a link in its place.
 *
 * @throws {Fault} `daemon.dial`
 */
export function checkDialPaths({ grants }: Policy, writable: readonly string[]): void {
  for (const { name, dial } of grants) {
    if (dial === undefined || !("path" in dial)) continue;
    const { path } = dial;
    const refuse = (why: string, hint: string): never => {
      throw new Fault("daemon.dial", `grant ${name} dials ${path}, ${why}`, { hint });
    };
    const real = realPath(path);
    if (real === undefined) {
      refuse("which is not there", "start the service that listens on it first");
    } else if (real !== path) refuse("which is a link", `write its real path: unix:${real}`);
    else if (!lstatSync(path).isSocket()) {
      refuse("which is no socket", "name the socket that the service listens on");
    }
    const below = writable.find((folder) => path.startsWith(`${realPath(folder) ?? folder}/`));
    if (below !== undefined) {
      refuse(`which is below ${below}`, "a run may not choose what its own grants lead to");
    }
  }
}

function realPath(path: string): string | undefined {
  try {
    return realpathSync.native(path);
  } catch {
    return undefined; // Absent, or a way that cannot be walked: not there for us.
  }
}
