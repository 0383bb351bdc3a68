/**
 * What a maintainer needs to see of an installation, taken so that it says how things are and not what they are about:
 * names of tasks, grants and hosts are numbers of this one bundle, free texts lose what stands in quotes, paths and hosts.
 *
 * @module
 */
import { createHmac, randomBytes } from "node:crypto";
import * as fs from "node:fs";
import { closeSync, existsSync, lstatSync, readdirSync, readFileSync } from "node:fs";
import { cpus, release, totalmem } from "node:os";
import { join } from "node:path";
import { LINEAGE_KINDS } from "../action/index.ts";
import { runInfoSchema, type Home } from "../api/index.ts";
import { describeError } from "../base/index.ts";
import { verifyLedger } from "../ledger/index.ts";
import { examineHost } from "../sandbox/index.ts";
import { readYaml } from "../yaml/index.ts";
import type { Part } from "./bundle.ts";

const LOG_BYTES_MAX = 256 << 10;
const RUNS_MAX = 200;
const TASKS_MAX = 20;
const TASK_BYTES_MAX = 64 << 10;
const DEPTH_MAX = 12;
/** Files that say how this kernel and its distribution let sandboxes be made. */
const KERNEL_FILES = [
  ...["/proc/version", "/proc/sys/user/max_user_namespaces", "/sys/kernel/security/lsm"],
  ...["/proc/sys/kernel/unprivileged_userns_clone", "/proc/sys/kernel/yama/ptrace_scope"],
  ...[
    "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
    "/proc/sys/kernel/seccomp/actions_avail",
  ],
  ...["/proc/self/cgroup", "/etc/os-release", "/proc/meminfo"],
] as const;

export interface CollectOptions {
  readonly home: Home;
  readonly version: string;
  /** Words of tasks as well: names, commands, task files, texts of errors. */
  readonly withTasks: boolean;
  /** As Prometheus reads them; why there are none where the daemon does not answer. */
  readonly metrics: string;
}

/** The parts, not yet redacted. What cannot be read says so in its place. */
export async function collectParts(options: CollectOptions): Promise<readonly Part[]> {
  const { home, version, withTasks, metrics } = options;
  const names = createNames(withTasks);
  const parts: readonly (readonly [string, () => unknown])[] = [
    ["version.json", () => ({ version, node: process.version, ...machine() })],
    ["doctor.json", () => examineHost()],
    ["kernel.json", () => Object.fromEntries(KERNEL_FILES.map((path) => [path, textOf(path)]))],
    ["home.json", () => sizesOf(home)],
    ["runs.json", () => runsOf(home, names)],
    ["tasks.json", () => tasksOf(home, names)],
    ["ledger.json", () => recordOf(home)],
    ["metrics.prom", () => metrics],
    ["daemon.log", () => logOf(home, names)],
  ];
  const made: Part[] = [];
  for (const [name, make] of parts) {
    const value = await tried(make);
    made.push({
      name,
      text: typeof value === "string" ? value : `${JSON.stringify(value, null, 1)}\n`,
    });
  }
  return withTasks ? [...made, ...taskTexts(home)] : made;
}

async function tried(make: () => unknown): Promise<unknown> {
  try {
    return await make();
  } catch (error) {
    return { unread: describeError(error) };
  }
}

interface Names {
  /** The same for the same text within this bundle, and nothing to anybody else. */
  name(text: string): string;
  /** A sentence without what it is about. */
  sentence(text: string): string;
}

function createNames(isPlain: boolean): Names {
  if (isPlain) return { name: (text) => text, sentence: (text) => text };
  const key = randomBytes(32);
  const name = (text: string) =>
    `#${createHmac("sha256", key).update(text).digest("hex").slice(0, 8)}`;
  return {
    name,
    sentence: (text) =>
      text
        .replaceAll(/"(?:[^"\\]|\\.){0,4000}"|'[^']{0,4000}'|`[^`]{0,4000}`/g, "[text]")
        .replaceAll(/(?:\/[^\s:,;()[\]]+)+/g, "[path]")
        .replaceAll(LINEAGE, "$1:[name]")
        .replaceAll(/\b[\w-]+(?:\.[\w-]+)+\b/g, (word) => (VERSION.test(word) ? word : "[name]")),
  };
}

/** A fault's code looks as a host does; where one is a field of the log it is kept. */
const VERSION = /^\d+(?:\.\d+){1,2}$/;
/** Who runs belong to: what callers call their jobs, agents and secrets. */
const LINEAGE = new RegExp(`\\b(${LINEAGE_KINDS.join("|")}):[^\\s,;()[\\]"]+`, "g");

function machine() {
  const { arch, platform } = process;
  return { arch, platform, kernel: release(), processors: cpus().length, memory: totalmem() };
}

function textOf(path: string): string | null {
  if (!existsSync(path)) return null;
  return readFileSync(path, "utf8").slice(0, 4096);
}

/** Files of the home: what of our own names is there, how large, and with which mode. */
function sizesOf(home: Home) {
  const disk = fs.statfsSync(home.root);
  const files = readdirSync(home.root).map((name) => {
    const about = lstatSync(join(home.root, name));
    const mode = (about.mode & 0o7777).toString(8);
    return { name: OUR_FILES.test(name) ? name : "[other]", mode, bytes: about.size };
  });
  const inode = { free: disk.ffree, all: disk.files };
  return { files, free: disk.bavail * disk.bsize, all: disk.blocks * disk.bsize, inode };
}

