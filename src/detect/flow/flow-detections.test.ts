/** What is found in flows, and what is not: each read from a capture, as `cofferdam detect` reads it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  clientHello,
  dnsQuery,
  framesOf,
  http,
  pcapOf,
  randomBytes,
  tlsData,
  type Conversation,
} from "../../../test/support/capture-kit.ts";
import { BENIGN } from "../../../test/support/benign-flows.ts";
import { POSITIVE } from "../../../test/support/flow-cases.ts";
import { createCaptureReader, createDecoder } from "../../wire/index.ts";
import {
  createFlowDetections,
  createFlowTable,
  FlowWatch,
  FLOW_DETECTORS,
  HEAD_BYTES_MAX,
  SERIES_DETECTORS,
  SIZES_MAX,
  type FlowFinding,
  type FlowSeen,
} from "../index.ts";

const TALK: Conversation = { protocol: "tcp", said: [] };

function flowsOf(...conversations: readonly Conversation[]): FlowSeen[] {
  const flows: FlowSeen[] = [];
  const decoder = createDecoder();
  const table = createFlowTable({ done: (flow) => flows.push(flow) });
  const capture = pcapOf(conversations.flatMap(framesOf));
  for (const frame of createCaptureReader().push(capture)) {
    const segment = decoder.decode(frame);
    if (segment !== undefined) table.take(segment);
  }
  table.end();
  return flows;
}

function findingsOf(...conversations: readonly Conversation[]): readonly FlowFinding[] {
  const detections = createFlowDetections();
  const found = flowsOf(...conversations).flatMap((flow) => detections.observe(flow));
  return [...found, ...detections.end()];
}

for (const it of POSITIVE) {
  test(`${it.expect} finds: ${it.name}`, () => {
    const found = findingsOf(it);
    const names = found.map(({ detector }) => detector);
    assert.ok(names.includes(it.expect ?? ""), `found ${names.join(", ") || "nothing"}`);
    for (const { score, why } of found) {
      assert.ok(score > 0 && score <= 1);
      assert.ok(why.length > 10 && why.length < 300, why);
    }
  });
}

for (const it of BENIGN) {
  test(`nothing is found in: ${it.name}`, () => assert.deepEqual(findingsOf(it), []));
}

test("every detector has a case that it finds, and says what a person needs", () => {
  const found = new Set(POSITIVE.map(({ expect }) => expect));
  const names = new Set<string>();
  for (const about of [...FLOW_DETECTORS, ...SERIES_DETECTORS]) {
    const { name, title, explanation, attack, atlas, owasp } = about;
    assert.ok(!names.has(name), `${name} twice`);
    names.add(name);
    if (name !== "flow.beacon" && name !== "tunnel.vpn-service") assert.ok(found.has(name), name);
    assert.match(name, /^[a-z]+\.[a-z0-9-]+$/);
    assert.ok(title.length > 3 && explanation.length > 40, name);
    for (const id of attack) assert.match(id, /^T\d{4}(\.\d{3})?$/);
    for (const id of atlas) assert.match(id, /^AML\.T\d{4}(\.\d{3})?$/);
    for (const id of owasp) assert.match(id, /^ASI(0\d|10)$/);
  }
});

test("a share is never needed: the login alone is found", () => {
  const login = '{"id":1,"method":"mining.subscribe","params":[]}\n';
  const [flow] = flowsOf({ protocol: "tcp", said: [["client", login]] });
  assert.equal(flow?.sizes.length, 1);
  assert.equal(createFlowDetections().observe(flow)[0]?.detector, "mining.stratum");
});

const calls = (
  count: number,
  everyMs: number,
  jitterMs: number,
  more: Partial<Conversation> = {},
) =>
  Array.from({ length: count }, (_, n): Conversation => {
    const off = (((n * 7919) % 13) / 6 - 1) * jitterMs;
    const startMs = 1_700_000_000_000 + n * everyMs + off;
    return {
      protocol: "tcp",
      clientPort: 40_000 + n,
      startMs,
      said: [["client", randomBytes(120, n)]],
      ...more,
    };
  });

test("flow.beacon finds calls at regular times, with a fifth of jitter", () => {
  const found = findingsOf(...calls(20, 60_000, 12_000)).filter(
    ({ detector }) => detector === "flow.beacon",
  );
  assert.equal(found.length, 1);
  assert.match(found[0]?.why ?? "", /20 connections to one place, one every [56]\d\.\d s/);
});

const QUIET: readonly (readonly [string, readonly Conversation[]])[] = [
  ["too few calls", calls(6, 60_000, 0)],
  ["calls within a second", calls(30, 400, 0)],
  ["calls whenever a person clicks", calls(30, 60_000, 55_000)],
  [
    "time servers, which everybody asks regularly",
    calls(30, 64_000, 0, { protocol: "udp", port: 123 }),
  ],
  [
    "downloads of all sizes",
    calls(30, 60_000, 0).map((one, n) => ({
      ...one,
      said: [["client", randomBytes(50 + 90 * (n % 9), n)]],
    })),
  ],
];
for (const [what, conversations] of QUIET) {
  test(`flow.beacon leaves alone: ${what}`, () =>
    assert.deepEqual(findingsOf(...conversations), []));
}

test("tunnel.vpn-service is found by its names", () => {
  const said = [["client", clientHello("api.mullvad.net", ["h2"])]] as const;
  assert.equal(findingsOf({ protocol: "tcp", said })[0]?.detector, "tunnel.vpn-service");
});

test("of 3,000 ordinary flows none is found", () => {
  assert.deepEqual(findingsOf(...ordinary(3000)), []);
});

/** Web, TLS, DNS, JSON-RPC and bare binary protocols, each another one, at times without a rhythm. */
function ordinary(count: number): readonly Conversation[] {
  let startMs = 1_700_000_000_000;
  return Array.from({ length: count }, (_, n) => {
    const random = randomBytes(64, n);
    const word = random
      .toString("base64url")
      .toLowerCase()
      .slice(0, 4 + (n % 9));
    const host = `${["www", "api", "cdn", "static"][n % 4]}.${word.replaceAll(/[_-]/g, "x")}.example`;
    const answer = http(
      "HTTP/1.1 200 OK",
      { "Content-Type": "application/json" },
      JSON.stringify({ login: word, job: n }),
    );
    const text = JSON.stringify({
      jsonrpc: "2.0",
      id: n,
      method: `textDocument/${word}`,
      params: { login: word },
    });
    const kinds: readonly Conversation[] = [
      {
        protocol: "tcp",
        port: 443,
        said: [
          ["client", clientHello(host, ["h2"])],
          ["server", tlsData(900 + n, n)],
          ["client", tlsData(60 + (n % 700), n)],
        ],
      },
      {
        protocol: "tcp",
        port: 80,
        said: [
          ["client", http(`GET /${word} HTTP/1.1`, { Host: host })],
          ["server", answer],
        ],
      },
      { protocol: "udp", port: 53, said: [["client", dnsQuery(host, n % 2 === 0 ? 1 : 28, n)]] },
      {
        protocol: "tcp",
        port: 7000,
        said: [["client", `Content-Length: ${text.length}\r\n\r\n${text}`]],
      },
      {
        protocol: "tcp",
        port: 9000,
        said: [
          ["client", `${text}\n`],
          ["server", `{"id":${n},"result":null}\n`],
        ],
      },
      {
        protocol: "tcp",
        port: 9999,
        said: [
          ["client", Buffer.concat([Buffer.of(0xab, n & 255), random])],
          ["server", random],
        ],
      },
      {
        protocol: "udp",
        port: 40_000,
        said: [
          ["client", random],
          ["server", randomBytes(40 + (n % 90), n)],
        ],
      },
    ];
    startMs += 100 + (random[3] ?? 0) * 40;
    return {
      ...(kinds[n % kinds.length] ?? TALK),
      startMs,
      clientPort: 20_000 + n,
      server: `198.51.${random[5]}.${random[9]}`,
    };
  });
}

