/**
 * What a process is: the program behind interpreters and wrappers, its arguments, and what a shell's text does.
 *
 * An argument list is what the process says of itself, cut to 32 words of 512 characters; what a shell's own
 * built-ins do is only seen where it was started with `-c`. All of it is linear in that.
 *
 * @module
 */
import type { Process } from "../action/index.ts";

export interface Program {
  /** Base name without version and ending: `ssh`, `python`, `claude`. */
  readonly name: string;
  /** Its path, or its package where that is known. */
  readonly path: string;
  readonly args: readonly string[];
  /** Text of a shell's or an interpreter's `-c` or `-e`. */
  readonly text: string;
  /** Simple commands within a shell's text, each its words. */
  readonly commands: readonly Command[];
}

/** A simple command of a shell's text. */
export interface Command {
  readonly words: readonly string[];
  /** Files that it is redirected to. */
  readonly into: readonly string[];
  /** Whether another's output comes in by a pipe. */
  readonly isPiped: boolean;
}

const SHELLS = new Set(["sh", "bash", "dash", "zsh", "ksh", "ash", "fish"]);
const INTERPRETERS = new Set([
  ...SHELLS,
  ...["node", "nodejs", "bun", "deno", "python", "perl", "ruby", "php", "env", "busybox", "toybox"],
]);
/** Names of files that say nothing: then the folder above does. */
const PLAIN_NAMES = new Set(["cli", "index", "main", "bin", "dist", "src", "build", "__main__"]);
const COMMANDS_MAX = 32;

const known = new WeakMap<object, Program>();

/** The program that `process` is; worked out once. */
export function programOf(process: Pick<Process, "exe" | "argv">): Program {
  const before = known.get(process);
  if (before !== undefined) return before;
  const made = readProgram(process.exe, process.argv);
  known.set(process, made);
  return made;
}

/** The program that `words` would start, as a shell finds it. */
export function programOfWords(words: readonly string[]): Program {
  return readProgram(words[0] ?? "", words);
}

const SCRIPT = /\.(?:[cm]?[jt]s|py|sh|rb|pl|php)$/;

/** Whether `program` is somebody's script, whose name says nothing: `node batch.js` is not batch(1). */
export function isScript({ path }: Program): boolean {
  return SCRIPT.test(path);
}

/** Whether a path is below what the host installed, which no run can write to. */
export function isInstalled(path: string): boolean {
  return /^\/(?:usr|bin|sbin|lib\d*)\//.test(path);
}

/** Every command that a process is: itself, and what its shell's text has. */
export function commandsOf(process: Pick<Process, "exe" | "argv">): readonly Program[] {
  const program = programOf(process);
  return [program, ...program.commands.map(({ words }) => programOfWords(words))];
}

/** Commands of a text that a shell elsewhere shall run. */
export function commandsIn(text: string): readonly Command[] {
  return readCommands(text);
}

export function isShell({ name }: Pick<Program, "name">): boolean {
  return SHELLS.has(name);
}

function readProgram(exe: string, argv: readonly string[]): Program {
  const name = nameOf(exe);
  const args = argv.slice(1);
  const plain: Program = { name, path: exe, args, text: "", commands: [] };
  if (!INTERPRETERS.has(name)) return plain;
  if (name === "busybox" || name === "toybox") return { ...plain, name: nameOf(argv[0] ?? "") };
  if (name === "env") {
    const at = args.findIndex((word) => !word.startsWith("-") && !word.includes("="));
    return at < 0 ? plain : readProgram(args[at] ?? "", args.slice(at));
  }
  for (let at = 0; at < args.length; at += 1) {
    const word = args[at] ?? "";
    if (word === "--") continue;
    if (SHELLS.has(name) && /^-[a-z]*c$/.test(word)) return ofText(plain, args[at + 1] ?? "");
    if (word === "-c" || word === "-e" || word === "--eval" || word === "-p") {
      return { ...plain, text: args[at + 1] ?? "" };
    }
    if (word === "-m") {
      const module = args[at + 1] ?? "";
      return { ...plain, name: nameOf(module), path: module, args: args.slice(at + 2) };
    }
    if (!word.startsWith("-")) {
      return { ...plain, name: nameOf(word), path: word, args: args.slice(at + 1) };
    }
  }
  return plain;
}

