/**
 * What became of one message at its server, as the ledger, an approval and the agent are told.
 *
 * @module
 */
import { z } from "zod";
import type { Json } from "../../../action/index.ts";

const TEXT_CHARS_MAX = 300; // Of what a server says.

const refusedSchema = z.strictObject({
  recipient: z.string(),
  code: z.int(),
  text: z.string(),
});

export const deliverySchema = z.strictObject({
  /** `unknown`: the server had all of it, and did not say what it made of it. */
  sent: z.enum(["yes", "no", "unknown"]),
  /** Whom the server took it for. */
  accepted: z.array(z.string()),
  /** Whom it did not take it for, and why. */
  refused: z.array(refusedSchema),
  /** Its last reply, or what went wrong. 0: no reply. */
  code: z.int(),
  text: z.string(),
});

/** The end of one message. */
export type Delivery = z.output<typeof deliverySchema>;

/** One reply to the agent. */
export interface Reply {
  readonly code: number;
  readonly enhanced: string;
  readonly text: string;
}

/** What a server said, for others: one line of bounded length. */
export function shownText(lines: readonly string[]): string {
  const text = lines.join(" ").replaceAll(/ {2,}/g, " ").trim();
  return text.length <= TEXT_CHARS_MAX ? text : `${text.slice(0, TEXT_CHARS_MAX)}...`;
}

/** As bytes, for an approval's answer. */
export function writeDelivery(delivery: Delivery): Buffer {
  return Buffer.from(JSON.stringify(delivery));
}

/** Reads it back; `undefined` where it is none. */
export function readDelivery(bytes: Uint8Array): Delivery | undefined {
  try {
    return deliverySchema.safeParse(JSON.parse(Buffer.from(bytes).toString("utf8"))).data;
  } catch {
    return undefined; // Not JSON.
  }
}

/** For the record. */
export function recordOf({ sent, accepted, refused, code, text }: Delivery): Record<string, Json> {
  return { sent, accepted, refused: refused.map((one) => ({ ...one })), code, text };
}

/**
 * What the agent is told. What may have been sent is never a reply upon which mail programs try again: they would
 * send it twice.
 */
export function replyOf({ sent, accepted, refused, code, text }: Delivery): Reply {
  const each = refused.map((one) => `${one.recipient} (${one.code} ${one.text})`).join(", ");
  const why = `${code === 0 ? "" : `${code} `}${text}`;
  if (sent === "yes") {
    if (refused.length === 0) return { code: 250, enhanced: "2.0.0", text: `sent: ${text}` };
    const most = `sent to ${accepted.length} of ${accepted.length + refused.length}`;
    return { code: 250, enhanced: "2.0.0", text: `${most}; the server refused ${each}` };
  }
  if (sent === "unknown") {
    const advice = "ask whether it arrived before you send it again";
    return { code: 554, enhanced: "5.4.0", text: `it may have been sent (${why}): ${advice}` };
  }
  const refusals = each === "" ? why : `${why}: ${each}`;
  const isForNow =
    code === 0 || code < 500 || (refused.length > 0 && refused.every((one) => one.code < 500));
  return isForNow
    ? { code: 451, enhanced: "4.4.0", text: `not sent: ${refusals}` }
    : { code: 554, enhanced: "5.4.0", text: `not sent: ${refusals}` };
}
