/**
 * Runs that talk to each other through what they share: names of folders, branches, rows, keys.
 *
 * @module
 */
import type { Event } from "../action/index.ts";
import { addTo, keyOf, touch } from "./bounded.ts";
import { defineDetector, type DetectorAbout } from "./detector.ts";
import { entropyOf, fieldOf, found, isReading, shown } from "./found.ts";

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
