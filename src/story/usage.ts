/**
 * What a run used over time: samples of its processors, of which there are never more than a few thousand.
 *
 * @module
 */
import type { Entry } from "../api/index.ts";

const SAMPLES_MAX = 4_096;

export class Usage {
  #samples: { readonly ms: number; readonly cpu: number }[] = [];

  add(ms: number, data: Entry["data"]): void {
    const cpu = data?.["cpu"];
    if (typeof cpu !== "number" || !Number.isFinite(cpu) || cpu < 0) return;
    this.#samples.push({ ms, cpu });
    // Of two neighbours the higher stays: a peak is what one looks for.
    if (this.#samples.length > SAMPLES_MAX) {
      this.#samples = this.#samples.flatMap((one, at) => {
        const next = this.#samples[at + 1];
        if (at % 2 === 1) return [];
        return [next !== undefined && next.cpu > one.cpu ? next : one];
      });
    }
  }

  /** The most in each of `buckets`, -1 where nothing was sampled. */
  peaks(fromMs: number, stepMs: number, buckets: number): number[] {
    const peaks = Array.from({ length: buckets }, () => -1);
    for (const { ms, cpu } of this.#samples) {
      const at = Math.floor((ms - fromMs) / stepMs);
      if (at >= 0 && at < buckets) peaks[at] = Math.max(peaks[at] ?? -1, cpu);
    }
    return peaks;
  }
}
