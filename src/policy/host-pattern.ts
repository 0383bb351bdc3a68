/**
 * Host patterns: the one place that decides whether a host name matches a rule.
 *
 * A pattern is an exact name (`api.github.com`) or has one leading wildcard (`*.github.com`), which
 * covers every name below the domain but never the domain itself. Both sides are compared in
 * canonical form, so one host cannot reach a rule in two spellings. An IP address, in any notation,
 * is never a host (docs/decisions/0020).
 *
 * @module
 */
import { domainToASCII } from "node:url";
import { Fault } from "../base/index.ts";

const HOST_CHARS_MAX = 253; // RFC 1035: 255 octets on the wire.
const NAME = /^([a-z0-9_-]{1,63}\.)*(?!\d+$)[a-z0-9_-]{1,63}$/; // A last label of digits is an address.
// `domainToASCII` reads a name as the host of a URL: it decodes percent signs, drops tabs and line
// ends, and stops at `/`, `?`, `#` and `\`, so `good.example/evil` would become `good.example`. Our
// peer may not, so among ASCII only what a name is made of reaches it.
const STRANGE_ASCII = /[\0-,/:-@[-^`{-\x7f]/;

/** A host name in canonical form: lower case, A-labels, no trailing dot. */
export type Host = string & { readonly __brand: "Host" };

/** A parsed pattern; make one with {@link parseHostPattern}. */
export interface HostPattern {
  readonly wildcard: boolean;
  readonly domain: Host;
}

/** Returns the canonical form of `name`, or `undefined` where no rule may ever match it. */
export function canonicalHost(name: string): Host | undefined {
  if (name.length > HOST_CHARS_MAX + 1 || STRANGE_ASCII.test(name)) return undefined;
  const text = domainToASCII(name).replace(/\.$/, ""); // Also turns `0x7f.1` into `127.0.0.1`.
  return isCanonical(text) ? text : undefined;
}

/**
 * Parses a pattern as written in a task file.
 *
 * @throws {Fault} `policy.host_pattern` where `source` is neither form, or names the run itself. The
 *   whole file is then refused: a rule that silently matches nothing would hide a hole.
 */
export function parseHostPattern(source: string): HostPattern {
  const wildcard = source.startsWith("*.");
  const domain = canonicalHost(wildcard ? source.slice(2) : source);
  if (domain === undefined) {
    throw new Fault("policy.host_pattern", `${quote(source)} is not a host name or pattern`, {
      hint: hintFor(source),
    });
  }
  if (domain === "localhost" || domain.endsWith(".localhost")) {
    throw new Fault("policy.host_pattern", `${quote(source)} is the run's own loopback`, {
      hint: "give the host's service a name of your own, and its address under `dial`",
    });
  }
  return { wildcard, domain };
}

/** Reports whether `pattern` covers `host`. */
export function matchesHost(pattern: HostPattern, host: Host): boolean {
  return pattern.wildcard ? host.endsWith(`.${pattern.domain}`) : host === pattern.domain;
}

/** Reports whether `pattern` covers every host that `other` covers. */
export function coversPattern(pattern: HostPattern, other: HostPattern): boolean {
  if (!other.wildcard) return matchesHost(pattern, other.domain);
  return (
    pattern.wildcard && (pattern.domain === other.domain || matchesHost(pattern, other.domain))
  );
}

/** The narrower of two patterns where they share a host, or `undefined` where they share none. */
export function sharedPattern(one: HostPattern, other: HostPattern): HostPattern | undefined {
  if (coversPattern(one, other)) return other;
  return coversPattern(other, one) ? one : undefined;
}

/** The pattern as a task file would write it, in canonical form. */
export function printHostPattern(pattern: HostPattern): string {
  return pattern.wildcard ? `*.${pattern.domain}` : pattern.domain;
}

function isCanonical(text: string): text is Host {
  return text.length <= HOST_CHARS_MAX && NAME.test(text);
}

function hintFor(source: string): string {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(source)) return "leave out the scheme: write api.example.com";
  if (/:\d+$/.test(source) && !source.startsWith("[")) return "ports go under `ports`";
  if (source.includes("/")) return "paths go under `paths`";
  if (/^[\d.]+$|^\[?[\da-f]*:/i.test(source)) {
    return "an address is never a host: write a name, and the address under `dial`";
  }
  return "write api.example.com or *.example.com";
}

function quote(source: string): string {
  return JSON.stringify(source.length > 80 ? `${source.slice(0, 80)}...` : source);
}
