/** Layer 7: the adapter for clients of E2B, a process of its own: their REST surface, and the services inside each sandbox, over the control contract. */
export { openAdapter, type Adapter, type AdapterOptions } from "./adapter.ts";
export { ApiKeys } from "./keys.ts";
