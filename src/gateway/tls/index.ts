/** TLS of the runs: an authority of this installation's own, one certificate per name, who trusts it. */
export * from "./authority.ts";
export * from "./client-trust.ts";
export { trustStores } from "./trust-stores.ts";
