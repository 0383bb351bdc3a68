/**
 * What the ledger says about one attempt: the entry that noticed it, the rule, the process, and when
 * it was over. Pure: entries in, evidence out.
 *
 * @module
 */
import type { Entry } from "../cofferdam.ts";
import type { Culprit } from "../record.ts";

/** Evidence for one attempt; `null` where the ledger has none. */
export interface Evidence {
  readonly entry: Entry | null;
  readonly stoppedBy: string | null;
  readonly noticedMs: number | null;
  readonly stoppedMs: number | null;
  readonly process: Culprit | null;
  /** The entry's process is the attempt's own. */
  readonly attributed: boolean;
}

/** Reads the evidence for the attempt of run `run` whose process has `mark` in its command line. */
export function readEvidence(
  entries: readonly Entry[],
  of: { readonly run: string; readonly mark: string; readonly startedAt: number },
): Evidence {
  const own = entries.filter((entry) => entry.run === of.run);
  const isOurs = (entry: Entry) => entry.process?.argv.join(" ").includes(of.mark) === true;
  const noticed = own.filter(isRefusal);
  // An entry about another process of the run may still be told, but it is no attribution.
  const candidates = noticed.some(isOurs) ? noticed.filter(isOurs) : noticed;
  const findings = candidates.filter(({ type }) => type === "finding");
  // "sticky" only says that several ways were tried; what they were tried for says more.
  const finding = findings.find(({ data }) => data?.["finding"] !== "sticky") ?? findings[0];
  const entry = finding ?? candidates[0] ?? null;
  if (entry === null) {
    const nothing = { noticedMs: null, stoppedMs: null, process: null, attributed: false };
    return { entry, stoppedBy: null, ...nothing };
  }
  const since = (at: string) => Math.max(0, Date.parse(at) - of.startedAt);
  const stopped = stoppedAt(own, isOurs, entry);
  return {
    entry,
    stoppedBy: nameRule(entry, candidates),
    noticedMs: since(entry.at),
    stoppedMs: stopped === null ? null : since(stopped),
    process: entry.process ?? null,
    attributed: isOurs(entry),
  };
}

/** Whether an entry says that something was refused or noticed. */
export function isRefusal(entry: Entry): boolean {
  if (entry.type === "finding" || entry.type === "denial") return true;
  return entry.type === "action" && entry.verdict !== "allow";
}

/** When the last flow of the attempt was closed; the refusal itself where none was opened. */
function stoppedAt(
  own: readonly Entry[],
  isOurs: (entry: Entry) => boolean,
  entry: Entry,
): string | null {
  const opened = own.filter((other) => other.type === "flow.open" && isOurs(other));
  if (opened.length === 0) return entry.at;
  const closed = opened.map((open) =>
    own.find((other) => other.type === "flow.close" && other.flow === open.flow),
  );
  if (closed.includes(undefined)) return null; // A flow still open was not stopped.
  return closed.reduce(
    (last, close) => (close !== undefined && close.at > last ? close.at : last),
    "",
  );
}

/**
 * The finding's kind, where there is one, and the rule that refused. A finding's own rule only
 * repeats its kind.
 */
function nameRule(entry: Entry, candidates: readonly Entry[]): string | null {
  const refusal = candidates.find(({ type, rule }) => type !== "finding" && rule !== undefined);
  const rule = refusal?.rule ?? entry.rule;
  const finding = entry.type === "finding" ? entry.data?.["finding"] : undefined;
  if (typeof finding !== "string") return rule ?? null;
  return rule === undefined ? finding : `${finding} (${rule})`;
}
