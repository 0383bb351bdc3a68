/** Which fields a request of GraphQL calls: however they are reached, and nothing where it cannot be told. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readContent } from "../content.ts";
import type { Field } from "../entry.ts";
import type { Reading } from "../reader.ts";
import { readGraphql } from "./graphql.ts";

const FIELDS: readonly Field[] = [
  { names: ["createIssue", "addComment"], verb: "talk", effects: ["publish"], summary: "Say" },
  { names: ["closeIssue"], verb: "close", effects: ["write"], summary: "Close" },
  { names: ["deleteRef"], verb: "ref.delete", effects: ["delete"], summary: "Delete" },
  {
    names: ["secrets"],
    verb: "secret.read",
    effects: ["administer"],
    summary: "Read secrets",
    anywhere: true,
  },
  { names: ["lint"], verb: "lint", effects: ["send"], summary: "Fetch what it names" },
];

interface Asked {
  readonly query?: string;
  readonly type?: string;
  readonly body?: string;
}

function read({ query = "", type, body }: Asked): Reading | undefined {
  const headers = type === undefined ? {} : { "content-type": type };
  const bytes = body === undefined ? undefined : Buffer.from(body);
  const content = readContent({ query, headers, body: bytes });
  assert.ok(content !== undefined);
  return readGraphql({
    method: "POST",
    path: {},
    content,
    route: { verb: "query", effects: ["read-private"], fields: [...FIELDS] },
    values: () => [],
  });
}

const JSON_TYPE = "application/json";
const json = (body: unknown) => read({ type: JSON_TYPE, body: JSON.stringify(body) });
const text = (query: string, more: object = {}) => json({ query, ...more });

/** As "verb: effects"; a reading that says nothing of its own is the route's. */
function shown(reading: Reading | undefined): string {
  if (reading === undefined) return "unknown";
  const { verb = "query", effects = ["read-private"], parts } = reading;
  const within = parts?.map((part) => part.verb).join("+");
  return `${verb}: ${effects.join(" ")}${within === undefined ? "" : ` (${within})`}`;
}

/** Fragments that each spread the next. */
const chain = (count: number) =>
  Array.from({ length: count }, (_, at) =>
    at === count - 1 ? `fragment F${at} on Q { a }` : `fragment F${at} on Q { ...F${at + 1} }`,
  ).join(" ");

