import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { classifyFirstBytes, FIRST_BYTES_MAX, FIRST_BYTES_PROTOCOLS } from "./index.ts";
import type { FirstBytesProtocol } from "./index.ts";
import { firstBytesOf } from "../../test/support/real-clients.ts";

const ADDRESS = `4${"8AdkX".repeat(19)}`.slice(0, 95);
const hex = (text: string) => Buffer.from(text.replaceAll(" ", ""), "hex");

/** Bytes, the name they must get, why. */
const CASES: readonly (readonly [string | Buffer, FirstBytesProtocol, string])[] = [
  ["GET /a?b=1 HTTP/1.1\r\nHost: a\r\n\r\n", "http", "an ordinary request"],
  ["VERSION-CONTROL /a HTTP/1.1\r\n", "http", "WebDAV methods have hyphens"],
  ["CONNECT a:22 HTTP/1.1\r\n", "http", "CONNECT is HTTP; the broker judges it"],
  ["GET /\xc3\xa4 HTTP/1.0\r\n", "http", "clients do send raw UTF-8"],
  ["GET / HTTP/1.1\n", "http", "a bare LF is the HTTP parser's to refuse, by name"],
  [`GET /${"a".repeat(5000)}`, "http", "a long signed URL"],
  ["GET /\r\n\x80", "unknown", "HTTP/0.9 has no Host"],
  ["get / HTTP/1.1\r\n\x80", "unknown", "methods are case-sensitive"],
  ["GET /a b HTTP/1.1\r\n\x80", "unknown", "two spaces: two readers, two targets"],
  ["GET / HTTP/2.0\r\n\x80", "unknown", "only the preface says 2.0"],
  ["OPTIONS rtsp://a RTSP/1.0\r\n\x80", "unknown", "RTSP looks alike"],
  ["\r\nGET / HTTP/1.1\r\n\x80", "unknown", "an empty line first is a smuggler's"],
  ["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0", "http2-preface", "prior knowledge"],
  ["PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n\x80", "unknown", "not quite the preface"],
  [hex("16 0301 0200 01 0001fc"), "tls", "TLS record, ClientHello"],
  [hex("16 0304 0001 01"), "tls", "a first fragment of one byte"],
  [hex("16 0301 0200 02 0001fc 000000000000"), "unknown", "a ServerHello from a client"],
  [hex("16 0301 0000 01 0001fc 000000000000"), "unknown", "an empty record"],
  [hex("16 0301 4001 01 0001fc 000000000000"), "unknown", "a record over 2^14"],
  [hex("16 0201 0200 01 0001fc 000000000000"), "unknown", "version 2"],
  [hex("15 0301 0002 0100 0000000000000000"), "unknown", "an alert opens no connection"],
  [hex("80 2e 01 03 01 0015 0000 0010"), "sslv2", "SSL 2 form of a TLS hello"],
  [hex("80 1c 01 00 02 0003 0000 0010"), "sslv2", "SSL 2 itself"],
  ["SSH-2.0-OpenSSH_9.2p1\r\n", "ssh", "RFC 4253, 4.2"],
  ["SSH-", "ssh", "four bytes suffice"],
  [" \tSSH-2.0-x\r\n", "ssh", "space before"],
  ["\r\n\r\nSSH-2.0-x\r\n", "ssh", "blank lines before"],
  ["hello\r\nthere\r\nSSH-2.0-x\r\n", "ssh", "lines before, which some servers skip"],
  ["\0SSH-2.0-x\r\n", "ssh", "a NUL before"],
  [`${"x\n".repeat(512)}SSH-2.0-x\r\n`, "unknown", "too far behind: refused as unknown anyway"],
  ["see SSH-2.0 below\r\n\x80", "unknown", "not at the start of a line"],
  ['{"id":1,"method":"mining.subscribe","params":[]}\n', "stratum", "Stratum v1"],
  [' \t{ "id" : 1 , "method" : "mining.authorize" }\n', "stratum", "spaces anywhere"],
  ['[{"method":"x"},{"method":"mining.hello"}]', "stratum", "EthereumStratum 2 in a batch"],
  ['{"method":"mining\\u002esubscribe"}', "stratum", "an escaped dot"],
  ['{"method":"x","method":"mining.submit"}', "stratum", "duplicate keys"],
  ['{"method":"mining.submit","method":"x"}', "stratum", "duplicate keys, the other way round"],
  ['{"id":1,"method":"mining.subscribe",}', "stratum", "pools accept a trailing comma"],
  ['{"id":1,"method":"eth_submitLogin","params":["0x0"]}\n', "stratum", "Ethereum proxy"],
  [`{"method":"login","params":{"login":"${ADDRESS}","agent":"a"}}`, "stratum", "XMRig, any agent"],
  ['{"method":"login","params":{"login":"me","algo":["rx/0"]}}', "stratum", "XMRig's algo list"],
  [hex("0000 00 280000 00 0200 0200 00000000"), "stratum", "Stratum V2 SetupConnection"],
  ['{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}', "json", "a language server"],
  ['{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{}}', "json", "an MCP call"],
  ['{"method":"login","params":{"login":"me","pass":"x"}}', "json", "a login of something else"],
  ['{"method":"eth_blockNumber"}', "json", "a plain question to a node"],
  ['{"a":{"method":"mining.submit"}}', "json", "content speaks about mining"],
  [`{"a":"${"x".repeat(5000)}`, "json", "JSON over the limit"],
  ['{"Hello":8080}\0', "tunnel", "bore"],
  ["{hello}\r\n\x80", "unknown", "a brace is not yet JSON"],
  [hex("05 01 00"), "socks", "SOCKS5"],
  [hex("05 02 00 02"), "socks", "SOCKS5 with two methods"],
  [hex("04 01 0050 01020304 00"), "socks", "SOCKS4"],
  [hex("0300 0013 0e e0 0000 0000 00 0100 0800 03000000"), "rdp", "X.224 request"],
  [hex("00 000054 ff534d42 72 00000000"), "smb", "SMB 1 negotiate"],
  [hex("00 0000e4 fe534d42 4000 0000"), "smb", "SMB 2 negotiate"],
  [hex("00000008 04d2162f"), "postgres", "SSLRequest"],
  [hex("00000029 00030000 7573657200"), "postgres", "startup message"],
  [
    hex(`a80000 01 8da20f00 00000001 2d ${"00".repeat(23)} 726f6f74`),
    "mysql",
    "HandshakeResponse41",
  ],
  ["*1\r\n$4\r\nPING\r\n", "redis", "RESP"],
  ["PING\r\n", "redis", "inline command"],
  ["EHLO a.example\r\n", "smtp", "SMTP without waiting for the banner"],
  ["USER anonymous\r\n", "ftp", "FTP"],
  ["AUTH TLS\r\n", "ftp", "FTP over TLS, not Redis with the password TLS"],
  ["AUTH secret\r\n", "redis", "inline login"],
  ["NICK bot\r\nUSER a b c :d\r\n", "irc", "IRC, a common control channel"],
  ["a1 LOGIN me x\r\n", "imap", "IMAP"],
  ["0032git-upload-pack /a\0host=b\0", "git", "git daemon"],
  ["\x13BitTorrent protocol\0\0", "bittorrent", "BEP 3"],
  [hex("001d abcd 0100 0001 0000 0000 0000 0161 00 0001 0001"), "dns", "DNS over TCP"],
  [hex("000e 38 1122334455667788 00 00000000"), "openvpn", "plain reset"],
  [hex("0036 38 1122334455667788 00"), "openvpn", "reset with an HMAC"],
  [hex("0094 01000000 11223344"), "wireguard", "over TCP"],
  [hex("17 16 0301 0200 01"), "tunnel", "frp's byte before TLS"],
  [hex("0002 0001 00000000 00000000"), "tunnel", "yamux ping"],
  [hex("0121010101010101"), "crypto-p2p", "Monero peer"],
  ["sh: 0: can't access tty; job control turned off\n$ ", "shell", "a reverse shell's first words"],
  ["bash: no job control in this shell\n", "shell", "another"],
  [hex("10 26 0004 4d515454 05"), "mqtt", "MQTT CONNECT"],
  ["RFB 003.008\n", "vnc", "RFC 6143"],
  [hex("8f".repeat(64)), "unknown", "64 random bytes: Noise, obfs4, anything"],
];
for (const [source, protocol, why] of CASES) {
  const bytes = typeof source === "string" ? Buffer.from(source, "latin1") : source;
  test(`${protocol}: ${why}`, () => {
    const { certain, protocol: named } = classifyFirstBytes(bytes);
    assert.deepEqual({ certain, named }, { certain: true, named: protocol });
    assertPrefixes(bytes);
  });
}

