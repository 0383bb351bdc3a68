/**
 * The sandboxes of an adapter: runs that hold still, each of one key, with a token of its own and a time. They end with
 * the adapter; what another one left behind when it was killed is ended by the next.
 *
 * @module
 */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { RunInfo } from "../api/index.ts";
import { describeError, isFault, type Log } from "../base/index.ts";
import type { Client } from "../client/index.ts";
import { Commands } from "./commands.ts";
import { keyName } from "./keys.ts";
import { Refusal } from "./refusal.ts";
import type { Template } from "./templates.ts";

/** Says on a run that it is a sandbox of an adapter, and whose. */
const KEY_LABEL = "e2b.key";
const TOKEN_BYTES = 32;
/** Sandboxes that have ended and are still known, so that who asks for one with its token hears that it has. */
const ENDED_KEPT = 1000;
/** Why a run is paused that its adapter, or its operator, paused; whatever Cofferdam finds meanwhile stands there instead. */
const BY_HAND = "by hand";
/** Requests to one sandbox at once, streams among them. */
const REQUESTS_MAX = 128;

export interface SandboxOrder {
  /** As {@link ApiKeys.idOf} tells it apart. */
  readonly key: string;
  readonly template: Template;
  readonly metadata: Readonly<Record<string, string>>;
  readonly envs: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly onTimeout: "kill" | "pause";
}

/** One sandbox; its id is its run's. */
export class Sandbox {
  readonly id: string;
  readonly order: SandboxOrder;
  /** For everything that is done inside. */
  readonly token = randomBytes(TOKEN_BYTES).toString("hex");
  readonly commands: Commands;
  /** Wall clock, milliseconds. */
  readonly startedMs: number;
  endsMs: number;
  /** It has ended, as far as is known here; the daemon is asked anew each time. */
  isEnded = false;
  /** Its key paused it, and may have it go on. */
  isPaused = false;
  #requests = 0;

  constructor(info: RunInfo, order: SandboxOrder, commands: Commands) {
    this.id = info.run;
    this.order = order;
    this.commands = commands;
    this.startedMs = Date.parse(info.startedAt);
    this.endsMs = this.startedMs + order.timeoutMs;
  }

  /** When it ends whatever its caller wishes: the task file says so. */
  get lastMs(): number {
    return this.startedMs + this.order.template.lifetimeMs;
  }

  /** Counts a request in; gives what counts it out. @throws {Refusal} where there are too many. */
  enter(): () => void {
    if (this.#requests >= REQUESTS_MAX) {
      throw new Refusal(
        "resource_exhausted",
        `${REQUESTS_MAX} requests to ${this.id} are under way`,
      );
    }
    this.#requests += 1;
    return () => (this.#requests -= 1);
  }
}

/** A sandbox that lives, and its run. */
export interface Living {
  readonly sandbox: Sandbox;
  readonly info: RunInfo;
}

export interface SandboxesOptions {
  readonly client: Client;
  readonly log: Log;
  readonly lingerMs: number;
  /** Of one key at once. */
  readonly sandboxesMax: number;
}

export class Sandboxes {
  readonly #all = new Map<string, Sandbox>();
  readonly #timers = new Map<string, NodeJS.Timeout>();
  /** Starts under way, by key. */
  readonly #starting = new Map<string, number>();
  readonly #options: SandboxesOptions;
  #isClosed = false;

  constructor(options: SandboxesOptions) {
    this.#options = options;
  }

  /** Ends what an adapter before this one left: nobody has the tokens of it any more. */
  async sweep(): Promise<void> {
    const { client } = this.#options;
    for (const { run, labels } of await client.call("run.list", { all: false })) {
      if (labels?.[KEY_LABEL] !== undefined) await this.#end(run);
    }
  }

  /** Starts a sandbox. @throws {Refusal} `resource_exhausted` where its key has as many as it may. */
  async create(order: SandboxOrder): Promise<Sandbox> {
    const { client, log, lingerMs, sandboxesMax } = this.#options;
    const { key, template, metadata, envs } = order;
    const { length: living } = await this.list(key);
    const starting = this.#starting.get(key) ?? 0;
    if (living + starting >= sandboxesMax) {
      throw new Refusal(
        "resource_exhausted",
        `the key ${keyName(key)} has its ${sandboxesMax} sandboxes`,
      );
    }
    this.#starting.set(key, starting + 1);
    try {
      const info = await client.call("run.start", {
        task: { source: template.source, fileName: template.fileName },
        command: [],
        cwd: template.workspace,
        path: process.env["PATH"] ?? "",
        environment: {},
        detach: true,
        lineage: { job: `e2b.${keyName(key)}` }, // So that an operator pauses or ends all of a key as one.
        labels: {
          [KEY_LABEL]: keyName(key),
          "e2b.template": template.name,
          "e2b.metadata": JSON.stringify(metadata),
          "e2b.environment": Object.keys(envs).join(" "), // Their values are no business of the record.
        },
      });
      const commands = new Commands({ client, log, lingerMs, run: info.run });
      const sandbox = new Sandbox(info, order, commands);
      if (this.#isClosed) {
        await this.#end(sandbox.id);
        throw new Refusal("unavailable", "the adapter is ending");
      }
      this.#all.set(sandbox.id, sandbox);
      this.#arm(sandbox);
      this.#forget();
      return sandbox;
    } finally {
      this.#starting.set(key, (this.#starting.get(key) ?? 1) - 1);
    }
  }

