import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { EFFECTS, UNKNOWN_PROCESS, VERDICTS, type Action } from "../action/index.ts";
import { judgeConnect } from "./connect.ts";
import { decide, isStanding } from "./decide.ts";
import { narrowPolicy, type Present } from "./narrow.ts";
import { compilePolicy, type Policy } from "./policy.ts";
import { initialPolicyState } from "./state.ts";
import { parseTaskFile } from "./task-file.ts";
import { NOW_MS } from "./testing.test.ts";

const taskOf = (grants: string, rest = "") =>
  parseTaskFile(
    `task: a\npurpose: b\n${rest}${grants === "" ? "" : `grants:\n${grants}`}`,
    "t",
    NOW_MS,
  );
function presentOf(grants: string, rest = "", revoked: readonly string[] = []): Present {
  const task = taskOf(grants, rest);
  return { task, policy: compilePolicy(task, revoked), state: initialPolicyState };
}

const http = (name: string, hosts: string, allow: string, more = "") =>
  `  - { system: http, name: ${name}, hosts: [${hosts}], allow: [${allow}]${more === "" ? "" : `, ${more}`} }\n`;
const GET = '{ methods: [GET], paths: ["/**"] }';
const POST = '{ methods: [POST], paths: ["/**"] }';
const rule = (methods: string, path: string, more = "") =>
  `{ methods: [${methods}], paths: ["${path}"]${more} }`;
const left = (count: number, expires = "2026-12-31") =>
  `, unattended: { count: ${count}, reason: Copies., expires: ${expires} }`;
const opaque = (more: string) =>
  `  - { system: tcp, name: x, hosts: [x.example], opaque: true${more} }\n`;

const STRICT_FIRST = `${rule("POST", "/pay/*", ", effects: [spend]")}, ${POST}`;

