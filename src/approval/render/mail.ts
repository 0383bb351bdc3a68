/**
 * Mail: who writes to whom, about what, the text as its readers see it, and each attachment by its hash. From
 * a message that was sent whole (MIME, read by the catalog into `mail`) and from the members that the APIs of
 * mail senders have.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { Json } from "../../action/index.ts";
import {
  block,
  isMembers,
  laidOut,
  textOf,
  valueLines,
  without,
  type Block,
  type Members,
  type Rendering,
} from "./block.ts";
import { Texts } from "./texts.ts";

const FROM = ["from", "From", "from_email", "sender"];
const LISTS = [
  ["To", ["to", "To", "subscriber_email", "subscriber_emails", "lists"]],
  ["Cc", ["cc", "Cc"]],
  ["Bcc", ["bcc", "Bcc"]],
  ["Reply to", ["reply_to", "replyTo", "reply_to_list", "ReplyTo"]],
] as const;
const TEXT = ["text", "TextBody", "altbody"];
const HTML = ["html", "HtmlBody", "body"];
const MAILS_MAX = 100;

/** `present` is the mail as the system has it, where the request names it only. */
export function renderMail(
  body: Json | undefined,
  mail: Json | undefined,
  present: Members | undefined,
): Rendering | undefined {
  if (isMembers(mail)) return { ...renderMessage(mail), rest: restOfRaw(body) };
  if (mail !== undefined)
    return { blocks: [], rest: body, hidden: ["the mail, which is at the system"] };
  if (Array.isArray(body)) return renderBatch(body as readonly Json[]);
  const own = isMembers(body) ? body : {};
  if (hasContent(own)) return renderApi(own);
  if (present === undefined || !hasContent(present)) return undefined;
  const { blocks, rest = {}, hidden } = renderApi(present);
  const told = block("Mail", ["as the system has it now:"]);
  return {
    blocks: [told, ...blocks, ...laidOut("It also has", valueLines(rest))],
    rest: body,
    hidden,
  };
}

/** A message in MIME. Its header fields stand there all, since one of them may say more than its address. */
function renderMessage(mail: Members): Omit<Rendering, "rest"> {
  const texts = new Texts();
  const list = (name: string) => linesOf(mail[name]);
  for (const doubt of list("doubts")) texts.warn(doubt);
  if (isMembers(mail["envelope"])) putEnvelope(texts, mail["envelope"]);
  texts.put("From", list("from"));
  texts.put("Sender", list("sender"));
  for (const [label, name] of [
    ["To", "to"],
    ["Cc", "cc"],
    ["Bcc", "bcc"],
    ["Reply to", "replyTo"],
  ] as const) {
    texts.put(label, list(name));
  }
  texts.add("Subject", "subject", textOf(mail["subject"] ?? ""), { html: false });
  addText(texts, "text", mail["text"], { html: false });
  addText(texts, "html", mail["html"], { html: true });
  for (const one of membersIn(mail["more"])) {
    const { filename, contentType, text } = one;
    texts.put("Also text", [`${textOf(filename || "(no name)")}, ${textOf(contentType ?? "")}`]);
    addText(texts, "text", text, { html: contentType === "text/html" });
  }
  const attachments = Array.isArray(mail["attachments"])
    ? (mail["attachments"] as readonly Json[])
    : [];
  texts.put(`Files (${attachments.length})`, attachments.map(fileLine));
  texts.put("Headers", list("headers"));
  return { blocks: texts.blocks, hidden: [] };
}

/** Whom a server is told to send it to, which is not what its header says: who is in none is a blind copy. */
function putEnvelope(texts: Texts, envelope: Members): void {
  const { from, recipients, unreached } = envelope;
  texts.put("Sent as", linesOf(from));
  const people = membersIn(recipients).map(({ address, named }) =>
    named === "" || named === undefined
      ? `${textOf(address)}  Bcc: no header names this one`
      : `${textOf(address)}  ${textOf(named)}`,
  );
  texts.put(`Goes to (${people.length})`, people);
  texts.put("Not to", linesOf(unreached));
}

function membersIn(value: Json | undefined): readonly Members[] {
  return Array.isArray(value) ? (value as readonly Json[]).filter(isMembers) : [];
}

/** What stands beside a message in base64, which was read. */
function restOfRaw(body: Json | undefined): Json | undefined {
  if (!isMembers(body)) return body;
  const { message } = body;
  const bare = isMembers(message) ? { ...body, message: without(message, RAW) } : body;
  return without(
    Object.fromEntries(Object.entries(bare).filter(([, value]) => value !== undefined)),
    RAW,
  );
}
const RAW: ReadonlySet<string> = new Set(["raw"]);

function hasContent(body: Members): boolean {
  return [...TEXT, ...HTML, "subject", "content", "to"].some((name) => body[name] !== undefined);
}

