/**
 * Performs one file operation that was decided over, whole.
 *
 * @module
 */
import { Fault } from "../../../base/index.ts";
import type { FileAttributes, FileOperation, FileResult } from "../../../protocols/index.ts";
import {
  OPEN_FLAG,
  STATUS,
  type SftpAsk,
  type SftpAttributes,
  type SftpResponse,
} from "../../../wire/index.ts";
import type { SftpUpstream } from "./sftp-upstream.ts";

const PIECE_BYTES = 32_768;
const TYPE_BITS = 0o170000;

/** Does `operation` with `body`. @throws {Fault} `ssh.sftp` */
export async function performFile(
  sftp: SftpUpstream,
  operation: FileOperation,
  body: Buffer,
): Promise<FileResult> {
  if (operation.do === "write") return await writeFile(sftp, operation, body);
  const request = requestOf(operation);
  if (request === undefined) throw new Fault("ssh.sftp", `${operation.do} is performed at once`);
  return resultOf((await sftp.ask(request)).response);
}

/** The request that does `operation`, for those that are one; see {@link performFile} for writing. */
export function requestOf({
  do: what,
  path,
  to = "",
  attributes = {},
  target,
  isReplacing,
}: FileOperation): SftpAsk | undefined {
  switch (what) {
    case "remove":
    case "rmdir":
    case "readlink":
    case "statvfs":
      return { kind: what, path };
    case "mkdir":
    case "setstat":
      return { kind: what, path, attributes: sent(attributes) };
    case "rename":
      return { kind: "rename", path, to, isReplacing: isReplacing === true };
    case "symlink":
      return { kind: "symlink", path, to: target ?? to };
    case "hardlink":
      return { kind: "hardlink", path: to, to: path };
    default:
      return undefined;
  }
}

async function writeFile(
  sftp: SftpUpstream,
  { path, mode = "replace", attributes = {}, isExclusive = false }: FileOperation,
  body: Buffer,
): Promise<FileResult> {
  const how = mode === "append" ? OPEN_FLAG.APPEND : OPEN_FLAG.TRUNC;
  const exclusive = isExclusive ? OPEN_FLAG.EXCL : 0;
  const flags = OPEN_FLAG.WRITE | OPEN_FLAG.CREAT | how | exclusive;
  const { mode: bits } = sent(attributes);
  const opened = await sftp.ask({
    kind: "open",
    path,
    flags,
    attributes: bits === undefined ? {} : { mode: bits },
  });
  if (opened.response.kind !== "handle") return resultOf(opened.response);
  const { handle } = opened.response;
  let result: FileResult = { code: STATUS.OK, message: "" };
  const keep = (response: SftpResponse) => {
    const now = resultOf(response);
    if (result.code === STATUS.OK) result = now;
    return now.code === STATUS.OK;
  };
  for (let at = 0; at < body.length; at += PIECE_BYTES) {
    const data = body.subarray(at, at + PIECE_BYTES);
    const { response } = await sftp.ask({ kind: "write", handle, offset: BigInt(at), data });
    if (!keep(response)) break;
  }
  const { atime, mtime } = attributes;
  const rest = {
    ...(bits === undefined ? {} : { mode: bits }),
    ...(mtime === undefined ? {} : { atime: atime ?? mtime, mtime }),
  };
  if (result.code === STATUS.OK && Object.keys(rest).length > 0) {
    keep((await sftp.ask({ kind: "fsetstat", handle, attributes: rest })).response);
  }
  keep((await sftp.ask({ kind: "close", handle })).response);
  return result;
}

/** What is sent of the attributes: the type of a file is known from looking, and is not set. */
function sent({ mode, ...rest }: FileAttributes): SftpAttributes {
  const others = Object.fromEntries(
    Object.entries(rest).filter(([, value]) => value !== undefined),
  );
  return mode === undefined ? others : { ...others, mode: mode & ~TYPE_BITS };
}

function resultOf(response: SftpResponse): FileResult {
  return response.kind === "status"
    ? { code: response.code, message: response.message }
    : { code: STATUS.OK, message: "" };
}
