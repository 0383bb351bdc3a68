/**
 * What a task file sets of detectors: a name that there is, a threshold that it has, a number that makes sense.
 *
 * @module
 */
import type { Detectors } from "./task.ts";
import type { Finding } from "./task-checks.ts";

/** A threshold may be set to between a hundredth and a hundred times what it is by default. */
const FACTOR_MAX = 100;

/** Every finding in `detect`, which is what stands under that key, however broken. */
export function checkDetect(detect: unknown, detectors: Detectors): readonly Finding[] {
  if (typeof detect !== "object" || detect === null) return [];
  return Object.entries(detect).flatMap(([name, setting]): readonly Finding[] => {
    const path = ["detect", name];
    const known = detectors.get(name);
    if (known === undefined) {
      const message = "names no detector";
      return [{ path, message, hint: "docs/reference/detectors.md lists them" }];
    }
    if (typeof setting !== "object" || setting === null) return []; // The schema has its say.
    const names = Object.keys(known.tuning);
    if (known.scope === "home" || names.length === 0) {
      const message = "has no threshold that a task can set";
      return [{ path, message, hint: "leave it, or write off" }];
    }
    return Object.entries(setting).flatMap(([threshold, value]): readonly Finding[] => {
      const at = [...path, threshold];
      const usual = Object.hasOwn(known.tuning, threshold) ? known.tuning[threshold] : undefined;
      if (usual === undefined) {
        return [{ path: at, message: "is no threshold of it", hint: `any of ${names.join(", ")}` }];
      }
      if (typeof value === "number" && Number.isInteger(usual.value) && !Number.isInteger(value)) {
        // Half a count is never reached by counting.
        return [{ path: at, message: "is not a whole number", hint: "write one" }];
      }
      const [least, most] = [usual.value / FACTOR_MAX, usual.value * FACTOR_MAX];
      if (typeof value !== "number" || (value >= least && value <= most)) return [];
      const message = `is ${value}, far from ${usual.value}, which it is by default`;
      return [{ path: at, message, hint: `write a number from ${least} to ${most}, or off` }];
    });
  });
}
