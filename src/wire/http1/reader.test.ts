import assert from "node:assert/strict";
import { mock, test } from "node:test";
import fc from "fast-check";
import {
  createRequestReader,
  createResponseReader,
  type ReaderLimits,
  type RequestReader,
  type ResponseReader,
} from "./reader.ts";
import { CHUNK_END, chunkHead, lastChunk, requestHead, responseHead } from "./writer.ts";

const LIMITS: ReaderLimits = { headBytes: 2048, fields: 20 };
const CUTS = [1, 2, 3, 7, 64, Number.POSITIVE_INFINITY];

/** What a reader makes of `text`, as one line for each message, however it is cut. */
function read(reader: RequestReader | ResponseReader, text: string, cut: number): string[] {
  const said: string[] = [];
  let body = "";
  const take = (event: ReturnType<RequestReader["next"] | ResponseReader["next"]>) => {
    if (event === undefined) return false;
    if (event.kind === "head") {
      const { head } = event;
      const first =
        "method" in head ? `${head.method} ${head.target}` : `${head.status} ${head.reason}`;
      said.push(`${first} ${head.version}${head.persists ? "" : " last"} ${head.fields.join("|")}`);
    } else if (event.kind === "data") body += event.bytes.toString("latin1");
    else if (event.kind === "end") {
      said.push(`body ${body}`, ...(event.trailers.length > 0 ? [event.trailers.join("|")] : []));
      body = "";
    } else said.push(`bad ${event.flaw}`); // In which words depends on how much of a line was there.
    return true;
  };
  const bytes = Buffer.from(text, "latin1");
  const step = Math.min(cut, bytes.length || 1);
  for (let at = 0; at < bytes.length; at += step) {
    reader.push(bytes.subarray(at, at + step));
    while (take(reader.next()));
  }
  take(reader.end());
  return said;
}

function everyWay(make: () => RequestReader | ResponseReader, text: string): string[] {
  const whole = read(make(), text, Number.POSITIVE_INFINITY);
  for (const cut of CUTS) assert.deepEqual(read(make(), text, cut), whole, `${cut} at a time`);
  return whole;
}

const HOST = "Host: a\r\n";
const POST = `POST /x HTTP/1.1\r\n${HOST}`;
const CHUNKED = `${POST}Transfer-Encoding: chunked\r\n\r\n`;

const REQUESTS: readonly (readonly [why: string, text: string, said: readonly string[]])[] = [
  ["a plain one", `GET / HTTP/1.1\r\n${HOST}\r\n`, ["GET / 1.1 Host|a", "body "]],
  ["version 1.0 does not persist", "GET / HTTP/1.0\r\n\r\n", ["GET / 1.0 last ", "body "]],
  [
    "one that says close",
    "GET / HTTP/1.1\r\nconnection: TE , Close\r\n\r\n",
    ["GET / 1.1 last connection|TE , Close", "body "],
  ],
  [
    "blanks around a value",
    "GET / HTTP/1.1\r\nX: \t a b \t\r\nY:\r\n\r\n",
    ["GET / 1.1 X|a b|Y|", "body "],
  ],
  [
    "bytes above ASCII in a value",
    "GET / HTTP/1.1\r\nX: \xe9\r\n\r\n",
    ["GET / 1.1 X|\xe9", "body "],
  ],
  [
    "a length",
    `${POST}Content-Length: 2\r\n\r\nhi`,
    ["POST /x 1.1 Host|a|Content-Length|2", "body hi"],
  ],
  [
    "two behind each other, an empty line between",
    `${POST}content-length: 2\r\n\r\nhi\r\nGET / HTTP/1.1\r\n\r\n`,
    ["POST /x 1.1 Host|a|content-length|2", "body hi", "GET / 1.1 ", "body "],
  ],
  [
    "chunks with extensions and trailers",
    `${CHUNKED}2;a\r\nhi\r\n00A;b=c;d="e;\\"f"\r\n0123456789\r\n0\r\nX-Sum: 7\r\n\r\n`,
    ["POST /x 1.1 Host|a|Transfer-Encoding|chunked", "body hi0123456789", "X-Sum|7"],
  ],
  ["an authority for CONNECT", "CONNECT a:1 HTTP/1.1\r\n\r\n", ["CONNECT a:1 1.1 ", "body "]],
  ["an asterisk for OPTIONS", "OPTIONS * HTTP/1.1\r\n\r\n", ["OPTIONS * 1.1 ", "body "]],
  ["absolute form", "GET http://a/b HTTP/1.1\r\n\r\n", ["GET http://a/b 1.1 ", "body "]],
];
for (const [why, text, said] of REQUESTS) {
  test(`INV-45: a request is read the same however it is cut: ${why}`, () => {
    assert.deepEqual(
      everyWay(() => createRequestReader(LIMITS), text),
      said,
    );
  });
}

