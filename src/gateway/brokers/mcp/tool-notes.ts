/**
 * Calls of tools and what came of them, as entries of their own beside the actions: what an agent does by MCP stands
 * in the record in the form of what its model called.
 *
 * @module
 */
import { hash } from "node:crypto";
import { inputOf, toolResultOf } from "../../../wire/index.ts";
import { callData, resultData } from "../../tool-events.ts";
import type { Judged } from "../broker.ts";
import type { Exchange } from "./exchange.ts";
import type { Id, Members } from "./terms.ts";

/**
 * A call's name in the record: the request's id within its session, of which only a digest is told. Where there is
 * no session ids may be used again, and the action's own stands in its place.
 */
function nameOf({ head }: Exchange, id: Id, { action }: Judged): string {
  const { sessionId } = head;
  const of = sessionId === undefined ? action.id : hash("sha256", sessionId).slice(0, 12);
  return `${of}/${String(id).slice(0, 100)}`;
}

/** Tells that a tool is about to be called; INV-140 holds here as for a model. */
export function noteCall(it: Exchange, id: Id, params: Members, judged: Judged): void {
  const input = inputOf(params["arguments"] ?? {});
  const { name = "" } = params;
  const call = {
    id: nameOf(it, id, judged),
    name: typeof name === "string" ? name.slice(0, 200) : "",
    input,
  };
  it.line.session.note(judged, "tool.call", callData(call, "mcp"));
}

/** Tells what came of it, before the agent has it. */
export function noteResult(
  it: Exchange,
  id: Id,
  judged: Judged,
  { result, error }: { readonly result?: Members; readonly error?: Members },
): void {
  const content = result?.["content"] ?? error?.["message"] ?? result ?? "";
  const isError = error !== undefined || result?.["isError"] === true;
  const told = toolResultOf(nameOf(it, id, judged), content, isError);
  it.line.session.note(judged, "tool.result", resultData(told, "mcp"));
}
