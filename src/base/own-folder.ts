/**
 * Whether a folder is one's own: whoever else may write to it can put another socket, key or record there.
 *
 * @module
 */
import { statSync } from "node:fs";
import { Fault } from "./fault.ts";

const WRITABLE_BY_OTHERS = 0o022;

/**
 * Passes where `path` is not there yet, or belongs to this user and to nobody else's pen. With `isVisit`, root
 * passes too: it may speak to anybody's daemon, and starts none there.
 *
 * @throws {Fault} `base.folder` where another user owns the folder or may write to it.
 */
export function requireOwnFolder(path: string, { isVisit }: { readonly isVisit: boolean }): void {
  const about = statSync(path, { throwIfNoEntry: false });
  if (about === undefined) return;
  const uid = process.geteuid?.() ?? -1;
  if (about.uid !== uid && !(isVisit && uid === 0)) {
    throw new Fault("base.folder", `${path} belongs to user ${about.uid}, and not to ${uid}`, {
      hint: "set COFFERDAM_HOME to a folder of your own",
    });
  }
  if ((about.mode & WRITABLE_BY_OTHERS) !== 0) {
    throw new Fault("base.folder", `${path} can be written by other users`, {
      hint: `chmod go-w '${path}', if nobody has used that yet; else take another COFFERDAM_HOME`,
    });
  }
}
