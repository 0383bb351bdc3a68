/**
 * A run's entries, one after the other, folded into items joined by cause: model turn, tool call, process, flow, action,
 * finding. Each entry belongs to one item, and costs the same whatever came before it.
 *
 * What a run does without end is bounded: equal things that follow one another are one item with a count, a sweep is told
 * apart only at its beginning, and beyond {@link ITEMS_MAX} there is one item of each lane for the rest. An entry whose flow
 * or call is not known stands for itself.
 *
 * @module
 */
import type { Entry, StoryKind, StoryLane } from "../api/index.ts";
import { Remembered } from "./bounded.ts";
import { Groups } from "./groups.ts";
import { noteEntry, type Told } from "./item.ts";
import { addBytes, byOf, OF_RUN, processOf, said, sourceOf, tieOf } from "./of-entry.ts";
import { Processes } from "./processes.ts";
import { Traffic, nameSystem } from "./traffic.ts";
import { Usage } from "./usage.ts";
import { countOf, cut, effectsOf, hostOf, inputWords, listOf, textOf, wordOf } from "./values.ts";

/** Items of one run. */
export const ITEMS_MAX = 150_000;
/** States of an approval in which nothing came of it by a person's will, or for want of it. */
const REFUSED_STATES: ReadonlySet<string> = new Set(["denied", "expired", "cancelled"]);
const OVER_STATES: ReadonlySet<string> = new Set([...REFUSED_STATES, "performed", "failed"]);
const READS: ReadonlySet<string> = new Set(["read", "read-private"]);
const [SYSTEMS_MAX, REACHED_MAX] = [256, 8] as const; // Of a run, and of one item.
const LANE_DIGITS: Readonly<Record<StoryLane, number>> = {
  ...{ run: 0, model: 1, tool: 2, process: 3, flow: 4, action: 5, finding: 6 },
};

interface Beginning {
  readonly lane: StoryLane;
  readonly kind: StoryKind;
  readonly label: string;
  readonly parent?: Told | undefined;
  readonly isOpen?: boolean;
  readonly id?: string;
}

/** One run, told. */
export class Story {
  readonly items: Told[] = [];
  readonly traffic = new Traffic();
  readonly usage = new Usage();
  readonly processes: Processes;
  /** How often each system is named. */
  readonly systems = new Map<string, number>();
  startedAt = "";
  /** The last entry that was folded. */
  through = -1;
  lengthMs = 0;
  hasEnded = false;
  /** When it ended; what is done with its workspace and its approvals comes after that. */
  #endedMs = 0;
  #baseMs = 0;
  readonly #byId = new Map<string, Told>();
  readonly #flows = new Remembered<string, Told>();
  readonly #actions = new Remembered<string, Told>();
  readonly #calls = new Remembered<string, Told>();
  readonly #findings = new Remembered<number, Told>();
  readonly #groups = new Groups();
  readonly #models = new Set<string>();

  constructor() {
    this.processes = new Processes((entry, beginning) => this.#begin(entry, beginning));
  }

  /** How long the run itself took so far. */
  get spanMs(): number {
    return this.hasEnded ? this.#endedMs : this.lengthMs;
  }

  item(id: string): Told | undefined {
    return this.#byId.get(id);
  }

  /** Takes the next entry of the run; one that was taken already changes nothing. */
  add(entry: Entry): void {
    if (entry.seq <= this.through) return;
    if (this.through < 0) {
      this.startedAt = entry.at;
      this.#baseMs = entry.monoMs;
    }
    this.through = entry.seq;
    const since = entry.monoMs - this.#baseMs;
    // Another daemon's clock may begin anew; a story goes on.
    if (since > this.lengthMs && Number.isFinite(since)) this.lengthMs = since;
    if (entry.system !== undefined) this.#nameSystem(entry.system);
    const told = this.#fold(entry);
    if (told !== undefined) noteEntry(told, entry, this.lengthMs);
  }

  #fold(entry: Entry): Told | undefined {
    switch (entry.type) {
      case "model":
        return this.#model(entry);
      case "tool.call":
        return this.#call(entry);
      case "tool.result":
        return this.#result(entry);
      case "process.start":
        return this.#process(entry);
      case "dns":
        return this.#name(entry);
      case "flow.open":
        return this.#open(entry);
      case "flow.out":
        return this.#flows.get(entry.flow ?? "") ?? this.#open(entry);
      case "flow.close":
        return this.#close(entry);
      case "action":
        return this.#action(entry);
      case "approval":
        return this.#approval(entry);
      case "outcome":
        return this.#outcome(entry);
      case "repeat":
        return this.#repeat(entry);
      case "denial":
        return this.#denial(entry);
      case "finding":
        return this.#finding(entry);
      case "response":
        return this.#response(entry);
      case "usage":
        this.usage.add(this.lengthMs, entry.data);
        this.processes.use(entry.data);
        return undefined;
      case "lineage":
        return undefined; // Of no single run: each has its own pause.
      default:
        return this.#ofRun(entry, entry.type);
    }
  }

