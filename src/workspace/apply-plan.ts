/**
 * Which changes are applied, and in what order; decided before anything is written.
 *
 * A change goes unless it is refused (never applied), in conflict (the host moved on), held (needs its
 * name) or left out. What depends on it shares its fate: a file in a new folder that does not come, and
 * a folder that goes but still holds something that stays.
 *
 * @module
 */
import type { Change } from "./change.ts";
import { pathText, splitRaw, type RawPath } from "./path-text.ts";

/** A path and why it was not applied, or not quite. */
export interface Remark {
  readonly path: string;
  readonly why: string;
}

/** What the person asked for. */
export interface Selection {
  /** Units named by the person: own paths or the folder of a tree. */
  readonly confirm: ReadonlySet<RawPath>;
  /** Only these paths and what lies below; everything where absent. */
  readonly only?: ReadonlySet<RawPath>;
}

/** The steps in their order, and everything that is not among them. */
export interface ApplyPlan {
  /** Deleted first, last entry first: what stands where a folder, or instead of one, shall be. */
  readonly makeRoom: readonly Change[];
  readonly folders: readonly Change[];
  /** Files and links. */
  readonly files: readonly Change[];
  /** Deleted when all is written, last entry first. */
  readonly deletions: readonly Change[];
  /** Modes of folders, old and new, last entry first. */
  readonly modes: readonly Change[];
  readonly held: readonly Remark[];
  readonly conflicts: readonly Remark[];
  readonly refused: readonly Remark[];
  /** Names that the person gave and that nothing here answers to. */
  readonly notes: readonly Remark[];
}

type Fate = "go" | "held" | "conflict" | "refused" | "left out";
interface Verdict {
  readonly fate: Fate;
  readonly why: string;
}

/** Plans over changes as `diffWorkspace` lists them: each folder before what it holds. */
export function planApply(changes: readonly Change[], selection: Selection): ApplyPlan {
  const verdicts = judgeAll(changes, selection);
  const going = changes.filter((change) => verdicts.get(change.raw)?.fate === "go");
  const isRoom = roomFinder(going);
  const isWritten = ({ to, kind }: Change): boolean =>
    to !== undefined && to.type !== "folder" && kind !== "deleted";
  const isFolder = ({ to }: Change): boolean => to?.type === "folder";
  return {
    makeRoom: going.filter(isRoom).toReversed(),
    folders: going.filter((change) => isFolder(change) && change.kind !== "mode"),
    files: going.filter(isWritten),
    deletions: going.filter((change) => change.kind === "deleted" && !isRoom(change)).toReversed(),
    modes: going.filter(isFolder).toReversed(),
    ...remarks(changes, verdicts),
    notes: unanswered(changes, selection),
  };
}

/** Two names that are neither folders are swapped in one step; only with a folder is room needed. */
function roomFinder(going: readonly Change[]): (change: Change) => boolean {
  const replaced = new Set(
    going
      .filter(
        ({ kind, from, to }) =>
          kind === "typechange" && (from?.type === "folder" || to?.type === "folder"),
      )
      .map(({ raw }) => raw),
  );
  if (replaced.size === 0) return () => false;
  return ({ raw, kind }) =>
    replaced.has(raw) || (kind === "deleted" && ancestors(raw).some((one) => replaced.has(one)));
}

function judgeAll(changes: readonly Change[], selection: Selection): ReadonlyMap<RawPath, Verdict> {
  const byPath = new Map(changes.map((change) => [change.raw, change]));
  const selected = selection.only && selectedPaths(changes, selection.only);
  const verdicts = new Map<RawPath, Verdict>();
  for (const change of changes) {
    const own = judge(change, selected, selection.confirm);
    const above = splitRaw(change.raw)[0];
    const folder = verdicts.get(above);
    const isMade = change.kind !== "deleted" && makesFolder(byPath.get(above));
    const isBlocked = own.fate === "go" && isMade && folder !== undefined && folder.fate !== "go";
    verdicts.set(change.raw, isBlocked ? notApplied(folder.fate, above) : own);
  }
  // From the deepest up: a folder that goes must be empty by then.
  for (const { raw, kind } of changes.toReversed()) {
    const verdict = verdicts.get(raw);
    const above = splitRaw(raw)[0];
    const isStaying = kind === "deleted" && verdict !== undefined && verdict.fate !== "go";
    if (!isStaying || !removesFolder(byPath.get(above))) continue;
    if (verdicts.get(above)?.fate !== "go") continue;
    verdicts.set(above, { fate: verdict.fate, why: `it still holds ${pathText(raw)}` });
  }
  // And down again: a folder that is not replaced keeps all that it holds.
  const kept = new Set<RawPath>();
  for (const { raw, kind } of changes) {
    const verdict = verdicts.get(raw);
    const above = splitRaw(raw)[0];
    if (kind === "typechange" && verdict?.fate !== "go") kept.add(raw);
    if (kind !== "deleted" || !kept.has(above)) continue;
    kept.add(raw);
    const folder = verdicts.get(above);
    if (verdict?.fate !== "go" || folder === undefined) continue;
    verdicts.set(raw, { fate: folder.fate, why: `its folder ${pathText(above)} is not replaced` });
  }
  return verdicts;
}

