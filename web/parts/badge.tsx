/** Small words with a colour that says the same: verdicts, effects, states. */
import type { Effect, Verdict } from "../../src/action/index.ts";
import styles from "./badge.module.css";

export type Tone = "ok" | "wait" | "bad" | "info" | "deep" | "calm";

export function Badge({ tone, children }: { tone: Tone; children: string }) {
  return <span className={`${styles.badge} ${styles[tone]}`}>{children}</span>;
}

const VERDICT_TONES: Readonly<Record<Verdict, Tone>> = {
  allow: "ok",
  confirm: "wait",
  deny: "bad",
};

export function VerdictBadge({ verdict }: { verdict: Verdict }) {
  return <Badge tone={VERDICT_TONES[verdict]}>{verdict}</Badge>;
}

/** What only looks is calm; what cannot be taken back is not. */
export const EFFECT_TONES: Readonly<Record<Effect, Tone>> = {
  read: "calm",
  "read-private": "info",
  write: "info",
  publish: "wait",
  send: "wait",
  execute: "deep",
  delete: "bad",
  administer: "deep",
  spend: "bad",
};

export function EffectBadge({ effect }: { effect: Effect }) {
  return <Badge tone={EFFECT_TONES[effect]}>{effect}</Badge>;
}