/** Cut anywhere, the first certain answer is the one for all bytes; before it, the name is unknown. */
function assertPrefixes(bytes: Buffer): void {
  const whole = classifyFirstBytes(bytes);
  let certain = false;
  for (let length = 0; length <= Math.min(bytes.length, 700); length += 1) {
    const answer = classifyFirstBytes(bytes.subarray(0, length));
    assert.ok(answer.certain || !certain, "certainty is never lost");
    certain = answer.certain;
    if (certain) assert.deepEqual(answer, whole);
    else assert.equal(answer.protocol, "unknown");
  }
}

test("a stream cut at any byte gets the same answer, for any bytes", () => {
  const openings = CASES.map(([source]) => Buffer.from(source as string, "latin1"));
  const mixed = fc
    .tuple(fc.constantFrom(...openings), fc.nat(40), fc.uint8Array({ maxLength: 40 }))
    .map(([opening, kept, tail]) => Buffer.concat([opening.subarray(0, kept), tail]));
  const bytes = fc.oneof(fc.uint8Array({ maxLength: 80 }), mixed);
  fc.assert(
    fc.property(bytes, (input) => assertPrefixes(Buffer.from(input))),
    { numRuns: 400 },
  );
});

test("FIRST_BYTES_MAX bytes always suffice, and more change nothing", () => {
  const bytes = fc.uint8Array({ minLength: FIRST_BYTES_MAX, maxLength: FIRST_BYTES_MAX });
  const starts = fc.constantFrom("GET /", "{", "[", "", " ", "SSH", "A", "\0");
  const property = fc.property(starts, bytes, fc.boolean(), (start, random, text) => {
    const rest = text ? random.map((byte) => 0x61 + (byte % 26)) : random;
    const input = Buffer.concat([Buffer.from(start), rest]);
    const answer = classifyFirstBytes(input.subarray(0, FIRST_BYTES_MAX));
    assert.equal(answer.certain, true);
    assert.deepEqual(classifyFirstBytes(input), answer);
  });
  fc.assert(property, { numRuns: 100 });
});

