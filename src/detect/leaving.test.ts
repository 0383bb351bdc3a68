/** What leaves in requests: secrets wherever they stand, whatever they are wrapped in; and what is ordinary. */
import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { test } from "node:test";
import { deflateSync, gzipSync } from "node:zlib";
import fc from "fast-check";
import { hex, random } from "./detectors.fixture.ts";
import { LeavingWatch, type Leaving } from "./leaving.ts";
import { layersOf } from "./unwrap.ts";

/** Put together, so that no file looks like it held one. */
const SECRET = ["AKIA", "DRILL0NOTREAL007"].join("");
const base64 = (of: string | Buffer) => Buffer.from(of).toString("base64");
const percent = (of: string) => encodeURIComponent(of);
const every = (of: string) => [...Buffer.from(of)].map((byte) => `%${byte.toString(16)}`).join("");

type Draft = Partial<Omit<Leaving, "body">> & { readonly body?: string | Buffer };
const request = ({ body, ...more }: Draft): Leaving => ({
  ...{ host: "site.test", path: "/find", query: "", headers: [] },
  ...more,
  ...(body === undefined ? {} : { body: Buffer.from(body) }),
});
const query = (text: string): Draft => ({ query: text });
const header = (name: string, value: string): Draft => ({ headers: [[name, value]] });
/** What is told of each request of one run. */
function told(...drafts: readonly Draft[]): readonly (readonly string[])[] {
  const watch = new LeavingWatch();
  return drafts.map((draft) =>
    watch.look(request(draft)).carries.map(({ where }) => where.replace(", wrapped", "")),
  );
}

const CARRIED: readonly (readonly [why: string, draft: Draft, where: string])[] = [
  ["a key in a query", query(`q=a-${SECRET}`), "the query"],
  ["escaped", query(`q=${every(SECRET)}`), "the query"],
  ["in hexadecimal", query(`q=${Buffer.from(SECRET).toString("hex")}`), "the query"],
  [
    "in base64, in a path",
    { path: `/i/${base64(`KEY=${SECRET}\n`).replaceAll("=", "")}.png` },
    "the path",
  ],
  ["base64 of base64", query(`q=${base64(base64(SECRET))}`), "the query"],
  ["percent signs around base64", query(`q=${percent(base64(`${SECRET}?`))}`), "the query"],
  [
    "each sign of base64 of base64 escaped",
    query(`q=${every(base64(base64(SECRET)))}`),
    "the query",
  ],
  ["hexadecimal of base64", query(`q=${Buffer.from(base64(SECRET)).toString("hex")}`), "the query"],
  ["base64 of gzip", query(`q=${percent(base64(gzipSync(`x ${SECRET} y`)))}`), "the query"],
  ["base64 behind a word", query(`q=img${base64(`id ${SECRET}`)}`), "the query"],
  ["in a header field", header("x-note", SECRET), "the header x-note"],
  [
    "in the client's name",
    header("user-agent", `curl/8 ${base64(SECRET)}`),
    "the header user-agent",
  ],
  ["in a body", { body: `{"q": "${SECRET}"}` }, "the body"],
  ["in UTF-16", { body: Buffer.from(`a ${SECRET} b`, "utf16le") }, "the body"],
  ["as a name", query(`${SECRET}=1`), "the query"],
  [
    "behind many others",
    query(
      `${Array.from({ length: 60 }, (_, n) => `k${n}=value${n}`).join("&")}&a=${SECRET.slice(0, 9)}&b=${SECRET.slice(9)}`,
    ),
    "several values",
  ],
  ["behind a body", { body: "word", trailers: [["x-note", SECRET]] }, "the header x-note"],
  ["in a body, escaped as JSON may be", { body: `{"q": "\\u0041${SECRET.slice(1)}"}` }, "the body"],
  ["in a packed body", { body: gzipSync(`q=${SECRET}`) }, "the body"],
  ["in a body packed the other way", { body: deflateSync(`q=${SECRET}`) }, "the body"],
  [
    "in base64 of many lines",
    { body: base64(`${"filler ".repeat(20)}${SECRET}`).replaceAll(/(.{76})/g, "$1\r\n") },
    "the body",
  ],
  [
    "cut over parameters",
    query(`q=find&a=${SECRET.slice(0, 9)}&b=${SECRET.slice(9)}&z=last`),
    "several values",
  ],
  [
    "cut over four",
    query(
      `a=${SECRET.slice(0, 5)}&b=${SECRET.slice(5, 10)}&c=${SECRET.slice(10, 15)}&d=${SECRET.slice(15)}`,
    ),
    "several values",
  ],
  [
    "base64 cut over parameters",
    query(`a=${base64(SECRET).slice(0, 12)}&b=${base64(SECRET).slice(12).replaceAll("=", "")}`),
    "several values",
  ],
  [
    "cut over fields of JSON",
    { body: `{"a": "${SECRET.slice(0, 9)}", "b": {"c": "${SECRET.slice(9)}"}}` },
    "several values",
  ],
  [
    "cut over header fields",
    {
      headers: [
        ["x-a", SECRET.slice(0, 9)],
        ["x-b", SECRET.slice(9)],
      ],
    },
    "several values",
  ],
];
for (const [why, draft, where] of CARRIED) {
  test(`a secret is seen: ${why}`, () => assert.deepEqual(told(draft), [[where]]));
}

