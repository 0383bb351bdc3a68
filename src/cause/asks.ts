/**
 * What a tool call asks for, as far as its input says so: the commands it has executed and the places it names.
 *
 * Tools are not known by their names, which every agent chooses itself, but by what stands in their input.
 *
 * @module
 */
import type { Json } from "../action/index.ts";

/** A command line or script, as it stands in the input and bare. */
export interface Command {
  readonly text: string;
  readonly bare: string;
  /** The member of the input that it stands in, lower case. */
  readonly member: string;
  /** The simple commands in it, each bare and without its redirections and assignments. */
  readonly simple: ReadonlySet<string>;
}

/** What stands in a call's input. */
export interface Asks {
  /** Command lines and scripts, longest first. */
  readonly commands: readonly Command[];
  /** Host names of the URLs in it, lower case. */
  readonly hosts: ReadonlySet<string>;
  /** Every text in it, for a tool that says what it looks for and not how: a pattern, a path. */
  readonly texts: ReadonlySet<string>;
}

/** Members that hold a command line, a script or the words of a command. */
const COMMAND_MEMBERS = new Set([
  "command",
  "cmd",
  "commands",
  "script",
  "code",
  "bash",
  "shell",
  "input",
  "args",
  "argv",
  "arguments",
]);
const DEPTH_MAX = 4;
const TEXTS_MAX = 32;
const TEXT_MIN = 3; // Shorter ones are arguments of anything.
const HOSTS_MAX = 64;
const URL_HOST = /https?:\/\/(?:[^\s/@"'<>]*@)?([A-Za-z0-9.-]{1,253})/g;

/** What a string that was shortened ends with (src/wire/model/input.ts). */
const SHORTENED = /… \[\d+ characters\]$/;

/** Reads `input`: a JSON value, its text, or what is left of that where it was cut. */
export function asksOf(said: Json | undefined): Asks {
  const input = typeof said === "string" ? parsed(said) : said;
  const commands = new Map<string, Command>();
  const add = (text: string, member: string) => {
    const whole = text.replace(SHORTENED, "").trim();
    const one = { text: whole, bare: bare(whole), member, simple: simpleOf(whole) };
    if (one.bare !== "" && commands.size < TEXTS_MAX) commands.set(one.bare, one);
  };
  const hosts = new Set<string>();
  const texts = new Set<string>();
  const visit = (value: Json, member: string, depth: number): void => {
    if (depth > DEPTH_MAX) return;
    if (typeof value === "string") {
      for (const [, host = ""] of value.matchAll(URL_HOST)) {
        if (hosts.size < HOSTS_MAX) hosts.add(host.toLowerCase());
      }
      if (value.length >= TEXT_MIN && texts.size < TEXTS_MAX) texts.add(value);
      if (COMMAND_MEMBERS.has(member)) add(value, member);
    } else if (Array.isArray(value)) {
      const isWords = value.length > 0 && value.every((word) => typeof word === "string");
      if (isWords && COMMAND_MEMBERS.has(member)) {
        add(value.join(" "), member);
        // `["bash", "-lc", "git push"]`: what the shell is given is what it executes.
        const last = value.at(-1) ?? "";
        if (value.length > 2 && value[1]?.startsWith("-") === true) add(last, member);
      }
      for (const item of value) visit(item, isWords ? "" : member, depth + 1);
    } else if (typeof value === "object" && value !== null) {
      for (const [name, item] of Object.entries(value)) {
        visit(item ?? null, name.toLowerCase(), depth + 1);
      }
    }
  };
  // An input that was cut is text that is no JSON any more, as code is: all of it may hold a command.
  visit(input ?? null, typeof input === "string" ? "code" : "", 0);
  const longestFirst = [...commands.values()].sort((a, b) => b.bare.length - a.bare.length);
  return { commands: longestFirst, hosts, texts };
}

const SIMPLE_MAX = 64;

/**
 * Parts of a command line that a shell starts by themselves, roughly: where a separator stands in quotes a part is
 * none, and nothing is found by it.
 */
function simpleOf(text: string): ReadonlySet<string> {
  const parts = text.split(/[;&|\n()]+/, SIMPLE_MAX).map((part) =>
    bare(
      part
        .replaceAll(/\d*[<>]{1,2}\s*[^\s<>]+/g, "")
        .trim()
        .replace(/^(?:[A-Za-z_]\w*=\S*\s+)+/, ""),
    ),
  );
  return new Set(parts.filter((part) => part !== ""));
}

function parsed(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}

/**
 * A text without what shells and agents change when they pass it on: `eval 'git push'` holds `git push`. Two texts
 * that differ in nothing else are the same here.
 */
export function bare(text: string): string {
  // A line end in a text within a text is an escape: code that calls a tool by code (Codex) holds such.
  return text.replaceAll(/\\+[nrt]?|[\s"']+/g, "");
}
