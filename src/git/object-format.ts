/**
 * Names of objects: the hash of their kind, size and content (gitformat-loose; hash-function-transition).
 *
 * @module
 */
import { createHash } from "node:crypto";

export const OBJECT_KINDS = ["commit", "tree", "blob", "tag"] as const;
export type ObjectKind = (typeof OBJECT_KINDS)[number];

/** An object as it was read: its content without the header. */
export interface GitObject {
  readonly kind: ObjectKind;
  readonly data: Buffer;
}

/** Hexadecimal, in lower case. */
export type ObjectId = string;

/** How a repository names its objects. */
export interface ObjectFormat {
  readonly name: "sha1" | "sha256";
  readonly bytes: number;
  /** What stands for "no object". */
  readonly none: ObjectId;
}

export const FORMATS: Readonly<Record<ObjectFormat["name"], ObjectFormat>> = {
  sha1: { name: "sha1", bytes: 20, none: "0".repeat(40) },
  sha256: { name: "sha256", bytes: 32, none: "0".repeat(64) },
};

export function isObjectId(text: string, format: ObjectFormat): boolean {
  return text.length === format.bytes * 2 && /^[0-9a-f]+$/.test(text);
}

/** The name of `object`. */
export function idOf({ kind, data }: GitObject, format: ObjectFormat): ObjectId {
  return createHash(format.name).update(`${kind} ${data.length}\0`).update(data).digest("hex");
}
