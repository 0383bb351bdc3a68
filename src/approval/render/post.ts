/**
 * Posts and messages: what everyone or a few will read, before what else is set.
 *
 * @module
 */
import type { Json } from "../../action/index.ts";
import { plain, without, type Members, type Rendering } from "./block.ts";
import { Texts } from "./texts.ts";

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
export function renderPost(body: Members): Rendering {
  return render(body, POST, { html: true });
}

/** A message to somebody; HTML only where it says that it is (Telegram's `parse_mode`). */
export function renderMessage(body: Members): Rendering {
  const mode = body["parse_mode"];
  return render(body, MESSAGE, { html: typeof mode === "string" && /^html$/i.test(mode) });
}

function render(body: Members, labels: Labels, options: { readonly html: boolean }): Rendering {
  const texts = new Texts();
  const shown = new Set<string>();
  for (const [label, names] of labels) {
    for (const name of names) {
      const text = scalarOf(body[name]);
      if (text === undefined) continue;
      shown.add(name);
      texts.add(label, name, text, options);
    }
  }
  return { blocks: texts.blocks, rest: without(body, shown), hidden: [] };
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
