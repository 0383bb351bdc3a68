/**
 * Whether a command is one of the forms that only read, as programs.ts has them.
 *
 * @module
 */
import type { Effect } from "../../action/index.ts";
import type { SimpleCommand } from "./command-line.ts";
import { PROGRAMS, type Program } from "./programs.ts";
import { holdsSecrets } from "./secret-paths.ts";

const SYSTEM_FOLDERS = /^\/(usr\/)?s?bin\//;

/** A command's effects where it only reads; `undefined` where that is not known. */
export function readingEffects(
  { words, globs, isPiped }: SimpleCommand,
  cwds: readonly string[] = [],
): readonly Effect[] | undefined {
  const [first = "", ...rest] = words;
  const name = first.replace(SYSTEM_FOLDERS, "");
  const special = SPECIAL.get(name);
  if (special !== undefined) return special(rest, isPiped, cwds);
  const program = PROGRAMS.get(name);
  if (program === undefined) return undefined;
  const operands: string[] = [];
  const isGlob = (at: number) => globs.has(at + 1);
  const found = readWords(program, rest, isGlob, operands);
  if (found === undefined) return undefined;
  const isRecursive = rest.some((word) => program.recursiveFlags?.test(word) === true);
  const isSecret =
    program.tells === true &&
    // Told to go into folders, and which is left out: it goes into the one that it is in.
    ((isRecursive && operands.length < 2) ||
      operands.some((operand) => holdsSecretsFrom(cwds, operand, isRecursive)));
  return isSecret ? [found, "administer"] : [found];
}

/** Whether `path` may be a secret wherever the command may be: a `cd` may have failed. */
function holdsSecretsFrom(cwds: readonly string[], path: string, isRecursive: boolean): boolean {
  return [undefined, ...cwds].some((cwd) => holdsSecrets(path, { cwd, isRecursive }));
}

type Reading = Program["effect"];

/** Reads `words` as options and operands of `program`; the operands that are left go to `operands`. */
function readWords(
  program: Program,
  words: readonly string[],
  isGlob: (at: number) => boolean,
  operands: string[],
): Reading | undefined {
  const { flags = "", valued = "", long = [], isNumbered = false } = program;
  let areOptionsOver = false;
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? "";
    if (areOptionsOver || word === "-" || !word.startsWith("-") || isGlob(at)) {
      if (program.subcommands !== undefined) {
        const { subcommands } = program;
        const sub = Object.hasOwn(subcommands, word) ? subcommands[word] : undefined;
        if (sub === undefined) return undefined;
        return readWords(sub, words.slice(at + 1), (one) => isGlob(one + at + 1), operands);
      }
      // It may become several, the last of which some programs write.
      if (isGlob(at) && program.operandsMax !== undefined) return undefined;
      operands.push(word);
    } else if (word === "--") {
      areOptionsOver = true;
    } else if (word.startsWith("--")) {
      const [name = ""] = word.slice(2).split("=", 1);
      const hasValue = word.includes("=");
      if (long.includes(`${name}=`)) {
        if (!hasValue && isGlob((at += 1))) return undefined;
      } else if (!long.includes(hasValue ? `${name}?=` : name) && !long.includes(`${name}?=`)) {
        return undefined;
      }
    } else if (!(isNumbered && /^-\d+$/.test(word))) {
      if (program.isUnbundled === true && word.length > 2) return undefined;
      const { counted = "" } = program;
      const taken = readBundle(word.slice(1), flags + counted, valued);
      if (taken === undefined) return undefined;
      // Whether the next word is its value depends on whether it is a number.
      const isCounted = counted.includes(word.at(-1) ?? "-");
      if (isCounted && /^\d+$/.test(words[at + 1] ?? "")) at += 1;
      else if (isCounted && word.length > 2) return undefined;
      else if (isCounted && (words[at + 1] ?? "").startsWith("-")) return undefined;
      if (taken && isGlob((at += 1))) return undefined;
    }
  }
  const { operands: allowed, operandsMax = Number.POSITIVE_INFINITY, needs, effect } = program;
  if (operands.length > operandsMax) return undefined;
  if (operands.some((operand) => allowed?.test(operand) !== true)) return undefined;
  if (needs !== undefined && !words.some((word) => needs.test(word))) return undefined;
  return effect;
}

/** Whether the bundle of letters takes the next word too; `undefined` where a letter is not known. */
function readBundle(letters: string, flags: string, valued: string): boolean | undefined {
  for (const [at, letter] of letters.split("").entries()) {
    if (valued.includes(letter)) return at + 1 === letters.length;
    if (!flags.includes(letter)) return undefined;
  }
  return false;
}

