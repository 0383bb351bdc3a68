/**
 * A terminal without a terminal: xterm's parser and buffer, never opened on the page. Its cells are read and shown as text,
 * so that no title, link, clipboard or query of a recording reaches anything.
 *
 * @module
 */
import { Terminal } from "@xterm/headless";
import { UNSEEN } from "../../../src/base/visible-text.ts";
import type { Cast } from "./cast.ts";

const UNSEEN_ALL = new RegExp(UNSEEN.source, "gu");

/** A stretch of cells that look alike. */
export interface Stretch {
  readonly text: string;
  readonly fore: string | undefined;
  readonly back: string | undefined;
  readonly isBold: boolean;
  readonly isDim: boolean;
  readonly isUnderlined: boolean;
  readonly isInverse: boolean;
}

export type Line = readonly Stretch[];

/** Plays a cast up to any moment. */
export class Screen {
  readonly #cast: Cast;
  #terminal: Terminal;
  /** The next event that is not shown yet. */
  #next = 0;

  constructor(cast: Cast) {
    this.#cast = cast;
    this.#terminal = newTerminal(cast);
  }

  /** Seconds of the next event, or undefined at the end. */
  get nextSeconds(): number | undefined {
    return this.#cast.events[this.#next]?.seconds;
  }

  /** Shows all up to `seconds`; what lies back is played again from the beginning. */
  async seek(seconds: number): Promise<readonly Line[]> {
    const { events } = this.#cast;
    const before = events[this.#next - 1]?.seconds ?? 0;
    if (seconds < before) {
      this.#terminal.dispose();
      this.#terminal = newTerminal(this.#cast);
      this.#next = 0;
    }
    let output = "";
    for (; this.#next < events.length; this.#next += 1) {
      const event = events[this.#next];
      if (event === undefined || event.seconds > seconds) break;
      if (event.size !== undefined) {
        await this.#write(output);
        output = "";
        this.#terminal.resize(event.size.columns, event.size.rows);
      }
      output += event.output ?? "";
    }
    await this.#write(output);
    return linesOf(this.#terminal);
  }

  close(): void {
    this.#terminal.dispose();
  }

  async #write(output: string): Promise<void> {
    if (output === "") return;
    await new Promise<void>((resolve) => this.#terminal.write(output, resolve));
  }
}

function newTerminal({ columns, rows }: Cast): Terminal {
  return new Terminal({ cols: columns, rows, scrollback: 0, allowProposedApi: true });
}

function linesOf({ buffer: { active }, rows }: Terminal): readonly Line[] {
  return Array.from({ length: rows }, (_, y) => {
    const line = active.getLine(active.viewportY + y);
    const stretches: Stretch[] = [];
    const length = line?.length ?? 0;
    for (let x = 0; x < length; x += 1) {
      const cell = line?.getCell(x);
      if (cell === undefined || cell.getWidth() === 0) continue;
      const look = {
        fore: cell.isFgDefault() ? undefined : colour(cell.isFgRGB(), cell.getFgColor()),
        back: cell.isBgDefault() ? undefined : colour(cell.isBgRGB(), cell.getBgColor()),
        isBold: cell.isBold() !== 0,
        isDim: cell.isDim() !== 0,
        isUnderlined: cell.isUnderline() !== 0,
        isInverse: cell.isInverse() !== 0,
      };
      const text = cell.isInvisible() === 0 ? shown(cell.getChars()) : " ";
      const last = stretches.at(-1);
      if (last !== undefined && isAlike(last, look))
        stretches[stretches.length - 1] = { ...last, text: last.text + text };
      else stretches.push({ ...look, text });
    }
    return stretches;
  });
}

/** What reorders or hides text does neither here. */
function shown(characters: string): string {
  return characters === "" ? " " : characters.replaceAll(UNSEEN_ALL, "\ufffd");
}

function isAlike(one: Stretch, other: Omit<Stretch, "text">): boolean {
  return (
    one.fore === other.fore &&
    one.back === other.back &&
    one.isBold === other.isBold &&
    one.isDim === other.isDim &&
    one.isUnderlined === other.isUnderlined &&
    one.isInverse === other.isInverse
  );
}

/** The sixteen by name are the page's own; the others as xterm's palette has them. */
function colour(isRgb: boolean, value: number): string {
  if (isRgb) return `#${value.toString(16).padStart(6, "0")}`;
  if (value < 16) return ANSI[value] ?? "inherit";
  if (value >= 232) {
    const grey = 8 + (value - 232) * 10;
    return `rgb(${grey} ${grey} ${grey})`;
  }
  const at = value - 16;
  const part = (n: number) => (n === 0 ? 0 : 55 + n * 40);
  return `rgb(${part(Math.floor(at / 36))} ${part(Math.floor(at / 6) % 6)} ${part(at % 6)})`;
}

/** On the dark ground of a terminal. */
const ANSI = [
  ...["#3b4448", "#ff8f86", "#6fd394", "#f0b95a", "#85b8f5", "#c3a2ee", "#62d0bf", "#d5dddf"],
  ...["#7f8f95", "#ffb3ad", "#93e6b2", "#f7d08b", "#aed0fa", "#dbc6f6", "#8ee3d5", "#ffffff"],
];
