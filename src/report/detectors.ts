/**
 * What detectors say of themselves, by their names.
 *
 * @module
 */
import { EVERY_ABOUT } from "../detect/index.ts";
import type { DetectorLookup } from "../incident/index.ts";

export const detectorOf: DetectorLookup = (name) => EVERY_ABOUT.get(name);
