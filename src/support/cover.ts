/**
 * What must not leave: all that the vault holds, what stands for it in runs, the keys of this home, and what looks like a
 * secret in the environment.
 *
 * @module
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Home } from "../api/index.ts";
import { createRedaction, SECRET_CHARS_MIN, type Redaction, type Vault } from "../vault/index.ts";

/** A shorter word of a key's file is its heading. */
const KEY_CHARS_MIN = 24;
const SECRET_NAME = /key|token|secret|pass|pwd|cred|auth|cookie|session|private|dsn|webhook/i;

export interface CoverOf {
  readonly home: Home;
  /** Absent where this home has none. */
  readonly vault: Vault | undefined;
  /** Runs whose placeholders are looked for. */
  readonly runs: readonly string[];
  readonly environments: readonly Readonly<Record<string, string | undefined>>[];
  /** Other secrets that the caller knows. */
  readonly more: readonly string[];
}

/** Covers in `bytes` whatever must not leave; `found` says how often. */
export function createCover({ home, vault, runs, environments, more }: CoverOf) {
  const own = [...ownSecrets(home, environments), ...more];
  const redaction = vault === undefined ? createRedaction(own) : vault.redaction(runs, own);
  return (bytes: Buffer) => covered(redaction, bytes);
}

function covered(redaction: Redaction, bytes: Buffer) {
  const redactor = redaction.stream();
  const out = Buffer.concat([redactor.push(bytes), redactor.end()]);
  return { bytes: out, found: redactor.found };
}

/** Secrets of this home and of `environments`, which the vault does not hold. */
export function ownSecrets(
  home: Home,
  environments: readonly Readonly<Record<string, string | undefined>>[],
): readonly string[] {
  const named = environments
    .flatMap((environment) => Object.entries(environment))
    .flatMap(([name, value = ""]) => (SECRET_NAME.test(name) ? [value] : []));
  const keys = existsSync(home.keys)
    ? readdirSync(home.keys).flatMap((file) => keyTexts(join(home.keys, file)))
    : [];
  return [...named.filter((one) => one.length >= SECRET_CHARS_MIN), ...keys];
}

/** Each line of a key, and the bytes that it stands for as hexadecimal digits. */
function keyTexts(path: string): readonly string[] {
  const words = readFileSync(path, "latin1").split(/\s+/);
  return words.flatMap((word) => {
    if (word.length < KEY_CHARS_MIN) return [];
    const isBase64 = /^[\w+/-]+=*$/.test(word);
    return isBase64 ? [word, Buffer.from(word, "base64").toString("hex")] : [word];
  });
}
