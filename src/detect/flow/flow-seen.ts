/**
 * A flow as detectors see it: plain values, the same whether it was read from a capture or passed by.
 *
 * @module
 */

export interface End {
  readonly address: string;
  /** Of ICMP the identifier of an echo. */
  readonly port: number;
}

export type Side = "client" | "server";

export interface FlowSeen {
  readonly protocol: "tcp" | "udp" | "icmp";
  /** Who began. */
  readonly client: End;
  readonly server: End;
  readonly startMs: number;
  readonly endMs: number;
  /** The client's first bytes, at most {@link HEAD_BYTES_MAX}; datagrams stand one after the other. */
  readonly sent: Buffer;
  /** The server's. */
  readonly received: Buffer;
  /** The first {@link SIZES_MAX} payloads in order, in bytes: the client's positive, the server's negative. */
  readonly sizes: readonly number[];
  /** When each came, in milliseconds since `startMs`. */
  readonly times: readonly number[];
  /** All payload bytes of the client, and of the server. */
  readonly bytesOut: number;
  readonly bytesIn: number;
  /** Names that the server is known by beside what the bytes say. */
  readonly names: readonly string[];
}

/** How much of a direction is kept: what a mining pool's messages are looked for in. */
export const HEAD_BYTES_MAX = 16_384;
export const SIZES_MAX = 256;

/** "tcp 192.0.2.1:50000 > 198.51.100.7:443": protocol and 5-tuple, for a person and as a name. */
export function flowName({
  protocol,
  client,
  server,
}: Pick<FlowSeen, "protocol" | "client" | "server">): string {
  return `${protocol} ${endName(client)} > ${endName(server)}`;
}

function endName({ address, port }: End): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

/** The datagrams, or messages of ICMP, of one side that are whole in what is kept. */
export function datagramsOf(flow: FlowSeen, side: Side, most = SIZES_MAX): readonly Buffer[] {
  const head = side === "client" ? flow.sent : flow.received;
  const found: Buffer[] = [];
  let at = 0;
  for (const size of flow.sizes) {
    if (size > 0 !== (side === "client")) continue;
    const length = Math.abs(size);
    if (at + length > head.length || found.length === most) break;
    found.push(head.subarray(at, at + length));
    at += length;
  }
  return found;
}

export interface FlowEnds extends Pick<FlowSeen, "protocol" | "client" | "server"> {
  readonly startMs: number;
  readonly names?: readonly string[];
}

interface Head {
  readonly parts: Buffer[];
  length: number;
  isOver: boolean;
}

/** Gathers a {@link FlowSeen} as payload passes. */
export class FlowWatch {
  readonly #ends: FlowEnds;
  readonly #heads: Readonly<Record<Side, Head>> = {
    client: { parts: [], length: 0, isOver: false },
    server: { parts: [], length: 0, isOver: false },
  };
  readonly #sizes: number[] = [];
  readonly #times: number[] = [];
  readonly #bytes = { client: 0, server: 0 };
  #endMs: number;

  constructor(ends: FlowEnds) {
    this.#ends = ends;
    this.#endMs = ends.startMs;
  }

  /** How many bytes are kept. */
  get kept(): number {
    return this.#heads.client.length + this.#heads.server.length;
  }

  /**
   * Takes the next payload of a side; bytes are copied.
   *
   * @param wireBytes how long it was, where `bytes` is a part; then what follows of that side is not kept.
   */
  push(from: Side, bytes: Buffer, atMs: number, wireBytes = bytes.length): void {
    this.#endMs = Math.max(this.#endMs, atMs);
    if (wireBytes === 0) return;
    this.#bytes[from] += wireBytes;
    if (this.#sizes.length < SIZES_MAX) {
      this.#sizes.push(from === "client" ? wireBytes : -wireBytes);
      this.#times.push(Math.max(0, atMs - this.#ends.startMs));
    }
    const head = this.#heads[from];
    if (head.isOver) return;
    const taken = bytes.subarray(0, HEAD_BYTES_MAX - head.length);
    head.parts.push(Buffer.from(taken));
    head.length += taken.length;
    if (taken.length < wireBytes) head.isOver = true;
  }

  /** Says that bytes of a side were lost: what follows is not kept, since it would be read as if it followed. */
  lose(from: Side): void {
    this.#heads[from].isOver = true;
  }

  seen(): FlowSeen {
    const { protocol, client, server, startMs, names = [] } = this.#ends;
    return {
      protocol,
      client,
      server,
      startMs,
      endMs: this.#endMs,
      sent: Buffer.concat(this.#heads.client.parts),
      received: Buffer.concat(this.#heads.server.parts),
      sizes: this.#sizes,
      times: this.#times,
      bytesOut: this.#bytes.client,
      bytesIn: this.#bytes.server,
      names,
    };
  }
}
