/**
 * Puts on record what the run's network refused by itself: the kernel counts, we read (INV-27).
 *
 * @module
 */
import { setImmediate as breathe } from "node:timers/promises";
import type { Gateway } from "../gateway/index.ts";
import {
  closeDescriptor,
  readRefusedPackets,
  REFUSED_TRANSPORTS,
  type RefusedPackets,
} from "../sys/index.ts";

/** How often the counters are read; so late may a scan by UDP be found. */
export const POLL_MS = 2000;

/** Tells what came to the counters since they were last read. */
export class PacketCounts {
  readonly #read: (udpSeen: number) => RefusedPackets;
  readonly #gateway: Pick<Gateway, "refusedUnheard">;
  /** By target or transport, as last seen. */
  readonly #seen = new Map<string, number>();

  /** UDP of all targets together, as last seen. */
  #udp = 0;

  /** `read` may leave targets out where no more UDP was refused than it is told. */
  constructor(read: (udpSeen: number) => RefusedPackets, gateway: Pick<Gateway, "refusedUnheard">) {
    this.#read = read;
    this.#gateway = gateway;
  }

  look(): void {
    const { totals, targets } = this.#read(this.#udp);
    const isSame = totals.udp === this.#udp;
    this.#udp = totals.udp;
    let known = 0;
    for (const { address, port, packets } of targets) {
      known += packets;
      const more = this.#more(`${address} ${port}`, packets);
      if (more === 0) continue;
      const to = { address, port };
      this.#gateway.refusedUnheard({ transport: "udp", count: more, to });
    }
    for (const transport of REFUSED_TRANSPORTS) {
      if (transport === "udp" && isSame) continue;
      const more = this.#more(transport, totals[transport] - (transport === "udp" ? known : 0));
      if (more <= 0) continue;
      const family = transport === "icmpv6" ? "icmp" : transport;
      this.#gateway.refusedUnheard({ transport: family, count: more });
    }
  }

  #more(key: string, now: number): number {
    const seen = this.#seen.get(key) ?? 0;
    this.#seen.set(key, Math.max(seen, now));
    return now - seen;
  }
}

/** How long runs are looked at before others have their turn. */
const TURN_MS = 5;

interface Followed {
  look(): void;
}

/** Reads the counters of all runs: one timer, however many there are, and the daemon is never held up by it. */
export class PacketWatch {
  readonly #followed = new Set<Followed>();
  #timer: NodeJS.Timeout | undefined;
  #isLooking = false;

  /** Reads the counters of a run until the returned function is called, which reads them a last time. */
  follow(
    netfilter: number,
    gateway: Pick<Gateway, "refusedUnheard">,
    failed: (error: unknown) => void,
  ): () => void {
    const counts = new PacketCounts((udpSeen) => readRefusedPackets(netfilter, udpSeen), gateway);
    const one: Followed = {
      look: () => {
        try {
          counts.look();
        } catch (error) {
          this.#leave(one);
          failed(error);
        }
      },
    };
    this.#followed.add(one);
    this.#timer ??= setInterval(() => void this.look(), POLL_MS).unref();
    return () => {
      this.#leave(one);
      one.look();
      closeDescriptor(netfilter);
    };
  }

  /** Looks at every run once; not while an earlier look goes on. */
  async look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    try {
      let turnMs = performance.now();
      for (const one of [...this.#followed]) {
        if (performance.now() - turnMs > TURN_MS) {
          await breathe();
          turnMs = performance.now();
        }
        if (this.#followed.has(one)) one.look();
      }
    } finally {
      this.#isLooking = false;
    }
  }

  #leave(one: Followed): void {
    this.#followed.delete(one);
    if (this.#followed.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
