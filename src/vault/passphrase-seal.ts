/**
 * Bytes sealed by a passphrase alone, to be kept elsewhere.
 *
 * @module
 */
import { z } from "zod";
import { Fault } from "../base/index.ts";
import { deriveKey, seal, unseal } from "./seal.ts";
import { lockSchema, passphraseLock, unlockKey } from "./unlock.ts";

const PURPOSE = "backup";

export const sealedSchema = z.strictObject({
  lock: lockSchema.options[1],
  sealed: z.string().regex(/^[A-Za-z0-9+/]+={0,2}$/),
});
/** What was sealed: how the passphrase becomes a key, and the base64 of the sealed bytes. */
export type Sealed = z.infer<typeof sealedSchema>;

/** `plain` sealed by `passphrase`; it opens only with the same `bound`. */
export async function sealByPassphrase(
  plain: Uint8Array,
  passphrase: string,
  bound: string,
): Promise<Sealed> {
  const { lock } = sealedSchema.pick({ lock: true }).parse({ lock: passphraseLock() });
  const key = deriveKey(await unlockKey(lock, { keyFile: "", passphrase }), PURPOSE);
  return { lock, sealed: seal(key, plain, bound).toString("base64") };
}

/** @throws {Fault} `vault.wrong_key` where passphrase, bytes or `bound` are others. */
export async function unsealByPassphrase(
  { lock, sealed }: Sealed,
  passphrase: string,
  bound: string,
): Promise<Buffer> {
  const key = deriveKey(await unlockKey(lock, { keyFile: "", passphrase }), PURPOSE);
  const plain = unseal(key, Buffer.from(sealed, "base64"), bound);
  if (plain !== undefined) return plain;
  throw new Fault("vault.wrong_key", "the passphrase is another, or what it seals was changed", {
    hint: "try the passphrase again; where it is the right one, the file is not as it was made",
  });
}
