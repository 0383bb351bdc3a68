/**
 * Where the toolchain around an executable begins. Pure: paths in, a path out.
 *
 * @module
 */
import { basename, dirname } from "node:path";

/** What every run sees of the system. */
export const SYSTEM_VIEW = [
  "/usr",
  "/bin",
  "/sbin",
  "/lib",
  "/lib32",
  "/lib64",
  "/libx32",
] as const;

/** Reports whether `path` is `folder` or lies in it. */
export function within(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith("/") ? folder : `${folder}/`);
}

/** Version managers whose parts need each other: shown whole, at their place in the home. */
const MANAGERS = [
  ".asdf",
  ".bun",
  ".deno",
  ".fnm",
  ".goenv",
  ".jenv",
  ".nodenv",
  ".opencode",
  ".proto",
  ".pyenv",
  ".rbenv",
  ".rustup",
  ".sdkman",
  ".volta",
  ".claude/local", // Beside it lie the real credentials, so never `.claude` itself.
  ".local/pipx",
  ".local/share/fnm",
  ".local/share/mise",
  ".local/share/pipx",
  ".local/share/pnpm",
  ".local/share/uv",
] as const;

/** Shown whole wherever an executable lies in them: their files refer to each other by full paths. */
export const STORES = ["/nix/store", "/home/linuxbrew/.linuxbrew"] as const;

/** Folders that hold many unrelated things: never shown, only what lies below them. */
const BROAD = [
  "/",
  "/home",
  "/media",
  "/mnt",
  "/opt",
  "/root",
  "/run",
  "/srv",
  "/tmp",
  "/var",
] as const;
const BROAD_IN_HOME = [
  "",
  ".cache",
  ".config",
  ".local",
  ".local/bin",
  ".local/lib",
  ".local/share",
  ".local/state",
  "bin",
  "lib",
  "share",
] as const;

/**
 * The root of the toolchain that `path` belongs to; `undefined` where there is none to be told, and only
 * the file itself can be shown. Never a home or any other folder of unrelated things.
 */
export function rootOf(path: string, home: string): string | undefined {
  const managed = managedRoot(path, home);
  if (managed !== undefined) return managed;
  const candidates = [
    beforeModules(path),
    prefixOf(path),
    child(path, "/opt"),
    child(path, `${home}/.local/share`),
  ];
  return candidates.find((root) => root !== undefined && !isBroad(root, home));
}

/** Reports whether `path` lies where a version manager or a store of the system keeps programs. */
export function isManaged(path: string, home: string): boolean {
  return managedRoot(path, home) !== undefined;
}

function managedRoot(path: string, home: string): string | undefined {
  const folders = [...STORES, ...MANAGERS.map((name) => `${home}/${name}`)];
  return folders.find((folder) => within(path, folder));
}

/** `P` for `P/lib/node_modules/...`; `P/node_modules` for a project's own. */
function beforeModules(path: string): string | undefined {
  const at = path.indexOf("/node_modules/");
  if (at < 0) return undefined;
  const folder = path.slice(0, at);
  return basename(folder) === "lib" ? dirname(folder) : `${folder}/node_modules`;
}

/** `P` for `P/bin/name` and `P/libexec/...`. */
function prefixOf(path: string): string | undefined {
  const parent = dirname(path);
  if (basename(parent) === "bin" || basename(parent) === "sbin") return dirname(parent);
  const at = path.indexOf("/libexec/");
  return at < 0 ? undefined : path.slice(0, at);
}

/** The folder just below `folder` that `path` lies in. */
function child(path: string, folder: string): string | undefined {
  if (!within(path, folder)) return undefined;
  const [name, rest] = path.slice(folder.length + 1).split("/", 2);
  return name === undefined || rest === undefined ? undefined : `${folder}/${name}`;
}

function isBroad(root: string, home: string): boolean {
  if (BROAD.some((folder) => folder === root) || within(home, root)) return true;
  // Somebody's home, be it the caller's or not, and its common folders.
  const owner = root.startsWith(`${home}/`)
    ? home
    : /^(\/home\/[^/]+|\/root)(?=\/|$)/.exec(root)?.[1];
  if (owner === undefined) return false;
  return BROAD_IN_HOME.some((name) => root === (name === "" ? owner : `${owner}/${name}`));
}
