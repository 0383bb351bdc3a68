/**
 * Judges what the messages of one direction of a WebSocket begin with, by the same classifiers as a
 * connection's first bytes: each message by itself, and all of them in a row as the stream that a tunnel
 * would make of them.
 *
 * @module
 */
import { TextDecoder } from "node:util";
import { classifyFirstBytes, FIRST_BYTES_MAX, type FirstBytesProtocol } from "./first-bytes.ts";
import { createStratumWatch } from "./stratum.ts";

/** What may not be spoken through a message, and how that shows. */
export interface MessageOffence {
  readonly protocol: FirstBytesProtocol;
  readonly detail: string;
}

/** `hold`: more of the message is needed before any of it may go on. */
export type MessageVerdict = "hold" | "pass" | MessageOffence;

export interface MessageWatch {
  /** A message begins. */
  begin(kind: "text" | "binary"): void;
  /** Takes its next bytes; `isEnd` with the last. */
  push(bytes: Buffer, isEnd: boolean): MessageVerdict;
  /** Nothing more came for a while: what is there must do. */
  settle(): MessageVerdict;
  /** Takes a whole ping, pong or close. */
  control(payload: Buffer): MessageVerdict;
}

// Text is held so long that SSH behind other lines shows (first-bytes-text.ts).
const TEXT_BYTES_MAX = 1024;

/** Tunnels and mining; what else text begins with (a chat says "pass", "info") means nothing here. */
const OFFENCES: ReadonlySet<FirstBytesProtocol> = new Set([
  "ssh",
  "tls",
  "sslv2",
  "http2-preface",
  "socks",
  "openvpn",
  "wireguard",
  "tunnel",
  "stratum",
  "crypto-p2p",
  "bittorrent",
]);

export interface MessageWatchOptions {
  readonly from: "client" | "server";
  /** Binary messages may hold what nobody here understands. */
  readonly opaque: boolean;
}

export function createMessageWatch({ from, opaque }: MessageWatchOptions): MessageWatch {
  const mining = createStratumWatch();
  const rows = { data: createRow(), control: createRow() };
  // A shell at the agent's end means that somebody outside types; at the other end it is what was granted.
  const isOffence = (protocol: FirstBytesProtocol) =>
    OFFENCES.has(protocol) || (protocol === "shell" && from === "client");
  let kind: "text" | "binary" = "text";
  let head: Buffer = Buffer.alloc(0);
  let isDecided = false;
  let decoder = new TextDecoder("utf-8", { fatal: true });

  const judge = (isEnd: boolean): MessageVerdict => {
    const { protocol, certain, detail } = classifyFirstBytes(head);
    if (certain && isOffence(protocol)) return { protocol, detail };
    const limit = kind === "text" ? TEXT_BYTES_MAX : FIRST_BYTES_MAX;
    if (!certain && !isEnd && head.length < limit) return "hold";
    isDecided = true;
    if (kind === "text" || opaque || protocol === "json" || head.length === 0) return "pass";
    const why = "a binary message that is not JSON, and the rule does not say opaque: true";
    return { protocol: protocol === "http" ? "http" : "unknown", detail: why };
  };

  return {
    begin(next) {
      kind = next;
      head = Buffer.alloc(0);
      isDecided = false;
      decoder = new TextDecoder("utf-8", { fatal: true });
    },
    push(bytes, isEnd) {
      const hit = mining.push(bytes);
      if (hit !== undefined) return { protocol: "stratum", detail: hit.detail };
      const inRow = rows.data(bytes);
      if (inRow !== undefined && isOffence(inRow.protocol)) return inRow;
      if (kind === "text" && !isText(decoder, bytes, isEnd)) {
        return { protocol: "unknown", detail: "a text message that is not UTF-8" };
      }
      if (isDecided) return "pass";
      head = Buffer.concat([head, bytes.subarray(0, FIRST_BYTES_MAX - head.length)]);
      return judge(isEnd);
    },
    settle: () => (isDecided ? "pass" : judge(true)),
    control(payload) {
      const { protocol, certain, detail } = classifyFirstBytes(payload);
      if (certain && isOffence(protocol)) return { protocol, detail };
      const inRow = rows.control(payload);
      return inRow !== undefined && isOffence(inRow.protocol) ? inRow : "pass";
    },
  };
}

/** Classifies the first bytes of everything that it is given, as one stream. */
function createRow(): (bytes: Buffer) => MessageOffence | undefined {
  let row: Buffer | undefined = Buffer.alloc(0);
  return (bytes) => {
    if (row === undefined) return undefined;
    row = Buffer.concat([row, bytes.subarray(0, FIRST_BYTES_MAX - row.length)]);
    const { protocol, certain, detail } = classifyFirstBytes(row);
    if (!certain) return undefined;
    row = undefined;
    return { protocol, detail: `${detail}, over several messages` };
  };
}

function isText(decoder: TextDecoder, bytes: Buffer, isEnd: boolean): boolean {
  try {
    decoder.decode(bytes, { stream: !isEnd });
    return true;
  } catch (error) {
    if (error instanceof TypeError) return false;
    throw error;
  }
}