  /** A key's own sandbox with what the daemon says of it. @throws {Refusal} `not_found` for any other, and where it has ended. */
  async get(key: string, id: string): Promise<Living> {
    const sandbox = this.#all.get(id);
    const info = sandbox?.order.key === key ? await this.look(sandbox) : undefined;
    if (sandbox !== undefined && info !== undefined) return { sandbox, info };
    throw new Refusal("not_found", `no sandbox ${JSON.stringify(id.slice(0, 64))} of this key`);
  }

  /** What the daemon says of it; `undefined` where it has ended. */
  async look(sandbox: Sandbox): Promise<RunInfo | undefined> {
    if (sandbox.isEnded) return undefined;
    const info = await this.#options.client
      .call("run.show", { run: sandbox.id })
      .catch((error: unknown) => {
        if (!isFault(error, "daemon.no_such_run")) throw error;
      });
    if (info !== undefined && info.state !== "ended") return info;
    this.#over(sandbox);
    return undefined;
  }

  /** Those of a key that live, with what the daemon says of each. */
  async list(key: string): Promise<readonly Living[]> {
    const infos = await this.#options.client.call("run.list", { all: false });
    const living = new Map(infos.map((info) => [info.run, info]));
    const found = [];
    for (const sandbox of this.#all.values()) {
      if (sandbox.order.key !== key || sandbox.isEnded) continue;
      const info = living.get(sandbox.id);
      if (info === undefined || info.state === "ended") this.#over(sandbox);
      else found.push({ sandbox, info });
    }
    return found;
  }

  /** The sandbox that `token` is for; what is unknown and what is another's are told alike. */
  byToken(id: string, token: string): Sandbox | undefined {
    const sandbox = this.#all.get(id);
    return sandbox !== undefined && isSame(token, sandbox.token) ? sandbox : undefined;
  }

  /** The sandbox whose token `fits`, where an address names none (a signed one). */
  byProof(fits: (token: string) => boolean): Sandbox | undefined {
    return [...this.#all.values()].find(({ token }) => fits(token));
  }

  /** Sets when it ends, from now. @throws {Refusal} `invalid_argument` where that is later than its task lets it live. */
  setTimeout(sandbox: Sandbox, timeoutMs: number, { onlyLater }: { onlyLater: boolean }): void {
    const endsMs = Date.now() + timeoutMs;
    if (endsMs > sandbox.lastMs) {
      const most = Math.max(0, Math.floor((sandbox.lastMs - Date.now()) / 1000));
      throw new Refusal(
        "invalid_argument",
        `the task of template ${sandbox.order.template.name} lets this sandbox live ${most} s more, not ${timeoutMs / 1000}`,
      );
    }
    if (onlyLater && endsMs <= sandbox.endsMs) return;
    sandbox.endsMs = endsMs;
    this.#arm(sandbox);
  }

  async pause(sandbox: Sandbox): Promise<void> {
    await this.#options.client.call("run.pause", { run: sandbox.id });
    sandbox.isPaused = true;
    clearTimeout(this.#timers.get(sandbox.id)); // It rests; its task's lifetime goes on.
  }

  /** @throws {Refusal} `failed_precondition` where Cofferdam or its operator paused it. */
  async resume(sandbox: Sandbox, { pauseReason }: RunInfo): Promise<void> {
    if (!sandbox.isPaused || pauseReason !== BY_HAND) {
      throw new Refusal(
        "aborted",
        `Cofferdam paused this sandbox (${pauseReason ?? "no reason is known"}); its operator has it go on`,
      );
    }
    await this.#options.client.call("run.resume", { run: sandbox.id });
    sandbox.isPaused = false;
  }

  async kill(sandbox: Sandbox): Promise<void> {
    this.#over(sandbox);
    await this.#end(sandbox.id);
  }

  /** Ends them all. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const living = [...this.#all.values()].filter(({ isEnded }) => !isEnded);
    await Promise.all(living.map(async (sandbox) => this.kill(sandbox)));
  }

  async #end(run: string): Promise<void> {
    try {
      await this.#options.client.call("run.kill", { run });
    } catch (error) {
      if (isFault(error, "daemon.no_such_run") || isFault(error, "daemon.state")) return; // It has ended.
      this.#options.log.warn("e2b.kill", { run, error: describeError(error) });
    }
  }

  #arm(sandbox: Sandbox): void {
    clearTimeout(this.#timers.get(sandbox.id));
    const inMs = Math.max(0, sandbox.endsMs - Date.now());
    this.#timers.set(sandbox.id, setTimeout(() => void this.#timeOut(sandbox), inMs).unref());
  }

  async #timeOut(sandbox: Sandbox): Promise<void> {
    if (sandbox.isEnded) return;
    if (sandbox.order.onTimeout === "kill") return this.kill(sandbox);
    await this.pause(sandbox).catch(async (error: unknown) => {
      this.#options.log.warn("e2b.pause", { run: sandbox.id, error: describeError(error) });
      await this.kill(sandbox); // What cannot rest does not go on past its time.
    });
  }

  #over(sandbox: Sandbox): void {
    sandbox.isEnded = true;
    clearTimeout(this.#timers.get(sandbox.id));
    this.#timers.delete(sandbox.id);
  }

  #forget(): void {
    const ended = [...this.#all.values()].filter(({ isEnded }) => isEnded);
    for (const { id } of ended.slice(0, -ENDED_KEPT)) this.#all.delete(id);
  }
}

/** Compares secrets in a time that says nothing of them. */
export function isSame(said: string, secret: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(said), digest(secret));
}
