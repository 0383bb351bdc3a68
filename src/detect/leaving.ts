/**
 * What a request carries out that has no business in it: the forms of secrets, wherever in it they stand, whatever they are
 * wrapped in, and also where they are cut over several of its values or over several requests.
 *
 * This is what the gateway looks at where a request is whole; headers and bodies are on no record. What it finds goes on as
 * `carries` of the action, by kind, place and digest, and is judged there (exfil.secret).
 *
 * @module
 */
import { hash } from "node:crypto";
import type { Action } from "../action/index.ts";
import { mayHoldSecret, secretOf } from "../git/index.ts";
import { keyOf, touch } from "./bounded.ts";
import { layersOf, percentDecoded, type Layer } from "./unwrap.ts";

/** A request, as far as it can carry something. */
export interface Leaving {
  /** To whom: what is cut over several requests is put together for one host. */
  readonly host: string;
  readonly path: string;
  /** Without the question mark. */
  readonly query: string;
  /** Name in lower case and value of each field. */
  readonly headers: readonly (readonly [string, string])[];
  /** The same of fields that stand behind the body. */
  readonly trailers?: readonly (readonly [string, string])[];
  readonly body?: Uint8Array | undefined;
}

/** What a request carries: a kind of secret, where it stands, and the start of its SHA-256; never itself. */
export type Carried = NonNullable<Action["carries"]>[number];

/** What was seen in a request. */
export interface Seen {
  readonly carries: readonly Carried[];
  /** Names of known texts that stand in it wrapped or in pieces. */
  readonly known: readonly string[];
}

/** Of a longer body the start is looked at. */
const BODY_BYTES_MAX = 256 << 10;
const CARRIES_MAX = 8;
/** Values of one request that are put together, in their order. */
const VALUES_MAX = 128;
/** Different values that are remembered for a host, and for a name at it. */
const REMEMBERED_MAX = 16;
const HOSTS_MAX = 32;
const NAMES_MAX = 32;
/** In so many pieces a secret is still found. */
const PIECES_MAX = 8;
/** In a shorter name nothing has room. */
const NAME_CHARS_MIN = 16;
/** A piece of something: no sentence, no number. */
const PIECE = /^(?!\d+$)[\w+/=.~-]{4,160}$/;
/** By such names credentials are sent, and servers hand out what comes back. */
const BELONGS =
  /^(?:proxy-)?authorization$|cookie|(?:^|[-_.]|api|access|private)key(?:$|[-_.]|id)|token|secret|passw|pwd|signature|credential|session|jwt|^(?:auth|sig|code|state|policy|cursor|continuation|after|before|next)$|^x-(?:amz|goog)-/i;

/** A place of a request, and what stands there. */
interface Part {
  readonly where: string;
  readonly text: string;
}

type Value = readonly [name: string, value: string];

/** Values that went to one host, each once, in the order of their first time. */
interface Line {
  readonly values: string[];
  /** How many of them, at the end, were not looked at yet. */
  fresh: number;
  /** Whether something in it is worth a closer look; unknown where it changed since. */
  isSuspect: boolean | undefined;
}

interface Before {
  readonly all: Line;
  readonly byName: Map<string, Line>;
}

/** Values side by side, of which some may be pieces of one. */
interface List {
  readonly where: string;
  readonly values: readonly string[];
  readonly line?: Line;
}

const newLine = (): Line => ({ values: [], fresh: 0, isSuspect: undefined });

/** Looks at what leaves one run. Its state is bounded, whatever the run does. */
export class LeavingWatch {
  readonly #hosts = new Map<string, Before>();
  /** Names of the known texts that stand in a text as it is. */
  readonly #known: (text: string) => readonly string[];

  constructor(known: (text: string) => readonly string[] = () => []) {
    this.#known = known;
  }

