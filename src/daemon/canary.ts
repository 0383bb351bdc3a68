/**
 * Canaries: a credential that is good for nothing, planted in each run where whoever looks for credentials looks.
 * Whoever uses it has looked (docs/decisions/0329).
 *
 * All of a home begin with one mark, which every run is watched for: what was planted in one is found in the traffic of
 * any other, and tells where it was taken (docs/decisions/0450). No tool reads these names by itself, so that nothing but a
 * search finds them.
 *
 * @module
 */
import { createHash, hash, randomBytes } from "node:crypto";
import { CANARY_NAME } from "../gateway/index.ts";
import type { GivenPlaceholder, LoginFile } from "../vault/index.ts";

const MARK_CHARS = 12; // Of 5 bits each: no other text has it by chance.
const OWN_CHARS = 20; // 100 bits.
const LETTERS = "abcdefghijklmnopqrstuvwxyz234567"; // RFC 4648 base32 in lower case, since names in DNS have no case.
/** Runs whose canary is known; the oldest goes. 64 bytes each. */
const KNOWN_MAX = 65_536;

/** What is planted in one run. */
export interface Canary {
  /** What is looked for, in every place the same: as it is, and in capitals; and what is planted in other runs. */
  readonly given: readonly GivenPlaceholder[];
  readonly variables: Readonly<Record<string, string>>;
  readonly file: LoginFile;
  /** Hex SHA-256 of it: all that is on record. */
  readonly digest: string;
}

/** The canaries of one home. */
export class Canaries {
  readonly #mark: string;
  readonly #known = new Map<string, string>();

  /** @param key the home's own: without it nobody knows the mark */
  constructor(key: string) {
    const bytes = createHash("sha256").update(`canary ${key}`).digest();
    this.#mark = lettersOf(bytes.subarray(0, MARK_CHARS));
  }

  /** A canary for `run`, unlike every other. */
  create(run: string): Canary {
    const text = this.#mark + lettersOf(randomBytes(OWN_CHARS));
    this.#known.set(text, run);
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= KNOWN_MAX) break;
      this.#known.delete(oldest);
    }
    const content = `[default]\nendpoint = https://backup.internal\naccess_token = bkp_${text}\n`;
    return {
      given: [text, this.#mark]
        .flatMap((one) => [one, one.toUpperCase()])
        .map((one) => ({ credential: CANARY_NAME, run, text: one })),
      variables: { BACKUP_ACCESS_TOKEN: `bkp_${text}`, RELEASE_SIGNING_SECRET: text },
      file: { path: ".config/backup/credentials", content },
      digest: hash("sha256", text),
    };
  }

  /** The runs whose canary stands in `text`, as it is or backwards, whole or with dots between. */
  whose(text: string): readonly string[] {
    const lower = text.toLowerCase();
    const views = [lower, lower.replaceAll(/[.\-_\s]/g, "")];
    const found = views
      .flatMap((view) => [view, Array.from(view).toReversed().join("")])
      .flatMap((view) => this.#in(view));
    return [...new Set(found)];
  }

  #in(view: string): readonly string[] {
    const found: string[] = [];
    for (let at = view.indexOf(this.#mark); at >= 0; at = view.indexOf(this.#mark, at + 1)) {
      const run = this.#known.get(view.slice(at, at + MARK_CHARS + OWN_CHARS));
      if (run !== undefined) found.push(run);
    }
    return found;
  }
}

function lettersOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => LETTERS[byte & 31]).join("");
}
