/**
 * The machine that Cofferdam itself runs on, as a host that it asks would tell of it.
 *
 * @module
 */
import { userInfo } from "node:os";
import { readTextFile } from "../../base/index.ts";

export interface OwnMachine {
  /** Linux's boot_id; empty where there is none. */
  readonly boot: string;
  /** machine-id(5); empty in many containers. */
  readonly machine: string;
  /** Whose the daemon is. */
  readonly user: string;
}

export function readOwnMachine(): OwnMachine {
  return {
    boot: readId("/proc/sys/kernel/random/boot_id"),
    machine: readId("/etc/machine-id"),
    user: userInfo().username,
  };
}

function readId(path: string): string {
  try {
    return readTextFile(path, { mayWait: false }).trim();
  } catch {
    return ""; // It has none: whoever has none as well counts as this machine.
  }
}
