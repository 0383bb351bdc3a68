/**
 * Why a run asked for what waits: the tool call behind it, in the model's own words, as far as that was seen.
 *
 * @module
 */
import type { Cause } from "../action/index.ts";
import type { RunEvent } from "./recorder.ts";

const CALLS_MAX = 256;
const WAITING_MAX = 512;

/** A tool call as it was read, before it was executed. */
export interface ToolCall {
  readonly name: string;
  /** What the model gave it: JSON, or its beginning. */
  readonly input: string;
  readonly isCut: boolean;
  readonly model?: string;
}

/** What is known of an action's cause besides its process. */
export interface Reason {
  readonly cause?: Cause;
  readonly call?: ToolCall;
}

/** The causes of one run's actions that wait, and the tool calls that they may come from: the newest of both. */
export class Reasons {
  readonly #calls = new Map<string, ToolCall>();
  readonly #causes = new Map<string, Cause>();

  note({ type, verdict, action, cause, data = {} }: RunEvent): void {
    if (type === "tool.call") {
      const [id, name, input, model] = ["call", "name", "input", "model"].map((key) =>
        textOf(data[key]),
      );
      if (id === undefined || name === undefined) return;
      const call = { name, input: input ?? "", isCut: data["cut"] === true };
      keep(this.#calls, id, model === undefined ? call : { ...call, model }, CALLS_MAX);
    }
    if (type !== "action" || verdict !== "confirm") return;
    if (action !== undefined && cause !== undefined) keep(this.#causes, action, cause, WAITING_MAX);
  }

  of(action: string): Reason {
    const cause = this.#causes.get(action);
    const call = cause?.call && this.#calls.get(cause.call.id);
    return { ...(cause === undefined ? {} : { cause }), ...(call === undefined ? {} : { call }) };
  }
}

function keep<T>(map: Map<string, T>, key: string, value: T, max: number): void {
  map.delete(key);
  map.set(key, value);
  for (const oldest of map.keys()) {
    if (map.size <= max) break;
    map.delete(oldest);
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
