/**
 * Runs that talk to each other through what they share: names of folders, branches, rows, keys.
 *
 * @module
 */
import type { Event } from "../action/index.ts";
import { addTo, keyOf, touch } from "./bounded.ts";
import { defineDetector, type DetectorAbout } from "./detector.ts";
import { entropyOf, fieldOf, found, isReading, MODEL_SYSTEMS, shown, textOf } from "./found.ts";

const SHARED: DetectorAbout = {
  name: "signal.names",
  kind: "signal",
  title: "Names like messages, written by one run and read by another",
  explanation:
    "Remembers, over all runs, names like messages (a sentence, or long random text) that a run writes at a granted system, and who then reads at the same place. That is how agents talked through a package cache and a wiki in 2026: the folder's name was the message. Titles of articles and branches are sentences too, so it takes several, and another run that reads them.",
  attack: ["T1102"],
  atlas: ["AML.T0108"],
  owasp: ["ASI07", "ASI08"],
  tuning: {
    names: { value: 5, unit: "names", meaning: "written at one place within the time" },
    seconds: { value: 1800, unit: "s", meaning: "the time" },
  },
};

const PLACES_MAX = 256;
const NAMES_MAX = 64;
const READERS_MAX = 16;

interface Board {
  /** When names like messages were written, by run and name. */
  readonly names: Map<string, { readonly run: string; readonly atMs: number }>;
  readonly told: Set<string>;
}

export const signalNames = defineDetector<{
  readonly limit: { readonly names: number; readonly windowMs: number };
  readonly boards: Map<string, Board>;
}>({
  ...SHARED,
  sees: ["action"],
  scope: "home",
  start: ({ names = 5, seconds = 1800 }) => ({
    limit: { names, windowMs: seconds * 1000 },
    boards: new Map(),
  }),
  observe({ limit, boards }, event) {
    const { run = "" } = event;
    if (event.verdict !== "allow") return [];
    const object = objectOf(event);
    if (object === undefined) return [];
    const { place, names } = object;
    if (!isReading(event)) {
      const messages = names.filter(isMessage);
      if (messages.length === 0) return [];
      const board = touch<Board>(boards, place, PLACES_MAX, () => ({
        names: new Map(),
        told: new Set(),
      }));
      for (const name of messages) {
        touch(board.names, `${run} ${name}`, NAMES_MAX, () => ({ run, atMs: event.monoMs }));
      }
      return [];
    }
    // Whoever lists a folder reads the names in it, and who reads below it as well.
    for (const at of [place, parentOf(place), `${place}/${names[0] ?? ""}`]) {
      const board = boards.get(keyOf(at));
      if (board === undefined) continue;
      const writers = new Map<string, number>();
      for (const name of board.names.values()) {
        if (name.run === run || event.monoMs - name.atMs > limit.windowMs) continue;
        writers.set(name.run, (writers.get(name.run) ?? 0) + 1);
      }
      for (const [writer, count] of writers) {
        if (count < limit.names || !addTo(board.told, `${writer} ${run}`, READERS_MAX)) continue;
        const why = `${count} names like messages written by ${writer} at ${shown(at)} are read by ${run}`;
        const detection = found(SHARED, event, 0.6, why);
        return [
          detection,
          {
            kind: SHARED.kind,
            detector: SHARED.name,
            score: 0.6,
            why,
            run: writer,
            ...(event.target === undefined ? {} : { target: event.target }),
          },
        ];
      }
    }
    return [];
  },
});

/** Where an action acts, and the names that it gives there. */
function objectOf(
  event: Event,
): { readonly place: string; readonly names: readonly string[] } | undefined {
  const { target = "" } = event;
  const path = fieldOf(event, "path");
  const host = fieldOf(event, "host");
  if (path !== "") {
    const parts = path.split("/").filter((part) => part !== "");
    return { place: [host, ...parts.slice(0, -1)].join("/"), names: parts.slice(-1) };
  }
  const words = target.split(/\s+/).filter((word) => word !== "");
  return words.length === 0 ? undefined : { place: words[0] ?? "", names: words.slice(1, 9) };
}

function parentOf(place: string): string {
  return place.slice(0, Math.max(0, place.lastIndexOf("/")));
}

/** A sentence, or random text: five words or more, or 40 characters that spell nothing. */
function isMessage(name: string): boolean {
  if (name.length < 20 || name.length > 2048) return false;
  const words = name.split(/[^A-Za-z]+|(?<=[a-z])(?=[A-Z])/).filter((word) => word.length > 1);
  if (words.length >= 5) return true;
  return name.length >= 40 && /^[\w+=%.~-]+$/.test(name) && entropyOf(name) > 4;
}

const PING: DetectorAbout = {
  name: "signal.turns",
  kind: "signal",
  title: "Two runs take turns at one object",
  explanation:
    "Counts, over all runs, how often what one run wrote is read by another, which then writes, which the first then reads: a conversation through one key, row or file, or two agents that keep each other busy. Jobs that hand work on go one way.",
  attack: ["T1102"],
  atlas: ["AML.T0108", "AML.T0034.002"],
  owasp: ["ASI07", "ASI08"],
  tuning: {
    turns: { value: 6, unit: "turns", meaning: "from one run to the other" },
    seconds: { value: 3600, unit: "s", meaning: "the most between two of them" },
  },
};

interface Talk {
  writer: string;
  reader: string;
  turns: number;
  atMs: number;
}

