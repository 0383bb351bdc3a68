/** Redis, described: whatever is asked, it is told without a throw, and a rule over some keys covers only those. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { SESSION_VERB, UNKNOWN_VERB, type Json } from "../../action/index.ts";
import { plainReadOf, redis } from "./index.ts";
import { REDIS_COMMANDS } from "./command-table.ts";

const AT = { host: "cache.example", port: 6379, options: { databases: [0] } };
const describe = (...words: Json[]) => redis.describe({ database: 0, commands: [words] }, AT);

test("every row of the table can be read, and what it needs is asked for", () => {
  for (const [name, row] of Object.entries(REDIS_COMMANDS)) {
    const words = name.split(".");
    const described = describe(...words);
    if (row === "-") assert.equal(described.verb, SESSION_VERB, name);
    else if (!row.includes(":*") || row.includes(" ")) {
      assert.equal(described.verb, UNKNOWN_VERB, `${name} without its keys is not understood`);
    } else assert.equal(described.verb, name);
    if (!row.startsWith("@"))
      assert.match(row, /^(?:!|-|[rpwsxda]+:(?:\*|n?\d+(?:-(?:\/2|-1)?)?)( |$))+/, name);
  }
});

test("a key that stands anywhere among the arguments is a part, or the whole is not understood", () => {
  const names = Object.keys(REDIS_COMMANDS).filter((name) => REDIS_COMMANDS[name] !== "-");
  const word = fc.constantFrom(
    "app:1",
    "app:2",
    "1",
    "2",
    "STREAMS",
    "STORE",
    "BY",
    "GET",
    "MATCH",
    "0",
    "KEYS",
    "",
  );
  const property = fc.property(
    fc.constantFrom(...names),
    fc.array(word, { maxLength: 8 }),
    (name, rest) => {
      const { verb, effects, parts = [] } = describe(...name.split("."), ...rest);
      assert.ok(effects.length > 0);
      if (verb === UNKNOWN_VERB) return;
      assert.ok(parts.length > 0 || verb === SESSION_VERB, `${name} ${rest.join(" ")}`);
      for (const { object = [] } of parts) {
        assert.ok(object[0] === "*" || rest.some((one) => one.includes(object[0] ?? "?")), name);
      }
    },
  );
  fc.assert(property, { seed: 288, numRuns: 3000 });
});

test("INV-133: each command of a transaction counts, and a key that one names twice counts once", () => {
  const commands = [
    ["DEL", "app:1"],
    ["DEL", "app:1", "app:1"],
    ["DEL", "app:2"],
  ];
  const { parts } = redis.describe({ database: 0, commands }, AT);
  assert.deepEqual(
    parts?.map(({ object, count }) => [object?.[0], count]),
    [
      ["app:1", 2],
      ["app:2", undefined],
    ],
  );
});

test("whatever the operation is, it is described", () => {
  const property = fc.property(fc.jsonValue(), fc.jsonValue(), (operation, options) => {
    const one = redis.describe(operation, { ...AT, options: options });
    assert.equal(one.verb, UNKNOWN_VERB);
    assert.equal(redis.describe({ database: 0, commands: operation }, AT).effects.length > 0, true);
  });
  fc.assert(property, { seed: 289, numRuns: 500 });
});

/** The server's own reading of a pattern, in as far as it has `*`, `?` and plain classes. */
function globMatches(glob: string, text: string): boolean {
  const source = glob.replaceAll(/\[[^\]]*\]|[\s\S]/g, (one) => {
    if (one === "*") return "[^]*";
    if (one === "?") return "[^]";
    return one.startsWith("[") && one.length > 2 ? one : one.replaceAll(/[^\w]/g, "\\$&");
  });
  return new RegExp(`^${source}$`).test(text);
}

test("INV-111: what a granted pattern covers, its rule covers: no key beyond comes back from KEYS", () => {
  const glob = fc.array(fc.constantFrom("a", "b", ":", "*", "?", "[ab]", "[^a]"), { maxLength: 6 });
  const text = fc.array(fc.constantFrom("a", "b", ":", "c"), { maxLength: 6 });
  const rule = fc.array(fc.constantFrom("a", "b", ":", "*"), { minLength: 1, maxLength: 4 });
  const property = fc.property(glob, text, rule, (pattern, key, allowed) => {
    const [part] = describe("KEYS", pattern.join("")).parts ?? [];
    const reach = part?.object?.[0] ?? "*";
    const covers = (one: string) => globMatches(allowed.join("").replaceAll(/\*+/g, "*"), one);
    if (!globMatches(pattern.join(""), key.join("")) || !covers(reach)) return;
    assert.ok(covers(key.join("")), `${pattern.join("")} reaches ${key.join("")}`);
  });
  fc.assert(property, { seed: 290, numRuns: 20_000 });
});

test("what goes at once because the same was allowed before is only what reads, by keys and database", () => {
  const key = (database: number, ...words: string[]) =>
    plainReadOf(
      words.map((word) => Buffer.from(word)),
      database,
    );
  assert.equal(key(0, "GET", "a"), key(0, "get", "a"));
  assert.notEqual(key(0, "GET", "a"), key(1, "GET", "a"));
  assert.notEqual(key(0, "GET", "a"), key(0, "GET", "b"));
  assert.notEqual(key(0, "MGET", "a b"), key(0, "MGET", "a", "b"));
  assert.notEqual(key(0, "MGET", "a 1 b"), key(0, "MGET", "a", "b"));
  for (const words of [
    ["SET", "a", "b"],
    ["GETDEL", "a"],
    ["GETEX", "a"],
    ["SELECT", "1"],
    ["KEYS", "a"],
    ["EVAL", "x", "0"],
    ["GET"],
    ["CONFIG", "GET", "a"],
  ]) {
    assert.equal(key(0, ...words), undefined, words.join(" "));
  }
});
