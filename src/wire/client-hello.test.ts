import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  CLIENT_HELLO_BYTES_MAX,
  CLIENT_HELLO_RECORDS_MAX,
  parseClientHello,
  type ClientHello,
} from "./index.ts";
import { firstBytesOf } from "../../test/support/real-clients.ts";

// Builders of hellos, right and wrong.
const u8 = (value: number) => Buffer.from([value]);
const u16 = (value: number) => Buffer.from([value >> 8, value & 255]);
const u24 = (value: number) => Buffer.from([value >> 16, (value >> 8) & 255, value & 255]);
const cat = (...parts: readonly Uint8Array[]) => Buffer.concat(parts);
const extension = (type: number, body: Uint8Array) => cat(u16(type), u16(body.length), body);
const entry = (name: Uint8Array, type = 0) => cat(u8(type), u16(name.length), name);
const names = (...entries: readonly Uint8Array[]) =>
  extension(0, cat(u16(cat(...entries).length), ...entries));
const serverName = (name: string) => names(entry(Buffer.from(name, "latin1")));
const protocols = (...list: readonly string[]) => {
  const body = cat(...list.map((name) => cat(u8(name.length), Buffer.from(name))));
  return extension(16, cat(u16(body.length), body));
};
const versions = (...list: readonly number[]) =>
  extension(43, cat(u8(2 * list.length), ...list.map(u16)));

interface Parts {
  readonly extensions?: readonly Uint8Array[];
  readonly version?: number;
  readonly compression?: Uint8Array;
  readonly after?: Uint8Array;
}

/** A handshake message, without records. */
function message(parts: Parts): Buffer {
  const extensions = parts.extensions && cat(...parts.extensions);
  const body = cat(
    u16(parts.version ?? 0x0303),
    Buffer.alloc(32, 7),
    u8(0),
    u16(4),
    u16(0x1301),
    u16(0x0a0a),
    parts.compression ?? Buffer.from([1, 0]),
    ...(extensions === undefined ? [] : [u16(extensions.length), extensions]),
    parts.after ?? Buffer.alloc(0),
  );
  return cat(u8(1), u24(body.length), body);
}

const record = (fragment: Uint8Array) => cat(u8(22), u16(0x0301), u16(fragment.length), fragment);
const hello = (...extensions: readonly Uint8Array[]) => record(message({ extensions }));

/** What some members must be; `undefined` means absent. */
type Expected = { readonly [K in keyof ClientHello]?: ClientHello[K] | undefined };

const GOOD: readonly (readonly [Buffer, Expected, string])[] = [
  [hello(serverName("a.example")), { serverName: "a.example" }, "one host name"],
  [hello(serverName("A.Example")), { serverName: "a.example" }, "case is not identity"],
  [hello(serverName("_x.a-b.example")), { serverName: "_x.a-b.example" }, "as names in use"],
  [hello(serverName("intranet")), { serverName: "intranet" }, "one label"],
  [hello(), { serverName: undefined, alpn: [] }, "no name, no protocols"],
  [record(message({})), { versions: [0x0303] }, "no extensions at all (TLS 1.2)"],
  [hello(protocols("h2", "http/1.1")), { alpn: ["h2", "http/1.1"] }, "in the client's order"],
  [hello(versions(0x1a1a, 0x0304, 0x0303)), { versions: [0x0304, 0x0303] }, "without GREASE"],
  [hello(extension(0x2a2a, u8(0)), extension(0x3a3a, u8(0))), { ech: false }, "GREASE extensions"],
  [hello(extension(0xfe0d, u8(0))), { ech: true }, "encrypted ClientHello"],
  [hello(extension(0xffce, u8(0))), { ech: true }, "its draft predecessor"],
];
for (const [bytes, expected, why] of GOOD) {
  test(`a good hello: ${why}`, () => {
    const result = parseClientHello(bytes);
    assert.equal(result.status, "ok");
    for (const [key, value] of Object.entries(expected)) {
      assert.deepEqual(Reflect.get(result, key), value, key);
    }
    assertPrefixesWait(bytes);
  });
}

