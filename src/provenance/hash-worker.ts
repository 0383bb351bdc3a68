/**
 * The hashing thread's entry: SHA-256 of open files, one after another, in pieces.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { closeSync, fstatSync, readSync } from "node:fs";
import { parentPort } from "node:worker_threads";
import { assert } from "../base/index.ts";
import { identityOfDescriptor } from "./proc-files.ts";
import { HASH_FILE_BYTES_MAX, type HashAnswer, type HashOrder } from "./hashes.ts";

const PIECE_BYTES = 1 << 20;
const piece = Buffer.allocUnsafe(PIECE_BYTES);

/** The hex digest of the file at `descriptor`; `undefined` where it is too large, changes or fails. */
function digest({ descriptor, file }: HashOrder): string | undefined {
  try {
    if (fstatSync(descriptor).size > HASH_FILE_BYTES_MAX) return undefined;
    const hash = createHash("sha256");
    for (let at = 0; at <= HASH_FILE_BYTES_MAX;) {
      const count = readSync(descriptor, piece, 0, PIECE_BYTES, at);
      if (count === 0) break;
      hash.update(piece.subarray(0, count));
      at += count;
    }
    // Bytes of a file that was written to meanwhile are nobody's identity.
    return identityOfDescriptor(descriptor) === file ? hash.digest("hex") : undefined;
  } catch {
    return undefined; // The disk or a network file system failed: then there is no hash to tell.
  } finally {
    closeSync(descriptor);
  }
}

const port = parentPort;
assert(port !== null, "hash-worker.ts is the entry of a worker");
port.on("message", (order: HashOrder) => {
  const answer: HashAnswer = { file: order.file, sha256: digest(order) };
  port.postMessage(answer);
});
