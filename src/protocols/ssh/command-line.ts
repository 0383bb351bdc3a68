/**
 * Command lines: what a shell would run, told by a real grammar, and only where every shell would run the same.
 *
 * A *simple* line is a sequence of plain commands (`a | b && c; d`) made of words that stand for themselves:
 * nothing is expanded but a `*` in an absolute path, nothing is redirected but to `/dev/null` or one output
 * into the other. Of such a line not the agent's text is sent but our own spelling of the words that were
 * judged ({@link SimpleLine.sent}), which sh, dash, bash, zsh and fish read alike: there is no second reading
 * for a quote, an alias or a shell of another kind to hide in (docs/decisions/0272). Everything else is a
 * script, and is told as one.
 *
 * @module
 */
import type { Command, ParsedScript, Redirection, Statement, Word } from "unbash";
import { assert } from "../../base/index.ts";
import { isReservedWord } from "./reserved-words.ts";

/** A command line longer than this is no command line. */
export const COMMAND_CHARS_MAX = 65_536;
const COMMANDS_MAX = 64; // Of one line; pipelines of people have ten.
const WORDS_MAX = 1024; // Of one command.

/** One plain command. A word that {@link globs} names expands to paths below its fixed beginning. */
export interface SimpleCommand {
  readonly words: readonly string[];
  /** Positions of words that have an unquoted `*`. */
  readonly globs: ReadonlySet<number>;
  /** Reads what the command before it wrote. */
  readonly isPiped: boolean;
}

export interface SimpleLine {
  readonly kind: "simple";
  readonly commands: readonly SimpleCommand[];
  /** The same line in our own spelling: what is sent. */
  readonly sent: string;
}

export interface Script {
  readonly kind: "script";
  /** What keeps it from being simple. */
  readonly why: string;
}

class NotSimple extends Error {}

let grammar: ((text: string) => ParsedScript) | undefined;

/** Loads the grammar; whoever only parses a task file does without. */
export async function loadGrammar(): Promise<void> {
  grammar ??= (await import("unbash")).parse;
}

/** Reads `text`, once {@link loadGrammar} has resolved. Never throws. */
export function readCommandLine(text: string): SimpleLine | Script {
  const parse = grammar;
  assert(parse !== undefined, "the grammar of command lines is loaded");
  if (text.length > COMMAND_CHARS_MAX) return { kind: "script", why: "it is too long" };
  try {
    return readSimple(text, parse);
  } catch (error) {
    const why = error instanceof NotSimple ? error.message : "the grammar cannot read it";
    return { kind: "script", why };
  }
}

function readSimple(text: string, parse: (text: string) => ParsedScript): SimpleLine {
  if (!text.isWellFormed() || /[^\P{Cc}\n\t]|[\u{fffd}\p{Zl}\p{Zp}\p{Cf}]/u.test(text)) {
    throw new NotSimple("it has control characters or what is no text");
  }
  const { commands, errors = [] } = parse(text);
  if (errors.length > 0) throw new NotSimple("the grammar cannot read it");
  if (commands.length === 0) throw new NotSimple("it runs nothing");
  const line = new Line();
  commands.forEach((statement, at) => {
    if (at > 0) line.join("; ");
    addStatement(line, statement);
  });
  return { kind: "simple", commands: line.commands, sent: line.sent };
}

class Line {
  readonly commands: SimpleCommand[] = [];
  sent = "";

  join(text: string): void {
    this.sent += text;
  }

  add(command: SimpleCommand, sent: string): void {
    if (this.commands.length === COMMANDS_MAX) throw new NotSimple("it has too many commands");
    this.commands.push(command);
    this.sent += sent;
  }
}

function addStatement(line: Line, { command, background }: Statement): void {
  if (background === true) throw new NotSimple("it leaves something running in the background");
  if (command.type !== "AndOr") {
    addPipeline(line, command);
    return;
  }
  command.commands.forEach((one, at) => {
    if (at > 0) line.join(` ${command.operators[at - 1]} `);
    addPipeline(line, one);
  });
}

function addPipeline(line: Line, node: Statement["command"]): void {
  if (node.type === "Command") {
    addCommand(line, node, false);
    return;
  }
  if (node.type !== "Pipeline") throw new NotSimple("it is more than plain commands");
  if (node.prefixes.length > 0) throw new NotSimple("it is timed or negated");
  node.commands.forEach((one, at) => {
    if (one.type !== "Command") throw new NotSimple("it is more than plain commands");
    if (at > 0) {
      if (node.operators[at - 1] !== "|") throw new NotSimple("it has a pipe of another kind");
      line.join(" | ");
    }
    addCommand(line, one, at > 0);
  });
}

