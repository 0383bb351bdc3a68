/**
 * Real name resolution, asked only for granted names and only by the daemon.
 *
 * @module
 */
import { lookup } from "node:dns/promises";
import { Fault } from "../base/index.ts";

/**
 * Every address of `host`, by the system's own means (hosts file, then DNS).
 *
 * @throws {Fault} `daemon.resolve` where it has none.
 */
export async function resolveHost(host: string): Promise<readonly string[]> {
  try {
    const answers = await lookup(host, { all: true, order: "verbatim" });
    return answers.map((answer) => answer.address);
  } catch (cause) {
    throw new Fault("daemon.resolve", `no address for ${host}`, { cause });
  }
}