const OUR_FILES =
  /^(?:ledger|keys|runs|homes|vault|catalog|facts|rules|etc|code|tasks|console|service|alive|(?:daemon|console)\.(?:sock|log)|(?:approvals|channels|watches|unattended|lineages)\.db(?:-wal|-shm)?|snapshots|exports|backup|(?:approvers|console|blast-budget|lineages|retention)\.yaml|(?:passkeys|holds|formats|e2b-keys)\.json)$/;

/** Runs of this home, the newest last. */
export function runFolders(home: Home): readonly string[] {
  if (!existsSync(home.runs)) return [];
  return readdirSync(home.runs)
    .filter((id) => existsSync(join(home.runs, id, "run.json")))
    .toSorted()
    .slice(-RUNS_MAX);
}

function runsOf(home: Home, names: Names) {
  return runFolders(home).map((id) => {
    const info = runInfoSchema.parse(
      JSON.parse(readFileSync(join(home.runs, id, "run.json"), "utf8")),
    );
    const { state, end, startedAt, endedAt, counts, entries, workspaceMode, attempt } = info;
    const ended = end && { ...end, ...(end.detail && { detail: names.sentence(end.detail) }) };
    const task = names.name(info.task);
    return {
      run: id,
      task,
      state,
      end: ended,
      startedAt,
      endedAt,
      counts,
      entries,
      workspaceMode,
      attempt,
    };
  });
}

/** Task files by their shape: which keys, how many values, numbers and words of the language itself. */
function tasksOf(home: Home, names: Names) {
  return taskFiles(home).map(({ id, text }) => ({
    run: id,
    shape: shapeOf(readYaml(text, "task.yaml", TASK_FILE).value, names),
  }));
}

const TASK_FILE = {
  code: "support.task",
  start: "task: my-task",
  empty: "an empty file",
  tooLong: "a long one",
  guide: "docs/reference",
};

function taskFiles(home: Home) {
  return runFolders(home)
    .slice(-TASKS_MAX)
    .flatMap((id) => {
      const path = join(home.runs, id, "task.yaml");
      if (!existsSync(path) || lstatSync(path).size > TASK_BYTES_MAX) return [];
      return [{ id, text: readFileSync(path, "utf8") }];
    });
}

function taskTexts(home: Home): readonly Part[] {
  return taskFiles(home).map(({ id, text }) => ({ name: `task-${id}.yaml`, text }));
}

const KEY = /^[a-z][a-z_]{0,23}$/;
const WORD =
  /^(?:http|tcp|none|all|overlay|read-only|keep|fresh|never|on-failure|off|record|[A-Z]{3,7}|\d{1,9}(?:[smhd]|[KMGT]iB))$/;

function shapeOf(value: unknown, names: Names, depth = 0): unknown {
  if (depth > DEPTH_MAX) return "[deep]";
  if (Array.isArray(value)) return value.map((one) => shapeOf(one, names, depth + 1));
  if (typeof value === "string") return WORD.test(value) ? value : names.name(value);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => [
      KEY.test(key) ? key : names.name(key),
      shapeOf(one, names, depth + 1),
    ]),
  );
}

async function recordOf({ ledger }: Home) {
  const { ok, size, unsigned, problems } = await verifyLedger(ledger);
  return { ok, size, unsigned, problems: problems.slice(0, 50) };
}

/** Fields of the operating log that are no words of a task. */
const LOG_FIELDS = new Set(["at", "level", "event", "code", "run", "use", "leftOut"]);

function logOf({ log }: Home, names: Names): string {
  const lines = tailOf(log).map((line) => {
    const fields = parsed(line);
    if (fields === undefined) return names.sentence(line);
    const kept = Object.entries(fields).map(([key, value]) => [key, fieldOf(key, value, names)]);
    return JSON.stringify(Object.fromEntries(kept));
  });
  return `${lines.join("\n")}\n`;
}

function fieldOf(key: string, value: unknown, names: Names): unknown {
  if (LOG_FIELDS.has(key)) return value;
  if (typeof value === "string") return names.sentence(value);
  return typeof value === "object" ? names.sentence(JSON.stringify(value)) : value;
}

function parsed(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Readonly<Record<string, unknown>>)
      : undefined;
  } catch {
    return undefined; // The runtime's own words, of an end that nobody foresaw.
  }
}

function tailOf(path: string): readonly string[] {
  if (!existsSync(path)) return ["(no daemon.log: a service's lines are in its journal)"];
  const file = fs.openSync(path, "r");
  try {
    const { size } = fs.fstatSync(file);
    const bytes = Buffer.alloc(Math.min(size, LOG_BYTES_MAX));
    const length = fs.readSync(file, bytes, 0, bytes.length, size - bytes.length);
    const lines = bytes.toString("utf8", 0, length).split("\n");
    return (size > bytes.length ? lines.slice(1) : lines).filter((line) => line !== "");
  } finally {
    closeSync(file);
  }
}
