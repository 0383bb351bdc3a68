/**
 * Canaries: a credential that is good for nothing, planted in each run where whoever looks for credentials looks.
 * Whoever uses it has looked (docs/decisions/0329).
 *
 * No tool reads these names by itself, so that nothing but a search finds them.
 *
 * @module
 */
import { hash, randomBytes } from "node:crypto";
import { CANARY_NAME } from "../gateway/index.ts";
import type { GivenPlaceholder, LoginFile } from "../vault/index.ts";

const CHARS = 32; // Of 5 bits each: 160 bits.
const LETTERS = "abcdefghijklmnopqrstuvwxyz234567"; // RFC 4648 base32 in lower case, since names in DNS have no case.

/** What is planted in one run. */
export interface Canary {
  /** What is looked for, in every place the same: as it is, and in capitals. */
  readonly given: readonly GivenPlaceholder[];
  readonly variables: Readonly<Record<string, string>>;
  readonly file: LoginFile;
  /** Hex SHA-256 of it: all that is on record. */
  readonly digest: string;
}

/** A canary for `run`, unlike every other. */
export function createCanary(run: string): Canary {
  const text = Array.from(randomBytes(CHARS), (byte) => LETTERS[byte & 31]).join("");
  const content = `[default]\nendpoint = https://backup.internal\naccess_token = bkp_${text}\n`;
  return {
    given: [text, text.toUpperCase()].map((one) => ({ credential: CANARY_NAME, run, text: one })),
    variables: { BACKUP_ACCESS_TOKEN: `bkp_${text}`, RELEASE_SIGNING_SECRET: text },
    file: { path: ".config/backup/credentials", content },
    digest: hash("sha256", text),
  };
}