  look(request: Leaving): Seen {
    const { parts, kept, values } = read(request);
    const carries: Carried[] = [];
    const whole = parts.map(({ text }) => text).join(APART);
    const layers = layersOf(whole);
    // Behind a word and a dash it stands by itself, too.
    const apart = whole.replaceAll(/[-.~]/g, " ");
    if ([whole, apart, ...layers.map(({ text }) => text)].some(mayHoldSecret)) {
      carries.push(...parts.flatMap(({ where, text }) => carriedIn(text, where) ?? []));
    }
    const late = (request.trailers ?? []).map(([, text]) => ({ text, isText: true }));
    const known = new Set(this.#knownIn([...layers, ...layersOf(kept), ...late]));
    const now = new Set(values.map(([, value]) => value));
    for (const list of this.#listsOf(request.host, values)) {
      if (!this.#isSuspect(list)) continue;
      const { where } = list;
      carries.push(...piecesOf(list.values, now, (text) => carriedIn(text, where)));
      const names = (text: string) => this.#knownIn([{ text, isText: true }, ...layersOf(text)]);
      for (const found of piecesOf(list.values, now, (text) => names(text)[0])) known.add(found);
    }
    return { carries: unique(carries), known: [...known] };
  }

  #knownIn(layers: readonly Layer[]): readonly string[] {
    const texts = layers.flatMap(({ text, isText }) => (isText ? [text] : []));
    return texts.length === 0 ? [] : this.#known(texts.join(APART));
  }

  /** Whether all of a list, one behind the other, may hold something: hardly any does. */
  #isSuspect({ values, line }: List): boolean {
    if (values.length < 2) return false;
    if (line?.isSuspect !== undefined) return line.isSuspect;
    // What stood there before was looked at with what was the last then.
    const some = line === undefined ? values : values.slice(1 - PIECES_MAX - line.fresh);
    const joined = some.join("");
    const layers = [{ text: joined, isText: true }, ...layersOf(joined)];
    const isSuspect =
      layers.some(({ text }) => mayHoldSecret(text)) || this.#knownIn(layers).length > 0;
    if (line !== undefined) Object.assign(line, { isSuspect, fresh: 0 });
    return isSuspect;
  }

  /** The values of this request, those of several to its host, and those of one name; notes this request's. */
  #listsOf(host: string, values: readonly Value[]): readonly List[] {
    const make = (): Before => ({ all: newLine(), byName: new Map() });
    const before = touch<Before>(this.#hosts, host, HOSTS_MAX, make);
    const lines = new Set<Line>([before.all]);
    for (const [name, value] of values) {
      const named = touch<Line>(before.byName, keyOf(name), NAMES_MAX, newLine);
      lines.add(named);
      note(before.all, value);
      note(named, value);
    }
    const lists = [...lines].map((line): List => {
      return { where: "several requests", values: line.values, line };
    });
    return [{ where: "several values", values: values.map(([, value]) => value) }, ...lists];
  }
}

/** Keeps pieces of one place from becoming one with those of another. */
const APART = "\n\n";

function note(line: Line, value: string): void {
  if (line.values.includes(value)) return;
  line.values.push(value);
  if (line.values.length > REMEMBERED_MAX) line.values.shift();
  line.fresh += 1;
  line.isSuspect = undefined;
}

/** The first secret in `text`, plain or wrapped. */
function carriedIn(text: string, where: string): Carried | undefined {
  const apart = text.replaceAll(/[-.~]/g, " ");
  for (const one of [text, apart, ...layersOf(text).map((layer) => layer.text)]) {
    const secret = secretOf(one);
    if (secret === undefined) continue;
    const digest = hash("sha256", secret.text).slice(0, 16);
    return { what: secret.kind, where: one === text ? where : `${where}, wrapped`, digest };
  }
  return undefined;
}

/**
 * What neighbours in a list are together, where none of them can be left out and one of them is of this request: so what
 * was told of before is not told again of whatever follows it.
 */
