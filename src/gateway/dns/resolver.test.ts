import assert from "node:assert/strict";
import { test } from "node:test";
import * as dnsPacket from "dns-packet";
import fc from "fast-check";
import { createNamePool, createResolver, type Odd, type Question } from "./index.ts";

const NOW = { wallMs: 0, monoMs: 0 };

/** A resolver, and what it told. Its clock goes on a second with each question. */
function setUp(options: { names?: number; absent?: string; everyMs?: number } = {}) {
  const questions: Question[] = [];
  const odd: Odd[] = [];
  let monoMs = 0;
  const pool = createNamePool(options.names);
  const resolver = createResolver({
    pool,
    clock: { now: () => ({ ...NOW, monoMs: (monoMs += options.everyMs ?? 1000) }) },
    decideName: (host) => (host === options.absent ? "absent" : "answer"),
    onQuestion: (question) => questions.push(question),
    onOdd: (one) => odd.push(one),
  });
  return { pool, resolver, questions, odd };
}

type Type = dnsPacket.RecordType;
const ask = (name: string, type: string = "A", more: dnsPacket.Packet = {}) =>
  dnsPacket.encode({
    type: "query",
    id: 77,
    flags: dnsPacket.RECURSION_DESIRED,
    questions: [{ name, type: type as Type }],
    ...more,
  });
const edns = (udpPayloadSize: number, ednsVersion = 0): dnsPacket.Answer => ({
  type: "OPT",
  name: ".",
  udpPayloadSize,
  extendedRcode: 0,
  ednsVersion,
  flags: 0,
  flag_do: false,
  options: [],
});
/** A query with the labels as they are, whatever is in them. */
function askLabels(labels: readonly Buffer[], type = 1, dnsClass = 1): Buffer {
  const head = Buffer.from("004d01000001000000000000", "hex");
  const name = labels.map((label) => Buffer.concat([Buffer.from([label.length]), label]));
  const tail = Buffer.from([0, 0, type, 0, dnsClass]);
  return Buffer.concat([head, ...name, tail]);
}

interface Seen {
  readonly rcode: number;
  readonly flags: number;
  readonly answers: readonly string[];
}
function see(reply: Buffer | undefined): Seen {
  assert.ok(reply);
  const { answers, id } = dnsPacket.decode(reply);
  assert.equal(id, 77);
  const flags = reply.readUInt16BE(2);
  assert.ok(flags & 0x8000, "a response");
  const texts = (answers ?? []).map((a) => `${a.type} ${String((a as { data?: unknown }).data)}`);
  return { rcode: flags & 15, flags, answers: texts };
}

