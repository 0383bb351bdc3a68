/**
 * A part of the bench: rows that are measured together, by themselves, from nothing to nothing.
 *
 * @module
 */
import type { DaemonOptions } from "./daemon.ts";
import type { Scratch } from "./place.ts";
import type { Row } from "./row.ts";

export interface Place extends DaemonOptions {
  readonly scratch: Scratch;
  /** Puts what the rows are made of into `--json`, as `details.NAME`, and `sentence` below the table. */
  tell(name: string, value: unknown, sentence: string): void;
}

export interface Part {
  readonly name: string;
  /** What it is measured with where that is asked for by one name. */
  readonly group?: string;
  /** Measures; what it started has ended when it resolves or throws. */
  measure(place: Place): Promise<readonly Row[]>;
}
