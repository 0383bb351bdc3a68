/**
 * The gym-like surface for trainers: `make`, then `reset`, `step` and `close`, with results in Gymnasium's order.
 *
 * An action is a command, an observation what came of it, a reward what the trainer's own function says. Trajectory,
 * episode and step are counted here and travel with every command. Step 0 of an episode is its setup; the first action is
 * step 1.
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import { describeError, Fault, isFault } from "../base/index.ts";
import type { Entry, RunInfo, Step } from "../api/index.ts";
import { connect, type Cofferdam, type CreateOptions } from "./cofferdam.ts";
import type { Done, ExecOptions } from "./command.ts";
import type { Sandbox } from "./sandbox.ts";

/** What an environment is made of, beside which run. */
export interface EnvSpec extends CreateOptions {
  /** Commands that make the first state; it is kept, and each episode begins with it. */
  readonly setup?: readonly (string | readonly string[])[];
  /** Of an episode; then it is truncated. */
  readonly maxSteps?: number;
  /** For each command; then it is ended and the episode truncated. */
  readonly timeoutMs?: number;
  /** An episode in which something was noticed is truncated. */
  readonly endsOnFinding?: boolean;
}

export interface EnvOptions<Observation> {
  readonly reward: (env: Env<Observation>, done: Done) => number;
  /** Makes observations; of a `reset` there is no command. */
  readonly observe: (env: Env<Observation>, done: Done | undefined) => Observation;
  /** Whether the task is over: then the episode is terminated. */
  readonly isOver?: (env: Env<Observation>, done: Done) => boolean;
  /** Its name on the record; one is made up where it is not said. */
  readonly trajectory?: string;
  /** Of an environment of the same spec: its setup is not run again. */
  readonly snapshot?: string;
  readonly host?: Cofferdam;
}

/** What a trainer is told beside the observation. */
export interface EnvInfo extends Step {
  readonly run: string;
  readonly seed: number | undefined;
  readonly state: RunInfo["state"];
  /** The command's id, and its number on the record; of `reset` neither. */
  readonly exec: string | undefined;
  readonly entry: number | undefined;
  /** What was noticed since the step before; of `reset`, what showed behind the last step of the episode before. */
  readonly findings: readonly Entry[];
}

export type Action = string | readonly string[];

/** One trajectory's world; made by {@link make}. One step at a time. */
export class Env<Observation> implements AsyncDisposable {
  readonly host: Cofferdam;
  readonly trajectory: string;
  /** Findings of this episode; those that came behind its last step are here when it is closed. */
  findings: Entry[] = [];
  /** The state behind setup, from which each episode begins. */
  snapshot: string | undefined;
  readonly #spec: EnvSpec;
  readonly #options: EnvOptions<Observation>;
  #episode = 0;
  #step = 0;
  #seed: number | undefined;
  #sandbox: Sandbox | undefined;
  #isOver = true;
  #known = 0;
  #next = 0;

  constructor(host: Cofferdam, spec: EnvSpec, options: EnvOptions<Observation>) {
    this.host = host;
    this.#spec = spec;
    this.#options = options;
    this.trajectory = options.trajectory ?? `t-${randomBytes(6).toString("hex")}`;
    this.snapshot = options.snapshot;
  }

