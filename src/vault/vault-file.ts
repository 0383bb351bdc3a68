/**
 * The vault's file, version 1. One encoding is accepted: what is read must print as the same bytes.
 *
 * ```
 * cofferdam-vault/1 SHA-256-OF-THE-REST
 * {"check":...,"entries":[{"binding":...,"how":...,"name":...,"sealed":...}],"id":...,"lock":...,"mac":...,"wrapped":...}
 * ```
 *
 * The hash tells damage from a wrong key before any key is tried; whoever wants to forge the file can make it anew,
 * and then meets `check` (the unlock key's), `wrapped` (the data key, sealed by it), `mac` (the data key's, over all)
 * and `sealed` (each secret, bound to its vault, name, binding and kind).
 *
 * @module
 */
import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { z } from "zod";
import { canonicalJson, type Json } from "../action/index.ts";
import { Fault } from "../base/index.ts";
import { deriveKey } from "./seal.ts";
import { bindingSchema, credentialName, kindSchema, type CredentialSpec } from "./spec.ts";
import { lockSchema } from "./unlock.ts";

export const VAULT_VERSION = 1;
const HEAD = /^cofferdam-vault\/(\d{1,6}) ([0-9a-f]{64})\n/;
const base64 = z.string().regex(/^[A-Za-z0-9+/]+={0,2}$/);

const entrySchema = z.strictObject({
  name: credentialName,
  binding: bindingSchema,
  how: kindSchema,
  /** RFC 3339. */
  createdAt: z.string(),
  rotatedAt: z.string().optional(),
  usedAt: z.string().optional(),
  sealed: base64,
});
export type Entry = z.infer<typeof entrySchema>;

const fileSchema = z.strictObject({
  /** Random: entries of one vault do not open in another. */
  id: base64,
  lock: lockSchema,
  check: base64,
  wrapped: base64,
  entries: z.array(entrySchema),
  mac: base64,
});
export type VaultFile = z.infer<typeof fileSchema>;

/** The text of the file. */
export function printVaultFile(file: VaultFile): string {
  const rest = `${canonicalJson(file)}\n`;
  return `cofferdam-vault/${VAULT_VERSION} ${hashOf(rest)}\n${rest}`;
}

/**
 * Reads the file's text; keys are not needed for it.
 *
 * @throws {Fault} `vault.version` where another version wrote it, `vault.corrupt` where it is not as it was written.
 */
export function parseVaultFile(text: string, path: string): VaultFile {
  const head = HEAD.exec(text);
  if (head === null) throw corrupt(path, "its first line is not a vault's");
  const version = Number(head[1]);
  if (version !== VAULT_VERSION) {
    const by = version > VAULT_VERSION ? "a newer" : "an older";
    throw new Fault("vault.version", `${path} was written by ${by} version (format ${version})`, {
      hint: `use the Cofferdam that wrote it; this one reads format ${VAULT_VERSION}`,
    });
  }
  const rest = text.slice(head[0].length);
  if (hashOf(rest) !== head[2]) throw corrupt(path, "its bytes are not those that were written");
  const parsed = fileSchema.safeParse(parseJson(rest));
  if (!parsed.success || printVaultFile(parsed.data) !== text)
    throw corrupt(path, "its form is not a vault's");
  const names = new Set(parsed.data.entries.map(({ name }) => name));
  if (names.size !== parsed.data.entries.length) throw corrupt(path, "a name stands in it twice");
  return parsed.data;
}

/** Shows whether an unlock key is the right one, without opening anything. */
export function checkOf(
  unlockKey: Uint8Array,
  { id, lock }: Pick<VaultFile, "id" | "lock">,
): string {
  return macOf(deriveKey(unlockKey, "check"), { id, lock });
}

/** Authenticates the whole file but `mac`, so that no entry is missing, older than the others, or moved. */
export function fileMac(dataKey: Uint8Array, file: VaultFile): string {
  return macOf(deriveKey(dataKey, "file"), { ...file, mac: "" });
}

/** What a sealed secret is bound to: it opens nowhere else. */
export function boundTo(id: string, { name, binding, how }: CredentialSpec): string {
  return canonicalJson({ format: VAULT_VERSION, id, name, binding, how });
}

/** Compares two texts of the same origin in constant time. */
export function isSame(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}

/** The fault for a file that is not as it was written. */
export function corrupt(path: string, why: string): Fault {
  return new Fault("vault.corrupt", `the vault is damaged: ${path}: ${why}`, {
    hint: "put it back from a backup, with its key; nothing of it was used",
  });
}

function macOf(key: Uint8Array, value: Json): string {
  return createHmac("sha256", key).update(canonicalJson(value)).digest("base64");
}

function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined; // The schema then refuses it.
  }
}
