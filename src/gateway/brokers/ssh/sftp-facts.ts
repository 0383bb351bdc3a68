/**
 * What is looked up before a person decides over a file: what is there now, and what would become of it.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { Json } from "../../../action/index.ts";
import type { FileOperation } from "../../../protocols/index.ts";
import { OPEN_FLAG } from "../../../wire/index.ts";
import { isDone, type SftpUpstream } from "./sftp-upstream.ts";

/** A larger file is known by its size and time alone. */
const READ_BYTES_MAX = 1 << 20;
const PIECE_BYTES = 32_768;
const DIFF_LINES_MAX = 400;
const LINE_CHARS_MAX = 500;

type Facts = Readonly<Record<string, Json>>;

/** `before`: what is there, read again before it is performed; `preview`: the difference, which is only shown. */
export async function lookUpFile(
  sftp: SftpUpstream,
  operation: FileOperation,
  body: Buffer | undefined,
): Promise<Facts> {
  const { do: what, path } = operation;
  if (what !== "write" && what !== "remove") return {};
  const { response } = await sftp.ask({ kind: what === "remove" ? "lstat" : "stat", path });
  if (response.kind !== "attrs") return { before: "nothing" };
  const { size = 0, mtime = 0, mode = 0 } = response.attributes ?? {};
  if (what === "remove" || size > READ_BYTES_MAX) return { before: { bytes: size, mtime, mode } };
  const bytes = await readFile(sftp, path);
  if (bytes === undefined) return { before: { bytes: size, mtime, mode } };
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  const before: Json = { bytes: bytes.length, sha256, mode };
  const now =
    operation.mode === "append" && body !== undefined ? Buffer.concat([bytes, body]) : body;
  const diff = now === undefined ? undefined : diffOf(bytes, now);
  return { before, ...(diff === undefined ? {} : { preview: diff.join("\n") }) };
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