  #begin(entry: Entry, { lane, kind, label, parent, isOpen = false, id }: Beginning): Told {
    const call =
      this.#callOf(entry) ?? parent?.call ?? (parent?.kind === "call" ? parent : undefined);
    if (this.items.length >= ITEMS_MAX) return this.#rest(entry, lane);
    const told: Told = {
      ...{ id: id ?? String(entry.seq), place: this.items.length, lane, kind, label: cut(label) },
      ...{ ms: this.lengthMs, endMs: this.lengthMs, isOpen, parent, call, tie: tieOf(entry) },
      ...{ count: 0, refused: 0, findings: 0, seqs: [], lastSeqs: [], entries: 0 },
    };
    if (entry.system !== undefined && entry.system !== "none") told.system = cut(entry.system, 120);
    this.items.push(told);
    this.#byId.set(told.id, told);
    return told;
  }

  /** What there is no room to tell apart. */
  #rest(entry: Entry, lane: StoryLane): Told {
    const id = `${this.items[0]?.id.split("p")[0] ?? 0}p${999_999_990 + LANE_DIGITS[lane]}`;
    const known = this.#byId.get(id);
    if (known !== undefined) return known;
    const told: Told = {
      ...{ id, place: this.items.length, lane, kind: "more", label: "", isOpen: false },
      ...{ ms: this.lengthMs, endMs: this.lengthMs, parent: undefined, call: undefined },
      ...{ tie: undefined, count: 0, refused: 0, findings: 0, seqs: [], lastSeqs: [], entries: 0 },
    };
    this.items.push(told);
    this.#byId.set(id, told);
    return told;
  }

  #nameSystem(system: string): void {
    const name = cut(system, 120);
    const before = this.systems.get(name);
    if (before !== undefined || this.systems.size < SYSTEMS_MAX)
      this.systems.set(name, (before ?? 0) + 1);
  }

  #callOf({ cause }: Entry): Told | undefined {
    const call = cause?.call;
    return call === undefined ? undefined : this.#calls.get(`${call.source} ${call.id}`);
  }

  #processOf(entry: Entry): Told | undefined {
    const told = this.processes.of(entry);
    if (told !== undefined) told.endMs = this.lengthMs;
    return told;
  }

  /** What `entry` came of: the nearest that is known. */
  #originOf(entry: Entry): Told | undefined {
    return this.#flows.get(entry.flow ?? "") ?? this.#processOf(entry) ?? this.#callOf(entry);
  }

  #grouped(key: string, begin: () => Told): Told {
    return this.#groups.one(key, this.lengthMs, begin);
  }

  /** The turn of an exchange: its action is nothing else. */
  #turn(entry: Entry): Told {
    const known = this.#actions.get(entry.action ?? "");
    const told =
      known ??
      this.#begin(entry, {
        ...{ lane: "model", kind: "model", isOpen: true, parent: this.#originOf(entry) },
        label: entry.target ?? "",
      });
    if (told.kind === "action") {
      told.lane = "model";
      told.kind = "model";
    }
    if (known === undefined) {
      told.count = 1;
      if (entry.action !== undefined) this.#actions.set(entry.action, told);
    }
    return told;
  }

  #model(entry: Entry): Told {
    const told = this.#turn(entry);
    const { data } = entry;
    if (entry.system !== undefined && this.#models.size < SYSTEMS_MAX)
      this.#models.add(entry.system);
    told.name = wordOf(data, "model") || wordOf(data, "provider");
    const unread = textOf(data, "unread");
    if (unread !== "") told.state = `unread: ${unread}`;
    else if (wordOf(data, "stop") !== "") told.state = wordOf(data, "stop");
    told.calls = countOf(data, "calls") ?? told.calls;
    const tokens = data?.["tokens"];
    if (typeof tokens !== "object" || tokens === null || Array.isArray(tokens)) return told;
    const [sent, given] = [countOf(tokens, "in"), countOf(tokens, "out")];
    told.tokens = {
      ...(sent === undefined ? {} : { in: sent }),
      ...(given === undefined ? {} : { out: given }),
    };
    return told;
  }

  #call(entry: Entry): Told {
    const { data, action } = entry;
    const source = sourceOf(entry);
    // A call through MCP is what an agent does; one in a model's answer is what it was told to do.
    const parent =
      source === "model" && action !== undefined ? this.#turn(entry) : this.#originOf(entry);
    const told = this.#begin(entry, {
      ...{ lane: "tool", kind: "call", label: inputWords(data), parent, isOpen: true },
    });
    told.count += countOf(data, "merged") ?? 1;
    if (told.kind !== "call") return told;
    told.name = wordOf(data, "name");
    told.source = source;
    const id = data?.["call"];
    // Its own entry is tied to itself, or to what had that id before.
    if (entry.cause?.call?.id === id) Object.assign(told, { call: parent?.call, tie: undefined });
    if (typeof id === "string") this.#calls.set(`${source} ${id}`, told);
    return told;
  }

  #result(entry: Entry): Told {
    const { data } = entry;
    const id = data?.["call"];
    const known = this.#calls.get(`${sourceOf(entry)} ${typeof id === "string" ? id : ""}`);
    const told =
      known ??
      this.#begin(entry, {
        ...{ lane: "tool", kind: "call", parent: this.#originOf(entry) },
        label: textOf(data, "excerpt"),
      });
    // Nobody has seen that call; the agent claims what it gave.
    if (known === undefined) Object.assign(told, { count: told.count + 1, state: "never called" });
    else told.state = data?.["isError"] === true ? "error" : "result";
    told.isOpen = false;
    return told;
  }

  // --- What processes do

  #process(entry: Entry): Told {
    const told = this.processes.started(entry, this.#callOf(entry));
    told.count = Math.max(told.count, 1) + (countOf(entry.data, "merged") ?? 1) - 1;
    return told;
  }

  #name(entry: Entry): Told {
    const name = entry.target ?? textOf(entry.data, "name");
    const rcode = wordOf(entry.data, "rcode");
    const told = this.#grouped(this.#groups.keyOf("name", name), () =>
      this.#begin(entry, { lane: "flow", kind: "name", label: name }),
    );
    told.name = wordOf(entry.data, "type");
    if (rcode !== "") told.state = rcode;
    told.count += countOf(entry.data, "merged") ?? 1;
    return told;
  }

  #open(entry: Entry): Told {
    const process = this.#processOf(entry);
    const parent = process ?? this.#callOf(entry);
    const label = entry.target ?? "";
    const told = this.#begin(entry, { lane: "flow", kind: "flow", label, parent, isOpen: true });
    told.count += 1;
    told.by ??= byOf(entry.process);
    told.name ??= wordOf(entry.data, "direction") === "in" ? "in" : wordOf(entry.data, "protocol");
    if (entry.flow !== undefined) this.#flows.set(entry.flow, told);
    this.#reach(entry, told, process).forEach((edge) => (edge.connections += 1));
    if (process?.process !== undefined) process.process.flows += 1;
    return told;
  }

  #close(entry: Entry): Told {
    const { data } = entry;
    const told = this.#flows.get(entry.flow ?? "") ?? this.#open(entry);
    told.isOpen = false;
    told.state = textOf(data, "reason");
    const out = countOf(data, "upstreamOut") ?? countOf(data, "bytesOut") ?? 0;
    const back = countOf(data, "upstreamIn") ?? countOf(data, "bytesIn") ?? 0;
    addBytes(told, out, back);
    return told;
  }

  #action(entry: Entry): Told {
    const { action, data, verdict } = entry;
    const known = this.#actions.get(action ?? "");
    // What was approved is judged again where it is performed: the same action.
    if (known !== undefined) {
      if (verdict === "allow" && known.verdict === "confirm") known.state = "approved";
      return known;
    }
    const parent = this.#originOf(entry);
    const effects = effectsOf(data);
    const begin = () =>
      this.#begin(entry, {
        ...{ lane: "action", kind: "action", parent, isOpen: verdict !== "deny" },
        label: entry.target ?? textOf(data, "summary"),
      });
    const isRead =
      verdict === "allow" && effects.length > 0 && effects.every((one) => READS.has(one));
    const key = `action ${parent?.id} ${entry.rule} ${wordOf(data, "verb")} ${entry.target}`;
    const told =
      isRead && !this.#models.has(entry.system ?? "") ? this.#grouped(key, begin) : begin();
    told.count += 1;
    told.name ??= wordOf(data, "verb");
    told.effects ??= effects;
    told.verdict ??= verdict;
    if (entry.rule !== undefined) told.rule ??= cut(entry.rule, 200);
    told.by ??= byOf(entry.process);
    if (action !== undefined) this.#actions.set(action, told);
    const process = this.#processOf(entry);
    if (process?.process !== undefined) process.process.actions += 1;
    for (const edge of this.#reach(entry, told, process)) {
      edge.actions += 1;
      if (verdict !== undefined) edge.verdicts[verdict] += 1;
      if (told.system !== undefined) nameSystem(edge, told.system);
    }
    if (verdict === "deny") this.#refuse(told, process, 1);
    return told;
  }

  /** The action that an entry speaks of, told by it where nothing did before. */
  #actionOf(entry: Entry): Told {
    const known = this.#actions.get(entry.action ?? "");
    if (known !== undefined) return known;
    const told = this.#begin(entry, {
      ...{ lane: "action", kind: "action", parent: this.#originOf(entry), isOpen: true },
      label: entry.target ?? "",
    });
    told.count += 1;
    told.name ??= wordOf(entry.data, "verb");
    told.effects ??= effectsOf(entry.data);
    told.by ??= byOf(entry.process);
    if (entry.action !== undefined) this.#actions.set(entry.action, told);
    return told;
  }

  #approval(entry: Entry): Told {
    const told = this.#actionOf(entry);
    const state = wordOf(entry.data, "state");
    const wasRefused = REFUSED_STATES.has(told.state ?? "");
    told.state = state;
    told.approval = wordOf(entry.data, "approval");
    told.verdict ??= "confirm";
    if (OVER_STATES.has(state)) told.isOpen = false;
    if (REFUSED_STATES.has(state) && !wasRefused) this.#refuse(told, processOf(told), 1);
    return told;
  }

  #outcome(entry: Entry): Told {
    const { data } = entry;
    const told = this.#actionOf(entry);
    told.isOpen = false;
    const status = data?.["status"];
    if (typeof status === "number" && Number.isFinite(status)) told.status = status;
    const failed = textOf(data, "detail") || wordOf(data, "code") || wordOf(data, "failed");
    const hasFailed = data?.["failed"] !== undefined || data?.["code"] !== undefined;
    if (hasFailed && failed !== "") told.state = `failed: ${failed}`;
    else if (!OVER_STATES.has(told.state ?? "")) told.state = "performed";
    const [out, back] = [countOf(data, "bytesOut") ?? 0, countOf(data, "bytesIn") ?? 0];
    // The bytes of a connection are counted when it closes; what has none of its own is counted here.
    const isOwn = entry.flow === undefined && told.parent?.kind !== "flow";
    addBytes(told, out, back, isOwn ? told.edges : []);
    return told;
  }

  #repeat(entry: Entry): Told {
    const told = this.#actionOf(entry);
    told.count += countOf(entry.data, "count") ?? 0;
    return told;
  }

  // --- What was refused and noticed

  #denial(entry: Entry): Told {
    const { rule = "", target = "", data, action } = entry;
    const process = this.#processOf(entry);
    const times = countOf(data, "merged") ?? 1;
    const known = this.#actions.get(action ?? "");
    if (known !== undefined) {
      // It tells why an action was refused that is counted as that already.
      if (rule !== "approval-pending" && known.refused === 0) this.#refuse(known, process, times);
      if (known.verdict === "deny") known.isOpen = false;
      return known;
    }
    const parent = this.#originOf(entry);
    const told = this.#grouped(this.#groups.keyOf(`denial ${parent?.id} ${rule}`, target), () =>
      this.#begin(entry, { lane: "action", kind: "denial", label: target, parent }),
    );
    told.count += times;
    told.name ??= wordOf(data, "title");
    told.rule ??= cut(rule, 200);
    told.verdict = "deny";
    told.state ??= textOf(data, "reason");
    told.by ??= byOf(entry.process);
    const effects = effectsOf(data);
    if (effects.length > 0) told.effects ??= effects;
    for (const edge of this.#reach(entry, told, process)) edge.verdicts.deny += times;
    this.#refuse(told, process, times);
    return told;
  }

  #finding(entry: Entry): Told {
    const { target = "", data, rule = "" } = entry;
    const about = this.#actions.get(entry.action ?? "") ?? this.#originOf(entry);
    const times = countOf(data, "merged") ?? 1;
    const detail = textOf(data, "detail") || target;
    const key = `finding ${about?.id} ${rule} ${wordOf(data, "detector")} ${detail}`;
    const told = this.#grouped(key, () =>
      this.#begin(entry, { lane: "finding", kind: "finding", label: detail, parent: about }),
    );
    told.count += times;
    told.name ??= wordOf(data, "finding") || "unknown";
    told.rule ??= cut(rule, 200);
    told.by ??= byOf(entry.process);
    this.#findings.set(entry.seq, told);
    const process = this.#processOf(entry) ?? (about === undefined ? undefined : processOf(about));
    if (about !== undefined) about.findings += times;
    if (process?.process !== undefined) process.process.findings += times;
    for (const edge of about?.edges ?? []) edge.findings += times;
    return told;
  }

  #response(entry: Entry): Told {
    const { data } = entry;
    const known = this.#findings.get(countOf(data, "finding") ?? -1);
    const responses = listOf(data, "responses");
    const state = responses || (data?.["evidence"] === undefined ? "" : "evidence kept");
    const told =
      known ??
      this.#begin(entry, { lane: "finding", kind: "response", label: wordOf(data, "kind") });
    if (known === undefined) told.count += 1;
    if (responses !== "" || told.state === undefined) told.state = state;
    return told;
  }

  // --- The run itself

  #ofRun(entry: Entry, type: keyof typeof OF_RUN): Told {
    const kind = OF_RUN[type];
    if (kind === "end") {
      this.hasEnded = true;
      this.#endedMs = this.lengthMs;
    }
    if (kind === "restart" || kind === "start") this.hasEnded = false;
    const label = said(entry);
    const told = this.#begin(entry, { lane: "run", kind, label });
    told.count += 1;
    return told;
  }

  /** Where it leads to, on the map. */
  #reach(entry: Entry, told: Told, process: Told | undefined): NonNullable<Told["edges"]> {
    const flow = this.#flows.get(entry.flow ?? "");
    const place = hostOf((flow?.kind === "flow" ? flow.label : entry.target) ?? "");
    if (place === "" || told.kind === "more") return [];
    const reached = process?.process?.reached;
    if (reached !== undefined && reached.size < REACHED_MAX) reached.add(place);
    told.edges ??= this.traffic.edgesOf(told, place, process);
    return told.edges;
  }

  #refuse(told: Told, process: Told | undefined, times: number): void {
    told.refused += times;
    if (process?.process !== undefined) process.process.refused += times;
  }
}
