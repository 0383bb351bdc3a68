/** Layer 1, pure: mail messages and addresses, read so that no other reader finds more in them. */
export { readAddresses } from "./addresses.ts";
export { readMailbox, type Mailbox } from "./mailbox.ts";
export {
  attachedIn,
  readMessage,
  type Attachment,
  type Message,
  type TextPart,
} from "./message.ts";
