/**
 * Which GPUs this host has, by their device files, and which of those a run would need.
 *
 *   NVIDIA   /dev/nvidiaN, with nvidiactl, nvidia-uvm, nvidia-uvm-tools and nvidia-caps/*
 *   others   /dev/dri/renderD128 and on, one a GPU; with /dev/kfd where that is there (AMD)
 *
 * GPU N of a task is /dev/nvidiaN or, on a host without any of those, the N-th render node. Nodes that set
 * modes (dri/cardN, nvidia-modeset) are for screens, and never given.
 *
 * A part of an NVIDIA GPU (MIG) is reached by two more nodes, which the driver names in nvidia-caps/mig-minors:
 *
 *   gpu0/gi1/access 12        nvidia-caps/nvidia-cap12     GPU instance 1 of /dev/nvidia0
 *   gpu0/gi1/ci0/access 13    nvidia-caps/nvidia-cap13     compute instance 0 of it
 *   config 1, monitor 2                                    making and watching such parts: never given
 *
 * @module
 */
import { accessSync, constants, lstatSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** A device file of the host. */
export interface DeviceNode {
  /** Where it is on the host; in tests elsewhere than in /dev. */
  readonly source: string;
  /** Where a run has it. */
  readonly target: string;
  /** Whether a run could open it to read and write. */
  readonly open: boolean;
}

/** One GPU: what a run needs for it. */
export interface Gpu {
  readonly number: number;
  readonly needs: readonly DeviceNode[];
  /** Given where a run could open it, and not missed where not. */
  readonly likes: readonly DeviceNode[];
  /** What a run needs for one part of it alone, by the part's name: `0/gi1/ci0`. */
  readonly parts?: ReadonlyMap<string, readonly DeviceNode[]>;
}

/** Where NVIDIA's driver says which node is which part's. */
const MIG_MINORS = "/proc/driver/nvidia-caps/mig-minors";

/** Every GPU of this host; `folder` stands for /dev. */
export function findGpus(folder = "/dev", migMinors = MIG_MINORS): readonly Gpu[] {
  const node = (name: string) => readNode(folder, name);
  const nodes = (names: readonly string[]) => names.flatMap((name) => node(name) ?? []);
  const cards = numbered(folder, "", /^nvidia(\d{1,3})$/);
  if (cards.length > 0) {
    const needs = nodes(["nvidiactl", "nvidia-uvm"]);
    const caps = readParts(migMinors);
    return cards.map(({ name, number }) => {
      const of = caps.filter(({ gpu }) => gpu === number);
      const whole = [...nodes([name]), ...needs];
      const tools = nodes(["nvidia-uvm-tools"]);
      return {
        number,
        needs: whole,
        likes: [...tools, ...nodes(of.map(({ node: cap }) => cap))],
        parts: new Map(partsOf(number, of).map(([part, two]) => [part, [...whole, ...nodes(two)]])),
      };
    });
  }
  const shared = nodes(["kfd"]);
  return numbered(folder, "dri", /^renderD(\d{3})$/).map(({ name }, number) => ({
    number,
    needs: [...nodes([name]), ...shared],
    likes: [],
  }));
}

/** Where GPUs lie, so that it can be proved that none is there which was not given. */
export function hiddenGpus(given: readonly DeviceNode[], folder = "/dev"): readonly string[] {
  const there = findGpus(folder).flatMap(({ needs, likes }) => [...needs, ...likes]);
  const usual = ["nvidia0", "nvidiactl", "nvidia-uvm", "nvidia-modeset", "dri/card0", "kfd"];
  const all = new Set([
    ...there.map(({ target }) => target),
    ...usual.map((name) => `/dev/${name}`),
  ]);
  return [...all].filter((path) => !given.some(({ target }) => target === path));
}

interface Cap {
  readonly gpu: number;
  readonly gi: string;
  readonly ci: string | undefined;
  readonly node: string;
}

/** What gives access to parts; none where the driver makes no parts. */
function readParts(path: string): readonly Cap[] {
  const line = /^gpu(\d{1,3})\/(gi\d{1,2})\/(?:(ci\d{1,2})\/)?access (\d{1,5})$/;
  return textOf(path)
    .split("\n")
    .flatMap((text) => {
      const [, gpu, gi = "", ci, minor] = line.exec(text) ?? [];
      if (gpu === undefined) return [];
      return [{ gpu: Number(gpu), gi, ci, node: `nvidia-caps/nvidia-cap${minor}` }];
    });
}

/** Each compute instance with its two nodes. */
function partsOf(gpu: number, caps: readonly Cap[]): readonly (readonly [string, string[]])[] {
  return caps.flatMap(({ gi, ci, node }) => {
    const above = caps.find((one) => one.gi === gi && one.ci === undefined);
    if (ci === undefined || above === undefined) return [];
    return [[`${gpu}/${gi}/${ci}`, [above.node, node]] as const];
  });
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return "";
    throw error;
  }
}

interface Numbered {
  readonly name: string;
  readonly number: number;
}

function numbered(folder: string, below: string, pattern: RegExp): readonly Numbered[] {
  return names(join(folder, below))
    .flatMap((name) => {
      const number = pattern.exec(name)?.[1];
      return number === undefined ? [] : { name: join(below, name), number: Number(number) };
    })
    .filter(({ name }) => readNode(folder, name) !== undefined)
    .toSorted((a, b) => a.number - b.number);
}

function names(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw error;
  }
}

function readNode(folder: string, name: string): DeviceNode | undefined {
  const source = join(folder, name);
  const about = lstatSync(source, { throwIfNoEntry: false });
  if (about?.isCharacterDevice() !== true) return undefined;
  return { source, target: join("/dev", name), open: isOpenToRuns(source, about.mode) };
}

/** Root's runs have an id of their own and no group; others are their starter, with its groups. */
function isOpenToRuns(path: string, mode: number): boolean {
  if (process.geteuid?.() === 0) return (mode & 0o006) === 0o006;
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false; // Whatever the reason, it is the kernel's no.
  }
}
