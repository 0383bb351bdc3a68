import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readingsOf } from "./path.ts";
import { coversGlob, matchesPath, parsePathGlob } from "./path-glob.ts";

const CASES = [
  // glob, path, matches, why
  ["/posts", "/posts", true, "a literal"],
  ["/posts", "/posts/", false, "a trailing slash is another path"],
  ["/posts", "/Posts", false, "case is heeded"],
  ["/posts/*", "/posts/7", true, "a star stands for a segment"],
  ["/posts/*", "/posts/", false, "but not for nothing: DELETE on a list is not DELETE on an entry"],
  ["/posts/*", "/posts/7/meta", false, "nor for several"],
  ["/posts/*.json", "/posts/7.json", true, "a star within a segment"],
  ["/posts/a*c*e", "/posts/abcde", true, "several stars"],
  ["/posts/a*c*e", "/posts/ae", false, "every piece must be there"],
  ["/posts/ab*ba", "/posts/aba", false, "pieces do not overlap"],
  ["/posts/a*", "/posts/a", true, "beside text a star may stand for nothing"],
  ["/posts/**", "/posts/", true, "everything below, the folder itself included"],
  ["/posts/**", "/posts/7/meta/x", true, "at any depth"],
  ["/posts/**", "/posts", false, "not the name without the slash"],
  ["/a/**/z", "/a/z", true, "two stars in the middle may stand for nothing"],
  ["/a/**/z", "/a/b/c/z", true, "or for several"],
  ["/a/**/z", "/a/b/zz", false, "segments are whole"],
  ["/**/z/*", "/z/z/z/q", true, "the earliest fit is not always the right one"],
  ["/**", "/", true, "every path"],
  ["/%61b", "/ab", true, "escapes in a glob mean the same"],
  ["/bücher/*", "/b%C3%BCcher/1", true, "letters need no escape in a glob"],
  ["/models/*:generate", "/models/x-1:generate", true, "as the Gemini API writes it"],
  ["/a%2Ab", "/a*b", true, "an escaped star is a star"],
  ["/a%2Ab", "/axb", false, "and no wildcard"],
] as const;
for (const [glob, path, matches, why] of CASES) {
  test(`${glob} ${matches ? "covers" : "leaves out"} ${path}: ${why}`, () => {
    const [reading] = readingsOf(path) ?? assert.fail("a good path");
    assert.equal(reading !== undefined && matchesPath(parsePathGlob(glob), reading), matches);
  });
}

const REFUSED = [
  "",
  "posts",
  "*",
  "**",
  "/a**",
  "/**/**",
  "/../a",
  "/a/./b",
  "/a//b",
  "/%2e%2e/*",
  "/a?b=c",
  "/a;b",
  "/a\\b",
  "/{id}",
  "/[0-9]",
  "/(a|b)",
  "/a#b",
  "/%zz",
  "/a%00",
  "/a b",
  "/\ud800",
];
for (const glob of REFUSED) {
  test(`fault policy.path_glob: ${JSON.stringify(glob)} could never match, or means something else elsewhere`, () => {
    assert.throws(() => parsePathGlob(glob), { code: "policy.path_glob" });
  });
}

const COVERS = [
  // glob, other, covered
  ["/**", "/a/*", true],
  ["/a/**", "/a/b/**", true],
  ["/a/**", "/a", false],
  ["/a/*", "/a/b*", true],
  ["/a/*", "/a/**", false],
  ["/a/b*", "/a/*", false],
  ["/a*/x", "/ab*c/x", true],
  ["/**/x", "/a/**/x", true],
  ["/a/**/x", "/**/x", false],
  ["/a/**", "/a/**/b", true],
] as const;
for (const [glob, other, covered] of COVERS) {
  test(`${glob} ${covered ? "covers" : "does not cover"} all of ${other}`, () => {
    assert.equal(coversGlob(parsePathGlob(glob), parsePathGlob(other)), covered);
  });
}

const globs = fc
  .array(fc.constantFrom("a", "b", "ab", "*", "a*", "*b", "a*b", "**"), {
    minLength: 1,
    maxLength: 5,
  })
  .map((segments) => `/${segments.join("/")}`)
  .filter((glob) => !glob.includes("**/**"));
const readings = fc
  .array(fc.constantFrom("a", "b", "ab", "ba", "aab"), { maxLength: 5 })
  .chain((head) => fc.constantFrom("a", "b", "ab", "").map((last) => [...head, last]));

/** The same meaning, by the regular expressions of the language. */
function asRegExp(glob: string): RegExp {
  const segments = glob.slice(1).split("/");
  const source = segments.map((segment, at) => {
    const last = at === segments.length - 1;
    if (segment === "**") return last ? "(?:/[^/]*)+" : "(?:/[^/]+)*";
    return segment === "*" ? "/[^/]+" : `/${segment.replaceAll("*", "[^/]*")}`;
  });
  return new RegExp(`^${source.join("")}$`);
}

test("a glob means what the regular expression means, for any glob and path", () => {
  const property = fc.property(globs, readings, (glob, reading) => {
    const matches = asRegExp(glob).test(`/${reading.join("/")}`);
    assert.equal(matchesPath(parsePathGlob(glob), reading), matches);
  });
  fc.assert(property, { numRuns: 1500 });
});

test("what covers a glob matches whatever the glob matches", () => {
  const property = fc.property(globs, globs, readings, (wide, narrow, reading) => {
    const [a, b] = [parsePathGlob(wide), parsePathGlob(narrow)];
    if (coversGlob(a, b) && matchesPath(b, reading)) assert.ok(matchesPath(a, reading));
  });
  fc.assert(property, { numRuns: 1500 });
});

test("fuzz: a glob is parsed or refused with policy.path_glob, for any string", () => {
  const property = fc.property(fc.string({ unit: "binary" }), (text) => {
    for (const source of [text, `/${text}`]) {
      try {
        assert.equal(parsePathGlob(source).source, source);
      } catch (error) {
        assert.equal((error as { code?: string }).code, "policy.path_glob");
      }
    }
  });
  fc.assert(property, { numRuns: 300 });
});
