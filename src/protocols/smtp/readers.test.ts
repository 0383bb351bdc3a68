/**
 * Other readers of mail beside ours: whatever is sent, none of them finds somebody in its header, or HTML in its
 * text, of which the person who decided was not told.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import fc from "fast-check";
import type { Json } from "../../action/index.ts";
import { smtp, smtpOptions } from "./index.ts";

const options = smtpOptions.parse({ from: ["*@sender.example"] }) as Json;
const ENVELOPE = { from: "me@sender.example", recipients: ["ann@client.example"] };

/** Python's two readers: what each finds beside what is told, a line each. One that breaks finds nothing. */
const PYTHON = `
import base64, email, email.policy, email.utils, json, sys
for case in json.load(sys.stdin):
    raw = base64.b64decode(case["bytes"])
    for policy in (email.policy.default, email.policy.compat32):
        try:
            message = email.message_from_bytes(raw, policy=policy)
            for name in ("from", "to", "sender", "reply-to"):
                fields = message.get_all(name, [])
                if policy is email.policy.default:
                    found = [one.addr_spec for field in fields for one in getattr(field, "addresses", (getattr(field, "address", None),)) if one]
                else:
                    found = [one for _, one in email.utils.getaddresses([str(field) for field in fields])]
                for one in found:
                    if "@" in one and one != "@" and one not in case["told"][name]:
                        print(name, one, raw)
            html = [part for part in message.walk() if part.get_content_type() == "text/html" and str(part.get_payload()).strip()]
            if html and not case["html"]:
                print("html", raw)
        except Exception:
            pass
`;

test("fuzz: Python's readers find nobody and no HTML in what is sent that the card has not", () => {
  const piece = fc.constantFrom(
    ...["me@sender.example", "boss@bank.example", "<me@sender.example>", "<boss@bank.example>"],
    ...['"a"', '"boss@bank.example"', "(c)", "(", ")", ",", ";", ":", " ", "\r\n ", "\r\n\t", "x"],
    ...["=?utf-8?q?x?=", "=?utf-8?q?boss=40bank.example?=", "=?utf-8?b?LA==?=", "\\", '"', "@"],
    ...["<", ">", ".", "[", "]"],
  );
  const people = fc.array(piece, { maxLength: 5 }).map((list) => list.join(""));
  const line = fc.constantFrom(
    ...["Subject: s", "Content-Type: text/html", "Content-Type: multipart/mixed; boundary=b"],
    ...["--b", "--b--", "", "text", 'Content-Type: text/plain; charset="utf-8"; name="a.html"'],
    ...["Content-Transfer-Encoding: quoted-printable", "a=3Db=", "Content-Type: message/rfc822"],
    ...["Sender: me@sender.example", "Reply-To: boss@bank.example <me@sender.example>"],
    ...["Content-Type: TEXT/HTML; charset=us-ascii", "Content-Type: text/plain (text/html)"],
  );
  const cases: object[] = [];
  const property = fc.property(people, people, fc.array(line, { maxLength: 10 }), (...found) => {
    const [from, to, lines] = found;
    const body = Buffer.from(`From: ${from}\r\nTo: ${to}\r\n${lines.join("\r\n")}\r\n`, "latin1");
    const place = { host: "h.example", port: 587, options, body };
    const { verb, fields } = smtp.describe(ENVELOPE, place);
    if (verb !== "send") return;
    const mail = fields["mail"] as unknown as {
      readonly from: readonly string[];
      readonly to: readonly string[];
      readonly sender: readonly string[];
      readonly replyTo: readonly string[];
      readonly html: string;
      readonly more: readonly { readonly contentType: string }[];
      readonly doubts: readonly string[];
    };
    const isTold = mail.doubts.includes("it carries a message that cannot be read");
    cases.push({
      bytes: body.toString("base64"),
      told: { from: mail.from, to: mail.to, sender: mail.sender, "reply-to": mail.replyTo },
      html: isTold || mail.html !== "" || mail.more.some((one) => one.contentType === "text/html"),
    });
  });
  fc.assert(property, { numRuns: 150_000 });
  assert.ok(cases.length > 50, `${cases.length} are sent`);
  const found = execFileSync("python3", ["-c", PYTHON], {
    input: JSON.stringify(cases),
    encoding: "utf8",
  });
  assert.equal(found, "");
});
