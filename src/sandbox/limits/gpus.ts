/**
 * Which GPUs this host has, by their device files, and which of those a run would need.
 *
 *   NVIDIA   /dev/nvidiaN, with nvidiactl, nvidia-uvm, nvidia-uvm-tools and nvidia-caps/*
 *   others   /dev/dri/renderD128 and on, one a GPU; with /dev/kfd where that is there (AMD)
 *
 * GPU N of a task is /dev/nvidiaN or, on a host without any of those, the N-th render node. Nodes that set
 * modes (dri/cardN, nvidia-modeset) are for screens, and never given.
 *
 * @module
 */
import { accessSync, constants, lstatSync, readdirSync } from "node:fs";
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
}

/** Every GPU of this host; `folder` stands for /dev. */
export function findGpus(folder = "/dev"): readonly Gpu[] {
  const node = (name: string) => readNode(folder, name);
  const nodes = (names: readonly string[]) => names.flatMap((name) => node(name) ?? []);
  const cards = numbered(folder, "", /^nvidia(\d{1,3})$/);
  if (cards.length > 0) {
    const needs = nodes(["nvidiactl", "nvidia-uvm"]);
    const caps = numbered(folder, "nvidia-caps", /^nvidia-cap(\d{1,5})$/);
    const likes = nodes(["nvidia-uvm-tools", ...caps.map(({ name }) => name)]);
    return cards.map(({ name, number }) => ({
      number,
      needs: [...nodes([name]), ...needs],
      likes,
    }));
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
