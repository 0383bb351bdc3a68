/**
 * Dial addresses: where a granted name really is, when that is not what DNS says; and the proxy that a
 * grant's connections go through.
 *
 * @module
 */
import { isIPv4, isIPv6 } from "node:net";
import { canonicalHost } from "./host-pattern.ts";

/** Source of the form, for JSON Schema. */
export const DIAL_PATTERN = "^(?:unix:/.+|(?:[0-9.]+|\\[[0-9A-Fa-f:.]+\\]):[0-9]{1,5})$";
/** Source of the form of a proxy, for JSON Schema. */
export const PROXY_PATTERN = "^(?:[0-9A-Za-z._-]+|\\[[0-9A-Fa-f:.]+\\]):[0-9]{1,5}$";

// Types, not interfaces: a task is Json.
/** A literal address and a port. */
export type DialAddress = { readonly address: string; readonly port: number };
/** A Unix socket of the host. */
export type DialPath = { readonly path: string };
/** Cofferdam itself, in the daemon. No task file can write it. */
export type DialOwn = { readonly own: true };
export type Dial = DialAddress | DialPath | DialOwn;

/** An HTTP proxy: its `host` is a literal address, or a name whose addresses must be public. */
export type Proxy = { readonly host: string; readonly port: number };

const PORT_MAX = 65_535;
const PATH_BYTES_MAX = 107; // sun_path holds 108 with its NUL (unix(7)).
// Nothing answers at the unspecified, multicast and reserved addresses, and Linux takes 0.0.0.0 for
// loopback. An IPv4 address has one spelling here: a mapped one would slip past a check for it.
const NOWHERE_V4 = /^(?:0|22[4-9]|23\d|24\d|25\d)\./;
const NOWHERE_V6 = /^(?:ff|[0:]+$|[0:]+:ffff:|64:ff9b:)|\./i;
/** Absolute and already in its shortest form: what is checked is then what is opened. */
const PLAIN_PATH = /^(?:\/(?!\.{1,2}(?:\/|$))[^/\p{Cc}]+)+$/u;

/** `127.0.0.1:80`, `[::1]:80`, `unix:/run/x.sock`, or `undefined` for what cannot be dialled. */
export function parseDial(source: string): Dial | undefined {
  if (!new RegExp(DIAL_PATTERN).test(source)) return undefined;
  if (source.startsWith("unix:")) {
    const path = source.slice("unix:".length);
    const fits = Buffer.byteLength(path) <= PATH_BYTES_MAX && path.isWellFormed();
    return fits && PLAIN_PATH.test(path) ? { path } : undefined;
  }
  const { host, port } = splitPort(source);
  const address = literalOf(host);
  return address === undefined || port === undefined ? undefined : { address, port };
}

/** `10.0.0.1:3128`, `[fd00::1]:3128`, `proxy.example:3128`, or `undefined`. */
export function parseProxy(source: string): Proxy | undefined {
  if (!new RegExp(PROXY_PATTERN).test(source)) return undefined;
  const { host, port } = splitPort(source);
  if (port === undefined) return undefined;
  const address = literalOf(host) ?? canonicalHost(host);
  if (address === undefined || /(?:^|\.)localhost$/.test(address)) return undefined;
  return { host: address, port };
}

/** The address and port, or path, as a task file would write them. */
export function printDial(dial: Dial): string {
  if ("own" in dial) return "cofferdam";
  return "path" in dial ? `unix:${dial.path}` : printProxy({ host: dial.address, port: dial.port });
}

/** The proxy as a task file would write it. */
export function printProxy({ host, port }: Proxy): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

function splitPort(source: string): { host: string; port: number | undefined } {
  const colon = source.lastIndexOf(":");
  const port = Number(source.slice(colon + 1));
  const isPort = port >= 1 && port <= PORT_MAX;
  return { host: source.slice(0, colon), port: isPort ? port : undefined };
}

function literalOf(host: string): string | undefined {
  if (!host.startsWith("[")) return isIPv4(host) && !NOWHERE_V4.test(host) ? host : undefined;
  const address = host.slice(1, -1).toLowerCase();
  return isIPv6(address) && !NOWHERE_V6.test(address) ? address : undefined;
}
