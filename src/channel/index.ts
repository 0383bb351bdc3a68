/** Layer 4: where approvers are asked when they are not at the machine: who they are, and the chats that reach them. */
export {
  APPROVERS_FILE,
  readApprovers,
  readDeciders,
  type Approvers,
  type SecretPlace,
} from "./approvers.ts";
export type { Channel } from "./channel.ts";
export { Courier, type ChannelStatus } from "./courier.ts";
export { CourierStore } from "./courier-store.ts";
export { createNtfy } from "./ntfy.ts";
export { readPrivateFile } from "./private-file.ts";
export { createSlack } from "./slack.ts";
export { createTelegram } from "./telegram.ts";
