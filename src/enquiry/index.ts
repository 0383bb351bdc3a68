/** Layer 4: what an agent may ask of Cofferdam about its own run: over HTTP, and as an MCP server. */
export type { Claim } from "./claims.ts";
export { mayDo } from "./may-do.ts";
export { EnquiryServer } from "./server.ts";
export type { AccessAnswer, DenialTold, Enquiries, WaitingTold } from "./enquiries.ts";
