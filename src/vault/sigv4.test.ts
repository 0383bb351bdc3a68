/**
 * The examples that AWS publishes: its Signature Version 4 test suite (as smithy-lang/smithy-typescript has it in
 * packages/signature-v4/src/suite.fixture.ts) and the S3 API reference, "Signature Calculations for the Authorization
 * Header: Transferring Payload in a Single Chunk".
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { attach } from "./attach.ts";
import { leaseSigV4 } from "./sigv4.ts";

const SUITE_MS = Date.parse("2015-08-30T12:36:00Z");
const S3_MS = Date.parse("2013-05-24T00:00:00Z");
const SUITE_SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const S3_SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

function suite(sessionToken?: string) {
  const how = {
    kind: "sigv4",
    accessKeyId: "AKIDEXAMPLE",
    region: "us-east-1",
    service: "service",
  } as const;
  const place = { scheme: "https", host: "example.amazonaws.com", port: 443 } as const;
  const attachment = leaseSigV4(how, {
    secretAccessKey: SUITE_SECRET,
    sessionToken,
    place,
    wallMs: SUITE_MS,
  });
  return { credential: "aws", attach: attachment, secrets: [] };
}

function s3(host = "examplebucket.s3.amazonaws.com") {
  const how = {
    kind: "sigv4",
    accessKeyId: "AKIAIOSFODNN7EXAMPLE",
    region: "us-east-1",
    service: "s3",
  } as const;
  const place = { scheme: "https", host, port: 443 } as const;
  const secret = { secretAccessKey: S3_SECRET, sessionToken: undefined, place, wallMs: S3_MS };
  return { credential: "aws", attach: leaseSigV4(how, secret), secrets: [] };
}

type Sent = { method: string; target: string; headers: readonly string[]; body?: Uint8Array };

function authorizationOf(sent: Sent): string {
  const at = sent.headers.findIndex(
    (one, n) => n % 2 === 0 && one.toLowerCase() === "authorization",
  );
  return sent.headers[at + 1] ?? "";
}

const MY =
  "Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;my-header1;x-amz-date, Signature=00";
const MY2 = MY.replace("my-header1", "my-header1;my-header2");
const form = { body: Buffer.from("Param1=value1") };

/** name, method, target, headers, signature, body */
const SUITE: readonly (readonly [
  string,
  string,
  string,
  readonly string[],
  string,
  { body: Buffer }?,
])[] = [
  [
    "get-vanilla",
    "GET",
    "/",
    [],
    "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
  ],
  [
    "post-vanilla",
    "POST",
    "/",
    [],
    "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
  ],
  [
    "get-vanilla-query-order-key-case",
    "GET",
    "/?Param2=value2&Param1=value1",
    [],
    "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
  ],
  [
    "get-vanilla-empty-query-key",
    "GET",
    "/?Param1=value1",
    [],
    "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb",
  ],
  [
    "post-vanilla-query",
    "POST",
    "/?Param1=value1",
    [],
    "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11",
  ],
  [
    "get-vanilla-utf8-query",
    "GET",
    "/?%E1%88%B4=bar",
    [],
    "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04",
  ],
  [
    "get-utf8",
    "GET",
    "/\u1234",
    [],
    "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85",
  ],
  [
    "get-unreserved",
    "GET",
    "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
    [],
    "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f",
  ],
  [
    "get-header-key-duplicate",
    "GET",
    "/",
    ["My-Header1", "value2", "My-Header1", "value2", "My-Header1", "value1", "Authorization", MY],
    "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea",
  ],
  [
    "get-header-value-order",
    "GET",
    "/",
    [
      "my-header1",
      "value4",
      "my-header1",
      "value1",
      "my-header1",
      "value3",
      "my-header1",
      "value2",
      "authorization",
      MY,
    ],
    "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01",
  ],
  [
    "get-header-value-trim",
    "GET",
    "/",
    ["My-Header1", " value1", "My-Header2", ' "a   b   c"', "Authorization", MY2],
    "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
  ],
  [
    "post-header-key-sort",
    "POST",
    "/",
    ["My-Header1", "value1", "Authorization", MY],
    "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c",
  ],
  [
    "post-header-value-case",
    "POST",
    "/",
    ["My-Header1", "VALUE1", "Authorization", MY],
    "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d",
  ],
  [
    "post-x-www-form-urlencoded",
    "POST",
    "/",
    ["Content-Type", "application/x-www-form-urlencoded"],
    "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
    form,
  ],
  [
    "post-x-www-form-urlencoded-parameters",
    "POST",
    "/",
    ["Content-Type", "application/x-www-form-urlencoded; charset=utf8"],
    "1a72ec8f64bd914b0e42e42607c7fbce7fb2c7465f63e3092b3b0d39fa77a6fe",
    form,
  ],
];
for (const [name, method, target, headers, signature, more] of SUITE) {
  test(`AWS's suite: ${name}`, () => {
    const sent = attach({ method, target, headers, ...more }, suite(), "", SUITE_MS);
    assert.match(authorizationOf(sent), new RegExp(`Signature=${signature}$`));
    assert.equal(sent.target, target);
    const count = sent.headers.filter((one) => one.toLowerCase() === "authorization").length;
    assert.equal(count, 1, "the agent's own signature is gone");
  });
}

