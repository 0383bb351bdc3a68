import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { differencesOf } from "./role.ts";
import { parseSql, SQL_BYTES_MAX } from "./grammar.ts";
import { loadGrammar, POSTGRES, skeletonOf } from "./index.ts";
import { settingKind } from "./settings.ts";

const describe = (sql: string, options = {}) =>
  POSTGRES.describe(
    { sql },
    { host: "db.example", port: 5432, options: { database: "shop", ...options } },
  );

test("before the grammar is loaded everything is unknown", () => {
  assert.equal(describe("select 1").verb, "unknown");
});

test("INV-100: what the grammar cannot read, or reads in part, is unknown", async () => {
  await loadGrammar();
  const deep = (before: string, after: string, count: number) =>
    `select ${before.repeat(count)}1${after.repeat(count)}`;
  for (const sql of [
    "select 1\0; drop table orders",
    "select '\ud800'",
    "selec 1",
    `select '${"x".repeat(SQL_BYTES_MAX)}'`,
    deep("(", ")", 100_000),
    deep("", "+1", 60_000),
    deep("array[", "]", 20_000),
    "select 1;".repeat(501),
  ]) {
    assert.equal(describe(sql).verb, "unknown", sql.slice(0, 40));
  }
  assert.equal(describe(deep("(", ")", 100)).verb, "session");
  assert.ok(parseSql("").ok);
  for (const operation of [null, 7, "select 1", {}, { sql: 1 }, { sql: "select 1", more: 1 }]) {
    const described = POSTGRES.describe(operation, {
      ...{ host: "h", port: 1, options: { database: "shop" } },
    });
    assert.equal(described.verb, "unknown");
  }
  assert.throws(() => POSTGRES.operationOf(" "), { code: "protocols.operation" });
});

test("INV-133: each statement of a message counts, and what one does in two places counts once", async () => {
  await loadGrammar();
  const counts = (sql: string) =>
    (describe(sql).parts ?? []).map(({ verb, count = 1 }) => `${verb} ${count}`).sort();
  const drop = "delete from orders where id = 1";
  assert.deepEqual(counts(drop), ["delete 1"]);
  assert.deepEqual(counts(`${drop}; ${drop}; ${drop}`), ["delete 3"]);
  assert.deepEqual(counts(`${drop}; select 1; ${drop}`), ["delete 2"]);
  assert.deepEqual(counts(`with a as (${drop} returning 1) ${drop}`), ["delete 1", "select 1"]);
});

test("whatever is written, it is described, and never milder with more behind it", async () => {
  await loadGrammar();
  const words = fc.constantFrom(
    ..."select insert into update delete from where orders ( ) , ; * 1 'a' \"b\" values set = with as returning table copy to stdout explain analyze $1 -- /* */ e'\\' u&'x' $$ :: . union all".split(
      " ",
    ),
  );
  fc.assert(
    fc.property(fc.array(words, { maxLength: 14 }), (parts) => {
      const { effects, parts: made = [] } = describe(parts.join(" "));
      assert.ok(effects.length > 0 && made.length > 0);
      const more = describe(`${parts.join(" ")}\n; drop table orders`);
      assert.ok(more.effects.includes("delete"), more.summary);
      for (const one of more.effects) assert.ok(one !== "spend");
    }),
    { numRuns: 2000, seed: 20_261_126 },
  );
});

