/**
 * Installs the agents that the suite runs: exact versions with integrity, by their own lock file, into
 * build/agents. No install script runs: what those would do (put the platform's binary in place of a
 * stub) is done here by links.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "..", "..");
const FROM = join(import.meta.dirname, "install");
const INTO = join(ROOT, "build", "agents");

/** The folder for PATH that holds the agents' commands. */
export const AGENTS_BIN = join(INTO, "bin");

/** Where each command's program lies below node_modules. */
const COMMANDS: Readonly<Record<string, string>> = {
  claude: `@anthropic-ai/claude-code-linux-${process.arch}/claude`,
  codex: "@openai/codex/bin/codex.js",
  gemini: "@google/gemini-cli/bundle/gemini.js",
  opencode: `opencode-linux-${process.arch}/bin/opencode`,
};

/** Reports whether `command` could be installed: not every agent has a program for every machine. */
export function isInstalled(command: string): boolean {
  return existsSync(join(AGENTS_BIN, command));
}

/** Installs what is not installed yet; 1 GB, some 20 seconds. */
export function installAgents(): void {
  const lock = readFileSync(join(FROM, "package-lock.json"));
  const stamp = join(INTO, ".stamp");
  const wanted = createHash("sha256").update(lock).update(JSON.stringify(COMMANDS)).digest("hex");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return;
  rmSync(INTO, { recursive: true, force: true });
  mkdirSync(AGENTS_BIN, { recursive: true });
  cpSync(FROM, INTO, { recursive: true });
  cpSync(join(ROOT, ".npmrc"), join(INTO, ".npmrc"));
  const args = ["ci", "--ignore-scripts", "--no-fund", "--no-audit", "--loglevel=error"];
  const done = spawnSync("npm", args, { cwd: INTO, stdio: "inherit" });
  if (done.status !== 0)
    throw new Error("the agents could not be installed; see npm's words above");
  for (const [command, program] of Object.entries(COMMANDS)) {
    const path = join("node_modules", program);
    if (existsSync(join(INTO, path))) symlinkSync(join("..", path), join(AGENTS_BIN, command));
  }
  writeFileSync(stamp, wanted);
}
