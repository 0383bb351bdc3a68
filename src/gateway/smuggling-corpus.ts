/**
 * Requests that two HTTP readers could read differently, and their benign twins. Test data.
 *
 * `OK` stands for a granted target, `BAD` for one that is not, `HIDDEN` for a whole request to it. What
 * an upstream may see of a case is `sees`: method, target kind and body of each request, in order.
 *
 * Classes after RFC 9112 (sections 2.2, 3.2, 5, 6, 7, 11.2) and the published families CL.TE, TE.CL,
 * TE.TE, CL.0, 0.CL, TE.0, chunk extensions, bare line ends, folded lines, early answers, upgrades.
 *
 * @module
 */

export interface SmugglingCase {
  readonly why: string;
  readonly bytes: string;
  readonly sees: readonly string[];
  /** How many answers come back, where not one for each request seen. */
  readonly answers?: number;
  /** The client ends the connection in the middle of it. */
  readonly isCutOff?: boolean;
}

const HIDDEN = "GET BAD HTTP/1.1\r\nHost: a.test\r\n\r\n";
const POST = "POST OK HTTP/1.1\r\nHost: a.test\r\n";
const GET = "GET OK HTTP/1.1\r\nHost: a.test\r\n";
const CHUNKED = "Transfer-Encoding: chunked\r\n";

/** Other ways to write the granted host, or to hide another behind it. */
const HOSTS = [
  "a.test.",
  "a%2etest",
  "a.test%00",
  "a.test\0",
  "a.test#.b.test",
  "a.test/b.test",
  "a.test?b.test",
  "a.test\\b.test",
  "b.test:80@a.test",
  "a.test@b.test",
  "a.test:080",
  "a.test:0x50",
  "a.test:80:80",
  "a.test:",
  "a.test:81",
  "a.test, b.test",
  "a.test b.test",
  "a.test\tb.test",
  "[a.test]",
  "127.0.0.1",
  "0x7f000001",
  "0177.0.0.1",
  "2130706433",
  "[::ffff:127.0.0.1]",
  "\xff\xfea.test",
  "",
];

function none(why: string, bytes: string): SmugglingCase {
  return { why, bytes, sees: [] };
}

/** The client ends the connection after it: nobody answers what does not begin like HTTP. */
function ended(one: SmugglingCase): SmugglingCase {
  return { ...one, isCutOff: true };
}