const TWO = "query A { me { id } } mutation B { deleteRef(input: {}) { ok } }";
const FORM = "application/x-www-form-urlencoded";
const ROWS: readonly (readonly [string, Reading | undefined, string])[] = [
  ["query: read-private", text("{ me { id } }"), "a query without a name"],
  ["query: read-private", text("query Q($a: ID!) { node(id: $a) { id } }"), "a query"],
  ["query: read-private", text("mutation { __typename }"), "a mutation of nothing"],
  ["talk: publish", text("mutation { createIssue(input: {}) { id } }"), "a mutation"],
  ["talk: publish", text("mutation { me: createIssue(input: {}) { id } }"), "an alias"],
  ["unknown", text("mutation { createIssue: nuke(input: {}) { id } }"), "an alias of a known name"],
  ["unknown", text("mutation { nuke }"), "a mutation that is not listed"],
  ["unknown", text("mutation { me { id } }"), "what is a read only in a query"],
  ["unknown", text("subscription { me { id } }"), "a subscription"],
  ["lint: send", text("{ lint(content: 1) { ok } }"), "a query that does more than read"],
  ["batch: read-private send (lint+query)", text("{ lint me { id } }"), "and one beside it"],
  [
    "batch: write delete (close+ref.delete)",
    text("mutation { a: closeIssue(input: {}) { ok } b: deleteRef(input: {}) { ok } }"),
    "each is a part",
  ],
  [
    "talk: publish",
    text("mutation { a: createIssue { id } b: addComment { id } }"),
    "two of one kind",
  ],
  [
    "ref.delete: delete",
    text("mutation { ...A } fragment A on Mutation { ...B } fragment B on Mutation { deleteRef }"),
    "through fragments",
  ],
  ["ref.delete: delete", text("mutation { ... on Mutation { deleteRef } }"), "an inline fragment"],
  ["ref.delete: delete", text("mutation { ... { deleteRef } }"), "without a type"],
  ["ref.delete: delete", text("mutation { deleteRef @skip(if: true) }"), "counted all the same"],
  [
    "batch: write delete (close+ref.delete)",
    text("mutation { closeIssue ... @include(if: false) { deleteRef } }"),
    "counted in a fragment too",
  ],
  [
    "batch: read-private administer (query+secret.read)",
    text("{ me { a: secrets { value } } }"),
    "a field that counts however deep",
  ],
  [
    "batch: read-private administer (query+secret.read)",
    text("{ me { ...A } } fragment A on Me { team { ... @skip(if: true) { secrets } } }"),
    "in a fragment too",
  ],
  [
    "batch: write administer (close+secret.read)",
    text("mutation { closeIssue { team { secrets } } }"),
    "in the answer of a mutation",
  ],
  ["query: read-private", text("{ me { secrets: name, closeIssue } }"), "others at the top only"],
  ["unknown", text("mutation { ...A } fragment A on Mutation { ...A }"), "within itself"],
  ["unknown", text("mutation { ...A }"), "a fragment that is not there"],
  [
    "unknown",
    text("{ ...A } fragment A on Query { me } fragment A on Query { lint }"),
    "a fragment that is there twice",
  ],
  ["query: read-private", text(TWO, { operationName: "A" }), "the one that is named"],
  ["ref.delete: delete", text(TWO, { operationName: "B" }), "the other"],
  ["unknown", text(TWO), "several, and none is named"],
  ["unknown", text(TWO, { operationName: null }), "none is named by null"],
  ["unknown", text(TWO, { operationName: "" }), "an empty name"],
  ["unknown", text(TWO, { operationName: ["A"] }), "a name that is none"],
  ["unknown", text("query A { me } mutation A { deleteRef }", { operationName: "A" }), "twice"],
  ["unknown", text("{ me } type A { b: Int }"), "a definition of types"],
  ["unknown", text("{ me "), "no document"],
  ["unknown", text(""), "nothing"],
  ["unknown", json({}), "no document"],
  ["unknown", json({ query: ["{ me }"] }), "a document that is no text"],
  ["unknown", json({ documentId: "abc" }), "a document that the server keeps"],
  ["unknown", text("{ me }", { documentId: "abc" }), "or may take instead"],
  ["unknown", text("{ me }", { extensions: { persistedQuery: { version: 1 } } }), "persisted"],
  ["query: read-private", text("{ me }", { extensions: {}, variables: null }), "said, but empty"],
  ["unknown", text("{ me }", { variables: "[" }), "variables that are none"],
  ["unknown", text("{ me }", { variables: [] }), "or a list"],
  ["query: read-private", json([{ query: "{ me }" }]), "a list of one"],
  [
    "batch: read-private delete (query+ref.delete)",
    json([{ query: "{ me }" }, { query: "mutation { deleteRef }" }]),
    "a list of operations",
  ],
  ["unknown", json([{ query: "{ me }" }, { query: "mutation { nuke }" }]), "one is unknown"],
  ["unknown", json([]), "an empty list"],
  ["unknown", json([[{ query: "{ me }" }]]), "a list in a list"],
  ["unknown", json("{ me }"), "a text"],
  ["query: read-private", read({ query: "query=%7Bme%7D" }), "a GET"],
  ["ref.delete: delete", read({ query: "query=mutation%7BdeleteRef%7D" }), "a GET that changes"],
  ["unknown", read({ query: "query=%7Bme%7D&query=mutation%7BdeleteRef%7D" }), "said twice"],
  [
    "unknown",
    read({ query: "query=%7Bme%7D", type: JSON_TYPE, body: '{"query":"mutation{deleteRef}"}' }),
    "in the query and in the body",
  ],
  [
    "unknown",
    read({ query: "operationName=B", type: JSON_TYPE, body: '[{"query":"{me}"}]' }),
    "a list and a query",
  ],
  ["ref.delete: delete", read({ type: FORM, body: "query=mutation{deleteRef}" }), "a form"],
  [
    "query: read-private",
    read({ type: FORM, body: "query={me}&variables={}" }),
    "a form with variables",
  ],
  [
    "ref.delete: delete",
    read({ type: "application/graphql; charset=utf-8", body: "mutation { deleteRef }" }),
    "the document alone",
  ],
  ["unknown", read({ type: "text/plain", body: "{ me }" }), "a body of another type"],
  [
    "unknown",
    read({ query: "query=%7Bme%7D", type: "application/graphql", body: "mutation{deleteRef}" }),
    "two documents",
  ],
  ["unknown", text("{ me #\r }"), "a comment that ends here for some only"],
  ["query: read-private", text("{ me } # mutation { deleteRef }\r\n"), "a comment"],
  ["query: read-private", text('{ a(b: "mutation { deleteRef }") }'), "within a text"],
  ["query: read-private", text('{ a(b: """mutation { deleteRef }""") }'), "within a block"],
  ["unknown", text('{ a(b: """x \\""" y""") }'), "a block string with an escape"],
  ["unknown", text('{ a(b: """x"""") }'), "four quotes"],
  ["unknown", text("\ufeff{ me }"), "a byte order mark"],
  ["unknown", text("{ me } # \ud800"), "half a character"],
  ["unknown", text("{ me } # \u0001"), "a control character"],
  ["unknown", text(`${"{a".repeat(61)}${"}".repeat(61)}`), "too deep"],
  ["query: read-private", text(`${"{a".repeat(60)}${"}".repeat(60)}`), "just not too deep"],
  ["unknown", text(`{ ${"a ".repeat(20_001)}}`), "too long"],
  ["query: read-private", text(`{ ...F0 } ${chain(99)}`), "a chain of fragments"],
  ["unknown", text(`{ ...F0 } ${chain(100)}`), "too many fragments"],
  ["unknown", text(`mutation { ${"closeIssue ".repeat(201)}}`), "too many at once"],
];
for (const [expected, reading, why] of ROWS) {
  test(`${why}: ${expected}`, () => assert.equal(shown(reading), expected));
}

