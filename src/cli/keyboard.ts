/**
 * A terminal's keys, one by one, and a line where a question is asked.
 *
 * @module
 */
import { StringDecoder } from "node:string_decoder";
import type { ReadStream, WriteStream } from "node:tty";
import { visibleLine } from "../base/index.ts";

const LINE_CHARS_MAX = 500;
const ENTER = "\r\n";
const CANCEL = "\u0003\u0004\u001b"; // Ctrl-C, Ctrl-D, Escape.
const RUB = "\u007f\b";
const CLEAR = "\u0015"; // Ctrl-U

export class Keyboard {
  readonly #input: ReadStream;
  readonly #output: WriteStream;
  /** Told of each key, but of those that answer a question. */
  onKey: (key: string) => void = () => {};
  readonly #decoder = new StringDecoder("utf8");
  #answer: ((key: string) => void) | undefined;
  readonly #take = (data: Buffer): void => {
    const text = this.#decoder.write(Buffer.from(data));
    // A key of several characters (an arrow) is none of ours.
    if (text.startsWith("\u001b") && text.length > 1) return;
    for (const key of text) (this.#answer ?? this.onKey)(key);
  };

  constructor(input: ReadStream, output: WriteStream) {
    this.#input = input;
    this.#output = output;
  }

  open(): void {
    this.#input.setRawMode(true);
    this.#input.on("data", this.#take);
    this.#input.resume();
  }

  /** Gives the terminal back as it was. */
  close(): void {
    this.#input.off("data", this.#take);
    this.#input.setRawMode(false);
    this.#input.pause();
  }

  /** What a person types up to Enter; `undefined` at Escape, Ctrl-C or Ctrl-D. */
  async line(prompt: string): Promise<string | undefined> {
    const { promise, resolve } = Promise.withResolvers<string | undefined>();
    let line = "";
    this.#output.write(visibleLine(prompt));
    this.#answer = (key) => {
      if (ENTER.includes(key)) resolve(line.trim());
      else if (CANCEL.includes(key)) resolve(undefined);
      else if (RUB.includes(key)) line = this.#rub(line, 1);
      else if (key === CLEAR) line = this.#rub(line, line.length);
      else if (visibleLine(key) === key && line.length < LINE_CHARS_MAX) {
        line += key;
        this.#output.write(key);
      }
    };
    try {
      return await promise;
    } finally {
      this.#answer = undefined;
      this.#output.write("\n");
    }
  }

  /** `line` without its last `count` characters, on the screen too. */
  #rub(line: string, count: number): string {
    const characters = Array.from(line);
    const left = characters.slice(0, Math.max(0, characters.length - count));
    this.#output.write("\b \b".repeat(characters.length - left.length));
    return left.join("");
  }
}