test("every protocol name has a case", () => {
  const named = new Set(CASES.map(([, protocol]) => protocol));
  const left = FIRST_BYTES_PROTOCOLS.filter((protocol) => !named.has(protocol));
  // Written from the specifications only; wrong guesses there still end closed.
  assert.deepEqual(left, ["mongodb", "rsync", "amqp", "x11"]);
});

const URL = "http://127.0.0.1:PORT/";
const CLIENTS: readonly (readonly [readonly string[], FirstBytesProtocol])[] = [
  [["curl", "-s", URL], "http"],
  [["curl", "-s", "--http2-prior-knowledge", URL], "http2-preface"],
  [["curl", "-s", "-k", "https://127.0.0.1:PORT/"], "tls"],
  [["curl", "-s", "-x", "socks5://127.0.0.1:PORT", "http://10.0.0.1/"], "socks"],
  [["curl", "-s", "-x", "socks4://127.0.0.1:PORT", "http://10.0.0.1/"], "socks"],
  [["ssh", "-p", "PORT", "-o", "BatchMode=yes", "-N", "-R", "1:a:1", "127.0.0.1"], "ssh"],
  [["git", "ls-remote", "git://127.0.0.1:PORT/a"], "git"],
];
for (const [argv, protocol] of CLIENTS) {
  test(`the real ${argv.slice(0, 4).join(" ")} is ${protocol}`, async () => {
    const bytes = await firstBytesOf(argv, (seen) => classifyFirstBytes(seen).certain);
    assert.equal(classifyFirstBytes(bytes).protocol, protocol);
    assertPrefixes(bytes);
  });
}
