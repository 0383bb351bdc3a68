import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createRedactor, redactText } from "./redactor.ts";
import { spellingsOf } from "./spellings.ts";

const SECRET = "sk-live-0123456789/abcdef+&<é>";

function scan(content: Buffer, cuts: readonly number[], secrets: readonly string[] = [SECRET]) {
  const redactor = createRedactor(secrets);
  const out: Buffer[] = [];
  let at = 0;
  for (const cut of [...cuts].sort((a, b) => a - b)) {
    out.push(redactor.push(content.subarray(at, cut)));
    at = Math.max(at, cut);
  }
  out.push(redactor.push(content.subarray(at)), redactor.end());
  return { text: Buffer.concat(out), found: redactor.found };
}

test("INV-55: every spelling of a secret is redacted, in as many bytes", () => {
  for (const spelling of spellingsOf(SECRET)) {
    const content = Buffer.concat([Buffer.from('{"echo":"'), spelling, Buffer.from('"}')]);
    const { text, found } = scan(content, []);
    assert.equal(text.length, content.length);
    assert.equal(found, 1);
    assert.match(text.toString("latin1"), /^\{"echo":"\[redacted\]\*+"\}$/);
  }
});

test("INV-55: a Basic header that a server echoes is redacted", () => {
  const pair = `editor:${SECRET}`;
  const echoed = `Authorization: Basic ${Buffer.from(pair).toString("base64")}`;
  const redacted = redactText(echoed, [SECRET, pair]);
  assert.match(redacted, /^Authorization: Basic \[redacted\]\*+$/);
  const whose = redactText(Buffer.from(`somebody:${SECRET}`).toString("base64"), [SECRET, pair]);
  assert.ok(!Buffer.from(whose, "base64").toString().includes("live"), "under any user");
});

test("INV-55: no secret remains, for any secret, spelling and cutting", () => {
  const secrets = fc.oneof(
    fc.string({ minLength: 8, maxLength: 40 }),
    fc.string({ minLength: 8, maxLength: 12, unit: fc.constantFrom("a", "b") }),
    fc.constantFrom("********", "[redacted]", "redacted", "]abcdefg[", "%41%42%43%44", "########"),
  );
  const property = fc.property(
    fc.array(secrets, { minLength: 1, maxLength: 3 }),
    fc.array(
      fc.oneof(
        fc.nat(1000),
        fc.string({ maxLength: 6, unit: fc.constantFrom("a", "b", "*", "[", "]") }),
      ),
      { maxLength: 12 },
    ),
    fc.array(fc.nat(400), { maxLength: 12 }),
    // Short pieces and long ones are looked through in two ways.
    fc.constantFrom(0, 2000),
    (all, pieces, cuts, before) => {
      const patterns = all.flatMap(spellingsOf);
      const content = Buffer.concat([
        Buffer.alloc(before, "."),
        ...pieces.map((piece) =>
          typeof piece === "string"
            ? Buffer.from(piece)
            : (patterns[piece % patterns.length] ?? Buffer.alloc(0)),
        ),
      ]);
      const { text, found } = scan(
        content,
        cuts.map((cut) => Math.min(before + cut, content.length)),
        all,
      );
      assert.equal(text.length, content.length, "the announced length holds");
      for (const pattern of patterns)
        assert.ok(!text.includes(pattern), `${pattern.toString()} remains`);
      const wasThere = patterns.some((pattern) => content.includes(pattern));
      assert.equal(found > 0, wasThere, "and it tells that it did");
    },
  );
  fc.assert(property, { numRuns: 2000 });
});

test("what holds no secret passes unchanged, at once, but for what may begin one", () => {
  const redactor = createRedactor([SECRET]);
  assert.equal(redactor.push(Buffer.from("data: hello\n\n")).toString(), "data: hello\n\n");
  assert.equal(redactor.push(Buffer.from("data: sk-live-")).toString(), "data: ");
  assert.equal(redactor.push(Buffer.from("stream\n")).toString(), "sk-live-stream\n");
  assert.equal(redactor.end().toString() + String(redactor.found), "0");
});

test("a benign twin of any content and cutting passes byte for byte", () => {
  const property = fc.property(
    fc.uint8Array({ maxLength: 300 }),
    fc.array(fc.nat(300)),
    (bytes, cuts) => {
      const content = Buffer.from(bytes);
      if (spellingsOf(SECRET).some((one) => content.includes(one))) return;
      const { text, found } = scan(
        content,
        cuts.map((cut) => Math.min(cut, content.length)),
      );
      assert.deepEqual([text, found], [content, 0]);
    },
  );
  fc.assert(property);
});

test("no secrets, nothing to do", () => {
  assert.equal(redactText("anything", []), "anything");
});
