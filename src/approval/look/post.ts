/**
 * Posts and messages: what everyone or a few will read, before what else is set.
 *
 * @module
 */
import type { Json } from "../../action/index.ts";
import type { Passage } from "../../api/index.ts";
import { plain, without, type Members } from "./members.ts";
import { passageOf } from "./passage.ts";
import type { Reading } from "./reading.ts";

/** Labels, and what systems call what stands under them. */
type Labels = readonly (readonly [label: string, names: readonly string[]])[];

const POST: Labels = [
  ["Title", ["title", "name", "subject"]],
  ["Status", ["status", "state", "lifecycleState", "visibility", "draft"]],
  ["Author", ["author", "owner", "actor"]],
  ["Content", ["content", "commentary", "body", "text", "description", "message", "caption"]],
  ["Excerpt", ["excerpt"]],
];
const MESSAGE: Labels = [
  ["Sent to", ["channel", "chat_id", "To", "to", "recipient", "recipients", "users", "user"]],
  ["Sent from", ["From", "from", "username"]],
  ["Title", ["title", "subject"]],
  ["Text", ["text", "content", "body", "Body", "message", "caption", "note", "what", "why"]],
];

/** A post as its readers will have it. */
export function readPost(body: Members): Reading {
  const { passages, rest } = read(body, POST, { html: true });
  return { content: { kind: "post", passages }, rest };
}

/** A message to somebody; HTML only where it says that it is (Telegram's `parse_mode`). */
export function readMessage(body: Members): Reading {
  const mode = body["parse_mode"];
  const html = typeof mode === "string" && /^html$/i.test(mode);
  const { passages, rest } = read(body, MESSAGE, { html });
  return { content: { kind: "message", passages }, rest };
}

function read(body: Members, labels: Labels, how: { readonly html: boolean }) {
  const passages: Passage[] = [];
  const shown = new Set<string>();
  for (const [label, names] of labels) {
    for (const name of names) {
      const text = scalarOf(body[name]);
      if (text === undefined) continue;
      shown.add(name);
      passages.push(passageOf(label, name, text, how));
    }
  }
  return { passages, rest: without(body, shown) };
}

/** What can stand as text; {raw} only where that is all of it. */
function scalarOf(value: Json | undefined): string | undefined {
  const text =
    typeof value === "object" && value !== null && Object.keys(value).length === 1
      ? plain(value)
      : value;
  if (text === undefined || text === null || typeof text === "object") return undefined;
  return String(text);
}
