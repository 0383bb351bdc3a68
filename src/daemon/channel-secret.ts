/**
 * A channel's secret, from where `approvers.yaml` says that it is kept: the vault, which gives it for the one
 * place that it is bound to, or a file of its owner's.
 *
 * @module
 */
import { isAbsolute, join } from "node:path";
import { Fault } from "../base/index.ts";
import { readPrivateFile, type SecretPlace } from "../channel/index.ts";
import type { Vault } from "../vault/index.ts";

interface Ports {
  readonly root: string;
  /** @throws {Fault} why it is not open */
  vault(): Vault;
}

/**
 * The secret for `api`, in one line.
 *
 * @throws {Fault} of the vault, as where the credential is for another place; `channel.file`, `channel.secret`
 */
export async function readSecret(
  { credential, file = "" }: SecretPlace,
  api: string,
  { root, vault }: Ports,
): Promise<string> {
  if (credential !== undefined) return fromVault(vault(), credential, api);
  const path = isAbsolute(file) ? file : join(root, file);
  const text = readPrivateFile(path)?.trim() ?? "";
  if (/^[!-~]+$/.test(text)) return text;
  throw new Fault("channel.secret", `there is no secret in ${path}`, {
    hint: "one line, in a file with mode 0600",
  });
}

async function fromVault(vault: Vault, credential: string, api: string): Promise<string> {
  const { protocol, hostname: host, port } = new URL(api);
  const scheme = protocol === "https:" ? "https" : "http";
  const place = { scheme, host, port: Number(port) || (scheme === "https" ? 443 : 80) } as const;
  const { kind } = vault.show(credential).how;
  const [secret] = (await vault.lease(credential, place)).secrets;
  if ((kind === "path" || kind === "bearer") && secret !== undefined) return secret;
  throw new Fault("channel.secret", `${credential} is of the kind ${kind}`, {
    hint: "add it with --kind path or --kind bearer",
  });
}
