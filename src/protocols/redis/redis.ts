/**
 * Redis and Valkey: what a command, or a transaction of several, does and to which keys.
 *
 * An operation is `{ database, commands: [[word, ...], ...], resp }`; several commands are one transaction. What
 * stands in no row of the table, or has arguments that are not understood, is `unknown`.
 *
 * @module
 */
import { isUtf8 } from "node:buffer";
import { z } from "zod";
import { EFFECTS, SESSION_VERB, type Effect, type Json } from "../../action/index.ts";
import { Fault } from "../../base/index.ts";
import { describeUnknown } from "../unknown.ts";
import type { Described, Protocol, Surroundings, VerbInfo } from "../protocol.ts";
import { usesOf, effectsOf, type CommandUses } from "./command-keys.ts";
import { REDIS_COMMANDS } from "./command-table.ts";
import { commandSchema, keyText, plainWord, redisBytesOf, type RedisWord } from "./command-word.ts";

const TRANSACTION_MAX = 10_000;
const SUMMARY_CHARS_MAX = 160;

const operationSchema = z.strictObject({
  database: z.int().min(0),
  commands: z.array(commandSchema).min(1).max(TRANSACTION_MAX),
  /** The version of the protocol that the answer is written in. */
  resp: z.union([z.literal(2), z.literal(3)]).optional(),
});
/** One command, or a transaction of several. */
export type RedisOperation = z.infer<typeof operationSchema>;

const optionsSchema = z
  .strictObject({
    /** Databases that may be used, by their number. */
    databases: z.array(z.int().min(0).max(65_535)).min(1).max(64).default([0]),
  })
  .prefault({});

const UNKNOWN_EFFECTS = [
  "read-private",
  "write",
  "send",
  "execute",
  "delete",
  "administer",
] as const;

/** Reads what {@link redis} describes; `undefined` where it is none. */
export function readRedisOperation(operation: Json): RedisOperation | undefined {
  const parsed = operationSchema.safeParse(operation);
  return parsed.success ? parsed.data : undefined;
}

/** The row of `command`, by its name and what follows it; `undefined` where it has none. */
function rowOf(command: readonly RedisWord[]): { name: string; row: string } | undefined {
  const first = plainWord(command[0]);
  if (first === undefined || first.includes(".")) return undefined;
  const second = plainWord(command[1]);
  const sub = second === undefined || second.includes(".") ? undefined : `${first}.${second}`;
  for (const name of [sub, CONTAINERS.has(first) && command.length > 1 ? undefined : first]) {
    const row = name === undefined || !Object.hasOwn(REDIS_COMMANDS, name) ? undefined : name;
    if (row !== undefined) return { name: row, row: REDIS_COMMANDS[row] ?? "!" };
  }
  return undefined;
}

/** Names of which what follows says what is done. */
const CONTAINERS: ReadonlySet<string> = new Set(
  Object.keys(REDIS_COMMANDS).flatMap((name) =>
    name.includes(".") ? name.split(".").slice(0, 1) : [],
  ),
);

interface CommandMeaning extends CommandUses {
  readonly verb: string;
}

function meaningOf(
  command: readonly RedisWord[],
  databases: readonly number[],
): CommandMeaning | string {
  const found = rowOf(command);
  const name = printWord(command[0] ?? "").toUpperCase();
  if (found === undefined) return `${name} is not known here`;
  if (found.row === "!") return `${name} is never passed on`;
  if (found.row === "-") return { verb: SESSION_VERB, uses: [] };
  const uses = usesOf(found.row, command);
  if (uses === undefined) return `the arguments of ${name} are not understood`;
  const beyond = uses.databases?.find((one) => !databases.includes(one));
  if (beyond !== undefined) return `database ${beyond} is not among those granted`;
  if (found.name === "select") return { verb: SESSION_VERB, uses: [] };
  return uses.uses.length === 0 ? `${name} names no key` : { verb: found.name, ...uses };
}

