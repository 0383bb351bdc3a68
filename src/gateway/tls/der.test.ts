import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createPublicKey, generateKeyPairSync, sign, X509Certificate } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import * as der from "./der.ts";

const CASES: readonly (readonly [Buffer, string, string])[] = [
  [der.integer(0n), "020100", "zero has one byte"],
  [der.integer(127n), "02017f", "the greatest of one byte"],
  [der.integer(128n), "02020080", "a leading zero keeps it positive"],
  [der.integer(256n), "02020100", "two bytes"],
  [der.boolean(true), "0101ff", "true is 255 (X.690, 11.1)"],
  [der.namedBits(0), "03020780", "bit 0, seven unused"],
  [der.namedBits(5), "03020204", "bit 5, two unused"],
  [der.bitString(Buffer.from([1])), "03020001", "no unused bits"],
  [der.octetString(Buffer.alloc(127)).subarray(0, 3), "047f00", "short length"],
  [der.octetString(Buffer.alloc(128)).subarray(0, 4), "04818000", "long length, one byte"],
  [der.octetString(Buffer.alloc(256)).subarray(0, 5), "0482010000", "long length, two bytes"],
  [der.objectIdentifier("1.2.840.10045.4.3.2"), "06082a8648ce3d040302", "ecdsa-with-SHA256"],
  [der.objectIdentifier("2.5.29.17"), "0603551d11", "subjectAltName"],
  [der.time(Date.UTC(2049, 11, 31, 23, 59, 59)), "170d3439313233313233353935395a", "UTCTime"],
  [der.time(Date.UTC(2050, 0, 1)), "180f32303530303130313030303030305a", "GeneralizedTime"],
  [der.explicit(3, der.sequence()), "a3023000", "around a value"],
  [der.implicit(2, Buffer.from("a")), "820161", "in place of a tag"],
];
for (const [bytes, hex, why] of CASES) {
  test(`DER ${hex}: ${why}`, () => assert.equal(bytes.toString("hex"), hex));
}

for (const [name, make] of [
  ["a negative integer", () => der.integer(-1n)],
  ["a bit beyond the first byte", () => der.namedBits(8)],
  ["no bits", () => der.namedBits()],
  ["the year 10000", () => der.time(Date.UTC(10_000, 0, 1))],
] as const) {
  test(`${name} is a bug of ours`, () => assert.throws(make, { name: "InvariantError" }));
}

test("what is written, Node's X.509 reader reads back", () => {
  const { privateKey: key } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
  const spki = createPublicKey(key).export({ type: "spki", format: "der" });
  const algorithm = der.sequence(der.objectIdentifier("1.2.840.10045.4.3.2"));
  const times = fc.integer({ min: Date.UTC(1971, 0, 1) / 1000, max: Date.UTC(2200, 0, 1) / 1000 });
  const property = fc.property(
    fc.bigInt({ min: 1n, max: 2n ** 159n - 1n }),
    fc.string({
      minLength: 1,
      maxLength: 64,
      unit: fc.constantFrom("a", "Z", " ", "0", "é", "字"),
    }),
    times,
    times,
    fc.uint8Array({ maxLength: 2000 }),
    (serial, commonName, from, until, bytes) => {
      const name = der.sequence(
        der.set(der.sequence(der.objectIdentifier("2.5.4.3"), der.utf8String(commonName))),
      );
      const extension = der.sequence(der.objectIdentifier("1.2.3.4"), der.octetString(bytes));
      const toSign = der.sequence(
        der.explicit(0, der.integer(2n)),
        der.integer(serial),
        algorithm,
        name,
        der.sequence(der.time(from * 1000), der.time(until * 1000)),
        name,
        spki,
        der.explicit(3, der.sequence(extension)),
      );
      const raw = der.sequence(toSign, algorithm, der.bitString(sign("sha256", toSign, key)));
      const read = new X509Certificate(raw);
      assert.equal(BigInt(`0x${read.serialNumber}`), serial);
      assert.equal(read.validFromDate.getTime(), from * 1000);
      assert.equal(read.validToDate.getTime(), until * 1000);
      assert.equal(read.toLegacyObject().subject.CN, commonName);
      assert.ok(read.verify(createPublicKey(key)));
      assert.ok(read.raw.equals(raw), "it is written again byte for byte");
    },
  );
  fc.assert(property, { numRuns: 100 });
});

test("OpenSSL's parser reads the same lengths", () => {
  const sizes = [0, 1, 127, 128, 255, 256, 65_535, 65_536];
  const raw = der.sequence(...sizes.map((size) => der.octetString(Buffer.alloc(size))));
  const listing = execFileSync("openssl", ["asn1parse", "-inform", "DER"], { input: raw });
  const lengths = [...listing.toString().matchAll(/l= *(\d+) prim: OCTET/g)].map(([, n]) =>
    Number(n),
  );
  assert.deepEqual(lengths, sizes);
});
