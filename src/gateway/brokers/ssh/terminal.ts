/**
 * Terminals at a server: what they show is recorded, all of it, before the agent sees it.
 *
 * @module
 */
import type { PseudoTtyOptions } from "ssh2";
import type { TerminalRecord } from "../../ports.ts";
import type { Judged, Session } from "../broker.ts";

const SIDE_MAX = 10_000;
const TERM_CHARS_MAX = 64;

/** A recording under way. */
export interface RecordedTerminal {
  /** As `PumpOptions.tap`. */
  readonly tap: (chunk: Buffer) => Promise<void>;
  resize(rows: number, columns: number): void;
}

/** Begins to record what `judged` opens. @throws {Fault} those of `Session.recordTerminal` */
export async function recordTerminal(
  session: Session,
  judged: Judged,
  pty: PseudoTtyOptions | undefined,
): Promise<RecordedTerminal> {
  const {
    rows = 0,
    cols = 0,
    term,
  } = (pty ?? {}) as { rows?: number; cols?: number; term?: string };
  const record = await session.recordTerminal(judged, {
    ...sizeOf(rows, cols),
    ...(term === undefined ? {} : { term: term.slice(0, TERM_CHARS_MAX) }),
  });
  const sizes = new Sizes(record);
  return {
    tap: (chunk) => record.shows(chunk),
    resize: (height, width) => sizes.next(sizeOf(height, width)),
  };
}

/** Sizes one after another: of those that come while one is written, only the last is. */
class Sizes {
  readonly #record: TerminalRecord;
  #next: ReturnType<typeof sizeOf> | undefined;
  #isBusy = false;

  constructor(record: TerminalRecord) {
    this.#record = record;
  }

  next(size: ReturnType<typeof sizeOf>): void {
    this.#next = size;
    if (this.#isBusy) return;
    this.#isBusy = true;
    // What cannot be written is told by the next output, which then ends the terminal.
    void this.#write().catch(() => {});
  }

  async #write(): Promise<void> {
    try {
      while (this.#next !== undefined) {
        const size = this.#next;
        this.#next = undefined;
        await this.#record.resizes(size);
      }
    } finally {
      this.#isBusy = false;
    }
  }
}

/** A size as it was asked for; where that is none, what terminals had first. */
function sizeOf(rows: number, columns: number) {
  const side = (asked: number, otherwise: number) =>
    asked >= 1 ? Math.min(Math.floor(asked), SIDE_MAX) : otherwise;
  return { rows: side(rows, 24), columns: side(columns, 80) };
}
