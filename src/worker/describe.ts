/**
 * Describing: what an action is, made from stored bytes by a worker that serves no run and holds no credential.
 * The daemon, which has the keys, parses none of them (INV-75).
 *
 * @module
 */
import { UNKNOWN_PROCESS, type Action, type Process } from "../action/index.ts";
import type { Instant } from "../base/index.ts";
import { findEntry, type Entry } from "../catalog/index.ts";
import { actionOfHeld, type Held } from "../gateway/index.ts";
import type { Grant } from "../policy/index.ts";
import type { Order, Said } from "./protocol.ts";

/** What an action is described by besides its bytes. */
export interface DescribeContext {
  readonly run: string;
  readonly at: Instant;
  readonly grant: Grant;
  /** Its system, where that is one of a user's own. */
  readonly own?: Entry | undefined;
  readonly cause: Process;
}

/** Makes the action that `held` is. @throws {Fault} `worker.gone` where it cannot be read to its end. */
export type Describe = (held: Held, context: DescribeContext) => Promise<Action>;

/** What is told of an action: whose and when it is are the daemon's to say. */
export type DescribedAction = Omit<Action, "run" | "at" | "monoMs" | "cause">;

/** In the worker: what `order` asks for. */
export function describeHeld(order: Extract<Order, { order: "describe" }>): Said {
  const { p, held: said, facts, grant, own } = order;
  const { body, ...rest } = said;
  const whole = body === undefined ? {} : { body: Buffer.from(body, "base64") };
  const held = { ...rest, ...whole, facts } as Held;
  const {
    run: _run,
    at: _at,
    monoMs: _monoMs,
    cause: _cause,
    ...action
  } = actionOfHeld(held, {
    run: "",
    at: { wallMs: 0, monoMs: 0 },
    grant,
    entry: findEntry(grant.system) ?? own,
    cause: UNKNOWN_PROCESS,
  });
  return { say: "described", p, action };
}
