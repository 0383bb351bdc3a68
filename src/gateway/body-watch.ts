/**
 * Looks for a mining pool's protocol in a request's body, also under its compression.
 *
 * Only the first bytes are decoded (a miner logs in with its first message), so a compressed bomb costs
 * what 16 KiB cost. What the decoder cannot read is no message to a pool either, and is left to the server.
 * Answers are looked at as they come: a pool is of no use to a miner that cannot speak to it.
 *
 * @module
 */
import type { Transform } from "node:stream";
import {
  constants,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createInflateRaw,
  createZstdDecompress,
  deflateRaw,
} from "node:zlib";
import { createStratumWatch, STRATUM_BYTES_MAX, type MiningMessage } from "../wire/index.ts";
import { listOf, type RawHeaders } from "./http-headers.ts";

/** Watches one body; `push` takes it in order and tells of the first mining message. */
export interface BodyWatch {
  push(chunk: Buffer): MiningMessage | undefined | Promise<MiningMessage | undefined>;
  /** Lets go of the decoders, which hold memory of their own. */
  close(): void;
}

// A frame may ask for 128 MiB to be decoded in; RFC 8878, 3.1.1.1.2 has decoders take 8 MiB.
const ZSTD_WINDOW = constants.ZSTD_d_windowLogMax;
const ZSTD_WINDOW_LOG_MAX = 23;

/** By the name of the coding: makes a decoder for a stream that begins with `first`. */
const DECODERS: ReadonlyMap<string, (first: number) => Transform> = new Map<
  string,
  (first: number) => Transform
>([
  ["gzip", () => createGunzip()],
  ["x-gzip", () => createGunzip()],
  // RFC 9110 means the zlib format; servers also take bare deflate, whose blocks never begin with 8.
  ["deflate", (first) => ((first & 0x0f) === 8 ? createInflate() : createInflateRaw())],
  ["br", () => createBrotliDecompress()],
  ["zstd", () => createZstdDecompress({ params: { [ZSTD_WINDOW]: ZSTD_WINDOW_LOG_MAX } })],
]);
// Decoding runs on threads that libuv makes at first use, and ends the process where it may not make any:
// they are made now, while whoever loads this may still seal itself.
deflateRaw("", () => {});

const LAYERS_MAX = 3; // Codings on top of each other; more is no message that a server would read.

export function createBodyWatch(headers: RawHeaders): BodyWatch {
  const codings = listOf(headers, "content-encoding").filter((coding) => coding !== "identity");
  const layers = codings.reverse().map((coding) => DECODERS.get(coding));
  const known = layers.filter((layer) => layer !== undefined);
  const isReadable = known.length === layers.length && layers.length <= LAYERS_MAX;
  if (layers.length > 0 && isReadable) return decodingWatch(known);
  const { push } = createStratumWatch();
  return { push, close() {} };
}

/** Feeds decoders in a row, each chunk until all that it gives has come out. */
function decodingWatch(layers: readonly ((first: number) => Transform)[]): BodyWatch {
  const watch = createStratumWatch();
  const decoders: Transform[] = [];
  let left = STRATUM_BYTES_MAX;
  const close = () => {
    left = 0;
    for (const decoder of decoders) decoder.destroy();
  };
  const decode = async (at: number, bytes: Buffer): Promise<Buffer> => {
    const create = layers[at];
    const [first] = bytes;
    if (create === undefined || first === undefined) return bytes;
    const decoder = (decoders[at] ??= create(first).on("error", close));
    return await decode(at + 1, await through(decoder, bytes, left));
  };
  return {
    close,
    async push(chunk) {
      if (left === 0) return undefined;
      const decoded = await decode(0, chunk);
      left = Math.max(0, left - decoded.length);
      const hit = watch.push(decoded);
      if (hit !== undefined || left === 0) close();
      return hit;
    },
  };
}

/** What `decoder` makes of `bytes`, cut off some time after `bytesMax`. */
async function through(decoder: Transform, bytes: Buffer, bytesMax: number): Promise<Buffer> {
  const out: Buffer[] = [];
  let length = 0;
  const { promise: enough, resolve } = Promise.withResolvers<void>();
  const take = (decoded: Buffer) => {
    out.push(decoded);
    length += decoded.length;
    if (length < bytesMax) return;
    decoder.pause();
    resolve();
  };
  decoder.on("data", take);
  decoder.once("close", resolve);
  // The callback comes when the decoder has read the chunk and handed out what it gave.
  decoder.write(bytes, () => resolve());
  await enough;
  decoder.removeListener("data", take);
  decoder.removeListener("close", resolve);
  return Buffer.concat(out);
}
