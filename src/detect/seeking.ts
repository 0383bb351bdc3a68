/**
 * A no that is taken as a puzzle, and persons who are asked until they say yes.
 *
 * @module
 */
import type { Event } from "../action/index.ts";
import { addTo, isMany, isRung, keyOf, touch } from "./bounded.ts";
import { defineDetector, type DetectorAbout } from "./detector.ts";
import { found, isAddress, registeredDomain, shown, textOf } from "./found.ts";
import { decoded, portOf } from "./probing.ts";

const SEEKING: DetectorAbout = {
  name: "denial.seeking",
  kind: "sticky",
  title: "Other ways to what was denied, also at other places",
  explanation:
    "After a refusal, counts different tries at the same thing: the same object (the last part of a path, a table, a command's program) or the same registered domain, by another verb, host, port, protocol, spelling or program. The gateway's own finding counts ways to one target; this one also sees the next mirror and the next identity. Names refused on 80 and 443 (telemetry) never count.",
  attack: ["T1090", "T1071.001"],
  atlas: ["AML.T0107"],
  owasp: ["ASI10"],
  tuning: {
    ways: { value: 4, unit: "ways", meaning: "to the same thing within the time" },
    seconds: { value: 900, unit: "s", meaning: "the time" },
  },
};

const THINGS_MAX = 256;
const WAYS_MAX = 64;

interface Sought {
  readonly ways: Set<string>;
  readonly targets: Set<string>;
  sinceMs: number;
}

export const denialSeeking = defineDetector<{
  readonly limit: { readonly ways: number; readonly windowMs: number };
  readonly things: Map<string, Sought>;
}>({
  ...SEEKING,
  sees: ["denial"],
  scope: "run",
  start: ({ ways = 4, seconds = 900 }) => ({
    limit: { ways, windowMs: seconds * 1000 },
    things: new Map(),
  }),
  observe({ limit, things }, event) {
    const { target = "", process, rule } = event;
    if (rule === "approval-pending") return [];
    const port = portOf(event);
    if (event.action === undefined && !isAddress(target) && (port === 80 || port === 443))
      return [];
    const thing = thingOf(event);
    if (thing === "") return [];
    const make = (): Sought => ({ ways: new Set(), targets: new Set(), sinceMs: event.monoMs });
    let sought = touch(things, thing, THINGS_MAX, make);
    if (event.monoMs - sought.sinceMs > limit.windowMs) {
      things.delete(keyOf(thing));
      sought = touch(things, thing, THINGS_MAX, make);
    }
    addTo(sought.targets, target, WAYS_MAX);
    const isNew = addTo(
      sought.ways,
      `${target} ${textOf(event, "route")} ${process?.exe ?? ""}`,
      WAYS_MAX,
    );
    // Many ways to one target are the gateway's own finding.
    if (!isNew || sought.targets.size < 2 || !isRung(sought.ways.size, limit.ways)) return [];
    const why = `${sought.ways.size} ways tried to ${shown(thing)}, at ${sought.targets.size} places, after it was denied`;
    return [found(SEEKING, event, 0.7, why)];
  },
});

/** What was meant, whatever the spelling: the last part of a path, or the domain of a host. */
function thingOf(event: Event): string {
  const target = decoded((event.target ?? "").slice(0, 1024)).toLowerCase();
  if (event.action === undefined)
    return isAddress(target) ? "" : `domain ${registeredDomain(target)}`;
  const path = target.replace(/^[a-z]+:\/\/[^/\s]*/, "").replace(/[/\s]+$/, "");
  const last = path.slice(Math.max(path.lastIndexOf("/"), path.lastIndexOf(" ")) + 1);
  return last.length < 3 ? "" : `object ${last}`;
}

const FLOOD: DetectorAbout = {
  name: "approval.flood",
  kind: "flood",
  title: "More approvals asked for than a person can read",
  explanation:
    "Counts actions that wait for a person, each content once: many in a short time, or many of one verb that are almost alike. People approve nine of ten questions when there are many.",
  attack: [],
  atlas: [],
  owasp: ["ASI09"],
  tuning: {
    count: { value: 20, unit: "approvals", meaning: "within the time" },
    alike: { value: 10, unit: "approvals", meaning: "almost alike, within the time" },
    seconds: { value: 600, unit: "s", meaning: "the time" },
  },
};

