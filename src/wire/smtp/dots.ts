/**
 * Messages as they are sent: RFC 5321, 4.5.2.
 *
 * @module
 */

/** `message` with each dot that begins a line doubled; its lines end in CRLF. What ends it is not added. */
export function stuffDots(message: Uint8Array): Buffer {
  const text = Buffer.from(message).toString("latin1");
  const stuffed = text.replaceAll("\r\n.", "\r\n..");
  return Buffer.from(stuffed.startsWith(".") ? `.${stuffed}` : stuffed, "latin1");
}
