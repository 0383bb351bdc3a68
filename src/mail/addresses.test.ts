import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readAddresses } from "./addresses.ts";

const LISTS: readonly (readonly [string, readonly string[] | undefined, string])[] = [
  ["a@x.org", ["a@x.org"], "one"],
  ["Ann <a@X.org>, b@y.org", ["a@x.org", "b@y.org"], "a name before it, capitals in the domain"],
  ['"Doe, Ann" <a@x.org>', ["a@x.org"], "a comma within quotes"],
  ['"b@evil.org" <a@x.org>', ["a@x.org"], "an address as a name is none"],
  ["a@x.org (Ann, b@y.org)", ["a@x.org"], "a comment"],
  ["team: a@x.org, b@y.org;, c@z.org", ["a@x.org", "b@y.org", "c@z.org"], "a group"],
  ["undisclosed-recipients:;", [], "a group of nobody"],
  ["a@x.org,, b@y.org", ["a@x.org", "b@y.org"], "an empty place"],
  ["", [], "nobody"],
  ["a@x.org b@y.org", undefined, "two without a comma"],
  ["a@x.org <b@y.org>", undefined, "an address before the brackets: some take that one"],
  ["a@x.org<b@y.org>", undefined, "the same without a blank"],
  ["Ann a@x.org <b@y.org>", undefined, "the same behind a name"],
  ["b@y.org <b@y.org>", ["b@y.org"], "an address as its own name"],
  ['<a@x.org>"b@y.org"', undefined, "a name behind the brackets"],
  ['"b"a@x.org<a@x.org>', undefined, "quotes that some take for a part of the address"],
  ["a@x.org; b@y.org", undefined, "a semicolon for a comma: readers differ"],
  ["b@y.org: a@x.org;", undefined, "an address as the name of a group"],
  [": a@x.org;", undefined, "a group without a name"],
  ["team: a@x.org", undefined, "a group without an end"],
  ["team: more: a@x.org;;", undefined, "a group within a group"],
  ["team: a@x.org; b@y.org", undefined, "an address behind a group"],
  ['"My Team": Ann <a@x.org>;', ["a@x.org"], "a group whose name is quoted"],
  ["b(c)a@x.org", undefined, "a comment within an address"],
  ["a@x.org(c)x", undefined, "a comment within a domain"],
  [".a@x.org", undefined, "a dot before an address"],
  ["a@x.org.", undefined, "a dot behind it"],
  [".<a@x.org>", undefined, "a dot as a name"],
  ["J. R. Smith <a@x.org>", ["a@x.org"], "dots in a name"],
  ["Ann [x] <b@y.org>", undefined, "brackets in a name"],
  ["<a@x.org> b@y.org", undefined, "what follows the brackets"],
  ["<a@x.org><b@y.org>", undefined, "two in one place"],
  ['"b@evil.org"<;>,', undefined, "a semicolon in brackets is no group's end"],
  ["a@x.org, <;>", undefined, "the same alone"],
  ['"a b"@x.org', undefined, "a quoted local part"],
  ["<@relay.org:a@x.org>", undefined, "a route"],
  [
    "=?utf-8?q?a=40x.org=2C?= b@y.org",
    undefined,
    "an encoded word may be decoded before it is split",
  ],
  ["=?utf-8?q?Ann?= <a@x.org>", ["a@x.org"], "an encoded name"],
  ["a@x.org (unclosed", undefined, "a comment without an end"],
  ["Ann", undefined, "no address"],
];
for (const [list, addresses, why] of LISTS) {
  test(`${JSON.stringify(list)} is ${JSON.stringify(addresses)}: ${why}`, () => {
    assert.deepEqual(readAddresses(list), addresses);
  });
}

test("fuzz: whatever is read can be written again and is the same", () => {
  const property = fc.property(fc.string({ maxLength: 200 }), (text) => {
    const addresses = readAddresses(text);
    if (addresses === undefined) return;
    assert.deepEqual(readAddresses(addresses.join(", ")), addresses);
  });
  fc.assert(property, { numRuns: 500 });
});

test("fuzz: every address of an honest list is found", () => {
  const property = fc.property(
    fc.array(fc.tuple(fc.stringMatching(/^[a-z0-9]{1,9}$/), fc.stringMatching(/^[a-z ]{0,9}$/))),
    (people) => {
      const list = people.map(([local, name]) => `"${name}" <${local}@example.org>`).join(", ");
      assert.deepEqual(
        readAddresses(list),
        people.map(([local]) => `${local}@example.org`),
      );
    },
  );
  fc.assert(property, { numRuns: 100 });
});
