/**
 * What is blackened before a report is made of entries, so that no part of it can show it: by class, counted, and with
 * a number for each different text, so that a reader still sees what is the same.
 *
 * Secrets are looked for by their shape: the record holds none that a run was lent (INV-56), but an agent may have
 * found or made others and typed them. A placeholder has the shape of its secret, and is blackened like one.
 *
 * @module
 */
import { TIED_BY, type Json } from "../action/index.ts";
import type { Entry } from "../api/index.ts";

export const REDACTABLE = ["secret", "mail address", "person"] as const;
export type RedactionClass = (typeof REDACTABLE)[number];

/** How often something of a class was blackened, and how many different texts that were. */
export interface Redaction {
  readonly of: RedactionClass;
  readonly places: number;
  readonly texts: number;
}

export interface Redacted {
  readonly entries: readonly Entry[];
  readonly redactions: readonly Redaction[];
  /** Numbers of the entries that are not told whole. */
  readonly touched: ReadonlySet<number>;
}

// Each is linear in its input: no repetition stands behind another that can match the same characters.
const SECRETS: readonly RegExp[] = [
  /-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[\s\S]{0,20000}?(?:-----END [A-Z ]{0,30}PRIVATE KEY-----|$)/g,
  /\b(?:sk|pk|rk)[-_](?:ant|live|test|proj|or)?[-_]?[A-Za-z0-9_-]{16,}/g,
  /\b(?:gh[opsur]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|hf_[A-Za-z0-9]{20,}|npm_[A-Za-z0-9]{20,})/g,
  /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g,
  /\bAIza[\w-]{30,}/g,
  /\bxox[abeoprs]-[\w-]{10,}/g,
  /\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/g,
  /\btskey-[\w-]{10,}/g,
];
/** After such a word a value follows; only the value is blackened. */
const NAMED =
  /((?:password|passwd|passphrase|secret|token|api[-_]?key|access[-_]?key|authorization)["']?\s{0,3}(?:[=:]|\s)\s{0,3}(?:bearer |basic )?["']?)([^\s"'&,;]{6,})/gi;
const BEARER = /(\bbearer\s)([\w.~+/-]{8,}=*)/gi;
const IN_URL = /(\b[a-z][a-z0-9+.-]{0,20}:\/\/[^\s/:@]{0,200}:)([^\s/@]{1,200})(?=@)/gi;
const MAIL = /[\w.!#$%&'*+/=?^`{|}~-]{1,64}@[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,8}/gi;

/** Members of an event that are of Cofferdam's own making: never blackened, or nothing could be looked up. */
const OWN: ReadonlySet<string> = new Set([
  ...["seq", "type", "at", "monoMs", "run", "verdict", "flow", "action", "rule"],
  ...["exeSha256", "digest", "bodySha256", "evidenceSha256", "sha256", "policy"],
]);
/** Members whose text is who decided, unless it is one of our own words there, as a policy's or a cause's `by`. */
const PERSONS: ReadonlySet<string> = new Set(["by", "before", "approver"]);
const OURS: ReadonlySet<string> = new Set(["revoke", "narrow", "approval", "finding", ...TIED_BY]);

/** A text that is no entry (a log, a task file) without secrets and mail addresses; each becomes its class. */
export function redactShapes(text: string): string {
  let left = text;
  for (const shape of SECRETS) left = left.replace(shape, "[secret]");
  for (const shape of [NAMED, BEARER, IN_URL]) {
    left = left.replace(shape, (all, before: string, value: string) =>
      value.startsWith("[secret") ? all : `${before}[secret]`,
    );
  }
  return left.replace(MAIL, "[mail address]");
}

/** `entries` without secrets and, with `persons`, without mail addresses and the names of those who decided. */
export function redactEntries(
  entries: readonly Entry[],
  options: { readonly persons: boolean },
): Redacted {
  const known = new Map(REDACTABLE.map((name) => [name, new Map<string, number>()]));
  const places = new Map<RedactionClass, number>();
  let count = 0;
  const hide = (of: RedactionClass, text: string): string => {
    const numbers = known.get(of) ?? new Map<string, number>();
    const number = numbers.get(text) ?? numbers.size + 1;
    numbers.set(text, number);
    places.set(of, (places.get(of) ?? 0) + 1);
    count += 1;
    return `[${of} ${number}]`;
  };
  const clean = (text: string): string => {
    let left = text;
    for (const shape of SECRETS) left = left.replace(shape, (one) => hide("secret", one));
    for (const shape of [NAMED, BEARER, IN_URL]) {
      left = left.replace(shape, (all, before: string, value: string) =>
        value.startsWith("[secret") ? all : `${before}${hide("secret", value)}`,
      );
    }
    return options.persons ? left.replace(MAIL, (one) => hide("mail address", one)) : left;
  };
  const person = (value: Json): Json => {
    if (Array.isArray(value)) return value.map(person);
    if (typeof value !== "string") return value;
    return OURS.has(value) ? value : hide("person", value);
  };
  const walk = (value: Json, key = ""): Json => {
    if (OWN.has(key)) return value;
    // A policy's `before` is a digest, an approval's a list of persons.
    const isPerson = PERSONS.has(key) && (key !== "before" || Array.isArray(value));
    if (options.persons && isPerson) return person(value);
    if (typeof value === "string") return clean(value);
    if (Array.isArray(value)) return walkList(value);
    if (typeof value !== "object" || value === null) return value;
    const members = Object.entries(value).map(([name, one = null]) => [
      clean(name),
      walk(one, name),
    ]);
    return Object.fromEntries(members) as Json;
  };
  /** A secret may be the word after the one that names it: `--password`, `hunter22`. */
  const walkList = (list: readonly Json[]): Json =>
    list.map((one, at) => {
      const before = list[at - 1];
      const isNamed = typeof before === "string" && NAMED_WORD.test(before);
      if (isNamed && typeof one === "string" && one !== "" && !one.startsWith("-")) {
        return hide("secret", one);
      }
      return walk(one);
    });
  const touched = new Set<number>();
  const done = entries.map((entry) => {
    const before = count;
    const clear = walk(entry) as unknown as Entry;
    if (count > before) touched.add(entry.seq);
    return count > before ? clear : entry;
  });
  const redactions = REDACTABLE.map((of) => {
    return { of, places: places.get(of) ?? 0, texts: known.get(of)?.size ?? 0 };
  });
  return { entries: done, redactions, touched };
}

const NAMED_WORD = /^--?(?:password|passwd|passphrase|secret|token|api[-_]?key|access[-_]?key)$/i;
