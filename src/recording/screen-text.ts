/**
 * What a terminal showed, as lines of plain text: control sequences (ECMA-48) are read and taken out, and those that
 * work within a line are followed, over the rows that it takes, so that a line which was edited stands as it was left.
 * Moving to another line ends one. It is no terminal: of a program that paints its screen, lines come as they were painted.
 *
 * Whoever reads a program's output as bytes sees more than a terminal shows: what was overwritten, and what stands in
 * strings of control (titles, clipboards). Both are kept beside, to be searched.
 *
 * @module
 */
import type { CastEvent } from "./cast.ts";

/** One line. */
export interface ScreenLine {
  /** Counted from 1. */
  readonly number: number;
  /** Seconds from the beginning at which its first character came. */
  readonly seconds: number;
  /** As it was left. */
  readonly text: string;
  /** All that was ever written on it, in the order of writing. */
  readonly written: string;
  /** What stood in strings of control. */
  readonly unseen: string;
  /** It was longer than a line may be: the next one goes on with it. */
  readonly isCut: boolean;
}

/** What has no line end goes on on a line of its own, so that none holds up the memory. */
const LINE_CHARS_MAX = 16_384;
const PARAMETERS_MAX = 64; // Of a control sequence; longer ones are none.
const TAB = 8;
const COLUMNS = 80;

/** Where in a sequence the reader is: ECMA-48, section 5.4 (CSI), 5.6 (strings up to ST; BEL by custom). */
type State = "ground" | "escape" | "csi" | "charset" | "string";

/** Up to the next control, C0 or C1. */
// oxlint-disable-next-line no-control-regex
const PLAIN = /[^\u0000-\u001f\u007f-\u009f]+/y;
/** DCS, SOS, OSC, PM, APC as one character each. */
const STRINGS: ReadonlySet<number> = new Set([0x90, 0x98, 0x9d, 0x9e, 0x9f]);
/** LF, VT, FF, IND, NEL. */
const LINE_ENDS: ReadonlySet<number> = new Set([0x0a, 0x0b, 0x0c, 0x84, 0x85]);

export class ScreenText {
  #state: State = "ground";
  #parameters = "";
  #columns = COLUMNS;
  /** Characters of the line, over all rows that it takes. */
  #cells: string[] = [];
  #at = 0;
  #written = "";
  #unseen = "";
  #seconds: number | undefined;
  #number = 0;
  #ended: ScreenLine[] = [];

  /** The lines that `event` ended. */
  push(event: CastEvent): readonly ScreenLine[] {
    if ("columns" in event) {
      this.#columns = Math.min(event.columns, LINE_CHARS_MAX);
      return [];
    }
    const { text, seconds } = event;
    for (let from = 0; from < text.length;) {
      this.#seconds ??= seconds;
      PLAIN.lastIndex = from;
      const [plain = ""] = this.#state === "ground" ? (PLAIN.exec(text) ?? []) : [];
      if (plain === "") {
        const code = text.codePointAt(from) ?? 0;
        const character = String.fromCodePoint(code);
        from += character.length;
        this.#read(character, code);
      } else {
        from += plain.length;
        for (const character of plain) this.#print(character);
      }
    }
    return this.#ended.splice(0);
  }

  /** What stands on the last line, which has no end. */
  end(): readonly ScreenLine[] {
    if (!this.#isEmpty) this.#end();
    return this.#ended.splice(0);
  }

  get #isEmpty(): boolean {
    return this.#written === "" && this.#unseen === "";
  }

