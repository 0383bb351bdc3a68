/**
 * When a command that failed is started again. Pure.
 *
 * @module
 */
import type { Task } from "../policy/index.ts";
import type { Exit } from "../sandbox/index.ts";

/** Starts of one run in all. */
export const ATTEMPTS_MAX = 6;
/** The wait before the second attempt, in milliseconds; it doubles with each: 31 s in all. */
export const RESTART_WAIT_MS = 1_000;

/**
 * How long to wait before the command is started again, in milliseconds, or `undefined` where it is not:
 * the task does not ask for it, it did not fail, it could not even be started, or it failed too often.
 */
export function restartWaitMs(
  task: Pick<Task, "restart">,
  exit: Exit,
  attempt: number,
): number | undefined {
  if (task.restart !== "on-failure" || exit.code === 0 || exit.problem !== undefined) {
    return undefined;
  }
  return attempt < ATTEMPTS_MAX ? RESTART_WAIT_MS * 2 ** (attempt - 1) : undefined;
}
