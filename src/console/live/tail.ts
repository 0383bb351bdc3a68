/**
 * The end of the record as it grows: one stream from the daemon, whoever listens, and its last entries kept.
 *
 * @module
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Entry } from "../../api/index.ts";
import { describeError, type Log } from "../../base/index.ts";
import type { Client } from "../../client/index.ts";

/** Entries that are kept for tabs that are a little behind; whoever is further behind reads the record. */
const KEPT_MAX = 1000;
const AGAIN_MS = 500;
const AGAIN_MS_MAX = 10_000;

export interface TailPorts {
  readonly client: Client;
  readonly log: Log;
  /** The daemon answers (again): its ledger has so many entries, and may be another. */
  onOpened(size: number): void;
  onEntry(entry: Entry): void;
}

export class Tail {
  readonly #ports: TailPorts;
  #kept: Entry[] = [];
  #size: number | undefined;

  constructor(ports: TailPorts) {
    this.#ports = ports;
  }

  /** Entries of the record; `undefined` until the daemon has answered. */
  get size(): number | undefined {
    return this.#size;
  }

  /** Entries from `seq` on; `undefined` where some of them are not kept any more. */
  since(seq: number): readonly Entry[] | undefined {
    const [first] = this.#kept;
    const start = first?.seq ?? this.#size;
    if (start === undefined || seq < start) return undefined;
    return this.#kept.slice(seq - start);
  }

  /** Follows until `signal` says so, over any number of daemons; never rejects. */
  async follow(signal: AbortSignal): Promise<void> {
    let waitMs = AGAIN_MS;
    while (!signal.aborted) {
      try {
        const { entries } = await this.#ports.client.call("daemon.status", {});
        const from = this.#begin(entries);
        waitMs = AGAIN_MS;
        for await (const entry of this.#ports.client.stream(
          "log.read",
          { follow: true, from },
          signal,
        )) {
          this.#take(entry);
        }
      } catch (error) {
        if (signal.aborted) return;
        this.#ports.log.warn("console.tail", { error: describeError(error) });
      }
      await sleep(waitMs, undefined, { signal }).catch(() => undefined);
      waitMs = Math.min(2 * waitMs, AGAIN_MS_MAX);
    }
  }

  /** Where to go on. A record that became shorter is another, or lost its end: nothing of it is kept. */
  #begin(size: number): number {
    if (this.#size === undefined || size < this.#size) {
      this.#kept = [];
      this.#size = size;
    }
    this.#ports.onOpened(size);
    return this.#size;
  }

  #take(entry: Entry): void {
    this.#kept.push(entry);
    this.#size = entry.seq + 1;
    if (this.#kept.length > 2 * KEPT_MAX) this.#kept = this.#kept.slice(-KEPT_MAX);
    this.#ports.onEntry(entry);
  }
}
