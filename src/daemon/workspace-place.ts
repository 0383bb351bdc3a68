/**
 * Which folders may be a workspace: never one that would hand the run Cofferdam's own state, the whole
 * home of a user, or the system.
 *
 * @module
 */
import { existsSync, realpathSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { dirname } from "node:path";
import { Fault } from "../base/index.ts";

const SYSTEM = ["/bin", "/boot", "/dev", "/etc", "/lib", "/proc", "/run", "/sbin", "/sys", "/usr"];

/**
 * The real path of the workspace `path`.
 *
 * @throws {Fault} `daemon.workspace` where it may not be one.
 */
export function checkWorkspace(path: string, home: string): string {
  let real: string;
  try {
    real = realpathSync.native(path);
  } catch (cause) {
    throw new Fault("daemon.workspace", `the workspace ${path} cannot be read`, { cause });
  }
  const refuse = (why: string) =>
    new Fault("daemon.workspace", `${real} cannot be a workspace: ${why}`, {
      hint: "change to the project's own folder",
    });
  if (!statSync(real).isDirectory()) throw refuse("it is not a folder");
  if (real === "/" || SYSTEM.some((top) => isWithin(real, top))) throw refuse("it is the system's");
  if (liesIn(real, home)) throw refuse("it is Cofferdam's own state");
  if (liesIn(home, real)) throw refuse("Cofferdam's own state lies in it");
  if (liesIn(homedir(), real)) throw refuse("a whole home with its keys and histories lies in it");
  return real;
}

/**
 * Reports whether `path` is `folder` or lies in it, as what they are and not as they are called: either may be
 * reached by a link, or be mounted at a second place.
 */
function liesIn(path: string, folder: string): boolean {
  const wanted = statSync(folder, { bigint: true, throwIfNoEntry: false });
  if (wanted === undefined || !existsSync(path)) return isWithin(path, folder);
  for (let at = realpathSync.native(path); ; at = dirname(at)) {
    const { dev, ino } = statSync(at, { bigint: true });
    if (dev === wanted.dev && ino === wanted.ino) return true;
    if (at === dirname(at)) return false;
  }
}

/** Reports whether `path` is `folder` or lies in it. */
function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith("/") ? folder : `${folder}/`);
}
