/**
 * What a run leaves that others execute or read by themselves: looked for when it has ended, at fixed names in its
 * workspace and HOME, since what a program writes by itself makes no event.
 *
 * The folders are the run's: links in them are not followed out of them, and nothing is read but names.
 *
 * @module
 */
import { lstatSync, opendirSync, realpathSync, type Dir, type Stats } from "node:fs";
import { dirname, join } from "node:path";
import { errorCode } from "../sys/index.ts";

const IN_WORKSPACE = [
  ...[
    "CLAUDE.md",
    "AGENTS.md",
    "GEMINI.md",
    "MEMORY.md",
    "HEARTBEAT.md",
    "SOUL.md",
    ".mcp.json",
    ".cursorrules",
  ],
  ...[
    ".claude/settings.json",
    ".gemini/settings.json",
    ".codex/config.toml",
    ".github/copilot-instructions.md",
  ],
  ".git/hooks/*",
];
const IN_HOME = [
  ...[".bashrc", ".bash_profile", ".bash_login", ".profile", ".zshrc", ".zshenv", ".zprofile"],
  ...[".ssh/authorized_keys", ".ssh/rc", ".config/systemd/user/*", ".config/autostart/*"],
];
const NAMES_MAX = 32;
/** Names of one folder that are read. */
const LOOKED_MAX = 4096;
const ABSENT = new Set(["ENOENT", "ENOTDIR", "EACCES", "ELOOP"]);

/** A run's folders. */
export interface Ground {
  /** Of its overlay, which holds what it changed; absent where it has none. */
  readonly upper: string | undefined;
  readonly home: string;
  /** When it began, in milliseconds since the epoch: a kept HOME has older things. */
  readonly startMs: number;
}

/** What of the names above is there and new, as paths below the workspace or `~`. */
export function leftBehind({ upper, home, startMs }: Ground): readonly string[] {
  return [
    ...(upper === undefined ? [] : leftIn(upper, IN_WORKSPACE, 0)),
    ...leftIn(home, IN_HOME, startMs).map((name) => `~/${name}`),
  ];
}

/** Most runs leave nothing, which one look at the folder itself tells. */
function leftIn(root: string, names: readonly string[], sinceMs: number): readonly string[] {
  const there = namesIn(root, LOOKED_MAX);
  return names
    .filter((name) => there === undefined || there.includes(name.split("/", 1)[0] ?? ""))
    .flatMap((name) => newIn(root, name, sinceMs));
}

/**
 * The names in a folder; `undefined` where it has more than `most`, or lets nobody list it: a run may fill it to hold up
 * who reads it, or close it to hide what is there.
 */
function namesIn(folder: string, most: number): readonly string[] | undefined {
  let opened: Dir | undefined;
  try {
    opened = opendirSync(folder);
    const names: string[] = [];
    for (let entry = opened.readSync(); entry !== null; entry = opened.readSync()) {
      if (names.push(entry.name) > most) return undefined;
    }
    return names;
  } catch (error) {
    if (errorCode(error) === "EACCES") return undefined;
    if (ABSENT.has(errorCode(error) ?? "")) return [];
    throw error;
  } finally {
    opened?.closeSync();
  }
}

function newIn(root: string, name: string, sinceMs: number): readonly string[] {
  try {
    const folder = dirname(name);
    const link = linkTo(root, folder);
    if (link !== undefined) return link.ctimeMs >= sinceMs ? [name] : [];
    const real = realpathSync.native(join(root, folder));
    if (real !== join(realpathSync.native(root), folder)) return [];
    const there = name.endsWith("/*") ? namesIn(real, LOOKED_MAX) : [];
    if (there === undefined) return [name];
    const names = name.endsWith("/*")
      ? there
          .filter((one) => !one.endsWith(".sample"))
          .slice(0, NAMES_MAX)
          .map((one) => join(folder, one))
      : [name];
    return names.filter((one) => {
      const found = lstatSync(join(root, one), { throwIfNoEntry: false });
      // The time of change, which a run cannot set.
      return (
        found !== undefined &&
        !found.isDirectory() &&
        found.ctimeMs >= sinceMs &&
        !isWhiteout(found)
      );
    });
  } catch (error) {
    // Whoever opens it again later reads what is in it.
    if (errorCode(error) === "EACCES") return closedAt(root, name) >= sinceMs ? [name] : [];
    if (ABSENT.has(errorCode(error) ?? "")) return [];
    throw error;
  }
}

/** When the folder on the way to `path` that lets nobody go on was changed last. */
function closedAt(root: string, path: string): number {
  const parts = path.split("/");
  let changedMs = Infinity;
  try {
    for (let count = 0; count < parts.length; count += 1)
      changedMs = lstatSync(join(root, ...parts.slice(0, count))).ctimeMs;
  } catch (error) {
    if (!ABSENT.has(errorCode(error) ?? "")) throw error;
  }
  return changedMs;
}

/**
 * The first link among the folders of `path`. It is not followed, since it may lead out of the run's; that it is there
 * says that what lies elsewhere shall count here.
 */
function linkTo(root: string, path: string): Stats | undefined {
  const parts = path.split("/");
  for (let count = 1; count <= parts.length; count += 1) {
    const found = lstatSync(join(root, ...parts.slice(0, count)), { throwIfNoEntry: false });
    if (found === undefined || found.isSymbolicLink()) return found;
  }
  return undefined;
}

/** How an overlay says that a name is gone. */
function isWhiteout(found: { isCharacterDevice(): boolean }): boolean {
  return found.isCharacterDevice();
}
