/**
 * From an event to a detection, and what detectors read of events again and again.
 *
 * @module
 */
import type { Effect, Event } from "../action/index.ts";
import type { Detection, DetectorAbout } from "./detector.ts";

/** A detection about what `event` is about. */
export function found(
  about: Pick<DetectorAbout, "name" | "kind">,
  event: Event,
  score: number,
  why: string,
): Detection {
  const { run, target, flow, action, process, cause } = event;
  return {
    kind: about.kind,
    detector: about.name,
    score,
    why,
    ...(run === undefined ? {} : { run }),
    ...(target === undefined ? {} : { target }),
    ...(flow === undefined ? {} : { flow }),
    ...(action === undefined ? {} : { action }),
    ...(process === undefined ? {} : { process }),
    ...(cause === undefined ? {} : { cause }),
  };
}

/** A text of an event's data; empty where there is none. */
export function textOf(event: Event, name: string): string {
  const value = event.data?.[name];
  return typeof value === "string" ? value : "";
}

/** A number of an event's data; 0 where there is none. */
export function numberOf(event: Event, name: string): number {
  const value = event.data?.[name];
  return typeof value === "number" && Number.isFinite(value) ? value : 0;
}

/** A text of an action's fields; empty where there is none. */
export function fieldOf(event: Event, name: string): string {
  const fields = event.data?.["fields"];
  if (typeof fields !== "object" || fields === null || Array.isArray(fields)) return "";
  const value = fields[name];
  return typeof value === "string" ? value : "";
}

export function effectsOf(event: Event): readonly Effect[] {
  const effects = event.data?.["effects"];
  return Array.isArray(effects) ? (effects as Effect[]) : [];
}

/** Whether an action changes nothing; one of which nothing is known may. */
export function isReading(event: Event): boolean {
  const effects = effectsOf(event);
  return effects.length > 0 && effects.every((one) => one === "read" || one === "read-private");
}

/** How many equal events one stands for. */
export function timesOf(event: Event): number {
  return Math.max(1, numberOf(event, "merged"));
}

/** The end of a text that may be long or hostile, for a sentence. */
export function shown(text: string): string {
  const CHARS_MAX = 80;
  const plain = text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "?");
  return plain.length > CHARS_MAX ? `${plain.slice(0, CHARS_MAX)}…` : plain;
}

/** Shannon entropy in bits a character, of the first 512. */
export function entropyOf(text: string): number {
  const times = new Map<string, number>();
  const some = text.slice(0, 512);
  for (const sign of some) times.set(sign, (times.get(sign) ?? 0) + 1);
  let bits = 0;
  for (const n of times.values()) bits -= (n / some.length) * Math.log2(n / some.length);
  return bits;
}

/** The domain that somebody registered, roughly; a wrong guess only joins or splits counts. */
export function registeredDomain(name: string): string {
  const labels = name.split(".");
  const [second = "", top = ""] = labels.slice(-2);
  return labels.slice(top.length === 2 && second.length <= 3 ? -3 : -2).join(".");
}

/** Addresses of private, shared, link-local and loopback networks, as text. */
const INTERNAL =
  /^(?:10\.|127\.|192\.168\.|169\.254\.|172\.(?:1[6-9]|2\d|3[01])\.|100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.|f[cd][\da-f]{2}:|fe[89ab][\da-f]:|::1$)/i;

export function isInternal(address: string): boolean {
  return INTERNAL.test(address);
}

/** Whether `text` is an address rather than a name. */
export function isAddress(text: string): boolean {
  return /^[\d.]+$/.test(text) || /^[\da-f]*:[\da-f:.]+$/i.test(text);
}

/** Systems of the catalog that are models. */
export const MODEL_SYSTEMS: ReadonlySet<string> = new Set(["anthropic", "openai", "gemini"]);

/** What is done by an event, the same for the same again; empty for what is an exchange with a model. */
export function keyedCall(event: Event): string {
  if (event.type === "process.start") {
    return `${event.process?.exe ?? ""} ${event.process?.argv.slice(0, 8).join(" ").slice(0, 120) ?? ""}`;
  }
  if (event.type === "action" && MODEL_SYSTEMS.has(textOf(event, "kind"))) return "";
  return `${event.type} ${textOf(event, "digest")}`;
}