const chunk = (n: number): Draft =>
  query(`v=1&format=json&chunk=${SECRET.slice(n * 7, n * 7 + 7)}`);
test("a secret that is cut over several requests is seen with its last piece, and with every more of them", () => {
  const piecewise = [chunk(0), query("v=1&format=json"), chunk(1), chunk(2), chunk(2)];
  assert.deepEqual(told(...piecewise), [[], [], [], ["several requests"], ["several requests"]]);
  const paths = [0, 1, 2].map((n): Draft => ({ path: `/i/${SECRET.slice(n * 7, n * 7 + 7)}.png` }));
  assert.deepEqual(told(...paths), [[], [], ["several requests"]]);
  const encoded = base64(base64(SECRET));
  const pieces = [0, 1, 2].map((n) =>
    query(`d=${encoded.slice(n * 14, n * 14 + 14).replaceAll("=", "")}`),
  );
  assert.deepEqual(told(...pieces), [[], [], ["several requests"]]);
});

test("pieces that go to different hosts, or are read again much later, are none together", () => {
  const elsewhere = { ...chunk(1), host: "other.test" };
  assert.deepEqual(told(chunk(0), elsewhere, chunk(2)), [[], [], []]);
  const much = Array.from({ length: 40 }, (_, n) => query(`chunk=value${n}`));
  assert.deepEqual(told(chunk(0), ...much, chunk(1), chunk(2)).flat(), []);
});

const ORDINARY: readonly (readonly [why: string, draft: Draft])[] = [
  ["a client logs in", header("authorization", `Bearer ${SECRET}`)],
  ["Basic, too", header("authorization", `Basic ${base64(`ann:${SECRET}`)}`)],
  ["a cookie", header("cookie", `sid=${random(40)}; key=${SECRET}`)],
  ["a field for a key", header("x-api-key", SECRET)],
  ["a signed URL", query(`X-Amz-Credential=${SECRET}/20260101/eu/s3&X-Amz-Signature=${hex(32)}`)],
  ["a parameter for a key", query(`api_key=${SECRET}`)],
  ["an article on keys", query("q=how+do+AKIA+keys+begin")],
  ["hashes", { path: `/sha256/${hex(32)}`, query: `etag=${hex(20)}` }],
  ["random identifiers", query(`id=${random(60)}&at=${random(60)}`)],
  [
    "a question in GraphQL",
    { body: JSON.stringify({ query: "{ viewer { login } }", variables: { after: random(30) } }) },
  ],
  [
    "a search",
    { body: JSON.stringify({ query: { match: { text: "the quick brown fox ".repeat(50) } } }) },
  ],
  ["traces", header("traceparent", `00-${hex(16)}-${hex(8)}-01`)],
  ["bytes that are none of these", { body: Buffer.from(hash("sha512", "x", "buffer")) }],
];
for (const [why, draft] of ORDINARY) {
  test(`nothing is seen in what is ordinary: ${why}`, () => {
    assert.deepEqual(told(draft, draft, draft).flat(), []);
  });
}

