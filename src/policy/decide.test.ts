import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  EFFECTS,
  effectsOfMethod,
  UNKNOWN_PROCESS,
  type Action,
  type Json,
} from "../action/index.ts";
import { judgeConnect } from "./connect.ts";
import { decide } from "./decide.ts";
import { canonicalHost, matchesHost } from "./host-pattern.ts";
import { compilePolicy, type Policy } from "./policy.ts";
import { initialPolicyState, type PolicyState } from "./state.ts";
import { parseTaskFile } from "./task-file.ts";
import { NOW_MS } from "./testing.test.ts";

function policyOf(grants: string): Policy {
  return compilePolicy(parseTaskFile(`task: a\npurpose: b\ngrants:\n${grants}`, "t", NOW_MS));
}

const POLICY = policyOf(`
  - system: http
    name: docs
    hosts: [docs.example.com, "*.cdn.example.com"]
    allow:
      - { methods: [GET], paths: ["/private/**"], effects: [read-private] }
      - { methods: [GET, HEAD], paths: ["/pub/**"] }
      - { methods: [POST], paths: ["/pages/*"] }
      - { methods: [POST], paths: ["/pages/*/publish"], effects: [write, publish] }
      - { methods: [DELETE, PROPFIND], paths: ["/pages/*"] }
      - methods: [DELETE]
        paths: ["/drafts/*"]
        unattended: { count: 2, reason: Drafts are copies., expires: 2026-12-31 }
      - { methods: [GET], paths: ["/@types/node", "/@types%2Fgood"] }
      - { methods: [GET], paths: ["/@types/good"], effects: [execute] }
      - { methods: [GET], paths: ["/live/*"], websocket: true }
      - { methods: [GET], paths: ["/words/c++"] }
      - { methods: [GET], paths: ["/words/a%20b"], effects: [execute] }
      - { methods: [GET], paths: ["/words/a*"] }
  - system: http
    name: plain
    hosts: [plain.example.com]
    ports: [80, 8080]
    tls: false
    allow: [{ methods: [GET, POST], paths: ["/**"] }]
  - system: http
    name: friend
    hosts: [friend.example.com]
    pairs: [docs]
    allow: [{ methods: [GET, POST], paths: ["/**"] }]
`);

interface Request {
  readonly method?: string;
  readonly url: string;
  readonly system?: string;
  readonly fields?: Readonly<Record<string, Json>>;
  readonly at?: string;
}

function actionOf({ method = "GET", url, system, fields = {}, at }: Request): Action {
  const [, scheme = "", host = "", port, path = ""] =
    /^(\w+):\/\/([^/:]+)(?::(\d+))?(\/[^?]*)/.exec(url) ?? assert.fail(url);
  return {
    id: "a-1",
    run: "r-1",
    at: at ?? "2026-11-23T12:00:00.000Z",
    monoMs: 0,
    system:
      system ??
      (host.startsWith("plain") ? "plain" : host.startsWith("friend") ? "friend" : "docs"),
    kind: "http",
    verb: method,
    effects: [...effectsOfMethod(method)],
    target: url,
    summary: "",
    fields: {
      method,
      scheme,
      host,
      port: Number(port ?? (scheme === "https" ? 443 : 80)),
      path,
      query: "",
      ...fields,
    },
    digest: "",
    cause: UNKNOWN_PROCESS,
  };
}

