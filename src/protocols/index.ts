/** Layer 2, pure: what an operation of each session protocol means: SSH, PostgreSQL, mail, ... */
export type {
  Described,
  MintedLogin,
  Protocol,
  ProtocolMint,
  SampleOperation,
  Separator,
  Surroundings,
  VerbInfo,
} from "./protocol.ts";
export * as mcp from "./mcp/index.ts";
export * as postgres from "./postgres/index.ts";
export { allProtocols, findProtocol, loadProtocols } from "./registry.ts";
export { protocolSystems, type ProtocolInfo } from "./systems.ts";
export * from "./redis/index.ts";
export * from "./mysql/index.ts";
export * from "./ssh/index.ts";
export {
  flawsOfMail,
  RECIPIENTS_MAX as SMTP_RECIPIENTS_MAX,
  smtpOptions,
  type Flaw as MailFlaw,
  type SmtpOptions,
} from "./smtp/index.ts";
