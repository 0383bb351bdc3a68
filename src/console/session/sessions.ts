/**
 * Who is signed in: one-time links and the sessions that they open. Nothing of it is kept beyond the process.
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

export interface Person {
  readonly person: string;
  readonly identity: string;
  readonly roles: readonly Role[];
}

export interface Session extends Person {
  /** Names it to others: the hash of its token. */
  readonly id: string;
  readonly expiresMs: number;
  usedMs: number;
}

export class Sessions {
  readonly #links = new Map<string, { readonly who: Person; readonly untilMs: number }>();
  readonly #sessions = new Map<string, Session>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** A token that signs in once, within two minutes. */
  link(who: Person): string {
    const token = newToken();
    this.#links.set(hashOf(token), { who, untilMs: this.#now() + LINK_MS });
    return token;
  }

  /**
   * Takes a link's token: whom it signs in.
   *
   * @throws {Fault} `console.link` where it was used, is too old, or never was.
   */
  takeLink(linkToken: string): Person {
    const key = hashOf(linkToken);
    const link = this.#links.get(key);
    this.#links.delete(key);
    if (link === undefined || link.untilMs <= this.#now()) {
      throw new Fault("console.link", "this link was used already, or is too old", {
        hint: "`cofferdam console` prints a new one",
      });
    }
    return link.who;
  }

  /** Begins the session of somebody who proved who they are, in whatever way; gives the cookie's token. */
  begin({ person, identity, roles }: Person): string {
    const token = newToken();
    const at = this.#now();
    const id = hashOf(token);
    this.#sessions.set(id, { person, identity, roles, id, expiresMs: at + SESSION_MS, usedMs: at });
    return token;
  }

  /** The session of a cookie's token; `undefined` where it is over. */
  of(token: string): Session | undefined {
    const session = this.#sessions.get(hashOf(token));
    const at = this.#now();
    if (session === undefined) return undefined;
    if (at >= session.expiresMs || at - session.usedMs >= IDLE_MS) {
      this.end(session.id);
      return undefined;
    }
    session.usedMs = at;
    return session;
  }

  /** Whether a session is not over; asking does not prolong it. */
  has(id: string): boolean {
    const session = this.#sessions.get(id);
    const at = this.#now();
    return session !== undefined && at < session.expiresMs && at - session.usedMs < IDLE_MS;
  }

  /** @throws {Fault} `console.session` where it is over. */
  require(id: string): Session {
    const session = this.#sessions.get(id);
    if (session === undefined) throw new Fault("console.session", "the session is over");
    return session;
  }

  end(id: string): void {
    this.#sessions.delete(id);
  }
}

function newToken(): string {
  return randomBytes(TOKEN_BYTES).toString("base64url");
}

function hashOf(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}
