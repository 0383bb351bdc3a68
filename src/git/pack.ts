/**
 * Packs (gitformat-pack): every object inflated, its deltas applied, its name computed, the pack's own hash
 * checked. Git cannot be started where hostile bytes are read, so this is ours; tests hold it to git's.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { inflateSync } from "node:zlib";
import { applyDelta, resultSize } from "./delta.ts";
import { GIT_LIMITS } from "./limits.ts";
import {
  idOf,
  type GitObject,
  type ObjectFormat,
  type ObjectId,
  type ObjectKind,
} from "./object-format.ts";
import { require, Unreadable } from "./unreadable.ts";

/** What a pack holds. */
export interface Pack {
  readonly objects: ReadonlyMap<ObjectId, GitObject>;
  /** Bases of deltas that are neither in the pack nor known: what is made of them is not in `objects`. */
  readonly missingBases: readonly ObjectId[];
  /** Objects that the pack says it has. */
  readonly count: number;
}

/** Finds objects that are not in the pack. */
export type FindObject = (id: ObjectId) => GitObject | undefined;

const KINDS: Readonly<Record<number, ObjectKind>> = { 1: "commit", 2: "tree", 3: "blob", 4: "tag" };
const OFS_DELTA = 6;
const REF_DELTA = 7;
const HEADER_BYTES = 12;

/** An entry as it stands: whole, or a delta upon an entry or an object. */
export interface PackEntry {
  readonly offset: number;
  readonly kind: ObjectKind | "delta";
  readonly base?: number | ObjectId;
  readonly data: Buffer;
}

/** A pack of which every object was inflated, and deltas wait for their bases. */
export interface OpenPack {
  readonly entries: readonly PackEntry[];
  readonly format: ObjectFormat;
  readonly inflated: number;
}

/** Reads all of `bytes`, which must be one pack and nothing else. @throws {Unreadable} */
export function openPack(bytes: Buffer, format: ObjectFormat): OpenPack {
  const entries: PackEntry[] = [];
  const budget = { inflated: 0 };
  const count = readPackHeader(bytes);
  let at = HEADER_BYTES;
  for (let n = 0; n < count; n += 1) {
    const [entry, next] = readEntry(bytes, at, format, budget);
    entries.push(entry);
    at = next;
  }
  require(at + format.bytes === bytes.length, "a pack has more or less than its objects");
  const hash = createHash(format.name).update(bytes.subarray(0, at)).digest();
  require(hash.equals(bytes.subarray(at)), "a pack's hash is not that of its bytes");
  return { entries, format, inflated: budget.inflated };
}

/** The objects of `pack`; `find` has bases that are not in it. @throws {Unreadable} */
export function resolvePack({ entries, format, inflated }: OpenPack, find: FindObject): Pack {
  return resolve(entries, { format, find, budget: { inflated } });
}

/** Both at once. @throws {Unreadable} */
export function readPack(
  bytes: Buffer,
  format: ObjectFormat,
  find: FindObject = () => undefined,
): Pack {
  return resolvePack(openPack(bytes, format), find);
}

/** The number of objects that the header announces. */
export function readPackHeader(bytes: Buffer): number {
  require(bytes.length >= HEADER_BYTES, "a pack ends within its header");
  require(bytes.toString("latin1", 0, 4) === "PACK", "what should be a pack is none");
  require(bytes.readUInt32BE(4) === 2, "a pack of a version that is not known");
  const count = bytes.readUInt32BE(8);
  require(count <= GIT_LIMITS.objects, `a pack of more than ${GIT_LIMITS.objects} objects`);
  return count;
}

/** The entry at `offset` and where the next begins. @throws {Unreadable} also where it is not whole. */
function readEntry(
  bytes: Buffer,
  offset: number,
  format: ObjectFormat,
  budget: { inflated: number },
): readonly [PackEntry, number] {
  const [type, size, afterHead] = readEntryHead(bytes, offset);
  let at = afterHead;
  let base: number | ObjectId | undefined;
  if (type === OFS_DELTA) {
    const [distance, next] = readDistance(bytes, at);
    require(distance > 0 && distance <= offset - HEADER_BYTES, "a delta's base is before the pack");
    base = offset - distance;
    at = next;
  } else if (type === REF_DELTA) {
    require(at + format.bytes <= bytes.length, "a pack ends within the name of a base");
    base = bytes.toString("hex", at, at + format.bytes);
    at += format.bytes;
  }
  const kind = base === undefined ? KINDS[type] : "delta";
  if (kind === undefined) throw new Unreadable("an object of a kind that is not known");
  const [data, used] = inflate(bytes, at, size, budget);
  return [{ offset, kind, data, ...(base === undefined ? {} : { base }) }, at + used];
}

