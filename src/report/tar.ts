/**
 * A folder of small text files as one file.
 *
 * @module
 */
import { tarEnd, tarHead, tarPadding } from "../backup/index.ts";
import type { ReportFile } from "./report-files.ts";

/** `files` below the folder `folder`; the same bytes for the same files, whenever it is made. */
export function tarOf(folder: string, files: readonly ReportFile[]): Buffer {
  const parts = files.flatMap(({ path, text }) => {
    const bytes = Buffer.from(text);
    return [tarHead(`${folder}/${path}`, bytes.length), bytes, tarPadding(bytes.length)];
  });
  return Buffer.concat([...parts, tarEnd()]);
}
