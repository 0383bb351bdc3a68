/**
 * Answers a run's questions for names. Every well-formed name gets an address, granted or not, so that
 * the gateway can say what a connection meant and why it is refused; nothing is asked outside. No record
 * but A, AAAA and PTR exists: no HTTPS record (and so no key for an encrypted ClientHello), no TXT, no
 * SRV (docs/decisions/0032).
 *
 * @module
 */
import type { Answer } from "dns-packet";
import { systemClock, type Clock } from "../../base/index.ts";
import { canonicalHost } from "../../policy/index.ts";
import type { Endpoint } from "../../sys/index.ts";
import type { NamePool } from "./name-pool.ts";
import { createNameWatch, type Odd, type OddKind } from "./name-watch.ts";
import { buildReply, readQuery, type Query, type Rcode } from "./query.ts";

const TYPE_A = 1;
const TYPE_PTR = 12;
const TYPE_AAAA = 28;
const CLASS_IN = 1;

/** Types that carry data for tunnels or list zones: NULL, KEY, IXFR, AXFR, ANY, and private use. */
const ODD_TYPES: ReadonlySet<number> = new Set([10, 25, 251, 252, 255]);
const PRIVATE_TYPES_MIN = 65_280;

const TTL_SECONDS = 30; // The address of a name never changes within a run; programs cache it anyway.

/** Questions of one run answered in a second, with as much saved up. 50 are a lot for a build. */
const QUESTIONS_PER_SECOND_MAX = 1000;

/**
 * Names that never exist here. `onion`: RFC 7686 demands it; `invalid`: RFC 6761; the last: browsers
 * then leave their own DNS over HTTPS off.
 */
const ABSENT = /(?:^|\.)(?:onion|invalid)$|^use-application-dns\.net$/;
const LOCALHOST = /(?:^|\.)localhost$/; // RFC 6761, 6.3: also all names below it.

/** Whom a packet came from, and how. */
export interface Origin {
  readonly transport: "udp" | "tcp";
  readonly from?: Endpoint;
}

/** A question and what became of it. */
export interface Question extends Origin {
  /** Lower case, without trailing dot; odd bytes as `\DDD` (RFC 4343, 2.1). */
  readonly name: string;
  /** "A", "AAAA", "HTTPS", "TYPE1234", ... */
  readonly type: string;
  readonly rcode: Rcode;
  /** The addresses, or the name, that went out. */
  readonly answer: readonly string[];
}

export interface ResolverPorts {
  readonly pool: NamePool;
  readonly clock?: Clock;
  /** May say that a name does not exist; every name does by default. */
  readonly decideName?: (host: string) => "answer" | "absent";
  onQuestion(question: Question): void;
  /** Pends while a name that was given out may not be used yet; see {@link Resolver.settled}. */
  readonly settled?: () => Promise<void> | undefined;
  /** Told at the 1st, 2nd, 4th, 8th, ... time of each kind. */
  onOdd(odd: Odd): void;
}

/** Answers packets; see {@link createResolver}. */
export interface Resolver {
  /** The reply to `packet`, or `undefined` where none is sent. Never throws for any bytes. */
  answer(packet: Buffer, origin?: Origin): Buffer | undefined;
  /** What a reply must wait for before it is sent; mostly nothing. */
  settled(): Promise<void> | undefined;
  /** Counts something odd that a server of this resolver saw. */
  odd(kind: OddKind, detail: string): void;
}

interface Resolution {
  readonly rcode: Rcode;
  readonly answer: readonly string[];
}