function ofText(plain: Program, text: string): Program {
  return { ...plain, text, commands: readCommands(text) };
}

/** `/usr/lib/node_modules/@openai/codex/bin/codex.js` is `codex`, `/usr/bin/python3.11` is `python`. */
function nameOf(path: string): string {
  const parts = path.split("/").filter((part) => part !== "");
  for (let at = parts.length - 1; at >= 0; at -= 1) {
    const name = (parts[at] ?? "")
      .replace(/\.(?:c|m)?js$|\.py$|\.sh$|\.ts$/, "")
      .replace(/^(python|ruby|perl|php|node)[\d.]+$/, "$1")
      .toLowerCase();
    if (name !== "" && !(at > 0 && PLAIN_NAMES.has(name))) return name;
  }
  return "";
}

/**
 * Parts a shell's text into simple commands: words, quotes, redirections, pipes and lists. No expansion: what is
 * spelled in pieces is not put together here.
 */
function readCommands(text: string): readonly Command[] {
  const commands: Command[] = [];
  let words: string[] = [];
  let into: string[] = [];
  let isPiped = false;
  let expects = false;
  let word = "";
  let isWord = false;
  let quote = "";
  const endWord = () => {
    if (!isWord) return;
    if (expects) into.push(word);
    else words.push(word);
    expects = false;
    word = "";
    isWord = false;
  };
  const endCommand = (pipes: boolean) => {
    endWord();
    expects = false;
    if (words.length > 0 || into.length > 0) commands.push({ words, into, isPiped });
    words = [];
    into = [];
    isPiped = pipes;
  };
  for (let at = 0; at < text.length && commands.length < COMMANDS_MAX; at += 1) {
    const sign = text[at] ?? "";
    if (quote !== "") {
      if (sign === quote) quote = "";
      else word += sign;
    } else if (sign === "'" || sign === '"') {
      quote = sign;
      isWord = true;
    } else if (sign === "\\") {
      at += 1;
      word += text[at] ?? "";
      isWord = true;
    } else if (sign === ">") {
      if (/^\d+$/.test(word)) {
        word = "";
        isWord = false;
      }
      endWord();
      if (text[at + 1] === ">" || text[at + 1] === "|" || text[at + 1] === "&") at += 1;
      expects = true;
    } else if (sign === "|") {
      const isOr = text[at + 1] === "|";
      if (isOr) at += 1;
      endCommand(!isOr);
    } else if (/[;&\n(){}`]/.test(sign)) endCommand(false);
    else if (/\s/.test(sign)) endWord();
    else {
      word += sign;
      isWord = true;
    }
  }
  endCommand(false);
  return commands.map(withoutWrappers);
}

const WRAPPERS = new Set([
  "sudo",
  "nohup",
  "exec",
  "command",
  "time",
  "nice",
  "setsid",
  "then",
  "do",
]);

/** `sudo -n X=1 ssh host` is `ssh host`. */
function withoutWrappers(command: Command): Command {
  const { words } = command;
  let at = 0;
  while (at < words.length) {
    const word = words[at] ?? "";
    const isSetting = /^[A-Za-z_]\w*=/.test(word);
    if (!isSetting && !WRAPPERS.has(word) && !(at > 0 && word.startsWith("-"))) break;
    at += 1;
  }
  return at === 0 ? command : { ...command, words: words.slice(at) };
}

/** Files that a program writes or changes, as far as its arguments say so. */
export function writesOf(program: Program): readonly string[] {
  const { name, args } = program;
  if (isScript(program)) return [];
  const files = args.filter((word) => !word.startsWith("-"));
  switch (name) {
    case "tee":
    case "touch":
    case "truncate":
    case "rm":
    case "shred":
    case "unlink":
    case "chattr":
      return files;
    case "cp":
    case "mv":
    case "ln":
    case "install":
    case "rsync":
    case "scp":
      return files.slice(-1);
    case "sed":
    case "perl":
      return args.some((word) => /^-[a-z]*i/.test(word)) ? files.slice(1) : [];
    case "dd":
      return args.filter((word) => word.startsWith("of=")).map((word) => word.slice(3));
    case "chmod":
      return files.slice(1);
    default:
      return program.commands.flatMap(({ words, into }) => [
        ...into,
        ...(words.length === 0 ? [] : writesOf(programOfWords(words))),
      ]);
  }
}
