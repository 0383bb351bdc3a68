/**
 * Requests that wait for a person: the form in which they are stored, judged again, and performed.
 *
 * @module
 */
import type { Action } from "../action/index.ts";
import { hash } from "node:crypto";
import { actionOf, type ActionContext } from "./http-action.ts";
import type { CheckedRequest } from "./http-request.ts";
import { isOperation, type Held, type HeldRequest } from "./ports.ts";
import { actionOfOperation } from "./session-action.ts";

/** `held` as a request that can be sent. */
export function requestOf(held: HeldRequest): CheckedRequest {
  const { scheme, host, port, method, target, headers, body } = held;
  const mark = target.indexOf("?");
  return {
    scheme,
    host,
    port,
    method,
    target,
    path: mark < 0 ? target : target.slice(0, mark),
    query: mark < 0 ? "" : target.slice(mark + 1),
    headers,
    framing: body === undefined ? { kind: "none" } : { kind: "length", bytes: body.length },
    expectContinue: false,
    wantsTrailers: false,
  };
}

/** The action that `held` is, made from its bytes alone: what a worker said of it is not asked. */
export function actionOfHeld(held: Held, context: Omit<ActionContext, "facts">): Action {
  if (isOperation(held)) return actionOfOperation(held, context);
  const { body, facts } = held;
  const whole =
    body === undefined
      ? undefined
      : { bytes: body, sha256: hash("sha256", body), mining: undefined };
  return actionOf(requestOf(held), whole, { ...context, facts });
}