function notApplied(fate: Fate, folder: RawPath): Verdict {
  return { fate, why: `its folder ${pathText(folder)} is not applied` };
}

function makesFolder(change: Change | undefined): boolean {
  return change?.to?.type === "folder" && change.kind !== "mode";
}

function removesFolder(change: Change | undefined): boolean {
  return change?.from?.type === "folder" && change.kind !== "mode";
}

const GO: Verdict = { fate: "go", why: "" };

function judge(
  change: Change,
  selected: ReadonlySet<RawPath> | undefined,
  confirm: ReadonlySet<RawPath>,
): Verdict {
  if (selected?.has(change.raw) === false) return { fate: "left out", why: "not asked for" };
  if (change.refused !== undefined) return { fate: "refused", why: change.refused };
  if (change.conflict !== undefined) return { fate: "conflict", why: change.conflict };
  if (change.confirm !== undefined && !confirm.has(change.unit)) {
    return { fate: "held", why: change.confirm };
  }
  return GO;
}

/** What `only` means: the named paths, what lies below them, and new folders on the way to them. */
function selectedPaths(
  changes: readonly Change[],
  only: ReadonlySet<RawPath>,
): ReadonlySet<RawPath> {
  const selected = new Set<RawPath>();
  for (const { raw } of changes) {
    const isNamed = only.has("") || only.has(raw);
    if (isNamed || ancestors(raw).some((one) => only.has(one))) selected.add(raw);
  }
  const byPath = new Map(changes.map((change) => [change.raw, change]));
  for (const raw of Array.from(selected)) {
    for (const above of ancestors(raw)) if (makesFolder(byPath.get(above))) selected.add(above);
  }
  return selected;
}

/** The folders above a path, the root left out. */
export function ancestors(raw: RawPath): readonly RawPath[] {
  const above: RawPath[] = [];
  for (let at = raw.indexOf("/"); at >= 0; at = raw.indexOf("/", at + 1)) {
    above.push(raw.slice(0, at));
  }
  return above;
}

function remarks(
  changes: readonly Change[],
  verdicts: ReadonlyMap<RawPath, Verdict>,
): Pick<ApplyPlan, "held" | "conflicts" | "refused"> {
  const held = new Map<string, string>();
  const conflicts = new Map<string, string>();
  const refused = new Map<string, string>();
  const lists = { held, conflict: conflicts, refused };
  for (const { raw, unit } of changes) {
    const verdict = verdicts.get(raw);
    if (verdict === undefined || verdict.fate === "go" || verdict.fate === "left out") continue;
    // A conflict is told file by file; what is held or never copied, by its unit.
    const path = pathText(verdict.fate === "conflict" ? raw : unit);
    if (!lists[verdict.fate].has(path)) lists[verdict.fate].set(path, verdict.why);
  }
  const list = (of: ReadonlyMap<string, string>): Remark[] =>
    [...of].map(([path, why]) => ({ path, why }));
  return { held: list(held), conflicts: list(conflicts), refused: list(refused) };
}

function unanswered(changes: readonly Change[], { confirm, only }: Selection): readonly Remark[] {
  const units = new Set(changes.flatMap((one) => (one.confirm === undefined ? [] : [one.unit])));
  const paths = new Set(only && changes.flatMap(({ raw }) => ["", raw, ...ancestors(raw)]));
  const list = (names: ReadonlySet<RawPath>, known: ReadonlySet<RawPath>, why: string): Remark[] =>
    [...names].filter((one) => !known.has(one)).map((one) => ({ path: pathText(one), why }));
  return [
    ...list(confirm, units, "named to be confirmed, but no change needs that name"),
    ...list(only ?? new Set(), paths, "asked for, but nothing changed there"),
  ];
}
