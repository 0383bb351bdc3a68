/**
 * The AND/OR graph of what leads to outcomes, small enough to be looked at. Boxes are what the agent does: any arrow into
 * one suffices. Dots join what is needed together. What only says its body in another way is left out, facts stand with
 * the step that rests on them, and beyond {@link NODES_MAX} what leads to the same by the same rule is one box.
 *
 * @module
 */
import { printAmount } from "../amount.ts";
import { reckonAll, totalOf } from "../answer.ts";
import { derivationOf, factsBehind, saysOf } from "../path.ts";
import type { Solution } from "../solve.ts";

export type NodeKind = "start" | "step" | "all" | "outcome";

export interface GraphNode {
  readonly id: string;
  readonly kind: NodeKind;
  readonly label: string;
  /** What it rests on, a line each. */
  readonly facts: readonly string[];
  /** How many persons must say yes on the cheapest way here. */
  readonly persons: number;
  readonly isAssumed: boolean;
  /** How many steps it stands for. */
  readonly count: number;
  /** Steps of one rule may be put together. */
  readonly rule: string;
}

export interface GraphEdge {
  readonly from: string;
  readonly to: string;
  /** How many persons must say yes to go this way. */
  readonly persons: number;
}

export interface Graph {
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
}

/** More is no picture. */
export const NODES_MAX = 300;
const OBJECTS_MAX = 200; // Of one outcome.
const WAYS_MAX = 3; // To one step.
const START = "start";

/** What leads to the outcomes of `solution`. */
export function graphOf(solution: Solution): Graph {
  return drawnGraph(solution).graph;
}

/** A graph, and which of its boxes stand for a way. */
export interface DrawnGraph {
  readonly graph: Graph;
  /** How many boxes there are before those alike are put together. */
  readonly whole: number;
  /** Ids of the boxes of the shortest way to `atom`, and of `outcome`, to which it leads. */
  wayTo(outcome: string, atom: number): readonly string[];
}

/** The same with at most `nodesMax` boxes, and with the ways in it. */
export function drawnGraph(solution: Solution, nodesMax = NODES_MAX): DrawnGraph {
  const whole = new Builder(solution).build();
  const drawn = aggregated(whole, nodesMax);
  const known = new Set(whole.nodes.map(({ id }) => id));
  return {
    graph: drawn.graph,
    whole: whole.nodes.length,
    wayTo(outcome, atom) {
      const ids = derivationOf(solution, [atom]).flatMap((one) => {
        const instance = solution.bestOf(one);
        return instance === undefined ? [] : [`a${one}`, `i${instance}`];
      });
      const own = [START, outcome, ...ids].filter((id) => known.has(id));
      return [...new Set(own.map(drawn.nameOf))];
    },
  };
}

class Builder {
  readonly #solution: Solution;
  readonly #nodes = new Map<string, GraphNode>();
  readonly #edges = new Map<string, GraphEdge>();
  /** When each atom came to hold: what rests on later ones would be a circle. */
  readonly #times: ReadonlyMap<number, number>;

  constructor(solution: Solution) {
    this.#solution = solution;
    this.#times = new Map(solution.order.map((atom, at) => [atom, at]));
  }

