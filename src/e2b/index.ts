/** Layer 7: the adapter for clients of E2B, a process of its own: their REST surface, and the services inside each sandbox, over the control contract. */
import type { Adapter, AdapterOptions } from "./adapter.ts";
export type { Adapter, AdapterOptions };
export { ApiKeys } from "./keys.ts";

/** As `openAdapter` of adapter.ts, loaded when it is asked for: who makes a key needs nothing of it. */
export async function openAdapter(options: AdapterOptions): Promise<Adapter> {
  return (await import("./adapter.ts")).openAdapter(options);
}
