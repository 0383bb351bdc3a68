/**
 * Launching a run: spawn the launcher, give it its orders, take what it hands out, and hold its life.
 *
 * @module
 */
import { spawn, type ChildProcess } from "node:child_process";
import { constants } from "node:os";
import type { Duplex, Readable, Writable } from "node:stream";
import { assert, Fault } from "../base/index.ts";
import * as sys from "../sys/index.ts";
import { createReportReader, encodeFrame, type Report } from "./control.ts";
import type { LaunchPlan } from "./launch-plan.ts";

/** How the agent is started inside. */
export interface StartOrder {
  /** The command and its arguments; the command is looked up on `environment.PATH`. */
  readonly argv: readonly string[];
  /** All of the agent's environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** Absolute, inside the run. */
  readonly cwd: string;
  /** Present where the agent gets a terminal. */
  readonly terminal?: { readonly columns: number; readonly rows: number };
}

/** How a run ended: an exit code, or the name of the signal that killed the agent. */
export interface Exit {
  readonly code?: number;
  readonly signal?: string;
}

/** The agent's streams. They end with the run; the holder must read them, or the agent waits. */
export type AgentStreams =
  | { readonly kind: "terminal"; readonly terminal: sys.TerminalStream }
  | {
      readonly kind: "pipes";
      readonly stdin: Writable;
      readonly stdout: Readable;
      readonly stderr: Readable;
    };

/** What the run's network hands to the daemon; each descriptor is owned by whoever takes it. */
export interface SandboxDescriptors {
  readonly tcp4: number;
  readonly dns4: number;
  /** NETLINK_SOCK_DIAG inside the run's network namespace. */
  readonly sockDiag: number;
  /** Absent where the kernel has no IPv6; the run then has none either. */
  readonly tcp6: number | undefined;
  readonly dns6: number | undefined;
  /** The seccomp listener. Until someone answers it, whatever a run asks waits. */
  readonly notify: number;
}

const DIAGNOSTICS_BYTES_MAX = 4096;

/** A line from the launcher that someone waits for. */
interface Waiting {
  readonly wanted: Report["type"];
  resolve(report: Report): void;
  reject(error: unknown): void;
}

/** The launcher process, its orders and its reports. */
export class Launcher {
  readonly pid: number;
  /** Resolves when every process of the run is gone. */
  readonly gone: Promise<Exit>;
  readonly proofs: { readonly control: string; readonly found: string }[] = [];
  readonly #child: ChildProcess;
  readonly #control: Duplex;
  readonly #carrier: number;
  readonly #received = new Map<string, readonly number[]>();
  readonly #waiting: Waiting[] = [];
  #initPid: number | undefined;
  #information = "";
  #diagnostics = "";
  #exit: Exit | undefined;
  #failure: Fault | undefined;
  #ended = false;

