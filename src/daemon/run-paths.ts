/**
 * Files of a live run, as it sees them itself: every operation is a command in it, under its own seal, as its own
 * user. So the host follows no name that a run made, and nobody reads or writes through this what the run could not.
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import type { FileInfo, FileRead, FileWrite, Step } from "../api/index.ts";
import { Fault } from "../base/index.ts";
import type { Begun, Execs } from "./execs.ts";
import type { Run } from "./run.ts";

const WORDS_BYTES_MAX = 4096;
const LISTED_BYTES_MAX = 16 << 20;
/** GNU find: kind, bytes, permissions, time, where a link leads, path; a NUL behind each, which no name can hold. */
const FORMAT = "%y\\0%s\\0%m\\0%T@\\0%l\\0%P\\0";
const FIELDS = 6;
/** ECMA-262, "Time Values and Time Range". */
const TIME_MS_MAX = 8.64e15;
/** Beside its place until it is whole, and over what is there in one step, whose mode it has where none is said. */
const WRITE =
  'install -D -m "${2:-644}" /dev/stdin "$1$3" && { [ -n "$2" ] || [ ! -f "$1" ] || chmod --reference="$1" -- "$1$3"; } && mv -fT -- "$1$3" "$1" && exit; c=$?; rm -f -- "$1$3"; exit $c';

interface Place {
  readonly run: string;
  readonly path: string;
  readonly step?: Step | undefined;
  /** Aborted when its caller is gone: a tool may be held up for ever, by a FIFO or a SIGSTOP of the run's. */
  readonly gone?: AbortSignal;
}

/** Starts a tool of the host's in the run. Its absolute name and a plain environment: neither is the agent's to choose. */
async function begin(
  execs: Execs,
  run: Run,
  { path, step, gone }: Place,
  op: string,
  argv: readonly [string, ...string[]],
): Promise<{ readonly begun: Begun; readonly streams: Pipes }> {
  const start = {
    run: run.id,
    argv: [...argv],
    cwd: "/",
    environment: { PATH: "/usr/bin:/bin", LC_ALL: "C.UTF-8" },
    ...(step === undefined ? {} : { step }),
  };
  const begun = await execs.begin(run, start, { file: { op, path } });
  if (begun.streams.kind !== "pipes") throw new Fault("sandbox.exec", "a file has no terminal");
  begun.streams.stdin.on("error", () => {}); // Its tool ends, and says why.
  const cancel = () => begun.cancel("cancelled");
  gone?.addEventListener("abort", cancel, { once: true });
  void begun.ended.then(() => gone?.removeEventListener("abort", cancel));
  if (gone?.aborted === true) cancel();
  return { begun, streams: begun.streams };
}

type Pipes = Extract<Begun["streams"], { readonly kind: "pipes" }>;

/** @throws {Fault} `daemon.file` with the tool's own words where it failed. */
async function finish(
  begun: Begun,
  path: string,
  { stderr }: Said,
  bytes?: { readonly stdin: number },
): Promise<void> {
  const exit = await begun.ended;
  const words = stderr.toString().trim();
  await begun.close(exit, bytes);
  if (exit.code === 0) return;
  const why = exit.problem ?? (words === "" ? (exit.signal ?? `status ${exit.code}`) : words);
  throw new Fault("daemon.file", `${path}: ${why}`, {
    hint: "the run itself does it, with no more rights than its agent has",
  });
}

/** What a tool said, cut where more is of no use; the rest is read for nobody. */
class Said {
  #stderr = Buffer.alloc(0);

  get stderr(): Buffer {
    return this.#stderr;
  }

  /** What comes at stdout, as it comes. */
  async *outputOf(begun: Begun): AsyncIterable<Buffer> {
    for await (const { name, chunk } of begun.said()) {
      if (name === "stdout") yield chunk;
      else {
        const left = WORDS_BYTES_MAX - this.#stderr.length;
        if (left > 0) this.#stderr = Buffer.concat([this.#stderr, chunk.subarray(0, left)]);
      }
    }
  }

  /** All of it, with at most `max` bytes of what came at stdout. */
  async all(begun: Begun, max = 0): Promise<Buffer> {
    const parts: Buffer[] = [];
    let size = 0;
    for await (const chunk of this.outputOf(begun)) {
      if (size < max) parts.push(chunk.subarray(0, max - size));
      size += chunk.length;
    }
    return Buffer.concat(parts);
  }
}

async function perform(
  execs: Execs,
  run: Run,
  of: Place,
  op: string,
  argv: readonly [string, ...string[]],
): Promise<Buffer> {
  const { begun, streams } = await begin(execs, run, of, op, argv);
  streams.stdin.end();
  const said = new Said();
  const output = await said.all(begun, LISTED_BYTES_MAX + 1);
  await finish(begun, of.path, said);
  if (output.length > LISTED_BYTES_MAX) {
    throw new Fault("daemon.file", `${of.path}: its listing is above 16 MiB`, {
      hint: "ask for a folder of it, or with a smaller depth",
    });
  }
  return output;
}

const KINDS: Readonly<Record<string, FileInfo["kind"]>> = { f: "file", d: "folder", l: "link" };