const [OK, FORMERR, NXDOMAIN, NOTIMP, REFUSED] = [0, 1, 3, 4, 5];
const X = "x.example.com";
const longLabel = Buffer.alloc(63, 0x61);
const CASES: readonly (readonly [Buffer, number, readonly string[], string])[] = [
  [ask(X), OK, ["A 198.18.0.1"], "every name has an address"],
  [ask(X, "AAAA"), OK, ["AAAA fd63:6f66:6665::1"], "in both families"],
  [ask("X.eXample.COM"), OK, ["A 198.18.0.1"], "case does not matter"],
  [ask("intranet"), OK, ["A 198.18.0.1"], "one label too"],
  [
    ask("_a.printer.local"),
    OK,
    ["A 198.18.0.1"],
    "mDNS names are asked like any, and may be granted",
  ],
  [ask("localhost"), OK, ["A 127.0.0.1"], "RFC 6761: the run's own loopback"],
  [ask("a.localhost", "AAAA"), OK, ["AAAA ::1"], "and below"],
  [ask("localhost", "TXT"), OK, [], "which has nothing else"],
  [ask("expyuzz4wqqyqhjn.onion"), NXDOMAIN, [], "RFC 7686"],
  [ask("x.invalid"), NXDOMAIN, [], "RFC 6761"],
  [ask("use-application-dns.net"), NXDOMAIN, [], "browsers keep to this resolver"],
  [ask("1.2.3.4"), NXDOMAIN, [], "an address is no name"],
  [ask("0x7f.1"), NXDOMAIN, [], "in any notation"],
  [ask("xn--bcher-kva.example"), OK, ["A 198.18.0.1"], "A-labels are names"],
  [askLabels([Buffer.from("a.b"), Buffer.from("example")]), NXDOMAIN, [], "a dot within a label"],
  [askLabels([Buffer.from("a\0"), Buffer.from("example")]), NXDOMAIN, [], "a NUL"],
  [askLabels([Buffer.from([0xff])]), NXDOMAIN, [], "bytes that are no text"],
  [ask("."), OK, [], "the root has no address"],
  ...["HTTPS", "SVCB", "MX", "TXT", "SRV", "NS", "SOA", "CNAME", "NULL", "ANY", "CAA"].map(
    (type) => [askType(type), OK, [], `${type} is empty`] as const,
  ),
  [askLabels([Buffer.from("x")], 1, 3), REFUSED, [], "class CH asks about the server"],
  [ask("1.0.0.127.in-addr.arpa", "PTR"), OK, ["PTR localhost"], "loopback's name"],
  [ask(`1.${"0.".repeat(31)}ip6.arpa`, "PTR"), OK, ["PTR localhost"], "and IPv6's"],
  [ask("1.0.0.10.in-addr.arpa", "PTR"), NXDOMAIN, [], "other addresses have no name"],
  [ask("1.0.18.198.in-addr.arpa", "A"), OK, [], "reverse names have no address"],
  [ask(X, "A", { flags: 1 << 11 }), NOTIMP, [], "inverse queries, status, notify, update"],
  [ask(X, "A", { flags: 5 << 11 }), NOTIMP, [], "update"],
  [
    ask(X, "A", { questions: [X, X].map((name) => ({ name, type: "A" })) }),
    FORMERR,
    [],
    "two questions",
  ],
  [ask(X, "A", { questions: [] }), FORMERR, [], "no question"],
  [
    ask(X, "A", { answers: [{ type: "A", name: X, data: "1.2.3.4" }] }),
    FORMERR,
    [],
    "a query with an answer",
  ],
  [ask(X).subarray(0, 11), FORMERR, [], "cut in the header"],
  [ask(X).subarray(0, 20), FORMERR, [], "cut in the name"],
  [Buffer.concat([ask(X), Buffer.from([0])]), FORMERR, [], "a byte too many"],
  [Buffer.concat([ask(X), Buffer.alloc(5000)]), FORMERR, [], "longer than any query"],
  [askLabels([longLabel, longLabel, longLabel, longLabel]), FORMERR, [], "a name over 255"],
  [Buffer.from("004d01000001000000000000c00c00010001", "hex"), FORMERR, [], "a name that points"],
  [ask(X, "A", { additionals: [edns(1232), edns(1232)] }), FORMERR, [], "two EDNS records"],
];
function askType(type: string): Buffer {
  const newer = new Map([
    ["HTTPS", 65],
    ["SVCB", 64],
  ]).get(type);
  return newer === undefined ? ask(X, type) : askLabels([Buffer.from("x")], newer);
}
for (const [packet, rcode, answers, why] of CASES) {
  test(`rcode ${rcode} [${answers.join()}]: ${why}`, () => {
    const { resolver } = setUp();
    const seen = see(resolver.answer(packet));
    assert.deepEqual({ rcode: seen.rcode, answers: seen.answers }, { rcode, answers });
  });
}