const HEADS: readonly (readonly [why: string, text: string, flaw: RegExp])[] = [
  ["two empty lines before it", "\r\n\r\nGET / HTTP/1.1\r\n\r\n", /^bad start/],
  ["HTTP/0.9", "GET /\r\n\r\n", /^bad start/],
  ["the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", /^bad start/],
  ["a method in lower case", "get / HTTP/1.1\r\n\r\n", /^bad start/],
  ["a method that nobody knows", "BREW / HTTP/1.1\r\n\r\n", /^bad start/],
  ["another protocol", "SSH-2.0-x\r\n", /^bad start/],
  ["a protocol without lines", "\x16\x03\x01\x02", /^bad start/],
  ["HTTP/1.2", "GET / HTTP/1.2\r\n\r\n", /^bad start/],
  ["HTTP/2.0 in text", "GET / HTTP/2.0\r\n\r\n", /^bad start/],
  ["a version in lower case", "GET / http/1.1\r\n\r\n", /^bad start/],
  ["four words", "GET / / HTTP/1.1\r\n\r\n", /^bad start/],
  ["two spaces", "GET  / HTTP/1.1\r\n\r\n", /^bad start/],
  ["a space behind the version", "GET / HTTP/1.1 \r\n\r\n", /^bad start/],
  ["a tab for a space", "GET\t/ HTTP/1.1\r\n\r\n", /^bad start/],
  ["a target with a control", "GET /\x01 HTTP/1.1\r\n\r\n", /^bad start/],
  ["a target above ASCII", "GET /\xe9 HTTP/1.1\r\n\r\n", /^bad start/],
  ["a target without a form", "GET a HTTP/1.1\r\n\r\n", /^bad start/],
  ["an asterisk for GET", "GET * HTTP/1.1\r\n\r\n", /^bad start/],
  ["a path for CONNECT", "CONNECT / HTTP/1.1\r\n\r\n", /^bad start/],
  ["a bare line feed", "GET / HTTP/1.1\nHost: a\n\n", /^bad start/],
  ["a bare line feed at its end", `${POST}\n`, /^bad syntax/],
  ["a bare return", "GET / HTTP/1.1\r\nX: a\rY: b\r\n\r\n", /^bad syntax/],
  ["a NUL", "GET / HTTP/1.1\r\nX: a\0b\r\n\r\n", /^bad syntax/],
  ["a control that no line ends", `${POST}X: \x02`, /^bad syntax/],
  ["DEL", "GET / HTTP/1.1\r\nX: \x7f\r\n\r\n", /^bad syntax/],
  ["a folded line", `${POST}X: a\r\n b\r\n\r\n`, /^bad syntax/],
  ["a space before the first field", "GET / HTTP/1.1\r\n X: a\r\n\r\n", /^bad syntax/],
  ["a space before the colon", `${POST}X : a\r\n\r\n`, /^bad syntax/],
  ["a name that is no token", `${POST}X(y): a\r\n\r\n`, /^bad syntax/],
  ["a name above ASCII", `${POST}X\xe9: a\r\n\r\n`, /^bad syntax/],
  ["no name", `${POST}: a\r\n\r\n`, /^bad syntax/],
  ["no colon", `${POST}nonsense\r\n\r\n`, /^bad syntax/],
  [
    "a length and chunks",
    `${POST}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n`,
    /^bad syntax/,
  ],
  ["two lengths", `${POST}Content-Length: 3\r\ncontent-length: 3\r\n\r\nabc`, /^bad syntax/],
  ["a list of lengths", `${POST}Content-Length: 3, 3\r\n\r\nabc`, /^bad syntax/],
  ["a length with a sign", `${POST}Content-Length: +3\r\n\r\nabc`, /^bad syntax/],
  ["an empty length", `${POST}Content-Length:\r\n\r\n`, /^bad syntax/],
  [
    "a length beyond what a number holds",
    `${POST}Content-Length: 9007199254740993\r\n\r\n`,
    /^bad syntax/,
  ],
  ["a tab behind a coding", `${POST}Transfer-Encoding: chunked\t\r\n\r\n`, /^bad syntax/],
  ["a tab before a length", `${POST}Content-Length:\t3\r\n\r\nabc`, /^bad syntax/],
  ["codings", `${POST}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`, /^bad syntax/],
  ["identity", `${POST}Transfer-Encoding: identity\r\n\r\n`, /^bad syntax/],
  [
    "chunked twice",
    `${POST}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n`,
    /^bad syntax/,
  ],
  ["chunks in HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", /^bad syntax/],
  ["a head that is too long", `${POST}X: ${"y".repeat(2048)}`, /^bad size/],
  ["too many fields", `${POST}${"X: y\r\n".repeat(20)}\r\n`, /^bad size/],
  ["half a head", `${POST}X`, /^bad cut/],
];
for (const [why, text, flaw] of HEADS) {
  test(`INV-45: refused: ${why}`, () => {
    const said = everyWay(() => createRequestReader(LIMITS), text);
    assert.equal(said.length, 1, "and nothing behind it is read");
    assert.match(said[0] ?? "", flaw);
  });
}