const D = "https://docs.example.com";
const WEBSOCKET = { upgrade: "websocket" };
const WORDS = "https://docs.example.com/words/";
const LIVE = "https://docs.example.com/live/x";
const CASES: readonly (readonly [verdict: string, rule: string, request: Request, why: string])[] =
  [
    ["allow", "grants[0].allow[8]", { url: LIVE, fields: WEBSOCKET }, "a granted WebSocket"],
    ["allow", "grants[0].allow[9]", { url: `${WORDS}c++` }, "a plus is a plus in rule and path"],
    ["deny", "grants[0]", { url: `${WORDS}c%20%20` }, "a space is not the plus of a rule"],
    [
      "confirm",
      "grants[0].allow[10]",
      { url: `${WORDS}a+b` },
      "a plus may be a space to the server",
    ],
    ["allow", "grants[0].allow[11]", { url: `${WORDS}a+c` }, "a plus that no stricter rule means"],
    ["allow", "grants[0].allow[8]", { url: LIVE }, "the same path may be read"],
    [
      "deny",
      "grants[0]",
      { url: "https://docs.example.com/pub/x", fields: WEBSOCKET },
      "a rule that does not say websocket opens none",
    ],
    [
      "deny",
      "no-grant",
      { url: LIVE, fields: { upgrade: "chisel" } },
      "another protocol cannot be granted",
    ],
    ["allow", "grants[0].allow[1]", { url: `${D}/pub/a` }, "read as granted"],
    [
      "allow",
      "grants[0].allow[1]",
      { method: "HEAD", url: "https://x.cdn.example.com/pub/a" },
      "by a wildcard",
    ],
    [
      "allow",
      "grants[0].allow[1]",
      { url: "https://DOCS.example.com./pub/a" },
      "a host has one spelling",
    ],
    [
      "allow",
      "grants[0].allow[0]",
      { url: `${D}/private/a` },
      "private data may be read as granted",
    ],
    ["allow", "grants[0].allow[2]", { method: "POST", url: `${D}/pages/1` }, "write as granted"],
    [
      "allow",
      "grants[1].allow[0]",
      { method: "POST", url: "http://plain.example.com:8080/x" },
      "plain HTTP where granted",
    ],
    ["deny", "no-grant", { url: "https://other.example.com/pub/a" }, "no grant is deny"],
    [
      "deny",
      "no-grant",
      { url: "https://docs.example.com:8443/pub/a" },
      "another port is no grant",
    ],
    ["deny", "no-grant", { url: "https://93.184.216.34/pub/a" }, "an address is never a host"],
    [
      "deny",
      "no-grant",
      { url: "https://evildocs.example.com/pub/a" },
      "a suffix of text is no label",
    ],
    ["deny", "grants[0]", { url: `${D}/other` }, "no rule for the path"],
    ["deny", "grants[0]", { method: "PUT", url: `${D}/pub/a` }, "no rule for the method"],
    ["deny", "grants[0]", { method: "get", url: `${D}/pub/a` }, "methods are case-sensitive"],
    ["deny", "grants[0]", { url: `${D}/Pub/a` }, "so are paths"],
    [
      "deny",
      "grants[0]",
      { url: "http://docs.example.com:443/pub/a" },
      "plain HTTP where TLS is granted",
    ],
    [
      "deny",
      "grants[1]",
      { url: "https://plain.example.com:80/x" },
      "TLS where plain HTTP is granted",
    ],
    ["deny", "grants[0]", { url: `${D}/pub/../private/a` }, "a dot segment"],
    ["deny", "grants[0]", { url: `${D}/pub/%2e%2e/private/a` }, "an encoded dot segment"],
    ["deny", "grants[0]", { url: `${D}/pub/..%2fprivate/a` }, "a dot segment by an encoded slash"],
    ["deny", "grants[0]", { url: `${D}/pub/..;/private/a` }, "a dot segment by a path parameter"],
    ["deny", "grants[0]", { url: `${D}/pub/..\\private` }, "a dot segment by a backslash"],
    ["deny", "grants[0]", { url: `${D}/pub//a` }, "an empty segment"],
    ["deny", "grants[0]", { url: `${D}/pub/%00` }, "NUL"],
    [
      "deny",
      "grants[0]",
      { method: "POST", url: `${D}/pages/x%2fpublish%2fy` },
      "a reading that no rule covers",
    ],
    [
      "confirm",
      "grants[0].allow[3]",
      { method: "POST", url: `${D}/pages/x%2fpublish` },
      "the stricter of two readings",
    ],
    [
      "confirm",
      "grants[0].allow[7]",
      { url: `${D}/@types%2fgood` },
      "the same, though the literal one stands first",
    ],
    ["deny", "grants[0]", { url: `${D}/@types%2fnode` }, "one reading alone is not enough"],
    ["allow", "grants[0].allow[6]", { url: `${D}/@types/node` }, "its benign twin"],
    ["allow", "grants[0].allow[1]", { url: `${D}/pub/@types%2fnode` }, "both readings are covered"],
    [
      "confirm",
      "grants[0].allow[3]",
      { method: "POST", url: `${D}/pages/x/publish` },
      "publishing waits, though granted",
    ],
    [
      "confirm",
      "grants[0].allow[4]",
      { method: "DELETE", url: `${D}/pages/x` },
      "deleting waits, though granted",
    ],
    [
      "confirm",
      "grants[0].allow[4]",
      { method: "PROPFIND", url: `${D}/pages/x` },
      "an unknown method administers",
    ],
    [
      "allow",
      "grants[0].allow[5]",
      { method: "DELETE", url: `${D}/drafts/x` },
      "unattended by grant",
    ],
    [
      "confirm",
      "grants[0].allow[5]",
      { method: "DELETE", url: `${D}/drafts/x`, at: "2027-01-01T00:00:00.000Z" },
      "but not once it is over",
    ],
    [
      "confirm",
      "grants[0].allow[5]",
      { method: "DELETE", url: `${D}/drafts/x`, at: "yesterday" },
      "nor at a time that cannot be read",
    ],
    ["deny", "grants[0]", { url: `${D}/pub/a`, system: "friend" }, "taken for another system"],
    [
      "deny",
      "no-grant",
      { url: `${D}/pub/a`, fields: { port: "443" } },
      "a field that was not understood",
    ],
    [
      "deny",
      "no-grant",
      { url: `${D}/pub/a`, fields: { host: ["docs.example.com"] } },
      "a field that is no text",
    ],
  ];
