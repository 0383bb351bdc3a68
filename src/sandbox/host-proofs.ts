/**
 * What only the host can see of a run's first process: its real ids, maps and groups.
 *
 * @module
 */
import { readFile, readlink } from "node:fs/promises";
import { NAMESPACES, type Finding } from "./proofs.ts";

/** Reads process 1 of a run from outside, as the daemon's own user namespace sees it. */
export async function findFromHost(initPid: number): Promise<readonly Finding[]> {
  const read = (name: string) => readFile(`/proc/${initPid}/${name}`, "utf8");
  const [status, uidMap, gidMap] = await Promise.all([
    read("status"),
    read("uid_map"),
    read("gid_map"),
  ]);
  const uids = statusLine(status, "Uid");
  const maps = [words(uidMap), words(gidMap)];
  const rooted = [uids, statusLine(status, "Gid")].some((ids) => ids.split(" ").includes("0"));
  // A map may hold several ranges; any of them that covers host id 0 gives root to somebody inside.
  const mapsRoot = [uidMap, gidMap].some((map) =>
    map
      .trim()
      .split("\n")
      .some((range) => words(range).split(" ")[1] === "0"),
  );
  return [
    { control: "host.Uid", found: uids },
    { control: "host.Gid", found: statusLine(status, "Gid") },
    { control: "host.Groups", found: statusLine(status, "Groups") },
    { control: "host.uid_map", found: maps[0] ?? "" },
    { control: "host.gid_map", found: maps[1] ?? "" },
    { control: "host.not_root", found: rooted || mapsRoot ? "no" : "yes" },
  ];
}

/** The namespaces of this process, by kind. */
export async function ownNamespaces(): Promise<Readonly<Record<string, string>>> {
  const pairs = NAMESPACES.map(async (kind) => [kind, await readlink(`/proc/self/ns/${kind}`)]);
  return Object.fromEntries(await Promise.all(pairs)) as Record<string, string>;
}

function statusLine(status: string, key: string): string {
  return words(new RegExp(`^${key}:(.*)$`, "m").exec(status)?.[1] ?? "");
}

function words(text: string): string {
  return text.trim().replaceAll(/\s+/g, " ");
}
