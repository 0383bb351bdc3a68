/** INV-157: what is blackened is gone from everything that is made of the entries; what is no secret stays. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Entry } from "../api/index.ts";
import { makeReport, redactEntries, renderHtml, renderMarkdown, renderOcsf } from "./index.ts";
import { RUN, SAMPLE } from "./sample.fixture.ts";

const entry = (argv: readonly string[], data: NonNullable<Entry["data"]> = {}): Entry => ({
  ...{ seq: 1, type: "process.start", at: "2026-11-27T09:00:00.000Z", monoMs: 1, run: RUN },
  process: { pid: 1, exe: "/bin/x", argv: [...argv], knownBy: "proc", ancestors: [] },
  data,
});
const cleaned = (argv: readonly string[], persons = false) => {
  const { entries } = redactEntries([entry(argv)], { persons });
  return entries[0]?.process?.argv.join(" ");
};

const SECRETS: readonly (readonly [argv: readonly string[], left: string])[] = [
  [
    ["curl", "-H", "Authorization: Bearer abcdef123456"],
    "curl -H Authorization: Bearer [secret 1]",
  ],
  [["x", ["sk", "ant", "api03", "x".repeat(24)].join("-")], "x [secret 1]"],
  [["x", "ghp_abcdefghijklmnopqrst1234"], "x [secret 1]"],
  [["x", "AKIAIOSFODNN7EXAMPLE"], "x [secret 1]"],
  [["x", "eyJhbGciOiJI.eyJzdWIiOiIx.abc-_"], "x [secret 1]"],
  [["mysql", "--password", "hunter22"], "mysql --password [secret 1]"],
  [["mysql", "--password=hunter22"], "mysql --password=[secret 1]"],
  [["psql", "postgres://app:s3cr3tpw@db.example/x"], "psql postgres://app:[secret 1]@db.example/x"],
  [
    ["x", "api_key: 0123456789abc and api_key: 0123456789abc"],
    "x api_key: [secret 1] and api_key: [secret 1]",
  ],
  [
    ["x", "-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\n-----END OPENSSH PRIVATE KEY-----"],
    "x [secret 1]",
  ],
  [["x", "-----BEGIN PRIVATE KEY-----\nb3Bl that was cut…"], "x [secret 1]"],
];
for (const [argv, left] of SECRETS) {
  test(`a secret by its shape: ${argv.join(" ").slice(0, 40)}`, () =>
    assert.equal(cleaned(argv), left));
}

const PLAIN: readonly (readonly string[])[] = [
  ["git", "commit", "-m", "read the token file"],
  ["sha256sum", "58824afa640f512e07e895c0f2d1e1fe2c3fd1456acab689b6e4c1c75cef2593"],
  ["ssh", "me@outside.example"],
  ["ls", "--password-store"],
];
for (const argv of PLAIN) {
  test(`the twin: ${argv.join(" ")} stays`, () => assert.equal(cleaned(argv), argv.join(" ")));
}

test("persons are blackened where it is asked for: mail addresses, and who decided", () => {
  assert.equal(cleaned(["mail", "anna@people.example"], true), "mail [mail address 1]");
  const { entries, redactions } = redactEntries(SAMPLE, { persons: true });
  assert.doesNotMatch(JSON.stringify(entries), /anna|me@outside/);
  assert.deepEqual(
    redactions.map(({ of, texts }) => [of, texts]),
    [
      ["secret", 0],
      ["mail address", 2],
      ["person", 1],
    ],
  );
  assert.match(JSON.stringify(entries), /"by":"revoke"/, "what Cofferdam did is no person");
});

test("INV-157: nothing that is blackened is in any format, and the entries that it stood in are known", () => {
  const secret = "ghp_abcdefghijklmnopqrst1234";
  const whole = [
    entry(["git", "push", secret], { [secret]: [`x ${secret}`], detail: secret }),
    ...SAMPLE,
  ];
  const report = makeReport(whole, {
    ...{ run: RUN, version: "0", persons: true, task: undefined },
    verbsOf: () => undefined,
    detectorOf: () => undefined,
  });
  assert.ok(report.touched.has(1));
  assert.ok(!report.touched.has(100));
  for (const text of [
    renderMarkdown(report, undefined),
    renderHtml(report, undefined),
    renderOcsf(report, () => undefined),
  ]) {
    assert.doesNotMatch(text, /ghp_abc|anna/);
  }
});
