/**
 * What is open between an agent and a server of MCP beyond one connection: sessions, requests of the server that
 * the agent has still to answer, and requests of the agent whose answer may come by another stream.
 *
 * A streamable HTTP client speaks over as many connections as it likes, so this is the one thing of the broker
 * that outlives a connection. It is kept by run and grant: an id that another run learns is nothing to it. When a
 * worker dies it is gone, and the client is told that its session is over, as the protocol has it (INV-122).
 *
 * @module
 */
import { Allowed } from "../../allowed.ts";
import type { Id } from "./terms.ts";
import { Lists } from "./listing.ts";

const SESSIONS_MAX = 64; // Of one run and grant.
const PLACES_MAX = 4096;
/** Requests of a server that wait for the agent at once, and the other way round. */
export const OPEN_MAX = 64;

/** One session, or all that is said without one. */
export class OpenSession {
  /** Requests of the server that the agent was given, by id: the method. */
  readonly asked = new Map<Id, string>();
  /** Requests of the agent that have no answer yet, by id: the method. */
  readonly unanswered = new Map<Id, string>();
  /** Tokens by which the server may tell how far it is, each with the id of its request. */
  readonly tokens = new Map<Id, Id>();
  readonly lists = new Lists();

  /** Takes the question `id` as answered; its method, or `undefined` where nobody asked. */
  answer(id: Id): string | undefined {
    const method = this.asked.get(id);
    this.asked.delete(id);
    return method;
  }

  /** The request `id` of the agent is over. */
  over(id: Id): void {
    this.unanswered.delete(id);
    for (const [token, of] of this.tokens) if (of === id) this.tokens.delete(token);
  }
}

/** What one run has open at one grant. */
export class OpenPlace {
  /** By any of its connections: a session is of no one of them, and its notices may come by another. */
  readonly allowed = new Allowed();
  /** What is said without a session. */
  readonly loose = new OpenSession();
  /** What results asked (2026-07-28), by the key that the answer has: the method. */
  readonly inputs = new Map<string, string>();
  readonly #sessions = new Map<string, OpenSession>();

  /** A session that the server has begun; the oldest makes room. */
  open(id: string): OpenSession {
    const known = this.#sessions.get(id);
    if (known !== undefined) return known;
    for (const oldest of this.#sessions.keys()) {
      if (this.#sessions.size < SESSIONS_MAX) break;
      this.#sessions.delete(oldest);
    }
    const session = new OpenSession();
    this.#sessions.set(id, session);
    return session;
  }

  /** The session `id`, which began here; `undefined` where it did not, or is over. */
  find(id: string | undefined): OpenSession | undefined {
    return id === undefined ? this.loose : this.#sessions.get(id);
  }

  close(id: string): void {
    this.#sessions.delete(id);
  }
}

const places = new Map<string, OpenPlace>();

/** What `run` has open at `grant`; made anew where there is nothing yet, or `take` does not take what there is. */
export function openPlace(
  run: string,
  grant: string,
  take: (place: OpenPlace) => boolean,
): OpenPlace {
  const key = `${run} ${grant}`;
  const known = places.get(key);
  if (known !== undefined && take(known)) {
    places.delete(key);
    places.set(key, known); // The one longest unused makes room.
    return known;
  }
  for (const oldest of places.keys()) {
    if (places.size < PLACES_MAX) break;
    places.delete(oldest);
  }
  const place = new OpenPlace();
  take(place);
  places.set(key, place);
  return place;
}