test("a live flow and a captured one are the same value", () => {
  const said = [
    ["client", "mining?\n"],
    ["server", "no\n"],
    ["client", "x".repeat(20_000)],
  ] as const;
  const [captured] = flowsOf({ protocol: "tcp", said, startMs: 1000 });
  const watch = new FlowWatch({
    protocol: "tcp",
    client: { address: "10.1.0.2", port: 50_000 },
    server: { address: "192.0.2.7", port: 443 },
    startMs: 1000,
  });
  let atMs = 1002;
  for (const [from, text] of said) {
    for (let at = 0; at < text.length; at += 1400)
      watch.push(from, Buffer.from(text.slice(at, at + 1400)), atMs++);
  }
  assert.deepEqual(watch.seen(), captured);
  assert.equal(captured?.sent.length, HEAD_BYTES_MAX);
  assert.equal(captured?.bytesOut, 20_008);
});

test("INV-143: what is kept of a flow is bounded, whatever it carries", () => {
  const watch = new FlowWatch({
    protocol: "udp",
    client: { address: "a", port: 1 },
    server: { address: "b", port: 2 },
    startMs: 0,
  });
  for (let n = 0; n < 5000; n += 1)
    watch.push(n % 2 === 0 ? "client" : "server", randomBytes(100, n), n);
  assert.ok(watch.kept <= 2 * HEAD_BYTES_MAX);
  const seen = watch.seen();
  assert.equal(seen.sizes.length, SIZES_MAX);
  assert.equal(seen.bytesOut + seen.bytesIn, 500_000);
});

test("any bytes of any protocol are judged without an error, and the same again", () => {
  const side = fc.constantFrom("client" as const, "server" as const);
  const starts = [
    "",
    "SSH-2.0-",
    "GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n",
    "CONNECT a:1 HTTP/1.1\r\n\r\n",
    "\x05\x01\x00",
    "\x04\x01\x00\x50\x00\x00\x00\x01",
    '{"method":"',
    "HTTP/1.1 101 X\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n",
    "\x16\x03\x01",
  ];
  const payload = fc
    .tuple(fc.constantFrom(...starts), fc.uint8Array({ maxLength: 300 }))
    .map(([start, rest]) => Buffer.concat([Buffer.from(start, "latin1"), rest]));
  const flow = fc.record({
    protocol: fc.constantFrom("tcp" as const, "udp" as const, "icmp" as const),
    said: fc.array(fc.tuple(side, payload), { maxLength: 8 }),
  });
  fc.assert(
    fc.property(flow, ({ protocol, said }) => {
      const watch = new FlowWatch({
        protocol,
        client: { address: "a", port: 1 },
        server: { address: "b", port: 53 },
        startMs: 0,
      });
      for (const [from, bytes] of said) watch.push(from, bytes, 1);
      const once = createFlowDetections().observe(watch.seen());
      assert.deepEqual(createFlowDetections().observe(watch.seen()), once);
    }),
    { numRuns: 400 },
  );
});
