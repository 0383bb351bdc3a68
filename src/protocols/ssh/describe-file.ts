/**
 * What a file operation does: by what it does to which path, and by what lies there.
 *
 * @module
 */
import type { Effect } from "../../action/index.ts";
import type { FileAttributes, FileOperation } from "./operation.ts";
import { effectsOfPlace, isSecretPath } from "./secret-paths.ts";

export interface FilePart {
  readonly verb: string;
  readonly effects: readonly Effect[];
  /** The path's segments. */
  readonly object: readonly string[];
}

export interface FileMeaning {
  readonly verb: string;
  readonly parts: readonly FilePart[];
  readonly summary: string;
  readonly isReversible: boolean;
}

const SETUID_SETGID = 0o6000;
const EXECUTABLE = 0o111;
const TYPE = 0o170000;
const FOLDER = 0o040000;

/** What `operation` does; `undefined` where its paths are none, or another is missing. */
export function meaningOfFile(operation: FileOperation): FileMeaning | undefined {
  const { path, to, attributes = {} } = operation;
  if (!isResolved(path) || (to !== undefined && !isResolved(to))) return undefined;
  const part = (verb: string, effects: readonly Effect[], at = path): FilePart => ({
    verb,
    effects: unique(effects),
    object: at.split("/").filter((segment) => segment !== ""),
  });
  const one = (verb: string, effects: readonly Effect[], summary: string): FileMeaning => ({
    verb,
    parts: [part(verb, effects)],
    summary: `${summary} ${path}`,
    isReversible: effects.every((effect) => effect === "read" || effect === "read-private"),
  });
  const wrote = (at: string): readonly Effect[] => [
    "write",
    ...effectsOfPlace(at),
    ...effectsOfAttributes(attributes, operation.do === "mkdir"),
  ];
  const two = (verb: string, summary: string, parts: readonly FilePart[]): FileMeaning => ({
    verb,
    parts,
    summary,
    isReversible: false, // What was there is not kept.
  });
  switch (operation.do) {
    case "list":
      return one("sftp.list", ["read"], "List");
    case "stat":
    case "realpath":
    case "readlink":
    case "statvfs":
      return one("sftp.list", ["read"], "Look at");
    case "read":
      return one(
        "sftp.read",
        isSecretPath(path) ? ["read-private", "administer"] : ["read-private"],
        "Read",
      );
    case "write":
      return one("sftp.write", wrote(path), operation.mode === "append" ? "Append to" : "Write");
    case "remove":
    case "rmdir":
      return one(
        "sftp.delete",
        ["delete", ...effectsOfPlace(path)],
        operation.do === "rmdir" ? "Remove the folder" : "Delete",
      );
    case "mkdir":
      return one("sftp.mkdir", wrote(path), "Make the folder");
    case "setstat":
      return one("sftp.setstat", wrote(path), `Set ${printAttributes(attributes)} of`);
    case "rename":
      // What was there is replaced, and what is moved is gone from where it was.
      return to === undefined
        ? undefined
        : two("sftp.rename", `Rename ${path} to ${to}`, [
            part(
              "sftp.rename",
              isSecretPath(path) ? ["write", "administer"] : ["write", ...effectsOfPlace(path)],
            ),
            part("sftp.rename", ["write", ...effectsOfPlace(to)], to),
          ]);
    case "symlink":
    case "hardlink":
      return to === undefined
        ? undefined
        : two("sftp.link", `Link ${path} to ${to}`, [
            part("sftp.link", ["write", ...effectsOfPlace(path)]),
            part(
              "sftp.link",
              isSecretPath(to) ? ["write", "administer"] : ["write", ...effectsOfPlace(to)],
              to,
            ),
          ]);
    case "copy":
      return to === undefined
        ? undefined
        : two("sftp.write", `Copy ${path} to ${to}`, [
            part(
              "sftp.read",
              isSecretPath(path) ? ["read-private", "administer"] : ["read-private"],
            ),
            part("sftp.write", wrote(to), to),
          ]);
    default:
      return operation.do satisfies never;
  }
}

/** Absolute, and with no segment that leads elsewhere. */
export function isResolved(path: string): boolean {
  if (!path.startsWith("/") || /[\p{Cc}\u{fffd}]/u.test(path) || !path.isWellFormed()) return false;
  return !path.split("/").some((segment) => segment === ".." || segment === ".");
}

function effectsOfAttributes(
  { mode = 0, uid, gid }: FileAttributes,
  isMade: boolean,
): readonly Effect[] {
  const effects: Effect[] = [];
  // A folder needs the bit to be entered; of a file it says that it is to be run.
  const isFolder = isMade || (mode & TYPE) === FOLDER;
  if ((mode & SETUID_SETGID) !== 0) effects.push("execute", "administer");
  else if ((mode & EXECUTABLE) !== 0 && !isFolder) effects.push("execute");
  if (uid !== undefined || gid !== undefined) effects.push("administer");
  return effects;
}

/** `mode 0644, owner 0:0`, for a person. */
export function printAttributes({ size, uid, gid, mode, mtime }: FileAttributes): string {
  const shown = [
    mode === undefined ? undefined : `mode 0${(mode & 0o7777).toString(8)}`,
    uid === undefined && gid === undefined ? undefined : `owner ${uid ?? ""}:${gid ?? ""}`,
    size === undefined ? undefined : `size ${size}`,
    mtime === undefined ? undefined : "times",
  ].filter((one) => one !== undefined);
  return shown.length === 0 ? "nothing" : shown.join(", ");
}

function unique(effects: readonly Effect[]): readonly Effect[] {
  return [...new Set(effects)];
}
