/**
 * What probes of databases share: facts with who says so, and what names of tables and columns tell.
 *
 * @module
 */
import { UNBOUNDED, type Constant, type Fact } from "../blast/index.ts";

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

  #add(predicate: string, terms: readonly Constant[], from: string, isAssumed: boolean): void {
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

const PERSONS =
  /^(?:.*_)?(?:customers?|clients?|users?|people|persons?|contacts?|members?|patients?|subscribers?|recipients?|employees?|leads?|kunden?|personen)$/;
const OF_PERSONS =
  /(?:^|_)(?:e_?mail|mail|phone|mobile|telephone|fax|first_?name|last_?name|full_?name|sur_?name|given_?name|address|street|zip|postcode|postal_?code|birth_?(?:date|day)|date_?of_?birth|dob|ssn|passport|customer_name)(?:_|$|\d)/;
const OF_MONEY =
  /(?:^|_)(?:iban|bic|swift|card|card_?number|pan|cvv|cvc|account_?(?:no|number)|sort_?code|balance)(?:_|$|\d)/;
const OF_SECRETS =
  /(?:^|_)(?:pass|passwd|password|passphrase|pwd|secret|token|api_?key|access_?key|private_?key|secret_?key|credentials?|otp|totp|salt|session_?id|recovery_?codes?)(?:_|$|\d)/;

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
