/**
 * Beacons: calls at regular times to places where nobody judges what is said.
 *
 * @module
 */
import type { Event } from "../action/index.ts";
import { touch } from "./bounded.ts";
import { defineDetector, type DetectorAbout } from "./detector.ts";
import { found, isAddress, isReading, MODEL_SYSTEMS, shown, textOf } from "./found.ts";
import { portOf } from "./probing.ts";

const BEACON: DetectorAbout = {
  name: "beacon",
  kind: "beacon",
  title: "Calls home at regular times",
  explanation:
    "Looks at the times between calls of one program to one place: connections that nobody looks into, refused ones to addresses or unusual ports, and requests that change something. Four of five within a third of their median are regular, so jitter does not hide them. A tool that polls what is granted by reading is none; a program that reports its progress every minute looks alike.",
  attack: ["T1071.001", "T1571"],
  atlas: ["AML.T0096", "AML.T0108"],
  owasp: ["ASI10"],
  tuning: {
    calls: { value: 12, unit: "calls", meaning: "so many in a row" },
    jitter: {
      value: 0.35,
      unit: "of the median",
      meaning: "how far a time between two may be off",
    },
    seconds: { value: 5, unit: "s", meaning: "the least time between two that counts" },
  },
};

const PLACES_MAX = 128;

interface Place {
  times: number[];
}

export const beacon = defineDetector<{
  readonly limit: { readonly calls: number; readonly jitter: number; readonly leastMs: number };
  readonly places: Map<string, Place>;
}>({
  ...BEACON,
  sees: ["denial", "action"],
  scope: "run",
  start: ({ calls = 12, jitter = 0.35, seconds = 5 }) => ({
    limit: { calls: Math.max(4, Math.round(calls)), jitter, leastMs: seconds * 1000 },
    places: new Map(),
  }),
  observe({ limit, places }, event) {
    const kind = kindOf(event);
    if (kind === undefined) return [];
    const { target = "", process } = event;
    const place = touch<Place>(places, `${process?.exe ?? ""} ${target}`, PLACES_MAX, () => ({
      times: [],
    }));
    const last = place.times.at(-1);
    // What comes at once belongs together: both families of addresses, a retry.
    if (last !== undefined && event.monoMs - last < limit.leastMs / 5) return [];
    place.times.push(event.monoMs);
    if (place.times.length > limit.calls) place.times.shift();
    if (place.times.length < limit.calls) return [];
    const between = place.times.slice(1).map((time, at) => time - (place.times[at] ?? time));
    const median = between.toSorted((a, b) => a - b)[between.length >> 1] ?? 0;
    const near = between.filter((one) => Math.abs(one - median) <= limit.jitter * median).length;
    if (median < limit.leastMs || near < between.length * 0.8) return [];
    // Whoever waits longer each time gives up rather than calls home.
    const longer = between.filter((one, at) => one > 1.01 * (between[at - 1] ?? one)).length;
    if (longer >= (between.length - 1) * 0.8) return [];
    place.times = [];
    const why = `${limit.calls} ${kind} ${shown(target)}, one every ${(median / 1000).toFixed(1)} s`;
    return [found(BEACON, event, kind === "requests to" ? 0.4 : 0.6, why)];
  },
});

/** What of an event is a call that counts. */
function kindOf(event: Event): string | undefined {
  if (event.type === "denial") {
    const port = portOf(event);
    const isUsual = port === 80 || port === 443;
    return event.action === undefined && (isAddress(event.target ?? "") || !isUsual)
      ? "refused connections to"
      : undefined;
  }
  if (event.verdict !== "allow" || MODEL_SYSTEMS.has(textOf(event, "kind"))) return undefined;
  if (textOf(event, "kind") === "tcp") return "connections that nobody looks into, to";
  return isReading(event) || event.cause?.call !== undefined ? undefined : "requests to";
}
