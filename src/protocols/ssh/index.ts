/** SSH: what a command, a file operation or a shell does to a server. Pure. */
export { decodeAnswer, encodeAnswer, type FileResult, type Performed } from "./answer.ts";
export { meaningOf, type CommandMeaning } from "./describe-command.ts";
export { isResolved } from "./describe-file.ts";
export {
  attributesSchema,
  operationSchema,
  type FileAttributes,
  type FileOperation,
  type SshOperation,
} from "./operation.ts";
export { optionsSchema, pinnedKeys, type PinnedKey, type SshOptions } from "./options.ts";
export { sshProtocol } from "./protocol.ts";
export type { Transfer } from "./transfer.ts";
