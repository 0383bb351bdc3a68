/**
 * Prepared statements and portals of one session, as far as they are known for sure: what is not, cannot be used.
 *
 * Which text a name stands for depends on what the server made of earlier messages. So an entry carries the window
 * (from one Sync to the next) in which it was asked for: an error in that window drops it, and nothing uses it from
 * another window before the server has answered that one.
 *
 * @module
 */

const ENTRIES_MAX = 5000;
/** The server cuts longer names (NAMEDATALEN - 1), and then two of them are one. */
const NAME_BYTES_MAX = 63;
const CHARS_MAX = 32 << 20;

export interface Prepared {
  readonly sql: string;
  readonly types: readonly number[];
  /** Stands for its judgement; see `skeletonOf`. */
  readonly key: string;
  readonly window: number;
  /** Preparing it was judged, or using it. */
  isJudged: boolean;
  /** `sql` is a PREPARE, and stands for what it prepares. */
  readonly isFromSql?: true;
  /** The server said that it has it. */
  isKnown: boolean;
}

export interface Portal {
  readonly prepared: Prepared;
  /** Body of its Bind. */
  readonly bind: Buffer;
  readonly window: number;
  /** It was judged: whatever fetches more of it goes. */
  isJudged: boolean;
}

export class Statements {
  readonly #prepared = new Map<string, Prepared>();
  readonly #portals = new Map<string, Portal>();
  #awaited: Prepared[] = [];
  #chars = 0;

  prepared(name: string): Prepared | undefined {
    return this.#prepared.get(name);
  }

  portal(name: string): Portal | undefined {
    return this.#portals.get(name);
  }

  /** `false` where there are too many. */
  prepare(name: string, prepared: Prepared): boolean {
    if (Buffer.byteLength(name) > NAME_BYTES_MAX) return false;
    this.forget(name);
    if (this.#prepared.size >= ENTRIES_MAX || this.#chars + prepared.sql.length > CHARS_MAX) {
      return false;
    }
    this.#prepared.set(name, prepared);
    this.#chars += prepared.sql.length;
    return true;
  }

  bind(name: string, portal: Portal): boolean {
    const isLong = Buffer.byteLength(name) > NAME_BYTES_MAX;
    if (isLong || this.#portals.size >= ENTRIES_MAX) return false;
    this.#portals.set(name, portal);
    return true;
  }

  forget(name: string): void {
    const known = this.#prepared.get(name);
    if (known === undefined) return;
    this.#chars -= known.sql.length;
    this.#prepared.delete(name);
  }

  /** A Parse that does not go to the server. */
  drop(prepared: Prepared): void {
    if (prepared.isKnown) return;
    for (const [name, one] of this.#prepared) if (one === prepared) this.forget(name);
  }

  unbind(name: string): void {
    this.#portals.delete(name);
  }

  /** DEALLOCATE ALL, DISCARD ALL. */
  clear(): void {
    this.#prepared.clear();
    this.#portals.clear();
    this.#chars = 0;
  }

  /** A Parse goes to the server. */
  sent(prepared: Prepared): void {
    this.#awaited.push(prepared);
  }

  /** ParseComplete: of those that went, the first. */
  parsed(): void {
    const first = this.#awaited.shift();
    if (first !== undefined) first.isKnown = true;
  }

  /** An error in `window`: what was asked for in it and not answered is not there. */
  failed(window: number): void {
    this.#awaited = this.#awaited.filter((one) => one.window !== window);
    for (const [name, one] of this.#prepared) {
      if (one.window === window && !one.isKnown) this.forget(name);
    }
    for (const [name, { window: own }] of this.#portals) if (own === window) this.unbind(name);
  }

  /** A transaction is over, and with it the portals of every window before `window`. */
  ended(window: number): void {
    for (const [name, { window: own }] of this.#portals) if (own < window) this.unbind(name);
  }

  /** Texts of statements that `sql` may name. */
  textsNamedIn(sql: string): Readonly<Record<string, string>> | undefined {
    if (!/execute/i.test(sql)) return undefined;
    const named = [...this.#prepared].filter(([name]) => name !== "" && mentions(sql, name));
    if (named.length === 0) return undefined;
    return Object.fromEntries(named.map(([name, { sql: text }]) => [name, text]));
  }
}

/** Whether `sql` may hold `name`; names in it can be written in any case, or with escapes. */
function mentions(sql: string, name: string): boolean {
  return sql.toLowerCase().includes(name.toLowerCase()) || /u&"/i.test(sql);
}
