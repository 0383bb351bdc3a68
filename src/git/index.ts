/** Layer 1, pure: git as bytes - packet lines, packs, objects - and what a push does. */
export { Advertisement, type Advertised } from "./advertisement.ts";
export {
  describePush,
  PUSH_VERBS,
  type DescribedPush,
  type PushEffect,
  type PushInput,
  type PushOptions,
  type PushPart,
  type UnreadablePush,
} from "./describe-push.ts";
export { readFetchRequest } from "./fetch-request.ts";
export { gitOptionsSchema, isListedRepo, LFS_BYTES_MAX, type GitOptions } from "./grant-options.ts";
export { PushInquiry, type Question } from "./inquiry.ts";
export { GIT_FACT, readKnown, type Facts as GitFacts } from "./known.ts";
export { GIT_LIMITS } from "./limits.ts";
export { FLUSH, packet, PacketReader, type Packet } from "./pkt-line.ts";
export { answerOf, speaksVersion2 } from "./plain-upload.ts";
export type { PushContent } from "./push-content.ts";
export {
  readPushHead,
  readPushRequest,
  type PushCommand,
  type PushRequest,
} from "./push-request.ts";
export { PushScanner } from "./push-scanner.ts";
export type { Known } from "./push.ts";
export { isProtected, PROTECTED_BY_DEFAULT } from "./ref-name.ts";
export { readReport, rejectionFor, rejectionOf, type PushReport } from "./report.ts";
export { blackenSecrets, mayHoldSecret, secretOf, secretsIn } from "./secrets.ts";
export { samplePush, type SamplePush } from "./sample.ts";