for (const [verdict, rule, request, why] of CASES) {
  test(`${verdict} ${request.method ?? "GET"} ${request.url} by ${rule}: ${why}`, () => {
    const decision = decide(POLICY, initialPolicyState, actionOf(request));
    assert.deepEqual([decision.verdict, decision.rule], [verdict, rule]);
    assert.ok(decision.reason !== "");
    if (verdict === "confirm") assert.match(decision.reason, /waits for a person/);
    if (verdict !== "allow") assert.equal(decision.state, initialPolicyState);
  });
}

test("another kind of system is denied, whatever the fields say", () => {
  const action = { ...actionOf({ url: `${D}/pub/a` }), kind: "ssh" };
  const { verdict, rule } = decide(POLICY, initialPolicyState, action);
  assert.deepEqual([verdict, rule], ["deny", "grants[0]"]);
});

test("an action that says not what it does is denied", () => {
  const action = { ...actionOf({ url: `${D}/pub/a` }), effects: [] };
  assert.equal(decide(POLICY, initialPolicyState, action).verdict, "deny");
});

const EFFECTIVE = [
  // url, effects, why
  [`${D}/pub/a`, ["read"], "by method"],
  [`${D}/private/a`, ["read-private"], "a rule's effects replace the method's"],
  [`${D}/@types%2fgood`, ["read", "execute"], "those of every reading"],
  [`${D}/other`, ["read"], "where no rule matches, as the action says"],
] as const;
for (const [url, effects, why] of EFFECTIVE) {
  test(`GET ${url} is judged as ${effects.join(", ")}: ${why}`, () => {
    const decision = decide(POLICY, initialPolicyState, actionOf({ url }));
    assert.deepEqual(decision.effects, effects);
  });
}

test("a denial says what is allowed instead", () => {
  const { hint } = decide(POLICY, initialPolicyState, actionOf({ url: `${D}/other` }));
  assert.match(hint ?? "", /GET, HEAD \/pub\/\*\*/);
});

