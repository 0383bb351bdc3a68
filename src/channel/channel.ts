/**
 * What every channel is to the courier: a way to put a card before approvers, and to hear what they answer. A
 * channel tells who said what about which message, as its service vouches for it; it decides nothing.
 *
 * @module
 */
import { Fault } from "../base/index.ts";

/** A message of ours, in the channel's own words. */
export interface Sent {
  /** `PLACE/MESSAGE` */
  readonly ref: string;
  /** Larger than of any message of that place before it, by the service's own count. */
  readonly order: number;
}

/** What is said in a channel about an approval. */
export interface Announcement {
  readonly id: string;
  readonly text: string;
  /** Whether the text shows all that is decided over; else nobody says yes to it here. */
  readonly isWhole: boolean;
}

/** What somebody said. */
export interface Reply {
  /** Who, as the service vouches for it: `telegram:4711`. */
  readonly from: string;
  readonly text: string;
  /** The {@link Sent.ref} of the message that it answers. */
  readonly about?: string;
  /** A button below a card. It is a wish, and no decision. */
  readonly press?: {
    readonly wish: "approve" | "deny";
    readonly id: string;
    readonly query: string;
  };
  /** As in {@link Sent}. */
  readonly order: number;
  /** Where it was said, and an answer goes. */
  readonly place: string;
  /**
   * Whether nobody but us can show them a card there. Elsewhere others could post one that looks like ours,
   * with the code of another request: there a yes must be an answer to our own message.
   */
  readonly isAlone: boolean;
}

/** What has come since the last time. */
export interface Batch {
  readonly replies: readonly Reply[];
  /** Where to go on from, by key, once the replies have been dealt with. */
  readonly cursors: ReadonlyMap<string, string>;
  /** When to ask again. */
  readonly pauseMs: number;
}

/** What is remembered for a channel from one daemon to the next. */
export interface Memory {
  cursor(key: string): string | undefined;
  /** Cards of what is still open, oldest first. */
  open(): readonly Sent[];
}

export interface Channel {
  /** `telegram`, `slack`, `ntfy`. */
  readonly name: string;
  /** Names the account and the places; another one remembers nothing of this one. */
  readonly key: string;
  /** Where cards go. */
  readonly places: readonly string[];
  /** How one answers in this channel. */
  readonly how: string;
  /** Whether the service shows a message of this text whole, and as it is. */
  fits(text: string): boolean;
  /** @throws {Fault} `channel.api`, `channel.unreachable`, `channel.rate`; so do the others */
  announce(place: string, card: Announcement, signal: AbortSignal): Promise<Sent>;
  say(place: string, text: string, signal: AbortSignal): Promise<void>;
  /** Hears what was said; waits for it where the service can. */
  decisions(memory: Memory, signal: AbortSignal): Promise<Batch>;
  /** Tells who said `reply` what came of it; gives the message where its answer is about the same card. */
  answer(reply: Reply, text: string, signal: AbortSignal): Promise<Sent | undefined>;
  /** Tells where a card stands that nothing is to be decided any more. */
  settle(ref: string, outcome: string, signal: AbortSignal): Promise<void>;
}

/** The service asks us to wait. */
export class RateFault extends Fault {
  readonly waitMs: number;

  constructor(message: string, waitMs: number) {
    super("channel.rate", message);
    this.waitMs = waitMs;
  }
}

/** `PLACE/MESSAGE` taken apart. */
export function partsOf(ref: string): { readonly place: string; readonly message: string } {
  const slash = ref.lastIndexOf("/");
  return { place: ref.slice(0, slash), message: ref.slice(slash + 1) };
}
