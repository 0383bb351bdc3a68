/**
 * A folder of small text files as one file: the ustar form of POSIX.1-1988 (pax(1), "ustar Interchange Format").
 *
 *   name 100, mode 8, uid 8, gid 8, size 12, mtime 12, checksum 8, type 1, link 100, "ustar" NUL "00"; octal digits
 *
 * @module
 */
import { assert } from "../base/index.ts";
import type { ReportFile } from "./report-files.ts";

const BLOCK = 512;

/** `files` below the folder `folder`; the same bytes for the same files, whenever it is made. */
export function tarOf(folder: string, files: readonly ReportFile[]): Buffer {
  const parts = files.flatMap(({ path, text }) => {
    const bytes = Buffer.from(text);
    const rest = Buffer.alloc((BLOCK - (bytes.length % BLOCK)) % BLOCK);
    return [headOf(`${folder}/${path}`, bytes.length), bytes, rest];
  });
  return Buffer.concat([...parts, Buffer.alloc(2 * BLOCK)]);
}

function headOf(path: string, size: number): Buffer {
  const head = Buffer.alloc(BLOCK);
  assert(Buffer.byteLength(path) <= 100, "names of a report are short");
  head.write(path, 0);
  head.write("0000600\0", 100);
  head.write("0000000\0", 108);
  head.write("0000000\0", 116);
  head.write(`${size.toString(8).padStart(11, "0")}\0`, 124);
  head.write("00000000000\0", 136);
  head.write(" ".repeat(8), 148);
  head.write("0", 156);
  head.write("ustar\u000000", 257);
  const sum = head.reduce((total, byte) => total + byte, 0);
  head.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return head;
}
