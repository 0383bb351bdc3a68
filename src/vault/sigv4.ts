/**
 * AWS Signature Version 4: a request that the agent signed with its placeholder is signed anew. What stands in a
 * lease is not the secret access key but the key derived from it for one day, region and service.
 *
 * ```
 * kDate = HMAC("AWS4" + secret, date)   kRegion = HMAC(kDate, region)
 * kService = HMAC(kRegion, service)     kSigning = HMAC(kService, "aws4_request")
 * ```
 *
 * Source: AWS, "Signature Version 4 signing process" and the S3 API reference, "Authenticating Requests (AWS
 * Signature Version 4)"; held by the examples of both (sigv4.test.ts).
 *
 * @module
 */
import { createHash, createHmac } from "node:crypto";
import { Fault } from "../base/index.ts";
import { nameOf, withoutHeaders, type AttachableRequest } from "./request-parts.ts";
import type { Kind, Place } from "./spec.ts";

const DAY_MS = 86_400_000;
/** AWS takes a time up to five minutes off, so a lease of yesterday signs for its last second that long. */
const STALE_MS_MAX = 4 * 60_000;
const PAYLOAD_HASH = /^([0-9a-f]{64}|UNSIGNED-PAYLOAD|STREAMING-UNSIGNED-PAYLOAD-TRAILER)$/;

export interface SigV4Attachment {
  readonly kind: "sigv4";
  readonly accessKeyId: string;
  readonly sessionToken?: string;
  readonly region: string;
  readonly service: string;
  /** The Host field's value, which is always signed. */
  readonly host: string;
  /** `20150830`, UTC. */
  readonly date: string;
  /** Hex, for that date, region and service only. */
  readonly signingKey: string;
}

/** The attachment for `place` on the day of `wallMs`. */
export function leaseSigV4(
  { accessKeyId, region, service }: Extract<Kind, { kind: "sigv4" }>,
  { secretAccessKey, sessionToken, place, wallMs }: SigV4Secret,
): SigV4Attachment {
  const date = stampOf(wallMs).slice(0, 8);
  const steps = [date, region, service, "aws4_request"];
  const key = steps.reduce<Uint8Array>(hmac, Buffer.from(`AWS4${secretAccessKey}`));
  const isDefault = place.port === (place.scheme === "https" ? 443 : 80);
  return {
    kind: "sigv4",
    accessKeyId,
    ...(sessionToken === undefined ? {} : { sessionToken }),
    region,
    service,
    host: isDefault ? place.host : `${place.host}:${place.port}`,
    date,
    signingKey: Buffer.from(key).toString("hex"),
  };
}

interface SigV4Secret {
  readonly secretAccessKey: string;
  readonly sessionToken: string | undefined;
  readonly place: Place;
  readonly wallMs: number;
}

/**
 * Target and headers of `request`, signed by `how` at `nowMs`. The agent's own signature, in fields or query, goes;
 * the fields that it signed are signed again.
 *
 * @throws {Fault} `vault.sigv4` where the body's parts carry signatures of their own, or the lease is of another day.
 */
export function signSigV4(
  request: AttachableRequest,
  how: SigV4Attachment,
  nowMs: number,
): { readonly target: string; readonly headers: readonly string[] } {
  const stamp = stampOf(signingTime(how.date, nowMs));
  const asked = fieldsOf(request.headers);
  const payload = payloadHash(asked, request.body, how.service);
  const target = withoutSignature(request.target);
  const kept = withoutHeaders(request.headers, (name) => SIGNATURE_FIELDS.has(name));
  const headers = [...kept, "X-Amz-Date", stamp];
  if (how.sessionToken !== undefined) headers.push("X-Amz-Security-Token", how.sessionToken);
  if (how.service === "s3" || asked.has("x-amz-content-sha256")) {
    headers.push("X-Amz-Content-Sha256", payload);
  }
  const fields = fieldsOf([...headers, "Host", how.host]);
  const names = signedNames(asked, fields);
  const lines = names.map((name) => `${name}:${fields.get(name) ?? ""}\n`).join("");
  const mark = target.indexOf("?");
  const canonical = [
    request.method,
    canonicalPath(mark < 0 ? target : target.slice(0, mark), how.service),
    mark < 0 ? "" : canonicalQuery(target.slice(mark + 1)),
    lines,
    names.join(";"),
    payload,
  ].join("\n");
  const scope = `${how.date}/${how.region}/${how.service}/aws4_request`;
  const toSign = `AWS4-HMAC-SHA256\n${stamp}\n${scope}\n${sha256(canonical)}`;
  const signature = Buffer.from(hmac(Buffer.from(how.signingKey, "hex"), toSign)).toString("hex");
  const authorization =
    `AWS4-HMAC-SHA256 Credential=${how.accessKeyId}/${scope}, ` +
    `SignedHeaders=${names.join(";")}, Signature=${signature}`;
  return { target, headers: [...headers, "Authorization", authorization] };
}

const SIGNATURE_FIELDS: ReadonlySet<string> = new Set([
  "authorization",
  "x-amz-date",
  "x-amz-security-token",
  "x-amz-content-sha256",
]);
const SIGNATURE_PARAMETERS: ReadonlySet<string> = new Set(
  [
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Date",
    "X-Amz-Expires",
    "X-Amz-SignedHeaders",
    "X-Amz-Signature",
    "X-Amz-Security-Token",
    "X-Amz-Content-Sha256",
  ].map((name) => name.toLowerCase()),
);

