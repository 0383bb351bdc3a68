/** MariaDB and MySQL, described: nothing throws, nothing is read in two ways, and no table is overlooked. */
import assert from "node:assert/strict";
import { before, test } from "node:test";
import fc from "fast-check";
import { UNKNOWN_VERB } from "../../action/index.ts";
import { mysql, readParameters, readStatement, tokensOf, writeParameters } from "./index.ts";
import { createUserStatements, dropUserStatements } from "./mint.ts";

before(async () => mysql.load?.());
const AT = { host: "db.example", port: 3306, options: {} };
const describe = (sql: string) => mysql.describe({ sql, database: "shop" }, AT);

test("whatever the operation is, it is described", () => {
  const property = fc.property(fc.jsonValue(), fc.jsonValue(), (operation, options) => {
    const one = mysql.describe(operation, { ...AT, options: options });
    assert.equal(one.verb, UNKNOWN_VERB);
  });
  fc.assert(property, { seed: 1, numRuns: 300 });
});

const PIECES = [
  "SELECT",
  "id",
  "*",
  "FROM",
  "orders",
  "customers",
  ",",
  "(",
  ")",
  "WHERE",
  "UNION",
  "JOIN",
  "ON",
  "USING",
  "'a'",
  '"b"',
  "`c`",
  "/*",
  "*/",
  "/*!",
  "--",
  "-- ",
  "#",
  "\n",
  ";",
  "\\",
  "'",
  "@x",
  "?",
  "1",
  "=",
  "INSERT",
  "INTO",
  "VALUES",
  "UPDATE",
  "SET",
  "DELETE",
  "AS",
  "WITH",
  "x",
  "IN",
  "EXISTS",
  ".",
  "shop",
  "other",
  "INTO OUTFILE '/x'",
  "SLEEP(1)",
  "FOR UPDATE",
];

test("whatever the text is, it is described, and what is understood names its tables", () => {
  const property = fc.property(
    fc.array(fc.constantFrom(...PIECES), { maxLength: 14 }),
    (pieces) => {
      const sql = pieces.join(" ");
      const { verb, effects, parts = [] } = describe(sql);
      assert.ok(effects.length > 0);
      if (verb === UNKNOWN_VERB || /['"`]|--|#|\/\*/.test(sql)) return;
      // Without strings and comments, a table's name after FROM or JOIN is a table.
      for (const [, name] of sql.matchAll(
        /(?:FROM|JOIN|INTO|UPDATE) (orders|customers)\b(?! \.)/g,
      )) {
        assert.ok(
          parts.some(({ object }) => object?.[1] === name),
          `${sql}: ${JSON.stringify(parts)}`,
        );
      }
    },
  );
  fc.assert(property, { seed: 2, numRuns: 5000 });
});

test("a text in which any bytes stand in a string is one string, or not read", () => {
  const property = fc.property(fc.string({ unit: "binary", maxLength: 20 }), (value) => {
    const escaped = value.replaceAll("\\", "\\\\").replaceAll("'", "''");
    const tokens = tokensOf(`SELECT '${escaped}' FROM orders`);
    assert.deepEqual(
      tokens.map(({ kind }) => kind),
      ["word", "string", "word", "word"],
    );
  });
  fc.assert(property, { seed: 3, numRuns: 2000 });
});

test("tokens lie behind one another, and what lies between is white space or a comment", () => {
  const property = fc.property(
    fc.array(fc.constantFrom(...PIECES), { maxLength: 12 }),
    (pieces) => {
      const sql = pieces.join(" ");
      let at = 0;
      for (const { start, end, raw } of tokensOf(sql)) {
        assert.equal(sql.slice(start, end), raw);
        assert.match(
          sql.slice(at, start),
          /^(?:\s|\/\*[^]*?\*\/|#[^\n]*(?:\n|$)|-- ?[^\n]*(?:\n|$))*$/,
        );
        at = end;
      }
    },
  );
  fc.assert(property, { seed: 4, numRuns: 3000 });
});

test("reading takes time by its length, not by its square", () => {
  const long = `SELECT id FROM orders WHERE id IN (${"1, ".repeat(40_000)}1)`;
  const start = performance.now();
  tokensOf(long);
  readStatement("(".repeat(5000), { database: "shop", hidden: [] });
  tokensOf("/*".repeat(50_000));
  tokensOf("'".repeat(50_001));
  // The grammar alone would take minutes for these.
  for (const deep of [
    "EXISTS (SELECT 1 FROM orders WHERE ",
    "(SELECT ",
    "((",
    "CASE WHEN 1 THEN ",
  ]) {
    readStatement(`SELECT 1 FROM orders WHERE ${deep.repeat(30)} 1 1`, {
      database: "shop",
      hidden: [],
    });
  }
  readStatement(long, { database: "shop", hidden: [] });
  assert.ok(performance.now() - start < 2000);
});

test("parameters are read to their last byte, or not at all", () => {
  const types = fc.constantFrom(1, 2, 3, 4, 5, 8, 253, 254, 12, 0x8003);
  const property = fc.property(
    fc.array(fc.tuple(types, fc.uint8Array({ maxLength: 20 }), fc.boolean()), {
      minLength: 1,
      maxLength: 9,
    }),
    (given) => {
      const values = given.map(([type, bytes, isNull]) => {
        if (isNull) return undefined;
        const sizes: Readonly<Record<number, number>> = { 1: 1, 2: 2, 3: 4, 4: 4, 5: 8, 8: 8 };
        const size = sizes[type & 0xff];
        if (size !== undefined) return Buffer.alloc(size, bytes[0] ?? 0);
        const text = Buffer.from(bytes.subarray(0, 12));
        return Buffer.concat([Buffer.from([text.length]), text]);
      });
      const parameters = { types: given.map(([type]) => type), values };
      const block = writeParameters(parameters);
      assert.deepEqual(readParameters(block, given.length), parameters);
      assert.equal(
        readParameters(Buffer.concat([block, Buffer.from([0])]), given.length),
        undefined,
      );
      assert.equal(readParameters(block.subarray(0, -1), given.length), undefined);
    },
  );
  fc.assert(property, { seed: 5, numRuns: 1000 });
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), fc.nat(5), (bytes, count) => {
      readParameters(Buffer.from(bytes), count);
    }),
    { seed: 6, numRuns: 3000 },
  );
});

