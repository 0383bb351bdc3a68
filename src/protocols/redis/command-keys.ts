/**
 * Where a Redis command's keys stand and what is done with each: the rows of the table, and the commands that only
 * their arguments tell.
 *
 * @module
 */
import type { Effect } from "../../action/index.ts";
import { keyText, plainCount, plainWord, type RedisWord } from "./command-word.ts";

/** What is done with one key, one pattern of keys (`*` for what varies), or one channel. */
export interface KeyUse {
  readonly effects: readonly Effect[];
  readonly key: string;
}

/** What a command touches; `databases` are others than the selected one. */
export interface CommandUses {
  readonly uses: readonly KeyUse[];
  readonly databases?: readonly number[];
}

const LETTERS: Readonly<Record<string, Effect>> = {
  r: "read",
  p: "read-private",
  w: "write",
  s: "send",
  x: "execute",
  d: "delete",
  a: "administer",
};
/** Every key. */
const ALL = "*";

/** Effects of a row's letters. */
export function effectsOf(letters: string): readonly Effect[] {
  return letters.split("").flatMap((letter) => LETTERS[letter] ?? []);
}

/**
 * What `command` touches by `row`; `undefined` where its arguments are not understood. Redis would refuse most of
 * those too; which ones is not worth knowing.
 */
export function usesOf(row: string, command: readonly RedisWord[]): CommandUses | undefined {
  if (row.startsWith("@")) return SPECIAL[row.slice(1)]?.(command);
  const uses: KeyUse[] = [];
  for (const spec of row.split(" ")) {
    const [letters = "", place = ""] = spec.split(":");
    const words = place === ALL ? [ALL] : wordsAt(place, command);
    if (words === undefined) return undefined;
    const named = use(letters, words);
    if (named === undefined) return undefined;
    uses.push(...named);
  }
  return { uses };
}

/** Words at `1`, `1-`, `1-/2`, `1--1`, `n2`. */
function wordsAt(place: string, command: readonly RedisWord[]): readonly RedisWord[] | undefined {
  if (place.startsWith("n")) {
    const at = Number(place.slice(1));
    return numbered(command, at);
  }
  const [, first = "", toEnd, last, step] = /^(\d+)(-)?(-1)?(?:\/(\d+))?$/.exec(place) ?? [];
  const from = Number(first);
  if (toEnd === undefined) {
    const word = command[from];
    return word === undefined ? undefined : [word];
  }
  const rest = command.slice(from, last === undefined ? undefined : -1);
  if (rest.length === 0) {
    // The sources of an operation that also has a target may be left out: PFMERGE.
    return from > 1 && command.length === from ? [] : undefined;
  }
  const width = Number(step ?? 1);
  if (rest.length % width !== 0) return undefined;
  return rest.filter((_, at) => at % width === 0);
}

/** A count at `at`, and as many words after it. */
function numbered(command: readonly RedisWord[], at: number): readonly RedisWord[] | undefined {
  const count = plainCount(command[at]);
  if (count === undefined || at + count >= command.length) return undefined;
  return command.slice(at + 1, at + 1 + count);
}

function use(letters: string, words: readonly RedisWord[]): readonly KeyUse[] | undefined {
  const effects = effectsOf(letters);
  const uses: KeyUse[] = [];
  for (const word of words) {
    const key = keyText(word);
    if (key === undefined) return undefined;
    uses.push({ effects, key });
  }
  return uses;
}

type Special = (command: readonly RedisWord[]) => CommandUses | undefined;

