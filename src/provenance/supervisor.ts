/**
 * The watching thread's work: one loop over the notify descriptors of all runs.
 *
 * A held call is answered here where nothing is to be decided; else it is told to the main thread,
 * which answers it by its number. Whatever goes wrong with a call refuses that call (EACCES): nothing
 * goes on because it could not be understood.
 *
 * @module
 */
import { constants } from "node:os";
import { describeError, isFault } from "../base/index.ts";
import {
  answerNotification,
  clearEvent,
  isNotificationValid,
  PollSet,
  readMemory,
  readProcEvents,
  receiveNotification,
  setSyncWakeUp,
  socketOfThread,
  systemCallNumber,
  type Notification,
  type ProcEvent,
} from "../sys/index.ts";
import {
  lookAtExec,
  nextLookMs,
  readExecClaim,
  type ExecState,
  type Pending,
} from "./exec-claims.ts";
import { BACKLOG_MAX, destinationOf, type Attempt, type Order, type Report } from "./messages.ts";
import { processOfThread, readStat } from "./proc-files.ts";
import { ProcessTree, type Owners, type SeenProcess } from "./process-tree.ts";
import { SharedState } from "./shared-state.ts";
import {
  describeRefusedSocket,
  parseAddressClaim,
  protocolOf,
  SOCKET_ADDRESS_BYTES_MAX,
} from "./socket-address.ts";
import { Teller } from "./teller.ts";

const { EACCES, EAFNOSUPPORT, EFAULT, EINVAL, EPERM } = constants.errno;
const MSG_FASTOPEN = 0x2000_0000n;
const SOCK_STREAM = 1;
const WAIT_MS_MAX = 1000; // The longest that a lost wake-up can go unnoticed.
const BACKLOG_RETRY_MS = 2;
const THREADS_MAX = 16_384;
const ALLOWED_MAX = 4096; // Destinations of one run; beyond, all are asked for again.

const SOCKET = systemCallNumber("socket");
const CONNECT = systemCallNumber("connect");
const SENDTO = systemCallNumber("sendto");
const EXECVE = systemCallNumber("execve");
const EXECVEAT = systemCallNumber("execveat");

interface Watch {
  readonly number: number;
  readonly notifyFd: number;
  readonly shared: SharedState;
  readonly tree: ProcessTree;
  readonly pending: Map<number, Pending>;
  /** Where the run may connect to without being asked. */
  readonly allowed: Set<string>;
  /** Not to be served before, on the monotonic clock in milliseconds: it floods. */
  heldUntil: number;
}

export class Supervisor {
  readonly #wake: number;
  readonly #post: (report: Report) => void;
  readonly #teller: Teller;
  readonly #takeOrders: () => readonly Order[];
  readonly #events: number | undefined;
  readonly #owners: Owners = new Map();
  readonly #watches = new Map<number, Watch>();
  /** Process of each thread seen, valid while the kernel's stream of forks has no gap. */
  readonly #threads = new Map<number, number>();
  #polled: readonly Watch[] = [];
  #set: PollSet | undefined;

  constructor(ports: {
    readonly wake: number;
    readonly post: (report: Report) => void;
    readonly takeOrders: () => readonly Order[];
    /** The kernel's stream of forks, where it is to be had. */
    readonly events: number | undefined;
  }) {
    this.#wake = ports.wake;
    this.#post = ports.post;
    this.#teller = new Teller(ports.post);
    this.#takeOrders = ports.takeOrders;
    this.#events = ports.events;
  }

  /** Serves until `isEnding`. */
  run(isEnding: () => boolean): void {
    while (!isEnding()) this.#turn();
  }

