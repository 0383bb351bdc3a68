/** Where values are found: names as servers spell them, doubled parameters, bodies in several forms. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { readContent } from "./content.ts";
import type { Entry } from "./entry.ts";
import { valuesAt } from "./values.ts";

const FORM = "application/x-www-form-urlencoded";
const JSON_TYPE = "application/json";

interface Asked {
  readonly query?: string;
  readonly type?: string;
  readonly body?: string;
  readonly dialect?: readonly Entry["dialect"][number][];
}

function values(reference: string, { query = "", type, body, ...asked }: Asked) {
  const dialect = [...(asked.dialect ?? [])];
  const headers = type === undefined ? {} : { "content-type": type };
  const bytes = body === undefined ? undefined : Buffer.from(body);
  const content = readContent({ query, headers, body: bytes }, dialect);
  return content && valuesAt(reference, { path: { id: "7" }, content, facts: {}, dialect });
}

const php = ["php"] as const;
const FOUND = [
  // reference, request, values, why
  ["query.a", { query: "a=1&a=2" }, ["1", "2"], "a doubled parameter has both values"],
  ["query.a", { query: "a" }, [""], "a name without a value is there"],
  ["query.a", { query: "%61=1" }, ["1"], "an escaped name"],
  ["query.a b", { query: "a+b=c+d" }, ["c d"], "plus is a space"],
  ["query.a", { query: "A=1" }, [], "case is another name"],
  ["query.a", { query: "a[]=1&a[0]=2&a=3" }, ["1", "2", "3"], "lists in every spelling"],
  ["query.a", { query: "a%5B%5D=1" }, ["1"], "escaped brackets"],
  ["query.a.b", { query: "a[b]=1&a[b][]=2" }, ["1", "2"], "a member"],
  ["query.a", { query: "a[b]=1" }, [{ b: "1" }], "a member makes its owner present, as in JSON"],
  ["query.a.b", { query: "a[b][c]=1" }, [{ c: "1" }], "and so it does deeper"],
  ["query.a.b", { query: "a=1" }, [], "its owner alone is no member"],
  ["query.a_b", { query: "a.b=1&a+b=2&a[b=3", dialect: php }, ["1", "2", "3"], "PHP's names"],
  ["query.a", { query: "++a=1", dialect: php }, ["1"], "PHP drops spaces before a name"],
  ["query.a_b", { query: "a.b=1" }, [], "another server's names"],
  ["param.a", { query: "a=1", type: FORM, body: "a=2" }, ["1", "2"], "query and form together"],
  ["param.a", { query: "a=1", type: JSON_TYPE, body: '{"a":2}' }, ["1", 2], "query and JSON"],
  ["body.a", { query: "a=1", type: FORM, body: "a=2" }, ["2"], "the body alone"],
  ["query.a", { query: "a=1", type: FORM, body: "a=2" }, ["1"], "the query alone"],
  ["body.a.b", { type: JSON_TYPE, body: '{"a":{"b":null}}' }, [null], "null is a value"],
  ["body.a.*.b", { type: JSON_TYPE, body: '{"a":[{"b":1},{"b":2}]}' }, [1, 2], "every item"],
  ["body.A", { type: JSON_TYPE, body: '{"a":1}' }, [], "case counts"],
  ["body.A", { type: JSON_TYPE, body: '{"a":1}', dialect: ["go-json"] }, [1], "but not for Go"],
  ["body.constructor", { type: JSON_TYPE, body: "{}" }, [], "what objects have is not sent"],
  ["body.a", { type: `${FORM}; charset=UTF-8`, body: "a=1" }, ["1"], "a charset that is UTF-8"],
  ["body.a", { type: FORM, body: '{"a":1}', dialect: ["form-is-json"] }, [1], "curl's -d"],
  ["body.a", { body: '{"a":1}', dialect: ["form-is-json"] }, [1], "no type, and so JSON too"],
  ["body.a", { type: "Application/JSON", body: '{"a":1}' }, [1], "a type in any case"],
  ["body.a", { type: "application/vnd.api+json", body: '{"a":1}' }, [1], "a type that is JSON"],
  ["body.a", { type: FORM, body: "a=\u00e4" }, ["\u00e4"], "UTF-8 as it is"],
  ["query.@", { query: "a=1&b[c]=2" }, ["a", "b[c]"], "names of parameters"],
  ["body.@", { type: FORM, body: "a=1" }, ["a"], "and of fields"],
  ["path.id", {}, ["7"], "what the route matched"],
  ["current.a", {}, [], "no look-up found anything"],
] as const;
for (const [reference, asked, found, why] of FOUND) {
  test(`${reference} of ${JSON.stringify(asked)}: ${why}`, () => {
    assert.deepEqual(values(reference, asked), found);
  });
}

const UNREAD = [
  [{ query: "a=%zz" }, "an escape that is none"],
  [{ query: "a=%ff" }, "an escape that is no UTF-8"],
  [{ query: "a=%00" }, "NUL"],
  [{ query: "a;b=1" }, "a mark that old servers split at"],
  [{ query: "a=1&".repeat(2001) }, "more pairs than servers read"],
  [{ type: JSON_TYPE, body: '{"a":1,"a":2}' }, "JSON with a name twice"],
  [{ type: JSON_TYPE, body: "a=1" }, "JSON that is none"],
  [{ type: FORM, body: "a=1", dialect: ["form-is-json"] }, "a form where only JSON is read"],
] as const;
for (const [asked, why] of UNREAD) {
  test(`not read: ${why}`, () => assert.equal(values("query.a", asked), undefined));
}

test("a body of raw bytes that are no UTF-8 is not read, as a form or a part of one", () => {
  const read = (type: string, body: Buffer) =>
    readContent({ query: "", headers: { "content-type": type }, body });
  assert.equal(read(FORM, Buffer.from("a=\xe4", "latin1")), undefined);
  const head = '--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n';
  const multipart = (value: string) => Buffer.from(`${head}${value}\r\n--b--`, "latin1");
  assert.equal(read("multipart/form-data; boundary=b", multipart("\xe4")), undefined);
  assert.notEqual(read("multipart/form-data; boundary=b", multipart("a")), undefined);
});

const HEADERS = [
  [{ "content-type": JSON_TYPE, "content-encoding": "gzip" }, "its bytes are others"],
  [{ "content-type": JSON_TYPE, "content-encoding": ["identity", "gzip"] }, "two encodings"],
  [{ "content-type": [JSON_TYPE, FORM] }, "two types"],
] as const;
for (const [headers, why] of HEADERS) {
  test(`not read with ${JSON.stringify(headers)}: ${why}`, () => {
    assert.equal(readContent({ query: "", headers, body: Buffer.from("{}") }), undefined);
  });
}

const FORMS = [
  [undefined, "raw", "no type"],
  ["text/plain", "raw", "a type that browsers send without asking"],
  ["application/json; charset=utf-16", "raw", "another charset"],
  [`${JSON_TYPE}; a=${FORM}`, "raw", "a type that names another within"],
  [`${FORM}; multipart/form-data; boundary=b`, "raw", "and another"],
  [`${JSON_TYPE}; profile=https://jsonapi.org/a`, "json", "a parameter that names no form"],
  ["application/jsonx", "raw", "a type that only begins so"],
  [JSON_TYPE, "json", "JSON"],
] as const;
for (const [type, form, why] of FORMS) {
  test(`${type} is ${form}: ${why}`, () => {
    const headers = type === undefined ? {} : { "content-type": type };
    assert.equal(readContent({ query: "", headers, body: Buffer.from("{}") })?.form, form);
  });
}
