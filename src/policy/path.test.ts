import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { canonicalPath, PATH_CHARS_MAX, readingsOf } from "./path.ts";

const CANONICAL = [
  // raw, canonical, why
  ["/", "/", "the root"],
  ["/a/b/", "/a/b/", "a trailing slash is kept: servers tell the two apart"],
  ["/%7euser/%61", "/~user/a", "unreserved characters are decoded, RFC 3986 6.2.2.2"],
  ["/%c3%a9", "/%C3%A9", "other escapes are in upper case, 6.2.2.1"],
  ["/a{b}|[c]", "/a%7Bb%7D%7C%5Bc%5D", "what no path may hold is encoded"],
  ["/a%20b", "/a%20b", "an encoded space stays encoded"],
  ["/!$&'()*+,=:@", "/!$&'()*+,=:@", "sub-delimiters stand for themselves"],
  ["/%21%2B", "/%21%2B", "and encoded they are left alone: they may mean something else"],
  ["/.git/b..c/d...e", "/.git/b..c/d...e", "dots within a name are no dot segments"],
  ["/100%25", "/100%25", "a percent sign"],
] as const;
for (const [raw, canonical, why] of CANONICAL) {
  test(`path ${raw} is ${canonical}: ${why}`, () => assert.equal(canonicalPath(raw), canonical));
}

const REFUSED = [
  ["", "no path"],
  ["a", "not absolute"],
  ["*", "the asterisk form of OPTIONS names no path"],
  ["http://other.example/", "the absolute form is taken apart by the gateway"],
  ["/../a", "a dot segment"],
  ["/a/./b", "a dot segment"],
  ["/a/..", "at the end"],
  ["/%2e%2e/a", "encoded"],
  ["/.%2E/a", "half encoded"],
  ["/%252e%252e/a", "doubly encoded"],
  ["/a%2f..%2fb", "behind encoded slashes"],
  ["/a%2f%2e%2e", "both encoded"],
  ["/..%3fx", "before what some servers take for a query"],
  ["/..%23x", "before what some take for a fragment"],
  ["/...", "Windows drops trailing dots"],
  ["/..%20/a", "and trailing spaces"],
  ["//evil.example/a", "a URL parser reads a host"],
  ["/a//b", "some servers merge slashes"],
  ["/a/%2fb", "also an encoded one"],
  ["/%2f", "which is `//` to some"],
  ["/a\\b", "a slash on Windows"],
  ["/a%5cb", "encoded"],
  ["/a;b", "some servers cut path parameters off"],
  ["/a/..;/b", "which is how this one becomes a dot segment"],
  ["/a%3bb", "encoded"],
  ["/a%00b", "C stops at NUL"],
  ["/a%0d%0ab", "a line end in a header, once decoded"],
  ["/a%7f", "a control character"],
  ["/a%", "half an escape"],
  ["/a%g0", "no escape"],
  ["/a%u002e", "an escape of IIS"],
  ["/a%25u002e", "the same, doubly"],
  ["/%c0%ae%c0%ae/", "overlong UTF-8 for dots"],
  ["/%ff", "no UTF-8"],
  ["/%EF%BC%8E%EF%BC%8E/", "full-width dots"],
  ["/a%EF%BC%8Fb", "a full-width slash"],
  ["/a%E2%84%80", "a character that folds to a/c"],
  ["/%E2%80%A6", "an ellipsis folds to dots"],
  ["/a%EF%BC%85", "a full-width percent sign"],
  ["/a b", "a space ends the request target"],
  ["/a\tb", "so does a tab, for some"],
  ["/\u00e9", "a request target is ASCII"],
  ["/a?b", "the query is not the path"],
  ["/a#b", "a fragment is never sent"],
  [`/${"a".repeat(PATH_CHARS_MAX)}`, "too long"],
] as const;
for (const [raw, why] of REFUSED) {
  test(`path ${JSON.stringify(raw.slice(0, 40))} is refused: ${why}`, () => {
    assert.equal(canonicalPath(raw), undefined);
    assert.equal(readingsOf(raw), undefined);
  });
}

const READINGS = [
  ["/a/b", [["a", "b"]], "one way to read it"],
  ["/%61%21", [["a!"]], "readings are decoded"],
  ["/@types%2fnode", [["@types/node"], ["@types", "node"]], "a slash or not, by the server"],
  ["/C%23", [["C#"], ["C"]], "a fragment or not"],
  ["/a%3Fb%2fc", [["a?b/c"], ["a?b", "c"], ["a"], ["a"]], "both questions at once"],
] as const;
for (const [raw, readings, why] of READINGS) {
  test(`path ${raw} has ${readings.length} readings: ${why}`, () => {
    assert.deepEqual(readingsOf(raw), readings);
  });
}

const pieces = fc.constantFrom(
  "/",
  ".",
  "..",
  "%2e",
  "%2F",
  "%5c",
  "%25",
  "%",
  "a",
  "B7",
  ";",
  "?",
  "#",
  "\\",
  "//",
  "%c3%a9",
  "~",
  "%7E",
  "+",
  "%00",
  "{",
  "%ef%bc%8f",
  " ",
  "é",
  "%3f",
  "*",
  "...",
);
const paths = fc.oneof(
  fc.string({ unit: "binary" }).map((text) => `/${text}`),
  fc.webPath(),
  fc.array(pieces, { maxLength: 12 }).map((parts) => `/${parts.join("")}`),
);

test("canonical form is a fixed point, and no reading holds a dot segment, for any string", () => {
  const property = fc.property(paths, (raw) => {
    const path = canonicalPath(raw);
    if (path === undefined) return;
    assert.equal(canonicalPath(path), path);
    assert.ok(/^\/[\x21-\x7e]*$/.test(path));
    for (const reading of readingsOf(path) ?? assert.fail("a canonical path has readings")) {
      const segments = reading.join("/").normalize("NFKC").split(/[/\\]/);
      assert.ok(!segments.some((segment) => segment === "." || segment === ".."), raw);
      assert.ok(!segments.slice(0, -1).includes(""), raw);
    }
  });
  fc.assert(property, { numRuns: 1500 });
});

test("a URL parser takes a canonical path for what it is, for any string", () => {
  const property = fc.property(paths, (raw) => {
    const path = canonicalPath(raw);
    if (path === undefined) return;
    const url = new URL(`http://host.example${path}`);
    assert.deepEqual(
      [url.host, url.pathname, url.search, url.hash],
      ["host.example", path, "", ""],
    );
  });
  fc.assert(property, { numRuns: 1500 });
});

test("a plus has two readings, and an encoded one is a plus to everybody", () => {
  assert.deepEqual(readingsOf("/a+b"), [["a+b"], ["a\u0001b"]]);
  assert.deepEqual(readingsOf("/a%2Bb"), [["a+b"]]);
});

test("encoding any other character of a path changes none of its readings", () => {
  const names = fc.stringMatching(/^[A-Za-z0-9._~!$&'()*,=:@-]{1,8}$/);
  const property = fc.property(
    fc.array(names, { minLength: 1 }),
    fc.infiniteStream(fc.boolean()),
    (segments, coins) => {
      const plain = `/${segments.join("/")}`;
      const encoded = plain.replaceAll(/[^/]/g, (character) =>
        coins.next().value === true
          ? `%${character.charCodeAt(0).toString(16).padStart(2, "0")}`
          : character,
      );
      assert.deepEqual(readingsOf(encoded), readingsOf(plain));
    },
  );
  fc.assert(property);
});
