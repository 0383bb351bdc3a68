/**
 * Who decides.
 *
 * @module
 */

/** Who may decide, and who of them is the same person. */
export interface Deciders {
  /** The person behind an identity; `undefined` where that one may not decide. */
  personOf(identity: string): string | undefined;
  /** Only a passkey's signature counts: others are told so, listed or not. */
  readonly needsProof?: boolean;
}

/** The identity of whoever signed with a passkey; nothing else begins like that. */
export function passkeyIdentity(person: string): string {
  return `${PASSKEY}${person}`;
}

export function isProven(identity: string): boolean {
  return identity.startsWith(PASSKEY);
}
const PASSKEY = "passkey:";

/** Whoever reaches us. */
export const ANYBODY: Deciders = { personOf: (identity) => identity };

/** A decision of a person. */
export interface Decision {
  readonly id: string;
  /** Who decides: `cli:1000`, `telegram:4711`. */
  readonly by: string;
}
