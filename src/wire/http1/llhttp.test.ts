/**
 * The reader beside Node's own parser (llhttp, strict): what we accept it accepts, and reads the same. Where
 * we are stricter, a table says why.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { ATTACKS, HALF, TWINS } from "../../gateway/smuggling-corpus.ts";
import type { RequestMessage, ResponseMessage } from "./head.ts";
import { createRequestReader, createResponseReader } from "./reader.ts";

type Kind = "request" | "response";

/** Messages as one line for each head, body and trailer; `bad` or `open` at the end says how it ended. */
interface Reading {
  readonly said: readonly string[];
  readonly how: "bad" | "whole" | "open";
}

/** Node's binding, which its types leave out. */
interface HttpParser {
  initialize(type: number, resource: object, maxHeaderSize: number, lenient: number): void;
  execute(bytes: Buffer): number | Error;
  finish(): void | Error;
  [callback: number]: (...args: never[]) => unknown;
}
interface HttpParserClass {
  new (): HttpParser;
  readonly REQUEST: number;
  readonly RESPONSE: number;
  readonly kOnHeaders: number;
  readonly kOnHeadersComplete: number;
  readonly kOnBody: number;
  readonly kOnMessageComplete: number;
}
const common = process.getBuiltinModule("_http_common") as unknown as {
  HTTPParser: HttpParserClass;
};
const { HTTPParser } = common;
const LIMITS = { headBytes: 32_768, fields: 1000 };

function byLlhttp(kind: Kind, text: string): Reading {
  const parser = new HTTPParser();
  parser.initialize(HTTPParser[kind === "request" ? "REQUEST" : "RESPONSE"], {}, 32_768, 0);
  const said: string[] = [];
  let body = "";
  let isOpen = false;
  let late: string[] = [];
  let lateTarget = "";
  parser[HTTPParser.kOnHeaders] = (...args: never[]) => {
    const [fields, target] = args as unknown as [string[], string];
    late.push(...fields);
    lateTarget += target;
  };
  parser[HTTPParser.kOnHeadersComplete] = (...args: never[]) => {
    const [major, minor, fields, , target, status, reason] = args as unknown as [
      number,
      number,
      string[] | undefined,
      number,
      string | undefined,
      number,
      string,
    ];
    const first = kind === "request" ? (target ?? lateTarget) : `${status} ${reason}`;
    // Blanks behind a value are llhttp's to keep and Node's to cut.
    const all = (fields ?? late).map((field) => field.replace(/[\t ]+$/, ""));
    said.push(`${first} ${major}.${minor} ${all.join("|")}`);
    late = [];
    lateTarget = "";
    isOpen = true;
    return 0;
  };
  parser[HTTPParser.kOnBody] = (...args: never[]) => {
    body += (args as unknown as [Buffer])[0].toString("latin1");
  };
  parser[HTTPParser.kOnMessageComplete] = () => {
    said.push(`body ${body}`, late.map((field) => field.replace(/[\t ]+$/, "")).join("|"));
    body = "";
    late = [];
    lateTarget = "";
    isOpen = false;
  };
  const result = parser.execute(Buffer.from(text, "latin1"));
  if (result instanceof Error) return { said, how: "bad" };
  const end = parser.finish();
  return { said, how: end instanceof Error ? "open" : isOpen ? "open" : "whole" };
}

function byOurs(kind: Kind, text: string, cut: number): Reading {
  const reader = kind === "request" ? createRequestReader(LIMITS) : createResponseReader(LIMITS);
  const said: string[] = [];
  let body = "";
  let how: Reading["how"] = "whole";
  let isOver = false;
  const take = (event: ReturnType<typeof reader.next>) => {
    if (event === undefined || isOver) return false;
    if (event.kind === "head") {
      const { head } = event;
      const first = "method" in head ? head.target : `${head.status} ${head.reason}`;
      said.push(`${first} ${head.version} ${head.fields.join("|")}`);
      // Both stop there: what the connection becomes is for the gateway to say.
      if (isUpgrade(head)) isOver = true;
    } else if (event.kind === "data") body += event.bytes.toString("latin1");
    else if (event.kind === "end") {
      said.push(`body ${body}`, event.trailers.join("|"));
      body = "";
    } else how = event.flaw === "cut" ? "open" : "bad";
    return true;
  };
  const bytes = Buffer.from(text, "latin1");
  for (let at = 0; at < bytes.length; at += cut) {
    reader.push(bytes.subarray(at, at + cut));
    while (take(reader.next()));
  }
  take(reader.end());
  return { said, how };
}

function isUpgrade(head: RequestMessage | ResponseMessage): boolean {
  if ("status" in head) return head.status === 101;
  const has = (name: string, value: RegExp) =>
    head.fields.some(
      (text, n) =>
        n % 2 === 0 && text.toLowerCase() === name && value.test(head.fields[n + 1] ?? ""),
    );
  return head.method === "CONNECT" || (has("upgrade", /./) && has("connection", /upgrade/i));
}

/** What we read is what llhttp reads first; and what we take whole it takes whole. */
function assertNotLooser(kind: Kind, text: string): { ours: Reading; theirs: Reading } {
  const ours = byOurs(kind, text, text.length || 1);
  const theirs = byLlhttp(kind, text);
  assert.deepEqual(ours.said, theirs.said.slice(0, ours.said.length), JSON.stringify(text));
  if (ours.how === "whole") assert.notEqual(theirs.how, "bad", JSON.stringify(text));
  for (const cut of [1, 2, 3, 7, 64]) {
    assert.deepEqual(byOurs(kind, text, cut), ours, `${cut} at a time: ${JSON.stringify(text)}`);
  }
  return { ours, theirs };
}

