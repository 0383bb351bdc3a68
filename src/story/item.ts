/**
 * One thing of a run while it is folded: it grows with each entry that is about it.
 *
 * @module
 */
import type { Cause, Effect, Verdict } from "../action/index.ts";
import type { Entry, StoryItem, StoryKind, StoryLane } from "../api/index.ts";
import type { Edge } from "./traffic.ts";

/** Numbers that an item keeps of its entries: the first, and the last. */
const FIRST_KEPT = 16;
const LAST_KEPT = 8;

/** An item being told. `parent` was told before it, so that there is no circle. */
export interface Told {
  readonly id: string;
  /** Its place among all. */
  readonly place: number;
  lane: StoryLane;
  kind: StoryKind;
  readonly ms: number;
  endMs: number;
  isOpen: boolean;
  readonly parent: Told | undefined;
  call: Told | undefined;
  tie: Pick<NonNullable<Cause["call"]>, "by" | "confidence"> | undefined;
  label: string;
  name?: string | undefined;
  system?: string | undefined;
  effects?: readonly Effect[] | undefined;
  verdict?: Verdict | undefined;
  rule?: string | undefined;
  state?: string | undefined;
  status?: number | undefined;
  approval?: string | undefined;
  source?: StoryItem["source"];
  by?: StoryItem["by"];
  bytesOut?: number | undefined;
  bytesIn?: number | undefined;
  tokens?: StoryItem["tokens"];
  calls?: number | undefined;
  count: number;
  refused: number;
  findings: number;
  readonly seqs: number[];
  lastSeqs: number[];
  entries: number;
  /** Where its bytes and verdicts are counted. */
  edges?: readonly Edge[];
  /** Of a process: what else is known of it. */
  process?: ProcessFacts;
}

/** What is known of a process beside its item. */
export interface ProcessFacts {
  readonly pid: number;
  readonly parentPid: number;
  readonly parent: Told | undefined;
  exe: string;
  argv: readonly string[];
  execs: number;
  cpu: number | undefined;
  flows: number;
  actions: number;
  refused: number;
  findings: number;
  readonly reached: Set<string>;
}

/** `entry` is about `told`. */
export function noteEntry(told: Told, entry: Entry, ms: number): void {
  told.entries += 1;
  told.endMs = Math.max(told.endMs, ms);
  if (told.seqs.length < FIRST_KEPT) {
    told.seqs.push(entry.seq);
    return;
  }
  told.lastSeqs.push(entry.seq);
  if (told.lastSeqs.length > LAST_KEPT) told.lastSeqs = told.lastSeqs.slice(1);
}

/** The numbers of its entries, as far as they are kept, in order. */
export function entryNumbersOf({ seqs, lastSeqs }: Told): readonly number[] {
  return [...seqs, ...lastSeqs];
}

/** As the contract has it. Of a run that `hasEnded` nothing is open. */
export function itemOf(told: Told, hasEnded: boolean): StoryItem {
  const { parent, call, tie, effects } = told;
  const { name, system, verdict, rule, state, status, approval, source, by } = told;
  const { bytesOut, bytesIn, tokens, calls } = told;
  const known = {
    ...{ name, system, verdict, rule, state, status, approval, source, by },
    ...{ bytesOut, bytesIn, tokens, calls },
    parent: parent?.id,
    call: call?.id,
    tie: call === undefined ? undefined : tie,
    effects: effects === undefined || effects.length === 0 ? undefined : [...effects],
  };
  const first = told.seqs[0] ?? Number.parseInt(told.id, 10);
  return {
    ...{ id: told.id, lane: told.lane, kind: told.kind, label: told.label },
    ...{ ms: told.ms, endMs: told.endMs, isOpen: told.isOpen && !hasEnded },
    ...(told.kind === "more" ? {} : withoutAbsent(known)),
    ...{ count: told.count, refused: told.refused, findings: told.findings },
    entries: {
      first,
      last: told.lastSeqs.at(-1) ?? told.seqs.at(-1) ?? first,
      count: told.entries,
    },
  };
}

type Present<T> = { [Name in keyof T]?: Exclude<T[Name], undefined> };

function withoutAbsent<T extends object>(value: T): Present<T> {
  return Object.fromEntries(
    Object.entries(value).filter(([, one]) => one !== undefined),
  ) as Present<T>;
}
