/**
 * One recording: a file that grows with what a terminal shows, in the form of asciicast v2
 * (https://docs.asciinema.org/manual/asciicast/v2/): a header in JSON, then an event a line, `[seconds, "o", text]` for
 * output and `[seconds, "r", "COLUMNSxROWS"]` for another size.
 *
 * What is typed is not in it, but where the terminal echoed it (docs/decisions/0304). Lines are only ever appended, whole;
 * of a process that dies the last may be torn, and all before it stand.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { mkdir, open, rm, type FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import { Fault, type Clock } from "../base/index.ts";
import { createRedaction, type Redactor } from "../vault/index.ts";

/** A terminal: its size in characters, and what it says it is (`TERM`). */
export interface Terminal {
  readonly columns: number;
  readonly rows: number;
  readonly term?: string | undefined;
}

/** A recording that is over, as the outcome in the ledger holds it: INV-129. */
export interface Sealed {
  readonly id: string;
  /** Length of the file, and its SHA-256 in hex; that is absent where the file could not be finished. */
  readonly bytes: number;
  readonly sha256?: string;
  /** RFC 3339. */
  readonly startedAt: string;
  readonly seconds: number;
  /** Whether it goes to the end of what was recorded; else `end` says what ended it. */
  readonly isComplete: boolean;
  readonly end?: string;
}

export interface RecordingOptions {
  readonly id: string;
  readonly path: string;
  readonly clock: Clock;
  readonly terminal: Terminal;
  readonly title: string;
  /** Members of the header that are ours; players pass over them. */
  readonly about: Readonly<Record<string, string>>;
  /** What must not be in it, in any spelling. */
  readonly secrets: readonly string[];
  /**
   * Takes room for so many bytes more.
   *
   * @throws {Fault} `recording.full`
   */
  readonly take: (bytes: number) => void;
}

export class Recording {
  readonly id: string;
  readonly #options: RecordingOptions;
  readonly #file: FileHandle;
  readonly #begun: { readonly wallMs: number; readonly monoMs: number };
  readonly #hash = createHash("sha256");
  readonly #redactor: Redactor;
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  #bytes = 0;
  #seconds = 0;
  /** Why nothing more is taken. */
  #failure: unknown;
  #turn: Promise<void> = Promise.resolve();

  private constructor(options: RecordingOptions, file: FileHandle) {
    this.id = options.id;
    this.#options = options;
    this.#file = file;
    this.#begun = options.clock.now();
    this.#redactor = createRedaction(options.secrets).stream();
  }

  /** Makes the file, which must not be there yet, and writes the header. @throws {Fault} as {@link shows} */
  static async open(options: RecordingOptions): Promise<Recording> {
    const file = await mkdir(dirname(options.path), { recursive: true, mode: 0o700 })
      .then(() => open(options.path, "ax", 0o600))
      .catch(unwritten);
    const recording = new Recording(options, file);
    const { columns, rows, term } = options.terminal;
    const header = {
      version: 2,
      width: columns,
      height: rows,
      timestamp: Math.floor(recording.#begun.wallMs / 1000),
      title: options.title,
      ...(term === undefined ? {} : { env: { TERM: term } }),
      cofferdam: options.about,
    };
    try {
      await recording.#write(() => JSON.stringify(header));
    } catch (error) {
      await file.close();
      await rm(options.path);
      throw error;
    }
    return recording;
  }

  get startedAt(): string {
    return new Date(this.#begun.wallMs).toISOString();
  }

  /** Bytes that are in the file, and how long it is since it began. */
  get sofar(): { readonly bytes: number; readonly seconds: number } {
    return { bytes: this.#bytes, seconds: this.#seconds };
  }

  /**
   * Resolves when `bytes` are in the file, but for an end that could begin a secret.
   *
   * @throws {Fault} `recording.full`, `recording.write`; from then on nothing is taken any more.
   */
  async shows(bytes: Uint8Array): Promise<void> {
    await this.#write(() => this.#output(this.#redactor.push(bytes), true));
  }

  async resizes({ columns, rows }: Terminal): Promise<void> {
    await this.#write(() => this.#event("r", `${columns}x${rows}`));
  }

  /**
   * Writes what was held back, has all of it on disk, and closes the file.
   *
   * @param end why it ends before what it records does.
   */
  async seal(end?: string): Promise<Sealed> {
    await this.#write(() => this.#output(this.#redactor.end(), false)).catch(() => {});
    let sha256: string | undefined;
    try {
      await this.#file.truncate(this.#bytes); // What a failed write left of a line.
      await this.#file.sync();
      sha256 = this.#hash.digest("hex");
    } catch (error) {
      this.#failure ??= error;
    } finally {
      await this.#file.close().catch(() => {});
    }
    const why = this.#failure instanceof Error ? this.#failure.message : end;
    return {
      id: this.id,
      bytes: this.#bytes,
      ...(sha256 === undefined ? {} : { sha256 }),
      startedAt: this.startedAt,
      seconds: this.#seconds,
      isComplete: why === undefined,
      ...(why === undefined ? {} : { end: why }),
    };
  }

  #output(bytes: Uint8Array, stream: boolean): string {
    const text = this.#decoder.decode(bytes, { stream });
    return text === "" ? "" : this.#event("o", text);
  }

  #event(kind: "o" | "r", data: string): string {
    const seconds = Math.round(this.#options.clock.now().monoMs - this.#begun.monoMs) / 1000;
    this.#seconds = Math.max(this.#seconds, seconds); // Times in a cast never go back.
    return JSON.stringify([this.#seconds, kind, data]);
  }

  /** Appends the line that `make` makes, behind all before it. */
  #write(make: () => string): Promise<void> {
    const turn = this.#turn.then(async () => {
      if (this.#failure !== undefined) throw this.#failure;
      try {
        const text = make();
        if (text === "") return;
        const line = Buffer.from(`${text}\n`);
        this.#options.take(line.length);
        await this.#file.appendFile(line).catch(unwritten);
        this.#hash.update(line);
        this.#bytes += line.length;
      } catch (error) {
        this.#failure = error;
        throw error;
      }
    });
    this.#turn = turn.catch(() => {});
    return turn;
  }
}

function unwritten(cause: unknown): never {
  throw new Fault(
    "recording.write",
    "the recording cannot be written, so what it records is ended",
    {
      cause,
      hint: "see whether the disk of the state folder is full",
    },
  );
}
