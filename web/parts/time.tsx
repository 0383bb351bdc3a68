/** Moments and spans as people say them; the exact one is in the title. */
import { useEffect, useState } from "react";

const SECOND = 1000;
const STEPS = [
  [86_400_000, "d"],
  [3_600_000, "h"],
  [60_000, "min"],
  [SECOND, "s"],
] as const;

/** `3 min`, `2 h`; of milliseconds. */
export function spanText(ms: number): string {
  for (const [size, unit] of STEPS) {
    if (ms >= size) return `${Math.floor(ms / size)} ${unit}`;
  }
  return ms >= 1 ? `${Math.round(ms)} ms` : "now";
}

/** How long ago, kept up to date. */
export function Ago({ at }: { at: string }) {
  const now = useNow();
  const ms = now - Date.parse(at);
  const text = ms < SECOND ? "now" : `${spanText(ms)} ago`;
  return (
    <time dateTime={at} title={at}>
      {text}
    </time>
  );
}

/** The time of day, to the millisecond. */
export function Clock({ at }: { at: string }) {
  return (
    <time dateTime={at} title={at}>
      {at.slice(11, 23)}
    </time>
  );
}

const TICK_MS = 1000;

/** The wall clock, once a second. */
export function useNow(): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), TICK_MS);
    return () => clearInterval(timer);
  }, []);
  return now;
}
