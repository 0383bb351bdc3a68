/**
 * A vault in a folder of its own, for tests.
 *
 * @module
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createHash } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock, type Clock } from "../base/index.ts";
import type { CredentialSpec, Kind } from "./spec.ts";
import { openVault, type Vault } from "./vault.ts";

export class TestVault {
  readonly root = mkdtempSync(join(tmpdir(), "cofferdam-vault-"));
  readonly dir = join(this.root, "vault");
  readonly keyFile = join(this.root, "keys", "vault.key");

  constructor() {
    mkdirSync(join(this.root, "keys"));
  }

  get file(): string {
    return join(this.dir, "vault");
  }

  async open(passphrase?: string, clock: Clock = systemClock): Promise<Vault> {
    return openVault({ dir: this.dir, clock, unlock: { keyFile: this.keyFile, passphrase } });
  }

  /** Writes the vault's file anew with what `edit` makes of its JSON, and the hash that goes with it. */
  forge(edit: (json: string) => string): void {
    const json = edit(readFileSync(this.file, "utf8").split("\n")[1] ?? "");
    const hash = createHash("sha256").update(`${json}\n`).digest("hex");
    writeFileSync(this.file, `cofferdam-vault/1 ${hash}\n${json}\n`);
  }

  remove(): void {
    rmSync(this.root, { recursive: true });
  }
}

/** A credential of `how` for https://api.example.com. */
export function specOf(name: string, how: Kind, hosts = ["api.example.com"]): CredentialSpec {
  return { name, binding: { scheme: "https", hosts, port: 443 }, how };
}

export const PLACE = { scheme: "https", host: "api.example.com", port: 443 } as const;