/** why, present grants, new grants, what is wider (none where it is no wider). */
const CASES: readonly (readonly [string, string, string, RegExp | undefined])[] = [
  ["nothing changes", http("x", "x.example", GET), http("x", "x.example", GET), undefined],
  ["everything goes", http("x", "x.example", GET), "", undefined],
  ["a host goes", http("x", "x.example, y.example", GET), http("x", "x.example", GET), undefined],
  [
    "a host comes",
    http("x", "x.example", GET),
    http("x", "x.example, y.example", GET),
    /y\.example on port 443 is not granted/,
  ],
  [
    "a wildcard becomes one name",
    http("x", '"*.example"', GET),
    http("x", "x.example", GET),
    undefined,
  ],
  [
    "one name becomes a wildcard",
    http("x", "x.example", GET),
    http("x", '"*.x.example"', GET),
    /not granted now/,
  ],
  [
    "a port comes",
    http("x", "x.example", GET),
    http("x", "x.example", GET, "ports: [443, 8443]"),
    /port 8443 is not granted/,
  ],
  [
    "a rule goes",
    http("x", "x.example", `${GET}, ${POST}`),
    http("x", "x.example", GET),
    undefined,
  ],
  [
    "a rule comes",
    http("x", "x.example", GET),
    http("x", "x.example", `${GET}, ${POST}`),
    /POST \/\*\* is not granted/,
  ],
  [
    "a path narrows",
    http("x", "x.example", GET),
    http("x", "x.example", rule("GET", "/a/*")),
    undefined,
  ],
  [
    "a path widens",
    http("x", "x.example", rule("GET", "/a/*")),
    http("x", "x.example", GET),
    /GET \/\*\* is not granted/,
  ],
  [
    "a strict rule before a broad one stays",
    http("x", "x.example", STRICT_FIRST),
    http("x", "x.example", STRICT_FIRST),
    undefined,
  ],
  [
    "a strict rule before a broad one goes",
    http("x", "x.example", STRICT_FIRST),
    http("x", "x.example", POST),
    /judged more strictly now/,
  ],
  [
    "one of two disjoint rules goes, which judged otherwise",
    http(
      "x",
      "x.example",
      `${rule("POST", "/pay/*", ", effects: [spend]")}, ${rule("POST", "/posts/*")}`,
    ),
    http("x", "x.example", rule("POST", "/posts/*")),
    undefined,
  ],
  [
    "an effect is added",
    http("x", "x.example", rule("GET", "/a", ", effects: [read]")),
    http("x", "x.example", rule("GET", "/a", ", effects: [read, read-private]")),
    undefined,
  ],
  [
    "an effect is left out",
    http("x", "x.example", rule("GET", "/a", ", effects: [read, execute]")),
    http("x", "x.example", rule("GET", "/a", ", effects: [read]")),
    /judged more strictly|not granted/,
  ],
  [
    "effects by method become stated ones",
    http("x", "x.example", rule("POST", "/a")),
    http("x", "x.example", rule("POST", "/a", ", effects: [read]")),
    /judged more strictly|not granted/,
  ],
  [
    "a count shrinks",
    http("x", "x.example", rule("DELETE", "/a", left(9))),
    http("x", "x.example", rule("DELETE", "/a", left(3))),
    undefined,
  ],
  [
    "a count grows",
    http("x", "x.example", rule("DELETE", "/a", left(3))),
    http("x", "x.example", rule("DELETE", "/a", left(9))),
    /judged more strictly|not granted/,
  ],
  [
    "an end moves away",
    http("x", "x.example", rule("DELETE", "/a", left(3))),
    http("x", "x.example", rule("DELETE", "/a", left(3, "2027-01-31"))),
    /judged more strictly|not granted/,
  ],
  [
    "leave is given",
    http("x", "x.example", rule("DELETE", "/a")),
    http("x", "x.example", rule("DELETE", "/a", left(1))),
    /judged more strictly|not granted/,
  ],
  [
    "one count becomes two",
    http("x", "x.example", rule("DELETE", "/*", left(3))),
    http("x", "x.example", `${rule("DELETE", "/a", left(3))}, ${rule("DELETE", "/b", left(3))}`),
    /count is not one rule's/,
  ],
  [
    "dial changes",
    http("x", "x.example", GET),
    http("x", "x.example", GET, 'dial: "127.0.0.1:9"'),
    /dial is absent now/,
  ],
  [
    "a proxy goes",
    http("x", "x.example", GET, 'upstream_proxy: "10.0.0.1:9"'),
    http("x", "x.example", GET),
    /proxy is .*10\.0\.0\.1.* now/,
  ],
  [
    "an authority comes",
    http("x", "x.example", GET),
    http("x", "x.example", GET, "ca: ./x.pem"),
    /ca is absent now/,
  ],
  [
    "an authority goes",
    http("x", "x.example", GET, "ca: ./x.pem"),
    http("x", "x.example", GET),
    undefined,
  ],
  [
    "TLS goes",
    http("x", "x.example", GET),
    http("x", "x.example", GET, "tls: false"),
    /tls is true now/,
  ],
  [
    "a grant takes another name",
    http("x", "x.example", GET),
    http("y", "x.example", GET),
    /the grant x decides/,
  ],
  [
    "a stricter grant in front of a wildcard goes",
    http("x", "x.b.example", GET) + http("all", '"*.b.example"', `${GET}, ${POST}`),
    http("all", '"*.b.example"', `${GET}, ${POST}`),
    /all: the grant x decides over \*\.b\.example/,
  ],
  [
    "the wildcard behind it goes",
    http("x", "x.b.example", GET) + http("all", '"*.b.example"', `${GET}, ${POST}`),
    http("x", "x.b.example", GET),
    undefined,
  ],
  [
    "a pair comes",
    http("x", "x.example", GET) +
      http("p", "p.example", rule("GET", "/a", ", effects: [read-private]")),
    http("x", "x.example", GET, "pairs: [p]") +
      http("p", "p.example", rule("GET", "/a", ", effects: [read-private]")),
    /not paired with p/,
  ],
  [
    "requests become a splice",
    http("x", "x.example", GET),
    "  - { system: tcp, name: x, hosts: [x.example], splice: true }\n",
    /kind is "http" now/,
  ],
  [
    "a splice becomes requests",
    "  - { system: tcp, name: x, hosts: [x.example], splice: true }\n",
    http("x", "x.example", GET),
    /kind is "splice" now/,
  ],
  ["a protocol goes", opaque(", protocols: [ssh]"), opaque(""), undefined],
  ["a protocol comes", opaque(""), opaque(", protocols: [ssh]"), /ssh is closed now/],
];
for (const [why, before, after, wider] of CASES) {
  test(`INV-32: ${why}: ${wider === undefined ? "no wider" : "refused"}`, () => {
    const found = narrowPolicy(presentOf(before), taskOf(after)).wider;
    if (wider === undefined) assert.deepEqual(found, []);
    else assert.match(found.join("\n"), wider);
  });
}

