import assert from "node:assert/strict";
import { createHash, generateKeyPairSync, sign } from "node:crypto";
import { test } from "node:test";
import { verifyProof } from "./proof.ts";

const NAME = "test.example/log";
const { publicKey, privateKey } = generateKeyPairSync("ed25519");
const raw = Buffer.from(publicKey.export({ format: "jwk" }).x ?? "", "base64url");
const typed = Buffer.concat([Buffer.of(1), raw]);
const keyId = hash(Buffer.from(`${NAME}\n`), typed).subarray(0, 4);
const KEY = `${NAME}+${keyId.toString("hex")}+${typed.toString("base64")}`;

function hash(...parts: readonly Buffer[]): Buffer {
  return createHash("sha256").update(Buffer.concat(parts)).digest();
}

/** RFC 9162, 2.1.1: the definition, not the algorithm that is under test. */
function root(leaves: readonly Buffer[]): Buffer {
  const [only] = leaves;
  if (leaves.length === 1 && only !== undefined) return hash(Buffer.of(0), only);
  const split = splitOf(leaves.length);
  return hash(Buffer.of(1), root(leaves.slice(0, split)), root(leaves.slice(split)));
}

/** RFC 9162, 2.1.3.1. */
function pathOf(index: number, leaves: readonly Buffer[]): readonly Buffer[] {
  if (leaves.length === 1) return [];
  const split = splitOf(leaves.length);
  const [left, right] = [leaves.slice(0, split), leaves.slice(split)];
  return index < split
    ? [...pathOf(index, left), root(right)]
    : [...pathOf(index - split, right), root(left)];
}

function splitOf(size: number): number {
  let split = 1;
  while (split * 2 < size) split *= 2;
  return split;
}

const entryOf = (seq: number) => ({ seq, type: "denial", rule: `rule ${seq}` });
const leavesOf = (size: number) =>
  Array.from({ length: size }, (_, seq) => {
    const { seq: _seq, ...event } = entryOf(seq);
    return Buffer.from(JSON.stringify(event));
  });

function proofOf(index: number, size: number): string {
  const leaves = leavesOf(size);
  const lines = [
    "c2sp.org/tlog-proof@v1",
    `extra ${(leaves[index] ?? Buffer.alloc(0)).toString("base64")}`,
    `index ${index}`,
    ...pathOf(index, leaves).map((node) => node.toString("base64")),
  ];
  const note = `${NAME}\n${size}\n${root(leaves).toString("base64")}\n`;
  const signature = Buffer.concat([keyId, sign(null, Buffer.from(note), privateKey)]);
  return `${lines.join("\n")}\n\n${note}\n\u2014 ${NAME} ${signature.toString("base64")}\n`;
}

test("the proof of every entry of every tree up to 33 entries holds", () => {
  for (let size = 1; size <= 33; size += 1) {
    for (let index = 0; index < size; index += 1) {
      assert.equal(verifyProof(proofOf(index, size), KEY, entryOf(index)), undefined);
    }
  }
});

test("no line of a proof can be changed, left out or swapped without it showing", () => {
  const proof = proofOf(5, 11);
  const lines = proof.split("\n");
  for (const [at, line] of lines.entries()) {
    if (line === "") continue;
    const flipped = line.replace(/[A-Za-z0-9]/, (char) => (char === "A" ? "B" : "A"));
    const changes = [lines.with(at, flipped), lines.toSpliced(at, 1)];
    for (const changed of changes) {
      const why = verifyProof(changed.join("\n"), KEY, entryOf(5));
      assert.notEqual(why, undefined, `line ${at}: ${line}`);
    }
  }
});

const REFUSED: readonly (readonly [string, () => string | undefined])[] = [
  ["another entry's content", () => verifyProof(proofOf(5, 11), KEY, { ...entryOf(5), rule: "x" })],
  ["another entry's number", () => verifyProof(proofOf(5, 11), KEY, { ...entryOf(5), seq: 6 })],
  ["a key that is not the log's", () => verifyProof(proofOf(5, 11), otherKey(), entryOf(5))],
  ["no proof at all", () => verifyProof("", KEY, entryOf(5))],
];
for (const [what, refused] of REFUSED) {
  test(`a proof is refused for ${what}`, () => assert.notEqual(refused(), undefined));
}

function otherKey(): string {
  const other = generateKeyPairSync("ed25519").publicKey.export({ format: "jwk" }).x ?? "";
  const bytes = Buffer.concat([Buffer.of(1), Buffer.from(other, "base64url")]);
  const id = hash(Buffer.from(`${NAME}\n`), bytes).subarray(0, 4);
  return `${NAME}+${id.toString("hex")}+${bytes.toString("base64")}`;
}