test("unattended holds for its count, and no longer", () => {
  let state: PolicyState = initialPolicyState;
  const verdicts = ["a", "b", "c"].map((name) => {
    const decision = decide(
      POLICY,
      state,
      actionOf({ method: "DELETE", url: `${D}/drafts/${name}` }),
    );
    state = decision.state;
    return decision.verdict;
  });
  assert.deepEqual(verdicts, ["allow", "allow", "confirm"]);
  assert.deepEqual(state.unattendedUsed, { "grants[0].allow[5]": 2 });
});

const AFTER_PRIVATE: readonly (readonly [verdict: string, request: Request, why: string])[] = [
  [
    "confirm",
    { method: "POST", url: "http://plain.example.com/x" },
    "a write to another system waits",
  ],
  ["allow", { url: "http://plain.example.com/x" }, "a read does not"],
  [
    "allow",
    { method: "POST", url: "https://friend.example.com/x" },
    "nor a write to a paired system",
  ],
  ["allow", { method: "POST", url: `${D}/pages/1` }, "nor to the system itself"],
];
for (const [verdict, request, why] of AFTER_PRIVATE) {
  test(`${verdict} after a private read, ${request.method ?? "GET"} ${request.url}: ${why}`, () => {
    const read = decide(POLICY, initialPolicyState, actionOf({ url: `${D}/private/a` }));
    assert.deepEqual(read.state.readPrivately, ["docs"]);
    assert.equal(decide(POLICY, read.state, actionOf(request)).verdict, verdict);
    // Before the read, each of them passes.
    assert.equal(decide(POLICY, initialPolicyState, actionOf(request)).verdict, "allow");
  });
}

test("after a private read, unattended lifts nothing on another system", () => {
  const policy = policyOf(`
  - { system: http, name: crm, hosts: [crm.example], allow: [{ methods: [GET], paths: ["/**"], effects: [read-private] }] }
  - system: http
    name: docs
    hosts: [docs.example.com]
    allow:
      - methods: [DELETE]
        paths: ["/**"]
        unattended: { count: 9, reason: x, expires: 2026-12-31 }
`);
  const remove = actionOf({ method: "DELETE", url: `${D}/a` });
  const read = decide(
    policy,
    initialPolicyState,
    actionOf({ url: "https://crm.example/a", system: "crm" }),
  );
  assert.equal(decide(policy, initialPolicyState, remove).verdict, "allow");
  assert.equal(decide(policy, read.state, remove).verdict, "confirm");
});

test("a private read that is denied is not held against the run", () => {
  const denied = decide(
    POLICY,
    initialPolicyState,
    actionOf({ url: "http://docs.example.com:443/private/a" }),
  );
  assert.deepEqual([denied.verdict, denied.state.readPrivately], ["deny", []]);
});

const CONNECTS = [
  // host, port, kind, why
  ["docs.example.com", 443, "grant", "granted"],
  ["DOCS.example.com.", 443, "grant", "in any spelling"],
  ["a.b.cdn.example.com", 443, "grant", "by a wildcard"],
  ["docs.example.com", 80, "explain", "not on this port, but a browser can be told so"],
  ["telemetry.example.net", 443, "explain", "not granted, and can be told so"],
  ["docs.example.com", 22, "refuse", "not on this port, which looks closed"],
  ["telemetry.example.net", 22, "refuse", "not granted, which looks closed"],
  ["cdn.example.com", 8443, "refuse", "a wildcard leaves out the domain itself"],
  ["10.0.0.1", 443, "refuse", "an address is no name, even as one"],
  ["a/b", 443, "refuse", "nor is what no name can be"],
  [undefined, 443, "refuse", "an address without a name, on any port"],
] as const;
for (const [host, port, kind, why] of CONNECTS) {
  test(`connect to ${host ?? "an address"} port ${port}: ${kind}, ${why}`, () => {
    const decision = judgeConnect(POLICY, { host, address: "198.18.0.1", port });
    assert.equal(decision.kind, kind);
    assert.equal(decision.rule, kind === "grant" ? "grants[0]" : "no-grant");
    if (decision.kind !== "grant") assert.ok(decision.reason.length > 0);
  });
}