/** A presigned URL becomes a plain one: its own signature and expiry go. */
function withoutSignature(target: string): string {
  const mark = target.indexOf("?");
  if (mark < 0) return target;
  const parts = target.slice(mark + 1).split("&");
  const kept = parts.filter((part) => !SIGNATURE_PARAMETERS.has(nameOf(part).toLowerCase()));
  if (kept.length === parts.length) return target;
  return target.slice(0, mark) + (kept.length === 0 ? "" : `?${kept.join("&")}`);
}

/** What the agent had signed, as far as it is still there; host, type and every field of AWS's own always. */
function signedNames(
  asked: ReadonlyMap<string, string>,
  fields: ReadonlyMap<string, string>,
): readonly string[] {
  const list = /SignedHeaders=([^,\s]+)/.exec(asked.get("authorization") ?? "")?.[1] ?? "";
  const wanted = new Set(list.toLowerCase().split(";"));
  const isSigned = (name: string) =>
    wanted.has(name) || name === "host" || name === "content-type" || name.startsWith("x-amz-");
  return [...fields.keys()].filter(isSigned).sort();
}

/** Fields by lower-case name, values trimmed, inner spaces as one, several of a name joined by commas. */
function fieldsOf(headers: readonly string[]): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const name = (headers[at] ?? "").toLowerCase();
    const value = (headers[at + 1] ?? "").trim().replaceAll(/\s+/g, " ");
    const before = fields.get(name);
    fields.set(name, before === undefined ? value : `${before},${value}`);
  }
  return fields;
}

function payloadHash(
  asked: ReadonlyMap<string, string>,
  body: Uint8Array | undefined,
  service: string,
): string {
  const told = asked.get("x-amz-content-sha256") ?? "";
  if (service === "s3" && told.startsWith("STREAMING-") && !PAYLOAD_HASH.test(told)) {
    throw new Fault(
      "vault.sigv4",
      "the parts of this body carry signatures made with a placeholder",
      {
        hint: "have the client send the body whole, or unsigned (UNSIGNED-PAYLOAD)",
      },
    );
  }
  if (service === "s3" && /UNSIGNED/.test(told) && PAYLOAD_HASH.test(told)) return told;
  return sha256(body ?? "");
}

/** S3 takes the path as it is sent; every other service has it encoded once more, and dots resolved. */
function canonicalPath(path: string, service: string): string {
  if (service === "s3")
    return path
      .split("/")
      .map((one) => encode(decodeBytes(one)))
      .join("/");
  const segments: string[] = [];
  for (const segment of path.split("/")) {
    if (segment === "..") segments.pop();
    else if (segment !== "" && segment !== ".") segments.push(encode(Buffer.from(segment)));
  }
  const end = /\/\.{0,2}$/.test(path) && segments.length > 0 ? "/" : "";
  return `/${segments.join("/")}${end}`;
}

function canonicalQuery(query: string): string {
  const pairs = query.split("&").filter((part) => part !== "");
  const encoded = pairs.map((part) => {
    const mark = part.indexOf("=");
    const [name, value] = mark < 0 ? [part, ""] : [part.slice(0, mark), part.slice(mark + 1)];
    return [name, value].map((one) => encode(decodeBytes(one.replaceAll("+", " ")))) as [
      string,
      string,
    ];
  });
  // By bytes: what is encoded is ASCII, so code units will do.
  encoded.sort(([a, x], [b, y]) => (a === b ? order(x, y) : order(a, b)));
  return encoded.map(([name, value]) => `${name}=${value}`).join("&");
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** UriEncode of the documentation: all but A-Z a-z 0-9 - . _ ~, upper-case hex. */
function encode(bytes: Buffer): string {
  let text = "";
  for (const byte of bytes) {
    const character = String.fromCharCode(byte);
    text += /[A-Za-z0-9._~-]/.test(character)
      ? character
      : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return text;
}

function decodeBytes(text: string): Buffer {
  const bytes: number[] = [];
  const raw = Buffer.from(text);
  for (let at = 0; at < raw.length; at += 1) {
    const pair = raw.toString("latin1", at + 1, at + 3);
    if (raw[at] === 0x25 && /^[\dA-Fa-f]{2}$/.test(pair)) {
      bytes.push(parseInt(pair, 16));
      at += 2;
    } else bytes.push(raw[at] ?? 0);
  }
  return Buffer.from(bytes);
}

/** `nowMs`, or the last second of the lease's day shortly after it. */
function signingTime(date: string, nowMs: number): number {
  if (stampOf(nowMs).startsWith(date)) return nowMs;
  const start = Date.parse(`${date.slice(0, 4)}-${date.slice(4, 6)}-${date.slice(6, 8)}T00:00:00Z`);
  const last = start + DAY_MS - 1000;
  if (nowMs > last && nowMs - last <= STALE_MS_MAX) return last;
  throw new Fault("vault.sigv4", `a lease of ${date} signs nothing on another day`, {
    hint: "ask for a new lease",
  });
}

/** `20150830T123600Z` */
function stampOf(ms: number): string {
  return new Date(ms).toISOString().replaceAll(/[-:]|\.\d+/g, "");
}

function hmac(key: Uint8Array, text: string): Uint8Array {
  return createHmac("sha256", key).update(text).digest();
}

function sha256(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}
