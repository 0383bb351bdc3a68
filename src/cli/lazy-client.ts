/**
 * A client that loads what it needs when it is first used: `run` needs none of it.
 *
 * @module
 */
import type { Home } from "../link/index.ts";
import type { Client } from "./client.ts";

/** A client of the daemon at `home`; nothing is started. */
export function lazyClient(home: Home): Client {
  const load = async () => (await import("./client.ts")).createClient(home);
  return {
    call: async (name, takes) => (await load()).call(name, takes),
    async *stream(name, takes) {
      yield* (await load()).stream(name, takes);
    },
    attach: async (run) => (await load()).attach(run),
  };
}
