import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { before, test } from "node:test";
import fc from "fast-check";
import { ledgerHome, sampleEvent } from "../../test/support/ledger.ts";
import { showProof, verifyInclusion, verifyProof, withholdEntry } from "./index.ts";

let proof = "";
let key = "";
let other = "";
before(async (t) => {
  assert.ok("after" in t);
  const ledger = await ledgerHome(t).open();
  for (let n = 0; n < 300; n += 1) await ledger.append(sampleEvent(n));
  [proof, other, key] = [await ledger.prove(257), await ledger.prove(258), ledger.verifierKey];
  await ledger.close();
});

test("the proof of an entry holds and says which log, where, and how large", () => {
  const { event, origin, ...rest } = verifyProof(proof, key);
  assert.deepEqual(rest, { seq: 257, size: 300 });
  assert.deepEqual(event, sampleEvent(257));
  assert.match(origin, /^cofferdam\.local\/log-/);
});

test("a proof taken apart leads step by step to the signed root, and one that does not hold is not taken apart", () => {
  const { leaf, steps, root, checkpoint, seq, size } = showProof(proof, key);
  assert.deepEqual({ seq, size }, { seq: 257, size: 300 });
  const hash = (...parts: readonly Buffer[]) =>
    createHash("sha256").update(Buffer.concat(parts)).digest();
  let node = leaf;
  for (const { sibling, side, node: told } of steps) {
    const pair = side === "left" ? [sibling, node] : [node, sibling];
    node = hash(Buffer.from([1]), ...pair); // RFC 9162, 2.1.1
    assert.deepEqual(told, node);
  }
  assert.deepEqual(node, root);
  assert.equal(checkpoint.split("\n")[2], root.toString("base64"));
  assert.ok(proof.endsWith(checkpoint));
  const moved = proof.replace("index 257", "index 258");
  assert.throws(() => showProof(moved, key), { code: "ledger.proof" });
});

const lineOf = (text: string, n: number): string => text.split("\n")[n] ?? "";
const BAD: readonly (readonly [() => string, string])[] = [
  [() => "", "nothing"],
  [() => proof.replace("@v1", "@v2"), "another format"],
  [() => proof.replace("index 257", "index 258"), "another place"],
  [() => proof.replace("index 257", "index 0257"), "a number with a leading zero"],
  [() => proof.replace("index 257", "index 9007199254740993"), "a number that is not exact"],
  [() => proof.replace(lineOf(proof, 1), lineOf(other, 1)), "another entry"],
  [() => proof.replace(/^extra .*\n/m, ""), "no entry"],
  [() => proof.replace(`${lineOf(proof, 3)}\n`, ""), "a hash less"],
  [() => proof.replace(lineOf(proof, 3), lineOf(proof, 4)), "a hash twice"],
  [() => proof.replace(lineOf(proof, 3), "AAAA"), "a hash of three bytes"],
  [() => proof.replace("\n\n", `\n${`${lineOf(proof, 3)}\n`.repeat(60)}\n`), "too many hashes"],
];
for (const [make, why] of BAD) {
  test(`fault ledger.proof: ${why}`, () =>
    assert.throws(() => verifyProof(make(), key), { code: "ledger.proof" }));
}

test("fault ledger.note: a proof under another key, or with another checkpoint", () => {
  const [name = ""] = key.split("+");
  const foreign = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
  assert.throws(() => verifyProof(proof, foreign), { code: "ledger.note" });
  const larger = proof.replace(`${name}\n300\n`, `${name}\n301\n`);
  assert.throws(() => verifyProof(larger, key), { code: "ledger.note" });
});

test("any change of a proof's text is refused", () => {
  const change = fc.tuple(fc.nat(10_000), fc.string({ maxLength: 3, unit: "binary" }));
  const property = fc.property(change, ([at, text]) => {
    const place = at % proof.length;
    const changed = proof.slice(0, place) + text + proof.slice(place + 1);
    if (changed !== proof) assert.throws(() => verifyProof(changed, key), { name: "Fault" });
  });
  fc.assert(property, { numRuns: 150 });
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      assert.throws(() => verifyProof(`c2sp.org/tlog-proof@v1\n${text}`, key), { name: "Fault" });
    }),
  );
});

test("a proof whose entry is withheld shows that the entry is there, and nothing of what it says", () => {
  const { proof: text, leaf } = withholdEntry(proof);
  assert.doesNotMatch(text, /extra/);
  assert.ok(!text.includes(lineOf(proof, 1).slice(6)));
  const { seq, size } = verifyInclusion(text, leaf, key);
  assert.deepEqual({ seq, size }, { seq: 257, size: 300 });
  const { leaf: another } = withholdEntry(other);
  for (const wrong of [another, "", "AAAA", `${leaf}=`]) {
    assert.throws(() => verifyInclusion(text, wrong, key), { code: "ledger.proof" }, wrong);
  }
  assert.throws(() => withholdEntry(text), { code: "ledger.proof" });
});