test("a name keeps its address, and its address leads back to it", () => {
  const { resolver, pool } = setUp();
  for (const name of ["a.example", "b.example", "a.example"]) resolver.answer(ask(name));
  assert.deepEqual(see(resolver.answer(ask("b.example"))).answers, ["A 198.18.0.2"]);
  assert.equal(pool.hostOf("198.18.0.2"), "b.example");
  const v4 = see(resolver.answer(ask("2.0.18.198.in-addr.arpa", "PTR")));
  const v6 = see(
    resolver.answer(ask(`2.${"0.".repeat(19)}5.6.6.6.6.6.f.6.3.6.d.f.ip6.arpa`, "PTR")),
  );
  assert.deepEqual([v4.answers, v6.answers], [["PTR b.example"], ["PTR b.example"]]);
});

test("the question comes back byte for byte, with the client's case", () => {
  const { resolver } = setUp();
  const packet = ask("x.ExAmPlE.com");
  const reply = resolver.answer(packet);
  assert.deepEqual(reply?.subarray(12, packet.length), packet.subarray(12));
});

test("a name that does not exist by decision has no address and uses none up", () => {
  const { resolver, pool } = setUp({ absent: X });
  assert.equal(see(resolver.answer(ask(X))).rcode, NXDOMAIN);
  assert.equal(pool.size, 0);
});

test("only A and AAAA use up names, and a full pool answers SERVFAIL and says so", () => {
  const { resolver, pool, odd } = setUp({ names: 1 });
  for (const type of ["TXT", "MX", "A", "AAAA"]) resolver.answer(ask(X, type));
  assert.equal(pool.size, 1);
  assert.equal(see(resolver.answer(ask("y.example.com"))).rcode, 2);
  assert.equal(see(resolver.answer(ask(X))).rcode, OK, "known names go on working");
  assert.deepEqual(
    odd.map(({ kind }) => kind),
    ["pool-full"],
  );
});

test("EDNS is answered, and an unknown version of it refused", () => {
  const { resolver } = setUp();
  const reply = dnsPacket.decode(
    resolver.answer(ask(X, "A", { additionals: [edns(4096)] })) ?? Buffer.alloc(0),
  );
  const [option] = reply.additionals ?? [];
  assert.ok(option?.type === "OPT");
  assert.equal(option.udpPayloadSize, 1232);
  const bad = dnsPacket.decode(
    resolver.answer(ask(X, "A", { additionals: [edns(4096, 1)] })) ?? Buffer.alloc(0),
  );
  const [second] = bad.additionals ?? [];
  assert.ok(second?.type === "OPT");
  assert.equal(second.extendedRcode, 1, "BADVERS is 16: 1 in the extension, 0 in the header");
  assert.equal(bad.answers?.length, 0);
});

test("a reply that does not fit is cut with TC over UDP, and whole with EDNS or over TCP", () => {
  const { resolver } = setUp();
  const long = Array.from({ length: 4 }, () => "a".repeat(60)).join(".");
  const tc = (reply: Buffer | undefined) => (see(reply).flags & 0x0200) !== 0;
  const plain = resolver.answer(ask(long, "AAAA"));
  assert.ok(tc(plain) && (plain?.length ?? 513) <= 512);
  assert.equal(see(plain).answers.length, 0);
  assert.ok(!tc(resolver.answer(ask(long, "AAAA", { additionals: [edns(1232)] }))));
  assert.ok(!tc(resolver.answer(ask(long, "AAAA"), { transport: "tcp" })));
});

const DROPPED: readonly (readonly [Buffer, string])[] = [
  [Buffer.alloc(0), "nothing"],
  [Buffer.from([0, 77, 1]), "no flags"],
  [dnsPacket.encode({ type: "response", id: 77 }), "a response: two servers would talk for ever"],
];
for (const [packet, why] of DROPPED) {
  test(`no reply to ${why}`, () => assert.equal(setUp().resolver.answer(packet), undefined));
}

