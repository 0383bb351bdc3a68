/**
 * The host's programs that a test world is made of.
 *
 * @module
 */
import { accessSync, constants } from "node:fs";
import { join } from "node:path";
import { assert, Fault } from "../../src/base/index.ts";

/** Each program with the Debian package that has it. */
const PACKAGES = {
  unshare: "util-linux",
  nsenter: "util-linux",
  setpriv: "util-linux",
  mount: "mount",
  ip: "iproute2",
  ssh: "openssh-client",
  "ssh-keygen": "openssh-client",
  sshd: "openssh-server",
  curl: "curl",
} as const;

export type ToolName = keyof typeof PACKAGES;
/** Gives the absolute path of a program. */
export type Tools = (name: ToolName) => string;

/** Where administrators' programs are, though an ordinary user's PATH may leave them out. */
const ALWAYS = ["/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/bin", "/bin"];

/**
 * Finds every program on `path` and in the usual folders.
 *
 * @throws {Fault} `drill.tools` naming all that are missing and the packages to install.
 */
export function findTools(path: string, always: readonly string[] = ALWAYS): Tools {
  const folders = [...path.split(":").filter((folder) => folder.startsWith("/")), ...always];
  const found = new Map<string, string>();
  const missing: [string, string][] = [];
  for (const [name, owner] of Object.entries(PACKAGES)) {
    const file = folders.map((folder) => join(folder, name)).find(isExecutable);
    if (file === undefined) missing.push([name, owner]);
    else found.set(name, file);
  }
  if (missing.length > 0) {
    const names = missing.map(([name]) => name).join(", ");
    const packages = [...new Set(missing.map(([, owner]) => owner))].join(" ");
    throw new Fault("drill.tools", `the drill needs programs that are not here: ${names}`, {
      hint: `\`npm run setup\` as root, or: sudo apt-get install ${packages}`,
    });
  }
  return (name) => {
    const file = found.get(name);
    assert(file, `${name} was found above`);
    return file;
  };
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false; // Absent or not for us: the same to a caller.
  }
}

/**
 * Words that run what follows without the capabilities that making the world took. Root keeps its
 * own, as root does.
 */
export function ordinary(tools: Tools): readonly [string, ...string[]] {
  return [tools("setpriv"), "--ambient-caps=-all", "--inh-caps=-all", "--"];
}
