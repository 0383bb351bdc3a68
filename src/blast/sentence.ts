/**
 * The answer in one sentence, for somebody who is responsible and no engineer.
 *
 * @module
 */
import { isMore, printNumber, type Amount } from "./amount.ts";
import type { BackupState, Both, Outcome } from "./answer.ts";
import { UNBOUNDED } from "./program.ts";

/** After "it could": for one, for a number of them, and where nothing bounds it. */
const WORDS: Readonly<Record<string, readonly [one: string, many: string, any: string]>> = {
  customer_records: [
    "read one customer record",
    "read {n} customer records",
    "read any number of customer records",
  ],
  people_mailable: ["write to one person", "write to {n} people", "write to any number of people"],
  publications: ["publish once", "publish {n} times", "publish as often as it likes"],
  money_movable: ["move money (1)", "move money (up to {n})", "move any amount of money"],
  hosts_executable: [
    "run commands on one machine",
    "run commands on {n} machines",
    "run commands on any number of machines",
  ],
  data_destroyable: ["destroy one record", "destroy {n} records", "destroy any number of records"],
  credentials_mintable: [
    "make itself a new login at one account",
    "make itself new logins at {n} accounts",
    "make itself new logins anywhere",
  ],
  secrets_readable: ["learn one secret", "learn {n} secrets", "learn any number of secrets"],
};

/** Not told in the sentence: the machine is the owner's, and nobody else's. */
const UNTOLD = new Set(["compute_usable"]);

const BACKUPS: Readonly<Record<BackupState, string>> = {
  "in reach": "and of some every known backup, too",
  "out of reach": "of which a backup is out of its reach",
  "none known": "of which no backup is known",
};

/** `outcomes` in one sentence. */
export function sentenceOf(outcomes: readonly Outcome[]): string {
  const told = outcomes.filter(({ name }) => !UNTOLD.has(name));
  const alone = told.filter(({ unattended }) => unattended !== 0);
  const more = told.filter((one) => isMore(one.approverFooled, one.unattended));
  const list = (some: readonly Outcome[], which: keyof Both<Amount>) =>
    joined(some.map((one) => deedOf(one, which)));
  if (alone.length === 0 && more.length === 0) {
    return "At worst the agent could do nothing that counts here, even if whoever approves were fooled.";
  }
  const first =
    alone.length === 0
      ? "Without anyone saying yes the agent could do nothing that counts"
      : `At worst, without anyone saying yes, the agent could ${list(alone, "unattended")}`;
  const then =
    more.length === 0
      ? "fooling whoever approves would add nothing"
      : `if whoever approves were fooled, it could${alone.length === 0 ? "" : " also"} ${list(more, "approverFooled")}`;
  return `${first}; ${then}.`;
}

/** `read 12,000 customer records` */
function deedOf(outcome: Outcome, which: keyof Both<Amount>): string {
  const { name, says, backup } = outcome;
  const amount = outcome[which];
  const words = Object.hasOwn(WORDS, name) ? WORDS[name] : undefined;
  const [one, many, any] = words ?? [
    `reach {n}: ${says}`,
    `reach {n}: ${says}`,
    `reach any number: ${says}`,
  ];
  const deed =
    amount === UNBOUNDED ? any : (amount === 1 ? one : many).replace("{n}", printNumber(amount));
  return backup === undefined ? deed : `${deed} (${BACKUPS[backup[which]]})`;
}

function joined(parts: readonly string[]): string {
  if (parts.length < 2) return parts.join("");
  return `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)}`;
}
