/**
 * Probing: refusals that are a search, however slow, and requests that shall reach inwards by way of another.
 *
 * What is fast the gateway finds while it happens (src/gateway/scan.ts); here the whole run counts.
 *
 * @module
 */
import type { Event } from "../action/index.ts";
import { addTo, isRung } from "./bounded.ts";
import { defineDetector, type DetectorAbout } from "./detector.ts";
import { fieldOf, found, isAddress, isInternal, shown, textOf } from "./found.ts";

const SEEN_MAX = 512;

const SLOW: DetectorAbout = {
  name: "probe.slow",
  kind: "scan",
  title: "Many refused destinations over a whole run, or within one tool call",
  explanation:
    "Counts different refused addresses, and refused ports other than 80 and 443, over the whole run: nothing tells a run about an internal network. A name refused on 80 or 443 (telemetry, update checks) never counts. Fast scans are found at once by the gateway.",
  attack: ["T1046", "T1018"],
  atlas: ["AML.T0075"],
  owasp: ["ASI02", "ASI10"],
  tuning: {
    internal: { value: 10, unit: "destinations", meaning: "internal ones over the whole run" },
    total: { value: 40, unit: "destinations", meaning: "of any kind over the whole run" },
    call: { value: 6, unit: "destinations", meaning: "of any kind within one tool call" },
  },
};

interface Slow {
  readonly limits: { readonly internal: number; readonly total: number; readonly call: number };
  readonly seen: Set<string>;
  internal: number;
  call: string;
  readonly ofCall: Set<string>;
}

export const probeSlow = defineDetector<Slow>({
  ...SLOW,
  sees: ["denial"],
  scope: "run",
  start: ({ internal = 10, total = 40, call = 6 }) => ({
    limits: { internal, total, call },
    seen: new Set(),
    internal: 0,
    call: "",
    ofCall: new Set(),
  }),
  observe(state, event) {
    const { target = "" } = event;
    const port = portOf(event);
    if (event.action !== undefined) return []; // A request that was refused is no connection.
    if (!isAddress(target) && (port === 80 || port === 443)) return [];
    const key = `${target} ${port}`;
    const results = [];
    const { id = "" } = event.cause?.call ?? {};
    if (id !== state.call) state.ofCall.clear();
    state.call = id;
    if (id !== "" && state.ofCall.size < SEEN_MAX && addTo(state.ofCall, key, SEEN_MAX)) {
      const n = state.ofCall.size;
      if (n === state.limits.call) {
        results.push(
          found(SLOW, event, 0.7, `${n} different destinations refused in one tool call`),
        );
      }
    }
    // When it is full nothing is counted any more: that was told several times by then.
    if (state.seen.size >= SEEN_MAX || !addTo(state.seen, key, SEEN_MAX)) return results;
    if (isInternal(target)) state.internal += 1;
    const isNew = isInternal(target) && isRung(state.internal, state.limits.internal);
    if (isNew || isRung(state.seen.size, state.limits.total)) {
      const why = `${state.seen.size} different destinations refused in this run, ${state.internal} of them internal`;
      results.push(found(SLOW, event, isNew ? 0.8 : 0.6, why));
    }
    return results;
  },
});

/** The port of a denial's route (policy's `routeOf`); 0 where it has none. */
export function portOf(event: Event): number {
  const [, port = "0"] =
    /^\["(?:[^"\\]|\\.)*","(?:[^"\\]|\\.)*",(\d+)/.exec(textOf(event, "route")) ?? [];
  return Number(port);
}

const RELAY: DetectorAbout = {
  name: "probe.relay",
  kind: "metadata",
  title: "An internal or metadata address within a request to somebody else",
  explanation:
    "Looks at the path, query, command or statement of actions for addresses where clouds hand out credentials, and at URLs in a query for internal hosts: a granted service used as a relay (SSRF). The content of what is written is not looked at, so an article about such addresses is none.",
  attack: ["T1552.005", "T1090"],
  atlas: ["AML.T0053"],
  owasp: ["ASI02", "ASI03"],
  tuning: {},
};

/** Where clouds hand out credentials, in the spellings that are tried. */
const METADATA = [
  "169.254.169.254",
  "169.254.170.2",
  "100.100.100.200",
  "fd00:ec2::254",
  "metadata.google.internal",
  "2852039166", // 169.254.169.254 as one number
  "0xa9fea9fe",
  "latest/meta-data",
  "computemetadata/v1",
];
const INNER_URL = /(?:https?|gopher|dict|ftp):\/\/(?:\[?)([\da-f.:]+|localhost)/gi;

export const probeRelay = defineDetector<object>({
  ...RELAY,
  sees: ["action"],
  scope: "run",
  start: () => ({}),
  observe(_state, event) {
    const asked = `${fieldOf(event, "path")}?${fieldOf(event, "query")} ${fieldOf(event, "command")} ${fieldOf(event, "statement")}`;
    const text = decoded(asked.slice(0, 4096)).toLowerCase();
    const metadata = METADATA.find((one) => text.includes(one));
    if (metadata !== undefined) {
      const why = `a request to ${shown(event.system ?? "")} names ${metadata}, where clouds hand out credentials`;
      return [found(RELAY, event, 0.9, why)];
    }
    if (!text.includes("://")) return [];
    for (const [, host = ""] of decoded(fieldOf(event, "query").slice(0, 4096)).matchAll(
      INNER_URL,
    )) {
      if (host !== "localhost" && !isInternal(host)) continue;
      const why = `a request to ${shown(event.system ?? "")} names the internal address ${host}`;
      return [{ ...found(RELAY, event, 0.6, why), kind: "scan" }];
    }
    return [];
  },
});

/** Percent signs taken away, twice: a URL inside of a URL. */
export function decoded(text: string): string {
  const once = (from: string) =>
    from.includes("%")
      ? from.replace(/%([\dA-Fa-f]{2})/g, (_, hex: string) =>
          String.fromCharCode(parseInt(hex, 16)),
        )
      : from;
  return once(once(text));
}