function readListing(listing: Buffer): FileInfo[] {
  const fields = listing.toString("utf8").split("\0").slice(0, -1);
  return Array.from({ length: fields.length / FIELDS }, (_, at) => {
    const [kind = "", bytes = "", mode = "", seconds = "", leadsTo = "", path = ""] = fields.slice(
      at * FIELDS,
      (at + 1) * FIELDS,
    );
    return {
      path,
      kind: KINDS[kind] ?? "other",
      bytes: Number(bytes),
      mode,
      // Whatever the run set it to: what no date reaches is as far as dates go.
      modifiedAt: new Date(
        Math.max(-TIME_MS_MAX, Math.min(TIME_MS_MAX, Math.trunc(Number(seconds) * 1000))),
      ).toISOString(),
      ...(kind === "l" ? { leadsTo } : {}),
    };
  });
}

/** @throws {Fault} `daemon.file` */
export async function statFile(execs: Execs, run: Run, of: Place): Promise<FileInfo> {
  const argv = ["/usr/bin/find", of.path, "-maxdepth", "0", "-printf", FORMAT] as const;
  const [info] = readListing(await perform(execs, run, of, "stat", argv));
  if (info === undefined) throw new Fault("daemon.file", `${of.path}: nothing is told of it`);
  return { ...info, path: of.path };
}

/** @throws {Fault} `daemon.file` */
export async function listFiles(
  execs: Execs,
  run: Run,
  of: Place & { readonly depth?: number | undefined },
): Promise<FileInfo[]> {
  const depth = String(of.depth ?? 1);
  // With a slash behind it: a link to a folder is listed as the folder that it leads to.
  const folder = of.path.endsWith("/") ? of.path : `${of.path}/`;
  const argv = [
    ...(["/usr/bin/find", folder, "-mindepth", "1"] as const),
    ...["-maxdepth", depth, "-printf", FORMAT],
  ] as const;
  return readListing(await perform(execs, run, of, "list", argv));
}

/** @throws {Fault} `daemon.file` */
export async function makeFolder(execs: Execs, run: Run, of: Place): Promise<void> {
  await perform(execs, run, of, "folder", ["/bin/mkdir", "-p", "--", of.path]);
}

/** A file, or a folder with all in it. @throws {Fault} `daemon.file` */
export async function removeFile(execs: Execs, run: Run, of: Place): Promise<void> {
  await perform(execs, run, of, "remove", ["/bin/rm", "-r", "--", of.path]);
}

/** @throws {Fault} `daemon.file` */
export async function moveFile(
  execs: Execs,
  run: Run,
  of: Place & { readonly to: string },
): Promise<void> {
  await perform(execs, run, of, "move", ["/bin/mv", "-T", "--", of.path, of.to]);
}

/**
 * A file's bytes, as they are read. Rejects with `daemon.file` before the first where it cannot be read, and breaks off
 * where that fails on the way; whoever stops reading ends it.
 */
export async function* readFile(
  execs: Execs,
  run: Run,
  of: FileRead & Pick<Place, "gone">,
): AsyncIterable<Buffer> {
  const { begun, streams } = await begin(execs, run, of, "read", ["/bin/cat", "--", of.path]);
  streams.stdin.end();
  const said = new Said();
  let isWhole = false;
  try {
    yield* said.outputOf(begun);
    isWhole = true;
  } finally {
    if (!isWhole) begun.cancel("cancelled");
    await finish(begun, of.path, said).catch((error: unknown) => {
      if (isWhole) throw error;
    });
  }
}

/** Writes `content` to a file, whole or not at all; folders on the way are made. @throws {Fault} `daemon.file` */
export async function writeFile(
  execs: Execs,
  run: Run,
  of: FileWrite & Pick<Place, "gone">,
  content: AsyncIterable<Uint8Array>,
): Promise<{ readonly bytes: number }> {
  const part = `.${randomBytes(6).toString("hex")}.part`;
  const { begun, streams } = await begin(execs, run, of, "write", [
    ...(["/bin/sh", "-c", WRITE] as const),
    ...["sh", of.path, of.mode ?? "", part],
  ]);
  const said = new Said();
  const over = said.all(begun);
  let bytes = 0;
  try {
    for await (const chunk of content) {
      bytes += chunk.length;
      if (streams.stdin.destroyed) break; // Its tool has ended, and says why.
      if (!streams.stdin.write(chunk)) await drained(begun, streams);
    }
    of.gone?.throwIfAborted();
    streams.stdin.end();
  } catch (error) {
    begun.cancel("cancelled"); // What was sent is not all: nothing of it shall stand there.
    await over;
    await finish(begun, of.path, said, { stdin: bytes }).catch(() => {});
    const { gone: _, ...place } = of;
    await perform(execs, run, place, "remove", ["/bin/rm", "-f", "--", `${of.path}${part}`]).catch(
      () => {},
    );
    throw error;
  }
  await over;
  await finish(begun, of.path, said, { stdin: bytes });
  return { bytes };
}

/** Takes more, or will never: another of the run may hold the other end when its tool has ended. */
async function drained({ ended }: Begun, { stdin }: Pipes): Promise<void> {
  await new Promise<void>((resolve) => {
    stdin.once("drain", resolve);
    stdin.once("close", resolve);
    void ended.then(() => {
      stdin.destroy();
      resolve();
    });
  });
}
