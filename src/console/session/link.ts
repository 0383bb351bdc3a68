/**
 * Signing in by the link that a terminal printed.
 *
 * @module
 */
import { z } from "zod";
import { Fault } from "../../base/index.ts";
import type { SignInAnswer, SignInAsk } from "./ways.ts";

const schema = z.strictObject({ link: z.string().max(64) });

/** @throws {Fault} `console.link` where it was used, is too old, or never was. */
export function signInByLink({ desk, body }: SignInAsk): SignInAnswer {
  const parsed = schema.safeParse(body);
  if (!parsed.success) throw new Fault("console.request", "a link is `{link}`");
  if (desk.team?.settings.links === false) {
    throw new Fault("console.link", "nobody signs in by a link here", {
      hint: "console.yaml has `links: false`; sign in at the provider",
    });
  }
  return { who: desk.sessions.takeLink(parsed.data.link) };
}
