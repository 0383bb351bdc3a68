/**
 * Entries as OpenTelemetry, in OTLP's JSON form: each entry a log record; tool calls, flows and actions also spans, from
 * the entry that begins one to the entry that ends it. Identifiers are made of the run's and the entry's own, so that
 * what is sent twice is seen to be the same.
 *
 * Source: opentelemetry-proto 1.x, "OTLP/HTTP, JSON Protobuf Encoding": identifiers in hex, 64-bit numbers as text;
 * semantic conventions for GenAI: `gen_ai.operation.name`, `gen_ai.tool.name`, `gen_ai.tool.call.id`.
 *
 * @module
 */
import { hash } from "node:crypto";
import type { Json } from "../action/index.ts";
import type { Entry } from "../api/index.ts";
import { successOf } from "./attempts.ts";
import { describeEntry, textOf } from "./describe.ts";
import { plain } from "./words.ts";

type Member = { readonly [key: string]: Json };

/** What one entry adds. */
export interface Telemetry {
  readonly log: Member;
  /** Spans that it ends. */
  readonly spans: readonly Member[];
}

export interface OtlpWriter {
  add(entry: Entry): Telemetry;
  /** The first entry that is needed again to end what is open; undefined where nothing is. */
  openSince(): number | undefined;
}

interface Open {
  readonly entry: Entry;
  readonly kind: "tool" | "flow" | "action";
}

/** Of a run that leaves more open, the oldest are told as what began and never ended: not at all, as spans. */
const OPEN_MAX = 10_000;
const SEVERITY = { info: [9, "INFO"], warn: [13, "WARN"], error: [17, "ERROR"] } as const;
const CLIENT = 3;
const INTERNAL = 1;

/** Makes telemetry of entries, in their order. */
export function createOtlp(): OtlpWriter {
  const open = new Map<string, Open>();
  const begin = (key: string, entry: Entry, kind: Open["kind"]) => {
    open.set(key, { entry, kind });
    for (const old of open.keys()) {
      if (open.size <= OPEN_MAX) break;
      open.delete(old);
    }
  };
  const end = (key: string, entry: Entry): readonly Member[] => {
    const begun = open.get(key);
    if (begun === undefined) return [];
    open.delete(key);
    return [spanOf(begun, entry)];
  };
  return {
    add(entry) {
      const { type, run = "", flow = "", action = "", data } = entry;
      const call = textOf(data, "call");
      const spans: Member[] = [];
      if (type === "tool.call") begin(`tool ${run} ${call}`, entry, "tool");
      if (type === "flow.open") begin(`flow ${run} ${flow}`, entry, "flow");
      if (type === "action") begin(`action ${run} ${action}`, entry, "action");
      if (type === "action" && entry.verdict === "deny")
        spans.push(...end(`action ${run} ${action}`, entry));
      if (type === "tool.result") spans.push(...end(`tool ${run} ${call}`, entry));
      if (type === "flow.close") spans.push(...end(`flow ${run} ${flow}`, entry));
      if (type === "outcome") spans.push(...end(`action ${run} ${action}`, entry));
      if (type === "run.end") {
        for (const [key, { entry: of }] of open) if (of.run === run) spans.push(...end(key, entry));
      }
      return { log: logOf(entry), spans };
    },
    openSince: () => {
      const [first] = open.values(); // In the order of their entries.
      return first?.entry.seq;
    },
  };
}

/** The body of a request to `/v1/logs`. */
export function logsRequest(records: readonly Member[], version: string): Member {
  const scopeLogs = [{ scope: { name: "cofferdam", version }, logRecords: [...records] }];
  return { resourceLogs: [{ resource: resourceOf(version), scopeLogs }] };
}

/** The body of a request to `/v1/traces`. */
export function tracesRequest(spans: readonly Member[], version: string): Member {
  const scopeSpans = [{ scope: { name: "cofferdam", version }, spans: [...spans] }];
  return { resourceSpans: [{ resource: resourceOf(version), scopeSpans }] };
}

function resourceOf(version: string): Member {
  return { attributes: attributesOf({ "service.name": "cofferdam", "service.version": version }) };
}

function logOf(entry: Entry): Member {
  const { type, at, seq, run } = entry;
  const [number, severity] = severityOf(entry);
  const cause = entry.cause?.call;
  return {
    timeUnixNano: nanos(at),
    observedTimeUnixNano: nanos(at),
    severityNumber: number,
    severityText: severity,
    eventName: `cofferdam.${type}`,
    body: { stringValue: plain(describeEntry(entry).what) },
    attributes: attributesOf({
      "cofferdam.seq": seq,
      "cofferdam.mono_ms": entry.monoMs,
      ...aboutOf(entry),
    }),
    ...(run === undefined ? {} : { traceId: traceOf(run) }),
    ...(run === undefined ? {} : spanOfLog(entry, run, cause?.id)),
  };
}

