/**
 * Firewall lines against the record, in one pass over it and in bounded memory: what is kept is open flows and the best
 * candidates of each line.
 *
 * @module
 */
import type { Cause, Event } from "../action/index.ts";
import type { Alert, End } from "./lines.ts";
import { canonical, parsePlace, type Place } from "./place.ts";

/** How surely, best first. */
export const SURENESS = ["exact", "address", "name", "time"] as const;
export type Sureness = (typeof SURENESS)[number];

/** Something on record that a line may be about. */
export interface Told {
  /** `refused`: nothing left this host. `asked`: a name was looked up, and nothing more is known. */
  readonly kind: "flow" | "refused" | "asked";
  readonly run: string;
  readonly task?: string;
  readonly flow?: string;
  /** When its SYN left, or it was refused; and until when it was open. */
  readonly fromMs: number;
  toMs: number;
  readonly from?: End;
  readonly to?: End;
  /** The name and port that were meant. */
  readonly name?: string;
  readonly port: number;
  readonly failed: boolean;
  readonly cause?: Cause;
  readonly argv: readonly string[];
  /** Numbers of entries, as `log` prints them. */
  readonly entries: number[];
  /** Steps of what else was done on the same connection. */
  readonly also: Cause[];
  became: string;
}

/** One candidate of a line. */
export interface Match {
  readonly told: Told;
  readonly by: Sureness;
  /** Milliseconds from the time on record to the line's, once the clocks' difference is taken off. */
  readonly offMs: number;
}

export interface Found {
  readonly alert: Alert;
  /** Best first; none where nothing matches. All are as sure as the first. */
  readonly matches: readonly Match[];
  /** How many more there were. */
  readonly more: number;
}

export type Wanted = Alert & { readonly place?: Place };
export interface CorrelatorOptions {
  readonly withinMs: number;
  /** How far the firewall's clock is ahead. */
  readonly skewMs: number;
}

interface Open {
  readonly facts: Pick<
    Told,
    "run" | "task" | "flow" | "name" | "port" | "cause" | "argv" | "entries"
  >;
  readonly told: Told[];
  readonly actions: (Cause | undefined)[];
}

const OPEN_MAX = 100_000;
const MATCHES_MAX = 32;
const ACTIONS_MAX = 64;
const RUNS_MAX = 100_000;
const DAY_MS = 86_400_000;

export class Correlator {
  readonly #alerts: readonly Wanted[];
  readonly #options: CorrelatorOptions;
  readonly #exact = new Map<string, number[]>();
  readonly #targets = new Map<string, number[]>();
  readonly #names = new Map<string, number[]>();
  readonly #loose: number[] = [];
  readonly #open = new Map<string, Open>();
  readonly #tasks = new Map<string, string>();
  readonly #best: { matches: Match[]; more: number }[];
  readonly #offsets = new Map<number, number>();