/** Nothing of these may reach an upstream. */
export const ATTACKS: readonly SmugglingCase[] = [
  // Two ways to say where a body ends.
  none("CL.TE", `${POST}Content-Length: 5\r\n${CHUNKED}\r\n0\r\n\r\n${HIDDEN}`),
  none("TE.CL", `${POST}${CHUNKED}Content-Length: 4\r\n\r\n5c\r\n${HIDDEN}\r\n0\r\n\r\n`),
  none("CL twice, different", `${POST}Content-Length: 0\r\nContent-Length: 50\r\n\r\n${HIDDEN}`),
  none("CL twice, equal", `${POST}Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello${HIDDEN}`),
  none("CL as a list", `${POST}Content-Length: 5, 5\r\n\r\nhello${HIDDEN}`),
  none("CL with a sign", `${POST}Content-Length: +5\r\n\r\nhello${HIDDEN}`),
  none("CL negative", `${POST}Content-Length: -1\r\n\r\n${HIDDEN}`),
  none("CL in hex", `${POST}Content-Length: 0x5\r\n\r\nhello${HIDDEN}`),
  none("CL empty", `${POST}Content-Length: \r\n\r\n${HIDDEN}`),
  none("CL with a space inside", `${POST}Content-Length: 5 0\r\n\r\nhello${HIDDEN}`),
  none("CL beyond 64 bits", `${POST}Content-Length: 18446744073709551621\r\n\r\nhello${HIDDEN}`),
  none("CL with an underscore digit", `${POST}Content-Length: 5_0\r\n\r\nhello${HIDDEN}`),
  // Ways to hide Transfer-Encoding from one of two readers.
  none("TE unknown", `${POST}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${HIDDEN}`),
  none("TE list", `${POST}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n${HIDDEN}`),
  none(
    "TE chunked not last",
    `${POST}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n${HIDDEN}`,
  ),
  none("TE twice", `${POST}${CHUNKED}${CHUNKED}\r\n0\r\n\r\n${HIDDEN}`),
  none("TE twice, one odd", `${POST}${CHUNKED}Transfer-Encoding: x\r\n\r\n0\r\n\r\n${HIDDEN}`),
  none(
    "TE with space before the colon",
    `${POST}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n${HIDDEN}`,
  ),
  none(
    "TE with a tab before the colon",
    `${POST}Transfer-Encoding\t: chunked\r\n\r\n0\r\n\r\n${HIDDEN}`,
  ),
  none(
    "TE after a vertical tab",
    `${POST}Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n${HIDDEN}`,
  ),
  none("TE quoted", `${POST}Transfer-Encoding: "chunked"\r\n\r\n0\r\n\r\n${HIDDEN}`),
  none("TE with a NUL", `${POST}Transfer-Encoding: chunked\0\r\n\r\n0\r\n\r\n${HIDDEN}`),
  none("TE on a folded line", `${POST}Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n${HIDDEN}`),
  none("TE folded onto another field", `${POST}X: a\r\n ${CHUNKED}\r\n0\r\n\r\n${HIDDEN}`),
  none("TE in HTTP/1.0", `POST OK HTTP/1.0\r\nHost: a.test\r\n${CHUNKED}\r\n0\r\n\r\n${HIDDEN}`),
  none("TE behind a bare CR", `${POST}X: a\r${CHUNKED}\r\n0\r\n\r\n${HIDDEN}`),
  none("TE behind a bare LF", `${POST}X: a\n${CHUNKED}\r\n0\r\n\r\n${HIDDEN}`),
  // Line ends.
  ended(none("blank lines before the first request", `\r\n${GET}\r\n`)),
  none("bare LF in the request line", `GET OK HTTP/1.1\nHost: a.test\n\n${HIDDEN}`),
  none("bare LF ends the head", `${GET}\n${HIDDEN}`),
  none("bare CR in a field", `${GET}X: a\rY: b\r\n\r\n`),
  none("NUL in a field", `${GET}X: a\0b\r\n\r\n`),
  none("NUL in a name", `${GET}X\0: a\r\n\r\n`),
  none("a line without a colon", `${GET}nonsense\r\n\r\n`),
  none("a field without a name", `${GET}: x\r\n\r\n`),
  none("space before the first field", "GET OK HTTP/1.1\r\n Host: a.test\r\n\r\n"),
  none("a folded line", `${GET}X: a\r\n b\r\n\r\n`),
  // The request line.
  ended(none("a space in the target", `GET OK BAD HTTP/1.1\r\nHost: a.test\r\n\r\n`)),
  ended(none("a tab for a space", `GET\tOK HTTP/1.1\r\nHost: a.test\r\n\r\n`)),
  ended(none("a lower-case method", `get OK HTTP/1.1\r\nHost: a.test\r\n\r\n`)),
  ended(none("HTTP/1.2", `GET OK HTTP/1.2\r\nHost: a.test\r\n\r\n`)),
  ended(none("HTTP/2.0 in text", `GET OK HTTP/2.0\r\nHost: a.test\r\n\r\n`)),
  ended(none("HTTP/0.9", "GET OK\r\n\r\n")),
  ended(none("text after the version", `GET OK HTTP/1.1 HTTP/1.0\r\nHost: a.test\r\n\r\n`)),
  none("a fragment", `GET OK#BAD HTTP/1.1\r\nHost: a.test\r\n\r\n`),
  none("a backslash", `GET OK\\..\\BAD HTTP/1.1\r\nHost: a.test\r\n\r\n`),
  none("dot segments", `GET OK/../..BAD HTTP/1.1\r\nHost: a.test\r\n\r\n`),
  none("encoded dot segments", `GET OK/%2e%2e/..BAD HTTP/1.1\r\nHost: a.test\r\n\r\n`),
  // Authority.
  none("no Host", "GET OK HTTP/1.1\r\n\r\n"),
  none(
    "a granted request behind a refused one",
    `GET OK HTTP/1.1\r\nHost: b.test\r\n\r\n${GET}\r\n`,
  ),
  none("two Hosts", `${GET}Host: b.test\r\n\r\n`),
  none(
    "TE in disguise",
    `${POST}Transfer_Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n${HIDDEN}`,
  ),
  none("CL in disguise", `${POST}Content_Length: 50\r\n\r\n${HIDDEN}`),
  none("CL with a parameter", `${POST}Content-Length: 5;a=b\r\n\r\nhello${HIDDEN}`),
  none("CL with digits of another script", `${POST}Content-Length: \xb2\r\n\r\nhi${HIDDEN}`),
  none("CL in exponent form", `${POST}Content-Length: 1e1\r\n\r\nhello${HIDDEN}`),
  none("CL behind a form feed", `${POST}Content-Length: \x0c5\r\n\r\nhello${HIDDEN}`),
  none("TE in a value of CL", `${POST}Content-Length: 5, chunked\r\n\r\nhello${HIDDEN}`),
  none(
    "TE chunked twice in a list",
    `${POST}Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n${HIDDEN}`,
  ),
  none("TE with an empty member", `${POST}Transfer-Encoding: , chunked\r\n\r\n0\r\n\r\n${HIDDEN}`),
  none("TE with a parameter", `${POST}Transfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n${HIDDEN}`),
  none(
    "TE behind a byte above ASCII",
    `${POST}Transfer-Encoding: \xa0chunked\r\n\r\n0\r\n\r\n${HIDDEN}`,
  ),
  none("TE identity", `${POST}Transfer-Encoding: identity\r\n\r\n${HIDDEN}`),
  none("TE of nothing", `${POST}Transfer-Encoding:\r\n\r\n${HIDDEN}`),
  // One host, one spelling.
  ...HOSTS.map((host) =>
    none(`Host ${JSON.stringify(host)}`, `GET OK HTTP/1.1\r\nHost: ${host}\r\n\r\n`),
  ),
  none("another Host", "GET OK HTTP/1.1\r\nHost: b.test\r\n\r\n"),
  none("absolute form elsewhere", `GET http://b.testOK HTTP/1.1\r\nHost: a.test\r\n\r\n`),
  none(
    "absolute form with userinfo",
    `GET http://a.test@b.testOK HTTP/1.1\r\nHost: a.test\r\n\r\n`,
  ),
  none("Host with userinfo", "GET OK HTTP/1.1\r\nHost: a.test@b.test\r\n\r\n"),
  none("CONNECT", `CONNECT a.test:22 HTTP/1.1\r\nHost: a.test:22\r\n\r\nSSH-2.0-x\r\n`),
  // Fields that change what is asked, or that have a proxy change it.
  none("a method override", `${POST}X-HTTP-Method-Override: DELETE\r\nContent-Length: 0\r\n\r\n`),
  none("a target override", `${GET}X-Original-URL: BAD\r\n\r\n`),
  none(
    "Connection names Content-Length",
    `${POST}Connection: content-length\r\nContent-Length: 37\r\n\r\n${HIDDEN}`,
  ),
  none("Connection names Host", `${GET}Connection: host\r\n\r\n`),
  none(
    "Expect of something else",
    `${POST}Expect: 100-continue, x\r\nContent-Length: 5\r\n\r\nhello`,
  ),
  none(
    "a websocket upgrade",
    `${GET}Connection: upgrade\r\nUpgrade: websocket\r\n\r\nSSH-2.0-x\r\n`,
  ),
  none(
    "an upgrade in front of a request",
    `${GET}Connection: upgrade\r\nUpgrade: x\r\n\r\n${HIDDEN}`,
  ),
  none("h2c hidden in a list", `${GET}Connection: upgrade\r\nUpgrade: h2c, tcp\r\n\r\n${HIDDEN}`),
  none("the HTTP/2 preface and then text", `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${HIDDEN}`),
  none("a head that never ends", `${GET}X: ${"a".repeat(40_000)}\r\n\r\n`),
  none("too many fields", `${GET}${"A: b\r\n".repeat(120)}\r\n`),
];

