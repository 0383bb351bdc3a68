/**
 * The console's contract on one run, told: a timeline of what it did, joined by cause, its processes, and who talked to
 * what. All of it is folded from the record (src/story), so that a browser is given windows, never a hundred thousand entries.
 *
 * Every text in it may come from an agent.
 *
 * @module
 */
import { z } from "zod";
import {
  CALL_SOURCES,
  EFFECTS,
  effectSchema,
  TIED_BY,
  VERDICTS,
  verdictSchema,
} from "../../action/index.ts";
import { entrySchema } from "../endpoints.ts";

/** Items of one window, and columns of one strip. */
export const STORY_ROWS_MAX = 500;
export const STORY_BUCKETS_MAX = 480;
/** Entries of an item that are given whole. */
export const STORY_ENTRIES_MAX = 24;
const CHILDREN_MAX = 200;
const TEXT_CHARS_MAX = 200;

/** Rows of the picture, from the model's words outwards. */
export const STORY_LANES = [
  "run",
  "model",
  "tool",
  "process",
  "flow",
  "action",
  "finding",
] as const;
export type StoryLane = (typeof STORY_LANES)[number];

/** What an item is. `name`: a name was asked for. `denial`: refused below an action. `more`: what there is no room to tell apart. */
export const STORY_KINDS = [
  ...["model", "call", "process", "flow", "name", "action", "denial", "finding"],
  ...["start", "proofs", "policy", "pause", "resume", "restart", "end"],
  ...["workspace", "credential", "step", "exec", "daemon", "response", "more"],
] as const;
export type StoryKind = (typeof STORY_KINDS)[number];

const runId = z.string().regex(/^r-[0-9a-z]{1,20}$/);
/** The number of the entry that it begins with; `p` and a pid where that entry only mentions a process. */
const itemId = z.string().regex(/^\d{1,16}(?:p\d{1,10})?$/);
const count = z.int().nonnegative();
const ms = z.number().nonnegative();

/** What one thing did or was, of all entries about it. */
export const storyItemSchema = z.strictObject({
  id: itemId,
  lane: z.enum(STORY_LANES),
  kind: z.enum(STORY_KINDS),
  /** Milliseconds since the run's first entry, by the recorder's clock. */
  ms,
  /** Its last entry so far. Of a process that is when it was last seen: nothing tells its end. */
  endMs: ms,
  /** More may come: a connection is open, a call gave nothing yet. */
  isOpen: z.boolean(),
  /** What it came of: the turn of a call, the call or parent of a process, the process of a flow, the flow of an action. */
  parent: itemId.optional(),
  /** The tool call that it belongs to, where the record ties it to one, and how. */
  call: itemId.optional(),
  tie: z.strictObject({ by: z.enum(TIED_BY), confidence: z.number() }).optional(),
  /** What it is, in the words of whoever did it: a command, a target, a call's input. Cut. */
  label: z.string(),
  /** The tool, the verb, the finding's kind, the model: one word. */
  name: z.string().optional(),
  system: z.string().optional(),
  effects: z.array(effectSchema).optional(),
  verdict: verdictSchema.optional(),
  rule: z.string().optional(),
  /** What became of it: an approval's state, why a connection closed, how a run ended. */
  state: z.string().optional(),
  status: z.number().optional(),
  approval: z.string().optional(),
  source: z.enum(CALL_SOURCES).optional(),
  by: z.strictObject({ pid: count, exe: z.string() }).optional(),
  bytesOut: count.optional(),
  bytesIn: count.optional(),
  /** Of a model's turn: what it cost, and the tool calls in its answer. */
  tokens: z.strictObject({ in: count.optional(), out: count.optional() }).optional(),
  calls: count.optional(),
  /** How many it stands for: equal denials, repeated reads. */
  count,
  /** How often it was refused itself, and what was found about it. */
  refused: count,
  findings: count,
  entries: z.strictObject({ first: count, last: count, count }),
});
export type StoryItem = z.infer<typeof storyItemSchema>;

/** Every member must hold, and of a member's several values one. */
export const storyFilterSchema = z.strictObject({
  /** Occurs in what an item says, in any case. */
  text: z.string().max(TEXT_CHARS_MAX).optional(),
  lanes: z.array(z.enum(STORY_LANES)).optional(),
  effects: z.array(effectSchema).optional(),
  verdicts: z.array(verdictSchema).optional(),
  systems: z.array(z.string()).optional(),
  /** Only what was refused, and findings. */
  refused: z.boolean().optional(),
  /** Only this item and what came of it. */
  under: itemId.optional(),
});
export type StoryFilter = z.infer<typeof storyFilterSchema>;

const window = { run: runId, from: ms.optional(), to: ms.optional(), filter: storyFilterSchema };

/** How far the run is told. */
const storyHead = {
  /** RFC 3339 of its first entry. */
  startedAt: z.string(),
  lengthMs: ms,
  /** The same up to its end; what comes after that is about its workspace and its approvals. */
  spanMs: ms,
  /** The last entry in it; -1 where the record has none of this run. */
  through: z.int().gte(-1),
  /** Items in all, of the whole run. */
  items: count,
  /** Whether it is told up to now; a long one is told in parts, and one asks again. */
  isWhole: z.boolean(),
};

