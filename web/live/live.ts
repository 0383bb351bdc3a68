/**
 * The tab's one stream of events (`GET /api/stream`). Its topics are those that screens listen to now; a hidden tab
 * listens to nothing, since a browser has six connections for a host and all its tabs.
 *
 * Entries of a run are resumed where they were left, however the stream was opened anew; whatever else has a state comes
 * whole when it opens. What comes is told once for each frame, so that a burst is painted once.
 *
 * @module
 */

import { pageKey } from "../calls/index.ts";

/** `now`, `approvals`, `ledger`, or `run=r-...`. */
export type Topic = string;
export type LiveEvent = { readonly event: string; readonly data: unknown };
/** `paused`: the tab is hidden, or nobody listens. */
export type Connection = "live" | "opening" | "lost" | "paused";
type Listener = (event: LiveEvent) => void;

const EVENTS = ["approval", "entries", "cards", "head", "failed"];
/** Screens come and go together; the stream is opened once for all of them. */
const SETTLE_MS = 20;
/** Until a stream that the server refused is tried again: twice as long each time. */
const AGAIN_MS = 1000;
const AGAIN_MS_MAX = 30_000;

const listeners = new Map<Topic, Set<Listener>>();
/** Where each run's entries go on. */
const resumes = new Map<Topic, string>();
const watchers = new Set<() => void>();
let source: EventSource | undefined;
let opened = "";
let connection: Connection = "paused";
let settling: ReturnType<typeof setTimeout> | undefined;
let againMs = AGAIN_MS;
let queue: LiveEvent[] = [];
let isFramed = false;

/**
 * Listens to a topic until the answer is called. Of a run's entries those from `from` on come, or those that happen from
 * now on.
 */
export function listen(topic: Topic, listener: Listener, from?: number): () => void {
  const own = listeners.get(topic) ?? new Set();
  if (own.size === 0 && from !== undefined) resumes.set(topic, String(from));
  listeners.set(topic, own.add(listener));
  settle();
  return () => {
    own.delete(listener);
    if (own.size === 0) {
      listeners.delete(topic);
      resumes.delete(topic);
    }
    settle();
  };
}

export function connectionNow(): Connection {
  return connection;
}

/** Calls `watcher` when the connection changes; for useSyncExternalStore. */
export function watchConnection(watcher: () => void): () => void {
  watchers.add(watcher);
  return () => void watchers.delete(watcher);
}

function settle(ms = SETTLE_MS): void {
  clearTimeout(settling);
  settling = setTimeout(open, ms);
}

function open(): void {
  const topics = document.hidden ? [] : [...listeners.keys()].sort();
  const wanted = topics.join("&");
  if (wanted === opened && source !== undefined && source.readyState !== EventSource.CLOSED) return;
  source?.close();
  source = undefined;
  opened = wanted;
  if (wanted === "") {
    say("paused");
    return;
  }
  say("opening");
  const run = topics.find((topic) => topic.startsWith("run="));
  const from = run === undefined ? undefined : resumes.get(run);
  const stream = new EventSource(
    `/api/stream?${wanted}${from === undefined ? "" : `&from=${from}`}&key=${pageKey()}`,
  );
  source = stream;
  stream.addEventListener("open", () => {
    againMs = AGAIN_MS;
    say("live");
  });
  stream.addEventListener("error", () => {
    say("lost");
    // The browser tries again by itself, unless it was refused: a session that is over, a console that ended.
    if (stream.readyState !== EventSource.CLOSED || stream !== source) return;
    settle(againMs);
    againMs = Math.min(2 * againMs, AGAIN_MS_MAX);
  });
  for (const event of EVENTS) {
    stream.addEventListener(event, ({ data, lastEventId }: MessageEvent<string>) => {
      if (stream !== source) return;
      if (event === "entries" && run !== undefined) resumes.set(run, lastEventId);
      queue.push({ event, data: JSON.parse(data) as unknown });
      if (isFramed) return;
      isFramed = true;
      requestAnimationFrame(tell);
    });
  }
}

function tell(): void {
  isFramed = false;
  const told = queue;
  queue = [];
  for (const event of told) {
    for (const own of listeners.values()) for (const listener of own) listener(event);
  }
}

function say(next: Connection): void {
  if (next === connection) return;
  connection = next;
  for (const watcher of watchers) watcher();
}

document.addEventListener("visibilitychange", () => settle());