export const signalTurns = defineDetector<{
  readonly limit: { readonly turns: number; readonly windowMs: number };
  readonly talks: Map<string, Talk>;
}>({
  ...PING,
  sees: ["action"],
  scope: "home",
  start: ({ turns = 6, seconds = 3600 }) => ({
    limit: { turns, windowMs: seconds * 1000 },
    talks: new Map(),
  }),
  observe({ limit, talks }, event) {
    const { run = "", target = "", monoMs } = event;
    if (event.verdict !== "allow" || target === "") return [];
    const talk = touch<Talk>(talks, target, PLACES_MAX, () => ({
      writer: "",
      reader: "",
      turns: 0,
      atMs: monoMs,
    }));
    if (monoMs - talk.atMs > limit.windowMs) talk.turns = 0;
    talk.atMs = monoMs;
    if (isReading(event)) {
      if (talk.writer !== "" && talk.writer !== run) talk.reader = run;
      return [];
    }
    const { writer } = talk;
    talk.writer = run;
    if (writer === "" || writer === run) return [];
    // Another writes than before: a turn, if it read what stood there.
    talk.turns = talk.reader === run ? talk.turns + 1 : 0;
    talk.reader = "";
    if (talk.turns < limit.turns) return [];
    talk.turns = 0;
    const why = `${writer} and ${run} took ${limit.turns} turns at ${shown(target)}`;
    const other = { kind: PING.kind, detector: PING.name, score: 0.5, why, run: writer, target };
    return [found(PING, event, 0.5, why), other];
  },
});

const BOARD: DetectorAbout = {
  name: "signal.board",
  kind: "signal",
  title: "Several runs write and read at one place",
  explanation:
    "Looks, over all runs, for places (a folder of a system, a table, a key, a branch) where several runs each write and read what others wrote there: a board, however harmless each name is. A registry from which many read what one publishes is none, and neither is work that is handed on. Where runs are meant to share a place, `shared:` in lineages.yaml names it.",
  attack: ["T1102"],
  atlas: ["AML.T0108"],
  owasp: ["ASI07", "ASI08"],
  tuning: {
    runs: { value: 3, unit: "runs", meaning: "that write and read there within the time" },
    seconds: { value: 1800, unit: "s", meaning: "the time" },
  },
};

const TALKERS_MAX = 64;

interface Meeting {
  /** When each run last wrote there. */
  readonly wrote: Map<string, { atMs: number }>;
  /** When each last read there what another had written. */
  readonly read: Map<string, { atMs: number }>;
  readonly told: Set<string>;
}

export const signalBoard = defineDetector<{
  readonly limit: { readonly runs: number; readonly windowMs: number };
  readonly places: Map<string, Meeting>;
  shared: readonly string[];
}>({
  ...BOARD,
  sees: ["run.start", "action"],
  scope: "home",
  start: ({ runs = 3, seconds = 1800 }) => ({
    limit: { runs, windowMs: seconds * 1000 },
    places: new Map(),
    shared: [],
  }),
  observe(state, event) {
    const { run = "", monoMs } = event;
    if (event.type === "run.start") {
      state.shared = sharedIn(event);
      return [];
    }
    if (event.verdict !== "allow" || MODEL_SYSTEMS.has(textOf(event, "kind"))) return [];
    const isRead = isReading(event);
    for (const place of placesOf(event)) {
      if (state.shared.some((start) => place.startsWith(start))) continue;
      const known = state.places.get(keyOf(place));
      if (known === undefined && isRead) continue; // Nobody wrote there.
      const meeting = touch<Meeting>(state.places, place, PLACES_MAX, () => ({
        wrote: new Map(),
        read: new Map(),
        told: new Set(),
      }));
      const isNow = ({ atMs }: { atMs: number }) => monoMs - atMs <= state.limit.windowMs;
      if (!isRead) touch(meeting.wrote, run, TALKERS_MAX, () => ({ atMs: monoMs })).atMs = monoMs;
      else if ([...meeting.wrote].some(([writer, at]) => writer !== run && isNow(at))) {
        touch(meeting.read, run, TALKERS_MAX, () => ({ atMs: monoMs })).atMs = monoMs;
      }
      const talkers = [...meeting.read].flatMap(([reader, at]) => {
        const wrote = meeting.wrote.get(reader);
        return isNow(at) && wrote !== undefined && isNow(wrote) ? [reader] : [];
      });
      if (talkers.length < state.limit.runs) continue;
      const news = talkers.filter((one) => addTo(meeting.told, one, TALKERS_MAX));
      const why = `${talkers.length} runs write and read at ${shown(place)}: ${talkers.slice(0, 5).join(", ")}`;
      if (news.length === 0) continue;
      const about = { kind: BOARD.kind, detector: BOARD.name, score: 0.5, why, target: place };
      return news.map((one) =>
        one === run ? found(BOARD, event, 0.5, why) : { ...about, run: one },
      );
    }
    return [];
  },
});

const SHARED_MAX = 200;

function sharedIn({ data = {} }: Event): readonly string[] {
  const { shared } = data;
  if (!Array.isArray(shared)) return [];
  return shared.flatMap((one) => (typeof one === "string" ? [one] : [])).slice(0, SHARED_MAX);
}

/** Where an action acts: of an operation each object, with its system; of a request the folder that it is in. */
function placesOf(event: Event): readonly string[] {
  const parts = event.data?.["parts"];
  const objects = (Array.isArray(parts) ? parts : []).flatMap((part) => {
    const object: unknown =
      typeof part === "object" && part !== null && "object" in part ? part.object : [];
    return Array.isArray(object) && object.length > 0 ? [object.slice(0, 8).join("/")] : [];
  });
  const host = fieldOf(event, "host");
  if (objects.length > 0) return [...new Set(objects)].slice(0, 8).map((one) => `${host}/${one}`);
  const at = objectOf(event);
  // Who lists a folder reads in it what others wrote.
  return at === undefined
    ? []
    : [at.place, ...at.names.slice(0, 1).map((name) => `${at.place}/${name}`)];
}
