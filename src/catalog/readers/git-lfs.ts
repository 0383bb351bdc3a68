/**
 * Large files of git (LFS): which of them go where, and each of them, which has the name of its content.
 *
 * @module
 */
import { hash } from "node:crypto";
import { z } from "zod";
import { LFS_BYTES_MAX } from "../../git/index.ts";
import type { Readable, Reading, Unread } from "../reader.ts";
import { optionsOf, reads, repoOf } from "./git.ts";

const OBJECTS_MAX = 1000; // git-lfs asks for 100 at once.
const oid = z.string().regex(/^[0-9a-f]{64}$/);

const batchSchema = z.looseObject({
  operation: z.enum(["upload", "download"]),
  objects: z
    .array(z.looseObject({ oid, size: z.int().nonnegative() }))
    .min(1)
    .max(OBJECTS_MAX),
  hash_algo: z.literal("sha256").optional(),
});

/** The body of a POST to `info/lfs/objects/batch`. */
export function readLfsBatch(readable: Readable): Reading | Unread {
  const options = optionsOf(readable);
  if ("unread" in options) return options;
  const { data } = batchSchema.safeParse(readable.content.json);
  if (data === undefined) return { unread: "a batch of large files that is not of that form" };
  const { operation, objects } = data;
  const bytes = objects.reduce((sum, { size }) => sum + size, 0);
  const files = objects.length === 1 ? "one large file" : `${objects.length} large files`;
  const summary = `Ask where ${files} of ${bytes} bytes ${operation === "upload" ? "go" : "are"} (${repoOf(readable)})`;
  if (operation === "download") return { ...reads(options), verb: "lfs.read", summary };
  const { lfs_bytes: max = LFS_BYTES_MAX } = options;
  const large = objects.find(({ size }) => size > max);
  if (large !== undefined) {
    const of = `a large file of ${large.size} bytes`;
    return { unread: `${of}, where the grant takes ${max} (\`with: lfs_bytes\`)` };
  }
  return { verb: "lfs.upload", summary };
}

/** What is read of large files, and of who locked them. */
export function readLfs(readable: Readable): Reading | Unread {
  const options = optionsOf(readable);
  return "unread" in options ? options : reads(options);
}

/** What is changed of locks, and what is said after an upload. */
export function readLfsChange(readable: Readable): Reading | Unread {
  const options = optionsOf(readable);
  return "unread" in options ? options : {};
}

/**
 * The content of one large file. Where it is longer than what is read ahead, whoever sends it holds it to the same
 * (INV-128); see `contentOf`.
 */
export function readLfsUpload(readable: Readable): Reading | Unread {
  const options = optionsOf(readable);
  if ("unread" in options) return options;
  const { path, content } = readable;
  const { bytes } = content;
  const { lfs_bytes: max = LFS_BYTES_MAX } = options;
  if (Number(path["size"] ?? 0) > max || (bytes?.length ?? 0) > max) {
    return {
      unread: `a large file of more than the ${max} bytes that the grant takes (\`with: lfs_bytes\`)`,
    };
  }
  if (bytes !== undefined && hash("sha256", bytes) !== path["oid"]) {
    return { unread: "a large file that is not what its name says" };
  }
  return { summary: `Upload the large file ${path["oid"]}` };
}