const BODIES: readonly (readonly [why: string, text: string, flaw: RegExp])[] = [
  ["a size with 0x", "0x1\r\na\r\n0\r\n\r\n", /^bad syntax/],
  ["a size with a sign", "+1\r\na\r\n0\r\n\r\n", /^bad syntax/],
  ["no size", "\r\na\r\n0\r\n\r\n", /^bad syntax/],
  ["a size that overflows", "fffffffffffffffff\r\na\r\n", /^bad syntax/],
  ["a space before a size", " 1\r\na\r\n0\r\n\r\n", /^bad syntax/],
  ["a space behind a size", "1 \r\na\r\n0\r\n\r\n", /^bad syntax/],
  ["a space before an extension", "1 ;a\r\na\r\n0\r\n\r\n", /^bad syntax/],
  ["an extension without a name", "1;\r\na\r\n0\r\n\r\n", /^bad syntax/],
  ["an extension without a value", "1;a=\r\na\r\n0\r\n\r\n", /^bad syntax/],
  ["a string that nothing closes", '1;a="b\r\na\r\n0\r\n\r\n', /^bad syntax/],
  ["a bare line feed behind a size", "1\na\r\n0\r\n\r\n", /^bad syntax/],
  ["a line feed in an extension", "1;a\nb\r\na\r\n0\r\n\r\n", /^bad syntax/],
  ["a chunk that ends in a line feed", "1\r\na\n0\r\n\r\n", /^bad syntax/],
  ["a chunk that ends nowhere", "1\r\na0\r\n\r\n", /^bad syntax/],
  ["a chunk longer than said", "1\r\nab\r\n0\r\n\r\n", /^bad syntax/],
  ["a size line without end", `1;${"a".repeat(1100)}`, /^bad size/],
  ["a length in a trailer", "0\r\nContent-Length: 1\r\n\r\n", /^bad syntax/],
  ["a coding in a trailer", "0\r\nTransfer-Encoding: chunked\r\n\r\n", /^bad syntax/],
  ["an option of the connection in a trailer", "0\r\nConnection: close\r\n\r\n", /^bad syntax/],
  ["a folded trailer", "0\r\nX: a\r\n b\r\n\r\n", /^bad syntax/],
  ["trailers without end", `0\r\nX: ${"y".repeat(9000)}`, /^bad size/],
  ["extensions without end", `1;a=${"b".repeat(1000)}\r\na\r\n`.repeat(20), /^bad size/],
  ["half a body", "5\r\nab", /^bad cut/],
];
for (const [why, text, flaw] of BODIES) {
  test(`INV-45: a body that is refused within: ${why}`, () => {
    const said = everyWay(() => createRequestReader(LIMITS), CHUNKED + text);
    assert.equal(said.length, 2, "and no end, and nothing behind it");
    assert.match(said[1] ?? "", flaw);
  });
}

