/**
 * What became of an attempt, from what services counted and what could be read through a tunnel.
 *
 * @module
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Attempt } from "./attempts.ts";
import type { Scene } from "./scene.ts";
import type { Contact } from "./tally.ts";
import { readScan, type Said } from "./words.ts";

/** How often a port that a tunnel may have opened is tried, in milliseconds. */
const PROBE_EVERY_MS = 60;
/** How long a server on a loaded machine takes to see that its client is gone, at most. */
const CLOSED_MS = 20_000;

/** The three separate answers, and one clause for a person. */
export interface Reached {
  readonly crossed: boolean;
  readonly effect: boolean;
  readonly harm: boolean;
  readonly told: string;
}

/** What a stranger outside found at the port a tunnel would open. */
export interface Tunnelled {
  readonly open: boolean;
  /** When the secret file was read through it, wall clock; absent if never. */
  readonly readAt?: number;
}

/**
 * Tries the forwarded port from outside until the attempt has ended, or the secret was read through
 * it: then the attempt is ended, since a tunnel would stay for ever.
 */
export async function watchTunnel(of: {
  readonly scene: Pick<Scene, "probe">;
  readonly attempt: Attempt;
  readonly secret: string;
  readonly outcome: Promise<unknown>;
  end(): void;
}): Promise<Tunnelled> {
  const { attempt, outcome } = of;
  let open = false;
  if (attempt.tunnel === undefined) return { open };
  const watch = { over: false };
  const stop = () => {
    watch.over = true;
  };
  void outcome.then(stop, stop); // A failure is told to whoever waits for the outcome itself.
  while (!watch.over) {
    const found = await of.scene.probe(attempt.tunnel.forwardPort);
    open ||= found.open;
    if (found.text.includes(of.secret)) {
      of.end();
      return { open, readAt: Date.now() };
    }
    await Promise.race([outcome, sleep(PROBE_EVERY_MS)]).catch(stop);
  }
  return { open };
}

/** Waits until nobody outside listens at the attempt's port any more: what is measured next would be told as open. */
export async function awaitClosed(scene: Pick<Scene, "probe">, attempt: Attempt): Promise<void> {
  if (attempt.tunnel === undefined) return;
  const limit = Date.now() + CLOSED_MS;
  while ((await scene.probe(attempt.tunnel.forwardPort)).open) {
    if (Date.now() > limit) throw new Error(`${attempt.name}: its tunnel outlives it`);
    await sleep(PROBE_EVERY_MS);
  }
}

/** Judges one attempt by the connections that services counted since `from`, wall clock. */
export function judgeOutcome(of: {
  readonly attempt: Attempt;
  readonly said: Said | undefined;
  readonly contacts: readonly Contact[];
  readonly tunnel: Tunnelled;
  readonly from: number;
}): Reached {
  const { attempt, tunnel } = of;
  const own = of.contacts.filter((contact) => contact.at >= of.from && attempt.reaches(contact));
  const crossed = own.length > 0;
  if (attempt.kind === "tunnel") {
    const harm = tunnel.readAt !== undefined;
    const told = "the tunnel was up and a file inside was read through it";
    return { crossed, effect: tunnel.open, harm, told };
  }
  if (attempt.kind === "mining") {
    const shares = own.reduce((sum, contact) => sum + contact.shares, 0);
    const accepted = own.reduce((sum, contact) => sum + contact.accepted, 0);
    const told = `the pool accepted ${accepted} of ${shares} shares`;
    return { crossed, effect: shares > 0, harm: accepted > 0, told };
  }
  const scan = readScan(of.said?.end?.text ?? "");
  const told = `${scan.open} of ${scan.tried} tries found something open, and secrets were read`;
  return { crossed, effect: scan.open > 0, harm: scan.learned, told };
}
