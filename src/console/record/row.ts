/**
 * An entry on one line: what a list shows of it, and what it is filtered by.
 *
 * @module
 */
import { EFFECTS, type Effect, type Event, type Json } from "../../action/index.ts";
import type { RecordRow } from "../../api/index.ts";

const TEXT_CHARS_MAX = 200;
const KNOWN: ReadonlySet<string> = new Set(EFFECTS);

/** The effects that `event` names: of an action, an approval, or something refused. */
export function effectsOf({ data }: Event): readonly Effect[] {
  const named = Array.isArray(data?.["effects"]) ? data["effects"] : [data?.["effect"]];
  return named.filter((one): one is Effect => typeof one === "string" && KNOWN.has(one));
}

/** The kind of misbehaviour that `event` tells, or answers. */
export function findingOf({ type, data }: Event): string | undefined {
  const kind = type === "finding" ? data?.["finding"] : type === "response" && data?.["kind"];
  return typeof kind === "string" ? kind : undefined;
}

/** Entry `seq` on a line. */
export function rowOf(seq: number, event: Event): RecordRow {
  const { type, at, run, verdict, rule, system, target } = event;
  const effects = effectsOf(event);
  const finding = findingOf(event);
  return {
    seq,
    type,
    at,
    ...(run === undefined ? {} : { run }),
    ...(verdict === undefined ? {} : { verdict }),
    ...(rule === undefined ? {} : { rule: brief(rule) }),
    ...(system === undefined ? {} : { system: brief(system) }),
    ...(target === undefined ? {} : { target: brief(target) }),
    ...(effects.length === 0 ? {} : { effects: [...effects] }),
    ...(finding === undefined ? {} : { finding: brief(finding) }),
    text: brief(sentenceOf(event)),
  };
}

/** What the entry says, in its own words where it has any. */
function sentenceOf({ type, target, process, data = {} }: Event): string {
  const said = (...names: string[]) => names.map((name) => wordOf(data[name])).find(Boolean) ?? "";
  switch (type) {
    case "process.start":
      return process?.argv.join(" ") ?? "";
    case "run.start":
      return wordOf(data["command"]);
    case "run.end":
      return endOf(data["end"] ?? data);
    case "dns":
      return [data["name"], data["type"], data["answer"]].map(wordOf).join(" ");
    case "flow.open":
      return [data["protocol"], data["address"], data["port"]].map(wordOf).join(" ");
    case "flow.close":
      return `${wordOf(data["bytesOut"])} bytes out, ${wordOf(data["bytesIn"])} in; ${said("reason")}`;
    case "outcome":
      return [data["status"], data["error"], data["reason"]].map(wordOf).filter(Boolean).join(" ");
    case "approval":
      return [data["state"], data["verb"], data["reason"]].map(wordOf).filter(Boolean).join(" ");
    case "tool.call":
      return `${said("name")} ${wordOf(data["input"])}`;
    case "tool.result":
      return said("excerpt");
    case "model":
      return said("model", "provider");
    case "usage":
      if (data["spanMs"] === 0) return `${wordOf(data["gpuSeconds"])} s of GPU time`;
      return ["cpu", "memory", "disk", "pids"]
        .map((name) => `${name} ${wordOf(data[name])}`)
        .join(", ");
    case "response":
      return wordOf(data["responses"]) || said("evidence");
    default:
      return said("summary", "detail", "reason", "title", "file", "action") || (target ?? "");
  }
}

function endOf(end: Json): string {
  if (typeof end !== "object" || end === null || Array.isArray(end)) return wordOf(end);
  const members = new Map(Object.entries(end));
  const said = ["reason", "code", "signal", "detail"].map((name) => wordOf(members.get(name)));
  return said.filter(Boolean).join(" ");
}

function wordOf(value: Json | undefined): string {
  if (value === undefined || value === null) return "";
  if (typeof value === "string") return value;
  if (Array.isArray(value)) return value.map(wordOf).join(" ");
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function brief(text: string): string {
  const line = text.length > 4 * TEXT_CHARS_MAX ? text.slice(0, 4 * TEXT_CHARS_MAX) : text;
  const flat = line.replaceAll(/\s+/gu, " ").trim();
  return flat.length <= TEXT_CHARS_MAX && line.length === text.length
    ? flat
    : `${flat.slice(0, TEXT_CHARS_MAX - 1).toWellFormed()}…`;
}
