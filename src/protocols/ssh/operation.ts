/**
 * What is asked of an SSH server, as the broker hands it over and the store keeps it.
 *
 * @module
 */
import { z } from "zod";
import { Fault } from "../../base/index.ts";
import type { Json } from "../../action/index.ts";
import { COMMAND_CHARS_MAX } from "./command-line.ts";

const PATH_CHARS_MAX = 4096; // PATH_MAX of Linux.
const path = z.string().min(1).max(PATH_CHARS_MAX);

/** SFTP attributes that a request sets (draft-ietf-secsh-filexfer-02, section 5). */
export const attributesSchema = z.strictObject({
  size: z.number().optional(),
  uid: z.number().optional(),
  gid: z.number().optional(),
  /** st_mode. */
  mode: z.number().optional(),
  atime: z.number().optional(),
  mtime: z.number().optional(),
});
export type FileAttributes = z.infer<typeof attributesSchema>;

/**
 * One file operation. `path` is absolute, without dot segments, and as the server itself resolved it; `asked`
 * is what the agent said where that is another.
 */
const fileSchema = z.strictObject({
  op: z.literal("sftp"),
  do: z.enum([
    "list",
    "stat",
    "realpath",
    "readlink",
    "read",
    "write",
    "remove",
    "rmdir",
    "mkdir",
    "rename",
    "setstat",
    "symlink",
    "hardlink",
    "statvfs",
    "copy",
  ]),
  path,
  /** Of rename, link and copy: the other path. Of a symbolic link what it points to, made absolute. */
  to: path.optional(),
  asked: z.string().max(PATH_CHARS_MAX).optional(),
  attributes: attributesSchema.optional(),
  /** Of a symbolic link: what it is to say, as the agent wrote it. */
  target: path.optional(),
  /** Of rename: what is there at the other path is replaced. */
  isReplacing: z.boolean().optional(),
  /** Of write: nothing may be there yet. */
  isExclusive: z.boolean().optional(),
  /** Of write: whether what was there is cut off, or added to. */
  mode: z.enum(["replace", "append", "update"]).optional(),
});

export const operationSchema = z.discriminatedUnion("op", [
  z.strictObject({
    op: z.literal("exec"),
    command: z.string().max(4 * COMMAND_CHARS_MAX),
    /** A terminal was asked for: what runs there takes commands of its own. */
    pty: z.boolean().optional(),
  }),
  z.strictObject({ op: z.literal("shell"), term: z.string().max(64).optional() }),
  z.strictObject({ op: z.literal("subsystem"), name: z.string().max(256) }),
  z.strictObject({ op: z.literal("session"), what: z.string().max(64) }),
  fileSchema,
]);
export type SshOperation = z.infer<typeof operationSchema>;
export type FileOperation = z.infer<typeof fileSchema>;

const FORM =
  "write a command line, or: sftp read|write|list|remove|rmdir|mkdir|stat|setstat PATH, sftp rename|symlink|hardlink PATH PATH, push REPOSITORY create|update|force|delete REF [PATH]..., shell";
const FILE_FORM = /^sftp ([a-z]+) (\/\S*)(?: (\/\S*))?$/;

/** What `explain --system ssh TEXT` means. @throws {Fault} `protocols.operation` */
export function operationOfText(text: string): Json {
  if (text.trim() === "") {
    throw new Fault("protocols.operation", "nothing is asked for", { hint: FORM });
  }
  if (text === "shell") return { op: "shell" };
  if (!text.startsWith("sftp ")) return { op: "exec", command: text };
  const [, what, from, to] = FILE_FORM.exec(text) ?? [];
  const { data, error } = fileSchema.safeParse({
    op: "sftp",
    do: what,
    path: from,
    ...(to === undefined ? {} : { to }),
  });
  if (error !== undefined) {
    throw new Fault("protocols.operation", `not a file operation: ${JSON.stringify(text)}`, {
      hint: FORM,
    });
  }
  return data;
}
