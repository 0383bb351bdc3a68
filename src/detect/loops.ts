/**
 * Loops: the same over and over, and spend that leads to nothing.
 *
 * @module
 */
import { addTo, isMany, isRung, keyOf, touch } from "./bounded.ts";
import { defineDetector, type DetectorAbout } from "./detector.ts";
import { found, isReading, keyedCall, numberOf, shown, textOf, timesOf } from "./found.ts";

const ACTIONS: DetectorAbout = {
  name: "loop.actions",
  kind: "loop",
  title: "The very same action again and again",
  explanation:
    "Counts actions of one digest (the same bytes to the same place) that change something, or fail, or are refused. Reading the same again and again is polling and is none while it works.",
  attack: ["T1499"],
  atlas: ["AML.T0034.002"],
  owasp: ["ASI08"],
  tuning: {
    changes: { value: 40, unit: "actions", meaning: "that change something, within the time" },
    failures: { value: 60, unit: "actions", meaning: "that fail or are refused, within the time" },
    seconds: { value: 900, unit: "s", meaning: "the time" },
  },
};

const DIGESTS_MAX = 256;

export const loopActions = defineDetector<{
  readonly limit: {
    readonly changes: number;
    readonly failures: number;
    readonly windowMs: number;
  };
  readonly digests: Map<string, number[]>;
  /** Digests of actions that have no outcome yet. */
  readonly pending: Map<string, { readonly digest: string }>;
  readonly failed: Map<string, number[]>;
}>({
  ...ACTIONS,
  sees: ["action", "outcome"],
  scope: "run",
  start: ({ changes = 40, failures = 60, seconds = 900 }) => ({
    limit: { changes, failures, windowMs: seconds * 1000 },
    digests: new Map(),
    pending: new Map(),
    failed: new Map(),
  }),
  observe({ limit, digests, pending, failed }, event) {
    const { action = "", system = "", monoMs } = event;
    const fails = (digest: string) => {
      const times = touch<number[]>(failed, digest, DIGESTS_MAX, () => []);
      if (!isMany(times, monoMs, limit.failures, limit.windowMs)) return [];
      return [
        found(
          ACTIONS,
          event,
          0.6,
          `the same action at ${shown(system)} failed ${limit.failures} times`,
        ),
      ];
    };
    if (event.type === "outcome") {
      const { digest } = pending.get(keyOf(action)) ?? { digest: "" };
      pending.delete(keyOf(action));
      const isFailure = numberOf(event, "status") >= 400 || textOf(event, "code") !== "";
      return digest !== "" && isFailure ? fails(digest) : [];
    }
    const digest = textOf(event, "digest");
    if (digest === "") return [];
    if (event.verdict === "deny") return fails(digest);
    if (event.verdict !== "allow") return [];
    touch(pending, action, 512, () => ({ digest }));
    if (isReading(event)) return [];
    const times = touch<number[]>(digests, digest, DIGESTS_MAX, () => []);
    if (!isMany(times, monoMs, limit.changes, limit.windowMs)) return [];
    const why = `the same action at ${shown(system)} was done ${limit.changes} times`;
    return [found(ACTIONS, event, 0.6, why)];
  },
});

const CALLS: DetectorAbout = {
  name: "loop.calls",
  kind: "loop",
  title: "The same tool call fails again and again",
  explanation:
    "Counts tool calls of one content whose result was an error, without another between that worked. A test that is run until it passes changes something between, and its calls are the same: so it takes several.",
  attack: ["T1499"],
  atlas: ["AML.T0034.002"],
  owasp: ["ASI08"],
  tuning: { calls: { value: 12, unit: "calls", meaning: "of one content that failed" } },
};

export const loopCalls = defineDetector<{
  readonly calls: number;
  readonly open: Map<string, { readonly digest: string; readonly name: string }>;
  readonly failed: Map<string, { count: number }>;
}>({
  ...CALLS,
  sees: ["tool.call", "tool.result"],
  scope: "run",
  start: ({ calls = 12 }) => ({ calls, open: new Map(), failed: new Map() }),
  observe({ calls, open, failed }, event) {
    const call = textOf(event, "call");
    if (event.type === "tool.call") {
      touch(open, call, 256, () => ({
        digest: textOf(event, "digest"),
        name: textOf(event, "name"),
      }));
      return [];
    }
    const asked = open.get(keyOf(call));
    open.delete(keyOf(call));
    if (asked === undefined) return [];
    if (event.data?.["isError"] !== true) {
      failed.delete(keyOf(asked.digest));
      return [];
    }
    const of = touch(failed, asked.digest, 128, () => ({ count: 0 }));
    of.count += 1;
    if (!isRung(of.count, calls)) return [];
    return [
      found(CALLS, event, 0.6, `the same call of ${shown(asked.name)} failed ${of.count} times`),
    ];
  },
});

const SPEND: DetectorAbout = {
  name: "loop.spend",
  kind: "loop",
  title: "The model is asked and asked, and nothing else changes",
  explanation:
    "Counts exchanges with models, and their tokens, while the run starts no new program, asks for no tool call of a new content and does no new action. An agent at work does something new every few exchanges; two that only answer each other do not.",
  attack: ["T1496"],
  atlas: ["AML.T0034.002"],
  owasp: ["ASI08"],
  tuning: {
    exchanges: { value: 100, unit: "exchanges", meaning: "without anything new" },
    tokens: { value: 3_000_000, unit: "tokens", meaning: "or so many, in and out" },
  },
};

export const loopSpend = defineDetector<{
  readonly limit: { readonly exchanges: number; readonly tokens: number };
  readonly done: Set<string>;
  exchanges: number;
  tokens: number;
}>({
  ...SPEND,
  sees: ["model", "tool.call", "process.start", "action"],
  scope: "run",
  start: ({ exchanges = 100, tokens = 3e6 }) => ({
    limit: { exchanges, tokens },
    done: new Set(),
    exchanges: 0,
    tokens: 0,
  }),
  observe(state, event) {
    if (event.type !== "model") {
      const what = keyedCall(event);
      // Asking a model is an action as well, and each has another content.
      if (what !== "" && addTo(state.done, what, 1024)) {
        state.exchanges = 0;
        state.tokens = 0;
      }
      return [];
    }
    state.exchanges += timesOf(event);
    state.tokens += numberOf(event, "in") + numberOf(event, "out");
    state.tokens += numberOf(event, "tokensIn") + numberOf(event, "tokensOut");
    const { exchanges, tokens } = state;
    if (exchanges < state.limit.exchanges && tokens < state.limit.tokens) return [];
    state.exchanges = 0;
    state.tokens = 0;
    const why = `${exchanges} exchanges with a model (${tokens} tokens) and nothing new was done`;
    return [found(SPEND, event, 0.5, why)];
  },
});
