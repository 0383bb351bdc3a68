/**
 * What the watching thread and the main thread tell each other.
 *
 * @module
 */
import type { MessagePort } from "node:worker_threads";
import type { SeenProcess } from "./process-tree.ts";
import type { Protocol } from "./socket-address.ts";

/** Of what the main thread gives the worker at its start. */
export interface WorkerSetup {
  /** An eventfd: readable when there is an order, or when it is time to end. */
  readonly wake: number;
  /** `[0]`: not 0 when it is time to end. */
  readonly ending: Int32Array;
  /** Where reports go: a port of its own, so that the main thread can take them when it needs them. */
  readonly reports: MessagePort;
}

export type Order =
  | {
      readonly kind: "watch";
      readonly watch: number;
      readonly notifyFd: number;
      readonly initPid: number;
      /** The memory of a `SharedState`. */
      readonly shared: SharedArrayBuffer;
    }
  | { readonly kind: "unwatch"; readonly watch: number }
  | {
      readonly kind: "describe";
      readonly watch: number;
      readonly pid: number;
      readonly token: number;
    }
  /** The run may connect there from now on without being asked. */
  | { readonly kind: "allow"; readonly watch: number; readonly destination: string }
  /** This executable could not be hashed now; hand it over again when it is seen again. */
  | { readonly kind: "forget"; readonly file: string };

/** An attempt to reach something, held until the main thread answers. */
export interface Attempt {
  readonly tid: number;
  readonly protocol: Protocol;
  readonly address: string;
  readonly port: number;
  readonly cookie: bigint;
  readonly syscall: "connect" | "sendto";
  /** By the number that it was told under. */
  readonly process: number;
}

/** Why something was refused, or could not be told, without asking. */
export type OddKind = "address" | "family" | "call" | "icmp" | "other" | "internal" | "lost";

export interface OddReport {
  readonly what: OddKind;
  readonly detail: string;
  readonly process: SeenProcess | undefined;
}

export interface ExecReport {
  /** As claimed while the call was held. */
  readonly path: string;
  readonly argv: readonly string[];
  /** Whether `process` was read after the exec; else it holds the claims. */
  readonly confirmed: boolean;
  readonly process: SeenProcess;
}

export type Report =
  /** A process that later reports name by `serial`: most attempts come from the same few. */
  | {
      readonly kind: "process";
      readonly watch: number;
      readonly serial: number;
      readonly process: SeenProcess;
    }
  | { readonly kind: "ask"; readonly watch: number; readonly id: bigint; readonly attempt: Attempt }
  | { readonly kind: "exec"; readonly watch: number; readonly exec: ExecReport }
  | { readonly kind: "odd"; readonly watch: number; readonly odd: OddReport }
  /** The watch is over and its descriptor out of use here. */
  | { readonly kind: "ended"; readonly watch: number; readonly failure: string | undefined }
  /** A new executable, open at `descriptor`, which the main thread owns from here on. */
  | { readonly kind: "file"; readonly file: string; readonly descriptor: number }
  | {
      readonly kind: "described";
      readonly token: number;
      readonly process: SeenProcess | undefined;
    };

/** A destination by which both threads mean the same. */
export function destinationOf(to: Pick<Attempt, "protocol" | "address" | "port">): string {
  return `${to.protocol} ${to.address} ${to.port}`;
}

/** How many of the latest processes the main thread keeps, over all runs. */
export const PROCESSES_TOLD = 4096;

/** Reports of one run that may wait for the main thread; beyond, the run waits. */
export const BACKLOG_MAX = 512;
