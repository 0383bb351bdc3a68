/**
 * What handlers of the console work with, and what an endpoint of its own is answered by.
 *
 * @module
 */
import type {
  Answers,
  Asks,
  CONSOLE_ENDPOINTS,
  ConsoleEndpointName,
  Home,
  Role,
} from "../api/index.ts";
import type { Client } from "../client/index.ts";
import type { Live } from "./live/index.ts";
import type { Record } from "./record/index.ts";
import type { Sessions } from "./session/sessions.ts";
import type { Team } from "./team/index.ts";

export interface ConsoleDesk {
  readonly home: Home;
  /** The folder of the package: profiles, drills, rules. */
  readonly packageRoot: string;
  readonly client: Client;
  readonly sessions: Sessions;
  /** How a team signs in, where the home has a `console.yaml`. */
  readonly team: Team | undefined;
  /** The record, searchable; as far as its index has come. */
  readonly record: Record;
  /** What happens now, and what comes. */
  readonly live: Live;
  /** Wall clock, milliseconds. */
  now(): number;
  /** Aborted when the console ends. */
  readonly closing: AbortSignal;
}

/** Who asks, and until when. */
export interface Asker {
  /** The name that people know it by. */
  readonly person: string;
  /** As the record will have it. */
  readonly identity: string;
  readonly roles: readonly Role[];
  readonly session: string;
  /** Aborted when the caller is gone. */
  readonly signal: AbortSignal;
}

/** What answers the endpoints of a topic: `Pick<ConsoleHandlers, "ledger.search" | ...>`. */
export type ConsoleHandlers = {
  readonly [Name in ConsoleEndpointName]: (typeof CONSOLE_ENDPOINTS)[Name]["streams"] extends true
    ? (asks: Asks<Name>, asker: Asker) => AsyncIterable<Answers<Name>>
    : (asks: Asks<Name>, asker: Asker) => Promise<Answers<Name>>;
};
