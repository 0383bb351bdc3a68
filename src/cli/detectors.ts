/**
 * What detectors say of themselves, by their names.
 *
 * @module
 */
import type { DetectorLookup } from "../incident/index.ts";

/** None is known here yet: what an entry names itself, and what its kind is called, is told instead. */
export const detectorOf: DetectorLookup = () => undefined;