function describe(operation: Json, surroundings: Surroundings): Described {
  const { host, port, body } = surroundings;
  const place = `redis://${host}:${port}`;
  const options = optionsSchema.safeParse(surroundings.options);
  const read = readRedisOperation(operation);
  if (read === undefined || !options.success) {
    return unknown(place, "no operation of Redis", { operation });
  }
  const { database, commands } = read;
  const at = `${place}/${database}`;
  const fields = { database, commands };
  if (redisBytesOf(commands, body) === undefined) {
    return unknown(at, "its long words are not those that came with it", fields);
  }
  const { databases } = options.data;
  const meanings: CommandMeaning[] = [];
  for (const command of commands) {
    const meaning = meaningOf(command, databases);
    if (typeof meaning === "string") return unknown(at, meaning, fields);
    meanings.push(meaning);
  }
  // A connection begins in database 0, granted or not, and may say so much as SELECT there.
  if (!databases.includes(database) && meanings.some(({ uses }) => uses.length > 0)) {
    return unknown(at, `database ${database} is not among those granted`, fields);
  }
  const [only] = meanings;
  const verbs = new Set(meanings.map(({ verb }) => verb));
  const parts = partsOf(meanings);
  const effects = union(meanings.flatMap(({ uses }) => uses.flatMap((one) => one.effects)));
  const keys = [...new Set(meanings.flatMap(({ uses }) => uses.map(({ key }) => key)))];
  return {
    verb: verbs.size === 1 && only !== undefined ? only.verb : "exec",
    effects,
    target: keys.length === 1 ? `${at} ${keys[0]}` : at,
    summary: summaryOf(commands, database),
    fields,
    ...(parts.length === 0 ? {} : { parts }),
    impact: { reversible: !effects.some((one) => IRREVERSIBLE.has(one)) },
  };
}

const IRREVERSIBLE: ReadonlySet<Effect> = new Set([
  "write",
  "send",
  "execute",
  "delete",
  "administer",
]);

interface Part {
  readonly verb: string;
  readonly effects: Effect[];
  readonly object: string[];
}

/** Each verb on each key, once. */
function partsOf(meanings: readonly CommandMeaning[]): Part[] {
  const parts = new Map<string, Part & { readonly commands: Set<CommandMeaning> }>();
  for (const meaning of meanings) {
    const { verb, uses } = meaning;
    for (const { effects, key } of uses) {
      const name = `${verb} ${key}`;
      const { effects: before = [], commands = new Set<CommandMeaning>() } = parts.get(name) ?? {};
      commands.add(meaning);
      parts.set(name, { verb, effects: union([...before, ...effects]), object: [key], commands });
    }
  }
  return [...parts.values()].map(({ commands: { size }, ...part }) => {
    return size < 2 ? part : { ...part, count: size };
  });
}

/** `effects` each once, mildest first; keeping a session going reads. */
function union(effects: readonly Effect[]): Effect[] {
  const found = EFFECTS.filter((one) => effects.includes(one));
  return found.length === 0 ? ["read"] : found;
}

const unknown = (target: string, reason: string, fields: Readonly<Record<string, Json>>) =>
  describeUnknown(UNKNOWN_EFFECTS, { target, reason, fields });

function summaryOf(commands: readonly (readonly RedisWord[])[], database: number): string {
  const texts = commands.map((command) => command.map(printWord).join(" "));
  const text =
    texts.length === 1 ? (texts[0] ?? "") : `${texts.length} commands: ${texts.join("; ")}`;
  const cut = text.length > SUMMARY_CHARS_MAX ? `${text.slice(0, SUMMARY_CHARS_MAX)}...` : text;
  return `${cut} (database ${database})`;
}

