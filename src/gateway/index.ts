/** Layer 4: the only way out of a run: names, connections, TLS, and the brokers that judge what is said. */
export * from "./dns/index.ts";
export * from "./tls/index.ts";
export * from "./ports.ts";
export * from "./limits.ts";
export { createGateway, type Gateway, type GatewayStats } from "./gateway.ts";
export { createConnector, type Attempt, type Connector } from "./connector.ts";
export { type OwnPlaces } from "./own-places.ts";
export type { Destination } from "./dialer.ts";
export { catalogRequestOf } from "./http-action.ts";
export { intentOf } from "./intent.ts";
export {
  createConnectJudge,
  RESOLVER_ADDRESS,
  type ConnectErrno,
  type ConnectJudge,
  type ConnectJudgement,
  type RefusalCounts,
  type Transport,
} from "./connect-judge.ts";
export { actionOfHeld, requestOf } from "./held.ts";
export { rowsOfAnswer, type Rows } from "./answer-rows.ts";
export { CANARY_NAME, CANARY_USED, isCanary, mayTellCanary } from "./placeholders.ts";
export { mayRepeat, REPEATING_MAX } from "./repeats.ts";
export { loadBrokers } from "./brokers/index.ts";
export { actionOfOperation, isSameDeed } from "./session-action.ts";
export { lookupTargets, requestBeside } from "./lookups.ts";
export type { Asked, CollectedAnswer } from "./collected-client.ts";
export type { RawHeaders } from "./http-headers.ts";
export type { Credentialed } from "./credential.ts";
export { denialLine, type Denial } from "./denial.ts";
export { createUpstreamTrust, type UpstreamTrust } from "./upstream-trust.ts";
export { tearSocket } from "./flow-record.ts";
export { relay, type RelayOptions } from "./relay.ts";
