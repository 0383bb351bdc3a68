/**
 * Real overlays for tests: a host folder, a layer over it, and scripts that run in the merged view.
 *
 * Started by root, the run is an unprivileged id of its own, in a user namespace, as the launcher makes
 * it; started by anybody else, it is that user. `place.as(fn)` runs the host's side as that id too.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, chownSync, lstatSync, mkdirSync, mkdtempSync, readdirSync } from "node:fs";
import { readFileSync, readlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  copyHost,
  writeStartNames,
  createLayer,
  OVERLAY_OPTIONS,
  type Ids,
  type Layer,
} from "../../src/workspace/index.ts";

export const isRoot = process.geteuid?.() === 0;
const own = { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };
/** The id of a run here; no account has it. */
export const RUN: Ids = isRoot ? { uid: 61_234, gid: 61_234 } : own;

const become = isRoot
  ? ["setpriv", `--reuid=${RUN.uid}`, `--regid=${RUN.gid}`, "--clear-groups"]
  : ["env"];

/** A host folder and a layer over it, in a folder of its own. */
export interface Place {
  readonly base: string;
  readonly host: string;
  /** Runs a script in the host's folder, as its owner. */
  onHost(script: string): void;
  /** Lays out the layer: the run starts now. */
  start(): Promise<Layer>;
  /** Runs a script in the merged view; `copy` then holds the view as it was at its end, if wanted. */
  inside(script: string, isCopied?: boolean): void;
  readonly copy: string;
  /** Runs `work` as the id that owns the host's folder, without root's rights. */
  as<T>(work: () => Promise<T>): Promise<T>;
  remove(): void;
}

/** How the run sees the host's folder. */
export type Kind = "overlay" | "copy";

/** Makes a place; `script` fills the host's folder. */
export function createPlace(script: string, kind: Kind = "overlay"): Place {
  const base = mkdtempSync(join(tmpdir(), "cofferdam-overlay-"));
  chmodSync(base, 0o755);
  const [host, folder, copy] = [join(base, "host"), join(base, "layer"), join(base, "copy")];
  for (const path of [host, copy, folder]) {
    mkdirSync(path);
    chownSync(path, RUN.uid, RUN.gid);
  }
  const place: Place = {
    base,
    host,
    copy,
    onHost: (text) =>
      runScript([...become, "sh", "-euc", `umask 022; cd "$1"; ${text}`, "sh", host]),
    start: async () => {
      const layer = await createLayer(folder, { host, run: RUN, copied: kind === "copy" });
      await writeStartNames(layer);
      chownSync(join(folder, "names"), RUN.uid, RUN.gid);
      if (kind === "copy") await copyHost(layer);
      chmodSync(folder, 0o755); // The launcher reaches it through a mount of its own.
      return layer;
    },
    inside(text, isCopied = true) {
      mkdirSync(join(folder, "merged"), { recursive: true });
      clear(copy);
      mkdirSync(copy);
      chownSync(copy, RUN.uid, RUN.gid);
      if (kind === "copy") {
        const wrapped = `umask 022; cd "$1"/upper; (${text}\n); ${isCopied ? "cp -a . ../../copy/" : ":"}`;
        runScript([...become, "sh", "-euc", wrapped, "sh", folder]);
        return;
      }
      const options = `lowerdir=${host},upperdir=upper,workdir=work,${OVERLAY_OPTIONS}`;
      const wrapped = `umask 022; cd "$1"; mount -t overlay overlay -o ${options} merged
        cd merged; (${text}\n); ${isCopied ? "cp -a . ../../copy/" : ":"}`;
      runScript([...become, "unshare", "-Urm", "sh", "-euc", wrapped, "sh", folder]);
    },
    async as(work) {
      if (!isRoot) return await work();
      chownSync(folder, RUN.uid, RUN.gid);
      process.setegid?.(RUN.gid);
      process.seteuid?.(RUN.uid);
      try {
        return await work();
      } finally {
        process.seteuid?.(own.uid);
        process.setegid?.(own.gid);
      }
    },
    remove: () => clear(base),
  };
  place.onHost(script);
  return place;
}

/** Deletes a tree, folders that are closed to writing too. */
function clear(path: string): void {
  runScript(["sh", "-c", 'chmod -R u+rwx "$1"; rm -rf "$1"', "sh", path]);
}

function runScript(argv: readonly string[]): void {
  const [program = "", ...rest] = argv;
  const { status, stderr } = spawnSync(program, rest, {
    encoding: "utf8",
    env: { PATH: process.env["PATH"] ?? "/usr/bin:/bin", LC_ALL: "C.UTF-8" },
  });
  assert.equal(status, 0, `${argv.join(" ")}: ${stderr}`);
}

/** A tree as text lines, sorted: type, mode, content or target of every name. */
export function snapshot(root: string): readonly string[] {
  const lines: string[] = [];
  const visit = (folder: Buffer, shown: string): void => {
    for (const name of readdirSync(folder, { encoding: "buffer" })) {
      const path = Buffer.concat([folder, Buffer.from("/"), name]);
      const label = `${shown}${name.toString("latin1")}`;
      const stat = lstatSync(path);
      const mode = (stat.mode & 0o7777).toString(8);
      if (stat.isSymbolicLink()) lines.push(`${label} -> ${readlinkSync(path)}`);
      else if (stat.isFile()) lines.push(`${label} ${mode} ${stat.size} ${digest(path)}`);
      else lines.push(`${label} ${mode} ${stat.isDirectory() ? "folder" : "other"}`);
      if (stat.isDirectory()) visit(path, `${label}/`);
    }
  };
  visit(Buffer.from(root), "");
  return lines.sort();
}

function digest(path: Buffer): string {
  return createHash("sha256").update(readFileSync(path)).digest("hex").slice(0, 16);
}
