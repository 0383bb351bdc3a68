/**
 * A Cofferdam of its own for a test: a temporary home, the real command line, and an end.
 *
 * @module
 */
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Entry } from "../../src/api/index.ts";

export const BIN = join(import.meta.dirname, "..", "..", "bin", "cofferdam");

/** What a command of the command line left. */
export interface Result {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CallOptions {
  readonly cwd?: string;
  readonly input?: string | Buffer;
  readonly env?: Readonly<Record<string, string>>;
}

/** A home with its own daemon, and a workspace to run in. */
export class TestHome {
  readonly root: string;
  readonly workspace: string;
  readonly #uid: number | undefined;

  /** `uid`: who shall own it and call, where root runs the tests and it is not root. */
  constructor(uid?: number) {
    this.#uid = uid;
    this.root = mkdtempSync(join(tmpdir(), "cofferdam-test-"));
    chmodSync(this.root, 0o755);
    this.workspace = join(this.root, "workspace");
    mkdirSync(this.workspace);
    if (uid !== undefined)
      for (const path of [this.root, this.workspace]) chownSync(path, uid, uid);
  }

  get state(): string {
    return join(this.root, "home");
  }

  /** Starts `cofferdam ARGS`; the caller waits for it. */
  spawn(args: readonly string[], options: CallOptions = {}): ChildProcess {
    const [program = "", ...rest] = this.#argv([BIN, ...args]);
    return spawn(program, rest, {
      cwd: options.cwd ?? this.workspace,
      env: this.#env({ ...options.env, COFFERDAM_HOME: this.state }),
      stdio: ["pipe", "pipe", "pipe"],
    });
  }

  /** Runs a program of the host as the home's owner. */
  exec(command: string, args: readonly string[]): string {
    const [program = "", ...rest] = this.#argv([command, ...args]);
    const options = { cwd: this.workspace, env: this.#env({}), encoding: "utf8" } as const;
    return execFileSync(program, rest, options);
  }

  /** Writes a file of the workspace, the owner's. */
  write(name: string, text: string): void {
    const path = join(this.workspace, name);
    writeFileSync(path, text);
    if (this.#uid !== undefined) chownSync(path, this.#uid, this.#uid);
  }

  #argv(argv: readonly string[]): readonly string[] {
    if (this.#uid === undefined) return argv;
    const to = [`--reuid=${this.#uid}`, `--regid=${this.#uid}`, "--clear-groups"];
    return ["setpriv", ...to, "--inh-caps=-all", "--", ...argv];
  }

  #env(more: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
    return { ...process.env, ...(this.#uid !== undefined && { HOME: this.root }), ...more };
  }

  /** Runs `cofferdam ARGS` to its end. */
  async call(args: readonly string[], options: CallOptions = {}): Promise<Result> {
    const child = this.spawn(args, options);
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout?.on("data", (data: Buffer) => out.push(data));
    child.stderr?.on("data", (data: Buffer) => err.push(data));
    child.stdin?.on("error", () => {});
    child.stdin?.end(options.input ?? "");
    const [code] = (await once(child, "close")) as [number | null];
    return {
      code,
      stdout: Buffer.concat(out).toString("utf8"),
      stderr: Buffer.concat(err).toString("utf8"),
    };
  }

  /** Runs CMD in a cofferdam. */
  async run(
    cmd: readonly string[],
    args: readonly string[] = [],
    options: CallOptions = {},
  ): Promise<Result> {
    return this.call(["run", ...args, "--", ...cmd], options);
  }

  /** All entries of the record. */
  async log(): Promise<readonly Entry[]> {
    const { stdout } = await this.call(["log", "--json"]);
    return stdout
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as Entry);
  }

  /** The daemon's process id, or undefined where none runs. */
  daemonPid(): number | undefined {
    try {
      const log = readFileSync(join(this.state, "daemon.log"), "utf8");
      const ready = log.split("\n").findLast((line) => line.includes('"daemon.ready"'));
      return ready === undefined ? undefined : (JSON.parse(ready) as { pid: number }).pid;
    } catch {
      return undefined;
    }
  }

  /** Ends the daemon and removes everything. */
  async close(): Promise<void> {
    await this.call(["stop", "--force"], { cwd: "/" });
    rmSync(this.root, { recursive: true, force: true });
  }
}

/** Waits until `probe` gives a value, at most `limitMs`. */
export async function eventually<T>(
  what: string,
  limitMs: number,
  probe: () => T | undefined | Promise<T | undefined>,
): Promise<T> {
  const deadline = Date.now() + limitMs;
  for (;;) {
    const value = await probe();
    if (value !== undefined && value !== false) return value;
    if (Date.now() > deadline) throw new Error(`not within ${limitMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
