/**
 * The broker alone: sessions are judged by the real policy, but nobody is sandboxed, recorded or asked.
 *
 * @module
 */
import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import ssh2 from "ssh2";
import { UNKNOWN_PROCESS, type FindingKind, type Json } from "../../src/action/index.ts";
import { createLog, systemClock } from "../../src/base/index.ts";
import { createHostKey, knownHostsLine } from "../../src/daemon/host-key.ts";
import { sshBroker } from "../../src/gateway/brokers/ssh/index.ts";
import type { Asking, Errand, Judged, Session } from "../../src/gateway/brokers/broker.ts";
import type { Denial } from "../../src/gateway/denial.ts";
import { GATEWAY_LIMITS } from "../../src/gateway/limits.ts";
import type { Resolution } from "../../src/gateway/ports.ts";
import { actionOfOperation, completeAction } from "../../src/gateway/session-action.ts";
import {
  compilePolicy,
  decide,
  initialPolicyState,
  parseTaskFile,
} from "../../src/policy/index.ts";
import { loadProtocols } from "../../src/protocols/index.ts";
import {
  dataOf,
  RECORDING_LIMITS,
  Recordings,
  type Recording,
  type RecordingLimits,
} from "../../src/recording/index.ts";
import { taskSystems } from "../../src/systems/index.ts";
import type { Lease } from "../../src/vault/index.ts";

export const HOST = "server.example";
/** Another granted server: the same one, by another name. */
export const INNER = "inner.example";

/** For rules under which nobody is asked. */
export const UNATTENDED = {
  count: 1000,
  reason: "a test",
  expires: new Date(Date.now() + 2 * 86_400_000).toISOString().slice(0, 10),
};

export interface KitOptions {
  /** Where the server is. */
  readonly port: number;
  readonly hostKey: string | readonly string[];
  readonly lease?: Lease;
  readonly allow?: readonly Record<string, Json>[];
  /** Of the grant, beside the host key. */
  readonly with?: Readonly<Record<string, Json>>;
  /** What a person says; by default yes. */
  readonly decision?: "answered" | "denied" | "pending";
  /** What happens while a person decides. */
  readonly whileHeld?: () => void;
  readonly limits?: Partial<typeof GATEWAY_LIMITS>;
  readonly recordingLimits?: RecordingLimits;
}

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A broker that listens on loopback for OpenSSH's client. */
export class BrokerKit {
  readonly root = mkdtempSync(join(tmpdir(), "cofferdam-broker-"));
  readonly judged: Judged[] = [];
  /** What a person was asked about. */
  readonly held: Pick<Judged, "action" | "asking">[] = [];
  readonly outcomes: (readonly [verb: string, data: Readonly<Record<string, Json>>])[] = [];
  readonly found: (readonly [FindingKind, string])[] = [];
  readonly refused: string[] = [];
  readonly cuts: string[] = [];
  readonly reasons: string[] = [];
  /** Codes of what could not be performed. */
  readonly failures: string[] = [];
  readonly #options: KitOptions;
  readonly #hostKey = createHostKey();
  readonly #policy;
  #server: Server | undefined;
  readonly #sessions = new Set<Promise<void>>();
  readonly #clients = new Set<Socket>();
  readonly recordings: Recordings;
  readonly #recorded = new Map<string, Recording>();

  constructor(options: KitOptions) {
    this.#options = options;
    this.recordings = new Recordings({
      runs: join(this.root, "runs"),
      clock: systemClock,
      limits: options.recordingLimits ?? RECORDING_LIMITS,
      ledger: { append: () => Promise.reject(new Error("no ledger")), read: async function* () {} },
    });
    const { allow = [{ verbs: ["*"], unattended: UNATTENDED }] } = options;
    const grant = {
      ...{ system: "ssh", name: "server", hosts: [HOST] },
      with: { host_key: options.hostKey, ...options.with },
      allow: allow.map((rule) => ({ verbs: ["*"], ...rule })),
    };
    const source = JSON.stringify({ task: "kit", purpose: "a test", grants: [grant] });
    this.#policy = compilePolicy(parseTaskFile(source, "kit", Date.now(), taskSystems()));
  }

  get port(): number {
    const address = this.#server?.address() as AddressInfo | undefined;
    return address?.port ?? 0;
  }

