/**
 * Redacting: a scanner for what servers answer. Each occurrence of a secret, in any of its spellings and however the
 * bytes are cut, is replaced by as many bytes, so that an announced length still holds.
 *
 * @module
 */
import { spellingsOf } from "./spellings.ts";

const MARK = "[redacted]";

/** Scans one stream, from its first byte to its end. */
export interface Redactor {
  /** What may go on by now; the end of it is held back only where a secret may have begun there. */
  push(chunk: Uint8Array): Buffer;
  /** The rest; the stream has ended. */
  end(): Buffer;
  /** How many places were redacted so far. */
  readonly found: number;
}

/** What is looked for, in every spelling: made once for all that one answer brings. */
export interface Redaction {
  /** A scanner for one stream. */
  stream(): Redactor;
  /** `text` without what is looked for. */
  text(text: string): string;
}

export function createRedaction(secrets: readonly string[]): Redaction {
  const patterns = secrets.filter((one) => one !== "").flatMap(spellingsOf);
  const starts = startsOf(patterns);
  let cover: Cover | undefined;
  const stream = () => new Scanner(starts, () => (cover ??= coverFor(patterns)));
  return {
    stream,
    text(text) {
      const redactor = stream();
      return Buffer.concat([redactor.push(Buffer.from(text)), redactor.end()]).toString("utf8");
    },
  };
}

/** A scanner for `secrets`. */
export function createRedactor(secrets: readonly string[]): Redactor {
  return createRedaction(secrets).stream();
}

/** `text` without `secrets`: for errors and logs. */
export function redactText(text: string, secrets: readonly string[]): string {
  return createRedaction(secrets).text(text);
}

/** Patterns by their first byte. Few bytes are one, so that all patterns are looked for in one pass. */
interface Starts {
  /** By byte: 0 where no pattern begins with it, else where in `patterns` those are that do. */
  readonly table: Uint8Array;
  readonly patterns: readonly (readonly Buffer[])[];
}

function startsOf(patterns: readonly Buffer[]): Starts {
  const table = new Uint8Array(256);
  const all: Buffer[][] = [[]];
  for (const pattern of patterns) {
    const first = pattern[0] ?? 0;
    // At most 255: no text of UTF-8 begins with 0xff.
    if (table[first] === 0) table[first] = all.push([]) - 1;
    all[table[first] ?? 0]?.push(pattern);
  }
  return { table, patterns: all };
}

/** Up to here one pass over the bytes costs less than a search for each pattern, which begins dearly. */
const SHORT_BYTES = 1024;
const NOTHING: Buffer = Buffer.alloc(0);

class Scanner implements Redactor {
  found = 0;
  readonly #starts: Starts;
  /** Asked for only where something is covered: it takes a look at every byte of every spelling. */
  readonly #cover: () => Cover;
  /** Bytes that may be the beginning of a secret. */
  #held = NOTHING;
  /** How many of the held bytes belong to a secret that was found before them. */
  #covered = 0;

  constructor(starts: Starts, cover: () => Cover) {
    this.#starts = starts;
    this.#cover = cover;
  }

  push(chunk: Uint8Array): Buffer {
    const fresh = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
    const bytes = this.#held.length === 0 ? fresh : Buffer.concat([this.#held, fresh]);
    const { ranges, beginning } = this.#look(bytes);
    return this.#release(bytes, ranges, beginning);
  }

  end(): Buffer {
    const bytes = this.#held;
    if (bytes.length === 0) return bytes;
    return this.#release(bytes, this.#look(bytes).ranges, bytes.length);
  }

  /** Gives `bytes` up to `until`, redacted, and holds the rest. Where nothing is covered they are not copied. */
  #release(bytes: Buffer, found: Range[], until: number): Buffer {
    const ranges = merge(found, this.#covered);
    const passed = bytes.subarray(0, until);
    const out = ranges.length === 0 ? passed : Buffer.from(passed);
    let covered = 0;
    for (const { from, to, isNew } of ranges) {
      if (from >= until) break; // Looked at again with what follows.
      if (isNew) this.found += 1;
      this.#cover().fill(out, from, Math.min(to, until), isNew);
      if (to > until) covered = to - until;
    }
    this.#held = until === bytes.length ? NOTHING : Buffer.from(bytes.subarray(until));
    this.#covered = covered;
    return out;
  }

