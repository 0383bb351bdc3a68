/**
 * What `sudo -n -ll` lists (sudo(8), sudoers(5)), strictly: a line of another form and nothing of it counts as told.
 *
 * ```
 * Matching Defaults entries for deploy on web1:
 *     env_reset, secure_path=/usr/bin\:/bin, env_keep+="LD_PRELOAD FOO"
 *
 * User deploy may run the following commands on web1:
 *
 * Sudoers entry: /etc/sudoers
 *     RunAsUsers: ALL, !root
 *     RunAsGroups: adm
 *     Options: setenv, !authenticate
 *     Commands:
 * <tab>/usr/bin/find
 * <tab>!/bin/sh
 * ```
 *
 * @module
 */

/** One command of an entry. */
export interface SudoCommand {
  /** As sudo wrote it. */
  readonly text: string;
  readonly isNegated: boolean;
  readonly what: "all" | "edit" | "program";
  /** Of a program; of `sudoedit` what it edits. May be a pattern, a folder or a regular expression. */
  readonly path: string;
  /** `undefined`: any; `""`: none. */
  readonly args: string | undefined;
}

export interface SudoEntry {
  /** Names, `ALL`, `#1000`, `%group`, each perhaps after `!`. */
  readonly users: readonly string[];
  readonly groups: readonly string[];
  readonly options: ReadonlySet<string>;
  readonly commands: readonly SudoCommand[];
}

export interface SudoList {
  /** Of `no`: it said that there is none; of `password`: that it tells with a password only. */
  readonly listed: "yes" | "no" | "password";
  readonly defaults: string;
  readonly entries: readonly SudoEntry[];
}

const KEYS = new Set(
  "RunAsUsers RunAsGroups Options Cwd Chroot Timeout NotBefore NotAfter Role Type Privs Limitprivs ApparmorProfile".split(
    " ",
  ),
);

class Unread extends Error {}

/** Reads its lines; `undefined` where they are not understood. */
export function parseSudoList(lines: readonly string[]): SudoList | undefined {
  const told = lines.filter((line) => !line.startsWith("sudo: unable to resolve host "));
  const [only = "", ...more] = told;
  if (more.length === 0) {
    if (/^sudo: (a password is required|interactive authentication is required)$/.test(only))
      return { listed: "password", defaults: "", entries: [] };
    if (
      /^(User \S+ is not allowed to run sudo on |Sorry, user \S+ may not run sudo on )/.test(only)
    )
      return { listed: "no", defaults: "", entries: [] };
  }
  try {
    return new Reader(told).read();
  } catch (error) {
    if (error instanceof Unread) return undefined;
    throw error;
  }
}

interface Raw {
  readonly values: Map<string, string>;
  readonly commands: SudoCommand[];
}

class Reader {
  #defaults = "";
  #isInDefaults = false;
  #isListed = false;
  #entry: Raw | undefined;
  readonly #entries: SudoEntry[] = [];
  readonly #lines: readonly string[];

  constructor(lines: readonly string[]) {
    this.#lines = lines;
  }

  read(): SudoList {
    for (const line of this.#lines) this.#take(line);
    this.#close();
    if (!this.#isListed) throw new Unread();
    return { listed: "yes", defaults: this.#defaults, entries: this.#entries };
  }

  #take(line: string): void {
    if (line === "") {
      this.#isInDefaults = false;
      return;
    }
    if (
      /^(Matching Defaults entries for|Runas and Command-specific defaults for) .+:$/.test(line)
    ) {
      this.#isInDefaults = true;
    } else if (/^User \S+ may run the following commands on \S+:$/.test(line)) {
      this.#isListed = true;
    } else if (this.#isInDefaults && line.startsWith("    ")) {
      this.#defaults += `${line.trim()} `;
    } else if (this.#isListed && /^(Sudoers entry|LDAP Role|SSSD Role):( .*)?$/.test(line)) {
      this.#close();
      this.#entry = { values: new Map(), commands: [] };
    } else {
      this.#takeInEntry(line);
    }
  }

  #takeInEntry(line: string): void {
    const entry = this.#entry;
    if (entry === undefined) throw new Unread();
    if (line === "    Commands:") {
      if (entry.values.has("Commands")) throw new Unread();
      entry.values.set("Commands", "");
      return;
    }
    if (line.startsWith("\t") && entry.values.has("Commands")) {
      entry.commands.push(parseCommand(line.slice(1)));
      return;
    }
    const [, key = "", value = ""] = /^ {4}([A-Za-z]+): (.*)$/.exec(line) ?? [];
    if (!KEYS.has(key) || entry.values.has(key)) throw new Unread();
    entry.values.set(key, value);
  }

  #close(): void {
    if (this.#entry === undefined) return;
    const { values, commands } = this.#entry;
    if (commands.length === 0) throw new Unread();
    const list = (key: string) => (values.get(key) ?? "").split(", ").filter((one) => one !== "");
    this.#entries.push({
      users: values.has("RunAsUsers") ? list("RunAsUsers") : ["root"],
      groups: list("RunAsGroups"),
      options: new Set(list("Options")),
      commands,
    });
    this.#entry = undefined;
  }
}

function parseCommand(text: string): SudoCommand {
  const isNegated = /^!(!!)*(?!!)/.test(text);
  const rest = text
    .replace(/^!+/, "")
    .replace(/^(?:sha(?:224|256|384|512):[A-Za-z0-9+/=]+,? )*/, "");
  const base = { text: rest, isNegated };
  if (rest === "ALL") return { ...base, what: "all", path: "", args: undefined };
  const [, first = "", given] = /^((?:[^\\ ]|\\.)+)(?: (.*))?$/.exec(rest) ?? [];
  if (first === "sudoedit" || first === "list") {
    // `list` only lets it list for others.
    if (first === "list") return { ...base, what: "program", path: "/nonexistent", args: "" };
    return { ...base, what: "edit", path: unescaped(given ?? "*"), args: undefined };
  }
  if (!/^[/^]/.test(first)) throw new Unread();
  const args = given === undefined ? undefined : given === '""' ? "" : given;
  return { ...base, what: "program", path: first.startsWith("^") ? first : unescaped(first), args };
}

function unescaped(text: string): string {
  return text.replaceAll(/\\(.)/g, "$1");
}