/** The span that a log record belongs to: that of its action, else of its flow, else of its tool call. */
function spanOfLog({ action, flow }: Entry, run: string, call: string | undefined): Member {
  if (action !== undefined) return { spanId: spanId(run, "action", action) };
  if (flow !== undefined) return { spanId: spanId(run, "flow", flow) };
  return call === undefined ? {} : { spanId: spanId(run, "tool", call) };
}

function severityOf({ type, verdict }: Entry): (typeof SEVERITY)[keyof typeof SEVERITY] {
  if (type === "finding") return SEVERITY.error;
  return type === "denial" || verdict === "deny" ? SEVERITY.warn : SEVERITY.info;
}

function spanOf({ entry, kind }: Open, last: Entry): Member {
  const { run = "", flow = "", action = "", data, cause, system = "" } = entry;
  const call = textOf(data, "call");
  const own = kind === "tool" ? call : kind === "flow" ? flow : action;
  const parent =
    kind === "action" && flow !== ""
      ? spanId(run, "flow", flow)
      : kind !== "tool" && cause?.call !== undefined
        ? spanId(run, "tool", cause.call.id)
        : undefined;
  const name =
    kind === "tool"
      ? `execute_tool ${textOf(data, "name")}`
      : kind === "flow"
        ? `flow ${entry.target ?? ""}`
        : `${textOf(data, "verb")} ${system}`;
  const failed =
    last.type === "outcome"
      ? successOf(last) === "failed"
      : last.verdict === "deny" || last.data?.["isError"] === true;
  return {
    traceId: traceOf(run),
    spanId: spanId(run, kind, own),
    ...(parent === undefined ? {} : { parentSpanId: parent }),
    name,
    kind: kind === "tool" ? INTERNAL : CLIENT,
    startTimeUnixNano: nanos(entry.at),
    // The monotonic clock tells how long it was; the wall clock may have been set meanwhile.
    endTimeUnixNano: nanos(entry.at, Math.max(0, last.monoMs - entry.monoMs)),
    attributes: attributesOf({
      ...aboutOf(entry),
      "cofferdam.ended_by": last.type,
      ...statusAttribute(last),
      ...(kind === "tool"
        ? {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": textOf(data, "name"),
            "gen_ai.tool.call.id": call,
          }
        : {}),
    }),
    status: { code: failed ? 2 : 1 },
  };
}

function statusAttribute({ data }: Entry): Readonly<Record<string, unknown>> {
  const status = data?.["status"];
  return typeof status === "number" ? { "http.response.status_code": status } : {};
}

/** What an entry says of itself, under names of the semantic conventions where there are some. */
function aboutOf(entry: Entry): Readonly<Record<string, unknown>> {
  const { run, system, target, rule, verdict, flow, action, process, cause, data } = entry;
  return {
    "cofferdam.run": run,
    "cofferdam.system": system,
    "cofferdam.target": target,
    "cofferdam.rule": rule,
    "cofferdam.verdict": verdict,
    "cofferdam.flow": flow,
    "cofferdam.action": action,
    ...processOf(process),
    "gen_ai.tool.call.id": cause?.call?.id,
    "gen_ai.tool.name": cause?.call?.name,
    "cofferdam.cause.by": cause?.call?.by,
    "cofferdam.cause.confidence": cause?.call?.confidence,
    "cofferdam.step.trajectory": cause?.step?.trajectory,
    "cofferdam.step.episode": cause?.step?.episode,
    "cofferdam.step.step": cause?.step?.step,
    "cofferdam.data": data === undefined ? undefined : JSON.stringify(data),
  };
}

/** OpenTelemetry's names for a process all begin alike. */
function processOf(of: Entry["process"]): Readonly<Record<string, unknown>> {
  const about = { pid: of?.pid, "executable.path": of?.exe, command_args: of?.argv };
  return Object.fromEntries(Object.entries(about).map(([name, one]) => [`process.${name}`, one]));
}

function attributesOf(all: Readonly<Record<string, unknown>>): Member[] {
  return Object.entries(all).flatMap(([key, value]) => {
    return value === undefined || value === "" ? [] : [{ key, value: valueOf(value) }];
  });
}

function valueOf(value: unknown): Member {
  if (typeof value === "boolean") return { boolValue: value };
  if (typeof value === "number") {
    return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value };
  }
  if (Array.isArray(value)) return { arrayValue: { values: value.map(valueOf) } };
  return { stringValue: String(value).toWellFormed() };
}

/** Nanoseconds since the epoch, as text; `plusMs` later. */
function nanos(at: string, plusMs = 0): string {
  return String(BigInt(Date.parse(at)) * 1_000_000n + BigInt(Math.round(plusMs * 1e6)));
}

function traceOf(run: string): string {
  return hash("sha256", `cofferdam run ${run}`).slice(0, 32);
}

function spanId(run: string, kind: string, id: string): string {
  return hash("sha256", `cofferdam ${run} ${kind} ${id}`).slice(0, 16);
}