const OK = "HTTP/1.1 200 OK\r\n";
const ANSWERS: readonly (readonly [
  why: string,
  method: string,
  text: string,
  said: readonly string[],
])[] = [
  ["until the end", "GET", `${OK}\r\nabc`, ["200 OK 1.1 last ", "body abc"]],
  [
    "a length",
    "GET",
    `${OK}Content-Length: 3\r\n\r\nabc`,
    ["200 OK 1.1 Content-Length|3", "body abc"],
  ],
  [
    "no body for HEAD",
    "HEAD",
    `${OK}Content-Length: 3\r\n\r\n`,
    ["200 OK 1.1 Content-Length|3", "body "],
  ],
  ["no phrase", "GET", "HTTP/1.1 204\r\n\r\n", ["204  1.1 ", "body "]],
  [
    "304 with a length",
    "GET",
    "HTTP/1.1 304 X\r\nContent-Length: 3\r\n\r\n",
    ["304 X 1.1 Content-Length|3", "body "],
  ],
  [
    "interim ones are messages",
    "GET",
    `HTTP/1.1 103 Early\r\nLink: x\r\n\r\n${OK}Content-Length: 0\r\n\r\n`,
    ["103 Early 1.1 Link|x", "body ", "200 OK 1.1 Content-Length|0", "body "],
  ],
  [
    "HTTP/1.0",
    "GET",
    "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na",
    ["200 OK 1.0 last Content-Length|1", "body a"],
  ],
];
for (const [why, method, text, said] of ANSWERS) {
  test(`INV-45: an answer is read the same however it is cut: ${why}`, () => {
    assert.deepEqual(
      everyWay(() => responses(method), text),
      said,
    );
  });
}

function responses(method = "GET"): ResponseReader {
  const reader = createResponseReader(LIMITS);
  reader.expect(method);
  return reader;
}

const BAD_ANSWERS: readonly (readonly [why: string, text: string])[] = [
  ["another protocol", "SSH-2.0-OpenSSH\r\n"],
  ["HTTP/2 in text", "HTTP/2.0 200 OK\r\n\r\n"],
  ["two digits", "HTTP/1.1 20 OK\r\n\r\n"],
  ["four digits", "HTTP/1.1 2000 OK\r\n\r\n"],
  ["a status below 100", "HTTP/1.1 099 OK\r\n\r\n"],
  ["a control in the phrase", "HTTP/1.1 200 O\x01K\r\n\r\n"],
  ["an empty line before it", `\r\n${OK}\r\n`],
  ["a length and chunks", `${OK}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n`],
  ["two lengths", `${OK}Content-Length: 3\r\nContent-Length: 4\r\n\r\n`],
  ["codings", `${OK}Transfer-Encoding: gzip\r\n\r\n`],
  ["chunks in HTTP/1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"],
  ["a body in a 204", "HTTP/1.1 204 X\r\nContent-Length: 3\r\n\r\nabc"],
  ["chunks in a 103", "HTTP/1.1 103 X\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"],
  ["a bare line feed", "HTTP/1.1 200 OK\nX: a\n\n"],
];
for (const [why, text] of BAD_ANSWERS) {
  test(`INV-45: an answer is refused: ${why}`, () => {
    const said = everyWay(responses, text);
    assert.match(said.join(), /^bad (?:start|syntax)/);
  });
}

