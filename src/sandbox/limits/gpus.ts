/**
 * Which GPUs this host has, by their device files.
 *
 * @module
 */
import { readdirSync } from "node:fs";

/** Numbers of the NVIDIA GPUs whose devices exist, in order. */
export function findGpus(folder = "/dev"): readonly number[] {
  return readdirSync(folder)
    .flatMap((name) => /^nvidia(\d{1,3})$/.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b);
}
