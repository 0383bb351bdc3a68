/**
 * Beacons: connections at regular times.
 *
 * @module
 */
import { defineSeries } from "./flow-detector.ts";
import { flowName, type FlowSeen } from "./flow-seen.ts";

/** The last calls there, in no order. */
interface Place {
  readonly starts: number[];
  readonly sent: number[];
  calls: number;
  readonly flow: string;
}

interface State {
  readonly calls: number;
  readonly jitter: number;
  readonly leastMs: number;
  readonly places: Map<string, Place>;
}

const PLACES_MAX = 4096;
const STARTS_MAX = 256;
// What asks at regular times by itself: DNS, DHCP, time, names and services on the link.
const REGULAR: ReadonlySet<number> = new Set([
  53, 67, 68, 123, 137, 138, 161, 500, 546, 547, 1900, 3478, 4500, 5353, 5355,
]);
const REGULAR_SHARE = 0.8;

export const beaconing = defineSeries<State>({
  name: "flow.beacon",
  kind: "beacon",
  title: "Calls home at regular times",
  explanation:
    "Looks at the times between the connections of one client to one place, and how much each sends: four of five near their median, in time and in size, are regular, so jitter does not hide them. Programs that ask for news every minute look alike.",
  attack: ["T1071.001", "T1571"],
  atlas: ["AML.T0096"],
  owasp: ["ASI10"],
  tuning: {
    calls: { value: 10, unit: "flows", meaning: "at least so many to one place" },
    jitter: { value: 0.3, unit: "of the median", meaning: "how far a time between two may be off" },
    seconds: { value: 5, unit: "s", meaning: "the least time between two that counts" },
  },
  start: ({ calls = 10, jitter = 0.3, seconds = 5 }) => ({
    calls,
    jitter,
    leastMs: seconds * 1000,
    places: new Map(),
  }),
  observe({ places }, { seen: flow }) {
    if (flow.protocol === "icmp" || flow.bytesOut === 0 || isRegular(flow)) return undefined;
    const { client, server, protocol } = flow;
    const key = `${protocol} ${client.address} ${server.address} ${server.port}`;
    const place = places.get(key) ?? { starts: [], sent: [], calls: 0, flow: flowName(flow) };
    places.delete(key);
    places.set(key, place);
    const [oldest] = places.keys();
    if (places.size > PLACES_MAX && oldest !== undefined) places.delete(oldest);
    const at = place.calls % STARTS_MAX; // Where the oldest stands.
    place.starts[at] = flow.startMs;
    place.sent[at] = flow.bytesOut;
    place.calls += 1;
    return undefined;
  },
  end({ places, calls, jitter, leastMs }) {
    return [...places.values()].flatMap((place) => {
      const starts = withoutBursts(
        place.starts.toSorted((a, b) => a - b),
        leastMs / 5,
      );
      if (starts.length < calls) return [];
      const between = starts.slice(1).map((time, at) => time - (starts[at] ?? time));
      const median = medianOf(between);
      const isSteady =
        median >= leastMs &&
        shareNear(between, median, jitter) >= REGULAR_SHARE &&
        shareNear(place.sent, medianOf(place.sent), jitter) >= REGULAR_SHARE;
      if (!isSteady) return [];
      const why = `${starts.length} connections to one place, one every ${(median / 1000).toFixed(1)} s, of like size`;
      return [{ flow: place.flow, score: 0.6, why }];
    });
  },
});

function isRegular({ server, client }: FlowSeen): boolean {
  return REGULAR.has(server.port) || REGULAR.has(client.port);
}

/** What comes at once belongs together: a browser opens several connections. */
function withoutBursts(times: readonly number[], leastMs: number): readonly number[] {
  const kept: number[] = [];
  for (const time of times) if (time - (kept.at(-1) ?? -Infinity) >= leastMs) kept.push(time);
  return kept;
}

function medianOf(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}

function shareNear(values: readonly number[], median: number, jitter: number): number {
  return (
    values.filter((value) => Math.abs(value - median) <= jitter * median).length / values.length
  );
}
