/**
 * Attempts on the sandbox, and ways to run something under another name than its own.
 *
 * @module
 */
import { addTo, keyOf, touch } from "./bounded.ts";
import { defineDetector, type DetectorAbout } from "./detector.ts";
import { found, shown } from "./found.ts";
import { detectorOfPrograms } from "./of-programs.ts";
import {
  isInstalled,
  isScript,
  isShell,
  programOf,
  programOfWords,
  type Program,
} from "./program.ts";

const TOOLS: DetectorAbout = {
  name: "escape.tool",
  kind: "escape",
  title: "A tool for leaving a container is started",
  explanation:
    "Looks at programs that are started: unshare, nsenter, mount, chroot, pivot_root, debugfs, insmod, a dynamic loader given a program, paths through /proc/self/root or /proc/1/root, and anything about docker.sock. The sandbox refuses what they do. ldd starts the loader too and is left out; so is bubblewrap, which agents use for their own sandbox.",
  attack: ["T1611", "T1610"],
  atlas: ["AML.T0097", "AML.T0105"],
  owasp: ["ASI05", "ASI10"],
  tuning: {},
};

const LEAVING = new Set([
  ...[
    "unshare",
    "nsenter",
    "mount",
    "umount",
    "chroot",
    "pivot_root",
    "debugfs",
    "insmod",
    "modprobe",
  ],
  ...["capsh", "setcap", "kexec", "runc", "ctr", "crictl", "nerdctl", "mknod", "losetup"],
]);
const LOADER = /^(?:ld-linux[\w.-]*|ld-musl[\w.-]*|ld\.so|ld-[\d.]+\.so)$/;
const LOADER_ASKED = new Set([
  "--verify",
  "--list",
  "--help",
  "--version",
  "--list-tunables",
  "--list-diagnostics",
]);

export const escapeTool = detectorOfPrograms(TOOLS, (program, process) => {
  if (LEAVING.has(program.name) && !isScript(program) && !isAsking(program)) {
    return [0.6, `${program.name} is started, which the sandbox refuses what it does`];
  }
  const base = process.exe.slice(process.exe.lastIndexOf("/") + 1);
  // musl's ldd is the loader itself under that name.
  const isLdd = [process, ...process.ancestors].some(({ argv }) =>
    argv.some((word) => /(?:^|\/)ldd$/.test(word)),
  );
  const [first = ""] = program.args;
  if (LOADER.test(base) && program.args.length > 0 && !LOADER_ASKED.has(first) && !isLdd) {
    return [0.8, `the loader ${shown(base)} is given a program to run`];
  }
  for (const word of process.argv) {
    if (/\/proc\/(?:self|1|\d+)\/root\//.test(word) && !isReader(program)) {
      return [0.8, "a path leads through /proc/…/root"];
    }
    if (word.includes("docker.sock") && !isReader(program)) return [0.7, "docker.sock is named"];
  }
  return undefined;
});

/** Asks for help or its version, or lists: `mount` alone shows what is mounted. */
function isAsking({ name, args }: Program): boolean {
  return (
    args.some((one) => ["--help", "--version", "-V", "--print"].includes(one)) ||
    ((name === "mount" || name === "losetup") && (args.length === 0 || args[0] === "-l"))
  );
}

const READERS = new Set([
  ...[
    "grep",
    "egrep",
    "fgrep",
    "rg",
    "ag",
    "ack",
    "sed",
    "awk",
    "find",
    "echo",
    "printf",
    "git",
    "cat",
    "less",
  ],
  ...[
    "head",
    "tail",
    "vi",
    "vim",
    "nano",
    "emacs",
    "diff",
    "jq",
    "gh",
    "tar",
    "wc",
    "sort",
    "test",
    "[",
  ],
]);

/**
 * Programs whose arguments are text that they look for or print, and do nothing else with: those of the system, since
 * whoever brings a program calls it as they like.
 */
export function isReader(program: Program): boolean {
  const { name, path } = program;
  return READERS.has(name) && !isScript(program) && (isInstalled(path) || !path.includes("/"));
}

const RENAMED: DetectorAbout = {
  name: "escape.renamed",
  kind: "escape",
  title: "A system's program runs under another name",
  explanation:
    "Remembers the SHA-256 of programs started from the system's folders, by all runs, and names one that is started from elsewhere under another name with the same bytes; and a copy of one to another name. Virtual environments copy interpreters (python3.11 as python), which is left out.",
  attack: ["T1027", "T1562"],
  atlas: ["AML.T0107"],
  owasp: ["ASI02", "ASI05"],
  tuning: {},
};