  /** Waits once, and deals with at most one held call of each run, so that none starves another. */
  #turn(): void {
    const now = performance.now();
    const open = [...this.#watches.values()].filter(
      (watch) => watch.heldUntil <= now && watch.shared.backlog < BACKLOG_MAX,
    );
    const set = this.#pollSet(open);
    set.wait(this.#patienceMs(open.length < this.#watches.size));
    if (set.readiness(0) !== "quiet") {
      clearEvent(this.#wake);
      for (const order of this.#takeOrders()) this.#obey(order);
    }
    if (set.readiness(1) !== "quiet") this.#drainEvents();
    open.forEach((watch, n) => {
      if (!this.#watches.has(watch.number)) return;
      const readiness = set.readiness(n + 2);
      if (readiness === "readable") this.#serve(watch);
      else if (readiness === "ended") this.#end(watch, undefined);
    });
    for (const watch of this.#watches.values()) this.#settle(watch);
  }

  /** The same set as long as it waits for the same. */
  #pollSet(open: readonly Watch[]): PollSet {
    const same = (watch: Watch, n: number) => this.#polled[n] === watch;
    if (this.#set === undefined || open.length !== this.#polled.length || !open.every(same)) {
      this.#polled = open;
      // poll(2) ignores negative descriptors.
      this.#set = new PollSet([this.#wake, this.#events ?? -1, ...open.map((one) => one.notifyFd)]);
    }
    return this.#set;
  }

  #patienceMs(blocked: boolean): number {
    const now = performance.now();
    let until = now + (blocked ? BACKLOG_RETRY_MS : WAIT_MS_MAX);
    for (const { pending, heldUntil } of this.#watches.values()) {
      if (heldUntil > now) until = Math.min(until, heldUntil);
      for (const one of pending.values()) until = Math.min(until, nextLookMs(one));
    }
    return Math.max(0, Math.ceil(until - now));
  }

  #obey(order: Order): void {
    switch (order.kind) {
      case "watch": {
        const tree = new ProcessTree(order.initPid, this.#owners, this.#events !== undefined);
        const { watch: number, notifyFd } = order;
        setSyncWakeUp(notifyFd);
        this.#watches.set(number, {
          number,
          notifyFd,
          shared: new SharedState(order.shared),
          tree,
          pending: new Map(),
          allowed: new Set(),
          heldUntil: 0,
        });
        return;
      }
      case "unwatch": {
        const watch = this.#watches.get(order.watch);
        if (watch !== undefined) this.#end(watch, undefined);
        return;
      }
      case "describe": {
        const tree = this.#watches.get(order.watch)?.tree;
        tree?.see(order.pid);
        const process = tree && this.#teller.describe(tree, order.pid);
        this.#post({ kind: "described", token: order.token, process });
        return;
      }
      case "allow": {
        const allowed = this.#watches.get(order.watch)?.allowed;
        if (allowed !== undefined && allowed.size >= ALLOWED_MAX) allowed.clear();
        allowed?.add(order.destination);
        return;
      }
      case "forget":
        this.#teller.forget(order.file);
    }
  }

