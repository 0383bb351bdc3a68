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
  let cover: Cover | undefined;
  const stream = () => new Scanner(patterns, () => (cover ??= coverFor(patterns)));
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

class Scanner implements Redactor {
  found = 0;
  readonly #patterns: readonly Buffer[];
  /** Asked for only where something is covered: it takes a look at every byte of every spelling. */
  readonly #cover: () => Cover;
  /** Bytes that may be the beginning of a secret. */
  #held: Buffer = Buffer.alloc(0);
  /** How many of the held bytes belong to a secret that was found before them. */
  #covered = 0;

  constructor(patterns: readonly Buffer[], cover: () => Cover) {
    this.#patterns = patterns;
    this.#cover = cover;
  }

  push(chunk: Uint8Array): Buffer {
    if (this.#patterns.length === 0) return Buffer.from(chunk);
    const bytes = Buffer.concat([this.#held, chunk]);
    return this.#release(bytes, this.#beginning(bytes));
  }

  end(): Buffer {
    return this.#release(this.#held, this.#held.length);
  }

  /** Gives `bytes` up to `until`, redacted, and holds the rest. */
  #release(bytes: Buffer, until: number): Buffer {
    const ranges = merge(this.#ranges(bytes), this.#covered);
    const out = Buffer.from(bytes.subarray(0, until));
    let covered = 0;
    for (const { from, to, isNew } of ranges) {
      if (from >= until) break; // Looked at again with what follows.
      if (isNew) this.found += 1;
      this.#cover().fill(out, from, Math.min(to, until), isNew);
      if (to > until) covered = to - until;
    }
    this.#held = Buffer.from(bytes.subarray(until));
    this.#covered = covered;
    return out;
  }

  #ranges(bytes: Buffer): Range[] {
    const ranges: Range[] = [];
    for (const pattern of this.#patterns) {
      for (let at = bytes.indexOf(pattern); at >= 0; at = bytes.indexOf(pattern, at + 1)) {
        // What ends inside of what is covered already was found before.
        const isNew = at + pattern.length > this.#covered;
        ranges.push({ from: at, to: at + pattern.length, isNew });
      }
    }
    return ranges;
  }

  /** Where the earliest secret that is not whole yet may begin. */
  #beginning(bytes: Buffer): number {
    let earliest = bytes.length;
    for (const pattern of this.#patterns) {
      const first = pattern[0] ?? 0;
      let at = bytes.indexOf(first, Math.max(0, bytes.length - pattern.length + 1));
      while (at >= 0 && at < earliest) {
        const length = bytes.length - at;
        if (bytes.compare(pattern, 0, length, at) === 0) earliest = at;
        at = bytes.indexOf(first, at + 1);
      }
    }
    return earliest;
  }
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
