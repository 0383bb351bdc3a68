import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { test } from "node:test";
import { findAttached } from "./attached.ts";

const FILE = Buffer.from([0x25, 0x50, 0x44, 0x46, 0, 255]);
const SUM = hash("sha256", FILE);
const MESSAGE = Buffer.from(
  [
    "From: me@x.example",
    "To: ann@x.example",
    "Subject: s",
    'Content-Type: multipart/mixed; boundary="b"',
    "",
    "--b",
    "",
    "Hello",
    "--b",
    'Content-Type: application/pdf; name="a.pdf"',
    "Content-Transfer-Encoding: base64",
    "",
    FILE.toString("base64"),
    "--b--",
    "",
  ].join("\r\n"),
);
const json = (value: object) => Buffer.from(JSON.stringify(value));

for (const [where, body] of [
  ["a message as it is sent over SMTP", MESSAGE],
  ["a message in base64url, as Gmail takes it", json({ raw: MESSAGE.toString("base64url") })],
  [
    "a member of a list, as APIs of senders take it",
    json({ attachments: [{ content: FILE.toString("base64") }] }),
  ],
  ["the body itself", FILE],
] as const) {
  test(`the bytes of a file are found in ${where}`, () => {
    assert.deepEqual(Buffer.from(findAttached(body, SUM) ?? []), FILE);
    assert.equal(findAttached(body, hash("sha256", "another")), undefined);
  });
}
