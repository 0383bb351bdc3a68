import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createPlaceholderFinder } from "./find-placeholders.ts";
import { derivePlaceholder } from "./placeholder.ts";
import { spellingsOf } from "./spellings.ts";

const KEY = Buffer.alloc(32, 7);
const of = (credential = "one", run = "r-1") => ({ credential, run, part: "value" });
const jwt = (claims: object) =>
  ['{"alg":"RS256","typ":"JWT"}', JSON.stringify(claims)]
    .map((part) => Buffer.from(part).toString("base64url"))
    .join(".") + ".c2lnbmF0dXJlLW9mLXRoZS1yZWFsLXRva2Vu";

/** A secret of each shape, and what a client checks. */
const SHAPES: readonly (readonly [string, string, RegExp])[] = [
  ["Anthropic", "sk-ant-api03-AbCdEf0123456789_AbCdEf0123456789-AA", /^sk-ant-api03-[\w-]+$/],
  ["Claude's login", "sk-ant-oat01-AbCdEf0123456789AbCdEf0123456789", /^sk-ant-oat01-\w+$/],
  ["OpenAI", "sk-proj-AbCdEf0123456789AbCdEf0123456789", /^sk-proj-\w+$/],
  [
    "Slack",
    "xoxb-123456789012-1234567890123-AbCdEfGhIjKlMnOpQrStUvWx",
    /^xoxb-[1-9]\d{11}-[1-9]\d{12}-\w{24}$/,
  ],
  ["GitHub", "ghp_abcdefGHIJKL0123456789mnopqrstUVWXYZ", /^ghp_[A-Za-z0-9]{36}$/],
  ["AWS", "AKIAABCDEFGHIJKL2345", /^AKIA[A-Z2-7]{16}$/],
  ["Resend", "re_AbCdEf12_0123456789AbCdEfGhIjKl", /^re_\w{8}_\w{22}$/],
  [
    "SendGrid",
    "SG.AbCdEf0123456789AbCdEf.AbCdEf0123456789AbCdEf0123456789AbCdEf01234",
    /^SG\.\w{22}\.\w{43}$/,
  ],
  ["Telegram", "123456789:AAbCdEf0123456789AbCdEf0123456789ab", /^[1-9]\d{8}:\w{35}$/],
  [
    "UUID",
    "0b7e51c2-5b1e-4c55-9f3e-2f2c1b8f1a77",
    /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-9[\da-f]{3}-[\da-f]{12}$/,
  ],
  ["hex", "d41d8cd98f00b204e9800998ecf8427e", /^[\da-f]{32}$/],
  ["upper-case hex", "D41D8CD98F00B204E9800998ECF8427E", /^[\dA-F]{32}$/],
  ["a WordPress application password", "abcd EFGH 1234 ijkl MNOP 5678", /^\w{4}( \w{4}){5}$/],
];
for (const [name, secret, form] of SHAPES) {
  test(`INV-53: a placeholder for ${name} has its shape, and is another text`, () => {
    const made = derivePlaceholder(KEY, of(), secret);
    assert.match(made, form);
    assert.equal(made.length, secret.length);
    assert.notEqual(made, secret);
    assert.equal(made, derivePlaceholder(KEY, of(), secret), "the same each time");
    assert.notEqual(
      made,
      derivePlaceholder(KEY, of("one", "r-2"), secret),
      "another in another run",
    );
    assert.notEqual(
      made,
      derivePlaceholder(KEY, of("two"), secret),
      "another for another credential",
    );
  });
}

test("INV-53: a JWT stays one: three parts, claims that parse, times kept, texts and signature not", () => {
  const claims = {
    exp: 1_900_000_000,
    sub: "u-1",
    jti: "7f3a9c0d1e2b4f5a",
    session: "opaque-Session-0123",
  };
  const secret = jwt(claims);
  const parts = derivePlaceholder(KEY, of(), secret).split(".");
  assert.equal(parts.length, 3);
  const made = JSON.parse(Buffer.from(parts[1] ?? "", "base64url").toString()) as typeof claims;
  assert.deepEqual([made.exp, made.sub], [claims.exp, claims.sub]);
  assert.ok(made.jti !== claims.jti && made.session !== claims.session);
  assert.notEqual(parts[2], secret.split(".")[2]);
});

test("INV-53: what is too short or simple to be told from chance gets a placeholder of its own form", () => {
  for (const secret of ["12345678", "hunter2hunt", "abcdefgh", "........"]) {
    assert.match(derivePlaceholder(KEY, of(), secret), /^cofferdam-[\da-z]{26}$/);
  }
});

test("INV-53: no placeholder is or holds its secret, for any text", () => {
  const property = fc.property(fc.string({ minLength: 8 }), fc.string(), (secret, run) => {
    const made = derivePlaceholder(KEY, of("one", run), secret);
    assert.ok(!made.includes(secret) && !secret.includes(made));
  });
  fc.assert(property);
});

const given = {
  credential: "one",
  run: "r-1",
  text: derivePlaceholder(KEY, of(), SHAPES[2]?.[1] ?? ""),
};
const finder = createPlaceholderFinder([given]);
const { text } = given;
const halfEncoded = Array.from(text)
  .map((one, at) => (at % 3 === 0 ? `%${one.charCodeAt(0).toString(16)}` : one))
  .join("");
const escaped = Array.from(text)
  .map((one) => `\\u00${one.charCodeAt(0).toString(16)}`)
  .join("");
const FOUND: readonly (readonly [string, string])[] = [
  ["as it is", `Authorization: Bearer ${text}`],
  ["as a Basic password", Buffer.from(`editor:${text}`).toString("base64")],
  ["as a Basic password of a user of another length", Buffer.from(`ed:${text}`).toString("base64")],
  ["in base64 in the middle of a text", Buffer.from(`x=${text}&y=1`).toString("base64")],
  ["in base64url", Buffer.from(`???${text}???`).toString("base64url")],
  ["percent-encoded where nobody needed it", `/path?x=${halfEncoded}`],
  ["percent-encoded twice", encodeURIComponent(halfEncoded)],
  ["escaped as JSON where nobody needed it", `{"a":"${escaped}"}`],
  ["in hex", Buffer.from(text).toString("hex")],
];
for (const [how, content] of FOUND) {
  test(`INV-53: a placeholder is found ${how}`, () => {
    assert.deepEqual(finder.find(content), [given]);
    assert.deepEqual(finder.find(Buffer.from(content)), [given]);
  });
}

test("INV-53: what is no placeholder is not found: the secret's shape, another run's, half of one", () => {
  const others = [
    derivePlaceholder(KEY, of("one", "r-2"), text),
    text.slice(0, -1),
    "",
    "%",
    "\\u00",
  ];
  for (const other of others) assert.deepEqual(finder.find(other), []);
});

test("INV-53: placeholders with odd characters are found in every spelling of them", () => {
  const property = fc.property(fc.string({ minLength: 8, unit: "binary" }), (odd) => {
    if (!odd.isWellFormed()) return;
    const own = { credential: "x", run: "r", text: odd };
    for (const spelling of spellingsOf(odd)) {
      assert.deepEqual(createPlaceholderFinder([own]).find(spelling), [own]);
    }
  });
  fc.assert(property);
});