function readEntryHead(
  bytes: Buffer,
  offset: number,
): readonly [type: number, size: number, next: number] {
  let at = offset;
  const next = (): number => {
    const byte = bytes[at];
    if (byte === undefined) throw new Unreadable("a pack ends within the head of an object");
    at += 1;
    return byte;
  };
  let byte = next();
  const type = (byte >> 4) & 7;
  let size = byte & 15;
  let factor = 16;
  while (byte >= 0x80) {
    byte = next();
    size += (byte & 0x7f) * factor;
    factor *= 128;
    require(size <= GIT_LIMITS.objectBytes, tooLarge());
  }
  return [type, size, at];
}

/** How far back the base stands: seven bits a byte, the highest first, each step one more. */
function readDistance(bytes: Buffer, offset: number): readonly [number, number] {
  let at = offset;
  let distance = -1;
  for (;;) {
    const byte = bytes[at];
    if (byte === undefined) throw new Unreadable("a pack ends within the place of a base");
    at += 1;
    distance = (distance + 1) * 128 + (byte & 0x7f);
    require(distance <= 0x7fffffff, "a delta's base is before the pack");
    if (byte < 0x80) return [distance, at];
  }
}

function inflate(
  bytes: Buffer,
  at: number,
  size: number,
  budget: { inflated: number },
): readonly [Buffer, number] {
  require(size <= GIT_LIMITS.objectBytes, tooLarge());
  budget.inflated += size;
  require(budget.inflated <= GIT_LIMITS.inflatedBytes, tooMuch());
  try {
    // One byte more than it says: zlib has to see that there is none.
    const { buffer, engine } = inflateSync(bytes.subarray(at), {
      info: true,
      maxOutputLength: size + 1,
      chunkSize: Math.max(64, Math.min(size + 1, 65_536)),
    }) as unknown as {
      readonly buffer: Buffer;
      readonly engine: { readonly bytesWritten: number };
    };
    require(buffer.length === size, "an object is not as long as it says");
    return [buffer, engine.bytesWritten];
  } catch (error) {
    if (error instanceof Unreadable) throw error;
    throw new Unreadable("an object cannot be inflated to what it says");
  }
}

interface Resolving {
  readonly format: ObjectFormat;
  readonly find: FindObject;
  readonly budget: { inflated: number };
}

/** Applies deltas from their bases outwards; no chain is followed by recursion. */
function resolve(entries: readonly PackEntry[], { format, find, budget }: Resolving): Pack {
  const objects = new Map<ObjectId, GitObject>();
  const byOffset = new Map(entries.map((entry) => [entry.offset, entry]));
  const waiting = new Map<number | ObjectId, PackEntry[]>();
  const ready: {
    readonly keys: readonly (number | ObjectId)[];
    object: GitObject;
    depth: number;
  }[] = [];
  const add = (entry: { readonly offset: number }, object: GitObject, depth: number) => {
    const id = idOf(object, format);
    // Twice the same is what a broken or hostile packer makes; git indexes one of them.
    require(!objects.has(id), "a pack has an object twice");
    objects.set(id, object);
    ready.push({ keys: [entry.offset, id], object, depth });
  };
  for (const entry of entries) {
    if (entry.kind !== "delta") continue;
    const base = entry.base ?? -1;
    require(typeof base === "string" || byOffset.has(base), "a delta's base is no object");
    const list = waiting.get(base);
    if (list === undefined) waiting.set(base, [entry]);
    else list.push(entry);
  }
  for (const entry of entries) {
    if (entry.kind !== "delta") add(entry, { kind: entry.kind, data: entry.data }, 0);
  }
  const settle = () => {
    for (let one = ready.pop(); one !== undefined; one = ready.pop()) {
      const { keys, object, depth } = one;
      for (const key of keys) {
        const deltas = waiting.get(key) ?? [];
        waiting.delete(key);
        for (const entry of deltas) {
          require(depth < GIT_LIMITS.deltaDepth, "deltas upon deltas without end");
          const size = resultSize(entry.data);
          require(size <= GIT_LIMITS.objectBytes, tooLarge());
          budget.inflated += size;
          require(budget.inflated <= GIT_LIMITS.inflatedBytes, tooMuch());
          add(entry, { kind: object.kind, data: applyDelta(object.data, entry.data) }, depth + 1);
        }
      }
    }
  };
  settle();
  // Thin: bases that the other side has.
  for (const key of [...waiting.keys()]) {
    const object = typeof key === "string" ? find(key) : undefined;
    if (object === undefined || !waiting.has(key)) continue;
    ready.push({ keys: [key], object, depth: 0 });
    settle();
  }
  const missingBases = [...waiting.keys()].filter(
    (key): key is ObjectId => typeof key === "string" && !objects.has(key),
  );
  // What is left waits for one of those, or for itself.
  require(waiting.size === 0 || missingBases.length > 0, "deltas that are each other's base");
  return { objects, missingBases, count: entries.length };
}

function tooLarge(): string {
  return `an object of more than ${GIT_LIMITS.objectBytes >> 20} MiB`;
}

function tooMuch(): string {
  return `objects of more than ${GIT_LIMITS.inflatedBytes >> 20} MiB in one pack`;
}