/** The resolver of one run. */
export function createResolver(ports: ResolverPorts): Resolver {
  const { pool, clock = systemClock } = ports;
  const watch = createNameWatch();
  const bucket = createBucket();

  const tell = (odd: Odd | undefined) => {
    if (odd !== undefined) ports.onOdd(odd);
  };
  const odd = (kind: OddKind, detail: string) => tell(watch.count(kind, detail));

  function resolveAddress(host: string, family: 4 | 6): Resolution {
    const address = pool.addressFor(host, family);
    if (address !== undefined) return { rcode: "NOERROR", answer: [address] };
    odd("pool-full", `the run has used its ${pool.size} names`);
    return { rcode: "SERVFAIL", answer: [] };
  }

  function resolve(query: Query, host: string | undefined): Resolution {
    const nothing: Resolution = { rcode: "NOERROR", answer: [] };
    const absent: Resolution = { rcode: "NXDOMAIN", answer: [] };
    if (query.class !== CLASS_IN) return { rcode: "REFUSED", answer: [] };
    if (query.labels.length === 0) return nothing; // The root: it exists, and has no address.
    if (host === undefined || ABSENT.test(host)) return absent;
    if (host === "arpa" || host.endsWith(".arpa")) {
      if (query.type !== TYPE_PTR) return nothing;
      const name = nameBehind(host, pool);
      if (name !== undefined) return { rcode: "NOERROR", answer: [name] };
      tell(watch.noteReverse(host));
      return absent;
    }
    const family = query.type === TYPE_A ? 4 : query.type === TYPE_AAAA ? 6 : undefined;
    if (LOCALHOST.test(host)) {
      if (family === undefined) return nothing;
      return { rcode: "NOERROR", answer: [family === 4 ? "127.0.0.1" : "::1"] };
    }
    if (ports.decideName?.(host) === "absent") return absent;
    return family === undefined ? nothing : resolveAddress(host, family);
  }

  return {
    odd,
    settled: () => ports.settled?.(),
    answer(packet, origin = { transport: "udp" }) {
      const { monoMs } = clock.now();
      if (!bucket.take(monoMs)) {
        odd("rate", `more than ${QUESTIONS_PER_SECOND_MAX} questions in a second`);
        return undefined;
      }
      const reading = readQuery(packet);
      if (reading.kind !== "query") {
        odd("malformed", reading.why);
        if (reading.kind === "drop") return undefined;
        return buildReply(reading.head, reading.rcode, [], origin.transport);
      }
      const { query } = reading;
      const name = printName(query.labels);
      const host = hostOfLabels(query.labels);
      if (host === undefined && name !== ".") odd("odd-name", `no host name: ${cut(name)}`);
      if (ODD_TYPES.has(query.type) || query.type >= PRIVATE_TYPES_MIN) {
        odd("odd-type", `type ${query.typeName}: ${cut(name)}`);
      }
      for (const one of watch.note(name, monoMs)) ports.onOdd(one);
      const { rcode, answer } = resolve(query, host);
      ports.onQuestion({ ...origin, name, type: query.typeName, rcode, answer });
      return buildReply(query, rcode, toRecords(query, answer), origin.transport);
    },
  };
}

/** The canonical host that a question's labels spell, or `undefined` where they spell none. */
function hostOfLabels(labels: readonly string[]): string | undefined {
  // Bytes above ASCII, or a dot within a label, would be another name once written as text.
  if (!labels.every((label) => /^[A-Za-z0-9_-]+$/.test(label))) return undefined;
  const name = labels.join(".").toLowerCase();
  return canonicalHost(name) === name ? name : undefined;
}

/** The name in presentation form (RFC 1035, 5.1; RFC 4343, 2.1), lower case. */
function printName(labels: readonly string[]): string {
  if (labels.length === 0) return ".";
  const escaped = labels.map((label) =>
    label
      .toLowerCase()
      .replaceAll(/[^a-z0-9_-]/g, (sign) => `\\${String(sign.charCodeAt(0)).padStart(3, "0")}`),
  );
  return escaped.join(".");
}

function toRecords(query: Query, answer: readonly string[]): readonly Answer[] {
  const name = query.labels.join(".");
  return answer.map((data): Answer => {
    if (query.type === TYPE_PTR) return { type: "PTR", name, ttl: TTL_SECONDS, data };
    return { type: query.type === TYPE_A ? "A" : "AAAA", name, ttl: TTL_SECONDS, data };
  });
}

/** The name behind a reverse name: `7.0.18.198.in-addr.arpa`, 32 nibbles before `ip6.arpa`. */
function nameBehind(host: string, pool: NamePool): string | undefined {
  const [, v4] = /^((?:\d{1,3}\.){4})in-addr\.arpa$/.exec(host) ?? [];
  if (v4 !== undefined) return reverseName(v4.split(".").slice(0, 4).reverse().join("."), pool);
  const [, v6] = /^((?:[0-9a-f]\.){32})ip6\.arpa$/.exec(host) ?? [];
  if (v6 === undefined) return undefined;
  const nibbles = v6.split(".").slice(0, 32).reverse().join("");
  return reverseName(nibbles.replaceAll(/(?<=^(?:.{4})+)(?=.)/g, ":"), pool);
}

function reverseName(address: string, pool: NamePool): string | undefined {
  return address === "127.0.0.1" || address === LOOPBACK_V6 ? "localhost" : pool.hostOf(address);
}

const LOOPBACK_V6 = `${"0000:".repeat(7)}0001`;

function cut(name: string): string {
  return name.length > 80 ? `${name.slice(0, 80)}...` : name;
}

/** A token bucket that starts full and holds one second's worth. */
function createBucket(): { take(monoMs: number): boolean } {
  let tokens = QUESTIONS_PER_SECOND_MAX;
  let filledMs: number | undefined;
  return {
    take(monoMs) {
      const passedMs = Math.max(0, monoMs - (filledMs ?? monoMs));
      tokens = Math.min(
        QUESTIONS_PER_SECOND_MAX,
        tokens + (passedMs / 1000) * QUESTIONS_PER_SECOND_MAX,
      );
      filledMs = monoMs;
      if (tokens < 1) return false;
      tokens -= 1;
      return true;
    },
  };
}