function renderBatch(mails: readonly Json[]): Rendering | undefined {
  if (mails.length > MAILS_MAX || !mails.every(isMembers)) return undefined;
  const blocks: Block[] = [];
  const rest: Json[] = [];
  for (const [at, one] of mails.entries()) {
    const rendering = renderApi(one);
    blocks.push(block("Mail", [`${at + 1} of ${mails.length}`]), ...rendering.blocks);
    if (rendering.rest !== undefined) rest.push({ mail: at + 1, also: rendering.rest });
  }
  return { blocks, rest: rest.length === 0 ? undefined : rest, hidden: [] };
}

function renderApi(body: Members): Rendering {
  const texts = new Texts();
  const shown = new Set<string>();
  const show = (label: string, names: readonly string[], more: readonly string[] = []) => {
    const found = names.filter((name) => isAddressed(body[name]));
    for (const name of found) shown.add(name);
    texts.put(label, [...found.flatMap((name) => linesOf(body[name])), ...more]);
  };
  show("From", FROM);
  // SendGrid's list of envelopes stands below in full, too.
  const envelopes = Array.isArray(body["personalizations"])
    ? (body["personalizations"] as readonly Json[])
    : [];
  for (const [label, names] of LISTS) {
    const more = envelopes.flatMap((one) =>
      isMembers(one) ? names.flatMap((name) => linesOf(one[name])) : [],
    );
    show(label, names, more);
  }
  const add = (label: string, names: readonly string[], html: boolean) => {
    for (const name of names) {
      const text = body[name];
      if (typeof text !== "string") continue;
      shown.add(name);
      texts.add(label, name, text, { html });
    }
  };
  add("Subject", ["subject", "Subject"], false);
  add("Text", TEXT, false);
  add("HTML", HTML, true);
  if (addContents(texts, body["content"])) shown.add("content");
  const files = filesOf(body["attachments"]);
  if (files !== undefined) texts.put(`Files (${files.length})`, files.map(fileLine));
  const rest = without(body, shown);
  return {
    blocks: texts.blocks,
    rest: rest === undefined || files === undefined ? rest : { ...rest, attachments: files },
    hidden: [],
  };
}

/** SendGrid's `content`: texts by their type. */
function addContents(texts: Texts, content: Json | undefined): boolean {
  if (!Array.isArray(content)) return false;
  const items = content as readonly Json[];
  const isKnown = (one: Json) =>
    isMembers(one) &&
    typeof one["type"] === "string" &&
    typeof one["value"] === "string" &&
    Object.keys(one).length === 2;
  if (!items.every(isKnown)) return false;
  for (const one of items) {
    const { type, value } = one as { readonly type: string; readonly value: string };
    const html = /html/i.test(type);
    texts.put("Type", [type]);
    texts.add(html ? "HTML" : "Text", "content", value, { html });
  }
  return true;
}

function addText(
  texts: Texts,
  name: string,
  text: Json | undefined,
  how: { readonly html: boolean },
) {
  if (typeof text === "string" && text !== "")
    texts.add(how.html ? "HTML" : "Text", name, text, how);
}

/** Whether `value` is addresses and nothing besides. */
function isAddressed(value: Json | undefined): boolean {
  if (typeof value === "string") return true;
  if (Array.isArray(value)) return (value as readonly Json[]).every(isAddressed);
  return (
    isMembers(value) && Object.keys(value).every((name) => name === "email" || name === "name")
  );
}

function linesOf(value: Json | undefined): readonly string[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return (value as readonly Json[]).flatMap(linesOf);
  if (!isMembers(value)) return [textOf(value)];
  const { email, name } = value;
  if (email === undefined) return [textOf(name ?? value)];
  return [name === undefined ? textOf(email) : `${textOf(name)} <${textOf(email)}>`];
}

/** Attachments with the hash of their content in its place; those of a link as they are. */
function filesOf(value: Json | undefined): readonly Members[] | undefined {
  if (!Array.isArray(value) || value.length === 0) return undefined;
  const items = value as readonly Json[];
  if (!items.every(isMembers)) return undefined;
  return items.map((one) => {
    const name = ["content", "Content"].find((key) => typeof one[key] === "string");
    if (name === undefined) return one;
    const bytes = Buffer.from(textOf(one[name]), "base64");
    const { [name]: _, ...rest } = one;
    return {
      ...rest,
      bytes: bytes.length,
      sha256: createHash("sha256").update(bytes).digest("hex"),
    };
  });
}

function fileLine(file: Json): string {
  if (!isMembers(file)) return textOf(file);
  const pick = (...names: readonly string[]) =>
    names.map((name) => file[name]).find((value) => value !== undefined && value !== "");
  const name = textOf(pick("filename", "name", "Name") ?? "(no name)");
  const type = textOf(pick("contentType", "content_type", "type", "ContentType") ?? "no type");
  const { bytes, sha256 } = file;
  const what =
    sha256 === undefined
      ? `from ${textOf(pick("path", "url") ?? "where it does not say")}`
      : `${textOf(bytes)} bytes, SHA-256 ${textOf(sha256)}`;
  return `${name}, ${type}, ${what}`;
}
