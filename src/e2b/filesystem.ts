/**
 * `filesystem.Filesystem`, the service by which files of a sandbox are looked at and moved. Their bytes go another way
 * (files.ts).
 *
 * @module
 */
import { posix } from "node:path";
import { z } from "zod";
import type { FileInfo } from "../api/index.ts";
import type { Client } from "../client/index.ts";
import type { Method } from "./connect.ts";
import { pathIn } from "./paths.ts";
import { taken } from "./process.ts";
import { Refusal, refusalOf } from "./refusal.ts";
import type { Sandbox } from "./sandboxes.ts";

const one = z.strictObject({ path: z.string().default("") });
const DEPTH_MAX = 64;

/** What of it is not done here, and why. */
const NOT_HERE =
  "directories are not watched here: nothing of a sandbox is looked at from outside but by its own commands; list it again";

/** The methods for one sandbox. */
export function filesystemMethods(
  client: Client,
  sandbox: Sandbox,
): Readonly<Record<string, Method>> {
  const run = sandbox.id;
  const stat = async (path: string) => entryOf(path, await client.call("file.stat", { run, path }));
  return {
    Stat: unary(async (message) => ({
      entry: await stat(pathIn(sandbox, taken(one, message).path)),
    })),
    ListDir: unary(async (message) => {
      const said = taken(one.extend({ depth: z.int().min(0).max(DEPTH_MAX).default(1) }), message);
      const path = pathIn(sandbox, said.path);
      const files = await client.call("file.list", { run, path, depth: Math.max(1, said.depth) });
      return { entries: files.map((file) => entryOf(posix.join(path, file.path), file)) };
    }),
    MakeDir: unary(async (message) => {
      const path = pathIn(sandbox, taken(one, message).path);
      const there = await client.call("file.stat", { run, path }).catch((error: unknown) => {
        if (refusalOf(error).code !== "not_found") throw error;
      });
      if (there !== undefined) {
        throw new Refusal(
          there.kind === "folder" ? "already_exists" : "invalid_argument",
          `${path} is there already: a ${there.kind}`,
        );
      }
      await client.call("file.folder", { run, path });
      return { entry: await stat(path) };
    }),
    Move: unary(async (message) => {
      const said = taken(z.strictObject({ source: z.string(), destination: z.string() }), message);
      const to = pathIn(sandbox, said.destination);
      await client.call("file.move", { run, path: pathIn(sandbox, said.source), to });
      return { entry: await stat(to) };
    }),
    Remove: unary(async (message) => {
      const path = pathIn(sandbox, taken(one, message).path);
      await client.call("file.remove", { run, path }).catch((error: unknown) => {
        if (refusalOf(error).code !== "not_found") throw error; // Gone is what was wished for.
      });
      return {};
    }),
    WatchDir: {
      kind: "streaming",
      act: async () => {
        throw new Refusal("unimplemented", NOT_HERE);
      },
    },
    ...Object.fromEntries(
      ["CreateWatcher", "GetWatcherEvents", "RemoveWatcher"].map((name) => [
        name,
        unary(async () => {
          throw new Refusal("unimplemented", NOT_HERE);
        }),
      ]),
    ),
  };
}

function unary(act: (message: unknown) => Promise<unknown>): Method {
  return { kind: "unary", act };
}

const TYPES: Readonly<Partial<Record<FileInfo["kind"], string>>> = {
  file: "FILE_TYPE_FILE",
  folder: "FILE_TYPE_DIRECTORY",
  link: "FILE_TYPE_SYMLINK",
};
const LETTERS: Readonly<Record<FileInfo["kind"], string>> = {
  file: "-",
  folder: "d",
  link: "L",
  other: "?",
};

/** An `EntryInfo`. Whose it is goes unsaid: the control contract does not tell. */
function entryOf(path: string, { kind, bytes, mode, modifiedAt, leadsTo }: FileInfo) {
  const bits = Number.parseInt(mode, 8);
  return {
    name: posix.basename(path),
    type: TYPES[kind] ?? "FILE_TYPE_UNSPECIFIED",
    path,
    size: String(bytes),
    mode: bits,
    permissions: `${LETTERS[kind]}${printMode(bits)}`,
    modifiedTime: modifiedAt,
    ...(leadsTo === undefined ? {} : { symlinkTarget: leadsTo }),
  };
}

function printMode(bits: number): string {
  return Array.from({ length: 9 }, (_, at) =>
    (bits >> (8 - at)) & 1 ? "rwxrwxrwx".charAt(at) : "-",
  ).join("");
}
