/**
 * Time as a port: pure folders take an {@link Instant} as a value and never read a clock themselves.
 *
 * @module
 */
/** One moment on both clocks: `wallMs` since the Unix epoch, `monoMs` since an arbitrary start. */
export interface Instant {
  readonly wallMs: number;
  readonly monoMs: number;
}

/** Reads both clocks. */
export interface Clock {
  now(): Instant;
}

/** The real clocks of this process. */
export const systemClock: Clock = {
  now: () => ({ wallMs: Date.now(), monoMs: performance.now() }),
};