  #end(watch: Watch, failure: string | undefined): void {
    this.#watches.delete(watch.number);
    // Whoever could tell whether these happened is gone; what the kernel told was reported by then.
    const state = this.#events === undefined ? "gone" : "failed";
    for (const pending of watch.pending.values()) this.#report(watch, pending, state);
    watch.tree.clear();
    this.#post({ kind: "ended", watch: watch.number, failure });
  }

  /** Follows forks, execs and exits, so that ancestry is known before a child does anything. */
  #drainEvents(): void {
    if (this.#events === undefined) return;
    let lost = false;
    readProcEvents(this.#events, (event) => {
      if (event.what === "lost") lost = true;
      else this.#follow(event);
    });
    // Only now, with the queue empty, is it known that nothing more was lost.
    if (!lost) return;
    this.#threads.clear();
    for (const watch of this.#watches.values()) {
      watch.tree.doubt();
      for (const pending of watch.pending.values()) {
        this.#report(watch, pending, lookAtExec(pending, performance.now()));
      }
      this.#teller.odd(watch, "lost", "process events were lost; ancestry may have gaps");
    }
  }

  #follow(event: Exclude<ProcEvent, { what: "lost" }>): void {
    switch (event.what) {
      case "fork":
        this.#threads.delete(event.tid);
        if (event.tid !== event.pid) return; // A thread.
        this.#owners.get(event.pid)?.forget(event.pid);
        this.#owners.get(event.parent)?.forked(event.parent, event.pid);
        return;
      case "exec":
        this.#sawExec(event.pid);
        return;
      case "exit":
        if (event.tid !== event.pid) return;
        for (const watch of this.#watches.values()) this.#sawExit(watch, event.pid);
        this.#owners.get(event.pid)?.exited(event.pid);
    }
  }

  #sawExec(pid: number): void {
    const tree = this.#owners.get(pid);
    if (tree === undefined) return;
    tree.executing(pid);
    for (const watch of this.#watches.values()) {
      const pending = watch.tree === tree ? watch.pending.get(pid) : undefined;
      if (pending !== undefined) this.#report(watch, pending, "happened");
    }
  }

  #sawExit(watch: Watch, pid: number): void {
    const pending = watch.pending.get(pid);
    // With events, an exec that happened was told before the exit: so this one failed.
    if (pending !== undefined) this.#report(watch, pending, "failed");
  }

  #serve(watch: Watch): void {
    let held: Notification | undefined;
    try {
      held = receiveNotification(watch.notifyFd);
    } catch (error) {
      this.#end(watch, describeError(error));
      return;
    }
    if (held === undefined) return;
    const { holdMs } = watch.shared;
    if (holdMs > 0) watch.heldUntil = performance.now() + holdMs;
    this.#drainEvents();
    try {
      this.#judge(watch, held);
    } catch (error) {
      this.#refuseBroken(watch, held, error);
    }
  }

  #judge(watch: Watch, held: Notification): void {
    switch (held.call) {
      case CONNECT:
        return this.#judgeAddress(watch, held, "connect");
      case SOCKET:
        return this.#judgeSocket(watch, held);
      case SENDTO:
        return this.#judgeAddress(watch, held, "sendto");
      case EXECVE:
        return this.#judgeExec(watch, held, "execve");
      case EXECVEAT:
        return this.#judgeExec(watch, held, "execveat");
      default:
        this.#teller.odd(
          watch,
          "call",
          `system call ${held.call} was held, which nobody asked for`,
        );
        return this.#answer(watch, held, EACCES);
    }
  }

  /** Something failed while a call was held: it is refused, unless its caller has gone. */
  #refuseBroken(watch: Watch, held: Notification, error: unknown): void {
    try {
      if (!isNotificationValid(watch.notifyFd, held.id)) return;
      this.#teller.odd(watch, "internal", describeError(error));
      this.#answer(watch, held, EACCES);
    } catch (failure) {
      this.#end(watch, describeError(failure));
      return;
    }
    if (!isFault(error)) throw error; // A bug of ours: the thread ends, and every run with it.
  }

  #answer(watch: Watch, held: Notification, errno: number): void {
    answerNotification(watch.notifyFd, held.id, errno);
  }

  #judgeAddress(watch: Watch, held: Notification, call: "connect" | "sendto"): void {
    const [descriptor, , second, flags] = held.args;
    const pointer = call === "connect" ? held.args[1] : held.args[4];
    const length = Number(BigInt.asIntN(32, call === "connect" ? second : held.args[5]));
    if (call === "sendto" && pointer === 0n) return this.#answer(watch, held, 0);
    const pid = this.#placeCaller(watch, held);
    const bytes = readMemory(
      held.tid,
      pointer,
      Math.min(Math.max(length, 0), SOCKET_ADDRESS_BYTES_MAX),
    );
    const socket = socketOfThread(held.tid, pid, Number(BigInt.asIntN(32, descriptor)));
    // What was read is the caller's only if it was held all the while.
    if (!isNotificationValid(watch.notifyFd, held.id)) return;
    if (typeof socket === "number") return this.#answer(watch, held, socket);
    if (length < 0 || length > SOCKET_ADDRESS_BYTES_MAX) return this.#answer(watch, held, EINVAL);
    if (bytes.length < length) return this.#answer(watch, held, EFAULT);
    // A connected stream has its peer: the kernel reads the address for a fast open only.
    const ignored =
      call === "sendto" && socket.type === SOCK_STREAM && (flags & MSG_FASTOPEN) === 0n;
    const claim = ignored ? { kind: "pass" as const } : parseAddressClaim(bytes, socket, call);
    if (claim.kind === "pass") return this.#answer(watch, held, 0);
    const process = this.#teller.describe(watch.tree, pid);
    if (claim.kind === "refuse" || process === undefined) {
      const refused =
        claim.kind === "refuse" ? claim : { errno: EACCES, why: "the caller is unknown" };
      this.#teller.odd(
        watch,
        refused.errno === EAFNOSUPPORT ? "family" : "address",
        refused.why,
        process,
      );
      return this.#answer(watch, held, refused.errno);
    }
    const protocol = protocolOf(socket);
    // Where it goes is judged by the gateway, by the kernel's word; here only who knocks is noted.
    if (watch.allowed.has(destinationOf({ protocol, ...claim.endpoint }))) {
      watch.shared.connected(socket.cookie, this.#teller.refer(watch, process));
      return this.#answer(watch, held, 0);
    }
    const attempt: Attempt = {
      ...claim.endpoint,
      tid: held.tid,
      protocol,
      cookie: socket.cookie,
      syscall: call,
      process: this.#teller.refer(watch, process),
    };
    this.#teller.tell(watch, { kind: "ask", watch: watch.number, id: held.id, attempt });
  }

  /** A socket that the filter holds is one that no run gets: who asked for it is put on record. */
  #judgeSocket(watch: Watch, held: Notification): void {
    const [domain, type, protocol] = held.args.map((word) => Number(BigInt.asUintN(32, word)));
    const { what, detail } = describeRefusedSocket(domain ?? 0, type ?? 0, protocol ?? 0);
    let process: SeenProcess | undefined;
    try {
      process = this.#teller.describe(watch.tree, this.#placeCaller(watch, held));
    } catch (error) {
      if (!isFault(error)) throw error; // It hides from us; the answer is the same.
    }
    if (!isNotificationValid(watch.notifyFd, held.id)) return;
    this.#teller.odd(watch, what, detail, process);
    this.#answer(watch, held, EPERM);
  }

  /** Places the caller's process in the tree, and settles what its earlier exec came to. */
  #placeCaller(watch: Watch, held: Notification): number {
    const pid = this.#processOf(held.tid);
    const pending = watch.pending.get(pid);
    if (pending !== undefined) {
      const again = pending.tid === held.tid;
      this.#report(watch, pending, this.#look(watch, pending, again));
    }
    watch.tree.see(pid);
    return pid;
  }

  #processOf(tid: number): number {
    const known = this.#threads.get(tid);
    if (known !== undefined) return known;
    const pid = processOfThread(tid) ?? tid;
    if (this.#events === undefined) return pid;
    if (this.#threads.size >= THREADS_MAX) this.#threads.clear();
    this.#threads.set(tid, pid);
    return pid;
  }

  #judgeExec(watch: Watch, held: Notification, call: "execve" | "execveat"): void {
    const pid = this.#placeCaller(watch, held);
    const claim = readExecClaim(held, call);
    const stat = readStat(pid);
    if (!isNotificationValid(watch.notifyFd, held.id)) return;
    if (typeof claim === "number") return this.#answer(watch, held, claim);
    if (stat !== undefined) {
      watch.tree.executing(pid, claim);
      const { startTicks, imageMark } = stat;
      const { tid } = held;
      const sinceMs = performance.now();
      watch.pending.set(pid, { pid, tid, claim, startTicks, imageMark, sinceMs, looks: 0 });
    }
    this.#answer(watch, held, 0);
  }

  /** Looks at execs whose time has come. */
  #settle(watch: Watch): void {
    const now = performance.now();
    for (const pending of watch.pending.values()) {
      if (nextLookMs(pending) > now) continue;
      this.#report(watch, pending, this.#look(watch, pending, false));
    }
  }

  /** What became of an exec. Where the kernel tells of execs, one that it did not tell of failed. */
  #look(watch: Watch, pending: Pending, again: boolean): ExecState {
    const state = lookAtExec(pending, performance.now(), again);
    if (state !== "gone" || this.#events === undefined) return state;
    this.#drainEvents();
    return watch.pending.get(pending.pid) === pending ? "failed" : "wait";
  }

  #report(watch: Watch, pending: Pending, state: ExecState): void {
    if (state === "wait") return;
    watch.pending.delete(pending.pid);
    if (state === "failed") return;
    const { claim, pid } = pending;
    const found = state === "happened" ? this.#teller.describe(watch.tree, pid) : undefined;
    const confirmed = found !== undefined && found.file !== undefined;
    const process = confirmed ? found : this.#teller.describe(watch.tree, pid, claim);
    if (process === undefined) return;
    const exec = { path: claim.exe, argv: claim.argv, confirmed, process };
    this.#teller.tell(watch, { kind: "exec", watch: watch.number, exec });
  }
}
