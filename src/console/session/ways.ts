/**
 * The ways to sign in: each proves who somebody is, and the server then begins that person's session. A way is a
 * function in a file of its own and a line here.
 *
 * @module
 */
import type { Log } from "../../base/index.ts";
import type { ConsoleDesk } from "../desk.ts";
import { signInByLink } from "./link.ts";
import { askForPasskey, signInByPasskey } from "./passkey.ts";
import { beginOidc, completeOidc, offersOf } from "./oidc.ts";
import type { Person } from "./sessions.ts";

/** What a way gets to see of a request; it has passed the guard. */
export interface SignInAsk {
  readonly desk: ConsoleDesk;
  readonly log: Log;
  readonly origin: URL;
  /** The JSON that was posted; `undefined` for a GET. */
  readonly body: unknown;
  readonly search: URLSearchParams;
  /** The value of a cookie of that name. */
  cookie(name: string): string | undefined;
}

export interface SignInAnswer {
  /** Who it is: a session begins, and its cookie goes with the answer. */
  readonly who?: Person;
  /** Where the browser goes now; for ways that lead through another site. */
  readonly redirect?: string;
  /** Else the answer's JSON; `{}` where nothing is said. */
  readonly gives?: unknown;
  /** Whose page it was that began, where a way back from another site cannot send its key: the key's hash. */
  readonly keyHash?: string;
  /** Further `Set-Cookie` lines. */
  readonly cookies?: readonly string[];
}

/** @throws {Fault} where it proves nothing; `console.link`, `console.passkey` and the like are 401. */
export type SignInWay = (asks: SignInAsk) => SignInAnswer | Promise<SignInAnswer>;

export const SIGN_IN_WAYS: ReadonlyMap<string, SignInWay> = new Map<string, SignInWay>([
  ["POST /session/link", signInByLink],
  ["POST /session/passkey/ask", askForPasskey],
  ["POST /session/passkey", signInByPasskey],
  ["POST /session/offers", offersOf],
  ["GET /session/oidc", beginOidc],
  ["GET /session/oidc/callback", completeOidc],
]);
