/**
 * Who forks launchers: a small process (native/spawner.c), since the daemon's own fork copies the page tables of a
 * grown Node and stops it meanwhile (docs/decisions/0452).
 *
 * @module
 */
import { spawn, type ChildProcess } from "node:child_process";
import { statSync } from "node:fs";
import { Socket } from "node:net";
import type { Duplex, Readable } from "node:stream";
import { z } from "zod";
import { describeError, Fault, isFault } from "../base/index.ts";
import * as sys from "../sys/index.ts";

/** A launcher process, as whoever started it holds it. */
export interface Birth {
  /** Its pid, once it is there. @throws {Fault} `sandbox.launcher` where it did not start. */
  readonly born: Promise<number>;
  /** Frames in, JSON lines out. */
  readonly control: Duplex;
  /** What it and bubblewrap say in words. */
  readonly diagnostics: Readable;
  /** Bubblewrap's `--info-fd`. */
  readonly notes: Readable;
  /** Our end of the packets that carry descriptors; owned by the holder. */
  readonly carrier: number;
  /** Resolves when its process has ended, or there never was one. */
  readonly gone: Promise<void>;
  kill(): void;
}

const id = z.number().int();
const toldSchema = z.discriminatedUnion("type", [
  z.object({ type: z.literal("born"), id, pid: z.number().int().positive() }),
  z.object({ type: z.literal("unborn"), id, errno: z.number().int() }),
  z.object({ type: z.literal("gone"), id }),
]);

const DESCRIPTORS_HINT =
  "raise the daemon's limits (`ulimit -Hn`, `ulimit -Hu`), or run fewer at once";

interface Expected {
  readonly born: PromiseWithResolvers<number>;
  readonly gone: PromiseWithResolvers<void>;
}

class Spawner {
  readonly #binary: string;
  readonly #child: ChildProcess;
  readonly #told: Socket;
  readonly #orders: number;
  readonly #expected = new Map<number, Expected>();
  #ids = 0;
  #rest = "";
  /** Whether it can be asked. */
  isAlive = true;

  constructor(binary: string) {
    this.#binary = binary;
    const [ours, theirs] = sys.createSocketPair("packet");
    this.#orders = ours;
    try {
      this.#child = spawn(binary, ["spawner"], {
        env: {},
        cwd: "/",
        stdio: ["ignore", "ignore", "inherit", "pipe", theirs],
      });
    } finally {
      sys.closeDescriptor(theirs);
    }
    this.#told = this.#child.stdio[3] as Socket;
    this.#told.setEncoding("utf8");
    this.#told.on("data", (text: string) => this.#hear(text));
    this.#told.on("error", () => this.#child.kill("SIGKILL"));
    this.#child.once("error", (cause) => this.#end(cause));
    this.#child.once("close", () => this.#end());
    this.#child.unref();
    this.#told.unref();
  }

  launch(): Birth {
    this.#ids += 1;
    const number = this.#ids;
    const expected = { born: Promise.withResolvers<number>(), gone: Promise.withResolvers<void>() };
    expected.born.promise.catch(() => {}); // Whoever waits for anything of it is told.
    const { ours, theirs } = createStreams();
    // Before it is asked: its answer may be read at once.
    this.#expected.set(number, expected);
    this.#told.ref();
    try {
      this.#order(`launch ${number}`, theirs);
    } finally {
      theirs.forEach(sys.closeDescriptor);
    }
    const [diagnostics = -1, control = -1, carrier = -1, notes = -1] = ours;
    return {
      born: expected.born.promise,
      gone: expected.gone.promise,
      diagnostics: new Socket({ fd: diagnostics, writable: false }),
      control: new Socket({ fd: control }),
      notes: new Socket({ fd: notes, writable: false }),
      carrier,
      kill: () => {
        if (this.isAlive && this.#expected.has(number)) this.#order(`kill ${number}`, []);
      },
    };
  }

  #order(text: string, descriptors: readonly number[]): void {
    try {
      sys.sendMessage(this.#orders, Buffer.from(text), descriptors);
    } catch (cause) {
      // It has ended: that is told to all who wait for it, when its own end is known, and its launchers end with it.
      if (!isFault(cause, "sys.call")) throw cause;
    }
  }

  /** Starts no more; those that it started live on. */
  retire(): void {
    if (this.#expected.size === 0) this.#child.kill("SIGKILL");
    else this.#isRetired = true;
  }

  #isRetired = false;

  #hear(text: string): void {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) this.#take(toldSchema.parse(JSON.parse(line)));
  }

  #take(told: z.infer<typeof toldSchema>): void {
    const expected = this.#expected.get(told.id);
    if (expected === undefined) return;
    if (told.type === "born") {
      expected.born.resolve(told.pid);
      return;
    }
    if (told.type === "unborn") {
      const why = sys.errnoName(told.errno);
      expected.born.reject(
        new Fault("sandbox.launcher", `the launcher did not start: ${why}`, {
          hint: DESCRIPTORS_HINT,
        }),
      );
    }
    expected.gone.resolve();
    this.#forget(told.id);
  }

  #forget(number: number): void {
    this.#expected.delete(number);
    if (this.#expected.size > 0) return;
    this.#told.unref();
    if (this.#isRetired) this.#child.kill("SIGKILL");
  }

  /** Its launchers ask to die with it; those that were still on their way are cut off by who holds them. */
  #end(cause?: unknown): void {
    if (!this.isAlive) return;
    this.isAlive = false;
    sys.closeDescriptor(this.#orders);
    const fault = new Fault("sandbox.launcher", `the launcher ${this.#binary} did not start`, {
      ...(cause === undefined ? {} : { cause }),
      hint: "`npm run setup` builds it",
    });
    for (const { born, gone } of this.#expected.values()) {
      born.reject(fault);
      gone.resolve();
    }
    this.#expected.clear();
  }
}

/** Pairs for the launcher's diagnostics, control stream, carrier and notes. @throws {Fault} `sandbox.launcher` */
function createStreams(): { readonly ours: number[]; readonly theirs: number[] } {
  const ours: number[] = [];
  const theirs: number[] = [];
  try {
    for (const kind of ["stream", "stream", "packet", "stream"] as const) {
      const [one, other] = sys.createSocketPair(kind);
      ours.push(one);
      theirs.push(other);
    }
    return { ours, theirs };
  } catch (cause) {
    [...ours, ...theirs].forEach(sys.closeDescriptor);
    const why = `no sockets for a launcher: ${describeError(cause)}`;
    throw new Fault("sandbox.launcher", why, { cause, hint: DESCRIPTORS_HINT });
  }
}

/** One spawner for each binary, as it is on the disk: there is one process, so one place that knows of it. */
const spawners = new Map<string, { readonly spawner: Spawner; readonly of: string }>();

/** Starts the launcher that lies at `binary`. */
export function startLauncher(binary: string): Birth {
  const about = statSync(binary, { throwIfNoEntry: false });
  const of = `${about?.dev} ${about?.ino} ${about?.size} ${about?.ctimeMs}`;
  const known = spawners.get(binary);
  if (known?.spawner.isAlive === true && known.of === of) return known.spawner.launch();
  known?.spawner.retire();
  const spawner = new Spawner(binary);
  spawners.set(binary, { spawner, of });
  return spawner.launch();
}
