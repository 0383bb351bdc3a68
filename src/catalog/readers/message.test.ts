import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readMessage } from "./message.ts";

const lines = (...text: readonly string[]) => Buffer.from(text.join("\r\n"));

test("a message is read with its people, subject, text and attachments", () => {
  const message = readMessage(
    lines(
      "From: Me <me@example.com>",
      "To: a@example.org,",
      "\tb@example.org",
      "Reply-To: other@example.org",
      "Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?= =?utf-8?B?IQ==?=",
      'Content-Type: multipart/mixed; boundary="b1"',
      "",
      "to old readers",
      "--b1",
      'Content-Type: multipart/alternative; boundary="b2"',
      "",
      "--b2",
      "Content-Type: text/plain; charset=utf-8",
      "Content-Transfer-Encoding: quoted-printable",
      "",
      "Hel=",
      "lo =E2=82=AC",
      "--b2",
      "Content-Type: text/html",
      "",
      "<p>Hello</p>",
      "--b2--",
      "--b1",
      "Content-Type: application/pdf",
      'Content-Disposition: attachment; filename="bill.pdf"',
      "Content-Transfer-Encoding: base64",
      "",
      "aGVs",
      "bG8=",
      "--b1--",
      "",
    ),
  );
  assert.deepEqual(
    {
      ...message,
      attachments: message?.attachments.map(({ filename, contentType, bytes }) => ({
        filename,
        contentType,
        bytes,
      })),
    },
    {
      from: ["me@example.com"],
      to: ["a@example.org", "b@example.org"],
      cc: [],
      bcc: [],
      replyTo: ["other@example.org"],
      subject: "Grüße!",
      text: "Hello €",
      html: "<p>Hello</p>",
      headers: [
        "from: Me <me@example.com>",
        "to: a@example.org,\tb@example.org",
        "reply-to: other@example.org",
        "subject: Grüße!",
        'content-type: multipart/mixed; boundary="b1"',
        'part: content-type: multipart/alternative; boundary="b2"',
        "part: content-type: text/plain; charset=utf-8",
        "part: content-transfer-encoding: quoted-printable",
        "part: content-type: text/html",
        "part: content-type: application/pdf",
        'part: content-disposition: attachment; filename="bill.pdf"',
        "part: content-transfer-encoding: base64",
      ],
      attachments: [
        { filename: "(outside of the parts)", contentType: "text/plain", bytes: 16 },
        { filename: "bill.pdf", contentType: "application/pdf", bytes: 5 },
      ],
    },
  );
});

test("a mail of HTML alone has no plain text; what is too long is cut, and then stands among the files", () => {
  const html = readMessage(lines("To: a@example.org", "Content-Type: text/html", "", "<p>x</p>"));
  assert.deepEqual([html?.text, html?.html, html?.attachments], ["", "<p>x</p>", []]);
  const long = readMessage(lines("To: a@example.org", "", "x".repeat(65_537)));
  assert.deepEqual([long?.text.length, long?.attachments[0]?.bytes], [65_536, 65_537]);
  const two = readMessage(
    lines(
      'Content-Type: multipart/mixed; boundary="b"',
      "",
      ...["--b", "", "first", "--b", "", "second", "--b--", "behind"],
    ),
  );
  assert.equal(two?.text, "first");
  assert.deepEqual(
    two?.attachments.map(({ filename, bytes }) => [filename, bytes]),
    [
      ["(outside of the parts)", 7],
      ["", 6],
    ],
  );
});

const REFUSED = [
  [lines("To: a@example.org", "no header", "", "x"), "a line that is no header: it may end them"],
  [lines("To : a@example.org", "", "x"), "a space before the colon"],
  [lines(" To: a@example.org", "", "x"), "it begins with a folded line"],
  [Buffer.from("To: a@example.org\rBcc: b@example.org\n\nx"), "a bare carriage return"],
  [Buffer.from("To: a@example.org\0\n\nx"), "a zero byte"],
  [lines("Content-Type: text/plain", "Content-Type: text/html", "", "x"), "two types"],
  [lines("Content-Transfer-Encoding: x-uuencode", "", "x"), "an encoding that is not read"],
  [lines("Content-Transfer-Encoding: base64", "", "a*b"), "base 64 that is none"],
  [lines("Content-Type: multipart/mixed", "", "--b", "", "x", "--b--"), "no boundary"],
  [lines("Content-Type: multipart/mixed; boundary=b", "", "--b", "", "x"), "parts without an end"],
] as const;
for (const [bytes, why] of REFUSED) {
  test(`not read: ${why}`, () => {
    assert.equal(readMessage(bytes), undefined);
  });
}

test("line feeds alone are line ends as well, for all readers", () => {
  assert.deepEqual(readMessage(Buffer.from("To: a@example.org\nBcc: b@example.org\n\nx"))?.bcc, [
    "b@example.org",
  ]);
});

test("parts within parts within parts end at a depth", () => {
  let part = "\n\nx";
  for (let depth = 0; depth < 12; depth += 1) {
    part = `Content-Type: multipart/mixed; boundary=b${depth}\n\n--b${depth}\n${part}\n--b${depth}--\n`;
  }
  assert.equal(readMessage(Buffer.from(part)), undefined);
});

test("fuzz: any bytes are read or refused, and a Bcc is never lost", () => {
  const property = fc.property(fc.uint8Array({ maxLength: 300 }), (noise) => {
    readMessage(noise);
    const message = readMessage(
      Buffer.concat([Buffer.from("Bcc: b@example.org\r\n\r\n"), Buffer.from(noise)]),
    );
    if (message !== undefined) assert.deepEqual(message.bcc, ["b@example.org"]);
  });
  fc.assert(property, { numRuns: 300 });
});
