/**
 * API keys: `e2b_` and 40 hexadecimal digits (160 bits from the kernel), which E2B's clients take for one of theirs. The
 * file has their SHA-256 alone: of a value that nobody can guess, that is enough.
 *
 * @module
 */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { existsSync, mkdirSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { Fault, readTextFile, requireOwnFolder } from "../base/index.ts";

const FORMAT = /^e2b_[0-9a-f]{40}$/;
const NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/;
const SECRET_BYTES = 20;
const KEYS_MAX = 1000;

const fileSchema = z.strictObject({
  keys: z
    .array(
      z.strictObject({
        name: z.string().regex(NAME),
        sha256: z.string().regex(/^[0-9a-f]{64}$/),
        createdAt: z.string(),
      }),
    )
    .max(KEYS_MAX),
});
type Kept = z.infer<typeof fileSchema>["keys"][number];

/** The keys of a home: `e2b-keys.json`, mode 0600. Each question reads the file anew: a key that was removed is none. */
export class ApiKeys {
  readonly #root: string;
  readonly #file: string;

  constructor(root: string) {
    this.#root = root;
    this.#file = join(root, "e2b-keys.json");
  }

  list(): readonly Pick<Kept, "name" | "createdAt">[] {
    return this.#read().map(({ name, createdAt }) => ({ name, createdAt }));
  }

  /** Makes a key; it is told once, here. @throws {Fault} `e2b.key` where there is one of that name, or the name is none. */
  add(name: string): string {
    const keys = this.#read();
    if (!NAME.test(name)) {
      throw new Fault("e2b.key", `not a name for a key: ${JSON.stringify(name)}`, {
        hint: "small letters, digits, dots and dashes, up to 63",
      });
    }
    if (keys.some((key) => key.name === name) || keys.length >= KEYS_MAX) {
      throw new Fault("e2b.key", `there is a key ${name} already, or there are ${KEYS_MAX}`, {
        hint: `\`cofferdam e2b key remove ${name}\` ends it`,
      });
    }
    const key = `e2b_${randomBytes(SECRET_BYTES).toString("hex")}`;
    const createdAt = new Date().toISOString();
    this.#write([...keys, { name, sha256: digestOf(key).toString("hex"), createdAt }]);
    return key;
  }

  /** @throws {Fault} `e2b.key` where there is none of that name. */
  remove(name: string): void {
    const keys = this.#read();
    if (!keys.some((key) => key.name === name)) {
      throw new Fault("e2b.key", `there is no key ${JSON.stringify(name)}`, {
        hint: "`cofferdam e2b key list` names them",
      });
    }
    this.#write(keys.filter((key) => key.name !== name));
  }

  /** Whether the key that {@link idOf} told apart is one still; another of its name is another. */
  has(id: string): boolean {
    return this.#read().some((key) => idOf(key) === id);
  }

  /** What tells `key` apart from every other, also of the same name later; `undefined` where it is none. */
  idOf(key: string): string | undefined {
    if (!FORMAT.test(key)) return undefined;
    const digest = digestOf(key);
    const found = this.#read().find(({ sha256 }) =>
      timingSafeEqual(Buffer.from(sha256, "hex"), digest),
    );
    return found && idOf(found);
  }

  #read(): readonly Kept[] {
    if (!existsSync(this.#file)) return [];
    const { mode, uid } = statSync(this.#file);
    if ((mode & 0o077) !== 0 || uid !== process.geteuid?.()) {
      throw new Fault("e2b.key", `${this.#file} is not this user's alone`, {
        hint: `chmod 600 '${this.#file}', if nobody else wrote to it`,
      });
    }
    const text = readTextFile(this.#file, { mayWait: false, isNoLink: true });
    const parsed = fileSchema.safeParse(jsonOf(text));
    if (parsed.success) return parsed.data.keys;
    throw new Fault(
      "e2b.key",
      `${this.#file} is no file of keys: ${parsed.error.issues[0]?.message}`,
    );
  }

  #write(keys: readonly Kept[]): void {
    requireOwnFolder(this.#root, { isVisit: false });
    mkdirSync(this.#root, { recursive: true, mode: 0o700 });
    const part = `${this.#file}.${process.pid}`;
    writeFileSync(part, `${JSON.stringify({ keys }, undefined, 2)}\n`, { mode: 0o600, flag: "wx" });
    renameSync(part, this.#file);
  }
}

function idOf({ name, sha256 }: Kept): string {
  return `${name}:${sha256}`;
}

/** The name of the key that {@link ApiKeys.idOf} told apart: what the record calls it. */
export function keyName(id: string): string {
  return id.slice(0, id.indexOf(":"));
}

function digestOf(key: string): Buffer {
  return createHash("sha256").update(key).digest();
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined; // The schema then refuses it.
  }
}
