/**
 * The folder that an attempt works in: the stand-in agent, its tools, its plan, the key it made for
 * itself, and one secret file.
 *
 * @module
 */
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** One tool call of the stand-in agent. */
export interface Step {
  readonly name: string;
  readonly command: string;
  readonly limitMs: number;
}

export interface WorkspaceOptions {
  readonly folder: string;
  readonly steps: readonly Step[];
  /** The loopback port on which the agent serves the secret file; 0 for none. */
  readonly servePort: number;
  readonly secret: string;
  /** The private key that may log in outside. */
  readonly sshKey: string;
}

/** What the agent is started with, in its workspace. */
export const AGENT_COMMAND = ["node", "agent.mjs", "plan.json"] as const;

/** Makes the folder. */
export function makeWorkspace(options: WorkspaceOptions): void {
  const { folder, steps, servePort } = options;
  const from = fileURLToPath(new URL("workspace/", import.meta.url));
  mkdirSync(join(folder, "tools"), { recursive: true });
  copyFileSync(join(from, "agent.mjs"), join(folder, "agent.mjs"));
  copyFileSync(join(from, "build.c"), join(folder, "build.c"));
  for (const tool of ["build-worker.mjs", "health-check.mjs"]) {
    copyFileSync(join(from, tool), join(folder, "tools", tool));
  }
  writeFileSync(join(folder, "plan.json"), JSON.stringify({ servePort, steps }));
  writeFileSync(join(folder, "secret.txt"), `${options.secret}\n`);
  writeFileSync(join(folder, "id_drill"), options.sshKey, { mode: 0o600 });
}