  build(): Graph {
    const { program } = this.#solution;
    this.#add({ id: START, kind: "start", label: "The agent", rule: START });
    const queue: number[] = [];
    const seen = new Set<number>();
    const reach = (atom: number) => {
      if (!seen.has(atom)) queue.push(atom);
      seen.add(atom);
    };
    for (const [name, { says }] of program.outcomes) {
      const all = reckonAll(this.#solution, name);
      if (all.length === 0) continue;
      const unattended = totalOf(all, "unattended");
      const amounts = `${printAmount(unattended)} unattended, ${printAmount(totalOf(all, "approverFooled"))} with an approver fooled`;
      const persons = unattended === 0 ? 1 : 0;
      this.#add({ id: name, kind: "outcome", label: `${says}: ${amounts}`, rule: name, persons });
      for (const { atom, fooledAtom } of all.slice(0, OBJECTS_MAX)) {
        for (const one of new Set([atom, fooledAtom])) this.#ways(one, name, 1).forEach(reach);
      }
    }
    for (let at = 0; at < queue.length; at += 1) {
      const atom = queue[at] ?? -1;
      this.#step(atom);
      this.#ways(atom, `a${atom}`, WAYS_MAX).forEach(reach);
    }
    return { nodes: [...this.#nodes.values()], edges: [...this.#edges.values()] };
  }

  #step(atom: number): void {
    const instance = this.#solution.bestOf(atom);
    if (instance === undefined) return;
    const { facts } = this.#inputs(instance);
    const rule = this.#solution.program.rules[this.#solution.ruleOf(instance)];
    this.#add({
      id: `a${atom}`,
      kind: "step",
      label: saysOf(this.#solution, instance),
      rule: rule?.name ?? "",
      facts: facts.map(({ says, from }) => (from === "" ? says : `${says} (${from})`)),
      persons: this.#solution.personsOf(atom),
      isAssumed: facts.some(({ isAssumed }) => isAssumed),
    });
  }

  /** Edges into `target` by which `atom` comes to hold; gives the steps that they come from. */
  #ways(atom: number, target: string, most: number): readonly number[] {
    const best = this.#solution.bestOf(atom);
    const others = this.#solution.instancesOf(atom).filter((one) => one !== best);
    const ways = [...(best === undefined ? [] : [best]), ...others]
      .filter((one) => this.#isBefore(one, atom))
      .slice(0, most);
    if (ways.length === 0) this.#edge(START, target, this.#solution.personsOf(atom));
    return ways.flatMap((instance) => {
      const { steps, facts } = this.#inputs(instance);
      const persons = facts.reduce((sum, fact) => sum + fact.persons, 0);
      if (steps.length < 2) {
        const [from] = steps;
        this.#edge(from === undefined ? START : `a${from}`, target, persons);
        return steps;
      }
      const id = `i${instance}`;
      this.#add({ id, kind: "all", label: "all of these", rule: `all ${target}` });
      this.#edge(id, target, persons);
      for (const from of steps) this.#edge(`a${from}`, id, 0);
      return steps;
    });
  }

  #isBefore(instance: number, atom: number): boolean {
    const time = this.#times.get(atom) ?? 0;
    return this.#solution
      .bodyOf(instance)
      .every((part) => (this.#times.get(part) ?? Infinity) < time);
  }

  /** What an instance rests on, through all that only says it in another way. */
  #inputs(instance: number): {
    readonly steps: readonly number[];
    readonly facts: ReturnType<typeof factsBehind>;
  } {
    const steps = new Set<number>();
    const facts: ReturnType<typeof factsBehind>[number][] = [];
    const open = [...this.#solution.bodyOf(instance)];
    for (let at = 0; at < open.length; at += 1) {
      const part = open[at] ?? -1;
      const best = this.#solution.bestOf(part);
      if (best === undefined) facts.push(...factsBehind(this.#solution, part));
      else if (this.#solution.program.rules[this.#solution.ruleOf(best)]?.isFree === true) {
        open.push(...this.#solution.bodyOf(best));
      } else steps.add(part);
    }
    return { steps: [...steps], facts };
  }

  #add(node: Pick<GraphNode, "id" | "kind" | "label" | "rule"> & Partial<GraphNode>): void {
    if (this.#nodes.has(node.id)) return;
    this.#nodes.set(node.id, { facts: [], persons: 0, isAssumed: false, count: 1, ...node });
  }

  #edge(from: string, to: string, persons: number): void {
    const key = `${from} ${to}`;
    const known = this.#edges.get(key);
    if (known !== undefined && known.persons <= persons) return;
    this.#edges.set(key, { from, to, persons });
  }
}

/** `graph` with as many boxes as a person can look at: first what leads to the very same, then all steps of a rule. */
function aggregated(graph: Graph, nodesMax: number): Merged {
  if (graph.nodes.length <= nodesMax) return { graph, nameOf: (id) => id };
  const next = Map.groupBy(graph.edges, ({ from }) => from);
  const groups = new Map<string, string>();
  const groupOf = (id: string) => groups.get(id) ?? id;
  const short = new Map<string, string>();
  // Steps come before what rests on them only in the order of costs; so until nothing changes.
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    let isChanged = false;
    for (const { id, kind, rule, persons } of graph.nodes) {
      if (kind === "start" || kind === "outcome") continue;
      const to = new Set((next.get(id) ?? []).map((edge) => groupOf(edge.to)));
      const told = `${rule} ${persons > 0} ${[...to].sort().join(" ")}`;
      const group = short.get(told) ?? `#${short.size}`;
      short.set(told, group);
      if (groups.get(id) !== group) isChanged = true;
      groups.set(id, group);
    }
    if (!isChanged) break;
  }
  const same = merged(graph, groupOf);
  if (same.graph.nodes.length <= nodesMax) return same;
  const rules = new Map(graph.nodes.map((node) => [node.id, node]));
  return merged(graph, (id) => {
    const node = rules.get(id);
    if (node === undefined || node.kind === "start" || node.kind === "outcome") return id;
    return `${node.rule.slice(0, node.kind === "all" ? 3 : undefined)} ${node.persons > 0}`;
  });
}
const ROUNDS_MAX = 20;

interface Merged {
  readonly graph: Graph;
  /** The box that stands for a box of the whole. */
  nameOf(id: string): string;
}

function merged({ nodes, edges }: Graph, groupOf: (id: string) => string): Merged {
  const members = Map.groupBy(nodes, ({ id }) => groupOf(id));
  const names = new Map([...members.keys()].map((group, at) => [group, `g${at}`]));
  const nameOf = (id: string) => {
    const group = groupOf(id);
    return members.get(group)?.length === 1
      ? (members.get(group)?.[0]?.id ?? id)
      : (names.get(group) ?? id);
  };
  const kept = [...members].flatMap(([, [first, ...others]]): readonly GraphNode[] => {
    if (first === undefined) return [];
    if (others.length === 0) return [first];
    const all = [first, ...others];
    return [
      {
        ...first,
        id: nameOf(first.id),
        label: `${all.length} times: ${first.label}, and others alike`,
        facts: all.slice(0, FACTS_MAX).map(({ label }) => label),
        persons: Math.min(...all.map(({ persons }) => persons)),
        isAssumed: all.some(({ isAssumed }) => isAssumed),
        count: all.length,
      },
    ];
  });
  const found = new Map<string, GraphEdge>();
  for (const { from, to, persons } of edges) {
    const [a, b] = [nameOf(from), nameOf(to)];
    const known = found.get(`${a} ${b}`);
    if (a === b || (known !== undefined && known.persons <= persons)) continue;
    found.set(`${a} ${b}`, { from: a, to: b, persons });
  }
  return { graph: { nodes: kept, edges: [...found.values()] }, nameOf };
}
const FACTS_MAX = 20;