const twoNames = names(entry(Buffer.from("a.example")), entry(Buffer.from("b.example")));
const BAD: readonly (readonly [Buffer, RegExp, string])[] = [
  [hello(serverName("a.example\0.evil.example")), /no host name/, "NUL: C and JS read two names"],
  [hello(serverName("")), /does not fit/, "an empty name"],
  [hello(serverName("127.0.0.1")), /address/, "an address is not a name (RFC 6066, 3)"],
  [hello(serverName("::1")), /address/, "nor is IPv6"],
  [hello(serverName("0x7f.1")), /address/, "nor an address in disguise"],
  [hello(serverName("2130706433")), /address/, "nor as one number"],
  [hello(serverName("a.0x7f000001")), /address/, "nor hexadecimal at the end"],
  [hello(serverName("a.example.")), /no host name/, "a trailing dot is a second spelling"],
  [hello(serverName("a..example")), /no host name/, "an empty label"],
  [hello(serverName("*.example")), /no host name/, "a wildcard"],
  [hello(serverName("b\xfccher.example")), /no host name/, "raw Latin-1"],
  [hello(serverName("a b.example")), /no host name/, "a space"],
  [hello(serverName(`${"a".repeat(64)}.example`)), /no host name/, "a label over 63"],
  [hello(serverName(`${"a.".repeat(127)}a`)), /no host name/, "a name over 253"],
  [hello(twoNames), /more than one/, "two names"],
  [hello(names(entry(Buffer.from("a.example"), 1))), /no host name/, "an unknown kind of name"],
  [hello(extension(0, Buffer.alloc(0))), /does not fit/, "an empty list of names"],
  [hello(serverName("a.example"), serverName("a.example")), /twice/, "a duplicate"],
  [hello(serverName("a.example"), extension(9, u8(0)), extension(9, u8(0))), /twice/, "any type"],
  [hello(extension(16, Buffer.from([0, 3, 9, 1, 1]))), /does not fit/, "ALPN past its end"],
  [hello(extension(43, Buffer.from([3, 3, 4, 3]))), /does not fit/, "half a version"],
  [record(message({ extensions: [], after: u8(0) })), /after the extensions/, "a byte too many"],
  [record(message({ compression: Buffer.from([1, 1]) })), /compression/, "no null compression"],
  [record(message({ version: 0x0200 })), /version/, "SSL 2"],
  [record(cat(message({}), u8(1))), /second message/, "another message in the same record"],
  [record(Buffer.from([2, 0, 0, 4, 0, 0, 0, 0])), /not a ClientHello/, "a ServerHello"],
  [Buffer.from("GET / HTTP/1.1\r\n"), /not a TLS/, "no TLS"],
  [cat(u8(22), u16(0x0301), u16(0)), /illegal length/, "an empty record"],
  [cat(u8(22), u16(0x0301), u16(16_385)), /illegal length/, "a record over 2^14"],
  [record(cat(u8(1), u24(CLIENT_HELLO_BYTES_MAX))), /too long/, "no hello is so long"],
  [
    cat(...Array.from(message({ extensions: [serverName("a.example")] }), (b) => record(u8(b)))),
    /too many records/,
    `over ${CLIENT_HELLO_RECORDS_MAX} fragments`,
  ],
];
for (const [bytes, why, reason] of BAD) {
  test(`a bad hello: ${reason}`, () => {
    const result = parseClientHello(bytes);
    assert.ok(result.status === "bad", result.status);
    assert.match(result.why, why);
  });
}

/** Cut short anywhere, a good hello waits, and bytes after it change nothing. */
function assertPrefixesWait(bytes: Buffer): void {
  const whole = parseClientHello(bytes);
  for (let length = 0; length < bytes.length; length += 1) {
    assert.deepEqual(parseClientHello(bytes.subarray(0, length)), { status: "more" });
  }
  assert.deepEqual(parseClientHello(cat(bytes, Buffer.from("early data"))), whole);
}

test("cut into records anywhere, a hello reads the same", () => {
  const whole = message({
    extensions: [serverName("a.example"), protocols("h2"), extension(51, Buffer.alloc(1200))],
  });
  const expected = parseClientHello(record(whole));
  const cuts = fc.array(fc.nat(whole.length - 1), { maxLength: CLIENT_HELLO_RECORDS_MAX - 1 });
  const property = fc.property(cuts, (places) => {
    const edges = [...new Set([0, ...places, whole.length])].sort((a, b) => a - b);
    const pieces = edges.slice(1).map((end, n) => record(whole.subarray(edges[n], end)));
    assert.deepEqual(parseClientHello(cat(...pieces)), expected);
  });
  fc.assert(property);
});