  async start(): Promise<this> {
    await loadProtocols(["ssh"]);
    writeFileSync(join(this.root, "known_hosts"), knownHostsLine(this.#hostKey));
    this.#server = createServer((client) => {
      client.on("error", () => {});
      this.#clients.add(client);
      const session = this.#session(client);
      const served = sshBroker.serve(session).catch((error: unknown) => {
        this.reasons.push(String(error));
        client.destroy();
      });
      this.#sessions.add(served);
    });
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    return this;
  }

  /** Starts `ssh ARGS` (or another of its clients) against the broker. */
  spawn(args: readonly string[], program = "ssh"): ChildProcessWithoutNullStreams {
    const options = this.sshOptions.map((one) => (one === "-p" && program !== "ssh" ? "-P" : one));
    return spawn(program, [...options, ...args], { cwd: this.root, timeout: 20_000 });
  }

  /** A client of one's own, for what OpenSSH's does not do. */
  async agent(act: (client: ssh2.Client, done: (result: string) => void) => void): Promise<string> {
    const client = new ssh2.Client();
    client.on("error", () => {});
    try {
      return await new Promise((resolve) => {
        client.on("ready", () => act(client, resolve));
        client.connect({
          port: this.port,
          host: "127.0.0.1",
          username: "anybody",
          agent: new NoKeys(),
          authHandler: ["none"] as never,
          algorithms: { cipher: ["aes128-gcm@openssh.com"] },
        });
      });
    } finally {
      client.end();
    }
  }

  /** Those of OpenSSH's client. */
  get sshOptions(): readonly string[] {
    return [
      ...["-F", "none", "-o", `UserKnownHostsFile=${this.root}/known_hosts`],
      ...["-o", "StrictHostKeyChecking=yes", "-o", "BatchMode=yes", "-o", `HostKeyAlias=${HOST}`],
      ...["-p", `${this.port}`],
    ];
  }

  /** Runs \`ssh ARGS\` (or another of its clients) against the broker. */
  async ssh(
    args: readonly string[],
    { input = "", program = "ssh" }: { input?: string | Buffer; program?: string } = {},
  ): Promise<Ran> {
    const child = this.spawn(args, program);
    const [stdout, stderr]: [Buffer[], Buffer[]] = [[], []];
    child.stdout.on("data", (data: Buffer) => stdout.push(data));
    child.stderr.on("data", (data: Buffer) => stderr.push(data));
    child.stdin.on("error", () => {});
    child.stdin.end(input);
    const [code] = (await once(child, "close")) as [number | null];
    return {
      code,
      stdout: Buffer.concat(stdout).toString("latin1"),
      stderr: Buffer.concat(stderr).toString("utf8"),
    };
  }

  /** A command by OpenSSH's client. */
  run(command: string, input?: string | Buffer): Promise<Ran> {
    return this.ssh(["127.0.0.1", command], input === undefined ? {} : { input });
  }