function piecesOf<Found>(
  list: readonly string[],
  now: ReadonlySet<string>,
  find: (text: string) => Found | undefined,
): readonly Found[] {
  const all: Found[] = [];
  for (let to = 1; to < list.length; to += 1) {
    for (let from = to - 1; from >= Math.max(0, to - PIECES_MAX + 1); from -= 1) {
      const pieces = list.slice(from, to + 1);
      if (!pieces.some((one) => now.has(one))) continue;
      const found = find(pieces.join(""));
      if (found === undefined) continue;
      const isLess = [pieces.slice(0, -1), pieces.slice(1)].some(
        (fewer) => find(fewer.join("")) !== undefined,
      );
      if (!isLess) all.push(found);
      break;
    }
  }
  return all;
}

function unique(carries: readonly Carried[]): readonly Carried[] {
  const byDigest = new Map(carries.toReversed().map((one) => [one.digest, one]));
  return [...byDigest.values()].toReversed().slice(0, CARRIES_MAX);
}

/** The places of a request, what stands where credentials belong, and its values one by one. */
function read({ path, query, headers, trailers = [], body }: Leaving) {
  const parts: Part[] = [];
  const kept: string[] = [];
  const values: Value[] = [];
  const take = (where: string, pairs: readonly Value[]) => {
    const own: string[] = [];
    for (const [name, value] of pairs) {
      if (name.length >= NAME_CHARS_MIN) own.push(name);
      if (value === "") continue;
      if (BELONGS.test(name)) {
        kept.push(value);
        continue;
      }
      own.push(value);
      const plain = percentDecoded(value);
      if (PIECE.test(plain) && values.length < VALUES_MAX) values.push([name, plain]);
    }
    // Behind a word and a dash it stands by itself, too.
    const text = own.join(APART);
    if (text !== "")
      parts.push({ where, text: `${text}${APART}${text.replaceAll(/[-.~]/g, " ")}` });
  };
  take("the query", pairsOf(query));
  take("the path", segmentsOf(path));
  if (body !== undefined && body.length > 0) {
    const text = textOf(body);
    parts.push({ where: "the body", text });
    take("the body", valuesOf(text));
  }
  for (const [name, value] of [...headers, ...trailers])
    take(`the header ${shownName(name)}`, [[name, value]]);
  return { parts, kept: kept.join(APART), values };
}

function shownName(name: string): string {
  return name.slice(0, 40).replaceAll(/[^\w-]/g, "?");
}

function pairsOf(query: string): readonly Value[] {
  return query.split("&", 256).map((pair): Value => {
    const at = pair.indexOf("=");
    return at < 0 ? ["", pair] : [pair.slice(0, at), pair.slice(at + 1)];
  });
}

/** Each segment, without the ending of a file's name. */
function segmentsOf(path: string): readonly Value[] {
  return path
    .split("/", 64)
    .map((segment, at): Value => [`/${at}`, segment.replace(/\.[a-z\d]{1,5}$/i, "")]);
}

/** A body as text, unpacked where it is packed. */
function textOf(body: Uint8Array): string {
  const start = Buffer.from(body.buffer, body.byteOffset, Math.min(body.length, BODY_BYTES_MAX));
  const text = start.toString("latin1");
  const isPacked = text.startsWith("\x1f\x8b") || text.startsWith("x");
  const [first] = isPacked ? layersOf(text) : [];
  const plain = first?.text ?? text;
  // UTF-16 is read as well: its other bytes are NUL.
  return plain.includes("\0") ? `${plain}${APART}${plain.replaceAll("\0", "")}` : plain;
}

/** The values of a form, or the texts of JSON. */
function valuesOf(text: string): readonly Value[] {
  if (/^\s*[{[]/.test(text)) {
    const texts: Value[] = [];
    try {
      JSON.parse(text, (name, value: unknown) => {
        if (typeof value === "string" && texts.length < 1024) texts.push([name, value]);
        return value;
      });
    } catch {
      return []; // No JSON: it was looked at as it is.
    }
    return texts;
  }
  return /^[^\s=]+=[^\s]*$/.test(text) ? pairsOf(text) : [];
}
