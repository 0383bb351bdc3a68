/**
 * The content of an action, read as its kind is (`show` in the catalog). What a kind does not know, and what
 * is left of a body, is shown as it is: a kind only puts first what matters.
 *
 * @module
 */
import type { Action, Json } from "../../action/index.ts";
import {
  isMembers,
  laidOut,
  memberLines,
  valueLines,
  type Block,
  type Members,
  type Rendering,
} from "./block.ts";
import { changesOf } from "./changes.ts";
import { renderMail } from "./mail.ts";
import { renderPayment } from "./payment.ts";
import { renderMessage, renderPost } from "./post.ts";
import { presentOf } from "./present.ts";
import { renderPush } from "./push.ts";
import { renderWorkflow } from "./workflow.ts";

/** Fields that say where the request goes, and are told elsewhere on the card. */
const TRANSPORT = new Set(
  "method scheme host port path query show upgrade contentType body current conversation".split(
    " ",
  ),
);
/** Fields that readers of the catalog made of the body for these kinds. */
const READ: Readonly<Record<string, readonly string[]>> = { mail: ["mail"], workflow: ["nodes"] };

/** The blocks of a content. */
export interface Content {
  readonly blocks: readonly Block[];
  readonly hidden: readonly string[];
  /** What the blocks are of: hashes in it stand for what is hidden. */
  readonly shown: Json;
}

export function renderContent(action: Pick<Action, "fields" | "impact">): Content {
  const { body, current, show } = action.fields;
  const kind = typeof show === "string" ? show : "json";
  const rendering = renderKind(kind, action);
  const isRead = rendering !== undefined;
  const { blocks = [], rest = isRead ? undefined : body, hidden = [] } = rendering ?? {};
  const others = Object.entries(action.fields).filter(([name]) => !TRANSPORT.has(name));
  const more = others.filter(([name]) => !(isRead && READ[kind]?.includes(name)));
  return {
    blocks: [
      ...blocks,
      ...(rest === undefined ? [] : laidOut(isRead ? "Also" : "Content", valueLines(rest))),
      ...changesOf(current, body),
      ...more.flatMap(([name, value]) => laidOut("More", memberLines(name, value))),
    ],
    hidden,
    shown: { ...(rest === undefined ? {} : { rest }), ...Object.fromEntries(others) },
  };
}

function renderKind(
  kind: string,
  action: Pick<Action, "fields" | "impact">,
): Rendering | undefined {
  const { body, current, mail } = action.fields;
  const present = presentOf(current);
  if (kind === "push") return renderPush(body);
  if (kind === "mail") return renderMail(body, mail, present);
  if (kind === "workflow") return withAll(renderWorkflow(membersOf(body), present), body);
  if (kind === "payment") return withAll(renderPayment(membersOf(body), action), body);
  if (!isMembers(body)) return undefined;
  if (kind === "post") return renderPost(body);
  return kind === "message" ? renderMessage(body) : undefined;
}

/** A body that is no object (a list of calls) is none that was read. */
function withAll(rendering: Rendering | undefined, body: Json | undefined): Rendering | undefined {
  return rendering === undefined || isMembers(body) ? rendering : { ...rendering, rest: body };
}

function membersOf(body: Json | undefined): Members {
  return isMembers(body) ? body : {};
}
