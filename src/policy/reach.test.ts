/** Where grants lead, and what nobody looks into: the parts of a task file, and what is refused of them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { UNKNOWN_PROCESS, type Action } from "../action/index.ts";
import { decide } from "./decide.ts";
import { parseDial, parseProxy, printDial, printProxy } from "./dial.ts";
import { areDisjointGlobs, parsePathGlob } from "./path-glob.ts";
import { compilePolicy } from "./policy.ts";
import { parsePublish, printPublished } from "./publish.ts";
import { initialPolicyState } from "./state.ts";
import { parseTaskFile } from "./task-file.ts";
import { LEAST, NOW_MS, testBroken } from "./testing.test.ts";

const DIALS: readonly (readonly [string, boolean, string])[] = [
  ["10.0.0.5:22", true, "a private address"],
  ["[::1]:8443", true, "IPv6"],
  ["[fd00::5]:22", true, "a private IPv6 address"],
  ["unix:/run/service.sock", true, "a socket's path"],
  ["unix:run/service.sock", false, "a path must be absolute"],
  ["unix:/run/../etc/x", false, "a path that leads elsewhere than it reads"],
  ["unix:/run/./x", false, "the same"],
  ["unix://run/x", false, "an empty segment"],
  ["unix:/run/x/", false, "a folder"],
  [`unix:/${"x".repeat(107)}`, false, "longer than sun_path"],
  ["unix:@abstract", false, "abstract sockets have no owner to trust"],
  ["unix:/run/\0x", false, "NUL"],
  ["localhost:80", false, "a name"],
  ["0.0.0.0:80", false, "nowhere, or loopback in disguise"],
  ["[::ffff:127.0.0.1]:80", false, "an IPv4 address has one spelling"],
  ["127.1:80", false, "the same"],
];
for (const [source, isDial, why] of DIALS) {
  test(`dial ${JSON.stringify(source).slice(0, 40)} is ${isDial ? "" : "not "}taken: ${why}`, () => {
    const dial = parseDial(source);
    assert.equal(dial === undefined ? undefined : printDial(dial), isDial ? source : undefined);
  });
}

const PROXIES: readonly (readonly [string, string | undefined])[] = [
  ["10.0.0.1:3128", "10.0.0.1:3128"],
  ["[fd00::1]:3128", "[fd00::1]:3128"],
  ["Proxy.Example:3128", "proxy.example:3128"],
  ["http://proxy.example:3128", undefined],
  ["user:secret@proxy.example:3128", undefined],
  ["localhost:3128", undefined],
  ["0x7f.1:3128", undefined],
  ["proxy.example", undefined],
  ["proxy.example:0", undefined],
];
for (const [source, canonical] of PROXIES) {
  test(`proxy ${source} is ${canonical ?? "refused"}`, () => {
    const proxy = parseProxy(source);
    assert.equal(proxy === undefined ? undefined : printProxy(proxy), canonical);
  });
}

test("published ports: one number, or this machine's and the run's", () => {
  assert.deepEqual(parsePublish(3000), { host: 3000, run: 3000 });
  assert.deepEqual(parsePublish("3000:80"), { host: 3000, run: 80 });
  for (const text of ["3000", "3000:80"]) {
    const parsed = parsePublish(text === "3000" ? 3000 : text);
    assert.ok(!("problem" in parsed) && printPublished(parsed) === text);
  }
  for (const source of [0, 80, 1023, 70_000, 1.5, "80:8080", "3000:0", "127.0.0.1:3000:80", "x"]) {
    assert.ok("problem" in parsePublish(source), String(source));
  }
});

const DISJOINT: readonly (readonly [string, string, boolean])[] = [
  ["/a", "/b", true],
  ["/a/*", "/b/*", true],
  ["/a", "/a/b", true],
  ["/a/**", "/b/**", true],
  ["/x*", "/ab", true],
  ["/a/**", "/a/b", false],
  ["/**", "/a", false],
  ["/*", "/a", false],
  ["/a*", "/*b", false],
];
for (const [one, other, areDisjoint] of DISJOINT) {
  test(`${one} and ${other} ${areDisjoint ? "share no path" : "may share a path"}`, () => {
    const [first, second] = [parsePathGlob(one), parsePathGlob(other)];
    assert.equal(areDisjointGlobs(first, second), areDisjoint);
    assert.equal(areDisjointGlobs(second, first), areDisjoint);
  });
}

const tcp = (more: string) =>
  `${LEAST}grants:\n  - { system: tcp, name: x, hosts: [x.example], ${more} }\n`;
const web = (more: string) =>
  `${LEAST}grants:\n  - { system: http, name: x, hosts: [x.example], allow: [{ methods: [GET], paths: ["/**"] }], ${more} }\n`;
testBroken([
  ["tcp that says not how", tcp("ports: [9]"), "4:5", /one of splice: true.*and opaque: true/],
  ["both at once", tcp("splice: true, opaque: true"), "4:5", /says not how/],
  ["splice: false", tcp("splice: false"), "4:", /splice/],
  [
    "rules for what nobody sees",
    tcp('splice: true, allow: [{ methods: [GET], paths: ["/**"] }]'),
    "4:",
    /can never match/,
  ],
  ["an authority that is never asked", tcp("splice: true, ca: ./x.pem"), "4:", /never used/],
  ["a proxy around the name", tcp("opaque: true, upstream_proxy: 10.0.0.1:9"), "4:", /never used/],
  [
    "protocols of a splice",
    tcp("splice: true, protocols: [ssh]"),
    "4:",
    /belongs to an opaque grant/,
  ],
  ["a protocol without a gate", tcp("opaque: true, protocols: [redis]"), "4:", /not one of ssh/],
  ["splice of judged requests", web("splice: true"), "4:", /no place in a grant of system http/],
  ["opaque judged requests", web("opaque: true"), "4:", /no place in a grant of system http/],
  ["a proxy without TLS", web("upstream_proxy: 10.0.0.1:9, tls: false"), "4:", /needs TLS/],
  ["a proxy to port 80", web("upstream_proxy: 10.0.0.1:9, ports: [80]"), "4:", /needs TLS/],
  [
    "a proxy to a socket",
    web("upstream_proxy: 10.0.0.1:9, dial: unix:/run/x"),
    "4:",
    /cannot lead to a socket/,
  ],
  [
    "a proxy's account",
    web('upstream_proxy: "u:p@10.0.0.1:9"'),
    "4:",
    /an account cannot be given/,
  ],
]);

const GRANTS = `task: a
purpose: b
grants:
  - { system: http, name: crm, hosts: [crm.example], allow: [{ methods: [GET], paths: ["/**"], effects: [read-private] }] }
  - { system: tcp, name: pinned, hosts: [pinned.example], splice: true }
  - { system: tcp, name: paired, hosts: [paired.example], opaque: true, pairs: [crm] }
`;
const POLICY = compilePolicy(parseTaskFile(GRANTS, "t", NOW_MS));
const READ = { ...initialPolicyState, readPrivately: ["crm"] };

function connection(system: string, host: string, port = 443): Action {
  return {
    id: "a-1",
    run: "r-1",
    at: new Date(NOW_MS).toISOString(),
    monoMs: 0,
    system,
    kind: "tcp",
    verb: "connect",
    effects: ["write"],
    target: `${host}:${port}`,
    summary: "",
    fields: { host, port },
    digest: "",
    cause: UNKNOWN_PROCESS,
  };
}

test("INV-33: a connection that nobody looks into is granted as a whole, by its own grant only", () => {
  const verdict = (action: Action, state = initialPolicyState) =>
    decide(POLICY, state, action).verdict;
  assert.equal(verdict(connection("pinned", "pinned.example")), "allow");
  assert.equal(verdict(connection("pinned", "pinned.example", 22)), "deny", "another port");
  assert.equal(verdict(connection("crm", "crm.example")), "deny", "a grant of requests");
  assert.equal(verdict(connection("paired", "pinned.example")), "deny", "another system's name");
  assert.equal(verdict(connection("pinned", "nothing.example")), "deny");
  assert.equal(verdict(connection("pinned", "pinned.example"), READ), "confirm", "private data");
  assert.equal(verdict(connection("paired", "paired.example"), READ), "allow", "paired with it");
  const request: Action = {
    ...connection("pinned", "pinned.example"),
    kind: "http",
    fields: { method: "GET", scheme: "https", host: "pinned.example", port: 443, path: "/" },
  };
  assert.equal(verdict(request), "deny", "and never by a request");
});
