/**
 * What about a message should make a person look twice, beside what its texts and links say themselves.
 *
 * @module
 */
import type { Message } from "./message.ts";

type Read = Pick<Message, "from" | "replyTo" | "headers" | "text" | "more" | "attachments">;

/** Each a sentence. */
export function doubtsOf(message: Read): readonly string[] {
  const { from, replyTo, headers, text, more, attachments } = message;
  const doubts: string[] = [];
  if (from.length > 1) doubts.push(`it names ${from.length} senders`);
  const names = headers.filter((one) => one.startsWith("from: "));
  const other = names.map((one) => claimedIn(one, from)).find((one) => one !== undefined);
  if (other !== undefined)
    doubts.push(`the name of its sender reads ${other}, which it is not from`);
  const homes = new Set(from.map(domainOf));
  const away = replyTo.filter((one) => !homes.has(domainOf(one)));
  if (away.length > 0) doubts.push(`answers to it go elsewhere: ${away.join(", ")}`);
  const texts = [text, ...more.map((one) => one.text)];
  if (texts.some((one) => /^begin [0-7]{3,4} \S/m.test(one)))
    doubts.push("a text in it is a file for readers that know uuencode");
  const types = attachments.map(({ contentType }) => contentType);
  if (types.some((one) => one === "application/ms-tnef" || one === "application/vnd.ms-tnef"))
    doubts.push("it carries a TNEF container, whose files are not listed");
  if (more.some(({ contentType }) => contentType === "text/calendar"))
    doubts.push("it carries a calendar entry, which readers may act on");
  return doubts;
}

/** An address that a display name claims: mail readers show the name alone. */
function claimedIn(header: string, from: readonly string[]): string | undefined {
  const found = header.split(/[\s<>"'(),:;]+/).filter((word) => /.@./.test(word));
  const real = new Set(from.map((one) => one.toLowerCase()));
  return found.find((one) => !real.has(one.toLowerCase()));
}

function domainOf(address: string): string {
  return address.slice(address.lastIndexOf("@") + 1).toLowerCase();
}
