/**
 * One direction of a TCP connection, put in order from captured segments. What was read stays where
 * segments overlap or are sent again; of what waits, what begins first stands. Hosts differ here too.
 *
 * @module
 */
import { TCP_FLAG, type Segment } from "../../wire/index.ts";

/** Takes payload in order. */
export type InOrder = (bytes: Buffer, atMs: number, wireBytes: number) => void;

// What may wait for a missing segment. Then it counts as lost, as it is to whoever captured.
const AHEAD_SEGMENTS_MAX = 64;
const AHEAD_BYTES_MAX = 65_536;

interface Ahead {
  readonly sequence: number;
  readonly bytes: Buffer;
  readonly wireBytes: number;
  readonly atMs: number;
}

export class TcpStream {
  #next: number | undefined;
  #ahead: Ahead[] = [];
  #aheadBytes = 0;

  /** Bytes that wait. */
  get kept(): number {
    return this.#aheadBytes;
  }

  /** @param lost is called where bytes will not come any more */
  take(segment: Segment, emit: InOrder, lost: () => void): void {
    const isSyn = (segment.flags & TCP_FLAG.syn) !== 0;
    const sequence = isSyn ? (segment.sequence + 1) >>> 0 : segment.sequence;
    this.#next ??= sequence;
    if (segment.payloadBytes === 0) return;
    const { payload: bytes, payloadBytes: wireBytes, atMs } = segment;
    if (distance(sequence, this.#next) > 0) {
      this.#wait({ sequence, bytes: Buffer.from(bytes), wireBytes, atMs });
      if (this.#ahead.length <= AHEAD_SEGMENTS_MAX && this.#aheadBytes <= AHEAD_BYTES_MAX) return;
      lost();
      this.#next = this.#ahead[0]?.sequence ?? this.#next;
    } else this.#emit({ sequence, bytes, wireBytes, atMs }, emit);
    this.#catchUp(emit);
  }

  #wait(ahead: Ahead): void {
    const at = this.#ahead.findLastIndex((one) => distance(one.sequence, ahead.sequence) <= 0);
    this.#ahead.splice(at + 1, 0, ahead);
    this.#aheadBytes += ahead.bytes.length;
  }

  #catchUp(emit: InOrder): void {
    for (;;) {
      const [first] = this.#ahead;
      if (first === undefined || distance(first.sequence, this.#next ?? 0) > 0) return;
      this.#ahead.shift();
      this.#aheadBytes -= first.bytes.length;
      this.#emit(first, emit);
    }
  }

  #emit({ sequence, bytes, wireBytes, atMs }: Ahead, emit: InOrder): void {
    const known = distance(this.#next ?? sequence, sequence);
    if (known >= wireBytes) return; // Sent again.
    this.#next = (sequence + wireBytes) >>> 0;
    emit(bytes.subarray(known), atMs, wireBytes - known);
  }
}

/** How far `sequence` is ahead of `other`, in a space that wraps (RFC 9293, 3.4). */
function distance(sequence: number, other: number): number {
  return (sequence - other) | 0;
}
