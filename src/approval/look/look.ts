/**
 * How an action looks in its own system, as data (src/api/looks.ts): read once, and printed by the card of text and
 * by the console. What a kind does not know, and what is left of a body, stands there as it is: a kind only puts
 * first what matters.
 *
 * @module
 */
import type { Json } from "../../action/index.ts";
import type { Look } from "../../api/index.ts";
import { changesOf } from "./changes.ts";
import { readCommand } from "./command.ts";
import { readFile } from "./file.ts";
import { readMail } from "./mail.ts";
import { isMembers, textOf, type Members } from "./members.ts";
import { readPayment } from "./payment.ts";
import { readMessage, readPost } from "./post.ts";
import { presentOf } from "./present.ts";
import { readPush } from "./push.ts";
import type { Readable, Reading } from "./reading.ts";
import { readSql } from "./sql.ts";
import { readWorkflow } from "./workflow.ts";

/** Parameters that say where the request goes, and are told elsewhere on the card. */
const TRANSPORT = new Set(
  "method scheme host port path query show upgrade contentType body current conversation".split(
    " ",
  ),
);

export function lookOf(action: Readable): Look {
  const { body, current, conversation, query } = action.fields;
  const reading = readKind(action) ?? readOther(action);
  const { content, rest, hidden = [], shown = [] } = reading;
  const others = Object.entries(action.fields).filter(([name]) => !TRANSPORT.has(name));
  const { now, change } = changesOf(current, body);
  const sent = { ...(rest === undefined ? {} : { rest }), ...Object.fromEntries(others) };
  return {
    content,
    ...(rest === undefined ? {} : { rest }),
    now: [...now],
    change: [...change],
    more: others.map(([name, value]) => ({ name, value, isShown: shown.includes(name) })),
    hidden: typeof conversation === "string" ? [] : hiddenIn(hidden, sent, query),
    ...(typeof conversation === "string" ? { conversation } : {}),
  };
}

function readKind(action: Readable): Reading | undefined {
  const { show, body, current, mail } = action.fields;
  const present = presentOf(current);
  switch (show) {
    case "push":
      return readPush(body);
    case "mail":
      return readMail(body, mail, present);
    case "workflow":
      return withAll(readWorkflow(membersOf(body), present), body);
    case "payment":
      return withAll(readPayment(membersOf(body), action), body);
    case "post":
      return isMembers(body) ? readPost(body) : undefined;
    case "message":
      return isMembers(body) ? readMessage(body) : undefined;
    default:
      return readSql(action) ?? readCommand(action) ?? readFile(action);
  }
}

/** What has no form of its own: a call with its body, or bytes. */
function readOther({ fields, kind }: Readable): Reading {
  const { body, params } = fields;
  const bytes = isMembers(body) ? body["bytes"] : undefined;
  const sha256 = isMembers(body) ? body["sha256"] : undefined;
  if (typeof bytes === "number" && typeof sha256 === "string") {
    return { content: { kind: "raw", bytes, sha256 }, rest: body };
  }
  const tool = isMembers(params) ? params["name"] : undefined;
  if (kind !== "mcp" || typeof tool !== "string") {
    return { content: { kind: "call" }, rest: body };
  }
  const given = isMembers(params) ? params["arguments"] : undefined;
  const content = {
    kind: "call",
    tool,
    ...(given === undefined ? {} : { arguments: given }),
  } as const;
  return { content, rest: body };
}

/** A body that is no object (a list of calls) is none that was read. */
function withAll(reading: Reading | undefined, body: Json | undefined): Reading | undefined {
  return reading === undefined || isMembers(body) ? reading : { ...reading, rest: body };
}

function membersOf(body: Json | undefined): Members {
  return isMembers(body) ? body : {};
}

/** What of the content is not shown: bytes that are known by their hash, and secrets by their name. */
function hiddenIn(told: readonly string[], sent: Json, query: Json | undefined): string[] {
  const found = new Set(told);
  collectHidden(sent, "", found);
  if (typeof query === "string" && query.includes(SECRET)) found.add("a secret in the query");
  return [...found];
}
/** What the catalog puts in the place of a value that is a secret by its name. */
const SECRET = "[hidden]";

function collectHidden(value: Json, name: string, found: Set<string>): void {
  if (value === SECRET) found.add(`what is a secret by its name (${name})`);
  if (typeof value !== "object" || value === null) return;
  const own = value as Readonly<Record<string, Json>>;
  // A part of the body as the catalog gives it, or the whole body of a system that it does not know.
  const { bytes = own["bodyBytes"], sha256 = own["bodySha256"] } = own;
  if (bytes !== undefined && sha256 !== undefined) {
    found.add(`${textOf(bytes)} bytes with SHA-256 ${textOf(sha256)}`);
  }
  for (const [key, item] of Object.entries(own)) collectHidden(item, key, found);
}
