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
  EpollSet,
  isNotificationValid,
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
  readonly #byDescriptor = new Map<number, Watch>();
  /** Watches with an exec that is not settled: of a thousand runs, a few. */
  readonly #unsettled = new Set<Watch>();
  /** Watches that are not served for a while: they flood, or the main thread is behind with what they told. */
  readonly #muted = new Set<Watch>();
  readonly #set = new EpollSet();

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
    this.#set.add(ports.wake);
    if (ports.events !== undefined) this.#set.add(ports.events);
  }

  /** Serves until `isEnding`. */
  run(isEnding: () => boolean): void {
    while (!isEnding()) this.#turn();
    this.#set.close();
  }

  /** Waits once, and deals with at most one held call of each run, so that none starves another. */
  #turn(): void {
    const now = performance.now();
    for (const watch of this.#muted) if (!isBlocked(watch, now)) this.#mute(watch, false);
    const ready = this.#set.wait(this.#patienceMs());
    const isReady = (descriptor: number) => ready.some((one) => one.descriptor === descriptor);
    if (isReady(this.#wake)) {
      clearEvent(this.#wake);
      for (const order of this.#takeOrders()) this.#obey(order);
    }
    if (this.#events !== undefined && isReady(this.#events)) this.#drainEvents();
    for (const { descriptor, readiness } of ready) {
      // An order may have ended its watch, and the next descriptor have its number.
      const watch = this.#byDescriptor.get(descriptor);
      if (watch === undefined) continue;
      if (readiness === "ended") this.#end(watch, undefined);
      else if (isBlocked(watch, performance.now())) this.#mute(watch, true);
      else this.#serve(watch);
    }
    for (const watch of this.#unsettled) this.#settle(watch);
  }

  /** Its calls stay held; that it ended is told all the same. */
  #mute(watch: Watch, isMute: boolean): void {
    this.#set.mute(watch.notifyFd, isMute);
    if (isMute) this.#muted.add(watch);
    else this.#muted.delete(watch);
  }

  #patienceMs(): number {
    const now = performance.now();
    let until = now + (this.#muted.size > 0 ? BACKLOG_RETRY_MS : WAIT_MS_MAX);
    for (const { heldUntil } of this.#muted) {
      if (heldUntil > now) until = Math.min(until, heldUntil);
    }
    for (const { pending } of this.#unsettled) {
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
        const watch: Watch = {
          number,
          notifyFd,
          shared: new SharedState(order.shared),
          tree,
          pending: new Map(),
          allowed: new Set(),
          heldUntil: 0,
        };
        this.#watches.set(number, watch);
        this.#byDescriptor.set(notifyFd, watch);
        this.#set.add(notifyFd);
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
    this.#byDescriptor.delete(watch.notifyFd);
    this.#muted.delete(watch);
    this.#set.remove(watch.notifyFd);
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
        for (const watch of this.#unsettled) this.#sawExit(watch, event.pid);
        this.#owners.get(event.pid)?.exited(event.pid);
    }
  }

  #sawExec(pid: number): void {
    const tree = this.#owners.get(pid);
    if (tree === undefined) return;
    tree.executing(pid);
    for (const watch of this.#unsettled) {
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
      this.#unsettled.add(watch);
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
    if (watch.pending.size === 0) this.#unsettled.delete(watch);
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

/** Whether it is not to be served now. */
function isBlocked({ heldUntil, shared }: Watch, now: number): boolean {
  return heldUntil > now || shared.backlog >= BACKLOG_MAX;
}
