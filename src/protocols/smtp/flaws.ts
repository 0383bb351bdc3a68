/**
 * What is wrong with a message and its envelope, so that it is not sent. A message must be one that every server
 * and every reader on its way takes for the same: INV-115, INV-117.
 *
 * @module
 */
import { readMailbox, type Message } from "../../mail/index.ts";
import { flawOfField, ONCE } from "./header-fields.ts";
import { isAmong, type SmtpOptions } from "./options.ts";

/** One thing wrong: the rule that it breaks, and a sentence for whoever wrote the message. */
export interface Flaw {
  readonly rule: string;
  readonly reason: string;
}

/** What a broker makes of MAIL and RCPT: canonical mailboxes, each once. */
export interface Envelope {
  readonly from: string;
  readonly recipients: readonly string[];
}

const LINE_OCTETS_MAX = 998; // RFC 5322, 2.1.1, without CRLF: servers on the way cut or fold longer ones.
/** With the CR that ends it; looked for where lines begin, so that each octet is looked at once. */
const LONG_LINE = new RegExp(`(?:^|\\n)[^\\n]{${LINE_OCTETS_MAX + 2}}`);
const FIELDS_MAX = 200;
const SHOWN_MAX = 5;

/** Of the envelope. */
export function flawsOfEnvelope({ from, recipients }: Envelope, options: SmtpOptions): Flaw[] {
  const flaws: Flaw[] = [];
  const put = (rule: string, reason: string) => flaws.push({ rule: `smtp.${rule}`, reason });
  const odd = [from, ...recipients].filter((one) => readMailbox(one)?.address !== one);
  if (odd.length > 0) put("mailbox", `no mailbox in canonical form: ${listed(odd)}`);
  if (!isAmong(options.from, from))
    put("from", `MAIL FROM ${from || "nobody"} is not among ${listed(options.from)}`);
  if (recipients.length === 0) put("recipients", "it goes to nobody");
  if (new Set(recipients).size < recipients.length) put("recipients", "a recipient stands twice");
  const { recipients: granted, recipients_per_message: most } = options;
  if (recipients.length > most)
    put("recipients_per_message", `it goes to ${recipients.length} people, granted are ${most}`);
  const foreign = granted === undefined ? [] : recipients.filter((one) => !isAmong(granted, one));
  if (foreign.length > 0)
    put("recipients", `${listed(foreign)}: not among ${listed(granted ?? [])}`);
  return flaws;
}

/** Of the bytes, before anything is read into them. */
export function flawsOfBytes(body: Uint8Array, options: SmtpOptions): Flaw[] {
  const flaws: Flaw[] = [];
  const put = (rule: string, reason: string) => flaws.push({ rule: `smtp.${rule}`, reason });
  if (body.length > options.bytes)
    put("bytes", `it has ${body.length} bytes, granted are ${options.bytes}`);
  const text = Buffer.from(body).toString("latin1");
  if (text.includes("\0")) put("bytes", "it holds a zero byte");
  if (/\r(?!\n)/.test(text)) put("line_ends", "it holds a carriage return without a line feed");
  if (/(?<!\r)\n/.test(text)) put("line_ends", "it holds a line feed without a carriage return");
  if (!text.endsWith("\r\n")) put("line_ends", "its last line has no end");
  if (LONG_LINE.test(text))
    put("line", `it has a line of more than ${LINE_OCTETS_MAX} octets; encode it`);
  const end = text.indexOf("\r\n\r\n");
  if (/[^\t\r\n -~]/.test(end < 0 ? text : text.slice(0, end)))
    put("header", "its header holds bytes beyond ASCII or control characters; encode them");
  return flaws;
}

/** Of what it says. */
export function flawsOfMessage(message: Message, options: SmtpOptions): Flaw[] {
  const { names, from, sender } = message;
  const flaws: Flaw[] = [];
  const put = (rule: string, reason: string) => flaws.push({ rule: `smtp.${rule}`, reason });
  const twice = [...ONCE].filter((name) => names.indexOf(name) !== names.lastIndexOf(name));
  if (twice.length > 0) put("header", `${listed(twice)} may stand there once`);
  if (names.length > FIELDS_MAX) put("header", `it has more than ${FIELDS_MAX} header fields`);
  if (from.length === 0) put("from", "it has no From");
  if (from.length > 1 && sender.length === 0)
    put("from", "of several in From, Sender says which one sent it");
  // A group has a name of its own, which readers show in the place of who is in it.
  if (message.groups.includes("from") || message.groups.includes("sender"))
    put("from", "From and Sender name mailboxes, no group");
  if (sender.length > 1 || (names.includes("sender") && sender.length === 0))
    put("from", "Sender is one mailbox");
  for (const [field, people] of Object.entries({ From: from, Sender: sender })) {
    const foreign = people.filter((one) => !isOwn(one, options));
    if (foreign.length > 0)
      put("from", `${field} ${listed(foreign)} is not among ${listed(options.from)}`);
  }
  const reasons = new Set(names.flatMap((name) => flawOfField(name, options.headers) ?? []));
  for (const reason of [...reasons].slice(0, SHOWN_MAX)) put("header", reason);
  return flaws;
}

function isOwn(address: string, { from }: SmtpOptions): boolean {
  const mailbox = readMailbox(address);
  return mailbox !== undefined && isAmong(from, mailbox.address);
}

function listed(names: readonly string[]): string {
  const more = names.length - SHOWN_MAX;
  return `${names.slice(0, SHOWN_MAX).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}