  constructor(alerts: readonly Wanted[], options: CorrelatorOptions) {
    this.#alerts = alerts;
    this.#options = options;
    this.#best = alerts.map(() => ({ matches: [], more: 0 }));
    for (const [n, { source, target, name, place }] of alerts.entries()) {
      if (place !== undefined || (target === undefined && name === undefined)) this.#loose.push(n);
      if (target !== undefined) {
        add(this.#targets, target.address, n);
        if (source !== undefined && source.port > 0 && target.port > 0) {
          add(this.#exact, keyOf(source, target), n);
          add(this.#exact, keyOf(target, source), n); // What the other side sent back.
          add(this.#targets, source.address, n);
        }
      }
      if (name !== undefined) add(this.#names, name, n);
    }
  }

  /** Takes the next entry of the record. */
  observe(entry: Event & { readonly seq: number }): void {
    const { type, run = "", flow = "", data = {} } = entry;
    if (type === "run.start") {
      if (typeof data["task"] === "string" && this.#tasks.size < RUNS_MAX)
        this.#tasks.set(run, data["task"]);
    } else if (type === "flow.open") this.#begin(entry);
    else if (type === "action") {
      const open = this.#open.get(flow);
      if (open !== undefined && open.actions.push(entry.cause) <= ACTIONS_MAX)
        open.facts.entries.push(entry.seq);
      for (const told of open?.told ?? [])
        if (told.also.length < ACTIONS_MAX) note(told.also, entry.cause);
    } else if (type === "denial" || type === "dns") this.#refused(entry);
    if (data["out"] !== undefined) this.#left(entry, data["out"]);
    if (type === "flow.close") this.#end(flow, Date.parse(entry.at), entry);
  }

  /** What each line is about; {@link observe} is over. */
  found(): readonly Found[] {
    for (const flow of this.#open.keys()) this.#end(flow, Number.POSITIVE_INFINITY);
    return this.#alerts.map((alert, n) => {
      const { matches = [], more = 0 } = this.#best[n] ?? {};
      return { alert, matches: [...matches].sort(byNearness), more };
    });
  }

  /** The median of how far lines are ahead of the connections that have their very 5-tuple, and of how many. */
  skew(): { readonly ms: number; readonly of: number } {
    const all = [...this.#offsets.values()].sort((a, b) => a - b);
    return { ms: all[all.length >> 1] ?? 0, of: all.length };
  }

  #begin({
    run = "",
    flow = "",
    seq,
    target = "",
    data = {},
    process,
    cause,
  }: Event & { seq: number }): void {
    if (data["direction"] === "in") return;
    const { name } = data;
    const facts = {
      ...this.#of(run, cause),
      flow,
      name: typeof name === "string" && name !== "" ? name : hostOf(target),
      port: typeof data["port"] === "number" ? data["port"] : 0,
      argv: process?.argv ?? [],
      entries: [seq],
    };
    this.#open.set(flow, { facts, told: [], actions: [] });
    if (this.#open.size <= OPEN_MAX) return;
    for (const oldest of this.#open.keys()) {
      this.#end(oldest, Number.POSITIVE_INFINITY);
      return;
    }
  }

  #of(run: string, cause: Cause | undefined) {
    const task = this.#tasks.get(run);
    return {
      run,
      ...(task === undefined ? {} : { task }),
      ...(cause === undefined ? {} : { cause }),
    };
  }

  #left(entry: Event & { seq: number }, out: unknown): void {
    const open = this.#open.get(entry.flow ?? "");
    for (const one of Array.isArray(out) ? out : []) {
      const { at, from, to, failed } = Object(one) as Readonly<Record<string, unknown>>;
      const [source, target] = [placeOf(from), placeOf(to)];
      if (typeof at !== "string" || source === undefined || target === undefined) continue;
      const facts = open?.facts ?? {
        ...this.#of(entry.run ?? "", entry.cause),
        name: hostOf(entry.target ?? ""),
        port: target.port,
        argv: entry.process?.argv ?? [],
        entries: [],
      };
      const because = open?.actions[0] ?? (entry.type === "outcome" ? entry.cause : facts.cause);
      const told: Told = {
        ...facts,
        ...(because === undefined ? {} : { cause: because }),
        kind: "flow",
        fromMs: Date.parse(at),
        toMs: Number.POSITIVE_INFINITY,
        from: source,
        to: target,
        failed: failed === true,
        entries: [...facts.entries, entry.seq],
        also: [],
        became: failed === true ? "nobody answered" : "still open, as far as the record goes",
      };
      for (const cause of open?.actions ?? []) note(told.also, cause);
      if (open === undefined)
        this.#match({ ...told, toMs: Date.parse(entry.at), became: "performed" });
      else open.told.push(told);
    }
  }

  #end(flow: string, atMs: number, close?: Event & { seq: number }): void {
    const open = this.#open.get(flow);
    if (open === undefined) return;
    this.#open.delete(flow);
    for (const told of open.told) {
      told.toMs = atMs;
      if (close !== undefined) {
        told.entries.push(close.seq);
        const [out, back, reason] = ["upstreamOut", "upstreamIn", "reason"].map((name) =>
          plain(close.data?.[name]),
        );
        const bytes = `${out || 0} bytes left, ${back || 0} came back; ${reason}`;
        told.became = told.failed ? "nobody answered" : bytes;
      }
      this.#match(told);
    }
    if (open.told.length > 0 || close === undefined) return;
    // No byte of it left: it was refused, or its place was not reached.
    const reason = close.data?.["reason"];
    const [fromMs, why] = [Date.parse(close.at), typeof reason === "string" ? reason : "refused"];
    this.#match({
      ...{ ...open.facts, kind: "refused", fromMs, toMs: fromMs, failed: true, also: [] },
      became: `refused, nothing left this host: ${why}`,
    });
  }

