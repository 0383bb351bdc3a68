/**
 * Puts on record what the run's network refused by itself: the kernel counts, we read (INV-27).
 *
 * @module
 */
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
  readonly #read: () => RefusedPackets;
  readonly #gateway: Pick<Gateway, "refusedUnheard">;
  /** By target or transport, as last seen. */
  readonly #seen = new Map<string, number>();

  constructor(read: () => RefusedPackets, gateway: Pick<Gateway, "refusedUnheard">) {
    this.#read = read;
    this.#gateway = gateway;
  }

  look(): void {
    const { totals, targets } = this.#read();
    let known = 0;
    for (const { address, port, packets } of targets) {
      known += packets;
      const more = this.#more(`${address} ${port}`, packets);
      if (more === 0) continue;
      const to = { address, port };
      this.#gateway.refusedUnheard({ transport: "udp", count: more, to });
    }
    for (const transport of REFUSED_TRANSPORTS) {
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

/** Reads the counters of a run until the returned function is called, which reads them a last time. */
export function followPackets(
  netfilter: number,
  gateway: Pick<Gateway, "refusedUnheard">,
  failed: (error: unknown) => void,
): () => void {
  const counts = new PacketCounts(() => readRefusedPackets(netfilter), gateway);
  const look = () => {
    try {
      counts.look();
    } catch (error) {
      clearInterval(timer);
      failed(error);
    }
  };
  const timer = setInterval(look, POLL_MS).unref();
  return () => {
    clearInterval(timer);
    look();
    closeDescriptor(netfilter);
  };
}
