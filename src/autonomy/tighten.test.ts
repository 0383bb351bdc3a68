import assert from "node:assert/strict";
import { test } from "node:test";
import type { Entry } from "../api/index.ts";
import { parseTaskFile, type Task } from "../policy/index.ts";
import { historyOf, tighten } from "./index.ts";

const SOURCE = `task: shop
purpose: Keep the shop in order.
grants:
  - system: http
    name: shop
    hosts: [shop.example.com]
    allow:
      - { methods: [GET, POST], paths: ["/**"] }
`;
const NOW = Date.parse("2026-11-27T12:00:00.000Z");
const parse = (source: string): Task => parseTaskFile(source, "shop.yaml", NOW, new Map());

function tightened(...paths: readonly string[]) {
  const entry = (seq: number, more: Omit<Entry, "seq" | "at" | "monoMs">): Entry => ({
    ...{ seq, at: "2026-11-27T11:00:00.000Z", monoMs: 0, run: "r-1" },
    ...more,
  });
  const entries = paths.map((path, at) =>
    entry(at + 1, {
      ...{ type: "action", action: `a-${at}`, verdict: "allow", rule: "grants[0].allow[0]" },
      ...{ system: "shop", target: `https://shop.example.com${path}` },
      data: {
        ...{ kind: "http", verb: "GET", effects: ["read"] },
        fields: { method: "GET", scheme: "https", host: "shop.example.com", port: 443, path },
      },
    }),
  );
  const start = entry(0, { type: "run.start", data: { task: "shop" } });
  const history = historyOf([start, ...entries], "shop");
  return tighten({ task: parse(SOURCE), source: SOURCE, history, parse });
}

test("INV-184: a change by which something that was done would be refused is not made, and is said", () => {
  // %2F is a slash to some servers and a letter to others: it is judged both ways, and one glob covers one of them.
  const { source, kept } = tightened("/@types%2Fnode");
  const [rule] = parse(source).grants[0]?.allow ?? [];
  assert.deepEqual(rule?.paths, ["/**"]);
  assert.deepEqual(rule?.methods, ["GET"], "what can go goes all the same");
  assert.ok(
    kept.some((one) => one.includes("not done, since what was done would then be refused")),
  );
});

test("and its twin, a plain path, is all that is left", () => {
  const { source, kept } = tightened("/a", "/b/7", "/b/8");
  assert.deepEqual(parse(source).grants[0]?.allow[0]?.paths, ["/a", "/b/*"]);
  assert.deepEqual(kept, []);
});
