/**
 * The probe of Redis and Valkey: who the login is, which commands and keys its rules allow, how many keys there are, and
 * whether its commands reach files or modules of the server.
 *
 * @module
 */
import { placesOf, UNBOUNDED, type Fact } from "../../blast/index.ts";
import { findProtocol } from "../../protocols/index.ts";
import { examplesOf } from "../examples.ts";
import type { Probe, Probed, ProbePorts } from "../probe.ts";
import { assuming, telling } from "../telling.ts";
import { allowedVerbs, categoriesOf, parseAcl, type AclRules } from "./acl.ts";
import { parseReply, RedisError, type RedisValue } from "./reply.ts";

export const redisProbe: Probe = {
  system: "redis",
  asks: [
    "who the login is, and its rules (ACL WHOAMI, ACL LIST, ACL CAT)",
    "how many keys there are (DBSIZE)",
    "whether files and modules may be set at run time (CONFIG GET enable-*)",
  ],
  probe,
};

/** Verbs by which code of whoever asks runs in the server, each with the setting that must let it, since Redis 7. */
const RUNS_CODE: readonly (readonly [verb: string, setting: string])[] = [
  // `dir` and `dbfilename`: a file of one's own anywhere, as the server's user.
  ["config.set", "enable-protected-configs"],
  ["module.load", "enable-module-command"],
  ["module.loadex", "enable-module-command"],
];

async function probe(ports: ProbePorts): Promise<Probed> {
  const { grant, principal, at } = ports;
  const notes: string[] = [];
  const ask = async (words: readonly string[]): Promise<RedisValue | undefined> => {
    const operation = { database: databasesOf(ports)[0] ?? 0, commands: [[...words]] };
    const { body, isCut, status } = await ports.ask({ operation, isFixed: true });
    return status === 0 || isCut ? undefined : parseReply(body);
  };
  const name = await ask(["ACL", "WHOAMI"]);
  const user = typeof name === "string" ? name : "default";
  const rules = typeof name === "string" ? await rulesOf(ask, user) : oldRules(name);
  if (rules === undefined) notes.push("which commands and keys the login may use was not told");
  const members = new Map<string, ReadonlySet<string>>();
  for (const category of rules === undefined ? [] : categoriesOf(rules)) {
    const told = textsOf(await ask(["ACL", "CAT", category]));
    if (told !== undefined) members.set(category, new Set(told));
  }
  const verbs = Object.keys(findProtocol("redis")?.verbs ?? {});
  const may =
    rules === undefined ? verbs : [...allowedVerbs(rules, verbs, members), "exec", "session"];
  const tell =
    rules === undefined
      ? assuming(`${grant.name}: its rules were not told`)
      : telling(`asked ${at}: ACL LIST`);
  const objects = await objectsOf(ports, rules, ask);
  const settings = textsOf(await ask(["CONFIG", "GET", "enable-*"]));
  const facts = [
    telling(`asked ${at}: ACL WHOAMI`)("user_of", principal, user),
    ...placesOf(grant).map((place) => telling(`asked ${at}`)("at", principal, place)),
    ...objects.facts,
    ...[...new Set(may)].flatMap((verb) =>
      objects.ids.map((id) => tell("can", principal, verb, id)),
    ),
    ...codeFacts(ports, may, settings, notes),
  ];
  return { facts, notes };
}

/** Before version 6 there are no rules, and whoever is let in may do all. */
function oldRules(answer: RedisValue | undefined): AclRules | undefined {
  const isOld = answer instanceof RedisError && /^ERR unknown command/i.test(answer.text);
  return isOld ? { keys: ["*"], commands: ["+@all"] } : undefined;
}

type Ask = (words: readonly string[]) => Promise<RedisValue | undefined>;

async function rulesOf(ask: Ask, user: string): Promise<AclRules | undefined> {
  const lines = textsOf(await ask(["ACL", "LIST"]));
  return lines === undefined ? undefined : parseAcl(lines, user);
}

function textsOf(value: RedisValue | undefined): readonly string[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const texts = value.filter((one) => typeof one === "string");
  return texts.length === value.length ? texts : undefined;
}

function databasesOf({ grant }: Pick<ProbePorts, "grant">): readonly number[] {
  const databases = grant.with?.["databases"];
  const numbers = Array.isArray(databases)
    ? databases.filter((one) => typeof one === "number")
    : [];
  return numbers.length === 0 ? [0] : numbers;
}

/** What is there: each database, less what the rules leave out; and keys that rules of the grant name. */
async function objectsOf(
  { grant, at }: ProbePorts,
  rules: AclRules | undefined,
  ask: Ask,
): Promise<{ readonly ids: readonly string[]; readonly facts: readonly Fact[] }> {
  const size = await ask(["DBSIZE"]);
  const isTold = typeof size === "number" && databasesOf({ grant }).length === 1;
  const rows = isTold
    ? telling(`asked ${at}: DBSIZE`)
    : assuming(`${grant.name}: how many keys there are was not told`);
  const assume = assuming(`${grant.name}: what its keys hold was not told`);
  const [place = ""] = placesOf(grant);
  const all = rules?.keys ?? ["*"];
  const patterns = all.filter((one) => one !== "*").map((one) => one.replaceAll("*", "x"));
  const texts = [...new Set([...patterns, ...examplesOf(grant)])];
  const named = texts.filter((text) => all.some((glob) => fits(glob, text)));
  const ids = [place, ...named.map((text) => `${place} ${text}`)];
  const facts = ids.flatMap((id, index) => [
    ...(index === 0 ? [] : [assume("named", id, named[index - 1] ?? "")]),
    assume("label", id, "customer"),
    assume("people", id, UNBOUNDED),
    rows("rows", id, isTold ? Math.max(0, size) : UNBOUNDED),
  ]);
  return { ids, facts };
}

/** Whether a pattern of Redis fits; brackets and question marks count as whatever there is. */
function fits(glob: string, text: string): boolean {
  const [first = "", ...rest] = glob.split(/[*?[\\]/);
  return rest.length === 0 ? glob === text : text.startsWith(first);
}

function codeFacts(
  { grant, principal, at }: ProbePorts,
  may: readonly string[],
  settings: readonly string[] | undefined,
  notes: string[],
): readonly Fact[] {
  if (settings === undefined)
    notes.push("whether it may set files and modules at run time was not told");
  const tell =
    settings === undefined
      ? assuming(`${grant.name}: whether files and modules may be set was not told`)
      : telling(`asked ${at}: CONFIG GET enable-*`);
  const isLet = (setting: string) => {
    const position = settings?.indexOf(setting) ?? -1;
    // Whoever is not asked, or is older than the setting, lets it.
    return position < 0 || settings?.[position + 1] !== "no";
  };
  const verbs = RUNS_CODE.filter(([verb, setting]) => may.includes(verb) && isLet(setting));
  if (verbs.length === 0) return [];
  const machine = `the machine of ${grant.name}`;
  const assume = assuming(`${grant.name}: which machine serves it was not told`);
  return [
    ...verbs.map(([verb]) => tell("runs_code_as", principal, verb)),
    assume("host", machine),
    assume("runs_on", principal, machine, "its service"),
  ];
}