const LOGIN = {
  user: "cofferdam-r-1",
  password: "0123456789abcdef",
  database: "my_shop",
  hidden: [],
};

test("a user of one run has the rights of its rules and no more", () => {
  const made = createUserStatements({
    ...LOGIN,
    rules: [
      { verbs: ["select", "show"], on: [["my_shop", "*"]] },
      { verbs: ["insert"], on: [["my_shop", "ord`ers"]] },
      { verbs: ["call"], on: [["my_shop", "refund"]] },
    ],
  });
  assert.deepEqual(made, [
    "CREATE USER 'cofferdam-r-1'@'%' IDENTIFIED BY '0123456789abcdef'",
    "GRANT SELECT ON `my\\_shop`.* TO 'cofferdam-r-1'@'%'",
    "GRANT INSERT, SELECT ON `my_shop`.`ord``ers` TO 'cofferdam-r-1'@'%'",
    "GRANT EXECUTE ON PROCEDURE `my_shop`.`refund` TO 'cofferdam-r-1'@'%'",
  ]);
  assert.deepEqual(dropUserStatements("cofferdam-r-1"), [
    "DROP USER IF EXISTS 'cofferdam-r-1'@'%'",
  ]);
});

for (const [why, change] of [
  ["every database", { rules: [{ verbs: ["*"], on: [["**"]] }] }],
  ["a part of a name", { rules: [{ verbs: ["select"], on: [["shop", "ord*"]] }] }],
  ["a part of a database", { rules: [{ verbs: ["select"], on: [["sh*", "orders"]] }] }],
  ["no object and no database", { database: undefined, rules: [{ verbs: ["select"] }] }],
  ["hidden columns", { hidden: ["a.b.c"], rules: [{ verbs: ["select"], on: [["shop", "*"]] }] }],
  ["a user with a quote", { user: "a'b", rules: [] }],
  ["a password with a quote", { password: "'; DROP USER root; -- ", rules: [] }],
] as const) {
  test(`what rights cannot hold is refused, not widened: ${why}`, () => {
    assert.throws(() => createUserStatements({ ...LOGIN, ...change }), { code: "protocols.mint" });
  });
}