const column = z.array(count);

/** Of items over time: how many began in each bucket. */
export const storyStripSchema = z.strictObject({
  ...storyHead,
  fromMs: ms,
  stepMs: ms,
  lanes: z.record(z.enum(STORY_LANES), column),
  verdicts: z.record(z.enum(VERDICTS), column),
  effects: z.partialRecord(z.enum(EFFECTS), column),
  findings: column,
  /** Of the whole run, for choosing: the systems that it named, most used first. */
  systems: z.array(z.strictObject({ name: z.string(), count })),
  /** Usage as sampled: the most processors in use in each bucket, in cores; -1 where it is not known. */
  cpu: z.array(z.number()),
});
export type StoryStrip = z.infer<typeof storyStripSchema>;

/** A process, with what it reached. */
export const storyProcessSchema = z.strictObject({
  id: itemId,
  pid: count,
  depth: count,
  exe: z.string(),
  argv: z.array(z.string()),
  ms,
  endMs: ms,
  /** How many processes a row stands for: equal ones that started nothing and were refused nothing. */
  count,
  /** Images executed by it, one after the other. */
  execs: count,
  call: itemId.optional(),
  callName: z.string().optional(),
  /** The most cores it was seen to use. */
  cpu: z.number().optional(),
  children: count,
  flows: count,
  actions: count,
  refused: count,
  findings: count,
  /** The same of all below it. */
  below: z.strictObject({ processes: count, refused: count, findings: count }),
  /** The hosts that it went for, at most a few. */
  reached: z.array(z.string()),
});
export type StoryProcess = z.infer<typeof storyProcessSchema>;

/** Either side of the map. */
const mapNode = z.strictObject({
  id: z.string(),
  label: z.string(),
  /** The item that it is, or the first that speaks of it. */
  item: itemId.optional(),
});

/** What went between an actor and a place. */
export const mapEdgeSchema = z.strictObject({
  from: z.string(),
  to: z.string(),
  connections: count,
  actions: count,
  /** Bytes that reached the other side, and that came back from it. */
  bytesOut: count,
  bytesIn: count,
  allow: count,
  confirm: count,
  deny: count,
  findings: count,
  systems: z.array(z.string()),
  /** The first item of it. */
  item: itemId,
});
export type MapEdge = z.infer<typeof mapEdgeSchema>;

export const storyMapSchema = z.strictObject({
  through: z.int().gte(-1),
  actors: z.array(mapNode),
  places: z.array(mapNode),
  edges: z.array(mapEdgeSchema),
  /** Edges for which there is no room, and what is on them. */
  left: z.strictObject({ edges: count, bytesOut: count, bytesIn: count, deny: count }),
});
export type StoryMap = z.infer<typeof storyMapSchema>;

export const RUN_ENDPOINTS = {
  /** The items of a window, oldest first, from `offset` on. */
  "run.timeline": {
    needs: "viewer",
    takes: z.strictObject({
      ...window,
      offset: count,
      limit: z.int().min(1).max(STORY_ROWS_MAX),
    }),
    gives: z.strictObject({
      ...storyHead,
      /** Items in the window. */
      matched: count,
      offset: count,
      rows: z.array(storyItemSchema),
    }),
    streams: false,
  },
  /** How dense a window is; that of the whole run where none is named. */
  "run.strip": {
    needs: "viewer",
    takes: z.strictObject({ ...window, buckets: z.int().min(1).max(STORY_BUCKETS_MAX) }),
    gives: storyStripSchema,
    streams: false,
  },
  /** Where in a window something is: an entry's item, a time, the finding next to an item. */
  "run.locate": {
    needs: "viewer",
    takes: z.strictObject({
      ...window,
      find: z.union([
        z.strictObject({ entry: count }),
        z.strictObject({ ms }),
        z.strictObject({ item: itemId }),
        z.strictObject({ finding: z.enum(["next", "previous"]), of: itemId.optional() }),
      ]),
    }),
    gives: z.strictObject({ at: z.strictObject({ offset: count, id: itemId }).optional() }),
    streams: false,
  },
  /** One item: what led to it, up to the model's words, what came of it, and its entries. */
  "run.item": {
    needs: "viewer",
    takes: z.strictObject({ run: runId, id: itemId }),
    gives: z.strictObject({
      item: storyItemSchema,
      /** What it came of, nearest first. */
      chain: z.array(storyItemSchema),
      children: z.array(storyItemSchema).max(CHILDREN_MAX),
      childrenLeft: count,
      /** The first and the last of its entries, as they are on record. */
      entries: z.array(entrySchema).max(STORY_ENTRIES_MAX),
    }),
    streams: false,
  },
  /** Processes as a tree in order, parents first. */
  "run.processes": {
    needs: "viewer",
    takes: z.strictObject({ run: runId, refused: z.boolean().optional() }),
    gives: z.strictObject({
      through: z.int().gte(-1),
      processes: count,
      rows: z.array(storyProcessSchema),
      /** Processes for which there is no row. */
      left: count,
    }),
    streams: false,
  },
  "run.map": {
    needs: "viewer",
    takes: z.strictObject({ run: runId, by: z.enum(["program", "call"]) }),
    gives: storyMapSchema,
    streams: false,
  },
} as const;
