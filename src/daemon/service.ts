/**
 * The daemon as a service of systemd: says when it is ready, and that it lives, as long as it does (sd_notify(3),
 * sd_watchdog_enabled(3)).
 *
 * INV-235: it says that it lives only from a turn of its event loop, and only after the record was written to and is on
 * the disk. A daemon that hangs, or whose disk does, is ended by the manager, and its runs with it.
 *
 * @module
 */
import { closeSync, fdatasync, openSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Home } from "../api/index.ts";
import { describeError, type Log } from "../base/index.ts";
import type { Ledger } from "../ledger/index.ts";
import { notifyService } from "../sys/index.ts";
import { SERVICE_MARK } from "../client/index.ts";

/** How many times in the manager's patience it is told; one that is late is then not fatal. */
const BEATS = 3;
const BEAT_MS_MIN = 10;

export interface ServiceOptions {
  readonly home: Home;
  readonly ledger: Pick<Ledger, "failure" | "checkpoint">;
  readonly log: Log;
  /** NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID are taken out of it: they are for this process, not for what it starts. */
  readonly environment: Record<string, string | undefined>;
  readonly pid: number;
}

/** What the manager is told. */
export interface Service {
  /** The control socket listens. */
  ready(): void;
  stopping(): void;
}

/** What to tell whoever started this daemon; nothing where that is no service manager. */
export function joinService({ home, ledger, log, environment, pid }: ServiceOptions): Service {
  const { NOTIFY_SOCKET: socket, WATCHDOG_USEC: patience, WATCHDOG_PID: whose } = environment;
  for (const name of ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"]) delete environment[name];
  const mark = join(home.root, SERVICE_MARK);
  if (socket === undefined || socket === "") {
    rmSync(mark, { force: true });
    return { ready: () => {}, stopping: () => {} };
  }
  // From now on no command starts a daemon of its own beside the service, which would lack what the unit holds it to.
  writeFileSync(mark, "", { mode: 0o600 });
  const tell = (text: string) => {
    try {
      notifyService(socket, text);
    } catch (error) {
      log.warn("service.untold", { text, error: describeError(error) });
    }
  };
  const everyMs = patienceMs(patience, whose, pid) / BEATS;
  let timer: NodeJS.Timeout | undefined;
  let isLooking = false;
  const beat = async () => {
    if (isLooking) return; // The disk has not answered yet: silence is what says so.
    isLooking = true;
    try {
      await requireRecord(home, ledger);
      tell("WATCHDOG=1");
    } catch (error) {
      log.warn("service.unwell", { error: describeError(error) });
    } finally {
      isLooking = false;
    }
  };
  return {
    ready() {
      tell(`READY=1\nSTATUS=serving ${home.root}`);
      if (everyMs >= BEAT_MS_MIN) timer ??= setInterval(() => void beat(), everyMs).unref();
    },
    stopping() {
      // It goes on telling that it lives: ending many runs takes its time.
      tell("STOPPING=1");
    },
  };
}

/** Milliseconds that the manager waits for word; 0 where it does not watch, or watches another process. */
function patienceMs(text = "", whose: string | undefined, pid: number): number {
  if (whose !== undefined && Number(whose) !== pid) return 0;
  return /^[1-9]\d{0,14}$/.test(text) ? Number(text) / 1000 : 0;
}

const synced = promisify(fdatasync);

/** Resolves when what was recorded is signed and on disk, and the home's disk takes more. */
async function requireRecord(home: Home, ledger: ServiceOptions["ledger"]): Promise<void> {
  if (ledger.failure !== undefined) throw ledger.failure;
  await ledger.checkpoint();
  const file = openSync(join(home.root, "alive"), "w", 0o600);
  try {
    writeSync(file, "alive\n");
    await synced(file);
  } finally {
    closeSync(file);
  }
}
