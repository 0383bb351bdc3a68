/**
 * Which parts of the host a command needs to run at all: its executable, the toolchain around it, the
 * interpreter that its first line names; and never a home, nor a file that holds credentials.
 *
 * A command may be a link into a version manager, a script for an interpreter that is itself such a link,
 * or one self-contained file. So each path on the way to the executable is looked at: where a toolchain's
 * root can be told from it, the root is shown; else only that one file or link (docs/decisions/0055). A
 * workspace may be hostile: where its link or first line leads out of it, only a toolchain is shown that the
 * caller's PATH or a version manager leads to as well.
 *
 * @module
 */
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  lstatSync,
  openSync,
  readlinkSync,
  readSync,
  realpathSync,
} from "node:fs";
import { basename, dirname, isAbsolute, join, resolve } from "node:path";
import { Fault } from "../base/index.ts";
import type { Bind } from "./launch-plan.ts";
import { findSecrets, type Masked } from "./secrets.ts";
import { isManaged, rootOf, within, STORES, SYSTEM_VIEW } from "./tool-root.ts";

const LINKS_MAX = 40; // As many as the kernel follows (path_resolution(7)).
const INTERPRETERS_MAX = 4; // Depth that execve follows (binfmt_script).
const FIRST_LINE_BYTES_MAX = 256; // BINPRM_BUF_SIZE
/** Entries that every PATH inside ends with. */
const SYSTEM_PATH = ["/usr/local/bin", "/usr/bin", "/bin"] as const;

/** What of the host's tools a run sees, at their own paths, read-only. */
export interface Tools {
  readonly binds: readonly Bind[];
  /** Symbolic links to make again, since the folder that holds them is not shown. */
  readonly links: readonly (readonly [place: string, target: string])[];
  /** What lies inside of `binds` and may hold credentials. */
  readonly masked: readonly Masked[];
  /** The caller's PATH, less what does not exist inside. */
  readonly path: string;
  /** Variables without which a toolchain would look for itself in the agent's home. */
  readonly environment: Readonly<Record<string, string>>;
}

/** What to look for, and from where. */
export interface ToolRequest {
  /** Commands as a person would type them: a name for PATH, or a path. */
  readonly commands: readonly string[];
  /** The caller's PATH. */
  readonly path: string;
  /** The caller's home. */
  readonly home: string;
  /** The real path of the workspace: what lies in it is there already. */
  readonly workspace: string;
}

/** Collects the view as paths are traced. */
interface Trace {
  readonly request: ToolRequest;
  readonly roots: Set<string>;
  readonly files: Set<string>;
  readonly links: Map<string, string>;
}

/**
 * Finds what `request.commands` need. A command that does not exist needs nothing. The few files on the
 * way are looked at without giving up the thread: a person waits for each turn that would cost.
 */
export async function resolveTools(asked: ToolRequest): Promise<Tools> {
  // Executables are found by their real paths: a home that is called by a link would not be known as one.
  const home = existsSync(asked.home) ? realpathSync.native(asked.home) : asked.home;
  const request: ToolRequest = { ...asked, home };
  const trace: Trace = { request, roots: new Set(), files: new Set(), links: new Map() };
  for (const command of request.commands) {
    const path = lookUp(command, request);
    if (path !== undefined) traceExecutable(path, trace, { depth: 0, byWorkspace: false });
  }
  addCompanions(trace);
  const roots = [...trace.roots].filter(
    (root) => ![...trace.roots].some((other) => other !== root && within(root, other)),
  );
  const files = [...trace.files].filter((file) => !roots.some((root) => within(file, root)));
  const links = [...trace.links].filter(([place]) => !roots.some((root) => within(place, root)));
  const places = [...files, ...links.map(([place]) => place)].map((place) => dirname(place));
  return {
    binds: [
      ...roots.map((root) => bind(root, "directory")),
      ...files.map((file) => bind(file, "file")),
    ],
    links,
    masked: (await Promise.all(roots.filter(isPrivate).map(findSecrets))).flat(),
    path: pathInside(request, [...roots, ...places]),
    environment: environmentOf(roots),
  };
}

/** What one toolchain finds in another's folder of the same home: rustup's proxies lie in `.cargo`. */
const COMPANIONS: Readonly<Record<string, string>> = { ".cargo": ".rustup" };

function addCompanions({ request, roots }: Trace): void {
  for (const root of [...roots]) {
    const name = COMPANIONS[basename(root)];
    if (name === undefined) continue;
    const place = join(dirname(root), name);
    const about = lstatSync(place, { throwIfNoEntry: false });
    if (about?.isDirectory() && !within(request.workspace, place)) roots.add(place);
  }
}

/** Stores of the system are readable by everyone on the host, and large. */
function isPrivate(root: string): boolean {
  return !STORES.some((store) => store === root);
}

function bind(path: string, kind: Bind["kind"]): Bind {
  return { source: path, target: path, kind, write: false };
}

function lookUp(command: string, request: ToolRequest): string | undefined {
  if (command.includes("/")) {
    const path = resolve(request.workspace, command);
    return isExecutable(path) ? path : undefined;
  }
  for (const entry of request.path.split(":")) {
    if (isAbsolute(entry) && isExecutable(join(entry, command))) return join(entry, command);
  }
  return undefined;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return lstatSync(realpathSync.native(path)).isFile();
  } catch {
    return false; // Absent or closed to this user: the search goes on, as a shell's does.
  }
}

