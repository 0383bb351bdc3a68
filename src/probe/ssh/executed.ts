/**
 * What others execute and this account may change.
 *
 * @module
 */
import type { Fact } from "../../blast/index.ts";
import { isPath, isUserName, linesOf, type Answer } from "./answer-lines.ts";
import { fileFacts, type HostAccount } from "./host.ts";

const WRITES = ["sftp.write", "sftp.rename", "scp.write", "rsync.write"];
/** Where the folder may be written and not the file: another file is put in its place. */
const REPLACES = ["sftp.rename", "rsync.write"];

/** Facts of the answer to `executed`, and in `notes` what was not told. */
export function executedFacts(
  account: HostAccount,
  answer: Answer,
  notes: string[],
): readonly Fact[] {
  const { host, user, isRoot, untold } = account;
  if (isRoot) return [];
  const facts = [
    ...linesOf(answer, "run").flatMap((fields) => runFacts(account, fields)),
    ...keyFacts(account, answer),
  ];
  if (answer.isWhole) return facts;
  const why = "what others execute and it may change was not told in whole";
  notes.push(why);
  return [...facts, untold(why)("becomes", host, user, "root", "what root executes was not told")];
}

function runFacts(account: HostAccount, fields: readonly string[]): readonly Fact[] {
  const [owner = "", path = "", kind = "", how = ""] = fields;
  const { host, user, told, untold } = account;
  if (!isPath(path) || owner === user) return [];
  const target = isUserName(owner) ? owner : "root";
  // Who uses a program of root's PATH was not told; that root looks there first was.
  const isTold = isUserName(owner) && (kind !== "path" || path.endsWith("/"));
  const tell = isTold ? told("executed") : untold(`who executes ${path} was not told`);
  return changeFacts(account, path, how, tell("executes", host, target, `${host}:${path}`));
}

/** That the file at `path` may be changed, by `how`: itself, or the folder that may be written. */
function changeFacts(
  account: HostAccount,
  path: string,
  how: string,
  power: Fact,
): readonly Fact[] {
  const { host, user, told } = account;
  const tell = told("executed");
  const object = `${host}:${path}`;
  const files = fileFacts(account, path, how === "itself" ? WRITES : REPLACES, tell);
  // A file that is not there yet is as good as the folder that it will lie in.
  const others = new Set(
    files.map(({ terms }) => String(terms[0])).filter((id) => id.startsWith(object)),
  );
  const more = [...others].filter((id) => id !== object);
  return [
    power,
    tell("writable", host, user, object),
    ...files,
    ...more.map((id) => ({ ...power, terms: [...power.terms.slice(0, -1), id] })),
  ];
}

/** sshd takes no keys of an account that others may write, unless it is told to (sshd_config(5), StrictModes). */
function keyFacts(account: HostAccount, answer: Answer): readonly Fact[] {
  const { host, user, told, untold } = account;
  const [strict = "unknown"] = linesOf(answer, "strict")[0] ?? [];
  return linesOf(answer, "key").flatMap(([owner = "", path = "", kind = "", how = ""]) => {
    if (!isUserName(owner) || !isPath(path)) return [];
    if (kind !== "own" && (owner === user || strict === "yes" || strict === "")) return [];
    const isTold = kind === "own" || strict === "no";
    const tell = isTold ? told("executed") : untold("whether sshd takes such keys was not told");
    return changeFacts(account, path, how, tell("lets_in", host, owner, `${host}:${path}`));
  });
}
