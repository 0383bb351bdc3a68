/**
 * The recordings of one home: `runs/RUN/recordings/ID.cast`, 0600. One that grows is named `.cast.part`; it loses that
 * name when its outcome is on record, so a daemon that starts knows which were left by one that died.
 *
 * What was recorded is told by the ledger, not by the folder: an outcome holds length and SHA-256 of the file that belongs
 * to it, and a list compares both (INV-130).
 *
 * @module
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { access, open, readdir, rename, stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { Event } from "../action/index.ts";
import type { RecordingInfo } from "../api/index.ts";
import { createId, Fault, type Clock } from "../base/index.ts";
import type { Ledger } from "../ledger/index.ts";
import { Recording, type Sealed, type Terminal } from "./recording.ts";

export interface RecordingLimits {
  /** Bytes of one recording. Where it is full, what it records is ended. */
  readonly oneBytes: number;
  /** Bytes of all recordings of one run, where its task names no others: so that none takes the room of all. */
  readonly runBytes: number;
  /** Bytes of all recordings of a home. */
  readonly allBytes: number;
}

export const RECORDING_LIMITS: RecordingLimits = {
  oneBytes: 64 << 20,
  runBytes: 256 << 20,
  allBytes: 2 * 2 ** 30,
};

const TITLE_CHARS_MAX = 300;

/** What is recorded: an action that was allowed, of a run. */
export interface RecordedAction {
  readonly run: string;
  readonly action: string;
  readonly flow: string;
  readonly system: string;
  readonly target: string;
  /** In words. */
  readonly title: string;
  /** Bytes of all recordings of its run; {@link RecordingLimits.runBytes} where that is absent. */
  readonly runBytes?: number | undefined;
}

/** As a list has it before its file was looked at. */
type Listed = Omit<RecordingInfo, "check"> & { readonly sha256?: string | undefined };

const idSchema = z.string().regex(/^rec-[0-9a-z]{1,20}$/);
const sealedSchema = z.object({
  id: idSchema,
  bytes: z.number(),
  sha256: z.string().optional(),
  startedAt: z.string(),
  seconds: z.number(),
  isComplete: z.boolean(),
  end: z.string().optional(),
});
const headerSchema = z.object({
  timestamp: z.number(),
  cofferdam: z.object({
    action: z.string(),
    flow: z.string(),
    system: z.string(),
    target: z.string(),
  }),
});
const FILE = /^(rec-[0-9a-z]{1,20})\.cast(\.part)?$/;

export interface RecordingsOptions {
  /** The folder of all runs. */
  readonly runs: string;
  readonly clock: Clock;
  readonly ledger: Pick<Ledger, "append" | "read">;
  readonly limits?: RecordingLimits;
}

/** A recording under way, with what it is of. */
interface Open {
  readonly about: RecordedAction;
  readonly recording: Recording;
}

export class Recordings {
  readonly #options: RecordingsOptions;
  readonly #limits: RecordingLimits;
  readonly #open = new Map<string, Open>();
  /** Bytes of all files; counted when one is begun and there seems to be no room for all of it. */
  #bytes: number | undefined;
  /** The same of each run that has some under way, with how many. */
  readonly #runs = new Map<string, { bytes: number; open: number }>();

  constructor(options: RecordingsOptions) {
    this.#options = options;
    this.#limits = options.limits ?? RECORDING_LIMITS;
  }

