/**
 * How much runs use the GPUs that they were given: NVIDIA's by `nvidia-smi`, asked once for all runs, others by what a
 * run's open files say. What cannot be read is said, and is never a zero.
 *
 * @module
 */
import { basename } from "node:path";
import { describeError } from "../../base/index.ts";
import { deviceBusy, DrmMeter } from "./drm-use.ts";
import type { Gpu } from "./gpus.ts";
import { readNvidia, type NvidiaUse } from "./nvidia-smi.ts";

/** How a run uses one GPU. */
export interface GpuUse {
  /** Its number, as tasks name it. */
  readonly gpu: number;
  /** 0 to 1; absent where it is not known. */
  readonly busy?: number;
  /** Whose `busy` is where it is not the run's alone: all users of the GPU together. */
  readonly of?: "device";
  /** Bytes of the run on it. */
  readonly memory?: number;
  /** How busy single processes of the run keep it; absent where that is not told. */
  readonly shares?: readonly { readonly pid: number; readonly busy: number }[];
  /** Processes of the run that use it, the busiest first. */
  readonly pids: readonly number[];
  /** Why something is not known. */
  readonly unread?: string;
}

/** The GPUs of one run. */
export interface GpuMeter {
  /** How processes `pids` of the run use them since it was last asked. */
  use(pids: readonly number[], atMs: number): readonly GpuUse[];
}

/** Asks about all GPUs of this host. */
export class GpuReader {
  readonly #read: () => Promise<NvidiaUse>;
  readonly #proc: string;
  readonly #sys: string | undefined;
  #nvidia: NvidiaUse | string = "not asked yet";

  constructor(read: () => Promise<NvidiaUse> = readNvidia, proc = "/proc", sys?: string) {
    this.#read = read;
    this.#proc = proc;
    this.#sys = sys;
  }

  /** Asks `nvidia-smi` anew; what {@link GpuMeter.use} tells rests on the last answer. */
  async look(): Promise<void> {
    try {
      this.#nvidia = await this.#read();
    } catch (error) {
      this.#nvidia = describeError(error);
    }
  }

  /** Whether {@link look} tells anything about one of `gpus`. */
  static asks(gpus: readonly Gpu[]): boolean {
    return gpus.some((gpu) => nodeOf(gpu) === undefined);
  }

  meter(gpus: readonly Gpu[]): GpuMeter {
    const drm = new DrmMeter(
      gpus.flatMap((gpu) => nodeOf(gpu) ?? []),
      this.#proc,
    );
    return {
      use: (pids, atMs) => {
        if (gpus.length === 0) return [];
        const { nodes, kfd, isCut } = drm.look(pids, atMs);
        return gpus.map((gpu) => {
          const use = nodes.get(nodeOf(gpu) ?? "");
          if (use === undefined) return nvidiaUse(gpu.number, this.#nvidia, pids);
          const counted = { gpu: gpu.number, ...use, ...(isCut ? { unread: CUT } : {}) };
          return kfd.length === 0 ? counted : this.#withKfd(counted, kfd, nodeOf(gpu) ?? "");
        });
      },
    };
  }

  /** What is computed through /dev/kfd shows in what the whole GPU does only. */
  #withKfd(use: GpuUse, kfd: readonly number[], node: string): GpuUse {
    const pids = [...new Set([...use.pids, ...kfd])];
    const busy = deviceBusy(node, this.#sys);
    if (busy === undefined) {
      const { busy: _, ...rest } = use;
      return { ...rest, pids, unread: "what is computed through /dev/kfd is not told" };
    }
    return busy > (use.busy ?? 0) ? { ...use, busy, of: "device", pids } : { ...use, pids };
  }
}

const CUT = "not all open files could be looked at";

/** Name of a GPU's render node; none of NVIDIA's. */
function nodeOf({ needs }: Gpu): string | undefined {
  const node = needs.find(({ target }) => /^\/dev\/dri\/renderD\d+$/.test(target));
  return node && basename(node.target);
}

function nvidiaUse(gpu: number, use: NvidiaUse | string, pids: readonly number[]): GpuUse {
  if (typeof use === "string") return { gpu, pids: [], unread: use };
  const device = use.gpus.get(gpu);
  if (device === undefined) return { gpu, pids: [], unread: "nvidia-smi does not list it" };
  const here = use.processes
    .filter(({ index }) => index === device.index)
    .toSorted((a, b) => (b.busy ?? 0) - (a.busy ?? 0));
  const own = here.filter(({ pid }) => pids.includes(pid));
  const told = own.flatMap(({ memory }) => memory ?? []);
  const known = {
    gpu,
    ...(told.length === 0 ? {} : { memory: sum(told) }),
    pids: own.map(({ pid }) => pid),
  };
  // Who is listed is known, and none of them is the run's: it does not use it.
  if (own.length === 0 && here.length > 0) return { ...known, busy: 0 };
  const busy = own.flatMap((one) => one.busy ?? []);
  if (busy.length > 0) {
    const shares = own.flatMap(({ pid, busy: share }) =>
      share === undefined ? [] : [{ pid, busy: share }],
    );
    return { ...known, busy: Math.min(1, sum(busy)), shares };
  }
  if (device.busy === undefined) {
    return { ...known, unread: "nvidia-smi does not tell how busy it is" };
  }
  if (own.length === 0 && use.tellsProcesses) return { ...known, busy: 0 };
  // All of it, less what is known to be others'.
  const others = sum(here.filter((one) => !own.includes(one)).flatMap((one) => one.busy ?? []));
  const rest = Math.max(0, device.busy - others);
  return { ...known, busy: Math.round(rest * 100) / 100, of: "device" };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}
