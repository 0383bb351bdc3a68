/**
 * What is kept of a run as it was when it was paused: its processes with their descriptors and maps, its
 * connections, and what it has changed in the workspace. The run stands still meanwhile.
 *
 * @module
 */
import { hash } from "node:crypto";
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type { Evidence } from "./responses.ts";

/** Of a run that wants to fill the disk by what is kept of it. */
const PROCESSES_MAX = 1000;
const PROCESSES_CHARS_MAX = 8 << 20; // Of all of them: the daemon holds it in memory, and looks at nothing else meanwhile.
const DESCRIPTORS_MAX = 256;
const MAPS_BYTES_MAX = 65_536;
const SOCKETS_BYTES_MAX = 262_144;
const ARGV_BYTES_MAX = 4096;
const FILES_MAX = 100; // Of one run: then the oldest stay, which show how it began.

export interface Scene {
  readonly run: string;
  /** RFC 3339. */
  readonly at: string;
  readonly why: string;
  readonly pids: readonly number[];
  /** What `diff` tells; absent where it could not be told. */
  readonly changes?: unknown;
}

/** Writes what is to be seen of `scene` into `folder`; nothing where there is enough of it already. */
export function keepEvidence(folder: string, scene: Scene): Evidence | undefined {
  const { pids, ...about } = scene;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const number = readdirSync(folder).length + 1;
  if (number > FILES_MAX) return undefined;
  const [first] = pids;
  const processes = lookAtAll(pids);
  const text = JSON.stringify(
    {
      ...about,
      processes,
      left: pids.length - processes.length,
      // Every process of the run is in one network namespace.
      sockets: first === undefined ? {} : socketsOf(first),
    },
    undefined,
    1,
  );
  const file = join(folder, `${String(number).padStart(3, "0")}.json`);
  writeFileSync(file, text, { mode: 0o600, flag: "wx" });
  return { evidence: file, evidenceSha256: hash("sha256", text) };
}

function lookAtAll(pids: readonly number[]): readonly Readonly<Record<string, unknown>>[] {
  const processes = [];
  let chars = 0;
  for (const pid of pids.slice(0, PROCESSES_MAX)) {
    const one = lookAt(pid);
    chars += JSON.stringify(one).length;
    if (chars > PROCESSES_CHARS_MAX) break;
    processes.push(one);
  }
  return processes;
}

function lookAt(pid: number): Readonly<Record<string, unknown>> {
  const at = (name: string) => `/proc/${pid}/${name}`;
  const status = Object.fromEntries(
    textOf(at("status"), MAPS_BYTES_MAX)
      .split("\n")
      .map((line) => line.split(":\t") as [string, string])
      .filter(([name]) => STATUS.has(name)),
  );
  const numbers = listOf(at("fd")).slice(0, DESCRIPTORS_MAX);
  return {
    pid,
    ...status,
    exe: linkOf(at("exe")),
    cwd: linkOf(at("cwd")),
    argv: textOf(at("cmdline"), ARGV_BYTES_MAX).replace(/\0$/, "").split("\0"),
    descriptors: Object.fromEntries(numbers.map((number) => [number, linkOf(at(`fd/${number}`))])),
    maps: textOf(at("maps"), MAPS_BYTES_MAX).split("\n").slice(0, -1),
  };
}

const STATUS = new Set(["Name", "State", "PPid", "Threads", "VmRSS", "Seccomp", "NoNewPrivs"]);

function socketsOf(pid: number): Readonly<Record<string, readonly string[]>> {
  const tables = ["tcp", "tcp6", "udp", "udp6", "unix"].map((name) => {
    const lines = textOf(`/proc/${pid}/net/${name}`, SOCKETS_BYTES_MAX).split("\n").slice(1, -1);
    return [name, lines.map((line) => line.trim())] as const;
  });
  return Object.fromEntries(tables);
}

/** What cannot be read says so: a process may have gone, or be nobody's to look into. */
function textOf(path: string, bytesMax: number): string {
  return readOr(() => headOf(path, bytesMax), unreadable);
}

/** No more is read than is kept: what the kernel makes up for a process may be megabytes. */
function headOf(path: string, bytesMax: number): string {
  const file = openSync(path, "r");
  try {
    const bytes = Buffer.alloc(bytesMax);
    let at = 0;
    for (let read = -1; read !== 0 && at < bytesMax; at += read) {
      read = readSync(file, bytes, at, bytesMax - at, null);
    }
    return bytes.toString("utf8", 0, at);
  } finally {
    closeSync(file);
  }
}

function linkOf(path: string): string {
  return readOr(() => readlinkSync(path), unreadable);
}

function listOf(path: string): readonly string[] {
  return readOr(
    () => readdirSync(path),
    () => [],
  );
}

function unreadable(error: unknown): string {
  return `unreadable: ${(error as NodeJS.ErrnoException).code ?? String(error)}\n`;
}

function readOr<Value>(read: () => Value, otherwise: (error: unknown) => Value): Value {
  try {
    return read();
  } catch (error) {
    return otherwise(error);
  }
}
