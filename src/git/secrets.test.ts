import assert from "node:assert/strict";
import { test } from "node:test";
import { blackenSecrets, secretsIn } from "./secrets.ts";

// Put together here, so that no file of this repository looks like it held one.
const join = (...parts: readonly string[]): string => parts.join("");
const SECRETS = [
  ["GitHub token", join("ghp", "_", "a1B2".repeat(9))],
  ["GitHub token", join("github", "_pat_", "a".repeat(82))],
  ["GitLab token", join("glpat", "-", "x".repeat(20))],
  ["AWS access key", join("AKIA", "ABCDEFGH12345678")],
  ["Slack token", join("xoxb", "-1234567890-1234567890-abcdef")],
  ["Stripe key", join("sk", "_live_", "a".repeat(24))],
  ["Google API key", join("AIza", "b".repeat(35))],
  ["npm token", join("npm", "_", "c".repeat(36))],
  ["Anthropic key", join("sk-ant", "-api03-", "d".repeat(90))],
  ["private key", join("-----BEGIN RSA PRIVATE", " KEY-----")],
  ["private key", join("-----BEGIN PRIVATE", " KEY-----")],
  ["private key", join("-----BEGIN PGP PRIVATE", " KEY BLOCK-----")],
  ["Telegram bot token", join("123456789:AA", "e".repeat(33))],
  ["age secret key", join("AGE-SECRET-KEY-1", "Q".repeat(58))],
] as const;
for (const [kind, secret] of SECRETS) {
  test(`a ${kind} is found, with its line, and not where the server has it`, () => {
    const data = Buffer.from(`one\ntwo = "${secret}"\n`);
    assert.deepEqual(secretsIn(data), [{ kind, line: 2 }]);
    assert.deepEqual(secretsIn(data, Buffer.from(secret)), []);
    assert.ok(!JSON.stringify(secretsIn(data)).includes(secret));
  });
}

for (const text of [
  "ghp_short",
  `x${join("AKIA", "ABCDEFGH12345678")}`,
  "sk_test_aaaaaaaaaaaaaaaaaaaaaaaa",
  "-----BEGIN PUBLIC KEY-----",
  "a".repeat(5000),
  "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
]) {
  test(`${text.slice(0, 40)} is no secret`, () =>
    assert.deepEqual(secretsIn(Buffer.from(text)), []));
}

test("looking takes time by the length alone", () => {
  const start = process.hrtime.bigint();
  for (const piece of ["A", "ghp_", "eyJ", "xoxb-", "-----BEGIN ", "sk-ant-a-", "\n", "1:AA"]) {
    secretsIn(Buffer.from(piece.repeat((2 << 20) / piece.length)));
  }
  const ms = Number(process.hrtime.bigint() - start) / 1e6;
  assert.ok(ms < 10_000, `${ms} ms`);
});

test("secrets in a text are blackened, of a private key all of it, and nothing else", () => {
  const token = `ghp_${"aB1".repeat(12)}`;
  assert.equal(blackenSecrets(`a ${token} b`), "a [secret] b");
  const key = (name: string) => `-----${name} RSA PRIVATE KEY-----`;
  assert.equal(blackenSecrets(`a ${key("BEGIN")}\nMIIE\n${key("END")} b`), "a [secret] b");
  assert.equal(blackenSecrets(`a ${key("BEGIN")}\nMIIE`), "a [secret]");
  assert.equal(blackenSecrets("sk-ip the ghp_ text"), "sk-ip the ghp_ text");
});
