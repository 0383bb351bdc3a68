/**
 * Attaching: the last step before a request's bytes are written. Pure: what stood in the credential's place goes, the
 * real one is added, exactly once, and nothing else is changed. Redirects are not followed here or anywhere, so a
 * credential never goes to where an answer points.
 *
 * @module
 */
import { Fault } from "../base/index.ts";
import { signHmac } from "./hmac.ts";
import type { Attachment, Lease } from "./lease.ts";
import { decode, nameOf, withHeader, type AttachableRequest } from "./request-parts.ts";
import { signSigV4 } from "./sigv4.ts";

/** Whether the credential is computed from the body, which must then be read whole first. */
export function needsBody({ attach }: Lease): boolean {
  return attach.kind === "sigv4" || attach.kind === "hmac";
}

/**
 * `request` with the credential of `lease`; `placeholder` is what stands for it in the run.
 *
 * @throws {Fault} `vault.attach` where the request has no place for it, or the credential would break the head;
 *   `vault.sigv4` where what the agent asks to have signed cannot be.
 */
export function attach<Request extends AttachableRequest>(
  request: Request,
  lease: Lease,
  placeholder: string,
  nowMs: number,
): Request {
  const how = lease.attach;
  switch (how.kind) {
    case "header":
      return { ...request, headers: withHeader(request.headers, how.name, how.value) };
    case "query":
      return { ...request, target: withQuery(request.target, how.name, how.value) };
    case "path":
      return { ...request, target: withPath(request.target, placeholder, how.value) };
    case "login":
    case "ssh-key":
    case "ssh-certificate":
      throw new Fault("vault.attach", `a credential of kind ${how.kind} is for no request of HTTP`);
    default:
      return signed(request, how, nowMs);
  }
}

function signed<Request extends AttachableRequest>(
  request: Request,
  how: Extract<Attachment, { readonly kind: "sigv4" | "hmac" }>,
  nowMs: number,
): Request {
  if (how.kind === "sigv4") return { ...request, ...signSigV4(request, how, nowMs) };
  let { headers } = request;
  for (const [name, value] of signHmac(request, how, nowMs)) {
    headers = withHeader(headers, name, value);
  }
  return { ...request, headers };
}

/** The real one stands where the first of that name stood, or at the end. */
function withQuery(target: string, name: string, value: string): string {
  const mark = target.indexOf("?");
  const own = `${encodeURIComponent(name)}=${encodeURIComponent(value)}`;
  if (mark < 0) return `${target}?${own}`;
  const parts = target.slice(mark + 1).split("&");
  const first = parts.findIndex((part) => nameOf(part) === name);
  const kept = parts.filter((part, at) => at === first || nameOf(part) !== name);
  const query =
    first < 0
      ? [...kept.filter((part, at) => part !== "" || at < kept.length - 1), own]
      : kept.map((part, at) => (at === first ? own : part));
  return `${target.slice(0, mark)}?${query.join("&")}`;
}

/** Exactly one segment holds the placeholder; only that one is written anew. */
function withPath(target: string, placeholder: string, value: string): string {
  const mark = target.indexOf("?");
  const path = mark < 0 ? target : target.slice(0, mark);
  const segments = path.split("/");
  const holding = segments.filter((segment) => decode(segment).includes(placeholder));
  const [segment = ""] = holding;
  const parts = decode(segment).split(placeholder);
  if (holding.length !== 1 || parts.length !== 2) {
    throw new Fault(
      "vault.attach",
      `the path holds the placeholder ${holding.length} times, not once`,
      {
        hint: "use the placeholder as if it were the secret: once, in its place in the path",
      },
    );
  }
  const made = parts.map(encodeSegment).join(encodeSegment(value));
  return (
    segments.map((one) => (one === segment ? made : one)).join("/") + target.slice(path.length)
  );
}

/** RFC 3986, 3.3: `:` and `@` may stand in a segment as they are, and servers expect them so. */
function encodeSegment(text: string): string {
  return encodeURIComponent(text).replaceAll("%3A", ":").replaceAll("%40", "@");
}
