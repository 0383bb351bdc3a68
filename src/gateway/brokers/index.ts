/**
 * The brokers of session protocols, each by the system that grants name. They and their libraries are loaded
 * where they are used, which is in workers, and before those are sealed: a daemon starts without them.
 *
 * @module
 */
import type { SessionBroker } from "./broker.ts";

/** A broker is added here, and its protocol in src/protocols/registry.ts. */
const LOADERS: Readonly<Record<string, () => Promise<SessionBroker>>> = {
  mcp: async () => (await import("./mcp/broker.ts")).MCP_BROKER,
  redis: async () => (await import("./redis/index.ts")).redisBroker,
  smtp: async () => (await import("./smtp/index.ts")).smtpBroker,
  ssh: async () => (await import("./ssh/index.ts")).sshBroker,
  postgres: async () => (await import("./postgres/index.ts")).createPostgresBroker(),
};

const loaded = new Map<string, SessionBroker>();

/** Loads every broker; nothing of them is loaded later. */
export async function loadBrokers(): Promise<void> {
  await Promise.all(
    Object.entries(LOADERS).map(async ([system, load]) => loaded.set(system, await load())),
  );
}

/** Who serves grants of `system: kind`, once {@link loadBrokers} has resolved. */
export function findBroker(kind: string): SessionBroker | undefined {
  return loaded.get(kind);
}
