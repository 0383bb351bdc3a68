/**
 * The daemon of one home as a program has it, and runs that it makes there.
 *
 * @module
 */
import { execFile } from "node:child_process";
import { resolve } from "node:path";
import { promisify } from "node:util";
import { Fault, isFault, readTextFile, requireOwnFolder } from "../base/index.ts";
import {
  locateHome,
  type Gives,
  type LineageInfo,
  type RunInfo,
  type RunStart,
  type SnapshotInfo,
} from "../api/index.ts";
import { createClient, type Client } from "./client.ts";
import { PROGRAM, readProfile } from "./profile.ts";
import { Sandbox, type Maker } from "./sandbox.ts";

const run = promisify(execFile);

/** Which run: by a task file, its text, or a ready one; without any, `shell`, which reaches nothing. */
export interface CreateOptions {
  readonly task?: string;
  readonly source?: string;
  readonly profile?: string;
  /** The folder that it works on a copy of. */
  readonly workspace?: string;
  /** Values of the variables that the task passes in, and of nothing else. */
  readonly env?: Readonly<Record<string, string>>;
  /** What it is one of: all runs of a job are one thing, with one budget, paused as one. */
  readonly job?: string;
  /** Which agent it is; the task's name where that is not said. */
  readonly agent?: string;
  /** A snapshot that its workspace and HOME begin with. */
  readonly from?: string;
}

/** A daemon that answers. It holds no connection. */
export class Cofferdam implements Maker {
  /** The control contract itself, for what is not here. */
  readonly client: Client;
  readonly home: string;

  constructor(client: Client, home: string) {
    this.client = client;
    this.home = home;
  }

  /** Starts a run that holds still until commands come. */
  async create(options: CreateOptions = {}): Promise<Sandbox> {
    return this.start(orderOf(options));
  }

  /** The same, said in the control contract's own words. */
  async start(order: RunStart): Promise<Sandbox> {
    return new Sandbox(this, await this.client.call("run.start", order), order);
  }

  /** One that there is. */
  async sandbox(run: string): Promise<Sandbox> {
    return new Sandbox(this, await this.client.call("run.show", { run }));
  }

  async runs({ all = false } = {}): Promise<RunInfo[]> {
    return this.client.call("run.list", { all });
  }

  /** Jobs, agents and secrets with runs that live, or that are paused. */
  async lineages(): Promise<LineageInfo[]> {
    return this.client.call("lineage.list", {});
  }

  /** Freezes every run of it (`job:NAME`, `agent:NAME`), and lets none begin until it is resumed. */
  async pause(lineage: string): Promise<Gives<"lineage.pause">> {
    return this.client.call("lineage.pause", { lineage });
  }

  async resume(lineage: string): Promise<Gives<"lineage.resume">> {
    return this.client.call("lineage.resume", { lineage });
  }

  /** Ends every run of it; it stays paused. */
  async kill(lineage: string): Promise<Gives<"lineage.kill">> {
    return this.client.call("lineage.kill", { lineage });
  }

  async snapshots(): Promise<SnapshotInfo[]> {
    return this.client.call("snapshot.list", {});
  }

  async removeSnapshot(snapshot: string): Promise<void> {
    await this.client.call("snapshot.remove", { snapshot });
  }
}

function lineageOf(job?: string, agent?: string): NonNullable<RunStart["lineage"]> {
  return { ...(job === undefined ? {} : { job }), ...(agent === undefined ? {} : { agent }) };
}

function orderOf(options: CreateOptions): RunStart {
  const { task, source, profile, workspace = ".", env = {}, job, agent, from } = options;
  if ([task, source, profile].filter((one) => one !== undefined).length > 1) {
    throw new Fault("client.task", "task, source and profile exclude each other", {
      hint: "give one of them",
    });
  }
  const cwd = resolve(workspace);
  const name = task === undefined && source === undefined ? (profile ?? "shell") : undefined;
  const ofTask = () =>
    task === undefined
      ? { source: source ?? "", fileName: resolve(cwd, "task.yaml") }
      : { source: readTextFile(task, { mayWait: true }), fileName: resolve(task) };
  return {
    ...(name === undefined ? { task: ofTask() } : { task: readProfile(name), profile: name }),
    command: [],
    cwd,
    path: process.env["PATH"] ?? "",
    environment: { ...env },
    detach: true,
    ...(job === undefined && agent === undefined ? {} : { lineage: lineageOf(job, agent) }),
    ...(from === undefined ? {} : { from }),
  };
}

/**
 * The daemon of `home` (else of `COFFERDAM_HOME`, else of this user); with `start`, as usual, one is started where none
 * answers, by the command line, as for whatever needs one.
 *
 * @throws {Fault} `base.folder` where another user could answer in its place, `cli.unreachable`, `cli.daemon`
 */
export async function connect({
  home,
  start = true,
}: { readonly home?: string; readonly start?: boolean } = {}): Promise<Cofferdam> {
  const place = locateHome(home === undefined ? process.env : { COFFERDAM_HOME: home });
  requireOwnFolder(place.root, { isVisit: true }); // Before a word is said.
  const client = createClient(place);
  try {
    await client.call("daemon.status", {});
  } catch (error) {
    if (!start || !isFault(error, "cli.unreachable")) throw error;
    await startDaemon(place.root);
  }
  return new Cofferdam(client, place.root);
}

async function startDaemon(home: string): Promise<void> {
  try {
    await run(PROGRAM, ["ps"], { env: { ...process.env, COFFERDAM_HOME: home } });
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Fault("cli.daemon", `the daemon did not start: ${why}`, { cause });
  }
}
