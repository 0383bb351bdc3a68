/**
 * Extended attributes that people and programs set (`user.*`), carried from one file to another.
 *
 * Others are the kernel's or root's (`security.*`, `trusted.*`) and never come from a run; overlayfs keeps
 * its own marks below `user.overlay.`.
 *
 * @module
 */
import { errorCode, listAttributes, readAttribute, writeAttribute } from "../sys/index.ts";

/** The attributes of an open file that are carried over, by name. */
export function userAttributes(file: number): ReadonlyMap<string, Buffer> {
  const found = new Map<string, Buffer>();
  for (const name of listAttributes(file)) {
    if (!name.startsWith("user.") || name.startsWith("user.overlay.")) continue;
    const content = readAttribute(file, name);
    if (content !== undefined) found.set(name, content);
  }
  return found;
}

/**
 * Sets on `to`, which has none yet, what `from` has; returns why that cannot be. A file system may take
 * none, or smaller ones (ext4 answers ENOSPC above a block), which is no reason to give up on the rest.
 */
export function carryAttributes(from: number, to: number): string | undefined {
  try {
    for (const [name, content] of userAttributes(from)) writeAttribute(to, name, content);
    return undefined;
  } catch (error) {
    const code = errorCode(error);
    if (code === undefined) throw error;
    return `its extended attributes cannot be kept there (${code})`;
  }
}

/** Reports whether two open files have the same attributes. */
export function hasSameAttributes(a: number, b: number): boolean {
  const [left, right] = [userAttributes(a), userAttributes(b)];
  return (
    left.size === right.size &&
    [...left].every(([name, content]) => right.get(name)?.equals(content) === true)
  );
}
