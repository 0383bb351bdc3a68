/**
 * What a TCP flow carries, layer under layer: the stream itself, then what stands behind CONNECT, an upgrade, the
 * frames of a WebSocket, a SOCKS greeting, a compressed body. Detectors look at each, since tools travel in any.
 *
 * @module
 */
import { brotliDecompressSync, gunzipSync, inflateRawSync, inflateSync } from "node:zlib";
import {
  classifyFirstBytes,
  createFrameReader,
  parseClientHello,
  type ClientHello,
  type FirstBytes,
  type FirstBytesProtocol,
} from "../../wire/index.ts";
import { HEAD_BYTES_MAX, type FlowSeen } from "./flow-seen.ts";
import { readHttpHead, type HttpHead } from "./http-head.ts";

export interface Layer {
  /** What carries it, outermost first: `["HTTP CONNECT", "WebSocket"]`. */
  readonly via: readonly string[];
  readonly sent: Buffer;
  readonly received: Buffer;
  /** What the client's bytes begin. */
  readonly opening: FirstBytes;
  /** What the server's begin: of interest where it is no answer but a protocol of its own. */
  readonly answer: FirstBytes;
  readonly request?: HttpHead;
  readonly response?: HttpHead;
  readonly hello?: ClientHello;
}

const DEPTH_MAX = 5;
const LAYERS_MAX = 8;

/** All layers of `flow` that can be read, the outermost first. */
export function layersOf(flow: FlowSeen): readonly Layer[] {
  if (flow.protocol !== "tcp") return [];
  const layers: Layer[] = [];
  const open = (via: readonly string[], sent: Buffer, received: Buffer) => {
    if (layers.length === LAYERS_MAX || via.length === DEPTH_MAX) return;
    if (sent.length + received.length === 0) return;
    const layer = readLayer(via, sent, received);
    layers.push(layer);
    for (const inner of carried(layer)) {
      open([...via, inner.name], inner.sent, inner.received);
    }
  };
  open([], flow.sent, flow.received);
  return layers;
}

const NOTHING: FirstBytes = { protocol: "unknown", certain: false, detail: "no byte" };

function readLayer(via: readonly string[], sent: Buffer, received: Buffer): Layer {
  const opening = sent.length === 0 ? NOTHING : classifyFirstBytes(sent);
  const { protocol } = opening;
  const request = protocol === "http" ? readHttpHead(sent) : undefined;
  const response = received[0] === 0x48 ? readHttpHead(received) : undefined; // "HTTP/1.1 ".
  const isPlain = response !== undefined || (protocol === "tls" && received[0] === 0x16);
  const answer = received.length === 0 || isPlain ? NOTHING : answerOf(received);
  const hello = protocol === "tls" ? parseClientHello(sent) : undefined;
  return {
    via,
    sent,
    received,
    opening,
    answer,
    ...(request === undefined ? {} : { request }),
    ...(response === undefined ? {} : { response }),
    ...(hello?.status === "ok" ? { hello } : {}),
  };
}

function answerOf(received: Buffer): FirstBytes {
  const answer = classifyFirstBytes(received);
  // Lists and pages hold lines that begin like SSH; a client that hides its own is named by its opening.
  return answer.protocol === "ssh" && !startsSsh(received) ? NOTHING : answer;
}

interface Inner {
  readonly name: string;
  readonly sent: Buffer;
  readonly received: Buffer;
}

const EMPTY = Buffer.alloc(0);

