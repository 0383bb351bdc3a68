/**
 * What probes of databases share: facts with who says so, and what names of tables and columns tell.
 *
 * @module
 */
import type { z } from "zod";
import { UNBOUNDED, type Constant, type Fact } from "../blast/index.ts";
import type { Reply } from "./probe.ts";

/** Of one probe: a system that names ever more things fills no memory. */
const FACTS_MAX = 200_000;

/** Facts of one probe, as they are found. */
export class FactBook {
  readonly facts: Fact[] = [];
  readonly notes: string[] = [];
  readonly #at: string;
  readonly #known = new Set<string>();

  /** `at` is when, RFC 3339. */
  constructor(at: string) {
    this.#at = at;
  }

  /** A fact that the system said; `what` is where it says so: `pg_roles`. */
  told(what: string, predicate: string, ...terms: readonly Constant[]): void {
    this.#add(predicate, terms, `asked ${this.#at}: ${what}`, false);
  }

  /** A fact that nobody said, and that counts at its worst; `why` is shown. */
  assume(why: string, predicate: string, ...terms: readonly Constant[]): void {
    this.#add(predicate, terms, why, true);
  }

  /** There were more than {@link FACTS_MAX}: those that are there would be too few. */
  get isFull(): boolean {
    return this.facts.length >= FACTS_MAX;
  }

  #add(predicate: string, terms: readonly Constant[], from: string, isAssumed: boolean): void {
    if (this.isFull) return;
    const key = JSON.stringify([predicate, ...terms]);
    if (this.#known.has(key)) return;
    this.#known.add(key);
    this.facts.push({ predicate, terms, persons: 0, from, isAssumed });
  }
}

/** What rows of a table are, by its own name and those of its columns. */
export interface Reading {
  /** `customer`, `money`, `secret`. */
  readonly labels: readonly string[];
  /** Columns that hold what opens something. */
  readonly secrets: readonly string[];
}

const wordsIn = (words: string) => words.trim().split(/\s+/).join("|");
/** One of `words`, as a part of a name in snake case; `_?` within a word stands for a part that may be run together. */
const partOf = (words: string) => new RegExp(`(?:^|_)(?:${wordsIn(words)})(?:_|$|\\d)`);

const PERSONS = new RegExp(
  `^(?:.*_)?(?:${wordsIn(
    `customers? clients? users? people persons? contacts? members? patients? subscribers? recipients?
    employees? leads? kunden? personen`,
  )})$`,
);
const OF_PERSONS = partOf(
  `e_?mail mail phone mobile telephone fax first_?name last_?name full_?name sur_?name given_?name address street
  zip postcode postal_?code birth_?(?:date|day) date_?of_?birth dob ssn passport customer_name`,
);
const OF_MONEY = partOf(
  `iban bic swift card card_?number pan cvv cvc account_?(?:no|number) sort_?code balance`,
);
const OF_SECRETS = partOf(
  `pass passwd password passphrase pwd secret token api_?key access_?key private_?key secret_?key credentials?
  otp totp salt session_?id recovery_?codes?`,
);

/** Reads names: `fullName` is read as `full_name`. */
export function readingOf(table: string, columns: readonly string[]): Reading {
  const words = columns.map((column) => ({ column, word: wordsOf(column) }));
  const isPersons = PERSONS.test(wordsOf(table)) || words.some(({ word }) => OF_PERSONS.test(word));
  const secrets = words.filter(({ word }) => OF_SECRETS.test(word)).map(({ column }) => column);
  return {
    labels: [
      ...(isPersons ? ["customer"] : []),
      ...(words.some(({ word }) => OF_MONEY.test(word)) ? ["money"] : []),
      ...(secrets.length > 0 ? ["secret"] : []),
    ],
    secrets,
  };
}

function wordsOf(name: string): string {
  return name.replaceAll(/([a-z0-9])([A-Z])/g, "$1_$2").toLowerCase();
}

/** A count as a fact has it. */
export function amountOf(count: number): Constant {
  return Number.isSafeInteger(count) && count >= 0 ? count : UNBOUNDED;
}

const PAGE_ROWS = 1000;
const PAGE_ROWS_MIN = 10;
/** Of one question; more is not told. */
const ROWS_MAX = 10_000;

/** Rows of an answer, and why they are not all. */
export interface Told<Row> {
  readonly rows: readonly Row[];
  readonly problem?: string;
}

/**
 * Asks page by page, `limit N offset M`, and reads the one column of each row as JSON of `schema`. What is refused, cut or
 * not understood is told as such.
 */
export async function pagesOf<Row>(
  ask: (page: string) => Promise<Reply>,
  schema: z.ZodType<Row>,
): Promise<Told<Row>> {
  const rows: Row[] = [];
  let size = PAGE_ROWS;
  while (rows.length < ROWS_MAX) {
    const reply = await ask(`limit ${size} offset ${rows.length}`);
    if (reply.isCut && size > PAGE_ROWS_MIN) {
      size = Math.max(PAGE_ROWS_MIN, Math.floor(size / 4));
      continue;
    }
    if (reply.isCut) return { rows, problem: "an answer is longer than is kept" };
    if (reply.status !== 200)
      return { rows, problem: reply.failure ?? "the server refused the question" };
    const values = valuesOf(reply);
    for (const value of values) {
      const read = schema.safeParse(value);
      if (!read.success) return { rows, problem: "an answer is not understood" };
      rows.push(read.data);
    }
    if (values.length < size) return { rows };
  }
  return { rows, problem: `more than ${ROWS_MAX} rows` };
}

/** The first column of each row, as JSON. */
export function valuesOf({ rows = [] }: Reply): readonly unknown[] {
  return rows.map((row): unknown => {
    try {
      return JSON.parse(row[0] ?? "");
    } catch {
      return undefined;
    }
  });
}
