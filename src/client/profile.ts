/**
 * The ready task files that ship in profiles/.
 *
 * @module
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { assert, Fault } from "../base/fault.ts";

/** The folder of the package: the nearest one above with a package.json, built or not. */
export const PACKAGE_ROOT = packageRoot(import.meta.dirname);

function packageRoot(folder: string): string {
  if (existsSync(join(folder, "package.json"))) return folder;
  assert(dirname(folder) !== folder, "this file lies inside the package");
  return packageRoot(dirname(folder));
}

/** The command line. */
export const PROGRAM = join(PACKAGE_ROOT, "bin", "cofferdam");

const PROFILES = join(PACKAGE_ROOT, "profiles");

/** Names of the profiles there are. */
export function profileNames(): readonly string[] {
  return readdirSync(PROFILES)
    .filter((file) => file.endsWith(".yaml"))
    .map((file) => file.slice(0, -".yaml".length))
    .sort();
}

/** Agents that have a profile, by the command that starts each. */
const AGENT_COMMANDS: ReadonlyMap<string, string> = new Map([
  ["claude", "claude-code"],
  ["codex", "codex"],
  ["gemini", "gemini-cli"],
  ["opencode", "opencode"],
]);

/**
 * The profile for `command` where a person named none. A bare name only: a path may lead to any program,
 * also one of the workspace's, and a profile passes a key in.
 */
export function profileOf(command: string): string {
  return AGENT_COMMANDS.get(command) ?? "shell";
}

/**
 * The task file of profile `name`.
 *
 * @throws {Fault} `cli.profile` where there is none of that name.
 */
export function readProfile(name: string): { source: string; fileName: string } {
  const fileName = join(PROFILES, `${name}.yaml`);
  if (!profileNames().includes(name) || !existsSync(fileName)) {
    throw new Fault("cli.profile", `no profile ${JSON.stringify(name)}`, {
      hint: `there are ${profileNames().join(", ")}; or write a task file and use --task`,
    });
  }
  return { source: readFileSync(fileName, "utf8"), fileName };
}
