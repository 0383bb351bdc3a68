/**
 * The opening handshake of a WebSocket (RFC 6455, 4), held to one form on both sides. INV-36.
 *
 * A handshake that one side takes for done and the other does not is a tunnel: whatever follows is
 * read by nobody. So the client's must be whole before it is judged, and the upstream's 101 must prove that
 * it understood. Extensions are never offered on: permessage-deflate would hide what messages begin with.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { endToEnd, listOf, valuesOf, type RawHeaders } from "./http-headers.ts";
import type { CheckedRequest, Refusal, RequestHead } from "./http-request.ts";

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"; // RFC 6455, 1.3.
const KEY = /^[A-Za-z0-9+/]{21}[AQgw]==$/; // 16 bytes in canonical base64.
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/; // RFC 9110, 5.6.2.
const PROTOCOLS_MAX = 16;

/** Whether `raw` offers an upgrade to a WebSocket and to nothing else. */
export function isWebSocketOffer(raw: RawHeaders): boolean {
  const offers = listOf(raw, "upgrade");
  return offers.length === 1 && offers[0] === "websocket";
}

/** What is wrong with the client's handshake, if anything. */
export function checkHandshake(head: RequestHead, request: CheckedRequest): Refusal | undefined {
  const raw = head.rawHeaders;
  const refuse = (reason: string, status = 400): Refusal => {
    const title = "The WebSocket handshake is not one that is forwarded";
    return { status, rule: "http.upgrade", title, reason };
  };
  if (head.method !== "GET" || head.httpVersion !== "1.1") {
    return refuse("a WebSocket is opened by GET over HTTP/1.1");
  }
  if (!listOf(raw, "connection").includes("upgrade")) return refuse("Connection names no upgrade");
  if (request.framing.kind !== "none" || request.expectContinue) {
    return refuse("a request that opens a WebSocket has no body");
  }
  const versions = valuesOf(raw, "sec-websocket-version");
  if (versions.length !== 1 || versions[0] !== "13") {
    return refuse("only version 13 of the protocol is spoken", 426);
  }
  const keys = valuesOf(raw, "sec-websocket-key");
  if (keys.length !== 1 || !KEY.test(keys[0] ?? "")) {
    return refuse("Sec-WebSocket-Key is not one key of 16 bytes");
  }
  const protocols = protocolsOf(raw);
  if (protocols.length > PROTOCOLS_MAX || !protocols.every((name) => TOKEN.test(name))) {
    return refuse("Sec-WebSocket-Protocol is not a list of names");
  }
  return undefined;
}

/** The request as it goes on: the client's own, less its extensions. */
export function asHandshake(request: CheckedRequest): CheckedRequest {
  const headers = endToEnd(request.headers, ["sec-websocket-extensions"]);
  return { ...request, headers, upgrade: "websocket" };
}

/** Its fields with those of this hop. */
export function handshakeFields({ headers }: CheckedRequest): string[] {
  return [...headers, "Connection", "Upgrade", "Upgrade", "websocket"];
}

/** What is wrong with the upstream's 101, if anything. */
export function answerFlaw(raw: RawHeaders, asked: RawHeaders): string | undefined {
  if (!isWebSocketOffer(raw) || !listOf(raw, "connection").includes("upgrade")) {
    return "the upstream switched to something else";
  }
  const accepts = valuesOf(raw, "sec-websocket-accept");
  const key = valuesOf(asked, "sec-websocket-key")[0] ?? "";
  const wanted = createHash("sha1")
    .update(key + GUID)
    .digest("base64");
  if (accepts.length !== 1 || accepts[0] !== wanted) return "the upstream did not prove the key";
  if (valuesOf(raw, "sec-websocket-extensions").length > 0) {
    return "the upstream uses an extension that it was not offered";
  }
  const chosen = valuesOf(raw, "sec-websocket-protocol");
  if (chosen.length > 1 || chosen.some((name) => !protocolsOf(asked).includes(name))) {
    return "the upstream chose a protocol that it was not offered";
  }
  return undefined;
}

/** Names are compared as they stand: they are case-sensitive. */
function protocolsOf(raw: RawHeaders): string[] {
  const members = valuesOf(raw, "sec-websocket-protocol").flatMap((value) => value.split(","));
  return members.map((name) => name.trim());
}
