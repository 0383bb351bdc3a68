/**
 * Our own words for what a run did; everything else in a row is its own, and shown as such.
 *
 * @module
 */
import type { StoryItem, StoryKind, StoryLane } from "../../../src/api/index.ts";
import type { Tone } from "../../parts/index.ts";

export const LANE_NAMES: Readonly<Record<StoryLane, string>> = {
  run: "Run",
  model: "Model",
  tool: "Tool calls",
  process: "Processes",
  flow: "Flows",
  action: "Actions",
  finding: "Findings",
};

export const KIND_NAMES: Readonly<Record<StoryKind, string>> = {
  model: "model turn",
  call: "tool call",
  process: "process",
  flow: "flow",
  name: "name lookup",
  action: "action",
  denial: "refused",
  finding: "finding",
  response: "response",
  start: "run starts",
  proofs: "controls proved",
  policy: "policy",
  pause: "paused",
  resume: "resumed",
  restart: "restarted",
  end: "run ends",
  workspace: "workspace",
  credential: "credential",
  step: "training step",
  exec: "command",
  daemon: "daemon",
  more: "more, not told one by one",
};

/** What became of an item, in a word, and how grave that is. */
export function stateOf(
  item: StoryItem,
): { readonly text: string; readonly tone: Tone } | undefined {
  const { kind, verdict, state, status, isOpen } = item;
  if (kind === "finding") return { text: state === undefined ? "noticed" : state, tone: "bad" };
  if (kind === "call") {
    if (state === "error") return { text: "error", tone: "bad" };
    if (state === "never called") return { text: "never called", tone: "bad" };
    return isOpen ? { text: "open", tone: "info" } : undefined;
  }
  if (kind === "flow") return isOpen ? { text: "open", tone: "info" } : undefined;
  if (state?.startsWith("failed") === true) return { text: "failed", tone: "bad" };
  if (verdict === "confirm" && state !== undefined) {
    const isRefused = ["denied", "expired", "cancelled"].includes(state);
    return { text: state, tone: isRefused ? "bad" : state === "performed" ? "ok" : "wait" };
  }
  if (verdict === "deny") return undefined; // The verdict says it.
  if (status !== undefined) return { text: String(status), tone: status >= 400 ? "wait" : "calm" };
  return undefined;
}

/** `0:02.113`, `1:04:10`: since the run began. */
export function sinceText(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  const rest = String(seconds % 60).padStart(2, "0");
  const milli = String(Math.floor(ms % 1000)).padStart(3, "0");
  return hours > 0
    ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}`
    : `${minutes}:${rest}.${milli}`;
}

/** How long something took, short. */
export function tookText(ms: number): string {
  if (ms < 1) return "";
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`;
}

/** The name of a program, without its folder. */
export function baseName(exe: string): string {
  return exe.slice(exe.lastIndexOf("/") + 1) || exe;
}
