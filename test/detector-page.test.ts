/** The page on detectors is what their table says. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { DETECTOR_PAGE, detectorPage } from "../scripts/detector-page.ts";

test("docs/reference/detectors.md is what src/detect says (else `npm run docs`)", () => {
  assert.equal(readFileSync(DETECTOR_PAGE, "utf8"), detectorPage());
});
