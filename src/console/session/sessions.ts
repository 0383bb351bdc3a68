/**
 * Who is signed in: one-time links and the sessions that they open. Nothing of it is kept beyond the process.
 *
 * A session is two halves. The cookie's token goes wherever the browser sends cookies of `localhost`: to every port of
 * it, so also to a server that a run publishes there. The key stays in the storage of the console's own origin, whose
 * pages send it along; the page that signs in owns the session by the key's hash. Either alone opens nothing (INV-204).
 *
 * @module
 */
import { createHash, randomBytes } from "node:crypto";
import type { Role } from "../../api/index.ts";
import { Fault } from "../../base/index.ts";

const TOKEN_BYTES = 32;
const LINK_MS = 2 * 60_000;
const SESSION_MS = 12 * 3_600_000;
const IDLE_MS = 30 * 60_000;
/** Links that nobody has taken; a further one drops the oldest. */
const LINKS_MAX = 8;
/** Sessions of one person; a further one ends the one that rested longest. */
const SESSIONS_MAX = 8;
/**
 * What a session has coming at once. Of streams a browser opens six for a host, in each of a few windows. Questions are
 * counted until they are worked out, also where whoever asked has gone: one person's do not keep others waiting.
 */
const COMING_MAX = { stream: 24, question: 48 } as const;
type Coming = keyof typeof COMING_MAX;
const ABOUT_CHARS_MAX = 200;
/** Digits of a session's name, which tells it from its like and opens nothing. */
const ID_CHARS = 16;

export interface Person {
  readonly person: string;
  readonly identity: string;
  readonly roles: readonly Role[];
}

export interface Session extends Person {
  /** Names it to others. */
  readonly id: string;
  /** What the browser says that it is. */
  readonly about: string;
  readonly startedMs: number;
  readonly expiresMs: number;
  readonly usedMs: number;
  /** Aborted when it is over. */
  readonly signal: AbortSignal;
}

interface Kept extends Session {
  usedMs: number;
  readonly coming: Record<Coming, number>;
  readonly keyHash: string;
  readonly ending: AbortController;
}

export class Sessions {
  readonly #links = new Map<string, { readonly who: Person; readonly untilMs: number }>();
  /** By the hash of the token. */
  readonly #sessions = new Map<string, Kept>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** A token that signs in once, within two minutes. */
  link(who: Person): string {
    const token = newToken();
    this.#links.set(hashOf(token), { who, untilMs: this.#now() + LINK_MS });
    for (const oldest of this.#links.keys()) {
      if (this.#links.size <= LINKS_MAX) break;
      this.#links.delete(oldest);
    }
    return token;
  }

  /**
   * Takes a link's token: whom it signs in. Wrong ones are not counted: of 256 bits none is guessed, and a lock would
   * let anybody on this machine keep its owner out.
   *
   * @throws {Fault} `console.link` where it was used, is too old, or never was.
   */
  takeLink(linkToken: string): Person {
    const key = hashOf(linkToken);
    const link = this.#links.get(key);
    this.#links.delete(key);
    if (link === undefined || link.untilMs <= this.#now()) {
      throw new Fault("console.link", "this link was used already, or is too old", {
        hint: "`cofferdam console --link` prints a new one",
      });
    }
    return link.who;
  }

  /** Begins the session of somebody who proved who they are, from the page with that key; gives the cookie's token. */
  begin({ person, identity, roles }: Person, keyHash: string, about = ""): string {
    this.sweep();
    const own = this.list()
      .filter((one) => one.identity === identity)
      .sort((a, b) => a.usedMs - b.usedMs);
    for (const { id } of own.slice(0, Math.max(0, own.length - SESSIONS_MAX + 1))) this.end(id);
    const token = newToken();
    const hash = hashOf(token);
    const ending = new AbortController();
    const at = this.#now();
    this.#sessions.set(hash, {
      ...{ person, identity, roles, id: hash.slice(0, ID_CHARS), ending, signal: ending.signal },
      about: about.slice(0, ABOUT_CHARS_MAX),
      ...{ startedMs: at, usedMs: at, expiresMs: at + SESSION_MS },
      ...{ coming: { stream: 0, question: 0 }, keyHash },
    });
    return token;
  }

  /** The session of a cookie's token and its page's key; `undefined` where it is over, or the key is another's. */
  of(token: string, key: string): Session | undefined {
    this.sweep();
    const session = this.#sessions.get(hashOf(token));
    if (session === undefined) return undefined;
    if (session.keyHash !== keyHashOf(key)) return undefined;
    session.usedMs = this.#now();
    return session;
  }

  /** All that are not over. */
  list(): readonly Session[] {
    return [...this.#sessions.values()];
  }

  /** Whether it is not over; asking is no use of it. */
  has(id: string): boolean {
    return this.#find(id) !== undefined;
  }

  /** @throws {Fault} `console.session` where it is over. */
  require(id: string): Session {
    const session = this.#find(id);
    if (session === undefined) throw new Fault("console.session", "the session is over");
    return session;
  }

  /**
   * Counts what a session has coming; the caller calls what it gets when it ends.
   *
   * @throws {Fault} `console.busy` where the session has too much.
   */
  enter(id: string, what: Coming = "stream"): () => void {
    const session = this.#find(id);
    if (session === undefined) throw new Fault("console.session", "the session is over");
    const { coming } = session;
    if (coming[what] >= COMING_MAX[what]) {
      throw new Fault("console.busy", `this session has ${coming[what]} answers coming already`, {
        hint: "wait for some of them, or close some of its tabs",
      });
    }
    coming[what] += 1;
    return () => void (coming[what] -= 1);
  }

  /** Ends it, and whatever it has coming, at once. */
  end(id: string): void {
    for (const [hash, session] of this.#sessions) {
      if (session.id !== id) continue;
      this.#sessions.delete(hash);
      session.ending.abort();
    }
  }

  /** Ends the session of a cookie's token, whoever's page it is: somebody signed in anew there. */
  endToken(token: string): void {
    const session = this.#sessions.get(hashOf(token));
    if (session !== undefined) this.end(session.id);
  }

  /** Ends what is over: called at each use, and by a clock for those that only listen. */
  sweep(): void {
    const at = this.#now();
    for (const { id, expiresMs, usedMs } of this.#sessions.values()) {
      if (at >= expiresMs || at - usedMs >= IDLE_MS) this.end(id);
    }
  }

  #find(id: string): Kept | undefined {
    this.sweep();
    for (const session of this.#sessions.values()) if (session.id === id) return session;
    return undefined;
  }
}

function newToken(): string {
  return randomBytes(TOKEN_BYTES).toString("base64url");
}

function hashOf(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}

/** Hex SHA-256 of a page's key; a page may say it where an address is all that it can say. */
export function keyHashOf(key: string): string {
  return hashOf(key);
}
