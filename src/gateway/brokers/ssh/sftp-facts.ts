/**
 * What is looked up before a person decides over a file: what is there now, and what would become of it.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { canonicalJson, type Json } from "../../../action/index.ts";
import type { FileOperation } from "../../../protocols/index.ts";
import { OPEN_FLAG, STATUS } from "../../../wire/index.ts";
import { SftpPaths } from "./sftp-paths.ts";
import { requestOf } from "./sftp-perform.ts";
import { isDone, type SftpUpstream } from "./sftp-upstream.ts";

/** A larger file is known by its size and time alone. */
const READ_BYTES_MAX = 1 << 20;
const PIECE_BYTES = 32_768;
const DIFF_LINES_MAX = 400;
const LINE_CHARS_MAX = 500;
const TYPE = 0o170000; // S_IFMT
const TYPES: Readonly<Record<number, string>> = {
  0o040000: "folder",
  0o100000: "file",
  0o120000: "link",
};

type Facts = Readonly<Record<string, Json>>;

/**
 * `before` and `there`: what lies at the path, and at the other where it names two; read again before it is performed,
 * and must be the same then. `preview`: the difference that a writing makes, which is only shown.
 */
export async function lookUpFile(
  sftp: SftpUpstream,
  operation: FileOperation,
  body?: Buffer,
): Promise<Facts> {
  const { do: what, path, to } = operation;
  if (requestOf(operation) === undefined && what !== "write") return {};
  const paths = new SftpPaths(sftp);
  const { lies: before, bytes } = await lookAt(sftp, path, await paths.locate(path));
  const preview = what === "write" ? previewOf(operation, bytes, body) : undefined;
  const there =
    to === undefined ? undefined : await lookAt(sftp, to, await leadsTo(paths, operation, to));
  return {
    before,
    ...(there === undefined ? {} : { there: there.lies }),
    ...(preview === undefined ? {} : { preview }),
  };
}

/** Reports whether `now`, as {@link lookUpFile} tells it, is what was found before. */
export function isAsFound(now: Facts, found: Facts): boolean {
  const bare = ({ before = null, there = null }: Facts) => canonicalJson([before, there]);
  return bare(now) === bare(found);
}

/** Where the other path leads now: what a link is to say may pass through links itself. */
async function leadsTo(
  paths: SftpPaths,
  { path, target }: FileOperation,
  to: string,
): Promise<string> {
  if (target === undefined) return await paths.locate(to);
  const folder = path.slice(0, path.lastIndexOf("/")) || "/";
  return await paths.follow(target.startsWith("/") ? target : `${folder}/${target}`);
}

interface Found {
  readonly lies: Json;
  /** Its content, of a file that is not large. */
  readonly bytes?: Buffer;
}

/** What lies at `path`, unless its folder leads elsewhere by now. */
async function lookAt(sftp: SftpUpstream, path: string, leads: string): Promise<Found> {
  if (leads !== path) return { lies: { leads } };
  const { response } = await sftp.ask({ kind: "lstat", path });
  if (response.kind === "status") {
    return { lies: response.code === STATUS.NO_SUCH_FILE ? "nothing" : "what cannot be looked at" };
  }
  if (response.kind !== "attrs") return { lies: "what cannot be looked at" };
  const { size = 0, mtime = 0, mode = 0, uid, gid } = response.attributes ?? {};
  const type = TYPES[mode & TYPE] ?? "special";
  const points = type === "link" ? await readLink(sftp, path) : undefined;
  // Nothing else is opened: a pipe would hold whoever opens it.
  const isRead = type === "file" && size <= READ_BYTES_MAX;
  const bytes = isRead ? await readFile(sftp, path) : undefined;
  const lies = {
    type,
    bytes: bytes?.length ?? size,
    mode: `0${(mode & 0o7777).toString(8)}`,
    ...(uid === undefined || gid === undefined ? {} : { owner: `${uid}:${gid}` }),
    changed: new Date(mtime * 1000).toISOString(),
    ...(points === undefined ? {} : { points }),
    ...(bytes === undefined ? {} : { sha256: createHash("sha256").update(bytes).digest("hex") }),
  };
  return { lies, ...(bytes === undefined ? {} : { bytes }) };
}

async function readLink(sftp: SftpUpstream, path: string): Promise<string> {
  const { response } = await sftp.ask({ kind: "readlink", path });
  return (response.kind === "name" ? response.first : undefined) ?? "what cannot be read";
}

function previewOf(
  { mode }: FileOperation,
  before: Buffer | undefined,
  body: Buffer | undefined,
): string | undefined {
  if (before === undefined || body === undefined) return undefined;
  const after = mode === "append" ? Buffer.concat([before, body]) : body;
  return diffOf(before, after)?.join("\n");
}

/** The content of `path`; `undefined` where it cannot be read, or is larger than is looked at. */
async function readFile(sftp: SftpUpstream, path: string): Promise<Buffer | undefined> {
  const opened = await sftp.ask({ kind: "open", path, flags: OPEN_FLAG.READ, attributes: {} });
  if (opened.response.kind !== "handle") return undefined;
  const { handle } = opened.response;
  const pieces: Buffer[] = [];
  let bytes = 0;
  try {
    while (bytes <= READ_BYTES_MAX) {
      const offset = BigInt(bytes);
      const { response } = await sftp.ask({ kind: "read", handle, offset, length: PIECE_BYTES });
      if (response.kind !== "data" || response.data.length === 0) {
        return isDone(response) || isEnd(response) ? Buffer.concat(pieces) : undefined;
      }
      pieces.push(Buffer.from(response.data));
      bytes += response.data.length;
    }
    return undefined;
  } finally {
    await sftp.ask({ kind: "close", handle });
  }
}

function isEnd(response: { readonly kind: string; readonly code?: number }): boolean {
  return response.kind === "status" && response.code === 1;
}

/** Lines that go and come, between what both have at the beginning and at the end; of texts only. */
function diffOf(before: Buffer, after: Buffer): readonly string[] | undefined {
  const [old, now] = [linesOf(before), linesOf(after)];
  if (old === undefined || now === undefined) return undefined;
  let head = 0;
  while (head < old.length && head < now.length && old[head] === now[head]) head += 1;
  let tail = 0;
  const most = Math.min(old.length, now.length) - head;
  while (tail < most && old[old.length - 1 - tail] === now[now.length - 1 - tail]) tail += 1;
  const shown = [
    `  line ${head + 1}:`,
    ...old.slice(head, old.length - tail).map((line) => `- ${line}`),
    ...now.slice(head, now.length - tail).map((line) => `+ ${line}`),
  ].map((line) => line.slice(0, LINE_CHARS_MAX));
  const left = shown.length - DIFF_LINES_MAX;
  return left > 0 ? [...shown.slice(0, DIFF_LINES_MAX), `... and ${left} lines more`] : shown;
}

function linesOf(bytes: Buffer): readonly string[] | undefined {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return text.includes("\0") ? undefined : text.split("\n");
  } catch {
    return undefined;
  }
}