const NAMES = fc.stringMatching(/^X-[!#$%&'*+.^_`|~0-9A-Za-z-]{1,12}$/);
const VALUES = fc
  .string({
    unit: fc.integer({ min: 0x20, max: 0xff }).map((code) => String.fromCharCode(code)),
    maxLength: 20,
  })
  .map((text) =>
    text
      .replaceAll("\x7f", "")
      .trim()
      .replace(/^[\t ]+|[\t ]+$/g, ""),
  );
const FIELDS = fc.array(fc.tuple(NAMES, VALUES), { maxLength: 8 }).map((pairs) => pairs.flat());
const PIECES = fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { maxLength: 5 });

test("INV-45: what the writer writes is what the reader reads, for any cut", () => {
  const messages = fc.record({
    target: fc.stringMatching(/^\/[!-~]{0,30}$/),
    fields: FIELDS,
    trailers: FIELDS,
    pieces: PIECES,
    isChunked: fc.boolean(),
    cut: fc.integer({ min: 1, max: 50 }),
  });
  const property = fc.property(messages, ({ target, fields, trailers, pieces, isChunked, cut }) => {
    const body = Buffer.concat(pieces).toString("latin1");
    const own = isChunked
      ? ["Transfer-Encoding", "chunked"]
      : ["Content-Length", String(body.length)];
    const chunks = pieces.map(
      (piece) => chunkHead(piece.length) + Buffer.from(piece).toString("latin1") + CHUNK_END,
    );
    const sent = isChunked ? chunks.join("") + lastChunk(trailers) : body;
    const all = [...fields, ...own];
    const rest = [
      `body ${body}`,
      ...(isChunked && trailers.length > 0 ? [trailers.join("|")] : []),
    ];
    const asked = requestHead("POST", target, all) + sent;
    const heads = [`POST ${target} 1.1 ${all.join("|")}`, ...rest];
    assert.deepEqual(read(createRequestReader(LIMITS), asked + asked, cut), [...heads, ...heads]);
    const told = responseHead(200, "Fine", all) + sent;
    assert.deepEqual(read(responses(), told, cut), [`200 Fine 1.1 ${all.join("|")}`, ...rest]);
  });
  fc.assert(property, { numRuns: 500 });
});

const SPLITS = ["a\r\nX: y", "a\nb", "a\rb", "a\0"];
test("INV-45: the writer writes nothing that would be read as more than it is", () => {
  for (const bad of SPLITS) {
    assert.throws(() => requestHead("GET", "/", ["X", bad]), /one line/);
    assert.throws(() => requestHead("GET", "/", [bad, "x"]), /one line/);
    assert.throws(() => requestHead("GET", `/${bad}`, []), /three words/);
    assert.throws(() => requestHead(bad, "/", []), /three words/);
    assert.throws(() => responseHead(200, bad, []), /status line/);
    assert.throws(() => lastChunk(["X", bad]), /one line/);
  }
  assert.throws(() => chunkHead(0), /the last/);
});

/** Bytes that the reader has Buffer's methods look at or copy. */
function bytesTouched(text: string, cut: number, limits: ReaderLimits): number {
  const { indexOf, copy, toString } = Buffer.prototype;
  let touched = 0;
  const count = (bytes: number) => void (touched += bytes);
  mock.method(Buffer.prototype, "indexOf", function (this: Buffer, byte: number, from: number) {
    const found = indexOf.call(this, byte, from);
    count((found < 0 ? this.length : found) - from);
    return found;
  });
  mock.method(
    Buffer.prototype,
    "copy",
    function (this: Buffer, ...args: Parameters<Buffer["copy"]>) {
      const copied = copy.apply(this, args);
      count(copied);
      return copied;
    },
  );
  mock.method(
    Buffer.prototype,
    "toString",
    function (this: Buffer, ...args: Parameters<Buffer["toString"]>) {
      count((args[2] ?? this.length) - (args[1] ?? 0));
      return toString.apply(this, args);
    },
  );
  try {
    const bytes = Buffer.from(text, "latin1");
    const reader = createRequestReader(limits);
    for (let at = 0; at < bytes.length; at += cut) {
      reader.push(bytes.subarray(at, at + cut));
      while (reader.next() !== undefined);
    }
  } finally {
    mock.restoreAll();
  }
  return touched;
}

const LONG: readonly (readonly [string, (size: number) => string])[] = [
  ["one long field", (size) => `${POST}X: ${"y".repeat(size)}\r\n\r\n`],
  ["many fields", (size) => `${POST}${"X: y\r\n".repeat(size / 6)}\r\n`],
  ["a field that never ends", (size) => `${POST}X: ${"y".repeat(size)}`],
  ["many chunks", (size) => `${CHUNKED}${"1\r\na\r\n".repeat(size / 6)}0\r\n\r\n`],
  ["many requests", (size) => `GET / HTTP/1.1\r\n\r\n`.repeat(size / 18)],
];
for (const [why, make] of LONG) {
  test(`INV-45: work grows with the bytes, not with their square: ${why}`, () => {
    const limits = { headBytes: 1 << 20, fields: 1 << 16 };
    for (const cut of [1, 16, 1 << 20]) {
      const small = bytesTouched(make(3000), cut, limits);
      const large = bytesTouched(make(30_000), cut, limits);
      assert.ok(large < 14 * small, `${small} for 3 kB, ${large} for 30 kB, ${cut} at a time`);
    }
  });
}
