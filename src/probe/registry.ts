/**
 * Every probe, by the system that it asks.
 *
 * @module
 */
import { mysqlProbe } from "./mysql/index.ts";
import { postgresProbe } from "./postgres/index.ts";
import type { Probe } from "./probe.ts";
import { redisProbe } from "./redis/redis.ts";
import { sshProbe } from "./ssh/ssh.ts";
import { WEB_PROBES } from "./web/index.ts";

const PROBES: readonly Probe[] = [
  ...[mysqlProbe, postgresProbe, redisProbe, sshProbe],
  ...WEB_PROBES,
];

/** The probe for `system`; `undefined` where nobody knows what to ask there. */
export function findProbe(system: string): Probe | undefined {
  return PROBES.find((one) => one.system === system);
}

export function allProbes(): readonly Probe[] {
  return PROBES;
}
