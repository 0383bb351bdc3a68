/**
 * Installs the n8n that the heavy tests run, at an exact version, with all that it needs by their own lock file, into
 * build/n8n. No install script runs: what those would build (the native half of sqlite3) is not needed, since
 * PostgreSQL stands behind it.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "..", "..");
const FROM = join(import.meta.dirname, "install");
const INTO = join(ROOT, "build", "n8n");

/** Its packages, n8n's own and those that hold its nodes. */
export const N8N_PACKAGES = join(INTO, "node_modules");

/** Installs it where it is not installed yet; 2.8 GB, some minutes. */
export function installN8n(): void {
  const lock = readFileSync(join(FROM, "package-lock.json"));
  const wanted = createHash("sha256").update(lock).digest("hex");
  const stamp = join(INTO, ".stamp");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return;
  rmSync(INTO, { recursive: true, force: true });
  mkdirSync(INTO, { recursive: true });
  cpSync(FROM, INTO, { recursive: true });
  cpSync(join(ROOT, ".npmrc"), join(INTO, ".npmrc"));
  const args = ["install", "--ignore-scripts", "--no-fund", "--no-audit", "--loglevel=error"];
  const done = spawnSync("npm", args, { cwd: INTO, stdio: "inherit" });
  if (done.status !== 0) throw new Error("n8n could not be installed; see npm's words above");
  writeFileSync(stamp, wanted);
}