export const approvalFlood = defineDetector<{
  readonly limit: { readonly count: number; readonly alike: number; readonly windowMs: number };
  readonly asked: Set<string>;
  readonly times: number[];
  readonly shapes: Map<string, number[]>;
}>({
  ...FLOOD,
  sees: ["action"],
  scope: "run",
  start: ({ count = 20, alike = 10, seconds = 600 }) => ({
    limit: { count, alike, windowMs: seconds * 1000 },
    asked: new Set(),
    times: [],
    shapes: new Map(),
  }),
  observe({ limit, asked, times, shapes }, event) {
    if (event.verdict !== "confirm" || !addTo(asked, textOf(event, "digest"), 512)) return [];
    const results = [];
    if (isMany(times, event.monoMs, limit.count, limit.windowMs)) {
      results.push(
        found(
          FLOOD,
          event,
          0.6,
          `${limit.count} approvals asked for within ${limit.windowMs / 1000} s`,
        ),
      );
    }
    const shape = shapeOf(event);
    const alike = touch<number[]>(shapes, shape, 64, () => []);
    if (isMany(alike, event.monoMs, limit.alike, limit.windowMs)) {
      const why = `${limit.alike} approvals asked for that are almost alike: ${shown(textOf(event, "verb"))} at ${shown(event.system ?? "")}`;
      results.push(found(FLOOD, event, 0.6, why));
    }
    return results;
  },
});

/** What stays the same where only numbers and single words differ. */
function shapeOf(event: Event): string {
  const words = textOf(event, "summary")
    .slice(0, 120)
    .replaceAll(/[\d.]+/g, "#")
    .split(/\s+/, 6);
  return `${event.system ?? ""} ${textOf(event, "verb")} ${words.join(" ")}`;
}

const AGAIN: DetectorAbout = {
  name: "approval.again",
  kind: "flood",
  title: "What a person denied is asked again in other words",
  explanation:
    "After a person's no, counts approvals that are asked for with the same verb at the same object with another content. One that was corrected as the person said looks alike, so it takes two.",
  attack: [],
  atlas: [],
  owasp: ["ASI09", "ASI10"],
  tuning: {
    times: { value: 2, unit: "approvals", meaning: "asked for again after a no" },
    seconds: { value: 3600, unit: "s", meaning: "how long a no is remembered" },
  },
};

export const approvalAgain = defineDetector<{
  readonly limit: { readonly times: number; readonly windowMs: number };
  /** What waits, by action. */
  readonly asked: Map<string, { readonly what: string }>;
  readonly denied: Map<string, { readonly atMs: number; readonly again: Set<string> }>;
}>({
  ...AGAIN,
  sees: ["action", "approval"],
  scope: "run",
  start: ({ times = 2, seconds = 3600 }) => ({
    limit: { times, windowMs: seconds * 1000 },
    asked: new Map(),
    denied: new Map(),
  }),
  observe({ limit, asked, denied }, event) {
    const { action = "", monoMs } = event;
    if (event.type === "approval") {
      if (textOf(event, "state") !== "denied") return [];
      const what = asked.get(keyOf(action))?.what ?? whatOf(event);
      touch(denied, what, 64, () => ({ atMs: monoMs, again: new Set<string>() }));
      return [];
    }
    if (event.verdict !== "confirm") return [];
    const what = whatOf(event);
    touch(asked, action, 256, () => ({ what }));
    const before = denied.get(keyOf(what));
    if (before === undefined || monoMs - before.atMs > limit.windowMs) return [];
    if (!addTo(before.again, textOf(event, "digest"), 32) || before.again.size !== limit.times)
      return [];
    const why = `${shown(textOf(event, "verb"))} at ${shown(event.system ?? "")} was denied by a person, and asked for ${limit.times} times more with another content`;
    return [found(AGAIN, event, 0.6, why)];
  },
});

function whatOf(event: Event): string {
  return `${event.system ?? ""} ${textOf(event, "verb")} ${event.target ?? ""}`;
}
