/**
 * Notices names that carry data or probe, rather than name a host. Nothing leaves by the resolver, so
 * this only finds intent; it never changes an answer. Pure: time comes with each question.
 *
 * @module
 */

/**
 * What can be odd, and from which time in a run it is worth a finding. Single odd names occur in use;
 * sixteen of them are a channel, also one whose domains all differ. A power of two: then it is told.
 */
export const ODD_KINDS = {
  /** No DNS message, or one that contradicts itself. */
  malformed: Number.POSITIVE_INFINITY,
  /** A name of bytes that no host name has. */
  "odd-name": 16,
  /** A record type that tools use to carry data (NULL, KEY, private types), or that lists zones. */
  "odd-type": 16,
  "long-name": 16,
  "long-label": 16,
  "many-labels": 16,
  "high-entropy": 16,
  /** Many bytes of different names below one domain: what every DNS tunnel must do. */
  volume: 1,
  /** More new names in a minute than any tool asks for. */
  "many-names": 1,
  /** Many addresses asked for their names: a sweep. */
  "reverse-sweep": 1,
  /** More questions in a second than are answered. */
  rate: Number.POSITIVE_INFINITY,
  /** The run has used up its names. */
  "pool-full": 1,
} as const;
export type OddKind = keyof typeof ODD_KINDS;

/** Something odd. Told at the 1st, 2nd, 4th, 8th, ... time of its kind, so a flood stays small. */
export interface Odd {
  readonly kind: OddKind;
  /** One sentence; a name in it is cut and escaped. */
  readonly detail: string;
  /** How often the kind was seen in this run, this time included. */
  readonly count: number;
  /** Whether this is worth a finding ({@link ODD_KINDS}). */
  readonly suspicious: boolean;
}

/** When a name is odd, with the reason for each measure. */
export const LIMITS = {
  /** Load balancers' generated names reach 100 characters; tunnels fill up to 253. */
  nameChars: 150,
  /** Published heuristic for tunnels; UUIDs have 36, 32 is a hash in hexadecimal. */
  labelChars: 52,
  /** Names in use have up to 7; reverse names (34) are not counted. */
  labels: 10,
  /** Bits a character: hexadecimal has at most 4.0, words about 3.5, base32 of random bytes 4.3. */
  entropyBits: 4.0,
  /** In shorter runs of letters and digits entropy says nothing; generated names join words by hyphens. */
  entropyChars: 24,
  /** Bytes of different names below one domain. Measured: tunnels 7,900 and more, others at most 149. */
  volumeBytes: 1500,
  /** ... and so many different names at least: one long name is no channel. */
  volumeNames: 10,
  /** New names in a minute; a page in a browser has up to 100, a package manager under 10. */
  newNamesPerMinute: 300,
  /** Different foreign addresses asked for their names; logs and `ss` without -n ask for a few. */
  reverseNames: 16,
} as const;

const DOMAINS_MAX = 1024; // Domains watched at once; the one longest in the list makes room.
const NAMES_MAX = 1024; // Names remembered to tell new ones; the same.
const MINUTE_MS = 60_000;

/** Looks at the names that one run asks for. */
export interface NameWatch {
  /** Notes a question for `name` (escaped text, lower case). */
  note(name: string, monoMs: number): readonly Odd[];
  /** Notes a question for the name of an address that is none of the run's own. */
  noteReverse(name: string): Odd | undefined;
  /** Notes that `kind` was seen; a result where it is to be told. */
  count(kind: OddKind, detail: string): Odd | undefined;
}

interface Domain {
  readonly names: Set<string>;
  bytes: number;
  over: boolean;
}

