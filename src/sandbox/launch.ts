/**
 * Launching a run: spawn the launcher, give it its orders, take what it hands out, and hold its life.
 *
 * @module
 */
import { constants } from "node:os";
import type { Socket } from "node:net";
import type { Readable, Writable } from "node:stream";
import { assert, Fault } from "../base/index.ts";
import * as sys from "../sys/index.ts";
import { createReportReader, encodeFrame, type Field, type Report } from "./control.ts";
import type { Finding } from "./proofs.ts";
import { startLauncher, type Birth } from "./spawner.ts";

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
  /** Why the command could not be started at all; the code is then 127 (not found) or 126. */
  readonly problem?: string;
}

/** The agent's streams. They end with the run; the holder must read them, or the agent waits. */
export type AgentStreams =
  /** It has no agent. */
  | { readonly kind: "none" }
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
  /** NETLINK_NETFILTER there: for the counters of what was refused. */
  readonly netfilter: number;
  /** Absent where the kernel has no IPv6; the run then has none either. */
  readonly tcp6: number | undefined;
  readonly dns6: number | undefined;
  /** The seccomp listener. Until someone answers it, whatever a run asks waits. */
  readonly notify: number;
}

const DIAGNOSTICS_BYTES_MAX = 4096;
const HINT_DOCTOR = "`cofferdam doctor` tells what this host lacks";

/** A line from the launcher that someone waits for. */
interface Waiting {
  readonly wanted: Report["type"];
  resolve(report: Report): void;
  reject(error: unknown): void;
}

/** What is reported of one command for a live run. */
export type ExecReport =
  | Extract<Report, { readonly type: `exec-${string}` | "not-started" }>
  | { readonly type: "run-ended" };

function isOfExec(
  report: Report,
): report is Exclude<ExecReport, { readonly type: "run-ended" }> & { readonly label: string } {
  return (
    report.type === "exec-failed" ||
    report.type === "exec-ended" ||
    (report.type === "not-started" && report.label !== undefined)
  );
}

/** The launcher process: it waits for its orders, obeys, reports, and becomes the run. */
export class Launcher {
  /** Resolves when every process of the run is gone. */
  readonly gone: Promise<Exit>;
  readonly findings: Finding[] = [];
  readonly #birth: Birth;
  #pid: number | undefined;
  readonly #received = new Map<string, readonly number[]>();
  readonly #waiting: Waiting[] = [];
  /** Who waits for descriptors of the run, by label. */
  readonly #asked = new Map<string, (descriptors: readonly number[]) => void>();
  /** Who is told of a command for the live run, by its label. */
  readonly #execs = new Map<string, (report: ExecReport) => void>();
  #labels = 0;
  #init: { readonly pid: number; readonly handle: number } | undefined;
  readonly #initKnown = Promise.withResolvers<void>();
  #information = "";
  #diagnostics = "";
  #isOrphan = false;
  #exit: Exit | undefined;
  #problem: string | undefined;
  #failure: unknown;
  #ended = false;