function addCommand(line: Line, command: Command, isPiped: boolean): void {
  const { name, prefix, args, redirects } = command;
  if (prefix.length > 0) throw new NotSimple("it sets variables or redirects ahead of a command");
  if (name === undefined) throw new NotSimple("it names no command");
  const read = [name, ...args].map((word) => {
    if (word.type !== "Word") throw new NotSimple("it sets variables");
    return readWord(word);
  });
  if (read.length > WORDS_MAX) throw new NotSimple("it has too many words");
  const [first] = read;
  if (first === undefined || first.isGlob || first.value === "") {
    throw new NotSimple("what it runs is not written out");
  }
  if (isReservedWord(first.value)) throw new NotSimple(`${first.value} belongs to the shell`);
  const words = read.map(({ value }) => value);
  const globs = new Set(read.flatMap(({ isGlob }, at) => (isGlob ? [at] : [])));
  const spelt = read.map(({ value, isGlob }) => (isGlob ? value : spell(value)));
  const sent = [...spelt, ...redirects.map(readRedirect)].join(" ");
  line.add({ words, globs, isPiped }, sent);
}

interface ReadWord {
  readonly value: string;
  readonly isGlob: boolean;
}

/** Characters that no shell gives a meaning where they stand in a path with a `*`. */
const GLOB = /^\/[A-Za-z0-9_/.,:@+*-]*$/;

function readWord(word: Word): ReadWord {
  const { value, text, parts = [] } = word;
  // An unquoted tilde at these places is somebody's home, in one shell or another.
  if (/^~|^[^'"\\]*[=:]~/.test(text)) throw new NotSimple("it has a ~");
  let isGlob = false;
  for (const part of parts) {
    if (part.type === "Glob" && part.kind === "star") isGlob = true;
    else if (part.type === "DoubleQuoted") {
      if (part.parts.some(({ type }) => type !== "Literal")) throw new NotSimple("it substitutes");
    } else if (part.type !== "Literal" && part.type !== "SingleQuoted") {
      throw new NotSimple("it substitutes or expands");
    }
  }
  if (/[\p{Cc}]/u.test(value)) throw new NotSimple("a word has control characters");
  // A step upwards would leave what a pattern over the words names.
  if (value.split("/").includes("..")) throw new NotSimple("a word has a .. in a path");
  if (isGlob) {
    // Of `.*` some shells make `..`; what does not start with a slash may expand to options.
    const isPlain = text === value && GLOB.test(value) && !/\/\.[^/]*\*/.test(value);
    if (!isPlain) throw new NotSimple("it has a * outside of an absolute path");
  }
  return { value, isGlob };
}

/** The only redirections that are none to a file; written alike in every shell. */
const HARMLESS: ReadonlyMap<string, string> = new Map([
  ["2>&1", "2>&1"],
  ["2>/dev/null", "2>/dev/null"],
  [">/dev/null", ">/dev/null"],
  ["1>/dev/null", ">/dev/null"],
  [">&2", ">&2"],
  ["1>&2", ">&2"],
  ["</dev/null", "</dev/null"],
  ["0</dev/null", "</dev/null"],
]);

function readRedirect(redirect: Redirection): string {
  if (redirect.type === "Redirect") {
    const { descriptor, operator, target } = redirect;
    const number = descriptor?.type === "FileDescriptor" ? `${descriptor.value}` : "";
    const isNamed = descriptor !== undefined && descriptor.type !== "FileDescriptor";
    const found = HARMLESS.get(`${number}${operator}${target?.text ?? ""}`);
    if (found !== undefined && !isNamed) return found;
  }
  throw new NotSimple("it redirects to or from a file");
}

const PLAIN = /^[A-Za-z0-9_/.,:@+-][A-Za-z0-9_/.,:=@%+-]*$/;

/**
 * Spells `word` so that every shell reads exactly it. fish knows escapes within single quotes, so what it
 * would take for one stands outside of them.
 */
export function spell(word: string): string {
  if (PLAIN.test(word)) return word;
  if (word === "") return "''";
  return word.replaceAll(/[^'\\]+|['\\]/g, (run) =>
    run === "'" || run === "\\" ? `\\${run}` : `'${run}'`,
  );
}