test("connecting to an address that is granted by dial is still refused", () => {
  const policy = policyOf(`
  - { system: http, name: site, hosts: [site.example], dial: "127.0.0.1:8443", allow: [{ methods: [GET], paths: ["/**"] }] }
`);
  assert.equal(judgeConnect(policy, { address: "127.0.0.1", port: 8443 }).kind, "refuse");
  assert.equal(
    judgeConnect(policy, { host: "site.example", address: "198.18.0.1", port: 443 }).kind,
    "grant",
  );
});

test("a compiled policy cannot be changed, and its digest names what it says", () => {
  const grant = POLICY.grants[0] ?? assert.fail("a grant");
  assert.throws(() => Reflect.apply(Array.prototype.push, grant.rules, [{}]), TypeError);
  assert.throws(() => Reflect.apply(Array.prototype.push, grant.ports, [22]), TypeError);
  const text = (name: string) =>
    `  - { system: http, name: ${name}, hosts: [a.example], allow: [{ methods: [GET], paths: ["/**"] }] }\n`;
  assert.equal(policyOf(text("x")).digest, policyOf(`${text("x")}# a comment\n`).digest);
  assert.notEqual(policyOf(text("x")).digest, policyOf(text("y")).digest);
});

const requests = fc.record({
  method: fc.constantFrom("GET", "HEAD", "POST", "PUT", "DELETE", "PROPFIND", "get"),
  scheme: fc.constantFrom("http", "https"),
  host: fc.constantFrom(
    "docs.example.com",
    "x.cdn.example.com",
    "plain.example.com",
    "friend.example.com",
    "example.com",
    "1.2.3.4",
    "docs.example.com/x",
  ),
  port: fc.constantFrom(80, 443, 8080, 22),
  path: fc.oneof(
    fc
      .array(
        fc.constantFrom(
          "pub",
          "private",
          "pages",
          "drafts",
          "x",
          "..",
          "%2f",
          "%2e",
          ";",
          "",
          "publish",
        ),
        { maxLength: 5 },
      )
      .map((parts) => `/${parts.join("/")}`),
    fc.webPath(),
    fc.string({ unit: "binary" }),
  ),
  system: fc.constantFrom("docs", "plain", "friend", "none"),
  effects: fc.subarray([...EFFECTS], { minLength: 1 }),
  at: fc.constantFrom("2026-11-23T12:00:00.000Z", "2027-06-01T00:00:00.000Z", ""),
});

test("fuzz: a decision is a function of its arguments, and allows nothing without a matching grant", () => {
  const property = fc.property(fc.array(requests, { minLength: 1, maxLength: 8 }), (list) => {
    let state: PolicyState = initialPolicyState;
    for (const { method, scheme, host, port, path, system, effects, at } of list) {
      const action: Action = {
        ...actionOf({ method, url: "https://x/" }),
        system,
        effects,
        at,
        fields: { method, scheme, host, port, path, query: "" },
      };
      const before = structuredClone(state);
      const decision = decide(POLICY, state, action);
      assert.deepEqual(decide(POLICY, structuredClone(state), structuredClone(action)), decision);
      assert.deepEqual(state, before, "the state it was given is left alone");
      if (decision.verdict === "allow") {
        const name = canonicalHost(host) ?? assert.fail("an allowed host is a host");
        const grant = POLICY.grants.find((one) => one.name === system) ?? assert.fail("a grant");
        assert.ok(
          grant.ports.includes(port) && grant.hosts.some((pattern) => matchesHost(pattern, name)),
        );
        assert.equal(scheme, grant.tls ? "https" : "http");
        const rule = grant.rules.find((one) => one.name === decision.rule) ?? assert.fail("a rule");
        assert.ok(rule.methods.includes(method));
        assert.ok(path.startsWith("/") && !/\/\.\.?(\/|$)|\/\/|[;\\\0]/.test(path), path);
      }
      state = decision.state;
    }
  });
  fc.assert(property, { numRuns: 300 });
});
