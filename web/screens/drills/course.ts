/**
 * What is known of a drill that goes on: its events, folded into a line for each attempt and twin.
 *
 * @module
 */
import type { DrillAttempt, DrillEvent } from "../../../src/api/index.ts";

type Noticed = Extract<DrillEvent, { event: "noticed" }>;
type Reached = Extract<DrillEvent, { event: "reached" }>;
export type Result = Extract<DrillEvent, { event: "result" }>;

export interface Tried {
  readonly key: string;
  readonly name: string;
  readonly channel: string;
  readonly what: string;
  readonly target: string;
  readonly bare?: Reached | undefined;
  readonly contained?: Reached | undefined;
  /** It is being tried now, and where. */
  readonly going?: "bare" | "contained" | undefined;
  /** What the record says of it, as it came. */
  readonly noticed: readonly Noticed[];
  /** As it was judged in the end. */
  readonly judged?: DrillAttempt | undefined;
}

export interface Twin {
  readonly name: string;
  readonly state: "waits" | "goes" | "passed" | "failed";
  readonly detail: string;
}

export interface Course {
  readonly progress: string;
  readonly tried: readonly Tried[];
  readonly twins: readonly Twin[];
  readonly result: Result | undefined;
}

export const BEGINNING: Course = {
  progress: "setting up",
  tried: [],
  twins: [],
  result: undefined,
};

/** Entries that are kept of one attempt: a scan is refused hundreds of times. */
const NOTICED_MAX = 20;

export function told(course: Course, event: DrillEvent): Course {
  switch (event.event) {
    case "progress":
      return { ...course, progress: event.text };
    case "plan":
      return {
        ...course,
        tried: event.attempts.map((one) => ({ ...one, key: keyOf(one), noticed: [] })),
        twins: event.twins.map((name) => ({ name, state: "waits", detail: "" })),
      };
    case "step":
      return event.kind === "twin" ? withTwin(course, event) : withStep(course, event);
    case "noticed":
      if (event.attempt === undefined) return course;
      return changed(course, keyOf({ ...event, name: event.attempt }), (one) =>
        one.noticed.length >= NOTICED_MAX ? {} : { noticed: [...one.noticed, event] },
      );
    case "reached":
      return changed(course, keyOf(event), () => ({ [event.phase]: event, going: undefined }));
    case "result":
      return ended(course, event);
    default:
      return course; // Of a later server.
  }
}

function ended(course: Course, result: Result): Course {
  const { attempts, twins } = result;
  return {
    ...{ progress: "", result },
    tried: course.tried.map((one) => ({
      ...one,
      going: undefined,
      judged: attempts.find((other) => keyOf(other) === one.key),
    })),
    twins: twins.map(({ name, passed, detail }) => ({
      ...{ name, detail, state: passed ? "passed" : "failed" },
    })),
  };
}

function keyOf({ name, channel }: { readonly name: string; readonly channel: string }): string {
  return `${channel} ${name}`;
}

function changed(course: Course, key: string, of: (one: Tried) => Partial<Tried>): Course {
  const tried = course.tried.map((one) => (one.key === key ? { ...one, ...of(one) } : one));
  return { ...course, tried };
}

type Step = Extract<DrillEvent, { event: "step" }>;

function withStep(course: Course, step: Step): Course {
  return changed(course, keyOf(step), () => ({
    going: step.state === "started" ? step.phase : undefined,
  }));
}

/** An exit code of 0 is not yet a pass, which its output decides; the result says it. */
function withTwin(course: Course, { name, state, code }: Step): Course {
  const twins = course.twins.map((twin): Twin => {
    if (twin.name !== name) return twin;
    if (state === "started") return { ...twin, state: "goes" };
    return { ...twin, state: code === 0 ? "passed" : "failed" };
  });
  return { ...course, twins };
}
