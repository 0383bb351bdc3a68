/**
 * `npm run check`: format, lint, types, unit tests and laws; the first failure ends it.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const bin = (name: string) => join(root, "node_modules", ".bin", name);
const FOLDERS = ["src", "test", "scripts", "drills", "bench", "examples", "web"];

const STEPS: readonly (readonly [string, string, readonly string[]])[] = [
  ["format", bin("oxfmt"), ["--check", ...FOLDERS]],
  ["lint", bin("oxlint"), ["--type-aware", "--deny-warnings", ...FOLDERS]],
  ["types", bin("tsc"), ["-p", "."]],
  ["types of the console", bin("tsc"), ["-p", "web"]],
];
const TESTS = ["--test", "src/**/*.test.ts", "test/laws.test.ts"];

/** Runs one step with this Node first on the path; its exit status is ours if it fails. */
export function runStep(name: string, command: string, args: readonly string[]): void {
  const path = `${join(process.execPath, "..")}:${process.env["PATH"] ?? ""}`;
  const result = spawnSync(command, args, {
    cwd: root,
    stdio: "inherit",
    env: { ...process.env, PATH: path },
  });
  if (result.status === 0) return;
  console.error(`cofferdam ${name}: failed (${result.error?.message ?? result.status})`);
  process.exit(result.status ?? 1);
}

/** Format, lint and types. */
export function runStatic(): void {
  for (const [name, command, args] of STEPS) runStep(name, command, args);
}

if (import.meta.main) {
  runStatic();
  runStep("tests", process.execPath, TESTS);
}
