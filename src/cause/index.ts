/** Layer 2, pure: which tool call and step a process, flow or action belongs to, and how surely. */
export { createJoiner, type Joiner } from "./joiner.ts";
export { asksOf, type Asks } from "./asks.ts";
