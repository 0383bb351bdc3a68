/**
 * What a grant of mail says beside its rules: as whom is sent, to whom at most, and how much.
 *
 * @module
 */
import { z } from "zod";
import { readMailbox } from "../../mail/index.ts";

/** What a broker takes at most, whatever a grant says: RFC 5321, 4.5.3.1.8 has every server take a hundred. */
export const RECIPIENTS_MAX = 1000;
const RECIPIENTS_DEFAULT = 100;
const BYTES_MAX = 8 << 20; // What is stored for a person: the gateway's `spoolBytes`.
const PATTERNS_MAX = 1000;

const pattern = z
  .string()
  .transform((text) => canonicalPattern(text) ?? "")
  .refine((text) => text !== "", "write an address (a@b.example), or all of a domain: *@b.example");

export const smtpOptions = z.strictObject({
  /** As whom is sent: addresses, or `*@domain`. Envelope, From and Sender are held to it. */
  from: z.array(pattern).min(1).max(PATTERNS_MAX),
  /** To whom at most, whatever the rules say. */
  recipients: z.array(pattern).min(1).max(PATTERNS_MAX).optional(),
  recipients_per_message: z.int().min(1).max(RECIPIENTS_MAX).default(RECIPIENTS_DEFAULT),
  /** Of a message. */
  bytes: z.int().min(1).max(BYTES_MAX).default(BYTES_MAX),
  /** Header fields beside the usual ones. */
  headers: z
    .array(z.string().regex(/^[A-Za-z0-9-]{1,76}$/, "write the name of a header field"))
    .max(100)
    .default([]),
  /** TLS from the first byte, as port 465 has it; other ports begin with STARTTLS. */
  implicit_tls: z.boolean().optional(),
});

export type SmtpOptions = z.output<typeof smtpOptions>;

/** Reports whether `address`, in canonical form, is one that `patterns` name. */
export function isAmong(patterns: readonly string[], address: string): boolean {
  const domain = address.slice(address.lastIndexOf("@"));
  return patterns.some((one) => one === address || one === `*${domain}`);
}

function canonicalPattern(text: string): string | undefined {
  // A star elsewhere would be one of a name, which nobody means.
  if (!text.startsWith("*@")) return text.includes("*") ? undefined : readMailbox(text)?.address;
  const domain = readMailbox(`any${text.slice(1)}`)?.domain;
  return domain === undefined ? undefined : `*@${domain}`;
}
