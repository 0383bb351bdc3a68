/**
 * Dial addresses: where a granted name really is, when that is not what DNS says.
 *
 * @module
 */
import { isIPv4, isIPv6 } from "node:net";

/** Source of the form, for JSON Schema. */
export const DIAL_PATTERN = "^(?:[0-9.]+|\\[[0-9A-Fa-f:.]+\\]):[0-9]{1,5}$";

/** A literal address and a port. */
export interface Dial {
  readonly address: string;
  readonly port: number;
}

// Nothing answers at the unspecified, multicast and reserved addresses, and Linux takes 0.0.0.0 for
// loopback. An IPv4 address has one spelling here: a mapped one would slip past a check for it.
const NOWHERE_V4 = /^(?:0|22[4-9]|23\d|24\d|25\d)\./;
const NOWHERE_V6 = /^(?:ff|[0:]+$|[0:]+:ffff:|64:ff9b:)|\./i;

/** `127.0.0.1:80`, `[::1]:80`, or `undefined` for what cannot be dialled. */
export function parseDial(source: string): Dial | undefined {
  if (!new RegExp(DIAL_PATTERN).test(source)) return undefined;
  const colon = source.lastIndexOf(":");
  const port = Number(source.slice(colon + 1));
  if (port < 1 || port > 65_535) return undefined;
  if (!source.startsWith("[")) {
    const address = source.slice(0, colon);
    return isIPv4(address) && !NOWHERE_V4.test(address) ? { address, port } : undefined;
  }
  const address = source.slice(1, colon - 1).toLowerCase();
  return isIPv6(address) && !NOWHERE_V6.test(address) ? { address, port } : undefined;
}

/** The address and port as a person writes them. */
export function printDial({ address, port }: Dial): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