  /** Every pattern in `bytes`, and where the earliest that is not whole yet may begin. */
  #look(bytes: Buffer): Looked {
    return bytes.length > SHORT_BYTES ? this.#search(bytes) : this.#walk(bytes);
  }

  /** Looks for all patterns in one pass. */
  #walk(bytes: Buffer): Looked {
    const { table, patterns } = this.#starts;
    const { length } = bytes;
    const ranges: Range[] = [];
    let beginning = length;
    for (let at = 0; at < length; at += 1) {
      const start = table[bytes[at] ?? 0] ?? 0;
      if (start === 0) continue;
      for (const pattern of patterns[start] ?? []) {
        const to = at + pattern.length;
        if (!agrees(bytes, at, pattern, Math.min(to, length))) continue;
        if (to <= length) ranges.push(this.#range(at, to));
        else beginning = Math.min(beginning, at);
      }
    }
    return { ranges, beginning };
  }

  /** Looks for one pattern after the other, by Node's own search. */
  #search(bytes: Buffer): Looked {
    const ranges: Range[] = [];
    let beginning = bytes.length;
    for (const pattern of this.#starts.patterns.flat()) {
      for (let at = bytes.indexOf(pattern); at >= 0; at = bytes.indexOf(pattern, at + 1)) {
        ranges.push(this.#range(at, at + pattern.length));
      }
      const first = pattern[0] ?? 0;
      let at = bytes.indexOf(first, Math.max(0, bytes.length - pattern.length + 1));
      while (at >= 0 && at < beginning) {
        if (agrees(bytes, at, pattern, bytes.length)) beginning = at;
        at = bytes.indexOf(first, at + 1);
      }
    }
    return { ranges, beginning };
  }

  #range(from: number, to: number): Range {
    // What ends inside of what is covered already was found before.
    return { from, to, isNew: to > this.#covered };
  }
}

interface Looked {
  readonly ranges: Range[];
  readonly beginning: number;
}

/** Whether `pattern` stands at `at`, as far as `end`. */
function agrees(bytes: Buffer, at: number, pattern: Buffer, end: number): boolean {
  for (let next = at + 1; next < end; next += 1) {
    if (bytes[next] !== pattern[next - at]) return false;
  }
  return true;
}

interface Range {
  readonly from: number;
  readonly to: number;
  readonly isNew: boolean;
}

/** Ranges in order, those that touch as one; `covered` bytes at the start belong to one that was told before. */
function merge(ranges: Range[], covered: number): readonly Range[] {
  const all = [...ranges].sort((a, b) => a.from - b.from);
  if (covered > 0) all.unshift({ from: 0, to: covered, isNew: false });
  const merged: Range[] = [];
  for (const range of all) {
    const last = merged.at(-1);
    if (last !== undefined && range.from < last.to) {
      merged[merged.length - 1] = { ...last, to: Math.max(last.to, range.to) };
    } else merged.push(range);
  }
  return merged;
}

/** What stands where a secret stood: bytes with which no secret can come to be there again. */
class Cover {
  readonly #byte: number;
  readonly #isMarked: boolean;

  constructor(byte: number, isMarked: boolean) {
    this.#byte = byte;
    this.#isMarked = isMarked;
  }

  fill(bytes: Buffer, from: number, to: number, isStart: boolean): void {
    bytes.fill(this.#byte, from, to);
    if (this.#isMarked && isStart && to - from >= MARK.length) bytes.write(MARK, from, "latin1");
  }
}

/**
 * A cover whose byte is in no pattern, so that none can hold it. The mark is left out where a pattern could begin,
 * end or lie in it.
 */
function coverFor(patterns: readonly Buffer[]): Cover {
  const used = new Set(patterns.flatMap((pattern) => [...pattern]));
  const candidates = Buffer.from("*#-=~._xX 0123456789");
  const every = Array.from({ length: 256 }, (_, at) => at);
  const byte = [...candidates, ...every].find((one) => !used.has(one)) ?? 0;
  const isMarked = patterns.every(
    (pattern) =>
      !pattern.includes("[") &&
      !pattern.includes("]") &&
      !MARK.includes(pattern.toString("latin1")),
  );
  return new Cover(byte, isMarked);
}
