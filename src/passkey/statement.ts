/**
 * What a person's passkey signs: not a random number, but a digest of exactly what they say with it (INV-207).
 *
 * @module
 */
import { createHash } from "node:crypto";
import { canonicalJson, type Json } from "../action/index.ts";

/** All that an assertion says, but for its nonce. */
export type Statement =
  | { readonly for: "sign-in" }
  | { readonly for: "enrol"; readonly person: string; readonly roles: readonly string[] }
  /** That a further passkey of oneself is wanted. */
  | { readonly for: "vouch"; readonly person: string; readonly roles: readonly string[] }
  | {
      readonly for: "decision";
      readonly approval: string;
      /** Digest of the action as it stands now: one that is edited is another. */
      readonly action: string;
      readonly decision: "approve" | "deny" | "edit" | "undo";
      /** What goes with it: limits of an allowance, a reason, the digest of the new body. */
      readonly terms: Json;
    };

const VERSION = 1;

/** The one spelling of a statement. */
export function printStatement(statement: Statement): string {
  return canonicalJson({ cofferdam: VERSION, ...statement });
}

/** The WebAuthn challenge for it, in base64url. */
export function challengeOf(statement: Statement, nonce: string): string {
  const text = canonicalJson({ cofferdam: VERSION, ...statement, nonce });
  return createHash("sha256").update(text).digest("base64url");
}
