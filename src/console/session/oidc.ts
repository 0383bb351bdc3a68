/**
 * Signing in at the team's OpenID provider: there and back. What went wrong on the way back is told by the sign-in page,
 * by its code alone: nothing that an address says is shown.
 *
 * @module
 */
import { Fault, isFault } from "../../base/index.ts";
import type { OidcSignIn } from "../team/index.ts";
import type { SignInAnswer, SignInAsk } from "./ways.ts";

/** Only for the way there and back. Lax, since the way back begins at another site. */
const COOKIE = "__Secure-cofferdam-sign-in";
const COOKIE_FLAGS = "HttpOnly; Secure; SameSite=Lax; Path=/session/oidc";
const COOKIE_S = 600;
const KEY_HASH = /^[0-9a-f]{64}$/;

/** @throws {Fault} `console.provider`, `console.no_provider` */
export async function beginOidc({ desk, search }: SignInAsk): Promise<SignInAnswer> {
  const keyHash = search.get("key") ?? "";
  if (!KEY_HASH.test(keyHash)) {
    throw new Fault("console.request", "who signs in names the hash of the page's key");
  }
  const { url, browser } = await oidcOf(desk.team?.oidc).begin(keyHash);
  return {
    redirect: url.href,
    cookies: [`${COOKIE}=${browser}; Max-Age=${COOKIE_S}; ${COOKIE_FLAGS}`],
  };
}

/** The provider has sent the browser back. */
export async function completeOidc({
  desk,
  search,
  cookie,
  log,
}: SignInAsk): Promise<SignInAnswer> {
  const cookies = [`${COOKIE}=; Max-Age=0; ${COOKIE_FLAGS}`];
  try {
    const { who, keyHash } = await oidcOf(desk.team?.oidc).complete(search, cookie(COOKIE));
    return { who, keyHash, redirect: "/", cookies };
  } catch (error) {
    if (!isFault(error)) throw error;
    log.warn("console.sign_in", { code: error.code, message: error.message });
    return { redirect: `/#refused=${error.code}`, cookies };
  }
}

/** What the sign-in page may offer, before anybody is known. */
export function offersOf({ desk }: SignInAsk): SignInAnswer {
  const { team } = desk;
  return { gives: { links: team?.settings.links ?? true, oidc: team?.oidc !== undefined } };
}

function oidcOf(oidc: OidcSignIn | undefined): OidcSignIn {
  if (oidc !== undefined) return oidc;
  throw new Fault("console.no_provider", "this console has no OpenID provider", {
    hint: "console.yaml names one (docs/guides/console-for-teams.md)",
  });
}
