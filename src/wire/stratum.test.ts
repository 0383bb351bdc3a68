import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createStratumWatch, STRATUM_BYTES_MAX, type MiningDialect } from "./index.ts";
import { miningMessage } from "./mining-message.ts";

const ADDRESS = `4${"8AdkX9".repeat(16)}`.slice(0, 95);
const BLOB = "0e0e".repeat(38);
const JOB = `{"blob":"${BLOB}","job_id":"j1","target":"b88d0600","height":3}`;
const ETH = `0x${"a1".repeat(20)}`;
const post = (body: string) =>
  `POST / HTTP/1.1\r\nHost: n:8332\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
const chunked = (body: string) =>
  `POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n`;
const setup = (protocol: number, version = 2) =>
  Buffer.from([0, 0, 0, 40, 0, 0, protocol, version, 0, version, 0, 1, 2, 3, 4]).toString("latin1");

const HITS: readonly (readonly [string, MiningDialect, string])[] = [
  ['{"id":1,"method":"mining.subscribe","params":["EWBF 0.3.4b",null]}\n', "stratum-v1", "Zcash"],
  [' \r\n\t{ "method" : "mining.subscribe" }\n', "stratum-v1", "leading and inner space"],
  ['{"method":"mining.\\u0073ubscribe"}\n', "stratum-v1", "an escaped letter"],
  ['{"\\u006dethod":"mining.subscribe"}\n', "stratum-v1", "an escaped key"],
  ['[{"id":1,"method":"mining.subscribe"}]\n', "stratum-v1", "in an array"],
  ['[{"method":"a"},{"method":"mining.submit"}]', "stratum-v1", "second in an array"],
  ['{"id":1,"method":"mining.authorize","params":["me.1","x"]}\n', "stratum-v1", "authorize first"],
  ['{"id":1,"method":"mining.hello","params":[]}\n', "stratum-v1", "EthereumStratum 2"],
  ['{"id":1}\n{"id":2}\n{"method":"mining.configure"}\n', "stratum-v1", "not the first message"],
  ['{"id":null,"method":"mining.notify","params":[]}\n', "stratum-v1", "the pool's side"],
  ['{"method":"mining.set_difficulty"}', "stratum-v1", "the pool's side, without a line's end"],
  ['{"method":"x","method":"mining.submit"}\n', "stratum-v1", "the last of duplicate keys"],
  ['{"method":"mining.submit","method":"x"}\n', "stratum-v1", "the first of duplicate keys"],
  ['{"method":"mining.submit",}\n', "stratum-v1", "not even valid JSON"],
  ['{\n{"method":"mining.submit"}\n', "stratum-v1", "after a stray brace"],
  ['{"\n{"method":"mining.submit"}\n', "stratum-v1", "after a stray quote"],
  ['[[[\n[[[\n[[[\n[[[\n{"method":"mining.submit"}\n', "stratum-v1", "after many stray brackets"],
  ['{\n "id": 1,\n "method": "mining.submit"\n}\n', "stratum-v1", "over several lines"],
  ['\0{"method":"mining.submit"}\0', "stratum-v1", "between NULs"],
  [`{"method":"login","params":{"login":"${ADDRESS}","pass":"x"}}\n`, "monero", "neutral agent"],
  [`{"method":"login","params":{"login":"${ADDRESS}.w1+5000"}}\n`, "monero", "address and worker"],
  ['{"method":"login","params":{"login":"me","algo":["rx/0"]}}\n', "monero", "algorithm list"],
  [`{"id":1,"result":{"id":"a","job":${JOB},"status":"OK"}}\n`, "monero", "the pool's answer"],
  [`{"method":"job","params":${JOB}}\n`, "monero", "a job pushed"],
  [
    `{"method":"submit","params":{"job_id":"j","nonce":"d0030040","result":"${"ab".repeat(32)}"}}`,
    "monero",
    "a share, where the login was not seen",
  ],
  [`{"worker":"e","method":"eth_submitLogin","params":["${ETH}"]}\n`, "ethereum", "proxy login"],
  ['{"method":"eth_getWork"}', "ethereum", "asking for work"],
  [post('{"method":"getwork","params":[]}'), "getwork", "solo mining over HTTP"],
  [post('{"jsonrpc":"2.0","method":"get_block_template"}'), "getwork", "Monero's form"],
  [chunked('{"method":"getblocktemplate"}'), "getwork", "chunked, and still readable"],
  ['HTTP/1.1 200 OK\r\nA: b\r\n\r\n{"method":"mining.notify"}', "stratum-v1", "in an HTTP answer"],
  [setup(0), "stratum-v2", "SetupConnection, mining"],
  [setup(1), "stratum-v2", "SetupConnection, job declaration"],
];

const MISSES: readonly (readonly [string, string])[] = [
  ['{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"processId":1}}', "LSP initialize"],
  [
    '{"jsonrpc":"2.0","method":"tools/call","params":{"name":"x","arguments":{}}}',
    "an MCP tool call",
  ],
  [
    '{"method":"tools/call","params":{"arguments":{"method":"mining.subscribe"}}}',
    "a tool call that speaks of mining",
  ],
  [
    '{\n  "params": {\n    "arguments": \n      {"method": "mining.subscribe"}\n  }\n}',
    "the same, indented",
  ],
  ['{"content":"{\\"method\\":\\"mining.subscribe\\"}"}', "a message in a text"],
  ['{"method":"login","params":{"login":"alice","pass":"secret"}}\n', "JSON-RPC login"],
  ['{"method":"login","params":{"user":"a","algo":["scram-sha-256"]}}\n', "login of another kind"],
  [`{"method":"login","params":{"login":"${"0".repeat(95)}"}}\n`, "long, but no base58"],
  ['{"method":"submit","params":{"job_id":"j","nonce":"1"}}\n', "a submit of something else"],
  ['{"method":"job","params":{"job_id":"build-1","target":"release"}}\n', "a build job"],
  ['{"result":{"job":{"job_id":"b","blob":"x","target":"y"}}}\n', "a queue's answer"],
  [post('{"jsonrpc":"2.0","method":"eth_blockNumber","id":1}'), "a question to a node"],
  [post('{"method":"eth_call","params":[{"to":"0x0"}]}'), "a call to a contract"],
  ['<html><pre>\n{"method":"mining.subscribe"}\n</pre>', "a page that documents Stratum"],
  ['# Stratum\n\n{"method":"mining.subscribe"}\n', "Markdown that does"],
  ["SSH-2.0-x\r\n{}", "SSH is someone else's"],
  [setup(3), "an unknown sub-protocol of Stratum V2's frame"],
  [setup(0, 1), "another version"],
  ["", "nothing"],
];

/** What a watch says of `source`, cut at `cuts`. */
function watch(source: string, cuts: readonly number[] = []) {
  const bytes = Buffer.from(source, "latin1");
  const watched = createStratumWatch();
  const edges = [0, ...[...cuts].sort((a, b) => a - b), bytes.length];
  const hits = edges.slice(1).map((end, n) => watched.push(bytes.subarray(edges[n], end)));
  const found = hits.filter((hit) => hit !== undefined);
  assert.ok(found.length <= 1, "a hit is told once");
  return found[0];
}

for (const [source, dialect, why] of HITS) {
  test(`a hit, ${dialect}: ${why}`, () => assert.equal(watch(source)?.dialect, dialect));
}
for (const [source, why] of MISSES) {
  test(`no hit: ${why}`, () => assert.equal(watch(source), undefined));
}

test("cut anywhere, the answer is the same", () => {
  const sources = [...HITS.map(([source]) => source), ...MISSES.map(([source]) => source)];
  for (const source of sources) {
    const whole = watch(source);
    const bytewise = Array.from({ length: source.length }, (_, n) => n);
    assert.deepEqual(watch(source, bytewise), whole, source);
    for (let at = 1; at < source.length; at += 1) assert.deepEqual(watch(source, [at]), whole);
  }
});

test("any stray bytes in the same JSON stream before a message leave it found", () => {
  const stray = fc.array(fc.constantFrom("{", "[", '"', "\\", "}", "]", "a", ":"), {
    maxLength: 12,
  });
  const property = fc.property(fc.constantFrom("{", "["), stray, (opening, signs) => {
    const source = `${opening}${signs.join("")}\n{"method":"mining.subscribe"}\n`;
    assert.equal(watch(source)?.method, "mining.subscribe", source);
  });
  fc.assert(property);
});

test("any bytes get an answer, and any JSON the same one at any cut", () => {
  const bytes = fc.uint8Array({ maxLength: 200 }).map((b) => Buffer.from(b).toString("latin1"));
  const json = fc.json().map((text) => Buffer.from(text).toString("latin1"));
  const cuts = fc.array(fc.nat(200), { maxLength: 5 });
  const property = fc.property(fc.oneof(bytes, json), cuts, (source, places) => {
    const within = places.filter((at) => at < source.length);
    assert.deepEqual(watch(source, within), watch(source));
  });
  fc.assert(property, { numRuns: 500 });
});

test("only the first STRATUM_BYTES_MAX bytes are looked at", () => {
  const message = '{"method":"mining.submit"}';
  const filler = (length: number) => `[]${" ".repeat(length - 2)}`;
  assert.ok(watch(filler(STRATUM_BYTES_MAX - message.length) + message));
  assert.equal(watch(filler(STRATUM_BYTES_MAX - message.length + 1) + message), undefined);
});

test("a message nested beyond reason is no message, and costs no more", () => {
  assert.equal(miningMessage(`${"[".repeat(8000)}{"method":"mining.submit"}`), undefined);
});
