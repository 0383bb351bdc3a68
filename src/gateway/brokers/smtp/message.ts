/**
 * One message, as it is held and sent.
 *
 * @module
 */
import { z } from "zod";
import type { Json } from "../../../action/index.ts";
import { smtpOptions } from "../../../protocols/index.ts";
import type { Place } from "../broker.ts";

const IMPLICIT_PORT = 465; // RFC 8314, 3.3.

const envelopeSchema = z.strictObject({
  from: z.string(),
  recipients: z.array(z.string()).min(1),
});

/** Its envelope, and the bytes between DATA and the dot, of which none is added, removed or changed. */
export interface Message extends z.output<typeof envelopeSchema> {
  readonly bytes: Buffer;
}

/** The operation of a message. */
export function operationOf({ from, recipients }: Omit<Message, "bytes">): Json {
  return { from, recipients: [...recipients] };
}

/** The message of a stored operation; `undefined` where it is none. */
export function messageOf(operation: Json, bytes: Buffer | undefined): Message | undefined {
  const envelope = envelopeSchema.safeParse(operation).data;
  return envelope === undefined || bytes === undefined ? undefined : { ...envelope, bytes };
}

/** Whether TLS comes first there, or by STARTTLS. */
export function isImplicitTls({ options, port }: Pick<Place, "options" | "port">): boolean {
  return smtpOptions.parse(options).implicit_tls ?? port === IMPLICIT_PORT;
}
