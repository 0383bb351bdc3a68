import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readMailbox } from "./mailbox.ts";

const READ = [
  ["ann@x.example", "ann@x.example", "as it is written"],
  ["Ann@X.Example", "Ann@x.example", "case counts before the at alone"],
  ["a.b+tag=c@mail.x-1.example", "a.b+tag=c@mail.x-1.example", "tags and labels"],
  ["a@xn--bcher-kva.example", "a@xn--bcher-kva.example", "an international domain in its A-labels"],
  ["root@localhost", "root@localhost", "one label: the grant says whether"],
] as const;
for (const [text, address, why] of READ) {
  test(`${text} is read: ${why}`, () => assert.equal(readMailbox(text)?.address, address));
}

const REFUSED = [
  ["", "nothing"],
  ["ann", "no domain"],
  ["a@b@x.example", "two ats: servers take either"],
  ['"a b"@x.example', "a quoted local part"],
  ['"a@evil.example"@x.example', "an address within quotes"],
  ["user%evil.example@x.example", "a relay may take what follows the percent sign"],
  ["evil.example!user@x.example", "a path of old"],
  ["@relay.example:a@x.example", "a source route"],
  ["a@[127.0.0.1]", "an address literal"],
  ["a@127.0.0.1", "an address"],
  ["a@2130706433", "an address in disguise"],
  ["a@x..example", "an empty label"],
  ["a@x.example.", "a trailing dot"],
  ["a@-x.example", "a label that begins with a hyphen"],
  [".a@x.example", "a dot first"],
  ["a..b@x.example", "two dots"],
  ["a@x.example\r\nRCPT TO:<b@evil.example>", "a command behind it"],
  ["a@x.example\0", "a zero byte"],
  ["a @x.example", "a blank"],
  ["a@x.example SIZE=1", "a parameter"],
  ["\u0430nn@x.example", "a letter of another script that looks the same"],
  ["a@b\u00fccher.example", "a domain beyond ASCII"],
  [`${"a".repeat(65)}@x.example`, "a local part that is too long"],
  [`a@${"a".repeat(64)}.example`, "a label that is too long"],
] as const;
for (const [text, why] of REFUSED) {
  test(`INV-115: ${JSON.stringify(text)} is no mailbox: ${why}`, () =>
    assert.equal(readMailbox(text), undefined));
}

test("fuzz: what is read holds nothing that ends a path, a parameter or a line, and is a fixed point", () => {
  const part = fc.string({
    unit: fc.constantFrom(...'aZ0.-_@%!<>"\\ \r\n:[]'.split("")),
    maxLength: 12,
  });
  const property = fc.property(fc.oneof(part, fc.string(), fc.emailAddress()), (text) => {
    const mailbox = readMailbox(text);
    if (mailbox === undefined) return;
    assert.match(mailbox.address, /^[!-~]+$/);
    assert.doesNotMatch(mailbox.address, /[<>\s"\\%!:,;()[\]]/);
    assert.equal(mailbox.address.split("@").length, 2);
    assert.deepEqual(readMailbox(mailbox.address), mailbox);
  });
  fc.assert(property, { numRuns: 2000 });
});
