/**
 * DNS as a channel: many flows to a resolver, judged together by what the names below a domain carry.
 *
 * @module
 */
import { readDnsQuestion, type DnsQuestion } from "./dns-question.ts";
import { defineSeries, type FlowSign, type FlowView } from "./flow-detector.ts";
import { datagramsOf } from "./flow-seen.ts";

const DOMAINS_MAX = 4096;

interface Domain {
  /** Different names below it; let go of when it was told. */
  names: Set<string>;
  bytes: number;
  isTold: boolean;
}

interface State {
  readonly bytes: number;
  readonly names: number;
  readonly average: number;
  readonly domains: Map<string, Domain>;
}

const COMMON = {
  kind: "resolver",
  attack: ["T1071.004", "T1572", "T1048"],
  atlas: [],
  owasp: ["ASI10"],
} as const;

const TUNING = {
  bytes: { value: 1500, unit: "bytes", meaning: "of different names below one domain" },
  names: { value: 10, unit: "names", meaning: "at least so many different ones" },
  average: { value: 20, unit: "bytes", meaning: "how long they are on average, at least" },
} as const;

const start = ({ bytes = 1500, names = 10, average = 20 }): State => ({
  bytes,
  names,
  average,
  domains: new Map(),
});

export const DNS_DETECTORS = [
  defineSeries<State>({
    ...COMMON,
    name: "flow.dns-tunnel",
    title: "Bytes in the names below one domain",
    explanation:
      "Adds up the bytes of different names below each registered domain, over all flows to any resolver. Names of hosts repeat, and names that carry bytes do not. Block lists and virus scanners that ask by hash look alike.",
    tuning: TUNING,
    start,
    observe: (state, flow) =>
      observed(state, flow, ({ name }) => {
        const domain = registeredDomain(name);
        return [domain, name.slice(0, -domain.length - 1)];
      }),
    end: () => [],
  }),
  defineSeries<State>({
    ...COMMON,
    name: "flow.dns-spread",
    title: "Bytes in names that belong to no domain",
    explanation:
      "The same for questions below no domain that exists: one end of the channel is the resolver itself, so nothing needs to be registered.",
    tuning: TUNING,
    start,
    observe: (state, flow) =>
      observed(state, flow, ({ name }) => {
        const top = name.slice(name.lastIndexOf(".") + 1);
        return isTopLevel(top) ? undefined : [flow.seen.server.address, name];
      }),
    end: () => [],
  }),
] as const;

/** Adds the questions of `flow`, each below what `split` says. */
function observed(
  { bytes, names, average, domains }: State,
  flow: FlowView,
  split: (question: DnsQuestion) => readonly [domain: string, below: string] | undefined,
): FlowSign | undefined {
  let found: FlowSign | undefined;
  for (const question of flow.once(questionsIn)) {
    const [domain, below = ""] = split(question) ?? [];
    if (domain === undefined || below === "" || isReverse(question.name)) continue;
    const known = touch(domains, domain.toLowerCase());
    if (known.isTold || known.names.has(below)) continue;
    known.names.add(below);
    known.bytes += below.length;
    const count = known.names.size;
    if (known.bytes < bytes || count < names) continue;
    if (known.bytes < count * average) {
      // Many short names: hosts. What was counted goes, so that it is bounded.
      known.names = new Set();
      known.bytes = 0;
      continue;
    }
    known.isTold = true;
    known.names = new Set();
    found ??= { score: 0.9, why: `${count} different names carry ${known.bytes} bytes` };
  }
  return found;
}

function touch(domains: Map<string, Domain>, key: string): Domain {
  const known = domains.get(key) ?? { names: new Set(), bytes: 0, isTold: false };
  domains.delete(key);
  domains.set(key, known);
  const [oldest] = domains.keys();
  if (domains.size > DOMAINS_MAX && oldest !== undefined) domains.delete(oldest);
  return known;
}

// Of a whole link each asks each: printers, names of hosts, services.
const LOCAL_PORTS: ReadonlySet<number> = new Set([137, 138, 5353, 5355]);

/** What is asked in a flow, over UDP or TCP; empty where it is no DNS. */
export function questionsIn(flow: FlowView): readonly DnsQuestion[] {
  const { protocol, server, client, sent } = flow.seen;
  if (LOCAL_PORTS.has(server.port) || LOCAL_PORTS.has(client.port)) return [];
  if (protocol === "udp") return parsed(datagramsOf(flow.seen, "client"));
  return flow.layers[0]?.opening.protocol === "dns" ? parsed(framed(sent)) : [];
}

function parsed(messages: readonly Buffer[]): readonly DnsQuestion[] {
  const questions: DnsQuestion[] = [];
  for (const message of messages) {
    const question = readDnsQuestion(message);
    if (question === undefined) {
      if (questions.length === 0) return questions; // It is another protocol.
    } else if (!question.isAnswer) questions.push(question);
  }
  return questions;
}

/** Messages over TCP, each behind its length (RFC 1035, 4.2.2). */
function framed(bytes: Buffer): readonly Buffer[] {
  const messages: Buffer[] = [];
  for (let at = 0; at + 2 <= bytes.length;) {
    const end = at + 2 + bytes.readUInt16BE(at);
    if (end > bytes.length) break;
    messages.push(bytes.subarray(at + 2, end));
    at = end;
  }
  return messages;
}

function isReverse(name: string): boolean {
  return /\.arpa$/i.test(name);
}

// Below a country, the second label may be of the registry: co.uk, com.au, gov.br.
const SECOND = /^(?:co|com|net|org|gov|gob|gouv|ac|edu|or|ne|go|mil|sch|nom|id|ltd|plc|in|web)$/i;

/** The domain that somebody registered, as far as its form tells; the name itself where it has two labels. */
function registeredDomain(name: string): string {
  const labels = name.split(".");
  const isCountry = (labels.at(-1) ?? "").length === 2;
  const count = isCountry && SECOND.test(labels.at(-2) ?? "") ? 3 : 2;
  return labels.slice(-count).join(".");
}

// Of IANA's list of some 1,400 the long ones end in what is a word; all others are letters. A label with a digit,
// or of more letters than any (24), is none; nor are these names, which local networks use on purpose.
const TOP_LEVEL = /^(?:[a-z]{2,18}|xn--[a-z0-9-]{3,24})$/i;

function isTopLevel(label: string): boolean {
  return TOP_LEVEL.test(label);
}
