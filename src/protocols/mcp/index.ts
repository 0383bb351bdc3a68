/** MCP: what its messages do, and what of a server is pinned. */
export { MCP } from "./protocol.ts";
export {
  contentOf,
  envelopeOf,
  eraOf,
  isMembers,
  readMessage,
  type Bad,
  type Id,
  type Members,
  type Message,
} from "./message.ts";
export { CLIENT_NOTICES, REQUESTS, SERVER_NOTICES, SERVER_REQUESTS } from "./methods.ts";
export {
  isDigest,
  optionsSchema,
  pinOf,
  readOptions,
  type Options,
  type ServerOptions,
} from "./options.ts";
export {
  changeOf,
  digestOfItem,
  digestOfPin,
  digestOfText,
  LISTS,
  listKindOf,
  makePin,
  nameOf,
  pinnedDigest,
  pinSchema,
  reviewedOf,
  screenList,
  type ListKind,
  type Pin,
  type Screened,
} from "./pin.ts";
