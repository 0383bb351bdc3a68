import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readMultipart, type Part } from "./multipart.ts";

const TYPE = "boundary=b";
const FIELD = 'Content-Disposition: form-data; name="status"';
const body = (head: string, value = "draft", end = "\r\n--b--\r\n") =>
  `--b\r\n${head}\r\n\r\n${value}${end}`;

const READ = [
  [TYPE, body(FIELD), "as every client writes it"],
  ['boundary="b"', body(FIELD), "a boundary in quotes"],
  ["charset=utf-8; boundary=b", body(FIELD), "beside a charset"],
  [TYPE, body(FIELD, "draft", "\r\n--b--"), "no line end behind the last mark"],
  [TYPE, body(FIELD.toLowerCase()), "a field name in small letters"],
  [TYPE, body(`${FIELD}; filename="a.png"\r\nContent-Type: image/png`), "a file"],
  [TYPE, body(FIELD, "a\r\n-b\r\n--\r\nb"), "what only looks like a mark"],
  [TYPE, body(FIELD, ""), "an empty value"],
] as const;
for (const [type, text, why] of READ) {
  test(`read: ${why}`, () => {
    const parts = readMultipart(Buffer.from(text), type);
    assert.deepEqual(
      parts?.map(({ name }) => name),
      ["status"],
    );
  });
}

const REFUSED = [
  [TYPE, `preamble\r\n${body(FIELD)}`, "text before the first mark"],
  [TYPE, `${body(FIELD)}epilogue`, "text behind the last"],
  [TYPE, body(FIELD, "draft", ""), "no end"],
  [TYPE, body(FIELD, "draft", "\r\n--b"), "half an end"],
  [TYPE, body(FIELD).replaceAll("\r\n", "\n"), "bare line feeds"],
  [TYPE, body(FIELD, `draft\n--b\r\n${FIELD}\r\n\r\npublish`), "a mark behind a bare line feed"],
  [TYPE, body(FIELD, `draft\r--b\r\n${FIELD}\r\n\r\npublish`), "a mark behind a bare return"],
  [TYPE, body(FIELD, `draft--b\r\n${FIELD}\r\n\r\npublish`), "a mark within a line"],
  [TYPE, `--b\r\n${FIELD}\r\n\r\n--b--`, "an empty value without its line end"],
  [TYPE, body(FIELD, "draft", "\r\n--b --"), "a space behind a mark"],
  [TYPE, body(FIELD, "draft", "\r\n--bb--"), "a longer mark"],
  [TYPE, body(`${FIELD}\r\n${FIELD.replace("status", "x")}`), "a second disposition"],
  [TYPE, body(`${FIELD}; name="x"`), "a second name"],
  [TYPE, body(`${FIELD}; filename*=utf-8''a`), "a name in another charset"],
  [TYPE, body(FIELD.replace('"status"', "status")), "a name without quotes"],
  [TYPE, body(FIELD.replace("status", "sta\\tus")), "a backslash in a name"],
  [TYPE, body(FIELD.replace("status", "%73tatus")), "a name that some would decode"],
  [TYPE, body(FIELD.replace("form-data", "attachment")), "another disposition"],
  [TYPE, body(`${FIELD}\r\nContent-Transfer-Encoding: base64`), "a value that some would decode"],
  [TYPE, body(`${FIELD}\r\nContent-Type: a/b\r\nContent-Type: c/d`), "two types"],
  [TYPE, body(`${FIELD}\r\n folded`), "a folded line"],
  [TYPE, body(`${FIELD}\r\nX : y`), "a space before a colon"],
  [TYPE, body("Content-Type: a/b"), "no disposition"],
  [TYPE, body(`${FIELD}\0`), "NUL in a head"],
  [TYPE, body(`${FIELD}\r\nContent-Type: ${"a".repeat(3000)}`), "a head too long"],
  [TYPE, "", "nothing"],
  ["", body(FIELD), "no boundary"],
  ["boundary=", body(FIELD), "an empty one"],
  ["boundary=b; boundary=c", body(FIELD), "two boundaries"],
  ["boundary=b; Boundary=b", body(FIELD), "two, the same"],
  ["boundary*=utf-8''c; boundary=b", body(FIELD), "one in another charset beside it"],
  ["boundary*0=x; boundary=b", body(FIELD), "one that is split up beside it"],
  ["xboundary=b", body(FIELD), "a parameter that only ends so"],
  ['x="boundary=b"', body(FIELD), "one within another parameter"],
  ['boundary="b', body(FIELD), "an open quote"],
  [`boundary=${"b".repeat(71)}`, body(FIELD), "one too long"],
] as const;
for (const [type, text, why] of REFUSED) {
  test(`refused: ${why}`, () => {
    assert.equal(readMultipart(Buffer.from(text), type), undefined);
  });
}

/** As undici and browsers write it. */
function write(parts: readonly Part[], boundary: string): Buffer {
  const chunks = parts.flatMap(({ name, filename, contentType, bytes }) => [
    `--${boundary}\r\nContent-Disposition: form-data; name="${name}"`,
    filename === undefined ? "" : `; filename="${filename}"`,
    contentType === undefined ? "" : `\r\nContent-Type: ${contentType}`,
    "\r\n\r\n",
    bytes,
    "\r\n",
  ]);
  return Buffer.concat([...chunks, `--${boundary}--\r\n`].map((one) => Buffer.from(one)));
}

const word = fc.stringMatching(/^[A-Za-z0-9 _.[\]\u00e4-]{0,20}$/);
const part: fc.Arbitrary<Part> = fc.record(
  { name: word, filename: word, contentType: fc.constant("a/b"), bytes: fc.uint8Array() },
  { requiredKeys: ["name", "bytes"] },
);

test("what is written is read back, part by part", () => {
  const property = fc.property(fc.array(part, { minLength: 1, maxLength: 8 }), (parts) => {
    const boundary = "----boundary0123456789";
    const read = readMultipart(write(parts, boundary), `boundary=${boundary}`);
    assert.deepEqual(
      read?.map((one) => ({ ...one, bytes: [...one.bytes] })),
      parts.map((one) => ({ ...one, bytes: [...one.bytes] })),
    );
  });
  fc.assert(property, { numRuns: 300 });
});

test("what Node's own FormData writes is read", async () => {
  const form = new FormData();
  form.set("status", "draft");
  form.set('a"b', "\u00e4");
  form.set("file", new File(["x"], "a.txt", { type: "text/plain" }));
  const request = new Request("http://a.example/", { method: "POST", body: form });
  const [, parameters = ""] = (request.headers.get("content-type") ?? "").split("; ");
  const parts = readMultipart(new Uint8Array(await request.arrayBuffer()), parameters);
  assert.deepEqual(
    parts?.map(({ name, filename }) => [name, filename]),
    [
      ["status", undefined],
      ["a%22b", undefined],
      ["file", "a.txt"],
    ],
  );
});

test("a byte changed anywhere adds no part", () => {
  const bytes = Buffer.from(body(FIELD, `x\r\n--b\r\n${FIELD.replace("status", "id")}\r\n\r\n7`));
  const property = fc.property(fc.nat(bytes.length - 1), fc.nat(255), (at, byte) => {
    const changed = Buffer.from(bytes);
    changed[at] = byte;
    const parts = readMultipart(changed, TYPE);
    assert.ok(parts === undefined || parts.length <= 2);
  });
  fc.assert(property, { numRuns: 500 });
});
