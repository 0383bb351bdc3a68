/**
 * A detector over flows: one at a time, or what several of them show together.
 *
 * @module
 */
import type { DetectorAbout, Tuning } from "../detector.ts";
import type { FlowSeen } from "./flow-seen.ts";
import { layersOf, type Layer } from "./layers.ts";

/** A flow, and what is read from it, once for all detectors. */
export class FlowView {
  readonly seen: FlowSeen;
  // A handful: looking through them costs less than a map.
  readonly #makers: unknown[] = [];
  readonly #made: unknown[] = [];

  constructor(seen: FlowSeen) {
    this.seen = seen;
  }

  get layers(): readonly Layer[] {
    return this.once(layersIn);
  }

  /** What `make` makes of this flow; asked again, the same. */
  once<Made>(make: (flow: FlowView) => Made): Made {
    const known = this.#makers.indexOf(make);
    if (known >= 0) return this.#made[known] as Made;
    const made = make(this);
    this.#makers.push(make);
    this.#made.push(made);
    return made;
  }
}

function layersIn({ seen }: FlowView): readonly Layer[] {
  return layersOf(seen);
}

/** What a detector says of a flow. */
export interface FlowSign {
  /** 0 to 1: 1 is certain by the protocol's own words. */
  readonly score: number;
  /** One sentence with the facts, without what the peers said. */
  readonly why: string;
}

export interface FlowDetector extends DetectorAbout {
  /** Of which flows it is told. */
  readonly sees: readonly FlowSeen["protocol"][];
  /** Of several detectors the same, asked once for all: whether any of them may find something. */
  readonly may?: (flow: FlowView) => boolean;
  judge(flow: FlowView, tuning: Tuning): FlowSign | undefined;
}

/** A detector over many flows: it is told each once, in any order, and finds something with one of them, or at the end. */
export interface SeriesDetector<State = unknown> extends DetectorAbout {
  start(tuning: Tuning): State;
  observe(state: State, flow: FlowView): FlowSign | undefined;
  /** What all of them show, each with the name of a flow. */
  end(state: State): readonly (FlowSign & { readonly flow: string })[];
}

/** Keeps a detector's state type to itself, so that detectors of all kinds stand in one table. */
export function defineSeries<State>(detector: SeriesDetector<State>): SeriesDetector {
  return detector;
}
