/**
 * What `nvidia-smi` says of GPUs and of who uses them (nvidia-smi(1): `--query-gpu`, `--query-compute-apps`, `pmon`).
 *
 *   --query-gpu           INDEX, UUID, BUS-ID, PERCENT, MiB          a line each; with noheader, nounits
 *   --query-compute-apps  UUID, PID, MiB
 *   pmon -c 1 -s u        # gpu pid type sm mem ... command          a heading of two lines, then a process a line
 *
 * What is not known stands there as `[N/A]`, `[Not Supported]` and the like, in pmon as `-`. The last column of pmon is
 * a name that the process chose: a line feed in it makes lines of its own. So a second line for the same process, or a
 * line that is none, makes all of pmon unreadable; and whoever computes is told by the other list alone (INV-154).
 *
 * @module
 */
import { spawn } from "node:child_process";
import { accessSync, constants, readdirSync } from "node:fs";
import { join } from "node:path";
import { describeError, Fault } from "../../base/index.ts";
import { readSmall } from "./proc.ts";

/** Where drivers put it; PATH is its user's and not asked. The second is WSL's. */
const PROGRAMS = ["/usr/bin/nvidia-smi", "/usr/lib/wsl/lib/nvidia-smi", "/opt/bin/nvidia-smi"];
const WAIT_MS_MAX = 5_000; // Without persistence mode the driver is loaded first: a second or two.
const OUTPUT_BYTES_MAX = 1 << 20;
const LINES_MAX = 4_096;
const GPUS_MAX = 256;
const MIB = 2 ** 20;

/** A GPU; what the driver does not tell is absent. */
export interface NvidiaGpu {
  readonly index: number;
  readonly uuid: string;
  /** `0000:18:00.0`. */
  readonly bus: string;
  /** Of the last sampling period, 0 to 1. */
  readonly busy?: number;
  /** Bytes. */
  readonly memory?: number;
}

export interface NvidiaProcess {
  /** Its GPU, as {@link NvidiaGpu.index}. */
  readonly index: number;
  readonly pid: number;
  readonly busy?: number;
  readonly memory?: number;
}

/** What one look gave. */
export interface NvidiaUse {
  /** By the number of their device file, which need not be their index. */
  readonly gpus: ReadonlyMap<number, NvidiaGpu>;
  readonly processes: readonly NvidiaProcess[];
  /** Whether it is known how busy each process keeps a GPU: not with MIG, under WSL and on some cards. */
  readonly tellsProcesses: boolean;
}

const QUERIES = {
  gpus: ["--query-gpu=index,uuid,pci.bus_id,utilization.gpu,memory.used"],
  apps: ["--query-compute-apps=gpu_uuid,pid,used_memory"],
} as const;
const FORMAT = "--format=csv,noheader,nounits";

/**
 * Asks `nvidia-smi` once.
 *
 * @throws {Fault} `sandbox.gpu_use` where it is not there, does not answer in time, or is not understood.
 */
export async function readNvidia(
  programs: readonly string[] = PROGRAMS,
  folder = "/proc/driver/nvidia/gpus",
  waitMs = WAIT_MS_MAX,
): Promise<NvidiaUse> {
  const program = programs.find(isProgram);
  if (program === undefined) throw unread(`there is no ${programs[0] ?? ""}`);
  const ask = (args: readonly string[]) => output(program, args, waitMs);
  const [gpus, apps, pmon] = await Promise.all([
    ask([...QUERIES.gpus, FORMAT]).then(parseGpus),
    ask([...QUERIES.apps, FORMAT]),
    // Where it is not supported it says so and fails: the others are still worth reading.
    ask(["pmon", "-c", "1", "-s", "u"]).then(parsePmon, () => undefined),
  ]);
  return {
    gpus: byMinor(gpus, folder),
    processes: joined(parseApps(apps, gpus), pmon ?? []),
    tellsProcesses: pmon !== undefined,
  };
}

/** @throws {Fault} `sandbox.gpu_use` at the first line that is none. */
export function parseGpus(text: string): readonly NvidiaGpu[] {
  const rows = linesOf(text).map((line) => {
    const [index = "", uuid = "", bus = "", busy = "", memory = "", ...more] = line.split(", ");
    const domain = /^(?:[\dA-Fa-f]{4})?([\dA-Fa-f]{4}:[\dA-Fa-f]{2}:[\dA-Fa-f]{2}\.\d)$/.exec(bus);
    if (!/^\d{1,3}$/.test(index) || !/^GPU-[\w-]{1,64}$/.test(uuid) || more.length > 0) {
      throw notUnderstood(line);
    }
    const percent = numberIn(busy, line);
    return {
      index: Number(index),
      uuid,
      bus: domain?.[1]?.toLowerCase() ?? "",
      ...(percent === undefined ? {} : { busy: shareOf(percent, line) }),
      ...memoryIn(memory, line),
    };
  });
  if (rows.length === 0 || rows.length > GPUS_MAX) throw unread(`it lists ${rows.length} GPUs`);
  if (new Set(rows.map(({ uuid }) => uuid)).size < rows.length) throw unread("a GPU stands twice");
  return rows;
}

