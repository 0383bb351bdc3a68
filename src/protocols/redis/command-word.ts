/**
 * The words of a Redis command as JSON: text where it is UTF-8, bytes in base64 where it is not, and a digest for
 * what is long, of which the bytes stand in the operation's body, one after the other.
 *
 * @module
 */
import { hash } from "node:crypto";
import { z } from "zod";

/** Longer words stand in the body. */
export const WORD_BYTES_MAX = 4096;

const wordSchema = z.union([
  z.string(),
  z.strictObject({ base64: z.string() }),
  z.strictObject({ bytes: z.int().positive(), sha256: z.string().regex(/^[0-9a-f]{64}$/) }),
]);
export const commandSchema = z.array(wordSchema).min(1).max(65_536);
/** One word of a command. */
export type RedisWord = z.infer<typeof wordSchema>;

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** `words` as an operation has them, and the bytes of the long ones. */
export function redisWordsOf(words: readonly Buffer[]): {
  readonly command: RedisWord[];
  readonly body: readonly Buffer[];
} {
  const body = words.filter((word) => word.length > WORD_BYTES_MAX);
  return { command: words.map(wordOf), body };
}

function wordOf(bytes: Buffer): RedisWord {
  if (bytes.length > WORD_BYTES_MAX) {
    return { bytes: bytes.length, sha256: hash("sha256", bytes) };
  }
  try {
    return utf8.decode(bytes);
  } catch {
    return { base64: bytes.toString("base64") };
  }
}

/**
 * The bytes of `commands`, the long words' from `body`; `undefined` where these do not belong together: too
 * few bytes, too many, others, or a word in a spelling that is not ours.
 */
export function redisBytesOf(
  commands: readonly (readonly RedisWord[])[],
  body: Uint8Array | undefined,
): readonly (readonly Buffer[])[] | undefined {
  const whole = Buffer.from(body ?? []);
  let at = 0;
  const bytesOf = (word: RedisWord): Buffer | undefined => {
    if (typeof word === "string") return Buffer.from(word);
    if ("base64" in word) {
      const bytes = Buffer.from(word.base64, "base64");
      return bytes.toString("base64") === word.base64 ? bytes : undefined;
    }
    const bytes = whole.subarray(at, at + word.bytes);
    at += word.bytes;
    return bytes.length === word.bytes && hash("sha256", bytes) === word.sha256 ? bytes : undefined;
  };
  const all = commands.map((words) => words.map(bytesOf));
  const isSound = at === whole.length && all.every((words) => !words.includes(undefined));
  return isSound ? all.map((words) => words.flatMap((one) => one ?? [])) : undefined;
}

/**
 * `word` as the name of a key: its text; what is not UTF-8 as `\xNN`. `undefined` for one too long to be named.
 */
export function keyText(word: RedisWord): string | undefined {
  if (typeof word === "string") return word;
  if (!("base64" in word)) return undefined;
  return Buffer.from(word.base64, "base64")
    .toString("latin1")
    .replaceAll(/[^ -[\]-~]/g, (one) => `\\x${one.charCodeAt(0).toString(16).padStart(2, "0")}`);
}

/** A short word of ASCII, in lower case: a command's name, an option. */
export function plainWord(word: RedisWord | undefined): string | undefined {
  return typeof word === "string" && /^[\w.|-]{1,64}$/.test(word) ? word.toLowerCase() : undefined;
}

/** A count as Redis reads it; other spellings are refused. */
export function plainCount(word: RedisWord | undefined): number | undefined {
  return typeof word === "string" && /^(0|[1-9]\d{0,8})$/.test(word) ? Number(word) : undefined;
}