function printWord(word: RedisWord): string {
  const text = keyText(word);
  if (text === undefined)
    return typeof word === "object" && "bytes" in word ? `<${word.bytes} bytes>` : "?";
  return /^[!-~]+$/.test(text) && !/["'\\]/.test(text) ? text : JSON.stringify(text);
}

/**
 * Words of one line as `redis-cli` splits them, less its escapes of bytes.
 *
 * @throws {Fault} `protocols.operation`
 */
function splitLine(line: string): string[] {
  const words: string[] = [];
  const pattern = /\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|([^\s"']+))(?=\s|$)/gy;
  const text = line.trim();
  while (pattern.lastIndex < text.length) {
    const found = pattern.exec(text);
    if (found === null) throw badText();
    const [, double, single, bare] = found;
    words.push(bare ?? (double ?? single ?? "").replaceAll(/\\(.)/g, "$1"));
  }
  if (words.length === 0) throw badText();
  return words;
}

function badText(): Fault {
  return new Fault("protocols.operation", "not a command of Redis", {
    hint: 'write one as redis-cli takes it: SET app:1 "a b"; several lines are one transaction',
  });
}

function verbTable(): Readonly<Record<string, VerbInfo>> {
  const verbs: Record<string, VerbInfo> = {};
  for (const [name, row] of Object.entries(REDIS_COMMANDS)) {
    if (row === "!" || row === "-" || name === "select") continue;
    const letters = row.startsWith("@") ? (MOST[name] ?? "") : row.replaceAll(/:\S*/g, "");
    const effects = union(effectsOf(letters));
    verbs[name] = {
      effects,
      summary: `${name.replace(".", " ").toUpperCase()}: ${effects.join(", ")}`,
    };
  }
  return {
    ...verbs,
    exec: {
      effects: [...UNKNOWN_EFFECTS],
      summary: "MULTI ... EXEC: what its commands do, each judged",
    },
    [SESSION_VERB]: {
      effects: ["read"],
      summary: "connecting, PING, SELECT, CLIENT SETNAME and such",
    },
  };
}

/** The most that commands do of which only their arguments tell. */
const MOST: Readonly<Record<string, string>> = {
  bitfield: "rw",
  set: "rw",
  getex: "rwd",
  copy: "rw",
  move: "wd",
  sort: "rw",
  sort_ro: "rw",
  keys: "r",
  scan: "r",
  migrate: "rsda",
  georadius: "rw",
  georadiusbymember: "rw",
  xread: "r",
  xreadgroup: "rw",
  xadd: "wd",
  psubscribe: "r",
  swapdb: "wda",
};

export const redis: Protocol = {
  system: "redis",
  title: "Redis, Valkey",
  docs: [
    "https://redis.io/docs/latest/develop/reference/protocol-spec/",
    "https://redis.io/docs/latest/commands/",
  ],
  ports: [6379],
  verbs: verbTable(),
  object: { separator: "", form: "key, or channel" },
  options: optionsSchema,
  unknown: UNKNOWN_EFFECTS,
  describe,
  operationOf(text) {
    const commands = text
      .split("\n")
      .flatMap((line) => (line.trim() === "" ? [] : [splitLine(line)]));
    if (commands.length === 0) throw badText();
    return { database: 0, commands };
  },
  example: {},
  template: `system: redis   # Redis or Valkey: commands by name, keys by pattern.
name: cache
hosts: [redis.example.com]
ports: [6379]
# tls: false             # where the server speaks none; with TLS the agent speaks it too
credential: cache-login   # cofferdam credential add cache-login --kind login --scheme redis
with:
  databases: [0]
allow:
  - verbs: [get, mget, hget, hgetall, exists, ttl, scan, keys]
    on: ["app:*"]
  - verbs: [set, incr, expire, hset]
    on: ["app:session:*"]
`,
};

/**
 * What {@link redis} would judge `words` by, if they are a command that only reads the keys it names, or only keeps the
 * session going; `undefined` for every other. Equal texts are judged equal: `words` after the keys do not matter.
 */
export function plainReadOf(words: readonly Buffer[], database: number): string | undefined {
  const [first] = words;
  if (first === undefined || first.length > NAME_BYTES_MAX) return undefined;
  const name = first.toString("latin1").toLowerCase();
  const row = Object.hasOwn(REDIS_COMMANDS, name) ? REDIS_COMMANDS[name] : undefined;
  if (row === "-" && !CONTAINERS.has(name)) return `${database} ${SESSION_VERB}`;
  if (row !== "r:1" && row !== "r:1-") return undefined;
  const keys = row === "r:1" ? words.slice(1, 2) : words.slice(1);
  let text = `${database} ${name}`;
  for (const key of keys) {
    if (key.length > NAME_BYTES_MAX || !isUtf8(key)) return undefined;
    text += ` ${key.length} ${key.toString("utf8")}`;
  }
  return keys.length === 0 ? undefined : text;
}

const NAME_BYTES_MAX = 512;
