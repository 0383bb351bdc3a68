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
      sender: [],
      to: ["a@example.org", "b@example.org"],
      cc: [],
      bcc: [],
      replyTo: ["other@example.org"],
      subject: "Grüße!",
      text: "Hello €",
      html: "<p>Hello</p>",
      more: [
        {
          filename: "(outside of the parts)",
          contentType: "text/plain",
          text: "\nto old readers\n",
        },
      ],
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
      names: ["from", "to", "reply-to", "subject", "content-type"],
      groups: [],
      attachments: [{ filename: "bill.pdf", contentType: "application/pdf", bytes: 5 }],
      doubts: ["answers to it go elsewhere: other@example.org"],
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
    two?.more.map(({ filename, text }) => [filename, text]),
    [
      ["(outside of the parts)", "\nbehind"],
      ["", "second"],
    ],
    "no text is known by its hash alone",
  );
  assert.deepEqual(two?.attachments, []);
});

test("a text that is a file is both; a message within is read as a part, and one that cannot be is told", () => {
  const mixed = (...part: readonly string[]) =>
    readMessage(
      lines('Content-Type: multipart/mixed; boundary="b"', "", "--b", ...part, "--b--", ""),
    );
  const file = mixed("Content-Disposition: inline; filename=a.txt", "", "hidden?");
  assert.deepEqual(file?.more, [{ filename: "a.txt", contentType: "text/plain", text: "hidden?" }]);
  assert.equal(file?.attachments[0]?.filename, "a.txt");
  const within = mixed("Content-Type: message/rfc822", "", "From: x@y.example", "", "inner text");
  assert.equal(within?.more[0]?.text, "inner text");
  assert.ok(within?.headers.includes("within: from: x@y.example"));
  const odd = mixed("Content-Type: message/rfc822", "", "no header", "", "inner");
  assert.deepEqual(odd?.doubts, ["it carries a message that cannot be read"]);
});

test("names of a file are shown in every spelling that some reader takes", () => {
  const read = readMessage(
    lines(
      "Content-Type: application/pdf; name=a.pdf",
      "Content-Disposition: attachment; filename=b.pdf; filename*=utf-8''c%2Eexe",
      "",
      "x",
    ),
  );
  assert.equal(read?.attachments[0]?.filename, "b.pdf / c.exe / a.pdf");
});

const DOUBTS = [
  [['From: "boss@bank.example" <me@x.example>'], /reads boss@bank.example/, "another as its name"],
  [["From: =?utf-8?q?boss=40bank.example?= <me@x.example>"], /reads boss@/, "the same, encoded"],
  [["From: a@x.example, b@x.example"], /names 2 senders/, "two senders"],
  [["Subject: x", "", "begin 644 a.exe", "M"], /uuencode/, "a file in the text"],
  [["Content-Type: application/ms-tnef", "", "x"], /TNEF/, "a container"],
  [["Content-Type: text/calendar; name=a", "", "x"], /calendar/, "an invitation"],
] as const;
for (const [text, doubt, why] of DOUBTS) {
  test(`a person is told to look twice: ${why}`, () => {
    assert.match(readMessage(lines(...text, "", "x"))?.doubts.join("; ") ?? "", doubt);
  });
}

const REFUSED = [
  [lines("To: a@example.org", "no header", "", "x"), "a line that is no header: it may end them"],
  [lines("To : a@example.org", "", "x"), "a space before the colon"],
  [lines(" To: a@example.org", "", "x"), "it begins with a folded line"],
  [Buffer.from("To: a@example.org\rBcc: b@example.org\n\nx"), "a bare carriage return"],
  [Buffer.from("To: a@example.org\0\n\nx"), "a zero byte"],
  [lines("Content-Type: text/plain", "Content-Type: text/html", "", "x"), "two types"],
  [lines("Content-Transfer-Encoding: x-uuencode", "", "x"), "an encoding that is not read"],
  [lines("Content-Transfer-Encoding: base64", "", "a*b"), "base 64 that is none"],
  [lines("Content-Transfer-Encoding: base64", "", "YWI"), "base 64 that ends early for some"],
  [lines("Content-Disposition: inline", "Content-Disposition: attachment", "", "x"), "two places"],
  [lines("Subject: a", " ", "Bcc: b@example.org", "", "x"), "a line of blanks, which ends headers"],
  [lines("Subject: =?utf-7?q?+ADw-?=", "", "x"), "a word in a charset that few know"],
  [lines("Subject: =?utf-8?b?YQ?=", "", "x"), "a word that is decoded in two ways"],
  [lines("Content-Type: text/html; charset=utf-7", "", "+ADw-b+AD4-"), "a charset that few know"],
  [lines("Content-Type: text/html", "", "\u00e9"), "bytes beyond ASCII in no charset"],
  [
    lines("Content-Type: multipart/mixed; boundary=a; boundary=b", "", "--a", "", "x", "--a--"),
    "two boundaries",
  ],
  [
    lines("Content-Type: multipart/mixed; boundary*0=a", "", "--a", "", "x", "--a--"),
    "a boundary in pieces",
  ],
  [
    lines("Content-Type: multipart/mixed (x); boundary=a junk", "", "--a", "", "x", "--a--"),
    "junk among parameters",
  ],
  [
    lines(
      "Content-Type: multipart/mixed; boundary=a",
      "Content-Transfer-Encoding: base64",
      "",
      "--a",
      "",
      "x",
      "--a--",
    ),
    "parts that some decode first",
  ],
  [
    lines(...Array.from({ length: 1001 }, () => "a: b"), "", "x"),
    "more fields than anybody writes",
  ],
  [
    lines(...Array.from({ length: 300 }, () => `a: ${"b".repeat(900)}`), "", "x"),
    "a header too long",
  ],
  [
    lines(
      "Content-Type: multipart/mixed; boundary=b",
      "",
      ...Array.from({ length: 300 }, () => "--b\r\n\r\nx"),
      "--b--",
    ),
    "more parts than anybody writes",
  ],
  [lines("Content-Type: text/html x", "", "<b>x</b>"), "a type with something behind it"],
  [lines("Content-Type: html", "", "<b>x</b>"), "a type that is none"],
  [lines("Content-Type:", "", "<b>x</b>"), "no type"],
  [lines("Content-Disposition: attachment x", "", "x"), "a disposition that is none"],
  [lines("Content-Type: message/partial; id=a; number=1; total=2", "", "x"), "half of a message"],
  [lines("Content-Type: message/external-body; access-type=url", "", "x"), "a text from elsewhere"],
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
