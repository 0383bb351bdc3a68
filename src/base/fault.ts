/**
 * Operating failures: what went wrong, why, and what to do about it.
 *
 * A *decision* is a value with a reason; an *operating failure* is a `Fault`; a *broken invariant* is
 * {@link assert} and ends the run closed. Secrets never enter a message or a hint.
 *
 * @module
 */

/** What accompanies a fault: how to mend it, and the failure underneath. */
export interface FaultOptions {
  /** What the reader can do about it, as one clause. */
  readonly hint?: string;
  readonly cause?: unknown;
}

/** An operating failure with a stable code (`area.reason`) and a message that is safe to show. */
export class Fault extends Error {
  override readonly name = "Fault";
  readonly code: string;
  readonly hint: string | undefined;

  constructor(code: string, message: string, options: FaultOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
  }
}

/** Reports whether `error` is a {@link Fault}, of the given code where one is given. */
export function isFault(error: unknown, code?: string): error is Fault {
  return error instanceof Fault && (code === undefined || error.code === code);
}

/** A broken invariant: a bug of ours, never an input's fault. */
export class InvariantError extends Error {
  override readonly name = "InvariantError";
}

/** Stays on in production: a wrong assumption ends the run closed rather than going on open. */
export function assert(condition: unknown, message: string): asserts condition {
  if (condition === false || condition === undefined || condition === null || condition === 0) {
    throw new InvariantError(message);
  }
}

/** The message of anything thrown, with the fix where it names one. */
export function describeError(error: unknown): string {
  if (isFault(error)) return error.hint ? `${error.message} (${error.hint})` : error.message;
  return error instanceof Error ? error.message : String(error);
}
