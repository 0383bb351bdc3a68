/**
 * The record as it grows, whatever becomes of its daemon: where one ends, the next is waited for, and reading goes on at
 * the entry behind the last.
 *
 * INV-167: none is left out and none is given twice. The last that was given is read once more from the next daemon: where
 * it is another now, or gone, the record lost what was given, and that is said rather than glossed over.
 *
 * @module
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Entry } from "../api/index.ts";
import { Fault, isFault } from "../base/index.ts";
import type { Client } from "../client/index.ts";

/** How often a daemon is looked for; nothing is started. */
const LOOK_MS = 500;

export interface FollowOptions {
  /** The first entry that is wanted. */
  readonly from: number;
  readonly signal: AbortSignal;
  warn(text: string): void;
}

/**
 * Yields entries from `from` on, in order, until `signal` aborts.
 *
 * @throws {Fault} `cli.cursor` where the record is another than the one that was read.
 */
export async function* followEntries(
  client: Pick<Client, "call" | "stream">,
  { from, signal, warn }: FollowOptions,
): AsyncIterable<Entry> {
  let last: Entry | undefined;
  while (!signal.aborted) {
    try {
      // Read once more: it has to be the same.
      const at = last?.seq ?? from;
      for await (const entry of client.stream("log.read", { follow: true, from: at }, signal)) {
        if (entry.seq === last?.seq) requireSame(last, entry);
        else {
          last = entry;
          yield entry;
        }
      }
    } catch (error) {
      if (!signal.aborted && !isGone(error)) throw error;
    }
    if (signal.aborted) return;
    warn("the daemon has ended; it is waited for");
    await awaitDaemon(client, last?.seq, signal);
  }
}

/** Resolves when a daemon answers that has entry `last`, or `signal` aborts. */
async function awaitDaemon(
  client: Pick<Client, "call">,
  last: number | undefined,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      const { entries } = await client.call("daemon.status", {});
      if (last !== undefined && entries <= last) throw lost(last);
      return;
    } catch (error) {
      if (!isGone(error)) throw error;
    }
    await sleep(LOOK_MS, undefined, { signal }).catch(() => {}); // Aborted: seen above.
  }
}

/** Whether a call failed since its daemon is not there, or went away while it spoke. */
function isGone(error: unknown): boolean {
  if (error instanceof SyntaxError) return true; // A line that was cut.
  if (isFault(error)) {
    const isCut = error.code === "cli.control" && error.cause !== undefined;
    return error.code === "cli.unreachable" || isCut;
  }
  return error instanceof Error && "code" in error && GONE.has(String(error.code));
}

const GONE: ReadonlySet<string> = new Set(["ECONNRESET", "EPIPE", "ERR_STREAM_PREMATURE_CLOSE"]);

function requireSame(before: Entry, now: Entry): void {
  if (JSON.stringify(before) !== JSON.stringify(now)) throw lost(before.seq);
}

function lost(seq: number): Fault {
  return new Fault("cli.cursor", `entry ${seq} was read, and is not in the record any more`, {
    hint: "the disk lost the record's end; `cofferdam verify` tells what is whole",
  });
}