test("AWS's suite: post-sts-header-before, a session token is sent and signed", () => {
  const token =
    "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==";
  const sent = attach({ method: "POST", target: "/", headers: [] }, suite(token), "", SUITE_MS);
  const signature = "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead";
  assert.match(authorizationOf(sent), new RegExp(`Signature=${signature}$`));
});

const EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const SIGNED = (names: string) =>
  `AWS4-HMAC-SHA256 Credential=AKIAPLACEHOLDER00000/20130524/us-east-1/s3/aws4_request, SignedHeaders=${names}, Signature=00`;
const S3: readonly (readonly [string, Sent, string])[] = [
  [
    "GET Object",
    {
      method: "GET",
      target: "/test.txt",
      headers: [
        "Range",
        "bytes=0-9",
        "x-amz-content-sha256",
        EMPTY,
        "Authorization",
        SIGNED("host;range;x-amz-content-sha256;x-amz-date"),
      ],
    },
    "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
  ],
  [
    "PUT Object",
    {
      method: "PUT",
      target: "/test%24file.text",
      headers: [
        "Date",
        "Fri, 24 May 2013 00:00:00 GMT",
        "x-amz-storage-class",
        "REDUCED_REDUNDANCY",
        "Authorization",
        SIGNED("date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class"),
      ],
      body: Buffer.from("Welcome to Amazon S3."),
    },
    "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
  ],
  [
    "GET Bucket lifecycle",
    { method: "GET", target: "/?lifecycle", headers: [] },
    "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
  ],
  [
    "GET Bucket (list objects)",
    { method: "GET", target: "/?max-keys=2&prefix=J", headers: [] },
    "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
  ],
];
for (const [name, request, signature] of S3) {
  test(`S3's reference: ${name}`, () => {
    const sent = attach(request, s3(), "", S3_MS);
    assert.match(authorizationOf(sent), new RegExp(`Signature=${signature}$`));
  });
}

test("INV-54: a presigned URL loses the agent's signature and keeps the rest", () => {
  const target =
    "/?X-Amz-Algorithm=AWS4-HMAC-SHA256&max-keys=2&X-Amz-Signature=00&x-amz-credential=a&prefix=J";
  const sent = attach({ method: "GET", target, headers: [] }, s3(), "", S3_MS);
  assert.equal(sent.target, "/?max-keys=2&prefix=J");
  assert.match(
    authorizationOf(sent),
    /Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7$/,
  );
});

test("INV-52: a lease holds the key of one day, region and service, and not the secret access key", () => {
  assert.ok(!JSON.stringify(s3()).includes(S3_SECRET));
});

test("vault.sigv4: a lease signs shortly after its day, and not on the next", () => {
  const request = { method: "GET", target: "/", headers: [] };
  const midnight = Date.parse("2013-05-25T00:00:00Z");
  const late = attach(request, s3(), "", midnight + 60_000);
  assert.ok(
    (late.headers as readonly string[]).includes("20130524T235959Z"),
    "within the five minutes that AWS allows",
  );
  assert.throws(() => attach(request, s3(), "", midnight + 3_600_000), { code: "vault.sigv4" });
});

test("vault.sigv4: parts that a placeholder signed are refused, unsigned ones are not", () => {
  const put = (hash: string) => ({
    method: "PUT",
    target: "/a",
    headers: ["X-Amz-Content-Sha256", hash],
  });
  const signed = put("STREAMING-AWS4-HMAC-SHA256-PAYLOAD");
  assert.throws(() => attach(signed, s3(), "", S3_MS), { code: "vault.sigv4" });
  const sent = attach(put("UNSIGNED-PAYLOAD"), s3(), "", S3_MS);
  assert.ok(sent.headers.includes("UNSIGNED-PAYLOAD"));
});

test("a service other than S3 has an encoded path encoded once more, and dots resolved", () => {
  const plain = attach({ method: "GET", target: "/a%20b", headers: [] }, suite(), "", SUITE_MS);
  const dotted = attach(
    { method: "GET", target: "/x/../a%20b", headers: [] },
    suite(),
    "",
    SUITE_MS,
  );
  const other = attach({ method: "GET", target: "/a%2520b", headers: [] }, suite(), "", SUITE_MS);
  assert.equal(authorizationOf(plain), authorizationOf(dotted));
  assert.notEqual(authorizationOf(plain), authorizationOf(other));
});
