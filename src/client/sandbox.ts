/**
 * A run as its caller has it: commands, files, snapshots, what was recorded and noticed of it.
 *
 * @module
 */
import { execFile } from "node:child_process";
import type { Readable } from "node:stream";
import { promisify } from "node:util";
import { Fault, isFault } from "../base/index.ts";
import type { Entry, FileInfo, Gives, RunInfo, RunStart, Step } from "../api/index.ts";
import type { Client } from "./client.ts";
import { Command, execStartOf, type ExecOptions } from "./command.ts";
import { PROGRAM } from "./profile.ts";

const run = promisify(execFile);
const REPORT_BYTES_MAX = 256 << 20;

export type IncidentFormat = "md" | "html" | "ocsf" | "aiid" | "atlas";

/** Whose daemon a sandbox is at, and who makes others there. */
export interface Maker {
  readonly client: Client;
  /** The folder of the daemon's state. */
  readonly home: string;
  start(order: RunStart): Promise<Sandbox>;
}

/** Files of a run, as the run itself sees them. Paths are absolute; bytes of any length in constant memory. */
export class Files {
  readonly #sandbox: Sandbox;

  constructor(sandbox: Sandbox) {
    this.#sandbox = sandbox;
  }

  /** Its bytes as they come; whoever destroys the stream ends the reading in the run. */
  async open(path: string): Promise<Readable> {
    return this.#client.download(this.#at(path));
  }

  async read(path: string): Promise<Buffer> {
    return Buffer.concat((await (await this.open(path)).toArray()) as Buffer[]);
  }

  /** Whole or not at all; folders on the way are made. Gives its length. */
  async write(
    path: string,
    content: string | Uint8Array | AsyncIterable<Uint8Array>,
    { mode }: { readonly mode?: string } = {},
  ): Promise<number> {
    const of = { ...this.#at(path), ...(mode === undefined ? {} : { mode }) };
    return this.#client.upload(of, pieces(content));
  }

  async list(path: string, depth = 1): Promise<FileInfo[]> {
    return this.#client.call("file.list", { ...this.#at(path), depth });
  }

  async stat(path: string): Promise<FileInfo> {
    return this.#client.call("file.stat", this.#at(path));
  }

  /** A file, or a folder with all in it. */
  async remove(path: string): Promise<void> {
    await this.#client.call("file.remove", this.#at(path));
  }

  async move(path: string, to: string): Promise<void> {
    await this.#client.call("file.move", { ...this.#at(path), to });
  }

  async makeFolder(path: string): Promise<void> {
    await this.#client.call("file.folder", this.#at(path));
  }

  get #client(): Client {
    return this.#sandbox.host.client;
  }

  #at(path: string) {
    const { run, step } = this.#sandbox;
    return { run, path, ...(step === undefined ? {} : { step }) };
  }
}

async function* pieces(content: string | Uint8Array | AsyncIterable<Uint8Array>) {
  if (typeof content === "string") yield Buffer.from(content);
  else if (content instanceof Uint8Array) yield content;
  else yield* content;
}

/** A run without an agent: it holds still until commands come. `await using` kills it in the end. */
export class Sandbox implements AsyncDisposable {
  readonly host: Maker;
  readonly run: string;
  readonly workspace: string;
  /** Number of its first entry on the record. */
  readonly first: number;
  readonly files: Files;
  /** What every command and file carries for which no other step is said. */
  step: Step | undefined;
  readonly #order: RunStart | undefined;

  constructor(host: Maker, info: RunInfo, order?: RunStart) {
    this.host = host;
    this.run = info.run;
    this.workspace = info.workspace;
    this.first = info.entries.first;
    this.files = new Files(this);
    this.#order = order;
  }

  /** Begins a command: await it, or iterate over it. */
  exec(argv: string | readonly string[], options: ExecOptions = {}): Command {
    const said = options.step ?? this.step;
    const all = said === undefined ? options : { ...options, step: said };
    return new Command(this.host.client, execStartOf(this.run, argv, all), options);
  }

  async info(): Promise<RunInfo> {
    return this.host.client.call("run.show", { run: this.run });
  }

  /** Keeps what it made of its workspace and HOME; gives the snapshot's id, with which others are created. */
  async snapshot(): Promise<string> {
    return (await this.host.client.call("run.snapshot", { run: this.run })).snapshot;
  }

  /**
   * Another run of the same task that begins with the files of now. Processes are not copied. For many of one state take
   * {@link snapshot} once.
   *
   * @throws {Fault} `client.fork` where it was not created by this client.
   */
  async fork(): Promise<Sandbox> {
    if (this.#order === undefined) {
      throw new Fault("client.fork", `how ${this.run} was started is not known here`, {
        hint: "create({ from: await sandbox.snapshot() }), with its task",
      });
    }
    const from = await this.snapshot();
    try {
      return await this.host.start({ ...this.#order, from });
    } finally {
      await this.host.client.call("snapshot.remove", { snapshot: from });
    }
  }

  async pause(): Promise<RunInfo> {
    return this.host.client.call("run.pause", { run: this.run });
  }

  async resume(): Promise<RunInfo> {
    return this.host.client.call("run.resume", { run: this.run });
  }

  /** Ends it, if it has not ended; its record and its changes stay. */
  async kill(): Promise<RunInfo> {
    try {
      return await this.host.client.call("run.kill", { run: this.run });
    } catch (error) {
      const has = isFault(error, "daemon.state") || isFault(error, "daemon.no_such_run");
      if (has) return this.info();
      throw error;
    }
  }

  /** Every event of the run from now on says so, whatever causes it. */
  async setStep(step: Step): Promise<void> {
    await this.host.client.call("run.step", { run: this.run, ...step });
  }

  async diff(): Promise<Gives<"workspace.diff">> {
    return this.host.client.call("workspace.diff", { run: this.run });
  }

  /** Throws its changes away; it must have ended. */
  async discard(): Promise<void> {
    await this.host.client.call("workspace.discard", { run: this.run });
  }

  /** Its entries of the record, from the first or from number `since`; with `follow` on as they are made. */
  events(
    of: {
      readonly follow?: boolean;
      readonly types?: readonly Entry["type"][];
      readonly since?: number;
      readonly signal?: AbortSignal;
    } = {},
  ): AsyncIterable<Entry> {
    const { follow = false, types, since = this.first, signal } = of;
    const asked = {
      run: this.run,
      follow,
      from: since,
      ...(types === undefined ? {} : { types: [...types] }),
    };
    return this.host.client.stream("log.read", asked, signal);
  }

  /** What was noticed of it: `data.finding` is the kind, `cause.step` whose doing it was. */
  async findings(since?: number): Promise<Entry[]> {
    const found: Entry[] = [];
    const of = { types: ["finding"] as const, ...(since === undefined ? {} : { since }) };
    for await (const entry of this.events(of)) found.push(entry);
    return found;
  }

  /**
   * The incident report, as `cofferdam incident` makes it: by a process of its own that reads the record, verifies it and
   * proves each entry that the report cites. The daemon, which wrote the record, is not asked to vouch for it (0462).
   *
   * @throws {Fault} `client.incident` where there is none, or not all of it is proven.
   */
  async incident(format: IncidentFormat = "md"): Promise<string> {
    try {
      const made = await run(PROGRAM, ["incident", this.run, "--format", format], {
        env: { ...process.env, COFFERDAM_HOME: this.host.home },
        maxBuffer: REPORT_BYTES_MAX,
      });
      return made.stdout;
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new Fault("client.incident", `no proven report of ${this.run}: ${why}`, { cause });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}
