import assert from "node:assert/strict";
import { test } from "node:test";
import { compilePolicy, parseTaskFile } from "../policy/index.ts";
import { allowedInstead, denialLine, problemBytes, problemOf, upstreamProblem } from "./denial.ts";
import { AGENT } from "./test-kit.ts";

const DENIAL = {
  system: "docs",
  target: "https://docs.test/admin",
  route: '["POST","",443,"https",""]',
  effect: "write",
  rule: "grants[0].allow[1]",
  title: "This request is not granted",
  reason: "docs grants no POST on /admin",
  allowed: ["GET https://docs.test:443 /**"],
  process: AGENT,
  flow: "f-1",
  action: "a-1",
} as const;

test("a denial over HTTP has the members of RFC 9457 and ours, and says it is not the site's", () => {
  const { status, headers, body } = problemOf(DENIAL, 403);
  assert.equal(status, 403);
  assert.equal(headers["content-type"], "application/problem+json");
  assert.equal(headers["content-length"], String(body.length));
  assert.equal(headers["x-cofferdam"], "denied");
  assert.deepEqual(JSON.parse(body.toString()), {
    type: "urn:cofferdam:denial:grants-0-.allow-1-",
    title: DENIAL.title,
    status: 403,
    detail: DENIAL.reason,
    instance: "urn:cofferdam:a-1",
    rule: DENIAL.rule,
    system: "docs",
    allowed: DENIAL.allowed,
    help: "http://cofferdam.internal/",
  });
});

test("as bytes it is a whole response that closes", () => {
  const text = problemBytes(problemOf(DENIAL, 421)).toString();
  assert.match(
    text,
    /^HTTP\/1.1 421 Misdirected Request\r\n[^]*connection: close\r\n\r\n\{.*\}\n$/,
  );
});

test("a failed upstream is told apart from a denial", () => {
  const { headers, body } = upstreamProblem(502, "gateway.certificate", "not proved", "a-1");
  assert.equal(headers["x-cofferdam"], "upstream");
  assert.match(body.toString(), /"type":"urn:cofferdam:upstream:gateway.certificate"/);
});

test("a line of the denials file is one line of JSON, with the process and without secrets", () => {
  const line = denialLine(
    { ...DENIAL, reason: `a\nb ${"x".repeat(5000)}` },
    "2026-11-23T00:00:00.000Z",
  );
  assert.equal(line.indexOf("\n"), line.length - 1);
  assert.ok(line.length < 2000, "however long the reason is");
  const { at, pid, exe, rule, target, action } = JSON.parse(line) as Record<string, unknown>;
  assert.deepEqual(
    [at, pid, exe, rule, target, action],
    ["2026-11-23T00:00:00.000Z", 4121, "/usr/bin/agent", DENIAL.rule, DENIAL.target, "a-1"],
  );
});

const grant = (n: number) =>
  `  - { system: http, name: g${n}, hosts: [h${n}.test, "*.w${n}.test"], ports: [443], allow: [{ methods: [GET], paths: ["/**"] }] }\n`;
const policyOf = (count: number) => {
  const grants = Array.from({ length: count }, (_, n) => grant(n)).join("");
  const text = `task: t\npurpose: A test.\n${count === 0 ? "" : `grants:\n${grants}`}`;
  return compilePolicy(parseTaskFile(text, "t.yaml", 0));
};
const INSTEAD: readonly (readonly [string, number, string | undefined, number, RegExp])[] = [
  [
    "at a granted host, what is granted there",
    3,
    "h1.test",
    1,
    /^GET https:\/\/h1\.test or \*\.w1\.test:443 \/\*\*$/,
  ],
  ["below a wildcard too", 3, "x.w2.test", 1, /h2\.test/],
  ["elsewhere, everything", 3, "evil.test", 3, /h0\.test/],
  ["of an address, everything", 3, undefined, 3, /h0\.test/],
  ["never more than a reader reads", 30, "evil.test", 11, /h0\.test/],
  ["nothing, where nothing is granted", 0, "evil.test", 0, /^$/],
];
for (const [why, count, host, lines, first] of INSTEAD) {
  test(`what it may do instead: ${why}`, () => {
    const said = allowedInstead(policyOf(count), host);
    assert.equal(said.length, lines);
    assert.match(said[0] ?? "", first);
  });
}
