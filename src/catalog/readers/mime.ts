/**
 * Mail as Gmail takes it: base64url in JSON (`raw`, or `message.raw` of a draft), the bytes themselves
 * (`message/rfc822`), or both as `multipart/related`. Source: the discovery document of Gmail, `mediaUpload`
 * and the schema `Message`. The routes say in `{box}` and `{act}` what is done with it.
 *
 * @module
 */
import type { Readable, Reading } from "../reader.ts";
import { readJson } from "../strict-json.ts";
import { readMessage, type Message } from "../../mail/index.ts";

/** To whom the message goes and what it says; unknown where a message is there and cannot be read. */
export function readMail(readable: Readable): Reading | undefined {
  const source = sourceOf(readable);
  if (source === undefined) return undefined;
  // A draft that is sent by its id, and could not be looked up.
  if (source.length === 0) return { fields: { mail: "not known: it is at the system" } };
  const message = readMessage(source);
  if (message === undefined) return undefined;
  // A draft reaches nobody yet.
  const isSent = readable.path["act"] === "send";
  const all = isSent ? [...message.to, ...message.cc, ...message.bcc] : [];
  const recipients = [...new Set(all)];
  return {
    ...(recipients.length === 0 ? {} : { impact: { recipients } }),
    fields: { mail: shown(message) },
  };
}

function shown({
  names: _names,
  groups: _groups,
  ...message
}: Message): Readonly<Record<string, unknown>> {
  return { ...message };
}

/** The message; empty where the request names a draft only. */
function sourceOf({ content, path, values }: Readable): Uint8Array | undefined {
  if (content.form === "raw") return uploadOf(content.bytes, content.headers["content-type"]);
  if (content.form !== "json") return undefined;
  const given = [...values("body.raw"), ...values("body.message.raw")];
  // Without a message of its own a draft is sent as it stands.
  const found = given.length > 0 ? given : values("current.message.raw");
  if (found.length > 1) return undefined;
  const [raw] = found;
  const isDraft = path["box"] === "drafts" && values("body.id").length === 1;
  if (raw === undefined) return isDraft ? new Uint8Array() : undefined;
  return typeof raw === "string" ? decodeRaw(raw) : undefined;
}

function decodeRaw(raw: string): Uint8Array | undefined {
  const isPlain = /^[A-Za-z0-9_-]+={0,2}$/.test(raw) || /^[A-Za-z0-9+/]+={0,2}$/.test(raw);
  return isPlain ? Buffer.from(raw, "base64url") : undefined;
}

const BOUNDARY = /;\s*boundary=(?:"([^"\\]{1,70})"|([^\s";]{1,70}))/i;

function uploadOf(
  bytes: Uint8Array | undefined,
  type: string | readonly string[] | undefined,
): Uint8Array | undefined {
  if (bytes === undefined || typeof type !== "string") return undefined;
  if (/^message\/rfc822\s*(;|$)/i.test(type)) return bytes;
  const [, quoted, plain] = /^multipart\/related/i.test(type) ? (BOUNDARY.exec(type) ?? []) : [];
  const boundary = quoted ?? plain;
  return boundary === undefined ? undefined : relatedOf(Buffer.from(bytes), boundary);
}

/** The second part; the first is JSON that may name labels or a thread, but no message. */
function relatedOf(bytes: Buffer, boundary: string): Uint8Array | undefined {
  const blocks = bytes.toString("latin1").split(`--${boundary}`);
  const [before, first, second, end] = blocks;
  if (blocks.length !== 4 || before?.trim() !== "" || !/^--\s*$/.test(end ?? "")) return undefined;
  const metadata = partOf(first);
  const media = partOf(second);
  if (metadata === undefined || media === undefined) return undefined;
  if (!/^application\/json/i.test(metadata.type) || !/^message\/rfc822/i.test(media.type))
    return undefined;
  const json = readJson(Buffer.from(metadata.body, "latin1"));
  const isPlain = json !== undefined && !/"raw"/i.test(JSON.stringify(json.value));
  return isPlain ? Buffer.from(media.body, "latin1") : undefined;
}

function partOf(block = ""): { readonly type: string; readonly body: string } | undefined {
  const [blank] = /\r?\n\r?\n/.exec(block) ?? [];
  if (blank === undefined || !/^\r?\n/.test(block) || !block.endsWith("\n")) return undefined;
  const at = block.indexOf(blank);
  const head = block.slice(0, at);
  const types = [...head.matchAll(/^content-type:[ \t]*(.*?)\r?$/gim)];
  const type = types[0]?.[1];
  if (type === undefined || types.length > 1 || /^content-(transfer-)?encoding:/im.test(head))
    return undefined;
  return { type, body: block.slice(at + blank.length).replace(/\r?\n$/, "") };
}
