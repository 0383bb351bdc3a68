/**
 * Waiting for input on many descriptors that change one by one (epoll(7)): a wait costs by what is ready, not
 * by how many there are.
 *
 *     struct epoll_event   events 4, data 8; packed on x86-64, with 4 bytes between them elsewhere
 *
 * @module
 */
import { constants } from "node:os";
import { allocate, checked, closeDescriptor, lastErrno, native } from "./libc.ts";
import type { Readiness } from "./poll.ts";

const { EINTR } = constants.errno;
const EPOLL_CLOEXEC = 0x8_0000;
const [ADD, REMOVE, CHANGE] = [1, 2, 3];
const EPOLLIN = 1;
const DATA_AT = process.arch === "x64" ? 4 : 8;
const EVENT_BYTES = DATA_AT + 8;
/** What one wait tells at most: the rest is told by the next. */
const READY_MAX = 256;

/** One descriptor that is ready. */
export interface Ready {
  readonly descriptor: number;
  readonly readiness: Exclude<Readiness, "quiet">;
}

/** Descriptors to wait for, by one thread. */
export class EpollSet {
  readonly #epoll = checked("epoll_create1", native.epollCreate(EPOLL_CLOEXEC));
  readonly #event = Buffer.alloc(EVENT_BYTES);
  readonly #ready = scratch();

  add(descriptor: number): void {
    this.#control(ADD, descriptor, EPOLLIN);
  }

  /** Before it is closed: closed elsewhere, it would be told of for as long as anyone holds it. */
  remove(descriptor: number): void {
    this.#control(REMOVE, descriptor, 0);
  }

  /** Tells no input of `descriptor`, or again; its end is told all the same. */
  mute(descriptor: number, isMute: boolean): void {
    this.#control(CHANGE, descriptor, isMute ? 0 : EPOLLIN);
  }

  /** Blocks this thread until something is ready or `timeoutMs` passed (-1: for ever); what is ready, and how. */
  wait(timeoutMs: number): readonly Ready[] {
    const count = native.epollWait(this.#epoll, this.#ready.pointer, READY_MAX, timeoutMs);
    if (count < 0 && lastErrno() === EINTR) return [];
    checked("epoll_wait", count);
    return Array.from({ length: count }, (_, n) => {
      const at = n * EVENT_BYTES;
      const events = this.#ready.bytes.readUInt32LE(at);
      return {
        descriptor: this.#ready.bytes.readInt32LE(at + DATA_AT),
        readiness: (events & EPOLLIN) === 0 ? "ended" : "readable",
      };
    });
  }

  close(): void {
    closeDescriptor(this.#epoll);
  }

  #control(what: number, descriptor: number, events: number): void {
    this.#event.writeUInt32LE(events, 0);
    this.#event.writeInt32LE(descriptor, DATA_AT);
    checked("epoll_ctl", native.epollControl(this.#epoll, what, descriptor, this.#event));
  }
}

let shared: ReturnType<typeof allocate> | undefined;

/** A thread waits for one set at a time, and reads what came before it waits again. */
function scratch(): ReturnType<typeof allocate> {
  return (shared ??= allocate(EVENT_BYTES * READY_MAX));
}