/** @throws {Fault} `sandbox.gpu_use` */
export function parseApps(text: string, gpus: readonly NvidiaGpu[]): readonly NvidiaProcess[] {
  return linesOf(text).flatMap((line) => {
    const [uuid = "", pid = "", memory = "", ...more] = line.split(", ");
    // Processes of a part of a GPU: older drivers name its GPU, newer ones only the part.
    const whole = /^MIG-(GPU-[\w-]{1,64})\/\d+\/\d+$/.exec(uuid)?.[1] ?? uuid;
    if (!/^(?:GPU|MIG)-[\w-]{1,64}$/.test(whole) || more.length > 0) throw notUnderstood(line);
    const known = numberIn(pid, line); // Hidden under WSL.
    const used = memoryIn(memory, line);
    const index = gpus.find((gpu) => gpu.uuid === whole)?.index;
    return index === undefined || known === undefined ? [] : { index, pid: known, ...used };
  });
}

const PMON_ROW =
  /^ *(\d{1,3}) +(\d{1,10}|-) +(?:[A-Z](?:\+[A-Z]){0,2}|-) +(\d{1,3}|-)(?: +(?:\d{1,3}|-)){3,6}(?: .*)?$/;

/** @throws {Fault} `sandbox.gpu_use` also where one process stands there twice, which its name could have made. */
export function parsePmon(text: string): readonly NvidiaProcess[] {
  const [heading = "", units = "", ...lines] = linesOf(text);
  if (!/^# gpu +pid +type +sm +mem /.test(heading) || !units.startsWith("# Idx ")) {
    throw notUnderstood(heading);
  }
  const seen = new Set<string>();
  return lines.flatMap((line) => {
    const [, index = "", pid = "", sm = ""] = PMON_ROW.exec(line) ?? [];
    if (index === "") throw notUnderstood(line);
    if (pid === "-") return []; // Nobody uses this GPU.
    const key = `${index} ${pid}`;
    if (seen.has(key)) throw unread(`process ${pid} stands twice`);
    seen.add(key);
    const busy = sm === "-" ? {} : { busy: shareOf(Number(sm), line) };
    return { index: Number(index), pid: Number(pid), ...busy };
  });
}

/**
 * One entry for each process and GPU: its memory from the one list, how busy it keeps it from the other. Of a process that
 * stands only in the other one (it draws), no share is believed: the line may be another's name.
 */
function joined(
  apps: readonly NvidiaProcess[],
  pmon: readonly NvidiaProcess[],
): readonly NvidiaProcess[] {
  const isSame = (a: NvidiaProcess) => (b: NvidiaProcess) => a.index === b.index && a.pid === b.pid;
  const known = apps.map((one) => ({ ...pmon.find(isSame(one)), ...one }));
  const others = pmon.filter((one) => !apps.some(isSame(one)));
  return [...known, ...others.map(({ index, pid }) => ({ index, pid }))];
}

/** GPUs by the number of their device file: `Device Minor` in the driver's files; without those, by index (WSL). */
function byMinor(gpus: readonly NvidiaGpu[], folder: string): ReadonlyMap<number, NvidiaGpu> {
  const minors = new Map(
    foldersOf(folder).flatMap((bus) => {
      const text = readSmall(join(folder, bus, "information")) ?? "";
      const minor = /^Device Minor:\s+(\d{1,3})\s*$/m.exec(text)?.[1];
      return minor === undefined ? [] : [[bus.toLowerCase(), Number(minor)] as const];
    }),
  );
  return new Map(gpus.map((gpu) => [minors.get(gpu.bus) ?? gpu.index, gpu]));
}

function foldersOf(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** What `program` prints. It is ended where that takes too long, and not waited for: a call into a driver may never end. */
async function output(program: string, args: readonly string[], waitMs: number): Promise<string> {
  const env = { LC_ALL: "C", PATH: "/usr/bin:/bin" };
  const child = spawn(program, args, { env, cwd: "/", stdio: ["ignore", "pipe", "ignore"] });
  let text = "";
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const timer = setTimeout(() => reject(unread(`no answer within ${waitMs} ms`)), waitMs);
  child.on("error", (error) => reject(unread(describeError(error))));
  child.on("close", (code) =>
    code === 0 ? resolve(text) : reject(unread(`it ends with ${code ?? "a signal"}`)),
  );
  child.stdout.setEncoding("latin1").on("data", (piece: string) => {
    text += piece;
    if (text.length > OUTPUT_BYTES_MAX) reject(unread("its answer is too long"));
  });
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    child.kill("SIGKILL");
    child.stdout.destroy();
    child.unref();
  }
}

function linesOf(text: string): readonly string[] {
  const lines = text.split("\n").map((line) => line.replace(/ *\r?$/, ""));
  if (lines.length > LINES_MAX) throw unread("its answer is too long");
  return lines.filter((line) => line !== "");
}

/** A number, or nothing where the driver says in brackets that it does not know. */
function numberIn(text: string, line: string): number | undefined {
  if (/^\[[A-Za-z/ ]{1,40}\]$/.test(text)) return undefined;
  if (!/^\d{1,10}$/.test(text)) throw notUnderstood(line);
  return Number(text);
}

function memoryIn(text: string, line: string): { readonly memory?: number } {
  const mebibytes = numberIn(text, line);
  return mebibytes === undefined ? {} : { memory: mebibytes * MIB };
}

function shareOf(percent: number, line: string): number {
  if (percent > 100) throw notUnderstood(line);
  return percent / 100;
}

function notUnderstood(line: string): Fault {
  return unread(`not understood: ${JSON.stringify(line.slice(0, 80))}`);
}

function unread(why: string): Fault {
  return new Fault("sandbox.gpu_use", `nvidia-smi cannot be read: ${why}`);
}