test("a person sees arguments with their variables, and no secrets", () => {
  const reading = text("mutation A($n: String) { createIssue(input: { title: $n, token: $n }) }", {
    variables: { n: "Hello" },
  });
  const input = { title: "Hello", token: "[hidden]" };
  assert.deepEqual(reading?.fields, { calls: [{ field: "createIssue", arguments: { input } }] });
  assert.match(reading?.summary ?? "", /^Say \(createIssue .*Hello/);
  assert.equal(reading?.impact?.reversible, false);
});

test("fragments that grow by powers of two end", () => {
  const names = Array.from({ length: 40 }, (_, at) => `F${at}`);
  const fragments = names.map((name, at) => {
    const next = names[at + 1];
    const body = next === undefined ? "closeIssue" : `...${next} ...${next}`;
    return `fragment ${name} on Mutation { ${body} }`;
  });
  assert.equal(text(`mutation { ...F0 } ${fragments.join(" ")}`), undefined);
});

test("fuzz: no text makes it throw, and a mutation is never a read", () => {
  const words = fc.constantFrom(
    ...'mutation query fragment on A { } ( ) ... deleteRef me : " """ # \n $ @skip [ ]'.split(" "),
  );
  const property = fc.property(fc.array(fc.oneof(words, fc.string({ maxLength: 3 }))), (parts) => {
    const own = shown(text(`mutation { ${parts.join(" ")} }`));
    assert.ok(
      own === "unknown" ||
        own.includes("delete") ||
        !parts.includes("deleteRef") ||
        parts.some((one) => /["#:.]/.test(one)),
      own,
    );
  });
  fc.assert(property);
});
