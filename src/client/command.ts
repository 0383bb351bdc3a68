/**
 * A command in a live run, as its caller has it: a promise of what it left, and a stream of what it says.
 *
 * @module
 */
import { Fault } from "../base/index.ts";
import type { EXEC_SIGNALS, ExecLine, ExecStart, Step } from "../api/index.ts";
import type { Client } from "./client.ts";

/** Of each stream that is kept of a command that is awaited; more is read for nobody, and `isTruncated`. */
const KEPT_BYTES_MAX = 64 << 20;

/** A piece of what a command says. */
export interface Output {
  readonly stream: "stdout" | "stderr";
  readonly data: Buffer;
}

/** How a command ended, and what it said. */
export interface Done {
  readonly exec: string;
  /** Its number on the record; -1, and no `exec`, of one that an ended run never began (`Env.step`). */
  readonly entry: number;
  /** Ended itself, with 0. */
  readonly ok: boolean;
  readonly code: number | undefined;
  readonly signal: string | undefined;
  readonly reason: Extract<ExecLine, { readonly type: "ended" }>["reason"];
  readonly detail: string | undefined;
  readonly stdout: string;
  readonly stderr: string;
  readonly isTruncated: boolean;
}

export interface ExecOptions {
  /** Where the training framework is; the sandbox's own step where it is not said. */
  readonly step?: Step;
  /** What the record calls it. */
  readonly label?: string;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** All of its input. */
  readonly stdin?: string | Uint8Array;
  /** More input comes by `input`. */
  readonly interactive?: boolean;
  readonly terminal?: { readonly columns: number; readonly rows: number };
  /** Ends it, and all that it started; whoever waits for it gets the signal's reason. */
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
  readonly onStdout?: (data: Buffer) => void;
  readonly onStderr?: (data: Buffer) => void;
  /** Rejects with `client.command` where it does not end with 0. */
  readonly check?: boolean;
}

