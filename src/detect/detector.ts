/**
 * A detector: a pure function over the stream of events, with what a person needs to judge what it finds.
 *
 * @module
 */
import type { Event, EventType, FindingKind } from "../action/index.ts";

/** One thing noticed. */
export interface Detection {
  readonly kind: FindingKind;
  /** Name of the detector: `dns.tunnel`. */
  readonly detector: string;
  /** 0 to 1: 1 is certain by the protocol's own words. */
  readonly score: number;
  /** One sentence with the facts it rests on, without secrets. */
  readonly why: string;
  /** The run; absent where it is about several. */
  readonly run?: string;
  readonly target?: string;
  /** What tells it from another about the same place, where both are to be told: never a secret itself. */
  readonly subject?: string;
  readonly flow?: string;
  readonly action?: string;
  readonly process?: NonNullable<Event["process"]>;
  readonly cause?: NonNullable<Event["cause"]>;
}

/** A number that a detector decides by. */
export interface Threshold {
  readonly value: number;
  readonly unit: string;
  readonly meaning: string;
}

/** What a detector is, for documents, findings and exports. */
export interface DetectorAbout {
  /** `family.variant`, unique: `mining.stratum`. */
  readonly name: string;
  readonly kind: FindingKind;
  /** A few words: "Many small sends to one place". */
  readonly title: string;
  /** Two or three sentences: what it looks at, why that is misuse, what is known to look alike. */
  readonly explanation: string;
  /** MITRE ATT&CK techniques: T1496.001. */
  readonly attack: readonly string[];
  /** MITRE ATLAS techniques: AML.T0086. */
  readonly atlas: readonly string[];
  /** OWASP Top 10 for Agentic Applications 2026: ASI10. */
  readonly owasp: readonly string[];
  readonly tuning: Readonly<Record<string, Threshold>>;
}

/** The values of a detector's tuning, by name. */
export type Tuning = Readonly<Record<string, number>>;

/**
 * `observe` gets the events of the types in `sees`, in order, of one run (`scope: "run"`) or of all
 * (`scope: "home"`), with the state that `start` made. The state is the detector's own and is changed in place;
 * equal events give equal detections. It is bounded, whatever the run does.
 */
export interface Detector<State = unknown> extends DetectorAbout {
  readonly sees: readonly EventType[];
  readonly scope: "run" | "home";
  start(tuning: Tuning): State;
  observe(state: State, event: Event): readonly Detection[];
}

/** Keeps a detector's state type to itself, so that detectors of all kinds stand in one table. */
export function defineDetector<State>(detector: Detector<State>): Detector {
  return detector;
}

/** The default tuning of a detector. */
export function tuningOf(about: DetectorAbout): Tuning {
  return Object.fromEntries(Object.entries(about.tuning).map(([name, { value }]) => [name, value]));
}