const SYSTEM_PATH = /^\/(?:usr\/(?:local\/)?)?s?bin\//;
const SUMS_MAX = 2048;

export const escapeRenamed = defineDetector<{ readonly names: Map<string, { name: string }> }>({
  ...RENAMED,
  sees: ["process.start"],
  scope: "home",
  start: () => ({ names: new Map() }),
  observe({ names }, event) {
    const { process } = event;
    if (process === undefined) return [];
    const { exe, exeSha256 } = process;
    const own = baseOf(exe);
    if (exeSha256 !== undefined) {
      const key = keyOf(exeSha256);
      if (SYSTEM_PATH.test(exe)) touch(names, key, SUMS_MAX, () => ({ name: own }));
      else if (!isInstalled(exe)) {
        const known = names.get(key);
        if (known !== undefined && stemOf(known.name) !== stemOf(own)) {
          return [found(RENAMED, event, 0.9, `${shown(exe)} is ${known.name} under another name`)];
        }
      }
    }
    const { name, args } = programOf(process);
    if (!["cp", "install", "ln"].includes(name)) return [];
    const [from = "", to = "", ...more] = args.filter((word) => !word.startsWith("-"));
    if (more.length > 0 || !SYSTEM_PATH.test(from) || to === "" || to.endsWith("/")) return [];
    const isRenamed = to.includes(".") === false && stemOf(baseOf(from)) !== stemOf(baseOf(to));
    // `cp /usr/bin/curl /tmp` copies into a folder; whether it is one is not known here.
    if (!isRenamed || baseOf(to) === "tmp" || baseOf(to) === "bin" || name === "ln") return [];
    return [found(RENAMED, event, 0.6, `${shown(from)} is copied to ${shown(to)}`)];
  },
});

function baseOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** `python3.11` and `python` are of one stem; so are `x86_64-linux-gnu-gcc` and `gcc`. */
function stemOf(name: string): string {
  return (name.split("-").findLast((part) => /[a-z]/i.test(part)) ?? name).replace(/[\d.]+$/, "");
}

const DECODED: DetectorAbout = {
  name: "escape.decoded",
  kind: "escape",
  title: "What was encoded is run, or a terminal made for somebody",
  explanation:
    "Looks at texts of shells and interpreters: base64, xxd or openssl decoding that a pipe leads into a shell, and a pseudo-terminal spawned by Python or script(1) with a shell. A download piped into a shell, as installers have it, is none.",
  attack: ["T1027", "T1059.004", "T1059.006"],
  atlas: ["AML.T0107", "AML.T0072"],
  owasp: ["ASI05"],
  tuning: {},
};

const DECODERS: Readonly<Record<string, RegExp>> = {
  base64: /^(?:-[a-z]*[dD]|--decode)$/,
  base32: /^(?:-d|--decode)$/,
  xxd: /^-[a-z]*r/,
  openssl: /^-d$/,
};

export const escapeDecoded = defineDetector<{ readonly told: Set<string> }>({
  ...DECODED,
  sees: ["process.start"],
  scope: "run",
  start: () => ({ told: new Set() }),
  observe({ told }, event) {
    const { process } = event;
    if (process === undefined) return [];
    const program = programOf(process);
    if (program.name === "python" && /\bpty\b[\s\S]{0,40}\bspawn\b/.test(program.text)) {
      return [found(DECODED, event, 0.8, "Python spawns a pseudo-terminal")];
    }
    if (program.commands.length === 0 || !addTo(told, program.text, 64)) return [];
    let isDecoded = false;
    for (const { words, isPiped } of program.commands) {
      const { name, args } = programOfWords(words);
      if (!isPiped) isDecoded = false;
      if (isDecoded && (isShell({ name }) || name === "python" || name === "perl")) {
        return [found(DECODED, event, 0.8, `decoded text is piped into ${name}`)];
      }
      const decodes = Object.hasOwn(DECODERS, name) ? DECODERS[name] : undefined;
      if (decodes !== undefined && args.some((one) => decodes.test(one))) isDecoded = true;
    }
    return [];
  },
});