/** The first request of these may go out; what hides behind it may not, and its end may not either. */
export const HALF: readonly SmugglingCase[] = [
  none("chunk size in hex with 0x", `${POST}${CHUNKED}\r\n0x5\r\nhello\r\n0\r\n\r\n${HIDDEN}`),
  none("chunk size negative", `${POST}${CHUNKED}\r\n-1\r\nhello\r\n0\r\n\r\n${HIDDEN}`),
  none(
    "chunk size overflows",
    `${POST}${CHUNKED}\r\nfffffffffffffffff\r\nhello\r\n0\r\n\r\n${HIDDEN}`,
  ),
  none("space after the chunk size", `${POST}${CHUNKED}\r\n5 \r\nhello\r\n0\r\n\r\n${HIDDEN}`),
  none("chunk size ends in a bare LF", `${POST}${CHUNKED}\r\n5\nhello\r\n0\r\n\r\n${HIDDEN}`),
  none("chunk ends in a bare LF", `${POST}${CHUNKED}\r\n5\r\nhello\n0\r\n\r\n${HIDDEN}`),
  none("chunk without an end", `${POST}${CHUNKED}\r\n5\r\nhello0\r\n\r\n${HIDDEN}`),
  none("chunk longer than said", `${POST}${CHUNKED}\r\n5\r\nhello!!\r\n0\r\n\r\n${HIDDEN}`),
  none("LF in a chunk extension", `${POST}${CHUNKED}\r\n5;a\nb\r\nhello\r\n0\r\n\r\n${HIDDEN}`),
  none(
    "CL in a trailer",
    `${POST}${CHUNKED}\r\n5\r\nhello\r\n0\r\nContent-Length: 9\r\n\r\n${HIDDEN}`,
  ),
  ended(none("a body cut off", `${POST}Content-Length: 500\r\n\r\nhello`)),
  ended(none("chunks cut off", `${POST}${CHUNKED}\r\n5\r\nhello\r\n`)),
];