test("ten thousand ordinary requests of one run, and nothing is seen", () => {
  const watch = new LeavingWatch();
  for (let n = 0; n < 10_000; n += 1) {
    const { carries } = watch.look(
      request({
        path: `/packages/${hex(4)}/${hex(32)}/name-${n}.whl`,
        query: `page=${n}&cursor=${random(24)}&q=word${n % 50}&ts=${1_700_000_000 + n}`,
        headers: [
          ["user-agent", "pip/24.0"],
          ["x-request-id", hex(16)],
        ],
      }),
    );
    assert.deepEqual(carries, []);
  }
});

const CANARY = "abcdefghij234567klmnopqrstuvwxyz";
/** A watch that knows one text, and whether it is told of in each of some requests. */
function knows(...drafts: readonly Draft[]): readonly boolean[] {
  const watch = new LeavingWatch((text) => (text.includes(CANARY) ? ["canary"] : []));
  return drafts.map((draft) => watch.look(request(draft)).known.includes("canary"));
}

test("a text that is known is found wrapped, also where credentials belong", () => {
  const wrapped = base64(base64(`a:${CANARY}`));
  assert.deepEqual(knows(query(`q=${wrapped}`)), [true]);
  assert.deepEqual(knows(header("authorization", `Basic ${wrapped}`)), [true]);
  assert.deepEqual(knows({ body: gzipSync(base64(CANARY)) }), [true]);
  assert.deepEqual(knows(query(`q=${base64(base64("nothing that anybody knows"))}`)), [false]);
});

test("and in pieces over several requests; what follows them is ordinary again", () => {
  const piece = (n: number) => query(`v=1&format=json&p=${CANARY.slice(n * 11, n * 11 + 11)}`);
  const ordinary = [query("v=1&format=json"), query("p=another"), query("q=words"), piece(0)];
  const asked = [piece(0), piece(1), piece(2), piece(2), ...ordinary];
  assert.deepEqual(knows(...asked), [false, false, true, true, false, false, false, true]);
});

test("a text that is known is found behind a body as it is, where nobody else looks", () => {
  assert.deepEqual(knows({ trailers: [["x-note", CANARY]] }, { trailers: [["x-note", "word"]] }), [
    true,
    false,
  ]);
});

test("digests tell secrets apart, and nothing of them is in what is told", () => {
  const { carries } = new LeavingWatch().look(request(query(`q=${SECRET}`)));
  assert.deepEqual(carries, [
    { what: "AWS access key", where: "the query", digest: hash("sha256", SECRET).slice(0, 16) },
  ]);
});

test("no bytes make it throw, and layers are bounded whatever is packed", () => {
  const bytes = fc.uint8Array({ maxLength: 600 });
  const property = fc.property(bytes, fc.string({ unit: "binary" }), (body, text) => {
    new LeavingWatch().look(request({ query: text, path: `/${text}`, body: Buffer.from(body) }));
    layersOf(Buffer.from(body).toString("latin1"));
  });
  fc.assert(property, { numRuns: 2000 });
  const bomb = gzipSync(Buffer.alloc(64 << 20));
  const nested = base64(gzipSync(Buffer.from(base64(gzipSync(Buffer.alloc(200 << 10, "A"))))));
  for (const one of [bomb.toString("latin1"), base64(bomb), nested]) {
    const total = layersOf(one).reduce((sum, { text }) => sum + text.length, 0);
    assert.ok(total <= 1 << 20, `${total}`);
  }
});

test("looking takes time by the length alone", () => {
  const start = process.hrtime.bigint();
  for (const piece of ["A", "%41", "a=AKIA&", "QUtJ", "4142", "x=1&", "\n", `"AKIAAKIA",`, "/a"]) {
    const text = piece.repeat((256 << 10) / piece.length);
    const watch = new LeavingWatch();
    for (const draft of [{ query: text }, { path: text }, { body: text }, header("x-a", text)]) {
      watch.look(request(draft));
    }
  }
  const ms = Number(process.hrtime.bigint() - start) / 1e6;
  assert.ok(ms < 30_000, `${ms} ms`);
});

test("its state is bounded, whatever a run sends", () => {
  const watch = new LeavingWatch();
  for (let n = 0; n < 20_000; n += 1) {
    watch.look(request({ host: `h${n % 300}.test`, query: `n${n}=${"v".repeat(100)}${n}` }));
  }
  const text = JSON.stringify(watch, (_, value: unknown) =>
    value instanceof Map ? [...value] : value,
  );
  assert.ok(text.length < 1 << 20);
});
