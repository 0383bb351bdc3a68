/** Layer 5: passkeys of persons: kept, and believed only for the one thing that each was asked for. */
export { Passkeys, type Ask, type Change, type Offer, type PasskeysOptions } from "./passkeys.ts";
export { challengeOf, type Statement } from "./statement.ts";
export { PASSKEYS_FILE, type Passkey } from "./store.ts";
export type { Assertion, NewPasskey } from "./verify.ts";
