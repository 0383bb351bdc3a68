/** Layer 4: what terminals of runs showed: kept whole as it happens, listed against the record, read back safely. */
export { Recording, type Sealed, type Terminal } from "./recording.ts";
export {
  dataOf,
  RECORDING_LIMITS,
  Recordings,
  type RecordedAction,
  type RecordingLimits,
} from "./recordings.ts";
export { CastReader, type CastEvent } from "./cast.ts";
export { LineSearch, linesOf, ScreenText, type ScreenLine } from "./screen-text.ts";
