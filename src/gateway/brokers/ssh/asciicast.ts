/**
 * A terminal's recording in the form of asciicast v2: a header in JSON, then `[seconds, "o", text]` a line. What
 * players show is what the agent saw; what it typed shows where the shell echoed it.
 *
 * @module
 */

/** What one event of the record holds; about an hour of a person's shell. */
const CAST_CHARS_MAX = 48 * 1024;

export interface AsciicastOptions {
  readonly wallMs: number;
  readonly monoMs: number;
  readonly rows: number;
  readonly columns: number;
}

export class Asciicast {
  readonly #begunMs: number;
  readonly #decoder = new TextDecoder("utf-8");
  readonly #lines: string[] = [];
  #chars = 0;
  #isCut = false;

  constructor({ wallMs, monoMs, rows, columns }: AsciicastOptions) {
    this.#begunMs = monoMs;
    const timestamp = Math.floor(wallMs / 1000);
    this.#add(JSON.stringify({ version: 2, width: columns, height: rows, timestamp }));
  }

  /** There was more than is kept: its beginning is here. */
  get isCut(): boolean {
    return this.#isCut;
  }

  output(monoMs: number, chunk: Buffer): void {
    this.#event(monoMs, "o", this.#decoder.decode(chunk, { stream: true }));
  }

  resize(monoMs: number, rows: number, columns: number): void {
    this.#event(monoMs, "r", `${columns}x${rows}`);
  }

  text(): string {
    return `${this.#lines.join("\n")}\n`;
  }

  #event(monoMs: number, kind: "o" | "r", data: string): void {
    if (data === "" || this.#isCut) return;
    const seconds = Math.max(0, Math.round(monoMs - this.#begunMs)) / 1000;
    this.#add(JSON.stringify([seconds, kind, data]));
  }

  #add(line: string): void {
    if (this.#chars + line.length > CAST_CHARS_MAX) {
      this.#isCut = true;
      return;
    }
    this.#chars += line.length + 1;
    this.#lines.push(line);
  }
}