const TASKS: readonly (readonly [string, string, RegExp | undefined])[] = [
  ["publish: [3000, 4000]\n", "publish: [4000]\n", undefined],
  ["publish: [3000]\n", "publish: [4000]\n", /publish 4000 is not open/],
  ["publish: [3000]\n", 'publish: ["3000:22"]\n', /publish 3000:22 is not open/],
  ["respond: { scan: record }\n", "respond: { scan: kill }\n", undefined],
  ["respond: { scan: kill }\n", "respond: { scan: pause }\n", /milder than kill/],
  ["respond: { scan: [cut, pause] }\n", "respond: { scan: [alert, pause] }\n", /milder than cut/],
  ["respond: { scan: [cut, pause] }\n", "respond: { scan: kill }\n", undefined],
  ["respond: { scan: cut }\n", "respond: { scan: [cut, alert, revoke] }\n", undefined],
  ["environment: [LANG]\n", "", /environment is settled/],
  ["lifetime: 1h\n", "lifetime: 2h\n", /lifetime is settled/],
];
for (const [before, after, wider] of TASKS) {
  test(`INV-32: ${before.trim()} becomes ${after.trim()}`, () => {
    const found = narrowPolicy(presentOf("", before), taskOf("", after)).wider.join("\n");
    if (wider === undefined) assert.equal(found, "");
    else assert.match(found, wider);
  });
}

test("INV-32: what was revoked stays so, decides still, and cannot come back by another name", () => {
  const grants = http("x", "x.b.example", GET) + http("all", '"*.b.example"', GET);
  const present = presentOf(grants, "", ["x"]);
  const look = (policy: Policy) =>
    judgeConnect(policy, { host: "x.b.example", address: "198.18.0.9", port: 443 });
  assert.match(JSON.stringify(look(present.policy)), /explain.*the grant x was revoked/);
  const same = narrowPolicy(present, taskOf(grants));
  assert.deepEqual(same.wider, []);
  assert.equal(look(same.policy).kind, "explain", "with the grant in the new file");
  const without = narrowPolicy(present, taskOf(http("all", '"*.b.example"', GET)));
  assert.match(without.wider.join(), /the grant x was revoked/, "all would take its place");
  assert.notEqual(present.policy.digest, compilePolicy(present.task).digest, "the digest says it");
});

test("INV-32: counts follow their rules to a new place", () => {
  const grants = (first: string) =>
    http("x", "x.example", `${first}${rule("DELETE", "/b", left(2))}`);
  const present = presentOf(grants(`${rule("GET", "/a")}, `));
  const used = { ...initialPolicyState, unattendedUsed: { "grants[0].allow[1]": 2 } };
  const { state, wider, policy } = narrowPolicy({ ...present, state: used }, taskOf(grants("")));
  assert.deepEqual(wider, []);
  assert.equal(decide(policy, state, actionOf("DELETE", "x.example", "/b")).verdict, "confirm");
});

function actionOf(method: string, host: string, path: string, system = "x"): Action {
  return {
    id: "a-1",
    run: "r-1",
    at: new Date(NOW_MS).toISOString(),
    monoMs: 0,
    system,
    kind: "http",
    verb: method,
    effects: method === "GET" ? ["read"] : method === "DELETE" ? ["delete"] : ["write"],
    target: `https://${host}${path}`,
    summary: "",
    fields: { method, scheme: "https", host, port: 443, path },
    digest: "",
    cause: UNKNOWN_PROCESS,
  };
}