function carried(layer: Layer): readonly Inner[] {
  if (layer.opening.protocol === "socks") return behindSocks(layer);
  const { sent, received, request, response } = layer;
  if (request === undefined) return [];
  if (request.line.startsWith("CONNECT ")) return behindConnect(layer);
  const rest = {
    sent: sent.subarray(request.end),
    received: received.subarray(response?.end ?? 0),
  };
  const upgrade = request.fields.get("upgrade")?.toLowerCase();
  if (upgrade !== undefined && (response === undefined || response.line.includes(" 101"))) {
    const inner = { name: `HTTP upgrade to ${upgrade.slice(0, 40)}`, ...rest };
    return upgrade === "websocket" ? [webSocket(layer, rest)] : [inner];
  }
  // Either side goes on in another protocol. A server of SSH that is asked by HTTP only says who it is.
  const isSsh = startsSsh(rest.sent) || (response !== undefined && startsSsh(rest.received));
  const bodies: Inner[] = isSsh ? [{ name: "HTTP", ...rest }] : [];
  const body = decoded(request.fields.get("content-encoding"), rest.sent);
  if (body !== undefined) bodies.push({ name: "a compressed body", sent: body, received: EMPTY });
  return bodies;
}

function startsSsh(bytes: Buffer): boolean {
  return bytes.length >= 4 && bytes.toString("latin1", 0, 4) === "SSH-";
}

/** Behind the last CONNECT and its 2xx: proxies that ask for a password answer the first with 407. */
function behindConnect({ sent, received, request }: Layer): readonly Inner[] {
  let head = request;
  for (let at = head?.end ?? 0; head !== undefined; at = head.end) {
    const next = readHttpHead(sent, at);
    if (next === undefined || !next.line.startsWith("CONNECT ")) break;
    head = next;
  }
  let granted = 0;
  for (let at = 0; at >= 0 && at < received.length;) {
    const answer = readHttpHead(received, at);
    if (answer === undefined) {
      at = received.indexOf("HTTP/1.", at + 1);
      continue;
    }
    granted = answer.end;
    if (/ 2\d\d\b/.test(answer.line)) break;
    at = received.indexOf("HTTP/1.", answer.end);
  }
  const rest = { sent: sent.subarray(head?.end ?? 0), received: received.subarray(granted) };
  return [{ name: "HTTP CONNECT", ...rest }];
}

/** Behind the greeting and the request of SOCKS 5 (RFC 1928) or 4. */
function behindSocks({ sent, received }: Layer): readonly Inner[] {
  if (sent[0] === 4) {
    const end = sent.indexOf(0, 8) + 1;
    if (end === 0) return [];
    // 4a: the address is 0.0.0.x, and a name follows.
    const isNamed = sent.readUInt32BE(4) < 256 && sent.readUInt32BE(4) > 0;
    const at = isNamed ? sent.indexOf(0, end) + 1 : end;
    return [{ name: "SOCKS", sent: sent.subarray(at), received: received.subarray(8) }];
  }
  let at = 2 + (sent[1] ?? 0);
  let back = 2;
  if (received[1] === 2) {
    at += 2 + (sent[at + 1] ?? 0); // RFC 1929: version, name, password.
    at += 1 + (sent[at] ?? 0);
    back += 2;
  }
  return [
    {
      name: "SOCKS",
      sent: sent.subarray(at + 3 + addressBytes(sent, at + 3) + 2),
      received: received.subarray(back + 3 + addressBytes(received, back + 3) + 2),
    },
  ];
}

function addressBytes(bytes: Buffer, at: number): number {
  const type = bytes[at];
  return 1 + (type === 3 ? 1 + (bytes[at + 1] ?? 0) : type === 4 ? 16 : 4);
}

/** The payload of both directions' frames in a row, as a tunnel would make a stream of them. */
function webSocket({ response }: Layer, rest: Omit<Inner, "name">): Inner {
  const isDeflated = /permessage-deflate/i.test(
    response?.fields.get("sec-websocket-extensions") ?? "",
  );
  return {
    name: "WebSocket",
    sent: framePayload(rest.sent, true, isDeflated),
    received: framePayload(rest.received, false, isDeflated),
  };
}

