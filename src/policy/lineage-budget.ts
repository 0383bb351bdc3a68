/**
 * The budget of a lineage: what all its runs together may do. Pure arithmetic; who keeps the counts is src/daemon/lineages.ts.
 *
 * What an action would use up is known before it leaves (requests, writes, recipients, destinations, money), and is refused
 * where it would be too much. What is only known afterwards (bytes, connections, processor time) refuses what comes next.
 *
 * @module
 */
import type { Action } from "../action/index.ts";

/** Counted one by one. */
export const COUNTED = ["requests", "writes", "bytes", "connections", "cpuMs", "gpuMs"] as const;
/** Of them, what passes by itself: where it is used up nothing may go on. */
export const TIMES = ["cpuMs", "gpuMs"] as const;
export type Counted = (typeof COUNTED)[number];
export type Passing = (typeof TIMES)[number];
/** Each counted once, whoever comes to it. */
export const DISTINCT = ["recipients", "destinations"] as const;
export type Distinct = (typeof DISTINCT)[number];

export type LineageBudget = {
  readonly [What in Counted | Distinct]?: number;
} & {
  /** By currency, in {@link scaled} units. */
  readonly amounts?: ReadonlyMap<string, bigint>;
};

/** What was used up so far, by all runs that lived or live. */
export interface LineageUse {
  readonly counts: Readonly<Record<Counted, number>>;
  readonly distinct: Readonly<Record<Distinct, ReadonlySet<string>>>;
  readonly amounts: ReadonlyMap<string, bigint>;
}

/** What one action uses up. */
export interface Charge {
  readonly requests: number;
  readonly writes: number;
  readonly destination: string;
  /** `undefined` where it reaches somebody, and nobody knows whom. */
  readonly recipients: readonly string[] | undefined;
  /** `undefined` where it moves money, and nobody knows how much. */
  readonly amounts: ReadonlyMap<string, bigint> | undefined;
}

const DIGITS = 12; // Behind the point; what is finer is rounded up.

/** A decimal number as text in units of 10^-12, rounded up: none is spent by being small. */
export function scaled(value: string): bigint {
  const [whole = "0", part = ""] = value.split(".");
  const kept = BigInt(`${whole}${part.slice(0, DIGITS).padEnd(DIGITS, "0")}`);
  return /[1-9]/.test(part.slice(DIGITS)) ? kept + 1n : kept;
}

/** {@link scaled} units as people write them. */
export function unscaled(value: bigint): string {
  const text = value.toString().padStart(DIGITS + 1, "0");
  const part = text.slice(-DIGITS).replace(/0+$/, "");
  return part === "" ? text.slice(0, -DIGITS) : `${text.slice(0, -DIGITS)}.${part}`;
}

/** What `action` uses up. A message of several statements is as many writes as it has that change something. */
export function chargeOf(action: Action): Charge {
  const { kind, effects, parts, impact, fields, target } = action;
  const changes = (does: readonly string[]) =>
    does.some((effect) => effect !== "read" && effect !== "read-private");
  const writes =
    parts === undefined
      ? Number(changes(effects))
      : parts.reduce((sum, part) => sum + (changes(part.effects) ? (part.count ?? 1) : 0), 0);
  const { host, port } = fields;
  const amount = impact?.amount;
  return {
    requests: kind === "tcp" ? 0 : 1,
    writes: kind === "tcp" ? 0 : writes,
    destination:
      typeof host === "string" ? `${host}:${typeof port === "number" ? port : ""}` : target,
    recipients: impact?.recipients ?? (effects.includes("send") ? undefined : []),
    amounts:
      amount === undefined
        ? effects.includes("spend")
          ? undefined
          : new Map()
        : new Map([[amount.currency, scaled(amount.value)]]),
  };
}

/** What of `budget` has no room for `charge`, in words; `undefined` where all has. */
export function lackFor(
  budget: LineageBudget,
  use: LineageUse,
  charge: Charge,
): string | undefined {
  for (const what of COUNTED) {
    const most = budget[what];
    if (most === undefined) continue;
    const more = what === "requests" ? charge.requests : what === "writes" ? charge.writes : 0;
    // A connection is counted when it is there, ahead of what is asked on it.
    const used = use.counts[what];
    const isOver = what === "bytes" || isTime(what) ? used >= most : used + more > most;
    if (isOver) return `its ${most} ${WORDS[what]} are used up (${Math.floor(used)})`;
  }
  const { destinations, recipients, amounts } = budget;
  if (destinations !== undefined) {
    const { destinations: met } = use.distinct;
    if (!met.has(charge.destination) && met.size >= destinations)
      return `it may reach ${destinations} destinations, and has`;
  }
  if (recipients !== undefined) {
    if (charge.recipients === undefined) return "whom it reaches is not known, and that is limited";
    const met = use.distinct.recipients;
    const more = new Set(charge.recipients.filter((one) => !met.has(one)));
    if (more.size > 0 && met.size + more.size > recipients)
      return `it may reach ${recipients} recipients, and would reach more`;
  }
  if (amounts !== undefined) {
    if (charge.amounts === undefined) return "how much it moves is not known, and that is limited";
    for (const [currency, value] of charge.amounts) {
      const most = amounts.get(currency);
      if (most === undefined) return `it may move no ${currency}`;
      if ((use.amounts.get(currency) ?? 0n) + value > most)
        return `it may move ${unscaled(most)} ${currency}, and would move more`;
    }
  }
  return undefined;
}

const WORDS: Readonly<Record<Counted, string>> = {
  requests: "requests",
  writes: "writes",
  bytes: "bytes",
  connections: "connections",
  cpuMs: "milliseconds of processor time",
  gpuMs: "milliseconds of GPU time",
};

/** Whether it is known only when it has been used up. */
export function isAfterwards(what: Counted): boolean {
  return what === "bytes" || what === "connections" || isTime(what);
}

function isTime(what: Counted): boolean {
  return TIMES.some((one) => one === what);
}

/** How much of `budget` is used up, of what is used up most: 0 to 1 and more; `undefined` where nothing is limited. */
export function shareOf(budget: LineageBudget, use: LineageUse): number | undefined {
  const shares = [
    ...COUNTED.map((what) => [use.counts[what], budget[what]] as const),
    ...DISTINCT.map((what) => [use.distinct[what].size, budget[what]] as const),
    ...[...(budget.amounts ?? [])].map(
      ([currency, most]) => [Number(use.amounts.get(currency) ?? 0n), Number(most)] as const,
    ),
  ].flatMap(([used, most]) => (most === undefined ? [] : [most === 0 ? 1 : used / most]));
  return shares.length === 0 ? undefined : Math.max(...shares);
}
