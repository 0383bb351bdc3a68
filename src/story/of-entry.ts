/**
 * What a single entry says of itself, and what it adds to an item.
 *
 * @module
 */
import type { Process } from "../action/index.ts";
import type { Entry, StoryKind } from "../api/index.ts";
import type { Told } from "./item.ts";
import { commandOf, cut, textOf, wordOf } from "./values.ts";

/** Entries of the run itself: what each is told as. */
export const OF_RUN = {
  "daemon.start": "daemon",
  "daemon.stop": "daemon",
  policy: "policy",
  "run.start": "start",
  "run.proved": "proofs",
  "run.pause": "pause",
  "run.resume": "resume",
  "run.restart": "restart",
  "run.end": "end",
  workspace: "workspace",
  credential: "credential",
  step: "step",
  record: "daemon",
  exec: "exec",
  "exec.end": "exec",
} as const satisfies Readonly<Partial<Record<Entry["type"], StoryKind>>>;

/** What an entry of the run itself says, in its own words. */
export function said({ type, data, target }: Entry): string {
  if (type === "run.start") {
    const command = Array.isArray(data?.["command"]) ? data["command"].map(String) : [];
    return commandOf(command, textOf(data, "task"));
  }
  if (type === "exec") {
    return commandOf(Array.isArray(data?.["argv"]) ? data["argv"].map(String) : [], target ?? "");
  }
  if (type === "run.proved") {
    return `${Array.isArray(data?.["proofs"]) ? data["proofs"].length : 0} controls`;
  }
  if (type === "step") {
    return cut(
      `${wordOf(data, "trajectory")} / ${wordOf(data, "episode")} / ${wordOf(data, "step")}`,
    );
  }
  const told = ["reason", "detail", "done", "doing", "failed", "what", "digest", "action"];
  const end = data?.["end"];
  if (type === "run.end" && typeof end === "object" && end !== null && !Array.isArray(end)) {
    return cut(
      ["reason", "code", "signal", "detail"]
        .map((name) => textOf(end, name))
        .filter(Boolean)
        .join(" "),
    );
  }
  return told.map((name) => textOf(data, name)).find(Boolean) ?? target ?? "";
}

/** The process that something is of, up its chain. */
export function processOf(told: Told): Told | undefined {
  for (let at: Told | undefined = told, left = 8; at !== undefined && left > 0; left -= 1) {
    if (at.kind === "process") return at;
    at = at.parent;
  }
  return undefined;
}

export function addBytes(told: Told, out: number, back: number, edges = told.edges): void {
  told.bytesOut = (told.bytesOut ?? 0) + out;
  told.bytesIn = (told.bytesIn ?? 0) + back;
  for (const edge of edges ?? []) {
    edge.bytesOut += out;
    edge.bytesIn += back;
  }
}

export function byOf(by: Process | undefined): Told["by"] {
  if (by === undefined || by.pid === 0) return undefined;
  return { pid: by.pid, exe: cut(by.exe) };
}

export function tieOf({ cause }: Entry): Told["tie"] {
  if (cause?.call === undefined) return undefined;
  const { by, confidence } = cause.call;
  return { by, confidence };
}

export function sourceOf({ data }: Entry): "model" | "mcp" | "hook" | "trace" {
  const source = data?.["source"];
  return source === "mcp" || source === "hook" || source === "trace" ? source : "model";
}
