/**
 * The answer: for each outcome how bad it could get, unattended and with an approver fooled, and the shortest way there.
 *
 * @module
 */
import { added, amountOf, isMore, larger, type Amount } from "./amount.ts";
import { derivationOf, pathTo, personsFor, type PathStep } from "./path.ts";
import { sentenceOf } from "./sentence.ts";
import type { Solution } from "./solve.ts";

/** Of what is destroyable: whether it would be gone for good. `in reach`: every backup that is known is destroyable too. */
export type BackupState = "out of reach" | "in reach" | "none known";

/** One thing twice: without a person, and where whoever is asked says yes. */
export interface Both<T> {
  readonly unattended: T;
  readonly approverFooled: T;
}

export interface Outcome extends Both<Amount> {
  readonly name: string;
  readonly says: string;
  /** The shortest way: the unattended one, where there is one. */
  readonly path: readonly PathStep[];
  /** The shortest way to what only a yes adds; absent where it adds nothing, or {@link path} needs one itself. */
  readonly fooledPath?: readonly PathStep[];
  /** What it happens to, nearest first; the first {@link OBJECTS_MAX}. */
  readonly objects: readonly OutcomeObject[];
  /** Of destroyable data, for the worst of its objects. */
  readonly backup?: Both<BackupState>;
}

export interface OutcomeObject extends Both<Amount> {
  readonly object: string;
  /** How many persons must say yes on the shortest way. */
  readonly persons: number;
  readonly path: readonly PathStep[];
  readonly fooledPath?: readonly PathStep[];
  readonly backup?: Both<BackupState>;
}

/** The same where nothing contains the agent, and so nobody is asked. */
export interface WithoutOutcome {
  readonly name: string;
  readonly amount: Amount;
  readonly path: readonly PathStep[];
}

export interface Answer {
  /** One plain sentence. */
  readonly sentence: string;
  readonly outcomes: readonly Outcome[];
  /** What was not asked, and counts at its worst; each once. */
  readonly assumptions: readonly string[];
  /** The same credentials without Cofferdam; absent where no task file says which. */
  readonly without?: {
    readonly outcomes: readonly WithoutOutcome[];
    readonly assumptions: readonly string[];
  };
}

/** Of each outcome. */
export const OBJECTS_MAX = 100;

/** Answers from what follows; `without`: what follows where nothing contains the agent. */
export function answerOf(solution: Solution, without?: Solution): Answer {
  const outcomes = outcomesOf(solution);
  return {
    sentence: sentenceOf(outcomes),
    outcomes,
    assumptions: assumptionsOf(solution),
    ...(without === undefined
      ? {}
      : {
          without: {
            outcomes: outcomesOf(without).map(({ name, approverFooled: amount, path }) => ({
              ...{ name, amount, path },
            })),
            assumptions: assumptionsOf(without),
          },
        }),
  };
}

/** Every outcome that the rules declare, in their order, whether it is possible or not. */
export function outcomesOf(solution: Solution): readonly Outcome[] {
  return [...solution.program.outcomes.keys()].map((name) => outcomeOf(solution, name));
}

/** What an outcome comes to for each of its objects, nearest first. */
export function reckonAll(solution: Solution, name: string): readonly Reckoned[] {
  const byObject = Map.groupBy(solution.of(name), (atom) => String(solution.termsOf(atom)[0]));
  return [...byObject]
    .map(([object, atoms]) => reckon(solution, object, atoms))
    .filter(({ approverFooled }) => approverFooled !== 0);
}

/** The sum over objects. */
export function totalOf(all: readonly Both<Amount>[], which: keyof Both<Amount>): Amount {
  return all.reduce<Amount>((sum, one) => added(sum, one[which]), 0);
}

