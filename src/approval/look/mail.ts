/**
 * Mail: who writes to whom, about what, the text as its readers see it, and each attachment by its hash. From
 * a message that was sent whole (MIME, read by the catalog into `mail`) and from the members that the APIs of
 * mail senders have.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { Json } from "../../action/index.ts";
import type { LookAttachment, LookLetter, LookOf, Passage } from "../../api/index.ts";
import { isMembers, membersIn, textOf, without, type Members } from "./members.ts";
import { passageOf } from "./passage.ts";
import type { Reading } from "./reading.ts";

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
export function readMail(
  body: Json | undefined,
  mail: Json | undefined,
  present: Members | undefined,
): Reading | undefined {
  const shown = ["mail"];
  const content = (letters: readonly LookLetter[], isPresent = false): LookOf<"mail"> => ({
    kind: "mail",
    letters: [...letters],
    isPresent,
  });
  if (isMembers(mail)) {
    return { content: content([mimeLetter(mail)]), rest: restOfRaw(body), shown };
  }
  if (mail !== undefined) {
    return {
      content: content([]),
      rest: body,
      hidden: ["the mail, which is at the system"],
      shown,
    };
  }
  if (Array.isArray(body)) {
    const mails = body as readonly Json[];
    if (mails.length > MAILS_MAX || !mails.every(isMembers)) return undefined;
    const letters = mails.map(apiLetter);
    const also = letters.flatMap(({ rest }, at) =>
      rest === undefined ? [] : [{ mail: at + 1, also: rest }],
    );
    const rest = also.length === 0 ? undefined : also;
    return { content: content(letters.map(bareLetter)), rest, shown };
  }
  const own = isMembers(body) ? body : {};
  if (hasContent(own)) {
    const letter = apiLetter(own);
    return { content: content([bareLetter(letter)]), rest: letter.rest, shown };
  }
  if (present === undefined || !hasContent(present)) return undefined;
  return { content: content([apiLetter(present)], true), rest: body, shown };
}

/** A message in MIME. Its header fields stand there all, since one of them may say more than its address. */
function mimeLetter(mail: Members): LookLetter {
  const list = (name: string) => [...linesOf(mail[name])];
  const labels = [
    ["From", "from"],
    ["Sender", "sender"],
    ["To", "to"],
    ["Cc", "cc"],
    ["Bcc", "bcc"],
    ["Reply to", "replyTo"],
  ] as const;
  const envelope = isMembers(mail["envelope"]) ? mail["envelope"] : undefined;
  return {
    ...(envelope === undefined ? {} : { envelope: envelopeOf(envelope) }),
    people: listsOf(labels.map(([label, name]) => [label, list(name)])),
    passages: [
      passageOf("Subject", "subject", textOf(mail["subject"] ?? ""), { html: false }),
      ...written("text", mail["text"], { html: false }),
      ...written("html", mail["html"], { html: true }),
      ...membersIn(mail["more"]).flatMap(({ filename, contentType, text }) => {
        const line = `${textOf(filename || "(no name)")}, ${textOf(contentType ?? "")}`;
        const html = contentType === "text/html";
        return written("text", text, { html, about: { label: "Also text", line } });
      }),
    ],
    doubts: list("doubts"),
    attachments: (Array.isArray(mail["attachments"])
      ? (mail["attachments"] as readonly Json[])
      : []
    ).map((file) => attachmentOf(file, measuredIn(file))),
    headers: list("headers"),
  };
}

