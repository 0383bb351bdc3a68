/**
 * Who an account is and where: what every other answer is read with.
 *
 * @module
 */
import type { Fact } from "../../blast/index.ts";
import { placesOf } from "../../blast/index.ts";
import type { Effect } from "../../action/index.ts";
import { matchesVerb } from "../../policy/index.ts";
import { findProtocol } from "../../protocols/index.ts";
import { examplesOf } from "../examples.ts";
import type { ProbePorts } from "../probe.ts";
import { assuming, telling, type Tell } from "../telling.ts";
import { isUserName, linesOf, type Answer } from "./answer-lines.ts";
import type { OwnMachine } from "./own-machine.ts";
import type { ScriptName } from "./scripts.ts";

export interface HostAccount {
  readonly principal: string;
  /** The machine's own name, which facts call it by. */
  readonly host: string;
  readonly user: string;
  readonly isRoot: boolean;
  readonly groups: ReadonlySet<string>;
  readonly home: string;
  /** Names of accounts by their number. */
  readonly accounts: ReadonlyMap<string, string>;
  /** Where sshd listens. */
  readonly port: number;
  /** Names and addresses that dialling reached it by. */
  readonly names: readonly string[];
  /** Paths that rules of the grant name, perhaps of files that are not there yet. */
  readonly examples: readonly string[];
  /** Whether a rule of the grant names `verb`. */
  allows(verb: string): boolean;
  /** Facts that the answer to `script` tells. */
  told(script: ScriptName): Tell;
  /** What it did not tell. */
  untold(why: string): Tell;
}

/** Reads the answer to `account`; where it was not told the machine is the grant's, as of one that nobody asked. */
export function readAccount(answer: Answer, { grant, principal, at }: ProbePorts): HostAccount {
  const one = (tag: string) => linesOf(answer, tag)[0] ?? [];
  const [uid = "", name = ""] = one("id");
  const [hostname = ""] = one("hostname");
  const [home = ""] = one("home");
  const [, port = ""] = one("connection");
  const isTold = answer.isWhole && /^\d{1,10}$/.test(uid) && isUserName(name);
  const host =
    isTold && /^[A-Za-z0-9._-]{1,253}$/.test(hostname) ? hostname : `the machine of ${grant.name}`;
  // Whoever forwards one port to it under another name forwards no other.
  const places = placesOf(grant).filter((place) => place.endsWith(`:${port}`));
  return {
    principal,
    host,
    user: isTold ? name : "its account",
    isRoot: isTold && uid === "0",
    groups: new Set(linesOf(answer, "group").map(([group = ""]) => group)),
    home: home.startsWith("/") ? home : "/nonexistent",
    accounts: new Map(
      linesOf(answer, "user").flatMap(([user = "", number = ""]) =>
        isUserName(user) && /^\d{1,10}$/.test(number) ? [[number, user] as const] : [],
      ),
    ),
    port: /^\d{1,5}$/.test(port) ? Number(port) : (grant.ports[0] ?? 22),
    names: [
      ...new Set([...places.map(hostOf), ...(places.length > 0 ? grant.hosts.slice(0, 1) : [])]),
    ],
    examples: examplesOf(grant).filter((text) => text.startsWith("/")),
    allows: (verb) =>
      !isTold || grant.allow.some(({ verbs = [] }) => verbs.some((one) => matchesVerb(one, verb))),
    told: (script) => telling(`asked ${at}: ${script} of ${host}`),
    untold: (why) => assuming(`${grant.name}: ${why}`),
  };
}

/**
 * What an account with a shell does by git is what it does by that shell, unless the grant is about repositories: nobody
 * has said that there is one.
 */
function verbsOf({ allows }: HostAccount): readonly string[] {
  return Object.keys(findProtocol("ssh")?.verbs ?? {}).filter(
    (verb) => !/^(push|repo)\./.test(verb) || allows(verb),
  );
}

function hostOf(place: string): string {
  return place.slice(0, place.lastIndexOf(":")).replaceAll(/[[\]]/g, "");
}

/** Who it is, what it may ask for, and whether this very machine is it. */
export function accountFacts(
  account: HostAccount,
  answer: Answer,
  own: OwnMachine,
): readonly Fact[] {
  const { principal, host, user, told, untold } = account;
  const isTold = user !== "its account";
  const tell = isTold ? told("account") : untold("who the account is was not told");
  return [
    tell("host", host),
    tell("login", principal, host, user),
    tell("user_of", principal, user),
    ...verbsOf(account).map((verb) => tell("can", principal, verb, "any")),
    ...(isTold
      ? []
      : [tell("becomes", host, user, "root", "nobody knows what the account may do")]),
    ...ownFacts(account, answer, own),
  ];
}

/**
 * DESIGN, section 4: a grant of the account or host that runs Cofferdam is total. A machine is known by its boot, which no
 * other shares but its containers, whose `machine-id` is another.
 */
function ownFacts({ host, told }: HostAccount, answer: Answer, own: OwnMachine): readonly Fact[] {
  const [boot = ""] = linesOf(answer, "boot")[0] ?? [];
  const [machine = ""] = linesOf(answer, "machine")[0] ?? [];
  if (own.boot === "" || boot !== own.boot) return [];
  if (own.machine !== "" && machine !== "" && own.machine !== machine) return [];
  const tell = told("account");
  return [...new Set([own.user, "root"])].map((one) => tell("runs_cofferdam", host, one));
}

/** An object of the file system of `account`'s machine, with what the account may do to it by file operations. */
export function fileFacts(
  { principal, host, examples }: HostAccount,
  path: string,
  verbs: readonly string[],
  tell: Tell,
): readonly Fact[] {
  const object = `${host}:${path}`;
  const names = path.endsWith("/") ? namesIn(path, examples) : [path];
  return names.flatMap((name) => {
    const id = name === path || names.length === 1 ? object : `${host}:${name}`;
    return [
      tell("named", id, name),
      ...verbs.flatMap((verb) => [
        tell("can", principal, verb, id),
        ...alsoDoes(verb, name).map((effect) => tell("always", id, verb, effect)),
      ]),
    ];
  });
}

/** Names that a file of the folder may have: one, and those that rules of the grant say. */
function namesIn(folder: string, examples: readonly string[]): readonly string[] {
  const inside = examples.filter(
    (one) => one.startsWith(folder) && !one.slice(folder.length).includes("/"),
  );
  return [`${folder}x`, ...inside.filter((one) => one !== `${folder}x`)];
}

const OPERATIONS: Readonly<Record<string, string>> = {
  "sftp.read": "read",
  "sftp.write": "write",
  "sftp.rename": "write",
  "scp.write": "write",
  "rsync.write": "write",
  "scp.read": "read",
  "rsync.read": "read",
};

/** What a file operation on a path of this name does beside reading or writing, as its protocol judges it. */
export function alsoDoes(verb: string, path: string): readonly Effect[] {
  const operation = { op: "sftp", do: OPERATIONS[verb] ?? "read", path };
  const described = findProtocol("ssh")?.describe(operation, { host: "", port: 22, options: {} });
  const effects = described?.effects ?? [];
  return effects.filter((one) => one !== "read" && one !== "read-private" && one !== "write");
}