/** What a command is begun with, in the contract's words; a text is a line for `sh`. */
export function execStartOf(
  run: string,
  argv: string | readonly string[],
  options: ExecOptions,
): ExecStart {
  const { step, label, cwd, env, stdin, interactive, terminal, timeoutMs } = options;
  return {
    run,
    argv: typeof argv === "string" ? ["sh", "-c", argv] : [...argv],
    ...(step === undefined ? {} : { step }),
    ...(label === undefined ? {} : { label }),
    ...(cwd === undefined ? {} : { cwd }),
    ...(env === undefined ? {} : { environment: { ...env } }),
    ...(stdin === undefined ? {} : { stdin: Buffer.from(stdin).toString("base64") }),
    ...(interactive === undefined ? {} : { interactive }),
    ...(terminal === undefined ? {} : { terminal: { ...terminal } }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  };
}

/**
 * A command under way; it begins when it is made. Await it for all that it left, or iterate over it for its output as it
 * comes, of which nothing is kept then. Whoever leaves the iteration cancels it, with all that it started.
 */
export class Command implements PromiseLike<Done>, AsyncIterable<Output> {
  readonly #client: Client;
  readonly #run: string;
  readonly #options: ExecOptions;
  readonly #lines: AsyncIterator<ExecLine>;
  /** Its id and its number on the record. */
  readonly started: Promise<{ readonly exec: string; readonly entry: number }>;
  #end: Extract<ExecLine, { readonly type: "ended" }> | undefined;
  #done: Promise<Done> | undefined;
  #isRead = false;

  constructor(client: Client, start: ExecStart, options: ExecOptions) {
    this.#client = client;
    this.#run = start.run;
    this.#options = options;
    const { signal } = options;
    this.#lines = client.stream("run.exec", start, signal)[Symbol.asyncIterator]();
    // Whoever reads has the lines end under them; where nobody does, this ends them.
    signal?.addEventListener("abort", () => void this.#lines.return?.(), { once: true });
    this.started = this.#begin();
    this.started.catch(() => {}); // Told to whoever waits for it, or for the end.
  }

  /** Its output, once. Throws what kept it from beginning, or the reason of the signal that ended it. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Output, void> {
    if (this.#isRead) throw new Fault("client.read", "the output of a command is read once");
    this.#isRead = true;
    try {
      await this.started;
      for (
        let next = await this.#lines.next();
        next.done !== true;
        next = await this.#lines.next()
      ) {
        const line = next.value;
        if (line.type === "ended") this.#end = line;
        if (line.type !== "stdout" && line.type !== "stderr") continue;
        const data = Buffer.from(line.data, "base64");
        (line.type === "stdout" ? this.#options.onStdout : this.#options.onStderr)?.(data);
        yield { stream: line.type, data };
      }
      this.#options.signal?.throwIfAborted();
      if (this.#end === undefined) throw brokenOff();
    } finally {
      await this.#lines.return?.();
    }
  }

  // eslint-disable-next-line unicorn/no-thenable -- To be awaited is what it is for.
  then<T = Done, E = never>(
    resolve?: ((done: Done) => T | PromiseLike<T>) | null,
    reject?: ((error: unknown) => E | PromiseLike<E>) | null,
  ): Promise<T | E> {
    this.#done ??= this.#collect();
    return this.#done.then(resolve, reject);
  }

  /** Gives a command that is `interactive` more to read; with `end`, that was all. */
  async input(data: string | Uint8Array, { end = false } = {}): Promise<void> {
    const { exec } = await this.started;
    const said = Buffer.from(data).toString("base64");
    await this.#client.call("exec.input", { run: this.#run, exec, data: said, end });
  }

  /** To its process group. */
  async kill(signal: (typeof EXEC_SIGNALS)[number] = "SIGTERM"): Promise<void> {
    const { exec } = await this.started;
    await this.#client.call("exec.signal", { run: this.#run, exec, signal });
  }

  /** Ends it and all that it started; its end is told as `cancelled`. */
  async cancel(): Promise<void> {
    const { exec } = await this.started;
    await this.#client.call("exec.cancel", { run: this.#run, exec });
  }

  async #begin(): Promise<{ readonly exec: string; readonly entry: number }> {
    const first = await this.#lines.next();
    this.#options.signal?.throwIfAborted();
    if (first.done === true || first.value.type !== "started") throw brokenOff();
    const { exec, entry } = first.value;
    return { exec, entry };
  }

  async #collect(): Promise<Done> {
    const kept = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
    const bytes = { stdout: 0, stderr: 0 };
    let isTruncated = false;
    const isFirst = !this.#isRead;
    if (isFirst) {
      for await (const { stream, data } of this) {
        const piece = data.subarray(0, KEPT_BYTES_MAX - bytes[stream]);
        isTruncated ||= piece.length < data.length;
        bytes[stream] += piece.length;
        kept[stream].push(piece);
      }
    }
    const end = this.#end;
    if (end === undefined) throw brokenOff();
    const done: Done = {
      ...(await this.started),
      ok: end.reason === "exited" && end.code === 0,
      code: end.code,
      signal: end.signal,
      reason: end.reason,
      detail: end.detail,
      stdout: Buffer.concat(kept.stdout).toString(),
      stderr: Buffer.concat(kept.stderr).toString(),
      isTruncated,
    };
    if (this.#options.check === true && !done.ok) throw failed(done);
    return done;
  }
}

function brokenOff(): Fault {
  return new Fault(
    "client.broken",
    "the command was left, or the daemon broke off, before its end",
  );
}

function failed({ exec, reason, code, signal, detail, stderr }: Done): Fault {
  const how = detail ?? (code === undefined ? signal : `status ${code}`);
  return new Fault("client.command", `${exec} ${reason}: ${how}: ${stderr.trim().slice(-400)}`);
}