test("any bytes, and any hello with bytes changed, get an answer", () => {
  const good = hello(serverName("a.example"), protocols("h2"), versions(0x0304));
  const changed = fc
    .array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 })
    .map((changes) => {
      const bytes = Buffer.from(good);
      for (const [at, value] of changes) bytes[at] = value;
      return bytes;
    });
  const bodies = fc.uint8Array({ maxLength: 300 }).map((body) => {
    return record(cat(u8(1), u24(body.length), body));
  });
  const bytes = fc.oneof(changed, bodies, fc.uint8Array({ maxLength: 300 }));
  const property = fc.property(bytes, (input) => {
    const result = parseClientHello(input);
    if (result.status === "ok" && result.serverName !== undefined) {
      assert.match(result.serverName, /^[a-z0-9._-]{1,253}$/);
    }
  });
  fc.assert(property, { numRuns: 3000 });
});

test("so many bytes always get an answer, whatever they are", () => {
  // A hello of the greatest length in the greatest number of records is the worst case.
  const worst = CLIENT_HELLO_BYTES_MAX + CLIENT_HELLO_RECORDS_MAX * 5;
  const size = Math.ceil(CLIENT_HELLO_BYTES_MAX / CLIENT_HELLO_RECORDS_MAX);
  const start = cat(u8(1), u24(CLIENT_HELLO_BYTES_MAX - 4));
  const bytes = cat(start, Buffer.alloc(CLIENT_HELLO_BYTES_MAX));
  const pieces = Array.from({ length: CLIENT_HELLO_RECORDS_MAX + 1 }, (_, n) =>
    record(bytes.subarray(n * size, (n + 1) * size)),
  );
  assert.notEqual(parseClientHello(cat(...pieces).subarray(0, worst)).status, "more");
});

const NAME = "real.example.com";
const NODE = `require("tls").connect({port:PORT,host:"127.0.0.1",servername:"${NAME}",
  ALPNProtocols:["http/1.1"]}).on("error",()=>{})`;
const PYTHON = `import socket,ssl
c=ssl.create_default_context()
c.wrap_socket(socket.create_connection(("127.0.0.1",PORT)),server_hostname="${NAME}")`;
const S_CLIENT = ["openssl", "s_client", "-connect", "127.0.0.1:PORT"];
const LONG_ALPN = Array.from({ length: 60 }, (_, n) => `protocol-${n}`).join(",");
const CURL = ["curl", "-s", "--connect-to", `${NAME}:443:127.0.0.1:PORT`, `https://${NAME}/`];

const CLIENTS: readonly (readonly [string, readonly string[], Expected])[] = [
  [
    "openssl",
    [...S_CLIENT, "-servername", NAME, "-alpn", "h2"],
    { serverName: NAME, alpn: ["h2"] },
  ],
  ["openssl without a name", [...S_CLIENT, "-noservername"], { serverName: undefined }],
  [
    "openssl, TLS 1.2",
    [...S_CLIENT, "-servername", NAME, "-tls1_2"],
    { serverName: NAME, versions: [0x0303] },
  ],
  [
    "openssl, cut into records of 512",
    [...S_CLIENT, "-servername", NAME, "-max_send_frag", "512", "-alpn", LONG_ALPN],
    { serverName: NAME, alpn: LONG_ALPN.split(",") },
  ],
  ["curl", CURL, { serverName: NAME, alpn: ["h2", "http/1.1"] }],
  ["node", [process.execPath, "-e", NODE], { serverName: NAME, alpn: ["http/1.1"] }],
  ["python", ["python3", "-c", PYTHON], { serverName: NAME }],
];
for (const [client, argv, expected] of CLIENTS) {
  test(`the hello of the real ${client}`, async () => {
    const bytes = await firstBytesOf(argv, (seen) => parseClientHello(seen).status !== "more");
    const result = parseClientHello(bytes);
    assert.equal(result.status, "ok");
    for (const [key, value] of Object.entries(expected)) {
      assert.deepEqual(Reflect.get(result, key), value, key);
    }
    assertPrefixesWait(bytes);
    if (client.includes("cut")) assert.equal(bytes.readUInt16BE(3), 512, "it was cut");
  });
}
