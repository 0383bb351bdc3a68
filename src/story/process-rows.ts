/**
 * The processes of a story as a tree in rows: parents first, and what a build starts by the hundred as one row.
 *
 * @module
 */
import type { StoryProcess } from "../api/index.ts";
import type { ProcessFacts, Told } from "./item.ts";
import type { Story } from "./story.ts";

/** Rows that are given; beyond them those stay that were refused something, and what they descend from. */
const ROWS_MAX = 3_000;
/** Siblings that do the same and nothing else, from which on they are one row. */
const ALIKE_MIN = 8;
/** Deeper than that all stand in one column. */
const DEPTH_MAX = 64;

interface Node {
  readonly told: Told;
  readonly facts: ProcessFacts;
  readonly children: Node[];
  readonly below: { processes: number; refused: number; findings: number };
  depth: number;
  /** Equal siblings that it stands for, beside itself. */
  alike: number;
}

export function processRows(
  story: Story,
  { refused = false }: { readonly refused?: boolean | undefined } = {},
): { readonly processes: number; readonly rows: StoryProcess[]; readonly left: number } {
  const { nodes, roots } = treeOf(story);
  const isMarked = ({ facts, below }: Node) =>
    facts.refused + facts.findings + below.refused + below.findings > 0;
  const rows: StoryProcess[] = [];
  const stack = roots.toReversed();
  let told = 0;
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    const hasRoom = rows.length < ROWS_MAX && (!refused || isMarked(node));
    if (!hasRoom) continue;
    rows.push(rowOf(node));
    told += 1 + node.alike;
    stack.push(...chosen(node.children, ROWS_MAX - rows.length, isMarked).toReversed());
  }
  return { processes: nodes.length, rows, left: refused ? 0 : nodes.length - told };
}

function treeOf(story: Story): {
  readonly nodes: readonly Node[];
  readonly roots: readonly Node[];
} {
  const nodes: Node[] = [];
  const byTold = new Map<Told, Node>();
  const roots: Node[] = [];
  for (const told of story.items) {
    if (told.process === undefined) continue;
    const below = { processes: 0, refused: 0, findings: 0 };
    const node = { told, facts: told.process, children: [], below, depth: 0, alike: 0 };
    byTold.set(told, node);
    nodes.push(node);
    const parent = told.process.parent && byTold.get(told.process.parent);
    (parent?.children ?? roots).push(node);
    if (parent !== undefined) node.depth = Math.min(parent.depth + 1, DEPTH_MAX);
  }
  // Children were told after their parents, so that one way back sums them all.
  for (const { facts, told, below } of nodes.toReversed()) {
    const parent = facts.parent && byTold.get(facts.parent);
    if (parent === undefined) continue;
    parent.below.processes += below.processes + told.count;
    parent.below.refused += below.refused + facts.refused;
    parent.below.findings += below.findings + facts.findings;
  }
  return { nodes, roots };
}

/** Equal ones as one, and where there is no room the marked ones. */
function chosen(
  children: readonly Node[],
  room: number,
  isMarked: (node: Node) => boolean,
): readonly Node[] {
  const alike = new Map<string, Node[]>();
  for (const child of children) {
    const key = isQuiet(child) ? `${child.facts.exe} ${child.told.call?.id}` : child.told.id;
    const equals = alike.get(key);
    if (equals === undefined) alike.set(key, [child]);
    else equals.push(child);
  }
  const shown = [...alike.values()].flatMap((equals) => {
    const [first] = equals;
    if (first === undefined || equals.length < ALIKE_MIN) return equals;
    first.alike = equals.length - 1;
    return [first];
  });
  if (shown.length <= room) return shown;
  const marked = shown.filter(isMarked);
  return [...marked, ...shown.filter((one) => !isMarked(one))].slice(0, Math.max(room, 0));
}

/** Started nothing and reached for nothing. */
function isQuiet({ facts, children }: Node): boolean {
  return (
    children.length === 0 && facts.flows + facts.actions + facts.refused + facts.findings === 0
  );
}

function rowOf({ told, facts, children, below, depth, alike }: Node): StoryProcess {
  const { pid, exe, argv, execs, cpu, flows, actions, refused, findings, reached } = facts;
  const { call } = told;
  return {
    ...{ id: told.id, pid, depth, exe, argv: [...argv], ms: told.ms, endMs: told.endMs },
    ...{ count: told.count + alike, execs },
    ...(call === undefined ? {} : { call: call.id, callName: call.name ?? "" }),
    ...(cpu === undefined ? {} : { cpu }),
    ...{ children: children.length, flows, actions, refused, findings, below: { ...below } },
    reached: [...reached],
  };
}
