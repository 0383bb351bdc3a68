/**
 * The commands of one sandbox: each is heard by whoever listens to it, and ends a while after nobody does any more.
 *
 * @module
 */
import type { ExecLine, ExecStart } from "../api/index.ts";
import { isFault, type Log } from "../base/index.ts";
import type { Client } from "../client/index.ts";
import { Refusal, refusalOf } from "./refusal.ts";

/**
 * Numbers of commands begin here: the kernel gives no process such a number (PID_MAX_LIMIT is 2^22), so none of a
 * sandbox's own processes is ever meant by one.
 */
const NUMBERS_FROM = 2 ** 30;
/** Listeners of one command at once. */
const LISTENERS_MAX = 16;

/** What a command is, as its caller said. */
export interface Said {
  readonly argv: readonly string[];
  readonly cwd: string | undefined;
  /** What this command was given over its sandbox's. */
  readonly envs: Readonly<Record<string, string>>;
  readonly tag: string | undefined;
}

export type Ended = Extract<ExecLine, { readonly type: "ended" }>;
export type Spoken = Exclude<ExecLine, { readonly type: "started" }>;

/** Hears what a command says; resolves when it takes more. */
export type Listener = (line: Spoken) => Promise<void>;

export interface CommandsOptions {
  readonly client: Client;
  readonly run: string;
  readonly log: Log;
  /** How long a command goes on that nobody listens to, milliseconds. */
  readonly lingerMs: number;
}

/** A command that has begun. */
export class Command {
  readonly pid: number;
  readonly said: Said;
  readonly exec: string;
  readonly isTerminal: boolean;
  readonly #listeners = new Set<Listener>();
  readonly #leave: AbortController;
  readonly #lingerMs: number;
  readonly #over = Promise.withResolvers<void>();
  #linger: NodeJS.Timeout | undefined;

  constructor(of: {
    readonly pid: number;
    readonly said: Said;
    readonly exec: string;
    readonly isTerminal: boolean;
    readonly leave: AbortController;
    readonly lingerMs: number;
  }) {
    this.pid = of.pid;
    this.said = of.said;
    this.exec = of.exec;
    this.isTerminal = of.isTerminal;
    this.#leave = of.leave;
    this.#lingerMs = of.lingerMs;
  }

  /** Listens until the command has ended, or `gone`. @throws {Refusal} where too many do. */
  async listen(listener: Listener, gone: AbortSignal): Promise<void> {
    if (this.#listeners.size >= LISTENERS_MAX) {
      throw new Refusal("resource_exhausted", `${LISTENERS_MAX} listen to this command already`);
    }
    clearTimeout(this.#linger);
    this.#listeners.add(listener);
    const left = Promise.withResolvers<void>();
    const leave = () => left.resolve();
    gone.addEventListener("abort", leave, { once: true });
    if (gone.aborted) leave();
    try {
      await Promise.race([this.#over.promise, left.promise]);
    } finally {
      gone.removeEventListener("abort", leave);
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.#waitForSomebody();
    }
  }

  /** Passes a line on; the slowest listener is waited for, so that no line is kept for it. */
  async tell(line: Spoken): Promise<void> {
    await Promise.all([...this.#listeners].map(async (listener) => listener(line)));
    if (line.type === "ended") this.over();
  }

  over(): void {
    clearTimeout(this.#linger);
    this.#over.resolve();
  }

  #waitForSomebody(): void {
    const end = () => this.#leave.abort();
    this.#linger = setTimeout(end, this.#lingerMs).unref();
  }
}

export class Commands {
  readonly #live = new Map<number, Command>();
  readonly #options: CommandsOptions;
  #next = NUMBERS_FROM;

  constructor(options: CommandsOptions) {
    this.#options = options;
  }

  get list(): readonly Command[] {
    return [...this.#live.values()];
  }

  /** By its number or its caller's tag. @throws {Refusal} `not_found` */
  find(of: { readonly pid?: number | undefined; readonly tag?: string | undefined }): Command {
    const found =
      of.pid === undefined
        ? of.tag === undefined
          ? undefined
          : this.list.findLast(({ said }) => said.tag === of.tag)
        : this.#live.get(of.pid);
    if (found !== undefined) return found;
    throw new Refusal("not_found", `no command ${of.pid ?? of.tag ?? "(none named)"} is under way`);
  }

  /** Begins a command, and listens to it until it has ended or `gone`. */
  async run(
    said: Said,
    start: Omit<ExecStart, "run" | "argv">,
    {
      begun,
      listener,
      gone,
    }: { begun: (one: Command) => Promise<void>; listener: Listener; gone: AbortSignal },
  ): Promise<void> {
    const { client, run, lingerMs } = this.#options;
    const leave = new AbortController();
    const stream = client.stream("run.exec", { ...start, run, argv: [...said.argv] }, leave.signal);
    const lines = stream[Symbol.asyncIterator]();
    const first = await lines.next();
    if (first.done === true || first.value.type !== "started") {
      throw new Refusal("unavailable", "the sandbox ended before the command began");
    }
    const pid = this.#next++;
    const isTerminal = start.terminal !== undefined;
    const command = new Command({ pid, said, exec: first.value.exec, isTerminal, leave, lingerMs });
    this.#live.set(pid, command);
    const listening = command.listen(listener, gone); // Before a line is read: it hears them all.
    await begun(command);
    void this.#follow(command, lines);
    await listening;
  }

  async #follow(command: Command, lines: AsyncIterator<ExecLine>): Promise<void> {
    let isOver = false;
    try {
      for (;;) {
        const { done, value } = await lines.next();
        if (done === true) break;
        if (value.type === "started") continue;
        isOver = value.type === "ended";
        if (isOver) this.#live.delete(command.pid);
        await command.tell(value);
      }
    } catch (error) {
      if (!isFault(error)) {
        this.#options.log.warn("e2b.command", { error: refusalOf(error).message });
      }
    } finally {
      this.#live.delete(command.pid);
      if (!isOver) await command.tell({ type: "ended", reason: "cancelled", signal: "SIGKILL" });
    }
  }
}
