/**
 * The last two minutes of a run's actions, a bar for each second: by what they do, and by what was decided. The same is
 * said in words for whoever does not see it.
 */
import { memo } from "react";
import type { RunCard } from "../../../src/api/index.ts";
import { plural } from "../../parts/index.ts";
import styles from "./strip.module.css";

const SECONDS = 120;
const STEP = 2;
const HEIGHT = 28;

/** Kinds of bars, the lowest first. Places as in STRIP_EFFECTS and VERDICTS of the contract. */
export const KINDS = ["read", "write", "outward", "waits", "denied"] as const;
export type Kind = (typeof KINDS)[number];
const CONFIRM = 1;
const DENY = 2;
const WRITE = 2;
const READS_MAX = 1;

function kindOf(effect: number, verdict: number): Kind {
  if (verdict === DENY) return "denied";
  if (verdict === CONFIRM) return "waits";
  if (effect <= READS_MAX) return "read";
  return effect === WRITE ? "write" : "outward";
}

export const Strip = memo(function Strip({
  strip,
  now,
}: {
  strip: RunCard["strip"];
  /** Seconds since the epoch at its right end. */
  now: number;
}) {
  const shift = Math.max(0, now - strip.end);
  const seconds = new Map<number, Map<Kind, number>>();
  const sums = new Map<Kind, number>();
  for (const [before, effect, verdict, count] of strip.cells) {
    const at = before + shift;
    if (at > SECONDS) continue;
    const kind = kindOf(effect, verdict);
    const second = seconds.get(at) ?? new Map<Kind, number>();
    seconds.set(at, second.set(kind, (second.get(kind) ?? 0) + count));
    sums.set(kind, (sums.get(kind) ?? 0) + count);
  }
  const paths = new Map<Kind, string>();
  for (const [at, second] of seconds) {
    const heights = heightsOf(second);
    let top = HEIGHT;
    for (const [kind, height] of heights) {
      top -= height;
      const x = (SECONDS - at) * STEP;
      paths.set(
        kind,
        `${paths.get(kind) ?? ""}M${x} ${top}h${STEP - 0.5}v${height}h-${STEP - 0.5}z`,
      );
    }
  }
  return (
    <svg
      className={styles.strip}
      viewBox={`0 0 ${(SECONDS + 1) * STEP} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={wordsOf(sums)}
    >
      <path className={styles.ground} d={`M0 ${HEIGHT - 0.5}h${(SECONDS + 1) * STEP}`} />
      {KINDS.map((kind) => {
        const path = paths.get(kind);
        return path === undefined ? null : <path key={kind} className={styles[kind]} d={path} />;
      })}
    </svg>
  );
});

/** By the logarithm, so that one denial among hundreds of reads is still seen. */
function heightsOf(second: ReadonlyMap<Kind, number>): readonly (readonly [Kind, number])[] {
  const heights = KINDS.flatMap((kind) => {
    const count = second.get(kind) ?? 0;
    return count === 0 ? [] : [[kind, 3 + 4 * Math.log2(count)] as const];
  });
  const sum = heights.reduce((all, [, height]) => all + height, 0);
  const scale = Math.min(1, HEIGHT / sum);
  return heights.map(([kind, height]) => [kind, Math.round(height * scale * 10) / 10] as const);
}

function wordsOf(sums: ReadonlyMap<Kind, number>): string {
  const all = [...sums.values()].reduce((sum, count) => sum + count, 0);
  if (all === 0) return "No action in two minutes";
  const parts = KINDS.flatMap((kind) => {
    const count = sums.get(kind) ?? 0;
    return count === 0 ? [] : [`${count} ${kind}`];
  });
  return `${plural(all, "action")} in two minutes: ${parts.join(", ")}`;
}

/** What the colours say. */
export function StripLegend() {
  return (
    <ul className={styles.legend} aria-label="Colours of actions">
      {KINDS.map((kind) => (
        <li key={kind}>
          <svg viewBox="0 0 8 8" aria-hidden="true">
            <rect className={styles[kind]} width="8" height="8" rx="2" />
          </svg>
          {kind}
        </li>
      ))}
    </ul>
  );
}
