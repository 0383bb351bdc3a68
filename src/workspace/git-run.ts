/**
 * Running git(1) with a configuration of ours and nobody else's.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { Fault } from "../base/index.ts";
import type { Ids } from "./layer.ts";
import { visibleText } from "./path-text.ts";

const GIT_TIME_MAX_MS = 10 * 60_000;
const STDERR_CHARS_MAX = 600;
/** Address space of git, in KiB: an object of a run's may claim any size, and trees are held whole. */
const GIT_MEMORY_KIB = 2 << 20;

const SETTINGS = {
  "core.hooksPath": "/dev/null",
  "core.fsmonitor": "false",
  "core.alternateRefsCommand": "true",
  "core.pager": "cat",
  "core.packedGitLimit": "256m", // Of the memory it has: the host's packs may be larger.
  "core.packedGitWindowSize": "32m",
  "credential.helper": "",
  "fetch.fsckObjects": "true",
  "transfer.fsckObjects": "true",
  "fetch.unpackLimit": "1", // Keep what comes as one pack: checked as a whole.
  "fetch.writeCommitGraph": "false",
  "pack.threads": "1",
  "gc.auto": "0",
  "maintenance.auto": "false",
  "protocol.allow": "never",
  "protocol.file.allow": "always",
  "submodule.recurse": "false",
} as const;

/**
 * Runs git with `args`, as `ids` where we are root.
 *
 * @throws {Fault} `workspace.fetch` where it fails or is not there.
 */
export async function runGit(ids: Ids | undefined, args: readonly string[]): Promise<void> {
  const settings = Object.entries(SETTINGS).flatMap(([key, value]) => ["-c", `${key}=${value}`]);
  const limited = ["-c", `ulimit -v ${GIT_MEMORY_KIB} && exec git "$@"`, "sh"];
  const child = spawn("/bin/sh", [...limited, ...settings, ...args], {
    ...ids,
    cwd: "/",
    stdio: ["ignore", "ignore", "pipe"],
    timeout: GIT_TIME_MAX_MS,
    killSignal: "SIGKILL",
    env: {
      PATH: "/usr/bin:/bin",
      LC_ALL: "C",
      HOME: "/nonexistent",
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_CONFIG_GLOBAL: "/dev/null",
      GIT_ATTR_NOSYSTEM: "1",
      GIT_TERMINAL_PROMPT: "0",
      GIT_NO_LAZY_FETCH: "1",
      GIT_NO_REPLACE_OBJECTS: "1",
    },
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  try {
    const [said, code] = await Promise.all([child.stderr ? text(child.stderr) : "", ended]);
    if (code === 0) return;
    throw new Fault(
      "workspace.fetch",
      `git refused: ${visibleText(said).slice(0, STDERR_CHARS_MAX).trim()}`,
      {
        hint: "the run's commits may be damaged; its files can be applied all the same",
      },
    );
  } catch (error) {
    if (error instanceof Fault) throw error;
    throw new Fault("workspace.fetch", "git could not be started", {
      hint: "install git",
      cause: error,
    });
  }
}
