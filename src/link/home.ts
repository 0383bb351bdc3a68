/**
 * Where an installation keeps its state: one folder, so that two instances never meet.
 *
 * ```
 * $COFFERDAM_HOME/
 *   daemon.sock   control socket, 0600        daemon.log   operating log
 *   ledger/       the record                  keys/        its signing key, the CA's key, 0600
 *   runs/ID/      task, public files, workspace layer of one run
 *   homes/KEY/    HOME of a run, per workspace and profile
 * ```
 *
 * @module
 */
import { isAbsolute, join } from "node:path";
import { Fault } from "../base/index.ts";

/** Paths of one installation. */
export interface Home {
  readonly root: string;
  readonly socket: string;
  readonly log: string;
  readonly ledger: string;
  readonly keys: string;
  readonly runs: string;
  readonly homes: string;
}

/**
 * The home that `environment` names: `COFFERDAM_HOME`, else the XDG state folder.
 *
 * @throws {Fault} `api.home` where neither that nor HOME is set, or the path is relative.
 */
export function locateHome(environment: Readonly<Record<string, string | undefined>>): Home {
  const state = environment["XDG_STATE_HOME"];
  const user = environment["HOME"];
  const root =
    environment["COFFERDAM_HOME"] ??
    (state ? join(state, "cofferdam") : user ? join(user, ".local", "state", "cofferdam") : "");
  if (!isAbsolute(root)) {
    throw new Fault(
      "api.home",
      `no state folder: ${JSON.stringify(root)} is not an absolute path`,
      {
        hint: "set COFFERDAM_HOME to an absolute path",
      },
    );
  }
  return {
    root,
    socket: join(root, "daemon.sock"),
    log: join(root, "daemon.log"),
    ledger: join(root, "ledger"),
    keys: join(root, "keys"),
    runs: join(root, "runs"),
    homes: join(root, "homes"),
  };
}
