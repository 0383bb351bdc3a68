/**
 * Changes as a person reads them: one line each, and for text the lines that differ.
 *
 * The lines come from diff(1) of diffutils, which compares two descriptors that we opened beneath the
 * two roots: it resolves no path of the run's, reads no configuration and runs with an environment of
 * its own. Its output is hostile text (the run wrote it), so what would command a terminal or reorder a
 * line is spelled out; the result is for reading, not for patch(1).
 *
 * @module
 */
import { spawn } from "node:child_process";
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { text } from "node:stream/consumers";
import { Fault } from "../base/index.ts";
import { errorCode } from "../sys/index.ts";
import { changeDetail, type Change } from "./change.ts";
import { openHost, openUpper, type Layer } from "./layer.ts";
import { pathText, splitRaw, visibleText, type RawPath } from "./path-text.ts";
import { Tree } from "./tree.ts";

/** Largest file whose lines are shown, and most text in all, in bytes. */
export const SHOWN_FILE_BYTES_MAX = 1 << 20;
export const SHOWN_BYTES_MAX = 4 << 20;
/** Most files whose lines are shown. */
export const SHOWN_FILES_MAX = 300;
/** A tree is one line from this many changes on. */
const TREE_CHANGES_MIN = 50;
const DIFF_TIME_MAX_MS = 5000;
const BINARY_PROBE_BYTES = 8000; // As Git: a zero byte near the start.
const DIFF_TROUBLE = 2; // Exit status of diff(1).

const OPEN = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY;

/** Text that shows `changes` of `layer`, as `diffWorkspace` listed them. */
export async function renderChanges(layer: Layer, changes: readonly Change[]): Promise<string> {
  const host = openHost(layer);
  try {
    const upper = openUpper(layer);
    try {
      return await render(changes, new Tree(host, false), new Tree(upper, true));
    } finally {
      closeSync(upper);
    }
  } finally {
    closeSync(host);
  }
}

async function render(changes: readonly Change[], host: Tree, upper: Tree): Promise<string> {
  const trees = largeTrees(changes);
  const parts: string[] = [];
  let [bytes, files] = [0, 0];
  for (const change of changes) {
    const tree = trees.get(change.raw);
    if (tree === "below") continue;
    parts.push(`${change.kind.padEnd(10)} ${change.path}${tree ?? ` (${changeDetail(change)})`}\n`);
    if (tree !== undefined || !hasLines(change)) continue;
    if (files >= SHOWN_FILES_MAX || bytes >= SHOWN_BYTES_MAX) {
      parts.push("  not shown: too much to read here\n");
      continue;
    }
    const lines = await linesOf(change, host, upper);
    files += 1;
    bytes += lines.length;
    parts.push(lines);
  }
  return parts.join("");
}

/** For the folder of each large tree what stands behind its name, for what it holds `below`. */
function largeTrees(changes: readonly Change[]): ReadonlyMap<RawPath, string> {
  const counts = new Map<RawPath, number>();
  const roots = new Map<RawPath, RawPath>();
  for (const { raw, kind, from, to, unit } of changes) {
    const above = roots.get(splitRaw(raw)[0]);
    const isWhole = (to ?? from)?.type === "folder" && kind !== "mode";
    const root = above ?? (unit === raw || isWhole ? raw : undefined);
    if (root === undefined) continue;
    roots.set(raw, root);
    counts.set(root, (counts.get(root) ?? 0) + 1);
  }
  const shown = new Map<RawPath, string>();
  for (const [raw, root] of roots) {
    const count = counts.get(root) ?? 0;
    if (count < TREE_CHANGES_MIN) continue;
    shown.set(raw, raw === root ? `/ (${count} changes)` : "below");
  }
  return shown;
}

function hasLines({ kind, from, to }: Change): boolean {
  const isFile = (to ?? from)?.type === "file";
  return isFile && (kind === "added" || kind === "modified" || kind === "deleted");
}

async function linesOf(change: Change, host: Tree, upper: Tree): Promise<string> {
  const opened: number[] = [];
  const open = (tree: Tree, isThere: boolean): number => {
    const file = isThere ? tree.open(change.raw, OPEN) : openSync("/dev/null", "r");
    opened.push(file);
    return file;
  };
  try {
    const before = open(host, change.from?.type === "file");
    const after = open(upper, change.to?.type === "file");
    for (const file of [before, after]) {
      const why = whyNotShown(file);
      if (why !== undefined) return `  not shown: ${why}\n`;
    }
    return visibleText(await runDiff({ before, after, raw: change.raw }));
  } catch (error) {
    // Closed to us, or swapped on the host since it was listed.
    const known = ["EACCES", "ENOENT", "ELOOP", "ENOTDIR", "EXDEV", "ENXIO"];
    if (!known.includes(errorCode(error) ?? "")) throw error;
    return "  not shown: it cannot be read\n";
  } finally {
    for (const file of opened) closeSync(file);
  }
}

function whyNotShown(file: number): string | undefined {
  const { size } = fstatSync(file);
  if (size > SHOWN_FILE_BYTES_MAX) return "large";
  const probe = Buffer.alloc(BINARY_PROBE_BYTES);
  const read = readSync(file, probe, 0, probe.length, 0);
  return probe.subarray(0, read).includes(0) ? "binary" : undefined;
}

/**
 * Runs diff(1), or another `program` that behaves so, on two open files.
 *
 * @throws {Fault} `workspace.diff_tool` where it is not installed or fails.
 */
export async function runDiff(
  files: { readonly before: number; readonly after: number; readonly raw: RawPath },
  program: string = "diff",
): Promise<string> {
  const name = pathText(files.raw);
  const argv = ["-u", "--text", `--label=a/${name}`, `--label=b/${name}`, "/dev/fd/3", "/dev/fd/4"];
  const child = spawn(program, argv, {
    env: { PATH: "/usr/bin:/bin", LC_ALL: "C" },
    cwd: "/",
    stdio: ["ignore", "pipe", "ignore", files.before, files.after],
    timeout: DIFF_TIME_MAX_MS,
    killSignal: "SIGKILL",
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  const [lines, code] = await Promise.all([child.stdout ? text(child.stdout) : "", ended]).catch(
    (error: unknown) => {
      throw new Fault("workspace.diff_tool", "diff(1) could not be started", {
        hint: "install diffutils",
        cause: error,
      });
    },
  );
  if (code === null) return "  not shown: it takes too long to compare\n";
  if (code < DIFF_TROUBLE) return lines;
  throw new Fault("workspace.diff_tool", `diff(1) failed with status ${code}`, {
    hint: "install GNU diffutils",
  });
}