/** These are HTTP: they pass, and a second request in them is judged on its own. */
export const TWINS: readonly SmugglingCase[] = [
  { why: "a plain GET", bytes: `${GET}\r\n`, sees: ["GET "] },
  { why: "two pipelined GETs", bytes: `${GET}\r\n${GET}\r\n`, sees: ["GET ", "GET "] },
  {
    why: "a request hidden in a body is a body",
    bytes: `${POST}Content-Length: ${HIDDEN.length}\r\n\r\n${HIDDEN}`,
    sees: [`POST ${HIDDEN}`],
  },
  {
    why: "a request hidden in a chunk is a body",
    bytes: `${POST}${CHUNKED}\r\n${HIDDEN.length.toString(16)}\r\n${HIDDEN}\r\n0\r\n\r\n`,
    sees: [`POST ${HIDDEN}`],
  },
  {
    why: "a visible second request is judged",
    answers: 2,
    bytes: `${GET}\r\n${HIDDEN}`,
    sees: ["GET "],
  },
  {
    why: "chunks",
    bytes: `${POST}${CHUNKED}\r\n5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n`,
    sees: ["POST hello!"],
  },
  {
    why: "a chunk extension ends here",
    bytes: `${POST}${CHUNKED}\r\n5;a=b\r\nhello\r\n0\r\n\r\n`,
    sees: ["POST hello"],
  },
  {
    why: "chunks and a second request",
    bytes: `${POST}${CHUNKED}\r\n0\r\n\r\n${GET}\r\n`,
    sees: ["POST ", "GET "],
  },
  {
    why: "blank lines between requests",
    bytes: `${POST}Content-Length: 2\r\n\r\nhi\r\n${GET}\r\n`,
    sees: ["POST hi", "GET "],
  },
  { why: "POST without a body", bytes: `${POST}\r\n`, sees: ["POST "] },
  { why: "GET with a body", bytes: `${GET}Content-Length: 2\r\n\r\nhi`, sees: ["GET hi"] },
  { why: "HTTP/1.0", bytes: "GET OK HTTP/1.0\r\nHost: a.test\r\n\r\n", sees: ["GET "] },
  {
    why: "absolute form of the same origin",
    bytes: "GET http://a.testOK HTTP/1.1\r\nHost: a.test\r\n\r\n",
    sees: ["GET "],
  },
  {
    why: "h2c offered",
    bytes: `${GET}Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n\r\n`,
    sees: ["GET "],
  },
  { why: "an upper-case Host", bytes: "GET OK HTTP/1.1\r\nHOST: A.TEST\r\n\r\n", sees: ["GET "] },
  { why: "many spaces around a value", bytes: `${GET}X:   a   \r\n\r\n`, sees: ["GET "] },
  {
    why: "an escaped slash in a name",
    bytes: "GET OK/@a%2fb HTTP/1.1\r\nHost: a.test\r\n\r\n",
    sees: ["GET "],
  },
];
