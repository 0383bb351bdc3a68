/** The APIs of models: what an answer calls, what a request says was called and what came of it. */
export * from "./protocol.ts";
export { briefOf, inputOf, type CallInput } from "./input.ts";
export { createAnswerReader, type AnswerReader } from "./answer.ts";
export type { Answered, ModelCall } from "./reading.ts";
export {
  readModelRequest,
  toolResultOf,
  type Claimed,
  type ModelRequest,
  type ToolResult,
} from "./request.ts";
export { createResponsesSocket, type ResponsesSocket, type SocketPart } from "./socket.ts";