/** Whom a server is told to send it to, which is not what its header says: who is in none is a blind copy. */
function envelopeOf({ from, recipients, unreached }: Members): LookLetter["envelope"] {
  return {
    from: [...linesOf(from)],
    recipients: membersIn(recipients).map(({ address, named }) => ({
      address: textOf(address),
      named: named === undefined ? "" : textOf(named),
    })),
    unreached: [...linesOf(unreached)],
  };
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

/** What its API says besides stands with what else is left of the body. */
function bareLetter(letter: LookLetter): LookLetter {
  const { rest: _rest, ...bare } = letter;
  return bare;
}

function hasContent(body: Members): boolean {
  return [...TEXT, ...HTML, "subject", "content", "to"].some((name) => body[name] !== undefined);
}

function apiLetter(body: Members): LookLetter {
  const shown = new Set<string>();
  const people = (names: readonly string[], more: readonly string[] = []) => {
    const found = names.filter((name) => isAddressed(body[name]));
    for (const name of found) shown.add(name);
    return [...found.flatMap((name) => linesOf(body[name])), ...more];
  };
  // SendGrid's list of envelopes stands in the rest in full, too.
  const envelopes = membersIn(body["personalizations"]);
  const lists = LISTS.map(([label, names]) => {
    const more = envelopes.flatMap((one) => names.flatMap((name) => linesOf(one[name])));
    return [label, people(names, more)] as const;
  });
  const texts = (label: string, names: readonly string[], html: boolean) =>
    names.flatMap((name) => {
      const text = body[name];
      if (typeof text !== "string") return [];
      shown.add(name);
      return [passageOf(label, name, text, { html })];
    });
  const from = people(FROM);
  const passages = [
    ...texts("Subject", ["subject", "Subject"], false),
    ...texts("Text", TEXT, false),
    ...texts("HTML", HTML, true),
  ];
  const contents = contentsOf(body["content"]);
  if (contents !== undefined) shown.add("content");
  const files = filesOf(body["attachments"]);
  const left = without(body, shown);
  const rest =
    left === undefined || files === undefined
      ? left
      : { ...left, attachments: files.map(({ said }) => said) };
  return {
    people: listsOf([["From", from], ...lists]),
    passages: [...passages, ...(contents ?? [])],
    doubts: [],
    attachments: (files ?? []).map(({ said, measured }) => attachmentOf(said, measured)),
    headers: [],
    ...(rest === undefined ? {} : { rest }),
  };
}

function listsOf(
  lists: readonly (readonly [string, readonly string[]])[],
): { label: string; lines: string[] }[] {
  return lists
    .filter(([, lines]) => lines.length > 0)
    .map(([label, lines]) => ({ label, lines: [...lines] }));
}

/** SendGrid's `content`: texts by their type. */
function contentsOf(content: Json | undefined): readonly Passage[] | undefined {
  if (!Array.isArray(content)) return undefined;
  const items = content as readonly Json[];
  const isKnown = (one: Json) =>
    isMembers(one) &&
    typeof one["type"] === "string" &&
    typeof one["value"] === "string" &&
    Object.keys(one).length === 2;
  if (!items.every(isKnown)) return undefined;
  return membersIn(content).map((one) => {
    const [type, value] = [textOf(one["type"]), textOf(one["value"])];
    const html = /html/i.test(type);
    const about = { label: "Type", line: type };
    return passageOf(html ? "HTML" : "Text", "content", value, { html, about });
  });
}

function written(
  name: string,
  text: Json | undefined,
  how: Parameters<typeof passageOf>[3],
): readonly Passage[] {
  if (typeof text !== "string" || text === "") return [];
  return [passageOf(how.html ? "HTML" : "Text", name, text, how)];
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

/** What was counted here; an agent may write members of the same names. */
interface Measured {
  readonly bytes: number;
  readonly sha256: string;
}

interface File {
  /** As the body says it, with what was measured in the place of its content. */
  readonly said: Members;
  /** Absent where the content is not in the body. */
  readonly measured: Measured | undefined;
}

function filesOf(value: Json | undefined): readonly File[] | undefined {
  if (!Array.isArray(value) || value.length === 0) return undefined;
  const items = value as readonly Json[];
  if (!items.every(isMembers)) return undefined;
  return items.map((one) => {
    const name = ["content", "Content"].find((key) => typeof one[key] === "string");
    if (name === undefined) return { said: one, measured: undefined };
    const bytes = Buffer.from(textOf(one[name]), "base64");
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    const measured = { bytes: bytes.length, sha256 };
    return { said: { ...one, [name]: measured }, measured };
  });
}

/** Of a file of a MIME message, which the catalog has measured. */
function measuredIn(file: Json): Measured | undefined {
  const { bytes, sha256 } = isMembers(file) ? file : {};
  return typeof bytes === "number" && typeof sha256 === "string" ? { bytes, sha256 } : undefined;
}

/** A file that is in the body and has an address, too, is told by both: which of them counts is its system's matter. */
function attachmentOf(file: Json, measured: Measured | undefined): LookAttachment {
  const members = isMembers(file) ? file : { name: textOf(file) };
  const pick = (...names: readonly string[]) =>
    names.map((name) => members[name]).find((value) => value !== undefined && value !== "");
  const from =
    pick("path", "url") ?? (measured === undefined ? "where it does not say" : undefined);
  return {
    name: textOf(pick("filename", "name", "Name") ?? "(no name)"),
    type: textOf(pick("contentType", "content_type", "type", "ContentType") ?? "no type"),
    ...measured,
    ...(from === undefined ? {} : { from: textOf(from) }),
  };
}
