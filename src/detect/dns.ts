/**
 * DNS as a channel: names that carry bytes rather than name a host. Nothing leaves by the resolver, so this finds
 * intent, of which the gateway names the plainest by itself (src/gateway/dns/name-watch.ts).
 *
 * @module
 */
import type { Event } from "../action/index.ts";
import { addTo, isRung, touch } from "./bounded.ts";
import { defineDetector, type DetectorAbout } from "./detector.ts";
import { entropyOf, fieldOf, found, registeredDomain, shown, textOf } from "./found.ts";

const DOMAINS_MAX = 128;
const NAMES_MAX = 256;

const TUNNEL: DetectorAbout = {
  name: "dns.tunnel",
  kind: "resolver",
  title: "Bytes in the names below one domain",
  explanation:
    "Adds up the bytes of different names below each registered domain; types that tunnels use (NULL, TXT, KEY, CNAME, MX) count twice, and a host that a request was then allowed to does not count. Measured on public captures: iodine and dnscat2 7,900 bytes and more, of 200 other domains none above 149.",
  attack: ["T1071.004", "T1572"],
  atlas: [],
  owasp: ["ASI02", "ASI10"],
  tuning: {
    bytes: { value: 1500, unit: "bytes", meaning: "of different names below one domain" },
    names: { value: 10, unit: "names", meaning: "at least so many different ones" },
  },
};

interface Domain {
  readonly names: Set<string>;
  count: number;
  bytes: number;
  isTold: boolean;
}

const ORDINARY = new Set(["A", "AAAA", "PTR", "HTTPS", "SVCB", "SRV", "SOA", "NS"]);

export const dnsTunnel = defineDetector<{
  readonly bytes: number;
  readonly names: number;
  readonly domains: Map<string, Domain>;
}>({
  ...TUNNEL,
  sees: ["dns", "action"],
  scope: "run",
  start: ({ bytes = 1500, names = 10 }) => ({ bytes, names, domains: new Map() }),
  observe({ bytes, names, domains }, event) {
    const name = event.type === "dns" ? textOf(event, "name") : fieldOf(event, "host");
    const domain = registeredDomain(name);
    if (name.length <= domain.length || name.endsWith(".arpa")) return [];
    const below = name.slice(0, name.length - domain.length - 1);
    if (event.type === "action") {
      const known = domains.get(domain);
      if (event.verdict === "allow" && known?.names.has(below) === true)
        known.bytes -= below.length;
      return [];
    }
    const entry = touch<Domain>(domains, domain, DOMAINS_MAX, () => ({
      names: new Set(),
      count: 0,
      bytes: 0,
      isTold: false,
    }));
    if (!addTo(entry.names, below, NAMES_MAX)) return [];
    const type = textOf(event, "type");
    entry.count += 1;
    entry.bytes += below.length * (ORDINARY.has(type) ? 1 : 2);
    if (entry.isTold || entry.bytes < bytes || entry.count < names) return [];
    entry.isTold = true;
    entry.names.clear();
    const why = `${entry.count} different names below ${shown(domain)} carry ${entry.bytes} bytes`;
    return [found(TUNNEL, event, 0.9, why)];
  },
});

const SPREAD: DetectorAbout = {
  name: "dns.spread",
  kind: "resolver",
  title: "Bytes in names that belong to no domain",
  explanation:
    "Adds up the bytes of different names with labels like random text, or below a top level that does not exist, over the whole run: a channel that changes its domain with each question, which counting by domain misses. Words joined by hyphens are no random text.",
  attack: ["T1071.004", "T1568.002", "T1048"],
  atlas: [],
  owasp: ["ASI02", "ASI10"],
  tuning: {
    bytes: { value: 1500, unit: "bytes", meaning: "of different such names in one run" },
    names: { value: 20, unit: "names", meaning: "at least so many different ones" },
  },
};

/** Top levels in everyday use, and those that are reserved (RFC 2606, 6761, 8375, 9476). */
const TOP_LEVELS = new Set(
  (
    "com org net edu gov mil int info biz name pro mobi arpa app dev page cloud io ai xyz site online store shop " +
    "tech blog news media email systems network digital solutions services world global live life company group " +
    "host run build tools science academy agency foundation zone space website team works codes link click top " +
    "google amazon aws microsoft azure bank jobs museum travel asia cat coop aero tel post eus " +
    "test example invalid localhost local internal lan home corp onion alt"
  ).split(" "),
);