/** A watch that has seen nothing. */
export function createNameWatch(): NameWatch {
  const counts = new Map<OddKind, number>();
  const domains = new Map<string, Domain>();
  const known = new Set<string>();
  const reverse = new Set<string>();
  let minute = { startMs: 0, names: 0 };

  function count(kind: OddKind, detail: string): Odd | undefined {
    const times = (counts.get(kind) ?? 0) + 1;
    counts.set(kind, times);
    const told = (times & (times - 1)) === 0; // 1, 2, 4, 8, ...
    return told ? { kind, detail, count: times, suspicious: times >= ODD_KINDS[kind] } : undefined;
  }

  /** Whether the bytes of different names below `domain` pass the measure with this name. */
  function passesVolume(domain: string, below: string): boolean {
    const entry = domains.get(domain) ?? { names: new Set(), bytes: 0, over: false };
    if (entry.over) return false;
    if (entry.names.has(below)) return false;
    entry.names.add(below);
    entry.bytes += below.length;
    remember(domains, domain, entry);
    entry.over = entry.bytes >= LIMITS.volumeBytes && entry.names.size >= LIMITS.volumeNames;
    if (entry.over) entry.names.clear();
    return entry.over;
  }

  function passesNewNames(name: string, monoMs: number): boolean {
    if (known.has(name)) return false;
    if (known.size >= NAMES_MAX) known.delete(first(known));
    known.add(name);
    if (monoMs - minute.startMs >= MINUTE_MS) minute = { startMs: monoMs, names: 0 };
    minute.names += 1;
    return minute.names === LIMITS.newNamesPerMinute;
  }

  function passesReverse(name: string): boolean {
    if (reverse.size >= LIMITS.reverseNames || reverse.has(name)) return false;
    reverse.add(name);
    return reverse.size === LIMITS.reverseNames;
  }

  return {
    count,
    noteReverse(name) {
      if (!passesReverse(name)) return undefined;
      return count("reverse-sweep", `${LIMITS.reverseNames} addresses asked for their names`);
    },
    note(name, monoMs) {
      const shown = name.length > 80 ? `${name.slice(0, 80)}...` : name;
      const odd: (Odd | undefined)[] = [];
      if (passesNewNames(name, monoMs)) {
        odd.push(count("many-names", `${LIMITS.newNamesPerMinute} new names in a minute`));
      }
      if (name.endsWith(".arpa")) return odd.filter((one) => one !== undefined);
      for (const [kind, why] of oddShapes(name)) odd.push(count(kind, `${why}: ${shown}`));
      const domain = registeredDomain(name);
      if (passesVolume(domain, name.slice(0, Math.max(0, name.length - domain.length - 1)))) {
        odd.push(count("volume", `many long names below ${domain.slice(0, 80)}`));
      }
      return odd.filter((one) => one !== undefined);
    },
  };
}

/** What is odd about the look of one name. */
export function oddShapes(name: string): readonly (readonly [OddKind, string])[] {
  const labels = name.split(".");
  const longest = Math.max(...labels.map((label) => label.length));
  const odd: (readonly [OddKind, string])[] = [];
  if (name.length >= LIMITS.nameChars) odd.push(["long-name", `${name.length} characters`]);
  if (longest >= LIMITS.labelChars) odd.push(["long-label", `a label of ${longest} characters`]);
  if (labels.length >= LIMITS.labels) odd.push(["many-labels", `${labels.length} labels`]);
  const random = name
    .split(/[^a-z0-9]/)
    .some((run) => run.length >= LIMITS.entropyChars && entropyBits(run) > LIMITS.entropyBits);
  if (random) odd.push(["high-entropy", "a label like random text"]);
  return odd;
}

/** Shannon entropy of `text` in bits a character. */
export function entropyBits(text: string): number {
  const times = new Map<string, number>();
  for (const sign of text) times.set(sign, (times.get(sign) ?? 0) + 1);
  let bits = 0;
  for (const n of times.values()) bits -= (n / text.length) * Math.log2(n / text.length);
  return bits;
}

/**
 * The domain that somebody registered, roughly: two labels, or three below a country's second level
 * (`example.co.uk`). A wrong guess only joins or splits counts.
 */
function registeredDomain(name: string): string {
  const labels = name.split(".");
  const [second = "", top = ""] = labels.slice(-2);
  return labels.slice(top.length === 2 && second.length <= 3 ? -3 : -2).join(".");
}

/** Sets `key`, dropping the oldest entry where there is no room. */
function remember(domains: Map<string, Domain>, key: string, entry: Domain): void {
  if (!domains.has(key) && domains.size >= DOMAINS_MAX) domains.delete(first(domains.keys()));
  domains.set(key, entry);
}

function first(values: Iterable<string>): string {
  for (const value of values) return value;
  return "";
}