test("what goes on stands while it is granted, whatever its count says by now", () => {
  const present = presentOf(http("x", "x.example", rule("DELETE", "/b", left(1))));
  const action = actionOf("DELETE", "x.example", "/b");
  const after = decide(present.policy, initialPolicyState, action).state;
  assert.equal(isStanding(present.policy, after, action), true);
  assert.equal(isStanding(compilePolicy(present.task, ["x"]), after, action), false);
});

// Random small policies over few hosts and paths: what is called "no wider" never decides more leniently.
const HOSTS = ["a.example", "b.a.example", "c.b.a.example", "d.example"] as const;
const PATHS = ["/", "/p", "/p/q", "/p/q/r", "/s"] as const;
const METHODS = ["GET", "POST", "DELETE"] as const;
const ruleArbitrary = fc
  .record({
    methods: fc.uniqueArray(fc.constantFrom(...METHODS), { minLength: 1, maxLength: 2 }),
    path: fc.constantFrom("/**", "/p/**", "/p/*", "/p/q", "/s", "/*", "/**/q"),
    effects: fc.option(fc.uniqueArray(fc.constantFrom(...EFFECTS), { minLength: 1, maxLength: 2 })),
    count: fc.option(fc.integer({ min: 1, max: 2 })),
  })
  .map(({ methods, path, effects, count }) => ({
    methods,
    paths: [path],
    ...(effects === null ? {} : { effects }),
    ...(count === null ? {} : { unattended: { count, reason: "x", expiresMs: NOW_MS + 864e5 } }),
  }));
const grantArbitrary = fc
  .record({
    name: fc.constantFrom("x", "y", "z"),
    hosts: fc.uniqueArray(
      fc.constantFrom("a.example", "*.a.example", "b.a.example", "*.b.a.example", "d.example"),
      { minLength: 1, maxLength: 2 },
    ),
    allow: fc.array(ruleArbitrary, { minLength: 1, maxLength: 3 }),
  })
  .map((grant) => ({
    ...grant,
    kind: "http" as const,
    system: "http",
    ports: [443],
    tls: true,
    pairs: [],
    protocols: [],
  }));
const grantsArbitrary = fc.uniqueArray(grantArbitrary, {
  maxLength: 3,
  selector: (grant) => grant.name,
});

test("INV-32: what is called no wider decides nothing more leniently, for any policies", () => {
  const base = taskOf("");
  let narrower = 0;
  const property = fc.property(
    grantsArbitrary,
    fc.array(fc.nat(20), { maxLength: 4 }),
    grantsArbitrary,
    fc.boolean(),
    (before, drops, other, isOther) => {
      const present = { ...base, grants: before };
      // Mostly the same policy with some rules and grants left out: what people narrow by.
      const after = isOther
        ? other
        : before
            .filter((_, at) => !drops.includes(at))
            .map((grant) => ({
              ...grant,
              allow: grant.allow.filter((_, at) => !drops.includes(at + 5)),
            }));
      const policy = compilePolicy(present);
      const result = narrowPolicy(
        { task: present, policy, state: initialPolicyState },
        { ...base, grants: after },
      );
      if (result.wider.length > 0) return;
      narrower += 1;
      for (const host of HOSTS) {
        for (const path of PATHS) {
          for (const method of METHODS) {
            for (const system of ["x", "y", "z"]) {
              const action = actionOf(method, host, path, system);
              const [old, now] = [policy, result.policy].map((one) =>
                VERDICTS.indexOf(decide(one, initialPolicyState, action).verdict),
              );
              assert.ok((now ?? 0) >= (old ?? 0), `${method} ${host}${path} of ${system}`);
            }
          }
        }
      }
    },
  );
  fc.assert(property, { numRuns: 400 });
  assert.ok(narrower > 50, `only ${narrower} were called no wider`);
});
