/** The lanes, from the model's words outwards: the browser has no values of the contract, only its types. */
import type { StoryLane } from "../../../src/api/index.ts";
import { LANE_NAMES } from "./words.ts";

export const STORY_LANES_SHOWN = Object.keys(LANE_NAMES) as readonly StoryLane[];
