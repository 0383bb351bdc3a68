/**
 * What a grant of SSH says in `with:`.
 *
 * @module
 */
import { z } from "zod";
import { gitOptionsSchema } from "../../git/index.ts";

const KEYS_MAX = 8;
const KEY =
  /^(ssh-ed25519|ecdsa-sha2-nistp(?:256|384|521)|ssh-rsa) ([A-Za-z0-9+/]+={0,2})(?: [^\n]*)?$/;

const hostKeySchema = z
  .string()
  .max(4096)
  .refine((key) => blobOf(key) !== undefined, {
    message:
      "is not a public host key: write it as `ssh-keyscan HOST` prints it, less the host: ssh-ed25519 AAAA...",
  });

export const optionsSchema = z.strictObject({
  /** The server's public keys; one of them must be what it proves to have. */
  host_key: z.union([hostKeySchema, z.array(hostKeySchema).min(1).max(KEYS_MAX)]),
  /** Whom to log in as, where the credential does not say so. */
  user: z
    .string()
    .regex(/^[A-Za-z_][\w.@-]{0,63}$/)
    .optional(),
  // Of git, by the names that they have in a grant of git over HTTP.
  ...gitOptionsSchema.omit({ lfs_bytes: true }).shape,
  /** Repositories as their path is written: `me/site`, `~/site`, `/srv/git/site`; with or without `.git`. */
  repos: z.array(z.string().regex(/^\S*[^/\s]$/)).optional(),
});

export type SshOptions = z.infer<typeof optionsSchema>;

/** A host key in the form of RFC 4253, section 6.6, and the algorithm that it is of. */
export interface PinnedKey {
  readonly algorithm: string;
  readonly blob: Buffer;
}

/** The keys that one of which the server must have. */
export function pinnedKeys({ host_key: keys }: SshOptions): readonly PinnedKey[] {
  return (typeof keys === "string" ? [keys] : keys).flatMap((key) => {
    const blob = blobOf(key);
    return blob === undefined ? [] : [{ algorithm: key.split(" ", 1)[0] ?? "", blob }];
  });
}

function blobOf(key: string): Buffer | undefined {
  const [, algorithm = "", base64 = ""] = KEY.exec(key.trim()) ?? [];
  if (algorithm === "") return undefined;
  const blob = Buffer.from(base64, "base64");
  // The blob names its algorithm itself; one that names another is no key of this kind.
  const isOwn =
    blob.length > 4 + algorithm.length &&
    blob.readUInt32BE(0) === algorithm.length &&
    blob.toString("latin1", 4, 4 + algorithm.length) === algorithm;
  return isOwn ? blob : undefined;
}
