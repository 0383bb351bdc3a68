import assert from "node:assert/strict";
import { test } from "node:test";
import { readingOf } from "./database.ts";

const NAMES = [
  // a table, its columns, what it is, why
  ["t", "id email", "customer", "a column"],
  ["t", "id firstName", "customer", "written together"],
  ["wp_users", "id", "customer", "the table's own name"],
  ["Customers", "id", "customer", ""],
  ["t", "id IBAN", "money", ""],
  ["t", "id card_number", "money", ""],
  ["t", "id password_hash", "secret", ""],
  ["t", "id apiKey", "secret", ""],
  ["sessions", "session_id", "secret", ""],
  ["accounts", "email balance token", "customer money secret", "all of them"],
  ["orders", "id note amount passenger tokenizer emailed_at", "", "parts of other words"],
  ["discard", "discarded compass", "", "parts of other words"],
] as const;
for (const [table, columns, expected, why] of NAMES) {
  test(`${table} (${columns}) is ${expected || "nothing known"}${why === "" ? "" : `: ${why}`}`, () => {
    assert.equal(readingOf(table, columns.split(" ")).labels.join(" "), expected);
  });
}
