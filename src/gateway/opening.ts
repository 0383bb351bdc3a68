/**
 * A connection's first bytes: read, classified, and put back for whoever takes the connection over.
 *
 * @module
 */
import type { Socket } from "node:net";
import {
  CLIENT_HELLO_BYTES_MAX,
  CLIENT_HELLO_RECORDS_MAX,
  classifyFirstBytes,
  FIRST_BYTES_MAX,
  parseClientHello,
  type ClientHello,
  type FirstBytesProtocol,
} from "../wire/index.ts";
import type { GatewayLimits } from "./limits.ts";

/** What a connection opened with. */
export type Opening =
  | { readonly kind: "http" }
  /** The preface of HTTP/2: a client that knows beforehand that it will be understood. */
  | { readonly kind: "http2" }
  | { readonly kind: "tls"; readonly hello: ClientHello }
  /** Something else, as its name, and a sentence on how that shows. */
  | { readonly kind: "other"; readonly protocol: FirstBytesProtocol; readonly detail: string }
  /** No byte came in time. */
  | { readonly kind: "silent" }
  /** The client closed without a byte. */
  | { readonly kind: "gone" };

// With the headers of its records; `peek` copies what it has for each chunk, so this bounds that too.
const HELLO_WIRE_BYTES_MAX = CLIENT_HELLO_BYTES_MAX + 5 * CLIENT_HELLO_RECORDS_MAX;

/** Waits for enough of the first bytes to say what they are; they stay readable on `socket`. */
export async function readOpening(
  socket: Socket,
  limits: Pick<GatewayLimits, "firstBytesMs" | "undecidedMs">,
): Promise<Opening> {
  const { bytes, result, end } = await peek(socket, classify, limits);
  if (result !== undefined) return result;
  if (bytes.length === 0) return { kind: end === "closed" ? "gone" : "silent" };
  const then = end === "closed" ? "the end" : "nothing";
  const detail = `${bytes.length} bytes that begin no known message, then ${then}`;
  return { kind: "other", protocol: "unknown", detail };
}

function classify(bytes: Buffer): Exclude<Opening, { kind: "silent" | "gone" }> | undefined {
  const { protocol, certain, detail } = classifyFirstBytes(bytes);
  if (!certain && bytes.length < FIRST_BYTES_MAX) return undefined;
  if (protocol === "http" && certain) return { kind: "http" };
  if (protocol === "http2-preface" && certain) return { kind: "http2" };
  if (protocol !== "tls" || !certain) return { kind: "other", protocol, detail };
  const hello = parseClientHello(bytes);
  if (hello.status === "ok") return { kind: "tls", hello };
  if (hello.status === "bad") return { kind: "other", protocol: "tls", detail: hello.why };
  if (bytes.length < HELLO_WIRE_BYTES_MAX) return undefined;
  return { kind: "other", protocol: "tls", detail: "a ClientHello without end" };
}

interface Peeked<T> {
  readonly bytes: Buffer;
  readonly result?: T;
  readonly end: "result" | "timeout" | "closed";
}

/** Reads until `decide` returns something, and puts back all that was read. */
function peek<T>(
  socket: Socket,
  decide: (bytes: Buffer) => T | undefined,
  { firstBytesMs, undecidedMs }: Pick<GatewayLimits, "firstBytesMs" | "undecidedMs">,
): Promise<Peeked<T>> {
  return new Promise((resolve) => {
    let bytes: Buffer = Buffer.alloc(0);
    const settle = (end: Peeked<T>["end"], result?: T) => {
      clearTimeout(timer);
      clearTimeout(undecided);
      socket.removeListener("readable", read);
      for (const event of ["end", "close", "error"]) socket.removeListener(event, closed);
      if (bytes.length > 0 && !socket.destroyed && !socket.readableEnded) socket.unshift(bytes);
      // The stream learns on the next tick that nobody waits for `readable` any more.
      setImmediate(() => resolve({ bytes, end, ...(result === undefined ? {} : { result }) }));
    };
    let undecided: NodeJS.Timeout | undefined;
    const read = () => {
      for (;;) {
        const chunk: unknown = socket.read();
        if (!Buffer.isBuffer(chunk)) return;
        clearTimeout(undecided);
        undecided = setTimeout(() => settle("timeout"), undecidedMs);
        bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
        const result = decide(bytes);
        if (result !== undefined) {
          settle("result", result);
          return;
        }
      }
    };
    const closed = () => settle("closed");
    const timer = setTimeout(() => settle("timeout"), firstBytesMs);
    for (const event of ["end", "close", "error"]) socket.once(event, closed);
    socket.on("readable", read);
    read();
  });
}
