/**
 * Looks for a mining pool's protocol in a request's body, also under its compression.
 *
 * Only the first bytes are decoded (a miner logs in with its first message), so a compressed bomb costs
 * what 16 KiB cost. What the decoder cannot read is no message to a pool either, and is left to the server.
 * Answers are looked at as they come: a pool is of no use to a miner that cannot speak to it.
 *
 * @module
 */
import { createStratumWatch, STRATUM_BYTES_MAX, type MiningMessage } from "../wire/index.ts";
import { createDecoding } from "./decoding.ts";
import type { RawHeaders } from "./http-headers.ts";

/** Watches one body; `push` takes it in order and tells of the first mining message. */
export interface BodyWatch {
  push(chunk: Buffer): MiningMessage | undefined | Promise<MiningMessage | undefined>;
  /** Lets go of the decoders, which hold memory of their own. */
  close(): void;
}

export function createBodyWatch(headers: RawHeaders): BodyWatch {
  const watch = createStratumWatch();
  const decoding = createDecoding(headers, STRATUM_BYTES_MAX);
  if (typeof decoding === "string") return { push: (chunk) => watch.push(chunk), close() {} };
  return {
    close: () => decoding.close(),
    async push(chunk) {
      if (decoding.isOver) return undefined;
      const hit = watch.push(await decoding.push(chunk));
      if (hit !== undefined) decoding.close();
      return hit;
    },
  };
}
