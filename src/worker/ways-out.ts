/**
 * Connections that were dialled for a run, as a firewall sees them, until an entry tells of them: its 5-tuple is the one
 * name that a flow has inside and outside of this host. They ride in the next entry of their flow, which most flows
 * write at once; one that writes none (a tunnel that stays open) gets one of its own (docs/decisions/0436).
 *
 * @module
 */
import { isIPv6 } from "node:net";
import type { Event } from "../action/index.ts";
import type { Attempt } from "../gateway/index.ts";
import type { Endpoint } from "../sys/index.ts";

type Json = NonNullable<Event["data"]>[string];

/** How long one waits for another entry that tells of it. */
const TELL_MS = 1000;
/** Of one flow; more are told at once. */
const UNTOLD_MAX = 32;

interface Untold {
  readonly attempts: Attempt[];
  readonly timer: NodeJS.Timeout;
}

export class WaysOut {
  readonly #untold = new Map<string, Untold>();
  readonly #tell: (flow: string, out: Json) => void;

  /** @param tell writes an entry of its own. */
  constructor(tell: (flow: string, out: Json) => void) {
    this.#tell = tell;
  }

  /** A SYN leaves for `flow`. */
  note(flow: string, attempt: Attempt): void {
    const untold = this.#untold.get(flow);
    if (untold === undefined) {
      const timer = setTimeout(() => this.#tellNow(flow), TELL_MS).unref();
      this.#untold.set(flow, { attempts: [attempt], timer });
    } else if (untold.attempts.push(attempt) >= UNTOLD_MAX) this.#tellNow(flow);
  }

  /** What the entry that is written next has to tell; nothing where all is told. */
  take(flow: string): { readonly out?: Json } {
    const untold = this.#untold.get(flow);
    if (untold === undefined) return {};
    clearTimeout(untold.timer);
    this.#untold.delete(flow);
    return { out: outOf(untold.attempts) };
  }

  #tellNow(flow: string): void {
    const { out } = this.take(flow);
    if (out !== undefined) this.#tell(flow, out);
  }
}

/** As an entry holds them: `{ at, from, to }`, each end as `address:port`, and `failed` where nobody answered. */
export function outOf(attempts: readonly Attempt[]): Json {
  return attempts.map(({ atMs, from, to, failed }) => ({
    at: new Date(atMs).toISOString(),
    from: printEnd(from),
    to: printEnd(to),
    ...(failed === true ? { failed } : {}),
  }));
}

function printEnd({ address, port }: Endpoint): string {
  return isIPv6(address) ? `[${address}]:${port}` : `${address}:${port}`;
}

/** What a worker says, of whatever kind, without what only the daemon knows. */
export function ownless<E extends { readonly data?: object | undefined }>(event: E): E {
  if (event.data === undefined || !("out" in event.data)) return event;
  const { out: _, ...said } = event.data;
  return { ...event, data: said };
}
