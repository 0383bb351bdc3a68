/**
 * A Cofferdam of its own for a test: a temporary home, the real command line, and an end.
 *
 * @module
 */
import { execFileSync, spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  locateHome,
  type ApprovalInfo,
  type EndpointName,
  type Entry,
  type Gives,
  type RunInfo,
  type Takes,
} from "../../src/api/index.ts";
import { isFault } from "../../src/base/index.ts";
import { createClient, type Client } from "../../src/client/index.ts";

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

/** A user and group of the host. */
export interface Ids {
  readonly uid: number;
  readonly gid: number;
}

/** A home with its own daemon, and a workspace to run in. */
export class TestHome {
  readonly root: string;
  readonly workspace: string;
  readonly #as: Ids | undefined;

  /** With `as`, which needs root, the command line and so its daemon belong to that user. */
  constructor(as?: Ids) {
    this.#as = as;
    this.root = mkdtempSync(join(tmpdir(), "cofferdam-test-"));
    chmodSync(this.root, 0o755);
    this.workspace = join(this.root, "workspace");
    mkdirSync(this.workspace);
    if (as !== undefined)
      for (const path of [this.root, this.workspace]) chownSync(path, as.uid, as.gid);
  }

  get state(): string {
    return join(this.root, "home");
  }

  /** Starts `cofferdam ARGS`; the caller waits for it. */
  spawn(args: readonly string[], options: CallOptions = {}): ChildProcess {
    return spawn(BIN, args, {
      ...this.#as,
      cwd: options.cwd ?? this.workspace,
      env: {
        ...process.env,
        ...(this.#as && { HOME: this.root }),
        ...options.env,
        COFFERDAM_HOME: this.state,
      },
      stdio: ["pipe", "pipe", "pipe"],
    });
  }

  /** Runs a program of the host as the home's owner. */
  exec(command: string, args: readonly string[]): string {
    const env = { ...process.env, ...(this.#as && { HOME: this.root }) };
    return execFileSync(command, args, { ...this.#as, cwd: this.workspace, env, encoding: "utf8" });
  }

  /** Writes a file of the workspace, the owner's. */
  write(name: string, text: string): void {
    const path = join(this.workspace, name);
    writeFileSync(path, text);
    if (this.#as !== undefined) chownSync(path, this.#as.uid, this.#as.gid);
  }

  /** Runs `cofferdam ARGS` to its end. */
  async call(args: readonly string[], options: CallOptions = {}): Promise<Result> {
    return this.#end(this.spawn(args, options), options);
  }

  /** Runs `script` by sh in `cwd`, with the command line as `$0`. */
  async shell(script: string, cwd: string): Promise<Result> {
    const env = { ...process.env, COFFERDAM_HOME: this.state };
    return this.#end(spawn("sh", ["-c", script, BIN], { cwd, env }), {});
  }

  async #end(child: ChildProcess, options: CallOptions): Promise<Result> {
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

  /**
   * Asks the daemon by the control contract. A command of the command line is a program each time, which costs a test
   * that looks again and again more than all that it looks at.
   */
  async ask<Name extends EndpointName>(name: Name, takes: Takes<Name>): Promise<Gives<Name>> {
    return this.#with((client) => client.call(name, takes));
  }

  /** All entries of the record. */
  async log(): Promise<readonly Entry[]> {
    return this.#with(async (client) => {
      const entries: Entry[] = [];
      for await (const entry of client.stream("log.read", { follow: false })) entries.push(entry);
      return entries;
    });
  }

  /** What waits for a person; with `all`, what did too. */
  async approvals({ all = false } = {}): Promise<readonly ApprovalInfo[]> {
    return this.ask("approvals.list", { all });
  }

  /** The runs that live; with `all`, those that did too. */
  async runs({ all = false } = {}): Promise<readonly RunInfo[]> {
    return this.ask("run.list", { all });
  }

  /** The code on the card of approval `id`, which is shown by this. */
  async codeOf(id: string): Promise<string> {
    return (await this.ask("approvals.show", { id })).code;
  }

  /** As the command line does it, a daemon is started where none answers. */
  async #with<T>(act: (client: Client) => Promise<T>): Promise<T> {
    const client = createClient(locateHome({ COFFERDAM_HOME: this.state }));
    try {
      return await act(client);
    } catch (error) {
      if (!isFault(error) || error.code !== "cli.unreachable") throw error;
      await this.call(["ps"]);
      return act(client);
    }
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
    const pid = this.daemonPid();
    await this.call(["stop", "--force"], { cwd: "/" });
    // It writes its end down yet; without its folder it could not, and would stay.
    if (pid !== undefined)
      await eventually("the daemon's end", 60_000, () => !existsSync(`/proc/${pid}`));
    // What overlayfs leaves is closed to its own owner.
    spawnSync("chmod", ["-R", "u+rwX", this.root]);
    rmSync(this.root, { recursive: true, force: true });
  }
}

/** However long something may take that `eventually` waits for: machines that test are slow and shared. */
const LIMIT_MS_MIN = 60_000;

const LOOK_MS_MIN = 20;
const LOOK_MS_MAX = 250;

/**
 * Waits until `probe` gives a value, at most `limitMs` and at least a minute. What takes long is looked at less often:
 * looking takes time from what is waited for.
 */
export async function eventually<T>(
  what: string,
  limitMs: number,
  probe: () => T | undefined | Promise<T | undefined>,
): Promise<T> {
  const start = Date.now();
  const deadline = start + Math.max(limitMs, LIMIT_MS_MIN);
  for (;;) {
    const value = await probe();
    if (value !== undefined && value !== false) return value;
    if (Date.now() > deadline) throw new Error(`not within ${limitMs} ms: ${what}`);
    const pauseMs = Math.min(Math.max(LOOK_MS_MIN, (Date.now() - start) / 10), LOOK_MS_MAX);
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}
