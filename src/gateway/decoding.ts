/**
 * Content codings, undone as a body passes: what it says is read, while the body goes on as it is.
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
import { listOf, type RawHeaders } from "./http-headers.ts";

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

/** A body without its codings. */
export interface Decoding {
  /** What `chunk` gives; never more than the limit in all, some more than it in the last piece. */
  push(chunk: Buffer): Promise<Buffer>;
  /** Nothing more is given: the limit is reached, the body breaks its coding, or it was closed. */
  readonly isOver: boolean;
  /** Lets go of the decoders, which hold memory of their own. */
  close(): void;
}

/** The codings of a body with `headers`, outermost first; `undefined` where one is not known here. */
function layersOf(headers: RawHeaders): readonly ((first: number) => Transform)[] | undefined {
  const codings = listOf(headers, "content-encoding").filter((coding) => coding !== "identity");
  const layers = codings.reverse().map((coding) => DECODERS.get(coding));
  const known = layers.filter((layer) => layer !== undefined);
  return known.length === layers.length && layers.length <= LAYERS_MAX ? known : undefined;
}

/**
 * Undoes what `headers` say was done to a body.
 *
 * @returns "plain" where nothing was, "unknown" where nobody here can.
 */
export function createDecoding(
  headers: RawHeaders,
  bytesMax: number,
): Decoding | "plain" | "unknown" {
  const layers = layersOf(headers);
  if (layers === undefined) return "unknown";
  if (layers.length === 0) return "plain";
  const decoders: Transform[] = [];
  let left = bytesMax;
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
    get isOver() {
      return left === 0;
    },
    // Each chunk until all that it gives has come out.
    async push(chunk) {
      if (left === 0) return NOTHING;
      const decoded = await decode(0, chunk);
      left = Math.max(0, left - decoded.length);
      if (left === 0) close();
      return decoded;
    },
  };
}

const NOTHING = Buffer.alloc(0);

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