function framePayload(bytes: Buffer, isMasked: boolean, isDeflated: boolean): Buffer {
  const parts: Buffer[] = [];
  let message: Buffer[] = [];
  let isCompressed = false;
  const reader = createFrameReader(isMasked);
  let control = false;
  // With permessage-deflate (RFC 7692) the first reserved bit says that a message is compressed.
  const frames = isDeflated ? withoutReserved(bytes) : { bytes, compressed: [] };
  let number = -1;
  for (const part of reader.push(frames.bytes)) {
    if (part.kind === "bad") break;
    if (part.kind === "head") {
      number += 1;
      control = part.head.opcode >= 8;
      if (part.head.opcode > 0 && !control) isCompressed = frames.compressed[number] ?? false;
    } else if (part.kind === "payload" && !control) {
      (isCompressed ? message : parts).push(part.bytes);
    } else if (part.kind === "end" && isCompressed && !control) {
      parts.push(inflated(Buffer.concat(message)));
      message = [];
    }
  }
  return Buffer.concat(parts).subarray(0, HEAD_BYTES_MAX);
}

/** Frames with the first reserved bit off, and which had it. */
function withoutReserved(bytes: Buffer): { bytes: Buffer; compressed: readonly boolean[] } {
  const copy = Buffer.from(bytes);
  const compressed: boolean[] = [];
  for (let at = 0; at + 2 <= copy.length;) {
    const first = copy[at] ?? 0;
    const second = copy[at + 1] ?? 0;
    compressed.push((first & 0x40) !== 0);
    copy[at] = first & 0xbf;
    const short = second & 0x7f;
    let length = short;
    if (short === 126) length = copy.length >= at + 4 ? copy.readUInt16BE(at + 2) : copy.length;
    if (short === 127) length = copy.length >= at + 10 ? copy.readUInt32BE(at + 6) : copy.length;
    const more = short === 127 ? 8 : short === 126 ? 2 : 0;
    at += 2 + more + ((second & 0x80) === 0 ? 0 : 4) + length;
  }
  return { bytes: copy, compressed };
}

const DEFLATE_TAIL = Buffer.from([0, 0, 0xff, 0xff]);

function inflated(bytes: Buffer): Buffer {
  return tolerant(() => inflateRawSync(Buffer.concat([bytes, DEFLATE_TAIL]), SYNC));
}

const SYNC = { finishFlush: 2, maxOutputLength: HEAD_BYTES_MAX * 4 } as const; // Z_SYNC_FLUSH: a beginning will do.
const BROTLI = { finishFlush: 1, maxOutputLength: HEAD_BYTES_MAX * 4 } as const; // BROTLI_OPERATION_FLUSH.

function decoded(coding: string | undefined, body: Buffer): Buffer | undefined {
  if (coding === undefined || body.length === 0) return undefined;
  const name = coding.trim().toLowerCase();
  if (name === "gzip" || name === "x-gzip") return tolerant(() => gunzipSync(body, SYNC));
  if (name === "deflate") {
    const isZlib = ((body[0] ?? 0) & 0x0f) === 8;
    return tolerant(() => (isZlib ? inflateSync(body, SYNC) : inflateRawSync(body, SYNC)));
  }
  return name === "br" ? tolerant(() => brotliDecompressSync(body, BROTLI)) : undefined;
}

/** What cannot be decoded says nothing to the server either. */
function tolerant(decode: () => Buffer): Buffer {
  try {
    return decode().subarray(0, HEAD_BYTES_MAX);
  } catch (error) {
    if (error instanceof Error && "code" in error) return EMPTY;
    throw error;
  }
}

/** "in a WebSocket in HTTP CONNECT", for a sentence; empty for the flow itself. */
export function carriedBy({ via }: Pick<Layer, "via">): string {
  return via
    .toReversed()
    .map((one) => ` in ${one}`)
    .join("");
}

/** Which side began with `protocol`, where one did for certain. */
export function speaks(
  { opening, answer }: Layer,
  protocol: FirstBytesProtocol,
): FirstBytes | undefined {
  if (opening.certain && opening.protocol === protocol) return opening;
  return answer.certain && answer.protocol === protocol ? answer : undefined;
}