type Special = (
  words: readonly string[],
  isPiped: boolean,
  cwds: readonly string[],
) => readonly Effect[] | undefined;

const PRIVATE: readonly Effect[] = ["read-private"];
const READ: readonly Effect[] = ["read"];

/** `find` without what acts on what it found. */
const FIND_ALONE =
  /^(-(print|print0|ls|empty|readable|writable|executable|prune|xdev|mount|daystart|quit|depth|noleaf|nouser|nogroup|a|o|and|or|not|true|false|H|P)|!|\(|\))$/;
const FIND_VALUED =
  /^-(i?name|i?path|i?wholename|type|xtype|size|[acm]time|[acm]min|newer|newer[acmB][acmBt]|anewer|cnewer|user|group|uid|gid|perm|maxdepth|mindepth|i?regex|regextype|printf|links|inum|samefile|lname)$/;

function readFind(words: readonly string[]): readonly Effect[] | undefined {
  let isExpression = false;
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? "";
    if (FIND_VALUED.test(word)) {
      isExpression = true;
      at += 1;
    } else if (FIND_ALONE.test(word)) {
      isExpression ||= !/^-[HP]$/.test(word);
    } else if (isExpression || word.startsWith("-")) {
      return undefined;
    }
  }
  return READ;
}

/** One print of lines, or one substitution whose flags neither write nor execute. */
const SED_PRINT = /^(\d+|\$)?(,(\d+|\$))?p$/;
const SED_SUBSTITUTE = /^s([/|#,:@])(?:(?!\1)[^\\]|\\.)*\1(?:(?!\1)[^\\]|\\.)*\1[gIip\d]*$/;

function readSed(
  words: readonly string[],
  isPiped: boolean,
  cwds: readonly string[],
): readonly Effect[] | undefined {
  const flags = words.filter((word) => word.startsWith("-"));
  const [script = "", ...files] = words.filter((word) => !word.startsWith("-"));
  if (flags.some((flag) => !/^-[nErsz]+$/.test(flag) || flag.includes("s"))) return undefined;
  if (!SED_PRINT.test(script) && !SED_SUBSTITUTE.test(script)) return undefined;
  return tellsFiles(files, isPiped, cwds);
}

const AWK_PRINT = /^(\/[\w .:-]*\/ ?)?\{ ?print( \$(\d{1,3}|NF)(, ?\$(\d{1,3}|NF))*)? ?\}$/;

function readAwk(
  words: readonly string[],
  isPiped: boolean,
  cwds: readonly string[],
): readonly Effect[] | undefined {
  const isSeparated = /^-F[^-]?$/.test(words[0] ?? "");
  const skipped = isSeparated ? (words[0] === "-F" ? 2 : 1) : 0;
  const [script = "", ...files] = words.slice(skipped);
  // Of an operand `name=value` it makes a variable; an option may load a script.
  if (files.some((file) => /^-|=/.test(file))) return undefined;
  return AWK_PRINT.test(script) ? tellsFiles(files, isPiped, cwds) : undefined;
}

function tellsFiles(
  files: readonly string[],
  isPiped: boolean,
  cwds: readonly string[],
): readonly Effect[] {
  const isSecret = files.some((file) => holdsSecretsFrom(cwds, file, false));
  if (isSecret) return ["read-private", "administer"];
  return files.length === 0 && !isPiped ? READ : PRIVATE;
}

// bash looks into subscripts of what -v names, and zsh of what -eq compares: both would run what stands there.
function readTest(words: readonly string[]): readonly Effect[] | undefined {
  const isPlain = words.every((word) => /^[\w./=!:@+-]*$/.test(word));
  return isPlain && !words.some((word) => /^-[vR]$/.test(word)) ? READ : undefined;
}

function readPrintf([format = "-"]: readonly string[]): readonly Effect[] | undefined {
  // zsh computes what a number's place is given, and runs what stands in its subscripts.
  return /^(?!-)(?:[^%]|%[s%])*$/.test(format) ? READ : undefined;
}

const SPECIAL: ReadonlyMap<string, Special> = new Map<string, Special>([
  ["find", readFind],
  ["sed", readSed],
  ["awk", readAwk],
  ["gawk", readAwk],
  ["mawk", readAwk],
  ["printf", readPrintf],
  ["test", readTest],
  ["[", (words) => (words.at(-1) === "]" ? readTest(words.slice(0, -1)) : undefined)],
]);
