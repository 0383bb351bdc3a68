/**
 * Where the bench works: a folder of its own that is gone afterwards, and what the set-up built.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, globSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Fault } from "../src/base/index.ts";

export const ROOT = join(import.meta.dirname, "..");
const BUILT = join(ROOT, "build", "bench");
const FOLDERS = ["/usr/local/bin", "/usr/local/sbin", "/usr/bin", "/usr/sbin", "/bin", "/sbin"];

/** Where files are on a disk: `/tmp` may be memory, where nothing is durable and syncing costs nothing. */
const DISK = "/var/tmp";

/** A folder on disk that everyone may read, as the runs' user must; gone when it is disposed of. */
export interface Scratch extends Disposable {
  readonly root: string;
  /** A new folder in it. */
  folder(name: string): string;
}

export function createScratch(): Scratch {
  const root = mkdtempSync(join(DISK, "cofferdam-bench-"));
  chmodSync(root, 0o755);
  const remove = () => {
    // As a user of no privilege the kernel's own folder in an overlay's must be opened first.
    spawnSync("chmod", ["-R", "u+rwx", "--", root], { stdio: "ignore" });
    rmSync(root, { recursive: true, force: true });
  };
  process.on("exit", remove);
  return {
    root,
    folder(name) {
      const path = join(root, name);
      mkdirSync(path, { mode: 0o755 });
      return path;
    },
    [Symbol.dispose]() {
      process.off("exit", remove);
      remove();
    },
  };
}

/** One of the bench's own programs (bench/tools). */
export function builtTool(name: "load" | "spawn" | "actor"): string {
  return existing(join(BUILT, "bin", name), "run it as `npm run bench`, which compiles it");
}

/** A file of a peer's package. */
export function peerFile(pattern: string): string {
  const [found] = globSync(join(BUILT, "peers", "node_modules", pattern));
  const hint = "repeat `npm run bench` where the npm registry answers, which installs it";
  if (found === undefined)
    throw new Fault("bench.peer", `the peer ${pattern} is missing`, { hint });
  return found;
}

/** A folder of a peer's own, in a place that is not temporary, which Codex asks for. */
export function peerHome(name: string): string {
  const path = join(BUILT, "homes", name);
  mkdirSync(path, { recursive: true });
  return path;
}

/** A program of the system. */
export function systemTool(name: string, owner: string): string {
  const path = FOLDERS.map((folder) => join(folder, name)).find((one) => existsSync(one));
  return existing(path ?? name, `apt-get install ${owner}`);
}

function existing(path: string, hint: string): string {
  if (existsSync(path)) return path;
  throw new Fault("bench.tool", `the program ${path} is missing`, { hint });
}