  /** The run of the episode that is under way: for files, or a reward that has to look. */
  get sandbox(): Sandbox {
    if (this.#sandbox !== undefined) return this.#sandbox;
    throw new Fault("client.env", "there is no episode yet", { hint: "call reset() first" });
  }

  /** A fresh run, in the state behind setup. `seed` is the commands' `COFFERDAM_SEED`. */
  async reset({ seed }: { readonly seed?: number } = {}): Promise<readonly [Observation, EnvInfo]> {
    const late = await this.#finish();
    this.#episode += 1;
    this.#step = 0;
    this.#seed = seed;
    this.#known = 0;
    this.findings = [];
    const { setup = [], timeoutMs } = this.#spec;
    const from = this.snapshot ?? this.#spec.from;
    const sandbox = await this.host.create({
      ...this.#spec,
      ...(from === undefined ? {} : { from }),
    });
    this.#sandbox = sandbox;
    this.#next = sandbox.first;
    sandbox.step = this.#at();
    if (this.snapshot === undefined && setup.length > 0) {
      const options = {
        label: "setup",
        check: true,
        ...(timeoutMs === undefined ? {} : { timeoutMs }),
      };
      for (const argv of setup) await sandbox.exec(argv, options);
      this.snapshot = await sandbox.snapshot();
    }
    this.#isOver = false;
    return [this.#options.observe(this, undefined), await this.#info(undefined, late)];
  }

  /**
   * Runs a command. Gives observation, reward, terminated (the task is over, or the run ended), truncated (steps are up,
   * the command's time was, or something was noticed), and what is to be told.
   */
  async step(action: Action): Promise<readonly [Observation, number, boolean, boolean, EnvInfo]> {
    if (this.#isOver) {
      throw new Fault("client.env", "the episode is over", { hint: "call reset() first" });
    }
    const { maxSteps = Infinity, timeoutMs, endsOnFinding = false } = this.#spec;
    const { sandbox } = this;
    this.#step += 1;
    sandbox.step = this.#at();
    const done = await this.#do(action, {
      ...(this.#seed === undefined ? {} : { env: { COFFERDAM_SEED: `${this.#seed}` } }),
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    });
    const info = await this.#info(done.exec === "" ? undefined : done);
    const isEnded = done.reason === "run" || info.state === "ended";
    const terminated = isEnded || this.#options.isOver?.(this, done) === true;
    const truncated =
      done.reason === "timeout" ||
      this.#step >= maxSteps ||
      (endsOnFinding && this.findings.length > 0);
    this.#isOver = terminated || truncated;
    const { observe, reward } = this.#options;
    return [observe(this, done), reward(this, done), terminated, truncated, info];
  }

  /** A run that ended between two steps, by its lifetime or by a person, ends the episode and is no failure. */
  async #do(action: Action, options: ExecOptions): Promise<Done> {
    const { sandbox } = this;
    try {
      return await sandbox.exec(action, options);
    } catch (error) {
      if (!isFault(error, "daemon.state") || (await sandbox.info()).state !== "ended") throw error;
      const detail = describeError(error);
      const how = { ok: false, code: undefined, signal: undefined, reason: "run", detail } as const;
      return { exec: "", entry: -1, ...how, stdout: "", stderr: "", isTruncated: false };
    }
  }

  /**
   * Ends the run of the episode, and throws away what it changed. Its record stays. `findings` then has also what was
   * noticed behind the last step: some things show only when they end.
   */
  async close(): Promise<void> {
    await this.#finish();
  }

  /** What came behind the last step. Asked for in any case: what was merged shows in no count. */
  async #finish(): Promise<readonly Entry[]> {
    const sandbox = this.#sandbox;
    this.#sandbox = undefined;
    this.#isOver = true;
    if (sandbox === undefined) return [];
    try {
      await sandbox.kill();
      return await this.#notice(sandbox);
    } finally {
      await sandbox.discard();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #at(): Step {
    return { trajectory: this.trajectory, episode: `e-${this.#episode}`, step: this.#step };
  }

  async #info(done: Done | undefined, late: readonly Entry[] = []): Promise<EnvInfo> {
    const { run, state, counts } = await this.sandbox.info();
    const isNew = counts.findings !== this.#known;
    this.#known = counts.findings;
    const findings = [...late, ...(isNew ? await this.#notice(this.sandbox) : [])];
    const { exec, entry } = done ?? {};
    return { run, ...this.#at(), seed: this.#seed, state, exec, entry, findings };
  }

  /** What was noticed since it was last asked. */
  async #notice(sandbox: Sandbox): Promise<readonly Entry[]> {
    const findings = await sandbox.findings(this.#next);
    this.#next = (findings.at(-1)?.seq ?? this.#next - 1) + 1;
    this.findings.push(...findings);
    return findings;
  }
}

/** What a command left, where the trainer makes nothing else of it. */
export interface PlainObservation {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number | undefined;
}

type Given<Observation> = Omit<EnvOptions<Observation>, "observe">;

/** Makes an environment; nothing runs before its first `reset`. */
export async function make(
  spec: EnvSpec,
  options: Given<PlainObservation>,
): Promise<Env<PlainObservation>>;
export async function make<Observation>(
  spec: EnvSpec,
  options: EnvOptions<Observation>,
): Promise<Env<Observation>>;
export async function make(
  spec: EnvSpec,
  options: Given<PlainObservation> & { readonly observe?: unknown },
): Promise<Env<PlainObservation>> {
  const host = options.host ?? (await connect());
  return new Env<PlainObservation>(host, spec, { observe: plainObservation, ...options } as never);
}

function plainObservation(
  _: Env<PlainObservation>,
  { stdout = "", stderr = "", code }: Partial<Done> = {},
): PlainObservation {
  return { stdout, stderr, code };
}