function outcomeOf(solution: Solution, name: string): Outcome {
  const all = reckonAll(solution, name);
  const backupFor = backupsIn(solution, name);
  const backups = all.flatMap(({ object }) => backupFor(object) ?? []);
  const objects = all.slice(0, OBJECTS_MAX).map((one) => objectOf(solution, one, backupFor));
  const [first] = objects;
  const further = all.find(({ unattended, approverFooled }) => isMore(approverFooled, unattended));
  const unattended = totalOf(all, "unattended");
  const fooledPath =
    unattended === 0 || further === undefined ? undefined : pathTo(solution, further.fooledAtom);
  return {
    name,
    says: solution.program.outcomes.get(name)?.says ?? name,
    unattended,
    approverFooled: totalOf(all, "approverFooled"),
    path: first?.path ?? [],
    ...(fooledPath === undefined ? {} : { fooledPath }),
    objects,
    ...(backups.length === 0 ? {} : { backup: worstOf(backups) }),
  };
}

/** What one object comes to, before its ways are told. */
export interface Reckoned extends Both<Amount> {
  readonly object: string;
  /** The nearest that amounts to {@link unattended}; where nothing does, to {@link approverFooled}. */
  readonly atom: number;
  readonly fooledAtom: number;
}

/** `atoms` are of one object, cheapest first. */
function reckon(solution: Solution, object: string, atoms: readonly number[]): Reckoned {
  const told = (atom: number) => amountOf(solution.termsOf(atom)[1]);
  const alone = atoms.filter((atom) => solution.personsOf(atom) === 0);
  const most = (some: readonly number[]) =>
    some.reduce<Amount>((max, atom) => larger(max, told(atom)), 0);
  const [unattended, approverFooled] = [most(alone), most(atoms)];
  const fooledAtom = atoms.find((atom) => told(atom) === approverFooled) ?? -1;
  const atom = alone.find((one) => told(one) === unattended) ?? fooledAtom;
  return { object, unattended, approverFooled, atom, fooledAtom };
}

function objectOf(solution: Solution, reckoned: Reckoned, backupFor: BackupLookup): OutcomeObject {
  const { object, unattended, approverFooled, atom, fooledAtom } = reckoned;
  const backup = backupFor(object);
  return {
    ...{ object, unattended, approverFooled },
    persons: personsFor(solution, atom),
    path: pathTo(solution, atom),
    ...(atom === fooledAtom ? {} : { fooledPath: pathTo(solution, fooledAtom) }),
    ...(backup === undefined ? {} : { backup }),
  };
}

type BackupLookup = (object: string) => Both<BackupState> | undefined;

/** Whether what is destroyed could be had again: a backup counts where it cannot be destroyed as well. */
function backupsIn(solution: Solution, outcome: string): BackupLookup {
  if (outcome !== "data_destroyable") return () => undefined;
  const backups = Map.groupBy(solution.of("backup_of"), (atom) =>
    String(solution.termsOf(atom)[1]),
  );
  return (object) => {
    const destroyed = (backups.get(object) ?? []).map((atom) =>
      solution.find("destroys", solution.termsOf(atom).slice(0, 1)),
    );
    const state = (isGone: (atom: number) => boolean): BackupState => {
      if (destroyed.length === 0) return "none known";
      const isAll = destroyed.every((atom) => atom !== undefined && isGone(atom));
      return isAll ? "in reach" : "out of reach";
    };
    return {
      unattended: state((atom) => solution.personsOf(atom) === 0),
      approverFooled: state(() => true),
    };
  };
}

const BACKUP_STATES = ["in reach", "none known", "out of reach"] as const; // Worst first.

function worstOf(all: readonly Both<BackupState>[]): Both<BackupState> {
  const worst = (which: keyof Both<BackupState>) =>
    BACKUP_STATES.find((state) => all.some((one) => one[which] === state)) ?? "none known";
  return { unattended: worst("unattended"), approverFooled: worst("approverFooled") };
}

/** Assumptions that anything answered rests on. */
function assumptionsOf(solution: Solution): readonly string[] {
  const atoms = [...solution.program.outcomes.keys()].flatMap((name) => solution.of(name));
  const told = new Set<string>();
  for (const atom of derivationOf(solution, atoms)) {
    if (solution.bestOf(atom) !== undefined) continue;
    for (const { isAssumed, from } of solution.factsOf(atom)) if (isAssumed) told.add(from);
  }
  return [...told].sort();
}