const SPECIAL: Readonly<Record<string, Special>> = {
  set: (command) => {
    const options = command.slice(3).map(plainWord);
    if (command.length < 3 || options.includes(undefined)) return undefined;
    return of(use(options.includes("get") ? "rw" : "w", command.slice(1, 2)));
  },
  getex: (command) => of(use(command.length > 2 ? "rwd" : "r", command.slice(1, 2))),
  bitfield: (command) => {
    const words = command.slice(2).map((word) => plainWord(word) ?? "?");
    const writes = words.some((word) => word === "set" || word === "incrby" || word === "?");
    return of(use(writes ? "rw" : "r", command.slice(1, 2)));
  },
  copy: (command) => {
    const [, source, target, ...rest] = command;
    if (source === undefined || target === undefined) return undefined;
    const uses = [...(use("r", [source]) ?? [NEVER]), ...(use("w", [target]) ?? [NEVER])];
    const databases: number[] = [];
    for (let at = 0; at < rest.length; at += 1) {
      const option = plainWord(rest[at]);
      if (option === "replace") continue;
      const database = plainCount(rest[at + 1]);
      if (option !== "db" || database === undefined) return undefined;
      databases.push(database);
      at += 1;
    }
    return uses.includes(NEVER) ? undefined : { uses, databases };
  },
  move: (command) => {
    const database = plainCount(command[2]);
    const uses = use("wd", command.slice(1, 2));
    if (database === undefined || uses === undefined || command.length !== 3) return undefined;
    return { uses, databases: [database] };
  },
  swapdb: (command) => {
    const [first, second] = command.slice(1).map(plainCount);
    if (first === undefined || second === undefined || command.length !== 3) return undefined;
    return { uses: [{ effects: effectsOf("wda"), key: ALL }], databases: [first, second] };
  },
  select: (command) => {
    const database = plainCount(command[1]);
    if (database === undefined || command.length !== 2) return undefined;
    return { uses: [], databases: [database] };
  },
  keys: (command) =>
    command.length === 2 ? of([{ effects: ["read"], key: globReach(command[1]) }]) : undefined,
  scan: (command) => {
    // SCAN cursor [MATCH pattern] [COUNT n] [TYPE t]; a second MATCH would make the first mean nothing.
    if (command.length < 2 || command.length % 2 !== 0) return undefined;
    const matches = command.flatMap((word, at) =>
      at >= 2 && at % 2 === 0 && plainWord(word) === "match" ? [globReach(command[at + 1])] : [],
    );
    return of([{ effects: ["read"], key: matches.length === 1 ? (matches[0] ?? ALL) : ALL }]);
  },
  patterns: (command) =>
    command.length > 1
      ? of(command.slice(1).map((word) => ({ effects: ["read"], key: globReach(word) })))
      : undefined,
  sort: sortUses,
  georadius: (command) => {
    const uses = [...(use("r", command.slice(1, 2)) ?? [NEVER])];
    // STORE may stand wherever an option may; a member of that name only makes this stricter.
    for (const [at, word] of command.entries()) {
      const option = plainWord(word);
      if (at < 2 || (option !== "store" && option !== "storedist")) continue;
      const target = command[at + 1];
      if (target !== undefined) uses.push(...(use("w", [target]) ?? [NEVER]));
    }
    return uses.includes(NEVER) ? undefined : { uses };
  },
  xread: (command) => {
    const isGroup = plainWord(command[0]) === "xreadgroup";
    // A group or a consumer may be named "streams": they stand at 2 and 3.
    const from = isGroup ? 4 : 1;
    if (isGroup && plainWord(command[1]) !== "group") return undefined;
    const at = command.findIndex((word, index) => index >= from && plainWord(word) === "streams");
    const rest = command.slice(at + 1);
    if (at < 0 || rest.length === 0 || rest.length % 2 !== 0) return undefined;
    return of(use(isGroup ? "rw" : "r", rest.slice(0, rest.length / 2)));
  },
  // MAXLEN and MINID drop entries.
  xadd: (command) => {
    const words = command.slice(2, 8).map((word) => plainWord(word) ?? "");
    const trims = words.includes("maxlen") || words.includes("minid");
    return of(use(trims ? "wd" : "w", command.slice(1, 2)));
  },
  migrate: (command) => {
    // MIGRATE host port key|"" database timeout [COPY] [REPLACE] [AUTH ...] [KEYS key ...]
    const words = command.map((word) => plainWord(word) ?? "");
    const at = words.indexOf("keys", 6);
    const keys = command[3] === "" ? (at < 0 ? [] : command.slice(at + 1)) : command.slice(3, 4);
    if (command.length < 6 || keys.length === 0) return undefined;
    return of(use("rsda", keys));
  },
};

const NEVER: KeyUse = { effects: [], key: "" };

function of(uses: readonly KeyUse[] | undefined): CommandUses | undefined {
  return uses === undefined || uses.length === 0 ? undefined : { uses };
}

/** SORT key [BY pattern] [LIMIT offset count] [GET pattern ...] [ASC|DESC] [ALPHA] [STORE destination] */
function sortUses(command: readonly RedisWord[]): CommandUses | undefined {
  const uses = [...(use("r", command.slice(1, 2)) ?? [NEVER])];
  for (let at = 2; at < command.length; at += 1) {
    const option = plainWord(command[at]);
    const value = command[at + 1];
    if (option === "asc" || option === "desc" || option === "alpha") continue;
    if (option === "limit" && command.length > at + 2) {
      at += 2;
      continue;
    }
    if (value === undefined) return undefined;
    const text = keyText(value);
    if (text === undefined) return undefined;
    if (option === "store") uses.push({ effects: ["write"], key: text });
    else if (option === "by" || option === "get") {
      // `#` is the element itself; BY without `*` is no look-up. `->` names a field of the hash.
      if (text.includes("*")) {
        const arrow = text.indexOf("->", text.indexOf("*"));
        if (arrow >= 0) uses.push({ effects: ["read"], key: text.slice(0, arrow) });
        uses.push({ effects: ["read"], key: text });
      } else if (option === "get" && text !== "#") return undefined;
    } else return undefined;
    at += 1;
  }
  return uses.includes(NEVER) ? undefined : { uses };
}

/**
 * What a glob of Redis can match, as a text in which `*` stands for what varies: `?` and `[...]` become `*`, and what
 * is escaped itself. A rule's pattern that matches this text matches every key that the glob does: `*` can only
 * fall on `*`, and whatever else is there is in every such key.
 */
function globReach(word: RedisWord | undefined): string {
  const glob = word === undefined ? undefined : keyText(word);
  if (glob === undefined || typeof word !== "string") return ALL;
  let reach = "";
  for (let at = 0; at < glob.length; at += 1) {
    const one = glob[at] ?? "";
    // A class that is odd (no end, an escape, `[a-]x]`) is taken to be the rest of the text.
    if (one === "[") {
      const end = glob.indexOf("]", at + 1);
      reach += ALL;
      if (end < 0 || !/^\^?(\w(-\w)?)+$/.test(glob.slice(at + 1, end))) return reach;
      at = end;
    } else if (one === "?") reach += ALL;
    else if (one === "\\" && at + 1 < glob.length) reach += glob[++at] ?? "";
    else reach += one;
  }
  return reach;
}
