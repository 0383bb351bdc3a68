/**
 * Who talked to what, summed while a run is folded: by program, and by tool call.
 *
 * @module
 */
import type { Verdict } from "../action/index.ts";
import type { MapEdge, StoryMap } from "../api/index.ts";
import type { Told } from "./item.ts";
import { cut } from "./values.ts";

/** Pairs of one kind that are told apart; a sweep of a network makes as many as it has addresses. */
const EDGES_MAX = 4_096;
/** What a map shows at most. */
const ACTORS_SHOWN = 40;
const PLACES_SHOWN = 60;
const EDGES_SHOWN = 240;
const SYSTEMS_MAX = 4;
const NOBODY = "a process that is not known";
const OTHERS = "others";

/** What went between an actor and a place. */
export interface Edge {
  readonly actor: { readonly id: string; readonly label: string; readonly item?: Told | undefined };
  readonly place: string;
  readonly first: Told;
  connections: number;
  actions: number;
  bytesOut: number;
  bytesIn: number;
  readonly verdicts: Record<Verdict, number>;
  findings: number;
  readonly systems: Set<string>;
}

export type ActorKind = "program" | "call";

export class Traffic {
  readonly #edges: Readonly<Record<ActorKind, Map<string, Edge>>> = {
    program: new Map(),
    call: new Map(),
  };

  /** The edges, one of each kind, that what `told` did towards `place` is counted on. */
  edgesOf(told: Told, place: string, process: Told | undefined): readonly Edge[] {
    return [
      this.#edge("program", programOf(process), place, told),
      this.#edge("call", callOf(told, process), place, told),
    ];
  }

  #edge(kind: ActorKind, actor: Edge["actor"], place: string, first: Told): Edge {
    const edges = this.#edges[kind];
    const key = `${actor.id} ${place}`;
    const known = edges.get(key);
    if (known !== undefined) return known;
    if (edges.size >= EDGES_MAX && place !== OTHERS) return this.#edge(kind, actor, OTHERS, first);
    const edge: Edge = {
      ...{ actor, place, first, connections: 0, actions: 0, bytesOut: 0, bytesIn: 0 },
      ...{ verdicts: { allow: 0, confirm: 0, deny: 0 }, findings: 0, systems: new Set() },
    };
    // Actors are bounded too: beyond twice the room all share one.
    if (edges.size < 2 * EDGES_MAX) edges.set(key, edge);
    else {
      const shared = edges.get(OTHERS) ?? { ...edge, actor: { id: OTHERS, label: OTHERS } };
      edges.set(OTHERS, shared);
      return shared;
    }
    return edge;
  }

  /** The map, its heaviest first. */
  map(kind: ActorKind): Omit<StoryMap, "through"> {
    const all = [...this.#edges[kind].values()].toSorted(byWeight);
    const actors = new Map<string, StoryMap["actors"][number]>();
    const places = new Map<string, StoryMap["places"][number]>();
    const edges: MapEdge[] = [];
    const left = { edges: 0, bytesOut: 0, bytesIn: 0, deny: 0 };
    for (const edge of all) {
      const { actor, place, first } = edge;
      const hasRoom =
        edges.length < EDGES_SHOWN &&
        (actors.has(actor.id) || actors.size < ACTORS_SHOWN) &&
        (places.has(place) || places.size < PLACES_SHOWN);
      if (!hasRoom) {
        left.edges += 1;
        left.bytesOut += edge.bytesOut;
        left.bytesIn += edge.bytesIn;
        left.deny += edge.verdicts.deny;
        continue;
      }
      const { id, label, item } = actor;
      actors.set(id, { id, label, ...(item === undefined ? {} : { item: item.id }) });
      places.set(place, { id: place, label: place });
      edges.push({
        ...{ from: id, to: place, connections: edge.connections, actions: edge.actions },
        ...{ bytesOut: edge.bytesOut, bytesIn: edge.bytesIn, ...edge.verdicts },
        ...{ findings: edge.findings, systems: [...edge.systems], item: first.id },
      });
    }
    return { actors: [...actors.values()], places: [...places.values()], edges, left };
  }
}

export function nameSystem({ systems }: Edge, system: string): void {
  if (systems.size < SYSTEMS_MAX) systems.add(system);
}

function programOf(process: Told | undefined): Edge["actor"] {
  const exe = process?.process?.exe ?? "";
  if (process === undefined || exe === "") return { id: NOBODY, label: NOBODY };
  return { id: exe, label: cut(exe), item: process };
}

function callOf(told: Told, process: Told | undefined): Edge["actor"] {
  const call = told.call ?? process?.call;
  if (call === undefined) return programOf(process);
  return { id: `call ${call.id}`, label: cut(`${call.name}: ${call.label}`), item: call };
}

/** What was refused or found stands first, then what moved most. */
function byWeight(one: Edge, other: Edge): number {
  return (
    other.findings - one.findings ||
    other.bytesOut + other.bytesIn - (one.bytesOut + one.bytesIn) ||
    other.verdicts.deny - one.verdicts.deny ||
    other.connections - one.connections ||
    one.first.place - other.first.place
  );
}