  #refused({
    type,
    at,
    run = "",
    seq,
    flow,
    target = "",
    data = {},
    process,
    cause,
    rule = "",
  }: Event & { seq: number }): void {
    if (flow !== undefined && this.#open.has(flow)) return; // Told with its flow.
    const place = parsePlace(target);
    const route = /:(\d{1,5})\b/.exec(plain(data["route"]))?.[1];
    const fromMs = Date.parse(at);
    const why = typeof data["reason"] === "string" ? data["reason"] : rule;
    const isName = type === "dns";
    this.#match({
      ...this.#of(run, cause),
      ...{ kind: isName ? "asked" : "refused", fromMs, toMs: fromMs, failed: true, also: [] },
      ...(place === undefined ? {} : { to: { address: place.address, port: place.port } }),
      name: place?.address ?? hostOf(target),
      port: place?.port ?? Number(route ?? 0),
      argv: process?.argv ?? [],
      entries: [seq],
      became: isName ? "the name was asked for" : `refused, nothing left this host: ${why}`,
    });
  }

  #match(told: Told): void {
    const { from, to, name = "" } = told;
    if (from !== undefined && to !== undefined) {
      for (const n of this.#exact.get(keyOf(from, to)) ?? []) {
        this.#offset(n, told);
        this.#try(n, told, "exact");
      }
    }
    if (to !== undefined)
      for (const n of this.#targets.get(to.address) ?? [])
        if (this.#mayBe(n, told)) this.#try(n, told, "address");
    for (const n of this.#names.get(name) ?? []) this.#try(n, told, "name");
    for (const n of this.#loose) {
      const { place, source } = this.#alerts[n] ?? {};
      if (source !== undefined && (from === undefined || !isEnd(source, from))) continue;
      if (place === undefined) {
        if (told.kind === "flow") this.#try(n, told, source === undefined ? "time" : "address");
        continue;
      }
      const reached =
        to === undefined ? false : (place.covers?.(to.address) ?? place.address === to.address);
      const isPort =
        place.port === 0 || place.port === (to?.port ?? told.port) || place.port === told.port;
      if (!isPort) continue;
      if (reached)
        this.#try(n, told, source === undefined || source.port === 0 ? "address" : "exact");
      else if (place.address === name) this.#try(n, told, "name");
    }
  }

  /**
   * The line's other end is the connection's, and no port of it says otherwise. Its source may be a NAT's; but where that
   * is the connection's own address, another port is another connection.
   */
  #mayBe(n: number, { kind, from, to, port }: Told): boolean {
    const alert = this.#alerts[n];
    if (alert?.target === undefined || to === undefined) return false;
    const { source, target } = alert;
    if (target.address !== to.address) return false;
    if (source !== undefined && from?.address === source.address && !isEnd(source, from))
      return false;
    return (
      target.port === 0 ||
      target.port === (kind === "flow" ? to.port : to.port || port) ||
      to.port === 0
    );
  }

  #offset(n: number, told: Told): void {
    const alert = this.#alerts[n];
    const off = (alert?.fromMs ?? 0) - told.fromMs;
    const known = this.#offsets.get(n);
    if (Math.abs(off) <= DAY_MS && (known === undefined || Math.abs(off) < Math.abs(known)))
      this.#offsets.set(n, off);
  }

  #try(n: number, told: Told, by: Sureness): void {
    const [alert, best] = [this.#alerts[n], this.#best[n]];
    if (alert === undefined || best === undefined) return;
    const { withinMs, skewMs } = this.#options;
    const [fromMs, toMs] = [alert.fromMs - skewMs, alert.toMs - skewMs];
    // A connection is seen while it is open; what is only near in time, when it began.
    const lastMs =
      by === "exact" ? told.toMs : Math.max(told.fromMs, Math.min(told.toMs, told.fromMs));
    if (toMs < told.fromMs - withinMs || fromMs > lastMs + withinMs) return;
    const match = { told, by, offMs: Math.round(fromMs - told.fromMs) };
    const known = best.matches[0];
    // What is refused did not reach a firewall, so anything that left goes before it.
    const [mine, theirs] = [
      gradeOf(match),
      known === undefined ? Number.MAX_VALUE : gradeOf(known),
    ];
    if (mine > theirs || best.matches.some((one) => one.told === told)) return;
    if (mine < theirs) {
      best.matches = [match];
      best.more = 0;
    } else if (best.matches.length < MATCHES_MAX) best.matches.push(match);
    else {
      best.more += 1;
      const worst = best.matches.reduce((a, b) => (byNearness(a, b) > 0 ? a : b));
      if (byNearness(match, worst) < 0) best.matches[best.matches.indexOf(worst)] = match;
    }
  }
}

function gradeOf({ by, told }: Match): number {
  return SURENESS.indexOf(by) + { flow: 0, refused: 10, asked: 20 }[told.kind];
}

function byNearness(a: Match, b: Match): number {
  return Math.abs(a.offMs) - Math.abs(b.offMs);
}

function note(also: Cause[], cause: Cause | undefined): void {
  if (cause?.step === undefined) return;
  const text = JSON.stringify(cause.step);
  if (!also.some(({ step }) => JSON.stringify(step) === text)) also.push(cause);
}

function isEnd(wanted: End, end: End): boolean {
  return wanted.address === end.address && (wanted.port === 0 || wanted.port === end.port);
}

function placeOf(text: unknown): End | undefined {
  const place = typeof text === "string" ? parsePlace(text) : undefined;
  return place && { address: place.address, port: place.port };
}

function hostOf(target: string): string {
  const rest = target.replace(/^[a-z]+:\/\//i, "").replace(/[/?#].*$/s, "");
  return canonical(rest.replace(/:\d+$/, ""));
}

function keyOf(from: End, to: End): string {
  return `${from.address} ${from.port} ${to.address} ${to.port}`;
}

function add(map: Map<string, number[]>, key: string, n: number): void {
  const all = map.get(key);
  if (all === undefined) map.set(key, [n]);
  else all.push(n);
}

function plain(value: unknown): string {
  return typeof value === "string" || typeof value === "number" ? `${value}` : "";
}
