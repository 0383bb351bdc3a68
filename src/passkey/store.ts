/**
 * `passkeys.json` of the home: whose passkeys are believed. Read anew each time, so that what its owner takes out of it is
 * gone at once; written whole or not at all.
 *
 * @module
 */
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { Fault, isFault, requireFormat } from "../base/index.ts";
import { readPrivateFile } from "../channel/index.ts";

export const PASSKEYS_FILE = "passkeys.json";
const PASSKEYS_MAX = 100;

const base64url = z.string().regex(/^[\w-]+$/);

const passkeySchema = z.strictObject({
  /** Names it to people: the beginning of its credential's digest. */
  id: z.string().regex(/^k-[0-9a-f]{12}$/),
  /** Whose it is, as approvers.yaml calls them. */
  person: z.string().regex(/^[a-z][a-z0-9-]{0,39}$/),
  label: z.string().min(1).max(60),
  roles: z.array(z.enum(["viewer", "approver", "operator"])).min(1),
  /** The host whose pages it signs for. */
  rpId: z.string().min(1).max(253),
  credential: base64url.max(1400),
  publicKey: base64url.max(1400),
  counter: z.int().min(0),
  createdAt: z.iso.datetime(),
  usedAt: z.iso.datetime().optional(),
});
export type Passkey = z.infer<typeof passkeySchema>;

const fileSchema = z.strictObject({
  version: z.literal(1),
  passkeys: z.array(passkeySchema).max(PASSKEYS_MAX),
});

export class PasskeyStore {
  readonly #path: string;

  constructor(root: string) {
    this.#path = join(root, PASSKEYS_FILE);
  }

  /** @throws {Fault} `channel.file`, `passkey.store`: then no passkey is believed. */
  read(): readonly Passkey[] {
    const text = readPrivateFile(this.#path);
    if (text === undefined) return [];
    try {
      const file: unknown = JSON.parse(text);
      requireFormat(this.#path, z.looseObject({ version: z.int() }).parse(file).version, 1);
      return fileSchema.parse(file).passkeys;
    } catch (cause) {
      if (isFault(cause, "base.format")) throw cause;
      throw new Fault("passkey.store", `${this.#path} is not what Cofferdam wrote`, {
        hint: "no passkey is believed until it is mended; removing it removes all passkeys",
        cause,
      });
    }
  }

  /** @throws {Fault} `passkey.store` */
  write(passkeys: readonly Passkey[]): void {
    if (passkeys.length > PASSKEYS_MAX) {
      throw new Fault("passkey.store", `${PASSKEYS_MAX} passkeys are kept at most`, {
        hint: "`cofferdam passkeys list` lists them, and `remove` makes room",
      });
    }
    const next = `${this.#path}.new`;
    rmSync(next, { force: true }); // Of a daemon that died in the middle.
    const file = openSync(next, "wx", 0o600);
    try {
      writeSync(file, `${JSON.stringify({ version: 1, passkeys }, undefined, 1)}\n`);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(next, this.#path);
  }
}
