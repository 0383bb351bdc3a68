/** Layer 2, pure: what an operation of each session protocol means: SSH, PostgreSQL, mail, ... */
export {
  SESSION_VERB,
  UNKNOWN_VERB,
  type Described,
  type Protocol,
  type Surroundings,
  type VerbInfo,
} from "./protocol.ts";
export { allProtocols, findProtocol, loadProtocols } from "./registry.ts";
export * from "./redis/index.ts";
