/**
 * How soon all runs of a job stand still, beside writing the freezer files of as many groups in one loop and reading
 * each until the kernel says that it is frozen. Where no groups are delegated there is no such floor.
 *
 * @module
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Fault } from "../../src/base/index.ts";
import { startDaemon } from "../daemon.ts";
import type { Part } from "../part.ts";
import { createRow } from "../row.ts";

const RUNS = 200;
const STARTERS = 8;
const ROUNDS = 7;
const JOB = "job:bench";
/** Each does something now and then, as agents do. */
const COMMAND = ["/bin/sh", "-c", "while :; do sleep 0.5; done"];

export const lineagePause: Part = {
  name: "lineage-pause",
  group: "scale",
  async measure({ scratch, profiles }) {
    await using daemon = await startDaemon(scratch, { profiles });
    const { client, start } = daemon;
    const ids: string[] = [];
    const starter = async () => {
      while (ids.length < RUNS) {
        const at = ids.push("") - 1;
        ids[at] = (await start(COMMAND, { detach: true, lineage: { job: "bench" } })).run;
      }
    };
    await Promise.all(Array.from({ length: STARTERS }, starter));
    const groups = groupsOf(new Set(ids));
    const [called, floor]: [number[], number[]] = [[], []];
    for (let round = 0; round < ROUNDS; round += 1) {
      const sinceMs = performance.now();
      const { runs } = await client.call("lineage.pause", { lineage: JOB });
      called.push(performance.now() - sinceMs);
      if (runs !== RUNS) throw new Fault("bench.lineage", `${runs} of ${RUNS} were paused`);
      const moving = groups.filter((group) => !group.isFrozen());
      if (moving.length > 0) throw new Fault("bench.lineage", `${moving.length} are not frozen`);
      await client.call("lineage.resume", { lineage: JOB });
      if (groups.length === RUNS) floor.push(freezeAll(groups));
    }
    return [
      createRow({
        name: `lineage-pause/${RUNS}-runs`,
        unit: "ms",
        values: called,
        ...(floor.length === 0
          ? {}
          : { against: { name: "their freezer files in one loop", values: floor } }),
        goal: { of: "value", must: "<", be: 1000 },
      }),
    ];
  },
};

interface Group {
  set(frozen: boolean): void;
  isFrozen(): boolean;
}

/** Milliseconds until the kernel says of all that they are frozen; then they go on. */
function freezeAll(groups: readonly Group[]): number {
  const sinceMs = performance.now();
  for (const group of groups) group.set(true);
  for (const group of groups) while (!group.isFrozen()) group.set(true);
  const tookMs = performance.now() - sinceMs;
  for (const group of groups) group.set(false);
  return tookMs;
}

/** The groups of the runs in the hierarchy that freezes them. */
function groupsOf(ids: ReadonlySet<string>): readonly Group[] {
  const found: Group[] = [];
  const look = (folder: string, depth: number) => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (!entry.isDirectory()) continue;
      const path = join(folder, entry.name);
      if (!ids.has(entry.name)) {
        if (depth > 0) look(path, depth - 1);
        continue;
      }
      const v2 = join(path, "cgroup.freeze");
      const v1 = join(path, "freezer.state");
      if (existsSync(v1)) {
        found.push({
          set: (frozen) => writeFileSync(v1, frozen ? "FROZEN" : "THAWED"),
          isFrozen: () => readFileSync(v1, "utf8").trim() === "FROZEN",
        });
      } else if (existsSync(v2)) {
        found.push({
          set: (frozen) => writeFileSync(v2, frozen ? "1" : "0"),
          isFrozen: () => /^frozen 1$/m.test(readFileSync(join(path, "cgroup.events"), "utf8")),
        });
      }
    }
  };
  look("/sys/fs/cgroup", 6);
  // Some hosts have both, and one of them freezes: those that are not used would never say so.
  return found.length > ids.size ? [] : found;
}
