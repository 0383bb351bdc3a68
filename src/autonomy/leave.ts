/**
 * Leave to act without a person, as a task file gives it and a finding takes it.
 *
 * @module
 */
import type { Task } from "../policy/index.ts";

/** Whether some rule of `task` lets anything pass that would wait otherwise. */
export function givesLeave({ grants }: Task): boolean {
  return grants.some(({ allow }) => allow.some(({ unattended }) => unattended !== undefined));
}

/** `task` where everything waits for a person again. */
export function withoutLeave(task: Task): Task {
  const grants = task.grants.map((grant) => ({
    ...grant,
    allow: grant.allow.map((rule) => {
      const { unattended, ...rest } = rule;
      return unattended === undefined ? rule : rest;
    }),
  }));
  return { ...task, grants };
}