test("texts of one skeleton are described alike", async () => {
  await loadGrammar();
  const value = fc.oneof(
    fc.nat().map(String),
    fc.stringMatching(/^[ -&(-[\]-~]{0,12}$/).map((text) => `'${text}'`),
  );
  const forms = fc.constantFrom(
    (a: string, b: string) => `select * from orders where id = ${a} and note <> ${b}`,
    (a: string, b: string) => `select ${a}, ${b}`,
    (a: string, b: string) => `values (${a}), (${b})`,
    (a: string, b: string) => `select lower(${a}) from t${b} limit ${b}`,
    (a: string, b: string) => `select nextval(${a}), set_config(${a}, ${b}, true)`,
    (a: string, b: string) => `select 1 ${a}; select ${b}`,
    (a: string, b: string) => `select date ${a}, e${b}, x.${a} from x${a}`,
  );
  const seen = new Map<string, string>();
  fc.assert(
    fc.property(forms, value, value, (form, a, b) => {
      const sql = form(a, b);
      const { fields: _, ...described } = describe(sql);
      const key = skeletonOf(sql);
      const text = JSON.stringify(described);
      if (!described.effects.every((one) => one === "read")) return;
      assert.equal(seen.get(key) ?? text, text, `${key}\n${sql}`);
      seen.set(key, text);
    }),
    { numRuns: 5000, seed: 20_261_126 },
  );
});

const SKELETONS = [
  ["select * from t where id = 7 and a = 'x'", "select * from t where id = 0 and a = '?'"],
  ["select 1;", "select 0"],
  ["select t1.c2, 1.5, 1e5 from t1", "select t1.c2, 1.5, 1e5 from t1"],
  ["select e'x'", "select e'x'"],
  ["select u&'x'", "select u&'x'"],
  ["select 'it''s'", "select 'it''s'"],
  ["select 'a\\'", "select 'a\\'"],
  ["select 1 -- x", "select 1 -- x"],
  ["select 1 /* x */", "select 1 /* x */"],
  ["select $$x$$", "select $$x$$"],
  ["select 1; select 2", "select 1; select 2"],
  ["select nextval('x')", "select nextval('x')"],
  ["select set_config('role', 'x', true)", "select set_config('role', 'x', true)"],
  ["update t set a = 1", "update t set a = 1"],
  ["set role 'x'", "set role 'x'"],
  ["execute p(1)", "execute p(1)"],
] as const;
for (const [sql, skeleton] of SKELETONS) {
  test(`skeleton of ${sql}`, () => assert.equal(skeletonOf(sql), skeleton));
}

/** The quickest of some runs, in nanoseconds: others use the machine too. */
function quickest(act: () => void): number {
  const times = Array.from({ length: 7 }, () => {
    const begin = process.hrtime.bigint();
    act();
    return Number(process.hrtime.bigint() - begin);
  });
  return Math.min(...times);
}

test("a skeleton takes time that grows with the text", () => {
  const time = (count: number) => {
    const sql = `select ${"a('x', 1), ".repeat(count)}1`;
    return quickest(() => skeletonOf(sql));
  };
  time(100);
  assert.ok(time(1600) < 80 * Math.max(time(100), 20_000));
});

test("settings: what is held is held in every spelling", () => {
  const held = { path: ["public"], isTimed: true };
  for (const [name, value, kind] of [
    ["search_path", "public", "comfort"],
    ["search_path", " public ", "comfort"],
    ["search_path", '"public"', "comfort"],
    ["search_path", "", "comfort"],
    ["search_path", "pg_catalog", "comfort"],
    ["search_path", "public, pg_catalog", "pinned"],
    ["search_path", "pg_temp", "pinned"],
    ["search_path", '"$user", public', "pinned"],
    ["Search_Path", "evil", "pinned"],
    ["search_path", undefined, "pinned"],
    ["statement_timeout", "0", "pinned"],
    ["ROLE", "x", "become"],
    ["client_encoding", "utf-8", "comfort"],
    ["client_encoding", undefined, "pinned"],
    ["something.else", "1", "other"],
  ] as const) {
    assert.equal(settingKind(name, value, held), kind, `${name} ${String(value)}`);
  }
});

test("a role is compared with its grant", () => {
  const covers = (verb: string, [, name]: readonly string[]) =>
    verb === "select" && name === "orders";
  const difference = differencesOf(
    [
      ["power", "super", ""],
      ["member", "boss", ""],
      ["table", "public.orders", "select insert "],
      ["table", "public.secrets", "select "],
      ["table", "public.closed", ""],
    ],
    covers,
  );
  assert.deepEqual(difference, {
    powers: ["superuser"],
    members: ["boss"],
    tables: ["insert public.orders", "select public.secrets"],
  });
});

test("names that every JavaScript object has are names like others", async () => {
  await loadGrammar();
  for (const name of ["constructor", "__proto__", "toString", "hasOwnProperty"]) {
    for (const sql of [
      `execute "${name}"`,
      `set "${name}" = 1`,
      `select set_config('${name}', 'x', true)`,
      `select "${name}"(1), t."${name}", 1 operator("${name}".+) 2 from "${name}" t`,
      `with "${name}" as (select 1) table "${name}"`,
      `drop table "${name}"`,
      `fetch from "${name}"`,
      `notify "${name}"`,
    ]) {
      const { parts = [] } = describe(sql);
      assert.ok(parts.length > 0, sql);
      assert.ok(!/^(select|fetch)/.test(sql) || parts.every(({ effects }) => effects.length > 0));
    }
    assert.equal(describe(`execute "${name}"`).verb, "unknown");
    assert.equal(describe(`set "${name}" = 1`).verb, "set");
  }
});

test("reading takes time that grows with the text", async () => {
  await loadGrammar();
  const ctes = (count: number) =>
    `with ${Array.from({ length: count }, (_, at) => `c${at} as (select 1)`).join(", ")} select 1`;
  const tables = (count: number) =>
    `select 1 from ${Array.from({ length: count }, (_, at) => `t${at % 900}`).join(", ")}`;
  const hide = Array.from({ length: 200 }, (_, at) => `public.x${at}.y`);
  for (const form of [ctes, tables]) {
    const time = (count: number) => {
      const sql = form(count);
      return quickest(() => describe(sql, { hide }));
    };
    time(500);
    assert.ok(time(8000) < 100 * Math.max(time(500), 2_000_000), form.name);
  }
});
