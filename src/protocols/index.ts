/** Layer 2, pure: what an operation of each session protocol means: SSH, PostgreSQL, mail, ... */
export type {
  Described,
  MintedLogin,
  Protocol,
  ProtocolMint,
  Separator,
  Surroundings,
  VerbInfo,
} from "./protocol.ts";
export { allProtocols, findProtocol, loadProtocols } from "./registry.ts";
export { protocolSystems, type ProtocolInfo } from "./systems.ts";
export * from "./redis/index.ts";
