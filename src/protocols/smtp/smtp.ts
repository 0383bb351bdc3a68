/**
 * Mail by SMTP submission: one operation is one message with its envelope. Everyone whom it reaches is a part
 * of it, so that rules say to whom may be written.
 *
 * @module
 */
import { z } from "zod";
import { SESSION_VERB, UNKNOWN_VERB, type Json } from "../../action/index.ts";
import { Fault } from "../../base/index.ts";
import { readMailbox, readMessage, type Message } from "../../mail/index.ts";
import type { Described, Protocol, Surroundings } from "../protocol.ts";
import {
  flawsOfBytes,
  flawsOfEnvelope,
  flawsOfMessage,
  type Envelope,
  type Flaw,
} from "./flaws.ts";
import { RECIPIENTS_MAX, smtpOptions, type SmtpOptions } from "./options.ts";

const SUBJECT_CHARS_MAX = 100; // In a sentence.
const UNKNOWN = ["send"] as const;

const envelopeSchema = z.strictObject({
  from: z.string().max(1000),
  recipients: z.array(z.string().max(1000)).max(RECIPIENTS_MAX),
});

/** What is wrong with an operation: it is not sent. None where it may be, by a rule. */
export function flawsOfMail(operation: Json, { options, body }: Surroundings): readonly Flaw[] {
  return readMail(operation, options, body).flaws;
}

interface Mail {
  readonly envelope?: Envelope;
  readonly message?: Message | undefined;
  readonly flaws: readonly Flaw[];
}

function readMail(operation: Json, given: Json, body: Uint8Array | undefined): Mail {
  const envelope = envelopeSchema.safeParse(operation).data;
  const options = smtpOptions.safeParse(given).data;
  const not = (rule: string, reason: string) => ({ rule: `smtp.${rule}`, reason });
  if (envelope === undefined) return { flaws: [not("mailbox", "it is no envelope")] };
  if (options === undefined) return { envelope, flaws: [not("options", "nobody may send")] };
  const flaws = flawsOfEnvelope(envelope, options);
  if (body === undefined)
    return { envelope, flaws: [...flaws, not("message", "it has no message")] };
  flaws.push(...flawsOfBytes(body, options));
  const message = readMessage(body);
  if (message !== undefined) flaws.push(...flawsOfMessage(message, options));
  else flaws.push(not("message", "two mail programs could read it differently: write plain MIME"));
  return { envelope, message, flaws };
}

function describe(operation: Json, { host, port, options, body }: Surroundings): Described {
  const { envelope, message, flaws } = readMail(operation, options, body);
  const target = `smtp://${host}:${port}`;
  const fields = {
    show: "mail",
    ...(body === undefined ? {} : { size: `${body.length} bytes` }),
    ...(envelope === undefined ? {} : { mail: shownMail(envelope, message) }),
  };
  const recipients = envelope?.recipients ?? [];
  const impact = { recipients: [...recipients], reversible: false };
  if (flaws.length > 0 || envelope === undefined) {
    const [{ reason } = { reason: "it cannot be read" }] = flaws;
    return {
      verb: UNKNOWN_VERB,
      effects: UNKNOWN,
      target,
      summary: `A mail that is not sent: ${reason}`,
      fields: { ...fields, flaws: flaws.map(({ rule, reason: why }) => `${rule}: ${why}`) },
      impact,
    };
  }
  return {
    verb: "send",
    effects: ["send"],
    target,
    summary: summaryOf(envelope, message),
    fields,
    parts: recipients.map((address) => ({
      verb: "send",
      effects: ["send"],
      object: address.split("@"),
    })),
    impact,
  };
}

function summaryOf({ from, recipients }: Envelope, message: Message | undefined): string {
  const subject = message?.subject ?? "";
  const isLong = subject.length > SUBJECT_CHARS_MAX;
  const about = isLong ? `${subject.slice(0, SUBJECT_CHARS_MAX)}...` : subject;
  const [first = "nobody", ...others] = recipients;
  const more = others.length === 0 ? "" : ` and ${others.length} more`;
  return `Send the mail ${JSON.stringify(about)} from ${from} to ${first}${more}`;
}

/** As cards read it: whom it goes to comes from the envelope, and what the header says of each stands beside. */
function shownMail({ from, recipients }: Envelope, message: Message | undefined): Json {
  const lists = [
    ["To", message?.to ?? []],
    ["Cc", message?.cc ?? []],
    ["Bcc field", message?.bcc ?? []],
  ] as const;
  const canonical = (address: string) => readMailbox(address)?.address ?? address;
  const named = lists.map(([label, people]) => [label, new Set(people.map(canonical))] as const);
  const reached = new Set(recipients);
  const unreached = named.flatMap(([label, people]) =>
    [...people].filter((one) => !reached.has(one)).map((one) => `${one}  ${label}`),
  );
  const envelope = {
    from,
    recipients: recipients.map((address) => ({
      address,
      named: named.flatMap(([label, people]) => (people.has(address) ? [label] : [])).join(", "),
    })),
    unreached,
  };
  if (message === undefined) return { envelope };
  const { names: _names, groups: _groups, more, attachments, ...read } = message;
  return {
    envelope,
    ...read,
    more: more.map((one) => ({ ...one })),
    attachments: attachments.map((one) => ({ ...one })),
  };
}

/** `a@x.example -> b@y.example, c@z.example`. */
function operationOf(text: string): Json {
  const [from = "", to, ...more] = text.split("->").map((one) => one.trim());
  if (to === undefined || more.length > 0) {
    const hint = 'write "FROM -> TO, TO", and the message with --data @FILE';
    throw new Fault("protocols.operation", "not an envelope", { hint });
  }
  const recipients = to.split(",").map((one) => one.trim());
  return { from, recipients: recipients.filter((one) => one !== "") };
}

const example: Pick<SmtpOptions, "from"> = { from: ["*@sender.example"] };

export const smtp: Protocol = {
  system: "smtp",
  title: "Mail (SMTP submission)",
  docs: [
    "https://www.rfc-editor.org/rfc/rfc5321",
    "https://www.rfc-editor.org/rfc/rfc6409",
    "https://www.rfc-editor.org/rfc/rfc5322",
  ],
  ports: [587, 465],
  verbs: {
    [SESSION_VERB]: { effects: ["read"], summary: "Connect, and log in" },
    send: { effects: ["send"], summary: "Send one message to everyone in its envelope" },
  },
  object: { separator: "@", form: "local@domain, of each recipient" },
  options: smtpOptions,
  example,
  unknown: UNKNOWN,
  describe,
  operationOf,
  template: `name: mail
system: smtp
hosts: [smtp.example.com]
ports: [587]                 # STARTTLS; 465 is TLS from the first byte
credential: mail             # cofferdam credential add mail --kind login --user NAME --scheme smtp --host smtp.example.com
with:
  from: [agent@example.com]  # as whom: MAIL FROM, From and Sender; or all of a domain: "*@example.com"
  recipients_per_message: 20
  bytes: 1000000             # of one message
  # recipients: ["*@client.example"]  # to whom at most, whatever the rules say
  # headers: [X-Campaign]             # fields beside the usual ones
  # implicit_tls: true                # TLS from the first byte on another port than 465
allow:
  - verbs: [send]            # each message waits for a person, who sees all of it
    on: ["*@client.example", "ann@partner.example"]
`,
};