  /**
   * Begins a recording of `about`; `secrets` will not be in it.
   *
   * @throws {Fault} `recording.full`, `recording.write`
   */
  async begin(
    about: RecordedAction,
    terminal: Terminal,
    secrets: readonly string[],
  ): Promise<Recording> {
    const { oneBytes, allBytes } = this.#limits;
    // A person may have made room.
    if ((this.#bytes ?? allBytes) + oneBytes > allBytes) this.#bytes = await this.#count();
    const { run, title, runBytes = this.#limits.runBytes, ...rest } = about;
    const ofRun = await this.#ofRun(run);
    const { clock } = this.#options;
    const id = createId("rec", clock.now().wallMs);
    let own = 0;
    const opened = Recording.open({
      id,
      path: `${this.#path(run, id)}.part`,
      clock,
      terminal,
      title: title.slice(0, TITLE_CHARS_MAX),
      about: { id, run, ...rest },
      secrets,
      take: (bytes) => {
        this.#take({ own: own + bytes, ofRun: ofRun.bytes + bytes, runBytes, bytes });
        own += bytes;
        ofRun.bytes += bytes;
      },
    });
    try {
      const recording = await opened;
      this.#open.set(id, { about, recording });
      return recording;
    } catch (error) {
      this.#left(run);
      throw error;
    }
  }

  /** Says that `recording`, which is sealed, is on record. */
  async settle({ id }: Recording): Promise<void> {
    const open = this.#open.get(id);
    if (open === undefined) return;
    const path = this.#path(open.about.run, id);
    await rename(`${path}.part`, path);
    this.#open.delete(id);
    this.#left(open.about.run);
  }

  /** Puts on record what a daemon left that died: as it is, and that it is not complete. */
  async recover(): Promise<void> {
    for (const run of await namesIn(this.#options.runs)) {
      for (const { id, isPart } of await this.#files(run)) {
        if (isPart) await this.#recoverOne(run, id);
      }
    }
  }

  /** All recordings, or those of `run`, in the order in which they began. */
  async list({
    run,
    id,
  }: {
    run?: string | undefined;
    id?: string | undefined;
  }): Promise<RecordingInfo[]> {
    const listed = new Map<string, Listed>();
    for await (const { seq, event } of this.#options.ledger.read()) {
      const info = infoOf(event, seq);
      if (info !== undefined) listed.set(info.id, info);
    }
    for (const { about, recording } of this.#open.values()) {
      if (!listed.has(recording.id)) listed.set(recording.id, growing(about, recording));
    }
    const runs = run === undefined ? await namesIn(this.#options.runs) : [run];
    for (const one of runs) {
      for (const file of await this.#files(one)) {
        if (!listed.has(file.id)) listed.set(file.id, unknown(one, file.id));
      }
    }
    const wanted = [...listed.values()].filter(
      (one) => (run ?? one.run) === one.run && (id ?? one.id) === one.id,
    );
    const infos: RecordingInfo[] = [];
    for (const one of wanted) infos.push(await this.#checked(one));
    return infos.sort((a, b) => (a.id < b.id ? -1 : 1)); // An id begins with its time.
  }

  /** The file, in pieces. @throws {Fault} `recording.none` */
  async *read({ run, id }: { run: string; id: string }): AsyncIterable<Buffer> {
    const path = await this.#there(run, id);
    if (path === undefined) {
      throw new Fault("recording.none", `there is no file of ${id}`, {
        hint: "`cofferdam recordings` lists them",
      });
    }
    for await (const chunk of createReadStream(path, { highWaterMark: 256 << 10 })) {
      yield chunk as Buffer;
    }
  }

  async #checked({ sha256, ...info }: Listed): Promise<RecordingInfo> {
    if (info.state === "recording") return { ...info, check: "open" };
    const path = await this.#there(info.run, info.id);
    if (path === undefined) {
      const isGone =
        (await access(join(this.#options.runs, info.run)).catch(() => "gone")) === "gone";
      return { ...info, check: isGone ? "removed" : "missing" };
    }
    if (info.entry === undefined) return { ...info, check: "unrecorded" };
    const { size } = await stat(path);
    const isSame = size === info.bytes && (await sumOf(path)) === sha256;
    return { ...info, check: isSame ? "ok" : "changed" };
  }

  async #recoverOne(run: string, id: string): Promise<void> {
    const path = this.#path(run, id);
    const { ledger, clock } = this.#options;
    const { size, birthtime, mtimeMs, birthtimeMs } = await stat(`${path}.part`);
    const header = headerSchema.safeParse(await firstLine(`${path}.part`));
    const { timestamp, cofferdam = {} } = header.data ?? {};
    const startedAt = timestamp === undefined ? birthtime : new Date(timestamp * 1000);
    const sealed: Sealed = {
      id,
      bytes: size,
      sha256: await sumOf(`${path}.part`),
      startedAt: startedAt.toISOString(),
      seconds: Math.max(0, Math.round(mtimeMs - birthtimeMs)) / 1000,
      isComplete: false,
      end: "the daemon died",
    };
    const { wallMs, monoMs } = clock.now();
    const at = new Date(wallMs).toISOString();
    const data = { failed: "daemon", recording: dataOf(sealed) };
    const event: Event = { type: "outcome", at, monoMs, run, ...cofferdam, data };
    await ledger.append(event, { sync: true });
    await rename(`${path}.part`, path);
  }

  /** Takes room for `bytes` more, with which one recording has `own` and its run `ofRun`. */
  #take(asked: { own: number; ofRun: number; runBytes: number; bytes: number }): void {
    const { oneBytes, allBytes } = this.#limits;
    const { own, ofRun, runBytes, bytes } = asked;
    const all = (this.#bytes ?? 0) + bytes;
    if (own > oneBytes) {
      const what = `its recording is full (${oneBytes} bytes), so it is ended`;
      throw new Fault("recording.full", what, { hint: "begin another one" });
    }
    if (ofRun > runBytes) {
      const what = `all recordings of its run take ${runBytes} bytes, as much as they may, so it is ended`;
      const hint = "a task file may name more: `compute: { recordings: 1GiB }`";
      throw new Fault("recording.full", what, { hint });
    }
    if (all > allBytes) {
      const what = `all recordings together take ${allBytes} bytes, as much as they may`;
      const hint = "remove folders of runs that are over, below `runs` in the state folder";
      throw new Fault("recording.full", what, { hint });
    }
    this.#bytes = all;
  }

  /** What the recordings of `run` take, which has one more under way: counted where it had none. */
  async #ofRun(run: string): Promise<{ bytes: number }> {
    const bytes = this.#runs.has(run) ? 0 : await this.#bytesOf(run);
    const known = this.#runs.get(run) ?? { bytes, open: 0 }; // Another may have begun meanwhile.
    known.open += 1;
    this.#runs.set(run, known);
    return known;
  }

  /** One of `run` is not under way any more; where that was the last, a person may make room. */
  #left(run: string): void {
    const known = this.#runs.get(run);
    if (known === undefined) return;
    known.open -= 1;
    if (known.open === 0) this.#runs.delete(run);
  }

  async #count(): Promise<number> {
    let bytes = 0;
    for (const run of await namesIn(this.#options.runs)) bytes += await this.#bytesOf(run);
    return bytes;
  }

  async #bytesOf(run: string): Promise<number> {
    let bytes = 0;
    for (const { name } of await this.#files(run)) {
      bytes += (await stat(join(this.#folder(run), name))).size;
    }
    return bytes;
  }

  async #files(run: string) {
    return (await namesIn(this.#folder(run))).flatMap((name) => {
      const [, id, part] = FILE.exec(name) ?? [];
      return id === undefined ? [] : [{ name, id, isPart: part !== undefined }];
    });
  }

  async #there(run: string, id: string): Promise<string | undefined> {
    const path = this.#path(run, id);
    for (const one of [path, `${path}.part`]) {
      if (
        await access(one).then(
          () => true,
          () => false,
        )
      )
        return one;
    }
    return undefined;
  }

  #folder(run: string): string {
    return join(this.#options.runs, run, "recordings");
  }

  #path(run: string, id: string): string {
    return join(this.#folder(run), `${id}.cast`);
  }
}

/** `sealed` as data of an entry. */
export function dataOf(sealed: Sealed): NonNullable<Event["data"]> {
  return Object.fromEntries(Object.entries(sealed));
}

function infoOf({ type, data, run = "", system = "", target = "" }: Event, entry: number) {
  if (type !== "outcome" || data?.["recording"] === undefined) return undefined;
  const { success, data: sealed } = sealedSchema.safeParse(data["recording"]);
  if (!success) return undefined;
  const { isComplete, end, ...rest } = sealed;
  const state = isComplete ? ("complete" as const) : ("incomplete" as const);
  return { ...rest, run, system, target, state, entry, ...(end === undefined ? {} : { end }) };
}

function growing({ run, system, target }: RecordedAction, recording: Recording): Listed {
  const { id, startedAt, sofar } = recording;
  return { id, run, system, target, startedAt, ...sofar, state: "recording" };
}

function unknown(run: string, id: string): Listed {
  const nothing = { system: "", target: "", startedAt: "", seconds: 0, bytes: 0 };
  return { id, run, ...nothing, state: "incomplete" };
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return (await readdir(folder)).sort();
  } catch (error) {
    // What is no folder holds nothing; and a run of which nothing was recorded has none.
    if (
      error instanceof Error &&
      "code" in error &&
      (error.code === "ENOENT" || error.code === "ENOTDIR")
    )
      return [];
    throw error;
  }
}

async function sumOf(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest("hex");
}

/** What the first line holds, as JSON; `undefined` where it is none. */
async function firstLine(path: string): Promise<unknown> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(64 << 10), 0, 64 << 10, 0);
    const [line = ""] = buffer.toString("utf8", 0, bytesRead).split("\n", 1);
    return JSON.parse(line) as unknown;
  } catch {
    return undefined;
  } finally {
    await file.close();
  }
}
