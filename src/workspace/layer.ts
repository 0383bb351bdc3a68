/**
 * A layer: where one run's changes to its workspace lie, and what is needed to judge them later.
 *
 * ```
 * LAYER/
 *   upper/        what the run changed (overlayfs upperdir), owned by the run
 *   work/         overlayfs workdir, of the same file system
 *   layer.json    the manifest: which host folder, since when, whose files
 *   applied       what `apply` has written since, so that its own writes are no conflict
 *   names         what the host's upper folders held at the start
 *   copied        only of a copy: what `upper/` held when the run got it
 * ```
 *
 * The launcher mounts it, in the run's user namespace, with exactly
 * `lowerdir=HOST,upperdir=LAYER/upper,workdir=LAYER/work` and {@link OVERLAY_OPTIONS}. What this folder
 * reads from `upper/` depends on them: whiteouts are character devices 0:0, a folder that hides the
 * host's carries `user.overlay.opaque=y`, renamed folders are copies, and a changed file is there in
 * full. The run cannot make any of these itself: the kernel refuses the device and escapes the name.
 *
 * @module
 */
import { closeSync, constants, fstatSync, lstatSync, openSync, realpathSync } from "node:fs";
import { chmod, chown, mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { Fault } from "../base/index.ts";
import { errorCode } from "../sys/index.ts";
import { markStart, type StartMark, startMarkSchema } from "./start-mark.ts";

/**
 * Options of the overlay mount beside its folders. `userxattr` is what a user namespace may use.
 * `redirect_dir=nofollow` since the kernel refuses `off` beside it (Linux 6.18); the rest pins what a
 * distribution may have set otherwise as a module parameter.
 */
export const OVERLAY_OPTIONS = "userxattr,redirect_dir=nofollow,metacopy=off,index=off";

const manifestSchema = z.strictObject({
  version: z.literal(1),
  /** Absolute path of the host's folder, without links. */
  host: z.string(),
  hostDevice: z.string(),
  hostInode: z.string(),
  /** Who files on the host are given to, and whose they are in `upper/`. */
  owner: z.strictObject({ uid: z.number(), gid: z.number() }),
  run: z.strictObject({ uid: z.number(), gid: z.number() }),
  start: startMarkSchema,
  /** `upper/` is a copy of the whole, since no overlay could be mounted (copy.ts). */
  copied: z.literal(true).optional(),
});

/** A layer on disk, opened. */
export interface Layer {
  readonly folder: string;
  readonly upper: string;
  readonly work: string;
  readonly host: string;
  readonly hostDevice: bigint;
  readonly hostInode: bigint;
  readonly owner: Ids;
  readonly run: Ids;
  readonly start: StartMark;
  readonly copied?: true | undefined;
}

/** A user and group, as the host numbers them. */
export interface Ids {
  readonly uid: number;
  readonly gid: number;
}

/** What a layer is made from. */
export interface LayerOptions {
  /** The workspace on the host. */
  readonly host: string;
  /** Ids that the run has on the host; the caller's own where nothing else is given. */
  readonly run?: Ids;
  /** The run shall work on a copy, which `copyHost` then makes. */
  readonly copied?: boolean;
}

/**
 * Lays out `folder` (made where absent) for a run that starts now: call it before the first byte of the
 * run, since a host file that changed before this instant counts as the run's starting point.
 *
 * @throws {Fault} `workspace.host` where the host's path is no folder; `workspace.clock` where file times
 *   on it do not move.
 */
export async function createLayer(folder: string, options: LayerOptions): Promise<Layer> {
  await layOutLayer(folder, options);
  const { durable } = await startLayer(folder, options);
  await durable;
  return openLayer(folder);
}

/** Makes the folders of a layer, which may be mounted from then on; it belongs to no run yet. */
export async function layOutLayer(folder: string, options: LayerOptions): Promise<void> {
  const { mode } = lstatSync(realHost(options.host));
  const run = options.run ?? ownIds();
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await makeFolder(join(folder, "work"), 0o700, run);
  // The top of the merged view has the attributes of `upper`.
  await makeFolder(join(folder, "upper"), mode & 0o777, run);
}

/**
 * Starts a laid-out layer: what the host holds at this instant is what the run starts from. To be called
 * when nothing was read through the mount yet, since an overlay keeps what it has looked up. `durable`
 * resolves when the start would survive a power loss, too; nothing has to wait for that.
 *
 * @throws {Fault} as {@link createLayer} does.
 */
export async function startLayer(
  folder: string,
  options: LayerOptions,
): Promise<{ readonly durable: Promise<void> }> {
  const host = realHost(options.host);
  const about = lstatSync(host, { bigint: true });
  const manifest: z.infer<typeof manifestSchema> = {
    version: 1,
    host,
    hostDevice: String(about.dev),
    hostInode: String(about.ino),
    owner: { uid: Number(about.uid), gid: Number(about.gid) },
    run: options.run ?? ownIds(),
    start: await markStart(host, folder),
    ...(options.copied === true && { copied: true }),
  };
  return { durable: writeWhole(join(folder, "layer.json"), JSON.stringify(manifest)) };
}

function ownIds(): Ids {
  return { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };
}

function realHost(path: string): string {
  try {
    const host = realpathSync.native(path);
    if (lstatSync(host).isDirectory()) return host;
  } catch (error) {
    throw new Fault("workspace.host", `no workspace at ${JSON.stringify(path)}`, { cause: error });
  }
  throw new Fault("workspace.host", `the workspace is not a folder: ${JSON.stringify(path)}`);
}

async function makeFolder(path: string, mode: number, run: Ids): Promise<void> {
  const own = ownIds();
  await mkdir(path, { recursive: true, mode: 0o700 });
  if (run.uid !== own.uid || run.gid !== own.gid) await chown(path, run.uid, run.gid);
  await chmod(path, mode);
}

/**
 * Opens a layer that {@link createLayer} laid out.
 *
 * @throws {Fault} `workspace.layer` where it is not one.
 */
export async function openLayer(folder: string): Promise<Layer> {
  let manifest: z.infer<typeof manifestSchema>;
  try {
    manifest = manifestSchema.parse(JSON.parse(await readFile(join(folder, "layer.json"), "utf8")));
  } catch (error) {
    throw new Fault("workspace.layer", `no workspace layer in ${JSON.stringify(folder)}`, {
      hint:
        errorCode(error) === "ENOENT"
          ? "it was discarded, or never made"
          : "its manifest is damaged",
      cause: error,
    });
  }
  return {
    ...manifest,
    folder,
    upper: join(folder, "upper"),
    work: join(folder, "work"),
    hostDevice: BigInt(manifest.hostDevice),
    hostInode: BigInt(manifest.hostInode),
  };
}

/**
 * Opens the host's folder of a layer, to be closed by the caller.
 *
 * @throws {Fault} `workspace.moved` where another folder lies there than at the start.
 */
export function openHost(layer: Layer): number {
  const flags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
  const moved = (cause?: unknown): Fault =>
    new Fault(
      "workspace.moved",
      `${JSON.stringify(layer.host)} is not the folder that the run started from`,
      {
        hint: "move it back, or discard the run's changes",
        cause,
      },
    );
  let descriptor: number;
  try {
    descriptor = openSync(layer.host, flags);
  } catch (error) {
    throw moved(error);
  }
  const { dev, ino } = fstatSync(descriptor, { bigint: true });
  if (dev === layer.hostDevice && ino === layer.hostInode) return descriptor;
  closeSync(descriptor);
  throw moved();
}

/** Opens a layer's `upper`, to be closed by the caller. */
export function openUpper(layer: Layer): number {
  return openSync(layer.upper, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
}

/** Writes a file of ours so that a reader sees the old or the new content, also after a crash. */
export async function writeWhole(path: string, content: string): Promise<void> {
  const fresh = `${path}.new`;
  await writeFile(fresh, content, { mode: 0o600, flush: true });
  await rename(fresh, path);
}