export const dnsSpread = defineDetector<{
  readonly limit: { readonly bytes: number; readonly names: number };
  readonly names: Set<string>;
  count: number;
  bytes: number;
}>({
  ...SPREAD,
  sees: ["dns"],
  scope: "run",
  start: ({ bytes = 1500, names = 20 }) => ({
    limit: { bytes, names },
    names: new Set(),
    count: 0,
    bytes: 0,
  }),
  observe(state, event: Event) {
    const name = textOf(event, "name");
    if (!isOdd(name) || !addTo(state.names, name, NAMES_MAX)) return [];
    state.count += 1;
    state.bytes += name.length;
    const { bytes, names } = state.limit;
    if (state.bytes < bytes || state.count < names) return [];
    const why = `${state.count} different names like random text, of ${state.bytes} bytes in all`;
    state.bytes = 0; // As many again are told again.
    state.count = 0;
    return [found(SPREAD, event, 0.7, why)];
  },
});

function isOdd(name: string): boolean {
  const labels = name.split(".");
  const top = labels.at(-1) ?? "";
  if (labels.length > 1 && !/^[a-z]{2}$|^xn--/.test(top) && !TOP_LEVELS.has(top)) return true;
  const longest = labels.reduce((best, one) => (one.length > best.length ? one : best), "");
  return longest.length >= 24 && !longest.includes("-") && entropyOf(longest) > 3.6;
}

const ENCODED: DetectorAbout = {
  name: "dns.encoded",
  kind: "resolver",
  title: "Names that spell text in hexadecimal or base32",
  explanation:
    "Counts different names, over the whole run, of which a label (or all below the registered domain, one behind the other) decodes to readable text: what is carried out by questions, and answered inside, shows after a few of them. Hashes, UUIDs and random identifiers decode to bytes that are no text. What is encrypted or compressed before does so too, and is left to dns.tunnel and dns.spread.",
  attack: ["T1071.004", "T1048"],
  atlas: ["AML.T0086"],
  owasp: ["ASI02", "ASI10"],
  tuning: {
    names: { value: 3, unit: "names", meaning: "different ones in one run" },
    chars: { value: 24, unit: "characters", meaning: "from which length a label is decoded" },
  },
};

export const dnsEncoded = defineDetector<{
  readonly limit: { readonly names: number; readonly chars: number };
  readonly names: Set<string>;
  count: number;
}>({
  ...ENCODED,
  sees: ["dns"],
  scope: "run",
  start: ({ names = 3, chars = 24 }) => ({
    limit: { names, chars },
    names: new Set(),
    count: 0,
  }),
  observe(state, event) {
    const name = textOf(event, "name");
    const { names, chars } = state.limit;
    if (name.length < chars || name.length > NAME_CHARS_MAX || !spellsText(name, chars)) return [];
    if (!addTo(state.names, name, NAMES_MAX)) return [];
    state.count += 1;
    if (!isRung(state.count, names)) return [];
    const why = `${state.count} different names spell text, the last below ${shown(registeredDomain(name))}`;
    return [found(ENCODED, event, 0.8, why)];
  },
});

const NAME_CHARS_MAX = 255; // RFC 1035: on the wire.
const BASE32 = "abcdefghijklmnopqrstuvwxyz234567"; // RFC 4648; names in DNS have no case.

/** Whether a label of `name`, or all of it below its domain, decodes to text. */
function spellsText(name: string, chars: number): boolean {
  const domain = registeredDomain(name);
  const below = name.slice(0, Math.max(0, name.length - domain.length - 1));
  const labels = below.split(".");
  return [...labels, labels.join("")].some((one) => {
    if (one.length < chars) return false;
    if (/^[\da-f]+$/.test(one)) return isText(Buffer.from(one, "hex"));
    return /^[a-z2-7]+$/.test(one) && isText(fromBase32(one));
  });
}

function fromBase32(text: string): Uint8Array {
  const bytes = new Uint8Array(Math.floor((text.length * 5) / 8));
  let bits = 0;
  let held = 0;
  let at = 0;
  for (const sign of text) {
    held = ((held << 5) | BASE32.indexOf(sign)) & 0xfff;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    bytes[at] = (held >> bits) & 0xff;
    at += 1;
  }
  return bytes;
}

/** Whether all of it is ASCII that is printed, or white space. */
function isText(bytes: Uint8Array): boolean {
  return bytes.every((byte) => (byte >= 0x20 && byte < 0x7f) || byte === 0x0a || byte === 0x09);
}