  #end(isCut = false): void {
    this.#number += 1;
    this.#ended.push({
      number: this.#number,
      seconds: this.#seconds ?? 0,
      text: this.#cells.join("").trimEnd(),
      written: this.#written,
      unseen: this.#unseen,
      isCut,
    });
    this.#cells = [];
    this.#at = 0;
    this.#written = "";
    this.#unseen = "";
    this.#seconds = undefined;
  }

  #read(character: string, code: number): void {
    if (code === 0x18 || code === 0x1a) this.#state = "ground";
    else if (code === 0x1b) this.#state = "escape";
    else if (code < 0x20 || (code >= 0x7f && code < 0xa0)) this.#control(code);
    else if (this.#state === "string") this.#hide(character);
    else if (this.#state === "escape") this.#escape(character);
    else if (this.#state === "csi") this.#sequence(character, code);
    else if (this.#state === "charset") this.#state = "ground";
    else this.#print(character);
  }

  /** C0 work within a sequence, too; C1 begin one, or end it. */
  #control(code: number): void {
    if (code >= 0x80 || (code === 0x07 && this.#state === "string")) this.#state = "ground";
    if (LINE_ENDS.has(code)) this.#end();
    else if (STRINGS.has(code)) this.#state = "string";
    else if (code === 0x9b) this.#open();
    else if (code === 0x0d) this.#at = this.#rowStart;
    else if (code === 0x08) this.#at = Math.max(this.#rowStart, this.#at - 1);
    else if (code === 0x09) {
      const column = this.#at - this.#rowStart;
      this.#move(this.#rowStart + (Math.floor(column / TAB) + 1) * TAB);
      this.#written += "\t";
    }
  }

  #escape(character: string): void {
    this.#state = "ground";
    if (character === "[") this.#open();
    else if ("]PX^_".includes(character)) this.#state = "string";
    else if ("()*+-./%# ".includes(character)) this.#state = "charset";
    else if ("DEMc8".includes(character) && !this.#isEmpty) this.#end();
  }

  #open(): void {
    this.#state = "csi";
    this.#parameters = "";
  }

  #sequence(character: string, code: number): void {
    if (code < 0x40) {
      this.#parameters += character;
      if (this.#parameters.length > PARAMETERS_MAX) this.#state = "ground";
      return;
    }
    this.#state = "ground";
    const count = Math.min(Number.parseInt(this.#parameters, 10) || 0, LINE_CHARS_MAX);
    const steps = Math.max(1, count);
    const rowStart = this.#rowStart;
    if (character === "C" || character === "a") this.#move(this.#at + steps);
    else if (character === "D") this.#at = Math.max(rowStart, this.#at - steps);
    else if (character === "G" || character === "`") this.#move(rowStart + steps - 1);
    else if (character === "K") this.#erase(count);
    else if (character === "P") this.#cells.splice(this.#at, steps);
    else if (character === "X") this.#blank(this.#at, this.#at + steps);
    else if (character === "@") this.#insert(Math.min(steps, this.#columns));
    else if (character === "J" && count === 0) this.#cells.length = this.#toCells(this.#at);
    else if (character === "A" && steps * this.#columns <= rowStart)
      this.#at -= steps * this.#columns;
    else if (character === "B" && this.#at + steps * this.#columns <= this.#cells.length)
      this.#at += steps * this.#columns;
    // Cursor to another line, or lines moved or wiped: what stood here is a line that was seen.
    else if ("ABEFHJLMSTdfu".includes(character) && !this.#isEmpty) this.#end();
  }

  /** EL: to the end of the row, from its beginning, or all of it. */
  #erase(how: number): void {
    const start = this.#rowStart;
    const end = start + this.#columns;
    const from = how === 0 ? this.#at : start;
    const to = how === 1 ? this.#at + 1 : end;
    if (to >= this.#cells.length) this.#cells.length = this.#toCells(from);
    else this.#blank(from, to);
  }

  #blank(from: number, to: number): void {
    this.#cells.fill(" ", from, Math.min(to, this.#cells.length));
  }

  #insert(count: number): void {
    if (this.#at >= this.#cells.length) return;
    this.#cells.splice(this.#at, 0, ...Array.from({ length: count }, () => " "));
    this.#cells.length = this.#toCells(LINE_CHARS_MAX);
  }

  #toCells(at: number): number {
    return Math.min(at, this.#cells.length);
  }

  /** Where the cursor's row begins; behind the last column it still is on that row. */
  get #rowStart(): number {
    return Math.floor(Math.max(0, this.#at - 1) / this.#columns) * this.#columns;
  }

  /** Within the row, as a terminal does. */
  #move(to: number): void {
    this.#at = Math.min(to, this.#rowStart + this.#columns - 1);
  }

  #print(character: string): void {
    while (this.#cells.length < this.#at) this.#cells.push(" ");
    this.#cells[this.#at] = character;
    this.#at += 1;
    this.#written += character;
    if (this.#at >= LINE_CHARS_MAX || this.#written.length >= 2 * LINE_CHARS_MAX) this.#end(true);
  }

  #hide(character: string): void {
    this.#unseen += character;
    if (this.#unseen.length >= LINE_CHARS_MAX) this.#end(true);
  }
}

/** The lines of a whole recording, many at a time. */
export async function* linesOf(
  events: AsyncIterable<readonly CastEvent[]>,
): AsyncIterable<readonly ScreenLine[]> {
  const screen = new ScreenText();
  for await (const some of events) yield some.flatMap((event) => screen.push(event));
  yield screen.end();
}

const LAYERS = ["text", "written", "unseen"] as const;

/** Looks for a text in the lines of one recording, in capitals or not, on the screen and beside it. */
export class LineSearch {
  readonly #wanted: string;
  #before: ScreenLine | undefined;

  constructor(text: string) {
    this.#wanted = text.toLowerCase();
  }

  /** Those of `lines`, which follow on those before, that hold it. */
  of(lines: readonly ScreenLine[]): readonly ScreenLine[] {
    return lines.filter((line) => {
      const before = this.#before;
      this.#before = line;
      return LAYERS.some((layer) => {
        // It may have begun on a line that goes on here.
        const tail = before?.isCut === true ? before[layer].slice(-this.#wanted.length) : "";
        const at = `${tail}${line[layer]}`.toLowerCase().indexOf(this.#wanted, tail === "" ? 0 : 1);
        return at >= 0;
      });
    });
  }
}
