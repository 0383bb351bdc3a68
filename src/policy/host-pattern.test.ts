import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  canonicalHost,
  coversPattern,
  matchesHost,
  parseHostPattern,
  printHostPattern,
} from "./host-pattern.ts";

const CASES = [
  // pattern, name, covered, why
  ["api.github.com", "API.GitHub.com.", true, "case and a trailing dot are not identity"],
  ["API.github.com.", "api.github.com", true, "nor are they in the pattern"],
  ["*.github.com", "a.b.github.com", true, "a wildcard covers any depth"],
  ["*.github.com", "github.com", false, "a wildcard never covers the domain itself"],
  ["*.github.com", "evilgithub.com", false, "the boundary is a label, not a text suffix"],
  ["*.github.com", "github.com.evil.example", false, "a prefix is no suffix"],
  ["github.com", "api.github.com", false, "an exact name covers nothing below it"],
  ["bücher.example", "xn--bcher-kva.example", true, "U-labels and A-labels are one name"],
  ["a_b.example", "a_b.example", true, "underscores are used in practice"],
  ["example.com", "ｅxample。com", true, "full-width forms are the same name to every resolver"],
] as const;
for (const [pattern, name, covered, why] of CASES) {
  test(`${pattern} ${covered ? "covers" : "refuses"} ${name}: ${why}`, () => {
    const host = canonicalHost(name);
    assert.equal(host !== undefined && matchesHost(parseHostPattern(pattern), host), covered);
  });
}

const ADDRESSES = [
  "127.0.0.1",
  "0x7f.1",
  "2130706433",
  "127.1",
  "[::1]",
  "::1",
  "1.2.3.4.",
  "１２７.0.0.1",
  "x.0x1",
  "256.1.1",
];
for (const name of ADDRESSES) {
  test(`INV-12: an IP address is never a host: ${name} is no host and no pattern`, () => {
    assert.equal(canonicalHost(name), undefined);
    assert.throws(() => parseHostPattern(name), { code: "policy.host_pattern" });
    assert.throws(() => parseHostPattern(`*.${name}`), { code: "policy.host_pattern" });
  });
}

const NO_HOSTS = [
  // text, why
  ["", "empty"],
  ["a..b", "an empty label"],
  [".a", "an empty first label"],
  ["a..", "two trailing dots"],
  ["a.*.b", "an inner wildcard"],
  ["*", "a wildcard alone would be everything"],
  ["*.", "a wildcard of nothing"],
  ["**.example.com", "no such wildcard"],
  ["a%2eb", "needs percent-decoding, which a peer may not do"],
  ["good.example/evil.example", "a URL parser would stop at the slash"],
  ["good.example?evil.example", "a URL parser would stop at the question mark"],
  ["good.example#evil.example", "a URL parser would stop at the hash"],
  ["good.example\\evil.example", "a URL parser takes it for a slash"],
  ["user@good.example", "user information is no host"],
  ["good.example:443", "a port is no host"],
  ["go\tod.example", "a URL parser drops tabs"],
  ["good.example\n", "a URL parser drops line ends"],
  ["good.example\0.evil.example", "a C library would stop at NUL"],
  [" good.example", "space"],
  ["℀.example", "folds to a slash"],
  ["a％2e.example", "folds to a percent sign"],
  [`${"a".repeat(64)}.example`, "a label longer than 63"],
  [Array(64).fill("abc").join("."), "a name longer than 253"],
] as const;
for (const [name, why] of NO_HOSTS) {
  test(`${JSON.stringify(name.slice(0, 40))} is no host and no pattern: ${why}`, () => {
    assert.equal(canonicalHost(name), undefined);
    assert.throws(() => parseHostPattern(name), { code: "policy.host_pattern" });
  });
}

test("localhost is the run itself, so no pattern for it could ever match", () => {
  for (const name of ["localhost", "a.localhost", "*.localhost", "LOCALHOST."]) {
    assert.throws(() => parseHostPattern(name), { code: "policy.host_pattern" });
  }
});

const COVERS = [
  // pattern, other, covered
  ["*.a.example", "b.a.example", true],
  ["*.a.example", "*.b.a.example", true],
  ["*.a.example", "*.a.example", true],
  ["*.a.example", "a.example", false],
  ["a.example", "a.example", true],
  ["b.a.example", "*.a.example", false],
  ["a.example", "*.a.example", false],
  ["*.b.a.example", "*.a.example", false],
] as const;
for (const [pattern, other, covered] of COVERS) {
  test(`${pattern} ${covered ? "covers" : "does not cover"} all of ${other}`, () => {
    assert.equal(coversPattern(parseHostPattern(pattern), parseHostPattern(other)), covered);
  });
}

const labels = fc.stringMatching(/^[a-z0-9_-]{1,5}$/);
const names = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.domain(),
  fc.ipV4Extended(),
  fc.ipV6(),
  fc.webAuthority({ withPort: true, withUserInfo: true }),
  fc.array(labels, { minLength: 1, maxLength: 5 }).map((parts) => parts.join(".")),
);

test("canonical form is a fixed point, for any string", () => {
  const property = fc.property(names, (name) => {
    const once = canonicalHost(name);
    assert.equal(once && canonicalHost(once), once);
    assert.ok(once === undefined || /^[a-z0-9_.-]{1,253}$/.test(once), once);
  });
  fc.assert(property, { numRuns: 1500 });
});

test("a pattern prints as it is read, for any name", () => {
  const property = fc.property(names, fc.boolean(), (name, wildcard) => {
    if (canonicalHost(name) === undefined || name.toLowerCase().includes("localhost")) return;
    const pattern = parseHostPattern(wildcard ? `*.${name}` : name);
    assert.deepEqual(parseHostPattern(printHostPattern(pattern)), pattern);
  });
  fc.assert(property);
});
