/**
 * The daemon's own operating log: JSON lines on standard error. Not the ledger, and never a secret.
 *
 * A run can cause some of these lines without end (a handshake that fails, say), and the log is a file: of
 * each event a few hundred lines are written in a while, and the others counted.
 *
 * @module
 */

/** Lines of one event in a window. */
export const LOG_LINES_MAX = 200;
export const LOG_WINDOW_MS = 60_000;

/** Writes one line of the operating log. */
export interface Log {
  info(event: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(event: string, fields?: Readonly<Record<string, unknown>>): void;
}

interface Window {
  readonly sinceMs: number;
  lines: number;
}

/** A log that writes JSON lines through `write`; events are names of ours, so there are few. */
export function createLog(
  write: (line: string) => void,
  monoMs: () => number = () => performance.now(),
): Log {
  const windows = new Map<string, Window>();
  const line = (level: string, event: string, fields: Readonly<Record<string, unknown>> = {}) => {
    const leftOut = admit(windows, event, monoMs());
    if (leftOut === undefined) return;
    const more = leftOut === 0 ? {} : { leftOut };
    const at = new Date().toISOString();
    write(`${JSON.stringify({ at, level, event, ...fields, ...more })}\n`);
  };
  return {
    info: (event, fields) => line("info", event, fields),
    warn: (event, fields) => line("warn", event, fields),
  };
}

/** How many lines of `event` were left out before this one; `undefined` where this one is left out too. */
function admit(windows: Map<string, Window>, event: string, nowMs: number): number | undefined {
  const window = windows.get(event);
  if (window !== undefined && nowMs - window.sinceMs < LOG_WINDOW_MS) {
    window.lines += 1;
    return window.lines > LOG_LINES_MAX ? undefined : 0;
  }
  windows.set(event, { sinceMs: nowMs, lines: 1 });
  return Math.max(0, (window?.lines ?? 0) - LOG_LINES_MAX);
}