/** How a path came to be looked at. */
interface Way {
  readonly depth: number;
  /** Whether a file or link of the workspace names it, and not the caller. */
  readonly byWorkspace: boolean;
}

/** Shows what is on the way from `path` to the executable, and the interpreter of a script. */
function traceExecutable(path: string, trace: Trace, way: Way): void {
  const { request } = trace;
  let byWorkspace = way.byWorkspace || within(path, request.workspace);
  // The folder's own links are resolved first: a link found in it is then relative to a real place.
  let place = join(realpathSync.native(dirname(path)), basename(path));
  if (byWorkspace) requireCallers(place, request);
  if (place !== path) showLink(path, place, trace);
  for (let links = 0; links <= LINKS_MAX; links += 1) {
    if (isSystems(place)) byWorkspace = false; // Where it leads from there is the system's word.
    byWorkspace ||= within(place, request.workspace);
    if (byWorkspace) requireCallers(place, request);
    if (!lstatSync(place).isSymbolicLink()) break;
    const target = resolve(dirname(place), readlinkSync(place));
    const next = join(realpathSync.native(dirname(target)), basename(target));
    if (!showRoot(place, trace)) showLink(place, next, trace);
    place = next;
  }
  if (!showRoot(place, trace) && !isShown(place, trace)) trace.files.add(place);
  if (way.depth === INTERPRETERS_MAX) return;
  const interpreter = interpreterOf(place);
  const found = interpreter && lookUp(interpreter, request);
  if (found === undefined || found === "") return;
  // A mere name is looked up on the caller's PATH, as if the caller had typed it.
  byWorkspace &&= interpreter?.includes("/") === true;
  traceExecutable(found, trace, { depth: way.depth + 1, byWorkspace });
}

/**
 * Passes where the caller leads to `path` as well as the workspace does.
 *
 * @throws {Fault} `sandbox.tools` where only the workspace names it: it would choose what of the host to see.
 */
function requireCallers(path: string, request: ToolRequest): void {
  const { home, workspace } = request;
  if (within(path, workspace) || isSystems(path) || isManaged(path, home)) return;
  const root = rootOf(path, home);
  for (const entry of request.path.split(":")) {
    if (!isAbsolute(entry) || within(entry, workspace)) continue;
    if (!existsSync(entry)) continue;
    const folder = realpathSync.native(entry);
    if (folder === dirname(path) || (root !== undefined && within(folder, root))) return;
  }
  throw new Fault("sandbox.tools", `a file of the workspace leads to ${path}`, {
    hint: "run that program by its own path, or put its folder on your PATH",
  });
}

function isSystems(path: string): boolean {
  return SYSTEM_VIEW.some((folder) => within(path, folder));
}

function isShown(path: string, { request, roots }: Trace): boolean {
  const shown = [...SYSTEM_VIEW, request.workspace, ...roots];
  return shown.some((folder) => within(path, folder));
}

function showRoot(path: string, trace: Trace): boolean {
  if (isShown(path, trace)) return true;
  const root = rootOf(path, trace.request.home);
  if (root === undefined || within(trace.request.workspace, root)) return false;
  trace.roots.add(root);
  return true;
}

function showLink(place: string, target: string, trace: Trace): void {
  if (!isShown(place, trace)) trace.links.set(place, target);
}

/** The command that a script's first line names: `#!/usr/bin/env -S node --flag` gives `node`. */
function interpreterOf(path: string): string | undefined {
  const bytes = Buffer.alloc(FIRST_LINE_BYTES_MAX);
  try {
    const file = openSync(path, "r");
    try {
      readSync(file, bytes);
    } finally {
      closeSync(file);
    }
  } catch {
    return undefined; // May be run but not read: then the kernel cannot read a first line either.
  }
  return parseFirstLine(bytes.toString("latin1"));
}

/** The interpreter in `text`, the start of a file; `undefined` where it is no script. */
export function parseFirstLine(text: string): string | undefined {
  if (!text.startsWith("#!")) return undefined;
  const words = (text.slice(2).split("\n", 1)[0] ?? "").trim().split(/\s+/);
  const [first = ""] = words;
  if (basename(first) !== "env") return first === "" ? undefined : first;
  return words.slice(1).find((word) => !word.startsWith("-") && !word.includes("="));
}

function pathInside(request: ToolRequest, shown: readonly string[]): string {
  const folders = [...SYSTEM_VIEW, request.workspace, ...shown];
  const kept: string[] = [];
  for (const entry of request.path.split(":")) {
    if (!isAbsolute(entry) || !folders.some((folder) => within(entry, folder))) continue;
    if (existsSync(entry)) kept.push(entry);
  }
  return [...new Set([...kept, ...SYSTEM_PATH])].join(":");
}

/** Toolchains that find themselves by a variable, else below HOME, which is another one inside. */
const HOMES: Readonly<Record<string, string>> = {
  ".rustup": "RUSTUP_HOME",
  ".volta": "VOLTA_HOME",
  ".pyenv": "PYENV_ROOT",
  ".rbenv": "RBENV_ROOT",
  ".asdf": "ASDF_DATA_DIR",
};

function environmentOf(roots: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    roots.flatMap((root) => {
      const name = HOMES[basename(root)];
      return name === undefined ? [] : [[name, root] as const];
    }),
  );
}
