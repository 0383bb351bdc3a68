/**
 * What a backup says of itself: the last file in it, so that everything is read once.
 *
 * @module
 */
import { z } from "zod";
import { canonicalJson } from "../action/index.ts";
import { sealedSchema } from "../vault/index.ts";

export const MANIFEST_FILE = "manifest.json";
export const BACKUP_FORMAT = 1;

export const manifestSchema = z.strictObject({
  format: z.literal(BACKUP_FORMAT),
  /** Which Cofferdam made it, and when (RFC 3339). */
  version: z.string(),
  at: z.iso.datetime(),
  /** The record up to here is in it. */
  checkpoint: z.string(),
  entries: z.int().nonnegative(),
  /** The record's verifier key. */
  key: z.string(),
  /** What of the home is not in it. */
  left: z.array(z.string()),
  files: z.array(
    z.strictObject({
      path: z.string(),
      bytes: z.int().nonnegative(),
      sha256: z.string().regex(/^[0-9a-f]{64}$/),
    }),
  ),
  /** Keys and other secret files of the home, sealed by a passphrase that also vouches for all of the above. */
  keys: sealedSchema.optional(),
});
export type Manifest = z.infer<typeof manifestSchema>;

/** What the seal of the keys is bound to: everything else that the manifest says. */
export function boundBy(manifest: Manifest): string {
  const { keys: _, ...rest } = manifest;
  return `cofferdam backup ${canonicalJson(rest)}`;
}
