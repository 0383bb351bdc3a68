/**
 * What sudo makes of an account.
 *
 * @module
 */
import type { Fact } from "../../blast/index.ts";
import { linesOf, type Answer } from "./answer-lines.ts";
import { fileFacts, type HostAccount } from "./host.ts";
import { parseSudoList, type SudoList } from "./sudo-list.ts";
import { powersOf, type SudoPower } from "./sudo-powers.ts";

const WRITES = ["sftp.write", "sftp.rename", "scp.write", "rsync.write"];

/** Facts of the answer to `sudo`, and in `notes` what was not told. */
export function sudoFacts(account: HostAccount, answer: Answer, notes: string[]): readonly Fact[] {
  const { host, user, isRoot, untold } = account;
  if (isRoot) return [];
  const worst = (why: string): readonly Fact[] => {
    notes.push(why);
    return [untold(why)("becomes", host, user, "root", "what sudo lets it do was not told")];
  };
  const doas =
    linesOf(answer, "doas").length > 0 ? worst("doas is there, and tells nobody its rules") : [];
  if (!answer.isWhole) return [...doas, ...worst("what sudo lets it do was not told")];
  if (linesOf(answer, "rc").length === 0) return doas;
  // The lines of sudo have tabs of their own.
  const lines = linesOf(answer, "sudo").map((fields) => fields.join("\t"));
  const list = parseSudoList(lines);
  if (list === undefined) return [...doas, ...worst("what sudo listed is of no known form")];
  return [...doas, ...listFacts(account, list, answer)];
}

/** Whoever needs the account's password to use sudo needs to find it first. */
const passwordOf = ({ host, user }: HostAccount) => `the password of ${user} on ${host}`;

function listFacts(account: HostAccount, list: SudoList, answer: Answer): readonly Fact[] {
  const { host, user, groups, accounts, told } = account;
  const tell = told("sudo");
  if (list.listed !== "yes") {
    const group = ["sudo", "wheel", "admin"].find((one) => groups.has(one));
    const isListed = list.listed === "password" && group !== undefined;
    return isListed
      ? [
          tell(
            "becomes_with",
            host,
            user,
            "root",
            passwordOf(account),
            `sudo, of the group ${group}`,
          ),
        ]
      : [];
  }
  const changeable = new Map(
    linesOf(answer, "program").flatMap(([, path = "", , how = ""]) =>
      path === "" ? [] : [[path, how] as const],
    ),
  );
  return powersOf(list, accounts, user).flatMap((power) => powerFacts(account, power, changeable));
}

function powerFacts(
  account: HostAccount,
  power: SudoPower,
  changeable: ReadonlyMap<string, string>,
): readonly Fact[] {
  const { host, user, told, untold } = account;
  const { target, kind, program, how, isFree, isAssumed } = power;
  const tell = isAssumed ? untold(`what stands behind ${how} was not told`) : told("sudo");
  if (!isFree) {
    const gives = kind === "become" || kind === "word";
    return gives ? [tell("becomes_with", host, user, target, passwordOf(account), how)] : [];
  }
  if (kind === "become") return [tell("becomes", host, user, target, how)];
  if (kind === "edit")
    return [tell("writable", host, user, `${host}:${program}`), ...editFacts(account, power)];
  const word = wordOf(program);
  const predicate = kind === "word" ? "may_run_as" : "may_run_fixed_as";
  const runs = [program, ...scriptsOf(power)].filter((path) => changeable.has(path));
  return [
    tell(predicate, host, user, target, word, how),
    ...runs.flatMap((path) => [
      tell("executes", host, target, `${host}:${path}`),
      tell("writable", host, user, `${host}:${path}`),
      ...fileFacts(
        account,
        path,
        changeable.get(path) === "itself" ? WRITES : WRITES.slice(1, 2),
        tell,
      ),
    ]),
  ];
}

/** What lies in /etc is read by root's programs. */
function editFacts({ host, told }: HostAccount, { target, program }: SudoPower): readonly Fact[] {
  const gives =
    /^\/etc\/(passwd|shadow|group|sudoers|sudoers\.d\/.*|crontab|cron\..*|profile|profile\.d\/.*|ld\.so\.preload|pam\.d\/.*|systemd\/.*|rc\.local|environment)$/.test(
      program,
    );
  return gives ? [told("sudo")("executes", host, target, `${host}:${program}`)] : [];
}

/** `python3 /opt/app.py`: the script is what runs. */
function scriptsOf({ args }: SudoPower): readonly string[] {
  return args.split(" ").filter((one) => one.startsWith("/"));
}

/** The program's name as rules know it. */
export function wordOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