interface Vector {
  readonly kind: Kind;
  readonly title: string;
  readonly text: string;
}
const fixture = join(import.meta.dirname, "../../../test/fixtures/llhttp-vectors.json");
const { vectors } = JSON.parse(readFileSync(fixture, "utf8")) as { vectors: readonly Vector[] };

/** Vectors that llhttp takes and we do not, by what is in them. */
const STRICTER: readonly (readonly [why: string, kind: Kind, sign: RegExp])[] = [
  ["HTTP/0.9 has no head to judge", "request", /^GET \/\r\n/],
  ["other protocols of the same shape: RTSP, ICE", "request", /^\S+ \S+ (?:RTSP|ICE)\//],
  ["SOURCE is ICE's and PRI is HTTP/2's, and no request", "request", /^(?:SOURCE|PRI) /],
  ["an asterisk is for OPTIONS (RFC 9112, 3.2.4)", "request", /^M-SEARCH \* /],
  ["a CONNECT has no body (RFC 9110, 9.3.6)", "request", /^CONNECT [^]*Content-Length/],
  ["codings before chunked: nobody here undoes them", "request", /Encoding: deflate/],
  ["one empty line between requests, not two", "request", /\r\n\r\n\r\n\r\nGET|q=42\r\n\r\nGET/],
  ["other protocols of the same shape", "response", /^(?:RTSP|ICE)\//],
  ["HTTP/1.0 does not persist here (RFC 9112, C.2.2)", "response", /^HTTP\/1\.0 [^]*keep-alive/],
  ["a tab beside a length: part of it to some", "request", /Length:[^\r]*\t/],
  ["a tab beside a length: part of it to some", "response", /Length:[^\r]*\t/],
  ["HTTP/0.9", "response", /^HTTP\/0\.9/],
  [
    "codings that leave a reader to guess the end",
    "response",
    /Encoding: (?:chunked, |chunkedchunked|.*identity)/,
  ],
  ["nothing frames a 101", "response", /^HTTP\/1\.1 101 /],
  [
    "no empty line is before an answer (RFC 9112, 2.2, is of requests)",
    "response",
    /(?:^|\r\n\r\n|AAA)\r\nHTTP/,
  ],
];

for (const { kind, title, text } of vectors) {
  test(`INV-45: llhttp's vector, ${title}`, () => {
    const { ours, theirs } = assertNotLooser(kind, text);
    if (ours.how !== "bad" || theirs.how === "bad") return;
    const why = STRICTER.find(([, of, sign]) => of === kind && sign.test(text));
    assert.ok(why !== undefined, `refused without a reason: ${JSON.stringify(text)}`);
  });
}

test("INV-45: each reason to be stricter is a vector's", () => {
  for (const [why, kind, sign] of STRICTER) {
    assert.ok(
      vectors.some((vector) => vector.kind === kind && sign.test(vector.text)),
      why,
    );
  }
});

// As long as what they stand for, so that the lengths in the corpus hold.
const placed = (bytes: string) => bytes.replaceAll("OK", "/k").replaceAll("BAD", "/bd");

for (const { why, bytes, sees } of [...ATTACKS, ...HALF, ...TWINS]) {
  test(`INV-45: of the smuggling corpus no more is read than llhttp reads: ${why}`, () => {
    const { ours } = assertNotLooser("request", placed(bytes));
    if (sees.length > 0) assert.equal(ours.how, "whole", "a benign twin is read whole");
  });
}

const BASES: readonly (readonly [Kind, string])[] = [
  ["request", "GET /a HTTP/1.1\r\nHost: a\r\n\r\n"],
  ["request", "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcGET /b HTTP/1.1\r\n\r\n"],
  [
    "request",
    "POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n0\r\nX: y\r\n\r\nGET / HTTP/1.1\r\n\r\n",
  ],
  ["response", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcHTTP/1.1 204 X\r\n\r\n"],
  [
    "response",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX: y\r\n\r\n",
  ],
  ["response", "HTTP/1.1 103 Early\r\nLink: </x>\r\n\r\nHTTP/1.0 200 OK\r\n\r\nabc"],
];
const PUTS = [
  ...'\r \n \r\n \t \0 : , ; = " \\ 0 1 a / \x0b \x7f \x80 \xff \r\n\r\n chunked close'.split(" "),
  " ",
  "  ",
  "\r\n ",
  "Content-Length: 3\r\n",
  "Transfer-Encoding: chunked\r\n",
  "Connection: close\r\n",
  "Upgrade",
  "HTTP/1.0",
  "0\r\n\r\n",
  "GET / HTTP/1.1\r\n",
];
const EDITS = fc.array(
  fc.record({ at: fc.nat(140), cut: fc.nat(4), put: fc.constantFrom("", ...PUTS) }),
  { minLength: 1, maxLength: 4 },
);

test("INV-45: whatever a message is turned into, no more is read than llhttp reads", () => {
  let taken = 0;
  const property = fc.property(fc.constantFrom(...BASES), EDITS, ([kind, base], edits) => {
    const text = edits.reduce(
      (so_far, { at, cut, put }) => so_far.slice(0, at) + put + so_far.slice(at + cut),
      base,
    );
    if (assertNotLooser(kind, text).ours.how === "whole") taken += 1;
  });
  fc.assert(property, { numRuns: 5000 });
  assert.ok(taken > 100, `only ${taken} were messages still`);
});
