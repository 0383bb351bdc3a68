/** What every part of the screen is given. */
import type { RunInfo } from "../../../src/api/index.ts";
import type { Go, Place } from "./place.ts";

export interface PartProps {
  readonly run: string;
  readonly info: RunInfo;
  readonly place: Place;
  readonly go: Go;
  /** How often to ask again, of a run that lives. */
  readonly everyMs: number | undefined;
}
