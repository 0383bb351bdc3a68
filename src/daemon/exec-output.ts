/**
 * What a command says: as it comes, until it has ended, and no longer.
 *
 * @module
 */
import type { Readable } from "node:stream";
import { setImmediate as turn } from "node:timers/promises";
import type { AgentStreams } from "../sandbox/index.ts";

/** Of output that its caller has not taken; then the command waits. */
const QUEUED_BYTES_MAX = 256 << 10;
/** What a piece of it takes besides its bytes, about: who writes them one by one fills no memory by that. */
const PIECE_BYTES = 256;
/**
 * More of one stream than can have stood in it when the command ended: Node's buffer, and a pipe as large as an
 * ordinary user may make it (pipe(7), `pipe-max-size`: 1 MiB).
 */
const LATE_BYTES_MAX = 2 << 20;

type Name = "stdout" | "stderr";

export interface Piece {
  readonly name: Name;
  readonly chunk: Buffer;
}

/** No more of it is in memory than a little. */
export class Output {
  readonly bytes = { stdout: 0, stderr: 0 };
  readonly #streams: readonly Readable[];
  readonly #queue: Piece[] = [];
  readonly #late = { stdout: 0, stderr: 0 };
  #isOver = false;
  #queuedBytes = 0;
  #open = 0;
  #wake: () => void = () => {};

  constructor(streams: Exclude<AgentStreams, { readonly kind: "none" }>) {
    const named =
      streams.kind === "terminal"
        ? ([["stdout", streams.terminal]] as const)
        : ([
            ["stdout", streams.stdout],
            ["stderr", streams.stderr],
          ] as const);
    this.#streams = named.map(([, stream]) => stream);
    for (const [name, stream] of named) {
      this.#open += 1;
      stream.on("data", (chunk: Buffer) => this.#take({ name, chunk }));
      stream.once("error", () => stream.destroy()); // Its end as well; what came before was passed on.
      stream.once("close", () => {
        this.#open -= 1;
        this.#wake();
      });
    }
  }

  #take(piece: Piece): void {
    const { name, chunk } = piece;
    if (this.#isOver) this.#late[name] += chunk.length;
    if (this.#late[name] > LATE_BYTES_MAX) return; // Nothing of this is the command's.
    this.bytes[name] += chunk.length;
    this.#queuedBytes += PIECE_BYTES + chunk.length;
    this.#queue.push(piece);
    if (this.#queuedBytes > QUEUED_BYTES_MAX) for (const one of this.#streams) one.pause();
    this.#wake();
  }

  /**
   * All that comes until `ended`, and what stood in the pipes then. A process that the command left behind, or any
   * other of its run that opened `/proc/PID/fd/1`, may hold them for ever and write without end: neither is waited for.
   */
  async *until(ended: Promise<unknown>): AsyncIterable<Piece> {
    void ended.then(() => {
      this.#isOver = true;
      this.#wake();
    });
    for (;;) {
      const piece = this.#queue.shift();
      if (piece !== undefined) {
        yield piece;
        if (this.#queue.length > 0) continue;
        this.#queuedBytes = 0;
        for (const one of this.#streams) one.resume();
      } else if (this.#open === 0 && this.#isOver) return;
      else if (this.#isOver) {
        // A turn of the loop reads what stands there.
        await turn();
        await turn();
        if (this.#queue.length === 0) return;
      } else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  /** Reads on for nobody: what the command left behind may write, and must not be held up or ended by that. */
  forget(): readonly Readable[] {
    for (const stream of this.#streams) {
      stream.removeAllListeners("data");
      stream.resume();
    }
    this.#queue.length = 0;
    return this.#streams;
  }
}
