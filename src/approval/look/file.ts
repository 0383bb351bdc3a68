/**
 * Files at a server: which, what is there now, and what will be.
 *
 * @module
 */
import { isMembers } from "./members.ts";
import type { Readable, Reading } from "./reading.ts";
import { contentOf } from "./sql.ts";

/** What SFTP does to a path; `undefined` where it is none. */
export function readFile({ fields, kind, verb = "" }: Readable): Reading | undefined {
  const { path, to, mode, attributes, target, content, found, preview } = fields;
  if (kind !== "ssh" || !verb.startsWith("sftp.") || typeof path !== "string") return undefined;
  const { before, there } = isMembers(found) ? found : {};
  return {
    content: {
      kind: "file",
      path,
      ...(typeof to === "string" ? { to } : {}),
      ...(typeof mode === "string" ? { mode } : {}),
      ...(typeof attributes === "string" ? { attributes } : {}),
      ...(typeof target === "string" ? { target } : {}),
      ...(isMembers(content) ? { content: contentOf(content) } : {}),
      ...(before === undefined ? {} : { before }),
      ...(there === undefined ? {} : { there }),
      difference: typeof preview === "string" ? preview.split("\n") : [],
    },
    shown: ["to", "mode", "attributes", "target", "content", "found", "preview"],
  };
}
