/**
 * What a task file means, in plain sentences.
 *
 * @module
 */
import { compilePolicy, explainParts, type Explained, type Task } from "../policy/index.ts";

export interface TaskMeaning {
  readonly task: Task;
  readonly digest: string;
  /** Sentences by what they are about. */
  readonly parts: readonly Explained[];
}

/** Of a task that was read. */
export function checkTask(task: Task): TaskMeaning {
  return { task, digest: compilePolicy(task).digest, parts: explainParts(task) };
}