test("each question is told with its outcome, odd bytes escaped", () => {
  const { resolver, questions, odd } = setUp();
  const from = { address: "10.255.0.2", port: 4000 };
  resolver.answer(ask("X.example"), { transport: "udp", from });
  resolver.answer(ask(X, "TXT"), { transport: "tcp" });
  resolver.answer(askLabels([Buffer.from("a.\n")]));
  assert.deepEqual(questions, [
    {
      transport: "udp",
      from,
      name: "x.example",
      type: "A",
      rcode: "NOERROR",
      answer: ["198.18.0.1"],
    },
    { transport: "tcp", name: X, type: "TXT", rcode: "NOERROR", answer: [] },
    { transport: "udp", name: "a\\046\\010", type: "A", rcode: "NXDOMAIN", answer: [] },
  ]);
  assert.deepEqual(
    odd.map(({ kind }) => kind),
    ["odd-name"],
  );
});

test("a tunnel's types and a sweep of addresses are told, the run's own addresses are no sweep", () => {
  const { resolver, odd } = setUp();
  resolver.answer(ask("t.example.com", "NULL"));
  const reverse = (third: number) => {
    for (let n = 1; n <= 40; n += 1) {
      resolver.answer(ask(`${n}.${third}.18.198.in-addr.arpa`, "PTR"));
    }
  };
  for (let n = 0; n < 40; n += 1) resolver.answer(ask(`n${n}.site-${n}.com`));
  reverse(0);
  assert.deepEqual(
    odd.map(({ kind }) => kind),
    ["odd-type"],
  );
  reverse(77);
  assert.equal(odd.at(-1)?.kind, "reverse-sweep");
});

test("beyond the rate questions are dropped and counted, and later ones answered again", () => {
  const flood = setUp({ everyMs: 0.01 });
  const replies = Array.from({ length: 3000 }, () => flood.resolver.answer(ask(X)));
  const answered = replies.filter((reply) => reply !== undefined).length;
  assert.ok(answered >= 1000 && answered <= 1031, String(answered));
  assert.equal(flood.odd[0]?.kind, "rate");
  const calm = setUp({ everyMs: 2 });
  const all = Array.from({ length: 3000 }, () => calm.resolver.answer(ask(X)));
  assert.ok(all.every((reply) => reply !== undefined));
});

test("100,000 random and changed packets are answered or dropped, never with an address of outside", () => {
  const { resolver, pool } = setUp();
  const seeds = CASES.map(([packet]) => packet);
  let state = 1;
  const next = (below: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % below;
  };
  for (let n = 0; n < 100_000; n += 1) {
    const seed = seeds[next(seeds.length)] ?? Buffer.alloc(0);
    const packet =
      next(4) === 0 ? Buffer.alloc(next(64)) : Buffer.from(seed.subarray(0, 80 + next(200)));
    for (let change = next(6); change > 0 && packet.length > 0; change -= 1) {
      packet[next(packet.length)] = next(256);
    }
    const reply = resolver.answer(packet, { transport: next(2) === 0 ? "udp" : "tcp" });
    if (reply === undefined) continue;
    assert.equal(reply.readUInt16BE(0), packet.readUInt16BE(0), "the same identifier");
    for (const answer of dnsPacket.decode(reply).answers ?? []) {
      assert.match(answer.type, /^(?:A|AAAA|PTR)$/);
      if (answer.type === "A") assert.match(answer.data, /^(?:198\.18|127\.0\.0\.1)/);
    }
  }
  assert.ok(pool.size > 10, "names were found among them");
});

test("any labels are answered and come back as they were", () => {
  const labels = fc.array(fc.uint8Array({ minLength: 1, maxLength: 63 }), { maxLength: 4 });
  const { resolver } = setUp();
  const property = fc.property(labels, fc.nat(255), (list, type) => {
    const packet = askLabels(
      list.map((label) => Buffer.from(label)),
      type,
    );
    const reply = resolver.answer(packet);
    assert.ok(reply);
    if ((reply[3] ?? 0) % 16 === FORMERR) return;
    assert.deepEqual(reply.subarray(12, packet.length), packet.subarray(12));
  });
  fc.assert(property, { numRuns: 500 });
});
