/**
 * Telling the daemon which port a process beside it has, so that no run is let there. Where no daemon hears it, nothing
 * is to be served.
 *
 * @module
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Takes } from "../api/index.ts";
import type { Client } from "./client.ts";

/** A daemon that ended is looked for again: it may only have been restarted. */
const AGAIN_MS = 250;

type Announcement = "console.announce" | "adapter.announce";

export interface Announced {
  /** Whether a daemon keeps runs from the port now. */
  isHeard(): boolean;
  /** Resolves when nothing is announced any more; after `closing`. */
  readonly over: Promise<void>;
}

/**
 * Announces `where` until `closing`, anew to each daemon of this home.
 *
 * @throws {Fault} `daemon.console`, `daemon.adapter` where another is open; what keeps the daemon from answering.
 */
export async function announce<Name extends Announcement>(
  client: Client,
  name: Name,
  where: Takes<Name>,
  closing: AbortSignal,
): Promise<Announced> {
  let isHeard = false;
  const first = Promise.withResolvers<void>();
  const hold = async () => {
    try {
      for await (const _ of client.stream(name, where, closing)) {
        isHeard = true;
        first.resolve();
      }
    } finally {
      isHeard = false;
    }
  };
  const keep = async () => {
    await hold().catch(first.reject); // Only the first failure is told: of those that follow, silence speaks.
    while (!closing.aborted) {
      await sleep(AGAIN_MS, undefined, { signal: closing }).catch(() => {});
      if (!closing.aborted) await hold().catch(() => {});
    }
  };
  const over = keep();
  await first.promise;
  return { isHeard: () => isHeard, over };
}
