/**
 * The terminal of a run on the daemon's side: fans output out to whoever is attached, and keeps the
 * last of it for whoever attaches later.
 *
 * @module
 */
import type { Duplex } from "node:stream";
import { createFrameReader, encodeFrame, type Frame, type FrameType } from "../api/index.ts";

const BACKLOG_BYTES_MAX = 256 * 1024; // A few screens: enough to see what a detached run said last.
const CHUNK_BYTES_MAX = 64 * 1024;
const VIEWER_BYTES_MAX = 8 << 20; // A viewer this far behind holds the run's output until it catches up.

/** What an attached person sends. */
export interface ViewerInput {
  /** Takes a frame; where it gives a promise, the viewer waits until that is done. */
  frame(frame: Frame): Promise<void> | undefined;
}

/** Output of one run and the people who watch it. */
export class ConsoleBuffer {
  readonly #backlog: Buffer[] = [];
  #backlogBytes = 0;
  readonly #viewers = new Set<Duplex>();
  #ended: Buffer | undefined;
  readonly #sources: NodeJS.ReadableStream[] = [];
  #held: boolean;

  /** With `held`, output waits in the run for the first viewer, so that none of it is lost. */
  constructor(held: boolean) {
    this.#held = held;
  }

  /** Reads `stream` as frames of `type` for every viewer, at the pace of the slowest. */
  take(type: FrameType, stream: NodeJS.ReadableStream): void {
    this.#sources.push(stream);
    stream.on("data", (data: Buffer | string) => {
      const bytes = typeof data === "string" ? Buffer.from(data) : data;
      for (let at = 0; at < bytes.length; at += CHUNK_BYTES_MAX) {
        this.#send(encodeFrame(type, bytes.subarray(at, at + CHUNK_BYTES_MAX)));
      }
    });
    // A pty reads EIO when its other side closes; the run's end is told by the sandbox, not here.
    stream.on("error", () => {});
    this.#flow();
  }

  /** Lets output go on although nobody looks: the run has ended or its viewer will not come. */
  release(): void {
    this.#held = false;
    this.#flow();
  }

  /** Tells every viewer, also those that come later, something from Cofferdam itself. `asks`: it waits for them. */
  notice(text: string, asks = false): void {
    // What an agent or a worker that was taken over chose may stand in it: it shall not drive a terminal.
    const plain = text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, " ");
    const frame = { text: plain, ...(asks ? { asks } : {}) };
    this.#send(encodeFrame("notice", JSON.stringify(frame)));
  }

  /** Sends the last frame and lets every viewer go. */
  end(exit: Buffer): void {
    this.#ended = exit;
    for (const viewer of this.#viewers) viewer.end(exit);
    this.#viewers.clear();
  }

  /** Attaches a viewer: the backlog first, then what comes. */
  attach(viewer: Duplex, input: ViewerInput): void {
    for (const frame of this.#backlog) viewer.write(frame);
    viewer.on("error", () => viewer.destroy());
    if (this.#ended !== undefined) {
      viewer.end(this.#ended);
      return;
    }
    this.#viewers.add(viewer);
    this.#held = false;
    this.#flow();
    const reader = createFrameReader();
    viewer.on("data", (chunk: Buffer) => {
      try {
        const waits = reader.push(chunk).map((frame) => input.frame(frame));
        const pending = waits.filter((wait) => wait !== undefined);
        if (pending.length === 0) return;
        viewer.pause();
        void Promise.all(pending).finally(() => viewer.resume());
      } catch {
        viewer.destroy(); // Not our protocol: this viewer goes, the run stays.
      }
    });
    viewer.on("close", () => {
      this.#viewers.delete(viewer);
      this.#flow();
    });
    viewer.on("drain", () => this.#flow());
  }

  #send(frame: Buffer): void {
    this.#backlog.push(frame);
    this.#backlogBytes += frame.length;
    while (this.#backlogBytes > BACKLOG_BYTES_MAX) {
      this.#backlogBytes -= this.#backlog.shift()?.length ?? 0;
    }
    for (const viewer of this.#viewers) viewer.write(frame);
    this.#flow();
  }

  #flow(): void {
    const behind = [...this.#viewers].some((viewer) => viewer.writableLength > VIEWER_BYTES_MAX);
    for (const source of this.#sources) {
      if (behind || this.#held) source.pause();
      else source.resume();
    }
  }
}
