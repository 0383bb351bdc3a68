import assert from "node:assert/strict";
import { generateKeyPairSync, sign } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { createSigner, openCheckpoint, parseVerifierKey, signCheckpoint } from "./note.ts";

const { privateKey } = generateKeyPairSync("ed25519");
const signer = createSigner("log.example/a", privateKey);
const root = Buffer.alloc(32, 7);
const note = signCheckpoint({ size: 42, root }, signer);
const rename = (text: string) => text.replaceAll("log.example/a", "log.example/b");

test("the verifier key of signed-note's own documentation is read, and written the same", () => {
  const text = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
  const key = parseVerifierKey(`${text}\n`);
  assert.equal(key.text, text);
  assert.equal(key.name, "PeterNeumann");
});

test("a signed checkpoint opens with its key", () => {
  const opened = openCheckpoint(note, signer.verifier);
  assert.deepEqual(opened, { origin: "log.example/a", size: 42, root });
});

test("signatures of others beside ours, a witness's for one, are no hindrance", () => {
  const witness = createSigner("witness.example", generateKeyPairSync("ed25519").privateKey);
  const [, line = ""] = signCheckpoint({ size: 42, root }, witness).split("\n\n");
  assert.equal(openCheckpoint(note + line, signer.verifier).size, 42);
});

const other = createSigner("log.example/a", generateKeyPairSync("ed25519").privateKey);
/** A checkpoint with our signature, under our name, over another log's text. */
function signForeign(): string {
  const body = note.slice(0, note.indexOf("\n\n") + 1).replace("log.example/a", "log.example/b");
  const signature = sign(null, Buffer.from(body), privateKey);
  const blob = Buffer.concat([signer.verifier.id, signature]).toString("base64");
  return `${body}\n\u2014 log.example/a ${blob}\n`;
}
const BAD: readonly (readonly [string, string])[] = [
  ["", "nothing"],
  [note.replace("\n42\n", "\n43\n"), "another size under the same signature"],
  [note.replace("log.example/a\n", "log.example/b\n"), "another log's name"],
  [signForeign(), "another log's checkpoint, signed by us"],
  [rename(note), "another log's name throughout"],
  [signCheckpoint({ size: 42, root }, other), "the same name, another key"],
  [note.split("\n\n")[0] ?? "", "no signature"],
  [note.slice(0, -1), "no newline at the end"],
  [note.replace("\u2014 ", "- "), "no signature line"],
  [note.replace(/\S+\n$/, "AAAA\n"), "a signature of no length"],
  [note + "\u2014 w AAAAAAAA\n".repeat(100), "more signatures than anyone needs"],
  [signCheckpoint({ size: 42, root: Buffer.alloc(31) }, signer), "a root of 31 bytes"],
  [signCheckpoint({ size: -1, root }, signer), "a size that is none"],
  [signCheckpoint({ size: 2 ** 53, root }, signer), "a size beyond what is counted exactly"],
];
for (const [text, why] of BAD) {
  test(`fault ledger.note: ${why}`, () =>
    assert.throws(() => openCheckpoint(text, signer.verifier), { code: "ledger.note" }));
}

const BAD_KEYS = [
  ["", "nothing"],
  [signer.verifier.text.replace(/\+.{8}\+/, "+00000000+"), "an id of another key"],
  [rename(signer.verifier.text), "a name that the id does not fit"],
  ["a b+00000000+AQ==", "a name with a space"],
  [`${signer.verifier.text}AA`, "a key that is too long"],
  ["PeterNeumann+c74f20a3+ApLc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", "an ECDSA key"],
] as const;
for (const [text, why] of BAD_KEYS) {
  test(`fault ledger.note: a verifier key with ${why}`, () =>
    assert.throws(() => parseVerifierKey(text), { code: "ledger.note" }));
}

test("fault ledger.note: no log has a name with a space, and ECDSA signs no checkpoint", () => {
  assert.throws(() => createSigner("a b", privateKey), { code: "ledger.note" });
  const ec = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
  assert.throws(() => createSigner("a", ec), { code: "ledger.note" });
});

test("any change of any character of a checkpoint is refused", () => {
  const change = fc.tuple(fc.nat(note.length - 1), fc.string({ maxLength: 2, unit: "binary" }));
  const property = fc.property(change, ([place, text]) => {
    const changed = note.slice(0, place) + text + note.slice(place + 1);
    if (changed === note) return;
    assert.throws(() => openCheckpoint(changed, signer.verifier), { code: "ledger.note" });
  });
  fc.assert(property, { numRuns: 150 });
  const anything = fc.oneof(fc.string(), fc.string({ unit: "binary" }));
  fc.assert(
    fc.property(anything, (text) => {
      assert.throws(() => openCheckpoint(text, signer.verifier), { code: "ledger.note" });
      assert.throws(() => parseVerifierKey(text), { code: "ledger.note" });
    }),
  );
});
