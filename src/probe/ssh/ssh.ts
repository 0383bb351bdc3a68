/**
 * The probe of an SSH account: who it is on its host, whom it can become, what it can change that others execute, which
 * secrets it can read and what they open, what the host serves and reaches, and whether it is Cofferdam's own.
 *
 * @module
 */
import type { Fact } from "../../blast/index.ts";
import type { Probe, Probed, ProbePorts } from "../probe.ts";
import { linesOf, readAnswer, type Answer } from "./answer-lines.ts";
import { executedFacts } from "./executed.ts";
import { accountFacts, alsoDoes, fileFacts, readAccount, type HostAccount } from "./host.ts";
import { networkFacts, readNetwork } from "./network.ts";
import { readOwnMachine, type OwnMachine } from "./own-machine.ts";
import { powerFacts } from "./powers.ts";
import { COMMANDS, type ScriptName } from "./scripts.ts";
import { secretFacts } from "./secrets.ts";
import { sudoFacts } from "./sudo-facts.ts";

const FACTS_MAX = 20_000;

export const sshProbe: Probe = createSshProbe(readOwnMachine);

/** A probe that compares hosts with the machine that `own` tells. */
export function createSshProbe(own: () => OwnMachine): Probe {
  return {
    system: "ssh",
    asks: [
      "who the account is, and the machine",
      "what sudo lets it do without a password",
      "sockets, devices, setuid programs and capabilities that make it root",
      "what others execute and it may change",
      "secrets that it may read: where they lie and what they open, never what they are",
      "what the machine serves and is connected to; nothing is scanned",
      "backups that it may read or change",
    ],
    probe: (ports) => probe(ports, own()),
  };
}

async function probe(ports: ProbePorts, own: OwnMachine): Promise<Probed> {
  // One after another: each is an entry of the record, in order.
  const answers = new Map<ScriptName, Answer>();
  for (const name of Object.keys(COMMANDS) as readonly ScriptName[]) {
    const operation = { op: "exec", command: COMMANDS[name] };
    answers.set(name, readAnswer(await ports.ask({ operation, isFixed: true })));
  }
  const of = (name: ScriptName): Answer => answers.get(name) ?? { lines: [], isWhole: false };
  const account = readAccount(of("account"), ports);
  const network = readNetwork(of("network"));
  const notes: string[] = [];
  if (account.user === "its account")
    notes.push("who the account is was not told: it counts as root");
  const facts = unique([
    ...accountFacts(account, of("account"), own),
    ...sudoFacts(account, of("sudo"), notes),
    ...powerFacts(account, of("powers"), notes),
    ...executedFacts(account, of("executed"), notes),
    ...secretFacts(account, of("secrets"), network, notes),
    ...networkFacts(account, network, ports),
    ...backupFacts(account, of("backups"), notes),
  ]);
  if (facts.length > FACTS_MAX) {
    notes.push(`more than ${FACTS_MAX} facts; what is beyond counts as root`);
    const worst = account.untold("it told too much");
    const { host, user } = account;
    return {
      facts: [
        ...facts.slice(0, FACTS_MAX),
        worst("becomes", host, user, "root", "it told too much"),
      ],
      notes,
    };
  }
  return { facts, notes: [...new Set(notes)] };
}

function unique(facts: readonly Fact[]): readonly Fact[] {
  const keys = facts.map(
    (fact) => [JSON.stringify([fact.predicate, fact.terms, fact.isAssumed]), fact] as const,
  );
  return [...new Map(keys).values()];
}

/** What a copy holds was told by nobody. */
function backupFacts(account: HostAccount, answer: Answer, notes: string[]): readonly Fact[] {
  const { host, user, told, untold } = account;
  const tell = told("backups");
  const assume = untold("what a backup holds was not told");
  const holds = (object: string) => [
    assume("label", object, "customer"),
    assume("rows", object, "unbounded"),
  ];
  const facts = linesOf(answer, "backup").flatMap(([how = "", path = "", , by = ""]) => {
    const object = `${host}:${path}`;
    const common = [tell("stored_on", object, host), ...holds(object)];
    if (how === "read") {
      const reads = fileFacts(account, path, ["sftp.read", "scp.read", "rsync.read"], tell);
      const isGuarded = alsoDoes("sftp.read", path).length > 0;
      const guard = isGuarded ? [] : [tell("unguarded", object)];
      return [...common, tell("readable", host, user, object), ...guard, ...reads];
    }
    const verbs = by === "itself" ? ["sftp.write", "scp.write", "rsync.write"] : ["sftp.rename"];
    return [
      ...common,
      tell("writable", host, user, object),
      ...fileFacts(account, path, verbs, tell),
    ];
  });
  if (answer.isWhole) return facts;
  const why = "which backups lie there was not told in whole";
  notes.push(why);
  const object = `${host}: backups`;
  return [...facts, untold(why)("readable", host, user, object), ...holds(object)];
}