  constructor(birth: Birth) {
    this.#birth = birth;
    birth.born.then(
      (pid) => (this.#pid = pid),
      (error: unknown) => this.#fail(error),
    );
    const { control, diagnostics, notes } = birth;
    const closed = [control, diagnostics, notes].map(
      (stream) => new Promise<void>((resolve) => stream.once("close", resolve)),
    );
    void birth.gone.then(() => {
      if (this.#pid === undefined) for (const one of [control, diagnostics, notes]) one.destroy();
      // Bubblewrap outlives process 1. Where it was ended before, with who forked it, process 1 follows.
      this.#isOrphan = true;
      if (this.#init !== undefined) sys.signalProcess(this.#init.handle, "SIGKILL");
    });
    // Not its end alone: its last words come before that of its streams.
    this.gone = Promise.all([birth.gone, ...closed]).then(() => this.#finish());
    // Rejected also where nobody waits for it: that alone is no reason to end the daemon.
    this.#initKnown.promise.catch(() => {});
    this.#listen();
  }

  /** Its process on the host; known once that is {@link born}. */
  get pid(): number {
    return this.#pid ?? -1;
  }

  /** Waits for its process. @throws {Fault} `sandbox.launcher` where it does not start. */
  born(): Promise<number> {
    return this.#birth.born;
  }

  /** Process 1 of the run, by its number on the host; known once the run is sealed. */
  get initPid(): number {
    assert(this.#init !== undefined, "the run's first process is not known yet");
    return this.#init.pid;
  }

  /** Whether process 1 lives at this moment: its end may be known to the kernel before it is told here. */
  isAlive(): boolean {
    if (this.#ended || this.#init === undefined) return false;
    const set = new sys.PollSet([this.#init.handle]);
    set.wait(0);
    return set.readiness(0) === "quiet"; // A handle becomes readable at its process's end.
  }

  /** Waits for the seal, and for bubblewrap's word on who process 1 is: they come by two ways. */
  async sealed(withinMs: number): Promise<void> {
    await this.until("sealed", withinMs);
    await this.#initKnown.promise;
  }

  /** Descriptors that came under `label`; once. The caller owns them. */
  take(label: string): readonly number[] {
    const descriptors = this.#received.get(label);
    assert(descriptors !== undefined, `no descriptors came as ${label}`);
    this.#received.delete(label);
    return descriptors;
  }

  order(fields: readonly Field[]): void {
    if (!this.#ended) this.#birth.control.write(encodeFrame(fields));
  }

  /**
   * Sockets in the run's network namespace that are not connected yet, IPv4 first; the caller owns
   * them. None where the run ends, or does not answer (it may be frozen) within `withinMs`.
   */
  sockets(withinMs: number): Promise<readonly number[]> {
    return this.#ask("sockets", [], withinMs);
  }

  /**
   * Has process 1 make ready to start `command` (native/exec.c): the daemon's ends of its streams, its keeper's gate
   * and a handle of the keeper, or none as for {@link sockets}; `told` what becomes of it, its end last and always.
   */
  exec(
    command: readonly Field[],
    withinMs: number,
    told: (report: ExecReport) => void,
  ): Promise<readonly number[]> {
    if (this.#ended) {
      told({ type: "run-ended" });
      return Promise.resolve([]);
    }
    return this.#ask("exec", command, withinMs, told);
  }

  #ask(
    verb: string,
    fields: readonly Field[],
    withinMs: number,
    told?: (report: ExecReport) => void,
  ): Promise<readonly number[]> {
    if (this.#ended) return Promise.resolve([]);
    this.#labels += 1;
    const label = `${verb} ${this.#labels}`;
    if (told !== undefined) this.#execs.set(label, told);
    return new Promise((resolve) => {
      const late = (descriptors: readonly number[]) => descriptors.forEach(sys.closeDescriptor);
      const timer = setTimeout(() => {
        this.#asked.set(label, late); // A run that thaws answers all that it was asked.
        resolve([]);
      }, withinMs);
      this.#asked.set(label, (descriptors) => {
        clearTimeout(timer);
        resolve(descriptors);
      });
      this.order([verb, label, ...fields]);
    });
  }

  /**
   * Waits for the next report of a type.
   *
   * @throws {Fault} where the run ends first, a step fails, or `sandbox.slow` after `withinMs`.
   */
  until(wanted: Report["type"], withinMs: number): Promise<Report> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#ended) return Promise.reject(this.#endedFault());
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        const slow = `the sandbox was not ${wanted} within ${withinMs} ms`;
        this.#fail(new Fault("sandbox.slow", slow, { hint: "is this machine overloaded?" }));
      }, withinMs);
      const settle = <T>(how: (value: T) => void) => {
        return (value: T) => {
          clearTimeout(timer);
          how(value);
        };
      };
      this.#waiting.push({ wanted, resolve: settle(resolve), reject: settle(reject) });
    });
  }

  /**
   * Ends the run: process 1 leaves when its control stream closes, and is killed besides; bubblewrap
   * reaps it when all of its namespace is gone, and ends.
   */
  kill(): void {
    if (this.#ended) return;
    this.#birth.control.destroy();
    if (this.#init === undefined) this.#birth.kill(); // Takes its child along, where it has one.
    else sys.signalProcess(this.#init.handle, "SIGKILL");
  }

  #listen(): void {
    const reader = createReportReader();
    this.#birth.control.on("data", (bytes: Buffer) => {
      try {
        for (const report of reader.push(bytes)) this.#hear(report);
      } catch (cause) {
        this.#fail(new Fault("sandbox.report", "the launcher said what it never says", { cause }));
        this.kill();
      }
    });
    // A reset is how the end of a killed run can look; `close` of the process tells the rest.
    this.#birth.control.on("error", () => this.kill());
    this.#birth.diagnostics.on("data", (bytes: Buffer) => {
      this.#diagnostics = (this.#diagnostics + bytes.toString()).slice(-DIAGNOSTICS_BYTES_MAX);
    });
    const information = this.#birth.notes;
    information.on("data", (bytes: Buffer) => {
      this.#information += bytes.toString();
      try {
        this.#learnInit();
      } catch {
        this.#abandon(); // Process 1 has ended already.
      }
    });
    information.on("error", () => this.#abandon());
    information.on("end", () => {
      if (this.#init === undefined) this.#abandon(); // Then nobody could say which process to hold.
    });
  }

  /**
   * Ends a launch that came to nothing. The control stream stays open until the launcher has closed it: the
   * step that failed may still stand in it, unread.
   */
  #abandon(): void {
    if (!this.#ended) this.#birth.kill();
  }

  #hear(report: Report): void {
    if (report.type === "failed") {
      this.#fail(stepFault(report));
      this.kill(); // It has nothing more to say, and waits for that.
      return;
    }
    if (report.type === "descriptors") this.#receive(report.label, report.count);
    if (report.type === "no-socket") this.#answer(report.label, []);
    if (report.type === "proof") {
      this.findings.push({ control: report.control, found: report.found });
    }
    if (report.type === "not-started" && report.label === undefined) {
      this.#problem = `${report.command}: ${sys.errnoName(report.errno)}`;
    }
    if (report.type === "exited") {
      const { code, signal } = report;
      this.#exit = signal === undefined ? { code: code ?? 0 } : { signal: signalName(signal) };
    }
    if (isOfExec(report)) {
      this.#execs.get(report.label)?.(report);
      // One that could not begin has no end to tell of.
      const isOver = report.type === "exec-failed" && this.#answer(report.label, []);
      if (isOver || report.type === "exec-ended") this.#execs.delete(report.label);
    }
    const at = this.#waiting.findIndex((waiting) => waiting.wanted === report.type);
    if (at >= 0) this.#waiting.splice(at, 1)[0]?.resolve(report);
  }

  #receive(label: string, count: number): void {
    const message = sys.receiveMessage(this.#birth.carrier);
    assert(message?.descriptors.length === count, "descriptors come before their line");
    assert(message.bytes.toString() === label, "descriptors come in the order of their lines");
    if (!this.#answer(label, message.descriptors)) this.#received.set(label, message.descriptors);
  }

  /** Gives sockets to whoever asked for them; whether someone did. */
  #answer(label: string, descriptors: readonly number[]): boolean {
    const asked = this.#asked.get(label);
    this.#asked.delete(label);
    asked?.(descriptors);
    return asked !== undefined;
  }

  /** Bubblewrap's `--info-fd`: JSON with the number of the process that becomes process 1. */
  #learnInit(): void {
    const match = /"child-pid": (\d+)/.exec(this.#information);
    if (this.#init !== undefined || match === null) return;
    const pid = Number(match[1]);
    // Its parent is our child and does not reap before it ends itself: the number is still its own.
    this.#init = { pid, handle: sys.openProcess(pid) };
    this.#initKnown.resolve();
    if (this.#isOrphan) this.kill();
  }

  #fail(fault: unknown): void {
    this.#failure ??= fault;
    this.#initKnown.reject(this.#failure);
    for (const waiting of this.#waiting.splice(0)) waiting.reject(this.#failure);
  }

  #finish(): Exit {
    this.#ended = true;
    this.#fail(this.#endedFault());
    for (const label of this.#asked.keys()) this.#answer(label, []);
    for (const told of this.#execs.values()) told({ type: "run-ended" });
    this.#execs.clear();
    for (const descriptors of this.#received.values()) descriptors.forEach(sys.closeDescriptor);
    this.#received.clear();
    sys.closeDescriptor(this.#birth.carrier);
    if (this.#init !== undefined) sys.closeDescriptor(this.#init.handle);
    const problem = this.#problem === undefined ? {} : { problem: this.#problem };
    return { ...(this.#exit ?? { signal: "SIGKILL" }), ...problem };
  }

  #endedFault(): Fault {
    const words = this.#diagnostics.trim();
    const message = `the sandbox ended too soon${words === "" ? "" : `: ${words}`}`;
    return new Fault("sandbox.ended", message, { hint: HINT_DOCTOR });
  }
}

/** Starts the launcher that lies at `binary`. */
export function launch(binary: string): Launcher {
  return new Launcher(startLauncher(binary));
}

/** What usually mends a step that failed; for the others `doctor` knows. */
const STEP_HINTS: ReadonlyMap<string, string> = new Map([
  [
    "namespaces",
    "user namespaces are closed to this user; `cofferdam doctor` says how to open them",
  ],
  [
    "idmap",
    "the workspace's file system cannot map owners: start Cofferdam as the workspace's owner",
  ],
  [
    "overlay",
    "an overlay cannot stand there (NFS, another overlay): set COFFERDAM_HOME to a local disk",
  ],
  ["redirect", "modprobe -a nf_tables nft_redir nft_chain_nat"],
  ["landlock", "add landlock to the kernel's lsm= parameter and reboot"],
  ["limits", "raise the daemon's own limit (`ulimit -H`), or lower the task's"],
]);

/** The fault that a step of the launcher's ended in. */
export function stepFault(report: Extract<Report, { type: "failed" }>): Fault {
  const { step, call, about, errno } = report;
  const of = about === "" ? "" : ` of ${about}`;
  // 0 where no call failed but something was not as it must be.
  const why = errno === 0 ? "" : `: ${sys.errnoName(errno)}`;
  // What a copy of the workspace does without: the mount itself, and the map of its owner.
  const isOverlay =
    (step === "overlay" && call === "mount") || (step === "idmap" && call === "mount_setattr");
  return new Fault(isOverlay ? "sandbox.overlay" : "sandbox.step", `${step}: ${call}${of}${why}`, {
    hint: STEP_HINTS.get(step) ?? HINT_DOCTOR,
    cause: { errno },
  });
}

/** The name of signal `number`. */
export function signalName(number: number): string {
  const found = Object.entries(constants.signals).find(([, value]) => value === number);
  return found?.[0] ?? `SIG${number}`;
}

/** A command as native/agent.c reads it. */
export function commandFields({ argv, environment, cwd, terminal }: StartOrder): readonly Field[] {
  const variables = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
  return [
    terminal === undefined ? 0 : 1,
    terminal?.columns ?? 0,
    terminal?.rows ?? 0,
    cwd,
    variables.length,
    ...variables,
    ...argv,
  ];
}

/** Makes streams of what the launcher handed out for the agent. Where one cannot be made, all of it is closed. */
export function openStreams(label: "terminal" | "pipes", fds: readonly number[]): AgentStreams {
  const [first = -1, second = -1, third = -1] = fds;
  if (label === "terminal") return { kind: "terminal", terminal: new sys.TerminalStream(first) };
  const opened: Socket[] = [];
  const open = (fd: number, direction: "read" | "write") => {
    const one = sys.openPipeEnd(fd, direction);
    opened.push(one);
    return one;
  };
  try {
    const stdin = open(first, "write");
    // An agent that closes its input is no failure of ours.
    stdin.on("error", () => stdin.destroy());
    return { kind: "pipes", stdin, stdout: open(second, "read"), stderr: open(third, "read") };
  } catch (error) {
    for (const one of opened) one.destroy();
    // That at which it failed is closed already.
    fds.slice(opened.length + 1).forEach(sys.closeDescriptor);
    throw error;
  }
}
