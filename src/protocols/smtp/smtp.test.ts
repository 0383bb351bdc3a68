import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import PostalMime from "postal-mime";
import { UNKNOWN_VERB, type Json } from "../../action/index.ts";
import { flawsOfMail, smtp, smtpOptions } from "./index.ts";

const options = smtpOptions.parse({ from: ["*@sender.example"] }) as Json;
const PLACE = { host: "smtp.example.com", port: 587, options };
const ENVELOPE = { from: "me@sender.example", recipients: ["ann@client.example"] };
const bytes = (...lines: readonly string[]) => Buffer.from(`${lines.join("\r\n")}\r\n`, "latin1");
const HEAD = ["From: me@sender.example", "To: ann@client.example", "Subject: s"];

test("a mail is described with everyone it reaches, each a part, and with all of it for its card", () => {
  const body = bytes(...HEAD, "Cc: carl@client.example", "", "Hello.");
  const recipients = ["ann@client.example", "bob@partner.example"];
  const described = smtp.describe({ ...ENVELOPE, recipients }, { ...PLACE, body });
  assert.equal(described.verb, "send");
  assert.equal(described.target, "smtp://smtp.example.com:587");
  assert.equal(
    described.summary,
    'Send the mail "s" from me@sender.example to ann@client.example and 1 more',
  );
  assert.deepEqual(
    described.parts?.map(({ object }) => object),
    [
      ["ann", "client.example"],
      ["bob", "partner.example"],
    ],
  );
  assert.deepEqual(described.impact, { recipients, reversible: false });
  const { envelope } = described.fields["mail"] as { envelope: Json };
  assert.deepEqual(envelope, {
    from: "me@sender.example",
    recipients: [
      { address: "ann@client.example", named: "To" },
      { address: "bob@partner.example", named: "" },
    ],
    unreached: ["carl@client.example  Cc"],
  });
});

test("each flaw has the rule that it breaks, and the same operation is unknown", () => {
  const rules = [
    [{ ...ENVELOPE, from: "me@bank.example" }, bytes(...HEAD, "", "x"), "smtp.from"],
    [{ ...ENVELOPE, recipients: ["a b@x.example"] }, bytes(...HEAD, "", "x"), "smtp.mailbox"],
    [ENVELOPE, bytes("From: boss@bank.example", "", "x"), "smtp.from"],
    [ENVELOPE, bytes(...HEAD, "Bcc: a@b.example", "", "x"), "smtp.header"],
    [ENVELOPE, bytes(...HEAD, "", "x\ny"), "smtp.line_ends"],
    [ENVELOPE, bytes(...HEAD, "", "x".repeat(999)), "smtp.line"],
    [ENVELOPE, bytes(...HEAD, "Content-Type: multipart/mixed", "", "x"), "smtp.message"],
    [ENVELOPE, undefined, "smtp.message"],
  ] as const;
  for (const [operation, body, rule] of rules) {
    const around = { ...PLACE, body };
    assert.deepEqual(
      flawsOfMail(operation, around).map((one) => one.rule),
      [rule],
    );
    const { verb, parts, effects } = smtp.describe(operation, around);
    assert.deepEqual([verb, parts, effects], [UNKNOWN_VERB, undefined, ["send"]]);
  }
});

test("an envelope is written as FROM -> TO, TO, and nothing else is taken for one", () => {
  assert.deepEqual(smtp.operationOf("a@x -> b@y, c@z"), {
    from: "a@x",
    recipients: ["b@y", "c@z"],
  });
  for (const text of ["", "a@x", "a@x -> b@y -> c@z"])
    assert.throws(() => smtp.operationOf(text), { code: "protocols.operation" });
});

test("identities and patterns are addresses or whole domains, in canonical form", () => {
  const read = (from: string) => smtpOptions.safeParse({ from: [from] }).data?.from[0];
  assert.equal(read("Me@Sender.Example"), "Me@sender.example");
  assert.equal(read("*@Sender.Example"), "*@sender.example");
  for (const odd of [
    "*",
    "*@*",
    "*@*.example",
    "m*@sender.example",
    "@sender.example",
    "sender.example",
  ])
    assert.equal(read(odd), undefined, odd);
  assert.equal(smtpOptions.safeParse({}).success, false, "somebody must be named");
  assert.equal(smtpOptions.safeParse({ from: ["a@b.c"], per_day: 3 }).success, false);
});

