/**
 * What is counted: a fold over the entries of the record, and over nothing else, so that metrics say what the record says.
 *
 * @module
 */
import type { Event } from "../action/index.ts";
import { CLOSED_LABELS, FAMILIES, type FamilyName } from "./families.ts";
import type { Family, Sample } from "./text.ts";

/** Upper bounds in seconds: a start from a waiting sandbox takes milliseconds, one on a busy machine seconds. */
const START_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const;
/** Runs whose proof is waited for; what never comes is forgotten. */
const STARTING_MAX = 4096;
const OTHER = "other";
/** Who notices without being a detector: the gateway, and the sandbox. */
const NO_DETECTOR = "gateway";

/** Values of labels that only the folders above know. */
export interface KnownWords {
  readonly detectors: readonly string[];
  readonly approvalStates: readonly string[];
}

export interface Counts {
  /** One entry of the record. */
  observe(event: Event): void;
  /** One line of the operating log. */
  logged(level: "info" | "warn", event: string): void;
  /** Everything that is counted, with the state of now. */
  families(now: readonly (readonly [FamilyName, readonly Sample[]])[]): readonly Family[];
}

/** Starts at zero, with a line for each value that a label may have: an alert sees the first of its kind. */
export function createCounts({ detectors, approvalStates }: KnownWords): Counts {
  const labelled = {
    ...CLOSED_LABELS,
    cofferdam_detections_total: { label: "detector", values: [NO_DETECTOR, ...detectors] },
    cofferdam_approvals_total: { label: "state", values: approvalStates },
  } as const;
  type Labelled = keyof typeof labelled;
  const counts = new Map<FamilyName, Map<string, number>>();
  for (const [name, { type }] of Object.entries(FAMILIES) as [FamilyName, { type: string }][]) {
    if (type !== "counter" || name.startsWith("process_")) continue;
    const values = name in labelled ? [...labelled[name as Labelled].values, OTHER] : [""];
    counts.set(name, new Map(values.map((value) => [value, 0])));
  }
  const add = (name: FamilyName, by: number, value = "") => {
    const lines = counts.get(name);
    const key = lines?.has(value) === true ? value : OTHER;
    lines?.set(key, (lines.get(key) ?? 0) + by);
  };
  const starting = new Map<string, number>();
  const buckets = START_SECONDS.map(() => 0);
  let [startsSum, starts] = [0, 0];
  let flowsOpen = 0;
  const started = (run: string, monoMs: number) => {
    const sinceMs = starting.get(run);
    if (sinceMs === undefined) return;
    starting.delete(run);
    const seconds = Math.max(0, monoMs - sinceMs) / 1000;
    starts += 1;
    startsSum += seconds;
    for (const [at, bound] of START_SECONDS.entries()) {
      if (seconds <= bound) buckets[at] = (buckets[at] ?? 0) + 1;
    }
  };
  const observe = (event: Event) => {
    const { type, run = "", data = {} } = event;
    const times = amount(data["merged"], 1);
    switch (type) {
      case "run.start":
        add("cofferdam_run_starts_total", 1);
        if (starting.size < STARTING_MAX) starting.set(run, event.monoMs);
        return;
      case "run.proved":
        return started(run, event.monoMs);
      case "run.end": {
        starting.delete(run);
        const end = data["end"];
        const reason = typeof end === "object" && end !== null && "reason" in end ? end.reason : "";
        return add("cofferdam_run_ends_total", 1, wordOf(reason));
      }
      case "flow.open":
        flowsOpen += 1;
        return add("cofferdam_flows_opened_total", 1);
      case "flow.close":
        flowsOpen = Math.max(0, flowsOpen - 1);
        add("cofferdam_flow_bytes_total", amount(data["bytesOut"], 0), "out");
        return add("cofferdam_flow_bytes_total", amount(data["bytesIn"], 0), "in");
      case "action":
        return add("cofferdam_actions_total", times, event.verdict ?? OTHER);
      case "repeat":
        return add("cofferdam_actions_total", amount(data["count"], 1), "allow");
      case "finding": {
        const { finding, detector = NO_DETECTOR } = data;
        add("cofferdam_findings_total", times, wordOf(finding));
        return add("cofferdam_detections_total", times, wordOf(detector));
      }
      case "approval":
        return add("cofferdam_approvals_total", 1, wordOf(data["state"]));
      case "usage":
        return add("cofferdam_gpu_seconds_total", amount(data["gpuSeconds"], 0));
    }
    const plain = PLAIN[type];
    if (plain !== undefined) add(plain, times);
  };
  return {
    observe,
    logged(level, event) {
      if (level === "warn") add("cofferdam_warnings_total", 1);
      if (event === "worker.died") add("cofferdam_worker_deaths_total", 1);
    },
    families(now) {
      const state = new Map(now);
      const histogram: Sample[] = [
        ...[...START_SECONDS, Infinity].map((bound, at): Sample => {
          const labels = { le: bound === Infinity ? "+Inf" : String(bound) };
          return { suffix: "_bucket", labels, value: buckets[at] ?? starts };
        }),
        { suffix: "_sum", labels: {}, value: startsSum },
        { suffix: "_count", labels: {}, value: starts },
      ];
      const own = (name: FamilyName): readonly Sample[] => {
        if (name === "cofferdam_run_start_seconds") return histogram;
        if (name === "cofferdam_flows_open") return [{ labels: {}, value: flowsOpen }];
        const { label = "" } = name in labelled ? labelled[name as Labelled] : {};
        return [...(counts.get(name) ?? [])].map(([value, number]) => {
          return { labels: label === "" ? {} : { [label]: value }, value: number };
        });
      };
      return (Object.keys(FAMILIES) as FamilyName[]).flatMap((name) => {
        const samples = state.get(name) ?? own(name);
        return samples.length === 0 ? [] : [{ name, ...FAMILIES[name], samples }];
      });
    },
  };
}

/** Types that are only counted. */
const PLAIN: Readonly<Partial<Record<Event["type"], FamilyName>>> = {
  "run.restart": "cofferdam_run_restarts_total",
  "run.pause": "cofferdam_run_pauses_total",
  "process.start": "cofferdam_process_starts_total",
  exec: "cofferdam_execs_total",
  denial: "cofferdam_denials_total",
  response: "cofferdam_responses_total",
  model: "cofferdam_model_exchanges_total",
  "tool.call": "cofferdam_tool_calls_total",
};

const wordOf = (value: unknown) => (typeof value === "string" ? value : OTHER);

function amount(value: unknown, otherwise: number): number {
  return typeof value === "number" && value >= 0 && Number.isFinite(value) ? value : otherwise;
}
