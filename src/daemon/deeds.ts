/**
 * What a run has done so far, in short: for the person who decides over its next act.
 *
 * @module
 */
import type { Verdict } from "../action/index.ts";
import type { RunEvent } from "./recorder.ts";

const LAST_MAX = 8;
const TEXT_CHARS_MAX = 160;
const QUIET: ReadonlySet<string> = new Set(["read", "read-private"]);
const WORDS: Readonly<Record<Verdict, string>> = {
  allow: "went through",
  confirm: "waited for a person",
  deny: "denied",
};

interface Deed {
  readonly action: string | undefined;
  readonly line: string;
}

/** The acts of one run: how many of which kind, and the last that did more than read. */
export class Deeds {
  readonly #counts = new Map<string, number>();
  #last: readonly Deed[] = [];

  note({ type, verdict, system = "", action, data = {} }: RunEvent): void {
    if (type !== "action" || verdict === undefined) return;
    const effects = Array.isArray(data["effects"]) ? data["effects"].map(textOf) : [];
    const word = WORDS[verdict];
    // By the gravest: effects stand mildest first.
    const kind = `${effects.at(-1) ?? "unknown"}, ${word}`;
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + 1);
    if (verdict === "allow" && effects.every((effect) => QUIET.has(effect))) return;
    const [verb, summary] = [data["verb"], data["summary"]].map(textOf);
    const line = `${word}: ${system} ${verb}: ${summary}`;
    const short = line.length > TEXT_CHARS_MAX ? `${line.slice(0, TEXT_CHARS_MAX)}...` : line;
    this.#last = [...this.#last, { action, line: short }].slice(-LAST_MAX - 1);
  }

  /** Lines for a card, without the action that the card is about. */
  lines(action: string): readonly string[] {
    const counts = [...this.#counts].map(([kind, count]) => `${count} ${kind}`);
    const others = this.#last.filter((deed) => deed.action !== action).slice(-LAST_MAX);
    return [
      `requests so far, this one among them: ${counts.join("; ") || "none"}`,
      ...others.map(({ line }) => line),
    ];
  }
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
