import assert from "node:assert/strict";
import { test } from "node:test";
import type { Json } from "../action/index.ts";
import { holds, valuesAt } from "./values.ts";

const at = (reference: string, json: Json) =>
  valuesAt(reference, {
    path: {},
    content: { form: "json", query: [], headers: {}, json },
    facts: {},
    dialect: [],
  });

const BODY = { a: [{ u: 1 }, { deep: { u: 2 } }], u: 3 };
const REFERENCES = [
  ["body.a.*.u", [1], "one step"],
  ["body.**.u", [3, 1, 2], "however deep"],
  ["body.a.**.u", [1, 2], "however deep below a"],
  ["body.@", ["a", "u"], "names of members"],
  ["body.a.*.@", ["u", "deep"], "names of members of items"],
  ["body.u.@", [], "a number has no members"],
] as const;
for (const [reference, values, why] of REFERENCES) {
  test(`${reference} finds ${values.join(", ") || "nothing"}: ${why}`, () => {
    assert.deepEqual(at(reference, BODY), values);
  });
}

const LIKES = [
  [{ any_like: "^https:" }, ["data:x", "https://e"], true, "one is enough"],
  [{ any_like: "^https:" }, [], false, "none is not enough"],
  [{ only_like: "^eth_" }, ["eth_call"], true, "all are"],
  [{ only_like: "^eth_" }, ["eth_call", "admin_x"], false, "one is not"],
  [{ only_like: "^eth_" }, [], false, "what is missing is not mild"],
  [{ only_like: "^eth_" }, [["eth_call"]], false, "a list is no text"],
] as const;
for (const [one, values, holding, why] of LIKES) {
  test(`${JSON.stringify(one)} of ${JSON.stringify(values)} is ${holding}: ${why}`, () => {
    assert.equal(holds(one, values), holding);
  });
}

const DIFFERENCES = [
  [["a"], ["main"], true, "another"],
  [["main"], ["main"], false, "the same"],
  [["a", "main"], ["main"], false, "one of them is the same"],
  [["a"], ["main", "a"], false, "the same as one of them"],
  [[], ["main"], false, "what is missing is not another"],
  [["a"], [], false, "than what is not known, nothing is another"],
  [[1], ["1"], false, "compared as text"],
] as const;
for (const [values, others, holding, why] of DIFFERENCES) {
  test(`${values.join()} differs from ${others.join()} is ${holding}: ${why}`, () => {
    assert.equal(holds({ differs_from: "current.x" }, values, others), holding);
  });
}