  /** Performs a stored operation as the daemon would have it performed. */
  async perform(asking: Asking): Promise<Resolution> {
    const socket = connect(this.#options.port, "127.0.0.1");
    await once(socket, "connect");
    const asked = await sshBroker.perform({
      ...this.#place(),
      held: { host: HOST, port: 22, facts: {}, ...asking },
      way: { socket, lease: this.#options.lease },
    });
    socket.destroy();
    if (asked.outcome.failure !== undefined) this.failures.push(asked.outcome.failure.code);
    const answer = asked.answer ?? {
      status: 502,
      headers: [],
      body: Buffer.alloc(0),
      isCut: false,
    };
    return { kind: "answered", approval: "p-1", answer };
  }

  /** Looks up the facts of a stored operation again. */
  async look(asking: Asking): Promise<Readonly<Record<string, Json>>> {
    const socket = connect(this.#options.port, "127.0.0.1");
    await once(socket, "connect");
    const errand = {
      ...this.#place(),
      held: { host: HOST, port: 22, facts: {}, ...asking },
      way: { socket, lease: this.#options.lease },
    } as Errand;
    return (await sshBroker.look?.(errand)) ?? {};
  }

  async close(): Promise<void> {
    this.#server?.close();
    for (const client of this.#clients) client.destroy(); // One that shares its connection stays.
    await Promise.all(this.#sessions);
    rmSync(this.root, { recursive: true, force: true });
  }

  #place() {
    const [grant] = this.#policy.grants;
    if (grant === undefined) throw new Error("the kit has one grant");
    return {
      grant,
      options: { host_key: this.#options.hostKey, ...this.#options.with } as Json,
      host: HOST,
      port: 22,
      limits: { ...GATEWAY_LIMITS, ...this.#options.limits },
      clock: systemClock,
      log: createLog(() => {}),
      secure: () => Promise.reject(new Error("SSH has no TLS")),
    };
  }

  #session(client: Socket): Session {
    const place = this.#place();
    const told = (text: string) => {
      this.refused.push(text);
      const [rule = ""] = text.split(":");
      const common = { system: "server", target: HOST, route: "", process: UNKNOWN_PROCESS };
      const denial: Denial = { ...common, rule, title: "No", reason: text, allowed: [] };
      return { denial, text: `Cofferdam: ${text}` };
    };
    let state = initialPolicyState;
    const remembered = new Set<string>();
    const context = () => {
      const at = { wallMs: Date.now(), monoMs: performance.now() };
      return { run: "r-kit", at, grant: place.grant, cause: UNKNOWN_PROCESS };
    };
    const heldOf = (asking: Asking) => ({ host: HOST, port: 22, facts: {}, ...asking });
    const session: Session = {
      ...place,
      run: "r-test",
      client,
      hostKey: this.#hostKey,
      note() {},
      leaf: () => Promise.reject(new Error("SSH has no TLS")),
      connect: async () => {
        const socket = connect(this.#options.port, "127.0.0.1");
        socket.on("error", () => {});
        client.once("close", () => socket.destroy());
        await once(socket, "connect");
        return { socket, lease: this.#options.lease };
      },
      judge: async (asking) => {
        await new Promise((resolve) => setImmediate(resolve));
        const action = actionOfOperation(heldOf(asking), context());
        const { state: next, ...decision } = decide(this.#policy, state, action);
        state = next;
        const judged = { asking, action, decision } as Judged;
        this.judged.push(judged);
        return judged;
      },
      complete: async (judged, asking) => {
        const action = completeAction(judged.action, heldOf(asking), context());
        return action === undefined ? await session.judge(asking) : { ...judged, asking, action };
      },
      repeats: (key) => remembered.has(key),
      remember: (key) => void remembered.add(key),
      hold: async ({ asking, action }) => {
        this.held.push({ asking, action });
        const { decision = "answered", whileHeld } = this.#options;
        whileHeld?.();
        if (decision === "answered") return await this.perform(asking);
        return { kind: decision, approval: "p-1", reason: "a person said so" };
      },
      enter: (judged) => {
        this.held.push(judged);
        const { decision: kind = "answered" } = this.#options;
        const answer = { status: 200, headers: [], body: Buffer.alloc(0), isCut: false };
        return Promise.resolve(
          kind === "answered"
            ? { kind, approval: "p-1", answer }
            : { kind, approval: "p-1", reason: "a person said so" },
        );
      },
      recordTerminal: async ({ action }, terminal) => {
        const { id, system, target, summary: title } = action;
        const about = { run: "r-kit", action: id, flow: "f-kit", system, target, title };
        const secrets = this.#options.lease?.secrets ?? [];
        const recording = await this.recordings.begin(about, terminal, secrets);
        this.#recorded.set(id, recording);
        return recording;
      },
      outcome: async (judged, data) => {
        const { id, verb } = judged.action;
        const recording = await this.#recorded.get(id)?.seal();
        this.outcomes.push([verb, { ...data, ...(recording && { recording: dataOf(recording) }) }]);
      },
      deny: ({ action, decision }, resolution, instead = "") => {
        const why = resolution === undefined ? decision.reason : resolution.kind;
        return told(`${action.verb}: ${why}${instead && `; ${instead}`}`);
      },
      refuse: ({ rule, reason }) => told(`${rule}: ${reason}`),
      within: ({ host, port }) =>
        host === INNER && port === 22 ? (inner) => this.#session(inner) : undefined,
      find: (kind, detail) => void this.found.push([kind, detail]),
      cut: (reason) => {
        this.cuts.push(reason);
        client.destroy();
      },
      share: () => true,
      because: (reason) => void this.reasons.push(reason),
    };
    return session;
  }
}

/** An agent without keys: who comes to Cofferdam proves nothing. */
class NoKeys extends ssh2.BaseAgent {
  override getIdentities(done: (error?: Error, keys?: never[]) => void): void {
    done(undefined, []);
  }
  override sign(): void {}
}