test("fuzz: any operation and bytes are described, and only what has no flaw is a send", () => {
  const address = fc.oneof(fc.constant("me@sender.example"), fc.string({ maxLength: 20 }));
  const operation = fc.oneof(
    fc.record({ from: address, recipients: fc.array(address, { maxLength: 3 }) }),
    fc.jsonValue() as fc.Arbitrary<Json>,
  );
  const line = fc.oneof(
    fc.constantFrom(
      ...HEAD,
      "",
      "Bcc: x@y.example",
      "Content-Type: multipart/mixed; boundary=b",
      "--b",
      "--b--",
    ),
    fc.string({ maxLength: 30 }),
  );
  const property = fc.property(operation, fc.array(line, { maxLength: 12 }), (one, lines) => {
    const around = { ...PLACE, body: bytes(...lines) };
    const { verb, parts = [], impact } = smtp.describe(one, around);
    assert.equal(verb === "send", flawsOfMail(one, around).length === 0);
    if (verb === "send") assert.equal(parts.length, impact?.recipients?.length);
  });
  fc.assert(property, { numRuns: 2000 });
});

test("fuzz: another reader of MIME finds nobody and no file in what is sent that the card has not", async () => {
  const line = fc.constantFrom(
    ...[
      "Cc: bob@x.example",
      "Cc: Bob <bob@x.example>,",
      " carl@x.example",
      "Reply-To: r@x.example",
      "",
    ],
    ...["MIME-Version: 1.0", "Content-Type: multipart/mixed; boundary=b", "--b", "--b--", "text"],
    ...["Content-Type: text/html", "Content-Type: application/pdf; name=a.pdf", "<p>x</p>", "=3D"],
    ...[
      "Content-Transfer-Encoding: base64",
      "aGVsbG8=",
      "Content-Transfer-Encoding: quoted-printable",
    ],
    ...[
      "Content-Disposition: attachment; filename=b.bin",
      "Subject: =?utf-8?q?a=2C?=",
      "Content-Type: message/rfc822",
    ],
  );
  let read = 0;
  const property = fc.asyncProperty(fc.array(line, { maxLength: 14 }), async (lines) => {
    const body = bytes("From: me@sender.example", "To: ann@client.example", ...lines);
    const { verb, fields } = smtp.describe(ENVELOPE, { ...PLACE, body });
    if (verb !== "send") return;
    read += 1;
    const mail = fields["mail"] as unknown as {
      readonly to: string[];
      readonly cc: string[];
      readonly replyTo: string[];
      readonly attachments: { sha256: string }[];
      readonly more: { contentType: string }[];
      readonly html: string;
      readonly doubts?: string[];
      readonly subject: string;
    };
    const other = await PostalMime.parse(body, { attachmentEncoding: "arraybuffer" });
    const addresses = (list: typeof other.to) => (list ?? []).flatMap((one) => one.address ?? []);
    for (const [ours, theirs] of [
      [mail.to, other.to],
      [mail.cc, other.cc],
      [mail.replyTo, other.replyTo],
    ] as const) {
      const unseen = addresses(theirs).filter((one) => !ours.includes(one));
      assert.deepEqual(unseen, [], body.toString());
    }
    // A message within that cannot be read is told as that: what another reader makes of it is its own.
    if (mail.doubts?.some((doubt) => doubt.includes("cannot be read")) === true) return;
    const hasHtml = mail.html !== "" || mail.more.some((one) => one.contentType === "text/html");
    assert.ok(hasHtml || (other.html ?? "").trim() === "", body.toString());
    assert.equal((other.subject ?? "").trim(), mail.subject.trim());
    const files = mail.attachments.length + mail.more.length;
    assert.ok(other.attachments.length <= files, body.toString());
  });
  await fc.assert(property, { numRuns: 3000 });
  assert.ok(read > 200, `${read}`);
});
