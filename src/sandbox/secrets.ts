/**
 * Files that may hold credentials beside a toolchain: found by name, and hidden from the run.
 *
 * @module
 */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { Fault } from "../base/index.ts";

/** A path that is hidden: a file behind an empty one, a folder behind an empty folder. */
export interface Masked {
  readonly path: string;
  readonly kind: "file" | "directory";
}

const DEPTH_MAX = 3; // Configuration lies near a toolchain's root; packages lie deeper.
const FOLDERS_MAX = 2_000; // A toolchain with more folders this near its root is none.

const SECRET_FILE = new RegExp(
  `^(${[
    String.raw`\.?npmrc`,
    String.raw`[._]netrc`,
    String.raw`\.pypirc`,
    String.raw`\.git-credentials`,
    String.raw`\.?credentials(\.(json|toml|ya?ml|db))?`,
    String.raw`\.?auth\.json`,
    String.raw`\.env(\..+)?`,
    String.raw`\.?pip\.conf`,
    String.raw`\.condarc`,
    String.raw`\.yarnrc(\.yml)?`,
    String.raw`\.dockercfg`,
    String.raw`\.pgpass`,
    String.raw`\.my\.cnf`,
    String.raw`id_(rsa|dsa|ecdsa|ed25519)(_sk)?`,
    String.raw`\.?(token|secret)s?(\.(json|toml|ya?ml|txt))?`,
    String.raw`\.(bash|zsh|python|node_repl)_history`,
  ].join("|")})$`,
);
const SECRET_FOLDERS: ReadonlySet<string> = new Set([
  ".aws",
  ".azure",
  ".claude",
  ".codex",
  ".config",
  ".docker",
  ".gemini",
  ".gnupg",
  ".kube",
  ".ssh",
]);
/** Trees of published packages: code, in which such names mean something else. */
const PACKAGES: ReadonlySet<string> = new Set(["node_modules", "site-packages", "dist-packages"]);

/** Reports whether a name is one under which tools keep credentials. */
export function isSecretName(name: string, kind: Masked["kind"]): boolean {
  return kind === "file" ? SECRET_FILE.test(name) : SECRET_FOLDERS.has(name);
}

/**
 * What lies near the top of `root` and may hold credentials.
 *
 * @throws {Fault} `sandbox.tools` where the folder is too large to be looked through.
 */
export async function findSecrets(root: string): Promise<readonly Masked[]> {
  const found: Masked[] = [];
  let level = [root];
  let folders = 0;
  for (let depth = 0; depth < DEPTH_MAX && level.length > 0; depth += 1) {
    const next: string[] = [];
    for (const folder of level) {
      folders += 1;
      if (folders > FOLDERS_MAX) {
        throw new Fault("sandbox.tools", `too many folders in ${root} to look for credentials`, {
          hint: "install the command in a folder of its own",
        });
      }
      for (const entry of await readdir(folder, { withFileTypes: true })) {
        // A link out of the toolchain leads nowhere inside; one within it leads to what is looked at.
        if (entry.isSymbolicLink()) continue;
        const path = join(folder, entry.name);
        const kind = entry.isDirectory() ? "directory" : "file";
        // A door to a program of the host (INV-4): an agent's socket, say.
        if (entry.isSocket() || entry.isFIFO()) found.push({ path, kind });
        else if (isSecretName(entry.name, kind)) found.push({ path, kind });
        else if (kind === "directory" && !PACKAGES.has(entry.name)) next.push(path);
      }
    }
    level = next;
  }
  return found;
}
