import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readText } from "./sql-text.ts";

const TABLES = [
  { schema: "public", table: "orders" },
  { schema: "public", table: "customers" },
  { schema: "app", table: "weird.name" },
];
const beside = { relations: TABLES, routines: new Set(["other"]) };

const TEXTS = [
  // a text, what it does, why
  ["begin return (select count(*) from public.orders); end", "select orders read", ""],
  [
    "select * from Orders join customers using (id)",
    "select orders read; select customers read",
    "",
  ],
  ["update orders set a = 1 where id = 2; select 1", "update orders write", "a condition narrows"],
  ["update orders set a = 1; select 1 where true", "update orders write,delete", "another's WHERE"],
  ["delete from only orders", "delete orders delete", ""],
  ['insert into "public"."orders" values (1)', "insert orders write", ""],
  ["truncate table orders", "truncate orders delete", ""],
  ['select * from app."weird.name"', "select weird.name read", "a dot within a name"],
  ["-- delete from orders\nselect 1", "", "a comment"],
  ["/* delete from orders */ select 1", "", "a comment"],
  ["select * from reorders", "", "part of another name"],
  ["execute 'delete from ' || x", "anything", "SQL of text"],
  ["EXECUTE IMMEDIATE what", "anything", "SQL of text"],
  ["PREPARE s FROM @x", "anything", "SQL of text"],
  ["select x into outfile '/tmp/x' from orders", "anything", "a file"],
  ["/*!50000 delete from orders */", "anything", "a text that only some versions run"],
  ["perform other(1)", "anything", "another program"],
  ["create trigger t before insert on orders execute function f()", "anything", "it makes things"],
] as const;
for (const [text, expected, why] of TEXTS) {
  test(`${JSON.stringify(text)} does ${expected || "nothing"}${why === "" ? "" : `: ${why}`}`, () => {
    const { deeds, anything } = readText(text, "itself", beside);
    const said = deeds.map(
      ({ verb, effects, relation }) => `${verb} ${relation.table} ${effects.join()}`,
    );
    assert.equal(
      anything === undefined ? [...new Set(said)].sort().join("; ") : "anything",
      expected.split("; ").sort().join("; "),
    );
  });
}

test("what is done to a table that is not known is told, without its name", () => {
  const { elsewhere } = readText("delete from hidden.ledger; select 1 from orders", "p", beside);
  assert.deepEqual(elsewhere, [{ verb: "delete", effects: ["delete"] }]);
});

test("no text is an error", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), (text, table) => {
      readText(`select from ${text}`, "p", {
        relations: [{ schema: text, table }],
        routines: new Set(),
      });
    }),
  );
});
