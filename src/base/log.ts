/**
 * The daemon's own operating log: JSON lines on standard error. Not the ledger, and never a secret.
 *
 * @module
 */

/** Writes one line of the operating log. */
export interface Log {
  info(event: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(event: string, fields?: Readonly<Record<string, unknown>>): void;
}

/** A log that writes JSON lines through `write`. */
export function createLog(write: (line: string) => void): Log {
  const line = (level: string, event: string, fields: Readonly<Record<string, unknown>> = {}) =>
    write(`${JSON.stringify({ at: new Date().toISOString(), level, event, ...fields })}\n`);
  return {
    info: (event, fields) => line("info", event, fields),
    warn: (event, fields) => line("warn", event, fields),
  };
}
