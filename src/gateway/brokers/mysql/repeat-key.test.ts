/** Statements of one key are judged alike, or one that was never judged would go at once. */
import assert from "node:assert/strict";
import { before, test } from "node:test";
import fc from "fast-check";
import { mysql } from "../../../protocols/index.ts";
import { repeatKey } from "./repeat-key.ts";

before(async () => mysql.load?.());
const judged = (sql: string) => {
  const at = { host: "db", port: 3306, options: { hide: ["shop.customers.password"] } };
  const { verb, effects, parts } = mysql.describe({ sql, database: "shop" }, at);
  return JSON.stringify([verb, effects, parts]);
};

const piece = fc.constantFrom(
  ..."id note password * FROM orders customers , ( ) WHERE UNION SELECT JOIN ON = 1 2 'a' '*' 'password' `note` AS x /*c*/ LIMIT COUNT SLEEP".split(
    " ",
  ),
  "\n",
  "-- c\n",
  "FROM orders",
  "FROM customers",
);

test("one key, one judgement", () => {
  const seen = new Map<string, string>();
  const property = fc.property(fc.array(piece, { maxLength: 7 }), (pieces) => {
    const sql = `SELECT ${pieces.join(" ")}`;
    const key = repeatKey(sql, "shop");
    if (key === undefined) return;
    const before = seen.get(key);
    const now = judged(sql);
    if (before !== undefined) assert.equal(now, before, sql);
    seen.set(key, now);
  });
  fc.assert(property, { seed: 7, numRuns: 6000 });
});

test("what changes the judgement of what follows has no key, and what is no SELECT its own text", () => {
  assert.equal(repeatKey("USE other", "shop"), undefined);
  assert.equal(repeatKey(" /* x */ use other", "shop"), undefined);
  assert.equal(repeatKey("-- x\nUSE other", "shop"), undefined);
  assert.notEqual(
    repeatKey("SET time_zone = 'a'", "shop"),
    repeatKey("SET time_zone = 'b'", "shop"),
  );
  assert.notEqual(
    repeatKey("SELECT id FROM orders", "shop"),
    repeatKey("SELECT id FROM orders", "other"),
  );
  assert.notEqual(repeatKey("SELECT a FROM `b`", "shop"), repeatKey("SELECT a FROM b", "shop"));
  assert.equal(
    repeatKey("SELECT a FROM b WHERE c = 1", "shop"),
    repeatKey("SELECT a FROM b WHERE c = 22", "shop"),
  );
});
