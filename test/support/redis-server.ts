/**
 * A real Redis of a test's own: on loopback, with a password, nothing on disk.
 *
 * @module
 */
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually } from "./home.ts";

export const REDIS_PASSWORD = "r3dis-Secret-0123456789";

export interface RedisServer {
  readonly port: number;
  /** Asks it past Cofferdam, as its owner; what it answered, without the last line feed. */
  ask(...words: readonly string[]): string;
  close(): Promise<void>;
}

/** A port that is free now. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, "close");
  return port;
}

export async function startRedis(more: readonly string[] = []): Promise<RedisServer> {
  const folder = mkdtempSync(join(tmpdir(), "cofferdam-redis-"));
  const port = await freePort();
  const own = ["--bind", "127.0.0.1", "--port", String(port), "--dir", folder, "--save", ""];
  const child: ChildProcess = spawn(
    "redis-server",
    [...own, "--requirepass", REDIS_PASSWORD, ...more],
    { stdio: "ignore" },
  );
  const ask = (...words: readonly string[]) => {
    const env = { ...process.env, REDISCLI_AUTH: REDIS_PASSWORD };
    const said = ["-p", String(port), ...words];
    const stdio: ["ignore", "pipe", "ignore"] = ["ignore", "pipe", "ignore"];
    return execFileSync("redis-cli", said, { env, stdio, encoding: "utf8" }).replace(/\n$/, "");
  };
  await eventually("Redis answers", 10_000, () => {
    try {
      return ask("PING") === "PONG";
    } catch {
      return undefined;
    }
  });
  return {
    port,
    ask,
    async close() {
      const ended = once(child, "exit");
      child.kill("SIGKILL");
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
