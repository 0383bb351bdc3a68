/** Layer 3: credentials: sealed at rest, bound to a place, leased, attached last, and never echoed. */
export { attach, needsBody } from "./attach.ts";
export {
  createPlaceholderFinder,
  type GivenPlaceholder,
  type PlaceholderFinder,
} from "./find-placeholders.ts";
export type { Attachment, Lease } from "./lease.ts";
export { LOGIN_FILES, readLogin, type Login, type LoginAgent, type LoginFile } from "./logins.ts";
export { PassingSecret, type PassingKind } from "./passing.ts";
export {
  createRedaction,
  createRedactor,
  redactText,
  type Redaction,
  type Redactor,
} from "./redactor.ts";
export type { AttachableRequest } from "./request-parts.ts";
export {
  sealByPassphrase,
  sealedSchema,
  unsealByPassphrase,
  type Sealed,
} from "./passphrase-seal.ts";
export { SECRET_CHARS_MIN, type Secret } from "./secret.ts";
export {
  printBinding,
  requirePlace,
  type Binding,
  type CredentialSpec,
  type Kind,
  type Place,
} from "./spec.ts";
export {
  createSshKey,
  mintSshCertificate,
  sshAuthorityLine,
  type SshCertificateOptions,
} from "./ssh-certificate.ts";
export type { Unlock } from "./unlock.ts";
export { openVault, Vault, type CredentialInfo, type VaultOptions } from "./vault.ts";