  constructor(binary: string, plan: LaunchPlan, seal: readonly (string | number | Buffer)[]) {
    const [ours, theirs] = sys.createSocketPair("packet");
    this.#carrier = ours;
    try {
      this.#child = spawn(binary, ["outer"], {
        env: {},
        cwd: "/",
        stdio: ["ignore", "ignore", "pipe", "pipe", theirs, "pipe"],
      });
    } finally {
      sys.closeDescriptor(theirs);
    }
    this.pid = this.#child.pid ?? -1;
    this.#control = this.#child.stdio[3] as Duplex;
    this.gone = new Promise((resolve) => {
      this.#child.once("error", (cause) => {
        this.#fail(new Fault("sandbox.launcher", `the launcher ${binary} did not start`, { cause }));
        resolve(this.#finish());
      });
      // `close`, not `exit`: the launcher's last words come before it.
      this.#child.once("close", () => resolve(this.#finish()));
    });
    this.#listen();
    this.#control.write(Buffer.concat([encodeFrame(plan.outer), encodeFrame(seal)]));
  }

  /** Process 1 of the run, by its number on the host. */
  get initPid(): number {
    assert(this.#initPid !== undefined, "the run's first process is not known yet");
    return this.#initPid;
  }

  /** Descriptors that came under `label`; once. */
  take(label: string): readonly number[] {
    const descriptors = this.#received.get(label);
    assert(descriptors !== undefined, `no descriptors came as ${label}`);
    this.#received.delete(label);
    return descriptors;
  }

  order(fields: readonly (string | number | Buffer)[]): void {
    if (!this.#ended) this.#control.write(encodeFrame(fields));
  }

  /** Waits for the next report of a type; rejects where the run ends first. */
  until(wanted: Report["type"]): Promise<Report> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) reject(this.#failure);
      else if (this.#ended) reject(this.#endedFault());
      else this.#waiting.push({ wanted, resolve, reject });
    });
  }

  /** Ends the run: process 1 leaves when its control stream closes, and is killed besides. */
  kill(): void {
    this.#control.destroy();
    this.#child.kill("SIGKILL");
  }

  #listen(): void {
    const reader = createReportReader();
    this.#control.on("data", (bytes: Buffer) => {
      try {
        for (const report of reader.push(bytes)) this.#hear(report);
      } catch (error) {
        this.#fail(error instanceof Fault ? error : new Fault("sandbox.report", String(error)));
        this.kill();
      }
    });
    // A reset is how the end of a killed run can look; `close` tells the rest.
    this.#control.on("error", () => this.#child.kill("SIGKILL"));
    this.#child.stderr?.on("data", (bytes: Buffer) => {
      this.#diagnostics = (this.#diagnostics + bytes.toString()).slice(-DIAGNOSTICS_BYTES_MAX);
    });
    const information = this.#child.stdio[5] as Readable;
    information.on("data", (bytes: Buffer) => {
      this.#information += bytes.toString();
    });
    information.on("error", () => {});
  }

  #hear(report: Report): void {
    if (report.type === "descriptors") {
      const message = sys.receiveMessage(this.#carrier);
      assert(message?.descriptors.length === report.count, "descriptors come before their line");
      this.#received.set(report.label, message.descriptors);
    } else if (report.type === "proof") {
      this.proofs.push({ control: report.control, found: report.found });
    } else if (report.type === "failed") {
      this.#fail(stepFault(report));
      return;
    } else if (report.type === "exited") {
      this.#exit =
        report.signal === undefined
          ? { code: report.code ?? 0 }
          : { signal: signalName(report.signal) };
    }
    if (report.type === "sealed") this.#readInformation();
    const at = this.#waiting.findIndex((waiting) => waiting.wanted === report.type);
    if (at >= 0) this.#waiting.splice(at, 1)[0]?.resolve(report);
  }

  /** Bubblewrap's `--info-fd`: JSON with the child's pid, written before the child goes on. */
  #readInformation(): void {
    const match = /"child-pid": (\d+)/.exec(this.#information);
    assert(match !== null, "bubblewrap says which process it made before that process is sealed");
    this.#initPid = Number(match[1]);
  }

  #fail(fault: Fault): void {
    this.#failure ??= fault;
    for (const waiting of this.#waiting.splice(0)) waiting.reject(this.#failure);
  }

  #finish(): Exit {
    this.#ended = true;
    for (const descriptors of this.#received.values()) {
      for (const descriptor of descriptors) sys.closeDescriptor(descriptor);
    }
    this.#received.clear();
    sys.closeDescriptor(this.#carrier);
    const fault = this.#endedFault();
    for (const waiting of this.#waiting.splice(0)) waiting.reject(fault);
    return this.#exit ?? { signal: "SIGKILL" };
  }

  #endedFault(): Fault {
    const words = this.#diagnostics.trim();
    return new Fault("sandbox.ended", `the sandbox ended before it was ready${words && `: ${words}`}`, {
      hint: "`cofferdam doctor` tells what this host lacks",
    });
  }
}

function stepFault(report: Extract<Report, { type: "failed" }>): Fault {
  const { step, call, about, errno } = report;
  const of = about === "" ? "" : ` of ${about}`;
  return new Fault("sandbox.step", `${step}: ${call}${of}: ${sys.errnoName(errno)}`, {
    hint: "`cofferdam doctor` tells what this host lacks",
    cause: { errno },
  });
}

/** The name of signal `number`. */
function signalName(number: number): string {
  const found = Object.entries(constants.signals).find(([, value]) => value === number);
  return found?.[0] ?? `SIG${number}`;
}

/** Makes streams of what the launcher handed out for the agent. */
export function openStreams(label: "terminal" | "pipes", fds: readonly number[]): AgentStreams {
  const [first = -1, second = -1, third = -1] = fds;
  if (label === "terminal") return { kind: "terminal", terminal: new sys.TerminalStream(first) };
  const stdin = sys.openPipeEnd(first, "write");
  // An agent that closes its input is no failure of ours.
  stdin.on("error", () => stdin.destroy());
  return {
    kind: "pipes",
    stdin,
    stdout: sys.openPipeEnd(second, "read"),
    stderr: sys.openPipeEnd(third, "read"),
  };
}
