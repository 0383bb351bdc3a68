/**
 * Mailboxes of an envelope (RFC 5321, 4.1.2), in the one form that every server on the way reads alike: a dot-atom,
 * `@`, a domain name in ASCII. Quoted local parts, address literals, source routes and the `%` and `!` by which old
 * relays are told another destination are no mailbox here.
 *
 * @module
 */

const LOCAL = /^[A-Za-z0-9#$&'*+\-/=?^_`{|}~]+(?:\.[A-Za-z0-9#$&'*+\-/=?^_`{|}~]+)*$/; // atext less "%" and "!".
const LABEL = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/;
const LOCAL_CHARS_MAX = 64; // RFC 5321, 4.5.3.1.1.
const DOMAIN_CHARS_MAX = 253;
const LABEL_CHARS_MAX = 63;

/** A mailbox in canonical form; case counts in the local part alone (RFC 5321, 2.4). */
export interface Mailbox {
  readonly local: string;
  /** In lower case. */
  readonly domain: string;
  /** `local@domain`. */
  readonly address: string;
}

/** Reads `text`; `undefined` where it is not of that form. */
export function readMailbox(text: string): Mailbox | undefined {
  const [local = "", given = "", ...more] = text.split("@");
  const domain = given.toLowerCase();
  if (more.length > 0 || local.length > LOCAL_CHARS_MAX || !LOCAL.test(local)) return undefined;
  if (!isDomain(domain)) return undefined;
  return { local, domain, address: `${local}@${domain}` };
}

function isDomain(domain: string): boolean {
  const labels = domain.split(".");
  const isName = labels.every((one) => one.length <= LABEL_CHARS_MAX && LABEL.test(one));
  // A last label of digits is the address of a host.
  return domain.length <= DOMAIN_CHARS_MAX && isName && !/^\d+$/.test(labels.at(-1) ?? "");
}
