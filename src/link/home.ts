/**
 * Where an installation keeps its state: one folder, so that two instances never meet.
 *
 * ```
 * $COFFERDAM_HOME/
 *   daemon.sock   control socket, 0600        daemon.log   operating log
 *   console.sock  where an open console is asked for a link, 0600
 *   ledger/       the record                  keys/        its signing key, the CA's key, 0600
 *   runs/ID/      task, public files, workspace layer, recordings of one run
 *   homes/KEY/    HOME of a run, per workspace and profile
 *   vault/        credentials, sealed; unlocked by keys/vault.key or a passphrase
 *   catalog/      systems of one's own, a file each; written by a person
 *   unattended.db what passed without a person, of what may in a time
 *   lineages.yaml, lineages.db   what all runs of a job may do, what they did, and which stand still
 *   snapshots/ID/ what runs start from
 *   facts/        what probes found of accounts, and what a person states beside; rules/ rules of one's own
 *   approvers.yaml, approvals.db, channels.db   who decides, what waits, and where it was shown
 *   e2b-keys.json   digests of the keys of E2B's clients, 0600
 *   passkeys.json   whose passkeys are believed, 0600
 *   retention.yaml, holds.json   for how long the record is kept, and which runs longer
 *   formats.json  of which form these are; exports/ how far exports have come
 * ```
 *
 * @module
 */
import { isAbsolute, join } from "node:path";
import { Fault } from "../base/fault.ts";

/** sun_path less its zero byte (unix(7)). */
const SOCKET_PATH_BYTES_MAX = 107;

/** Paths of one installation. */
export interface Home {
  readonly root: string;
  readonly socket: string;
  readonly consoleSocket: string;
  readonly log: string;
  readonly ledger: string;
  readonly keys: string;
  readonly runs: string;
  readonly homes: string;
  readonly snapshots: string;
  readonly vault: string;
  readonly catalog: string;
  readonly facts: string;
  readonly rules: string;
}

/**
 * The home that `environment` names: `COFFERDAM_HOME`, else the XDG state folder.
 *
 * @throws {Fault} `api.home` where neither that nor HOME is set, or the path is relative or too long.
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
  const socket = join(root, "daemon.sock");
  const consoleSocket = join(root, "console.sock"); // The longer of the two.
  if (new TextEncoder().encode(consoleSocket).length > SOCKET_PATH_BYTES_MAX) {
    throw new Fault("api.home", `the state folder's path is too long for a socket: ${root}`, {
      hint: `set COFFERDAM_HOME to a path of at most ${SOCKET_PATH_BYTES_MAX - "/console.sock".length} bytes`,
    });
  }
  return {
    root,
    socket,
    consoleSocket,
    log: join(root, "daemon.log"),
    ledger: join(root, "ledger"),
    keys: join(root, "keys"),
    runs: join(root, "runs"),
    homes: join(root, "homes"),
    snapshots: join(root, "snapshots"),
    vault: join(root, "vault"),
    catalog: join(root, "catalog"),
    facts: join(root, "facts"),
    rules: join(root, "rules"),
  };
}
