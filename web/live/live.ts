/**
 * The tab's one stream of events (`GET /api/stream`), read by fetch: an EventSource would send the page's key in its address. Its topics are those that screens listen to now; a hidden tab
 * listens to nothing, since a browser has six connections for a host and all its tabs.
 *
 * Entries of a run are resumed where they were left, however the stream was opened anew; whatever else has a state comes
 * whole when it opens, or it is said that it has to be read anew (`approvals`). What comes is told once for each frame, so that a burst is painted once.
 *
 * @module
 */

import { createParser, type EventSourceMessage } from "eventsource-parser";
import { pageKey, PAGE_KEY_HEADER } from "../calls/index.ts";

/** `now`, `approvals`, `ledger`, or `run=r-...`. */
export type Topic = string;
export type LiveEvent = { readonly event: string; readonly data: unknown };
/** `paused`: the tab is hidden, or nobody listens. */
export type Connection = "live" | "opening" | "lost" | "paused";
type Listener = (event: LiveEvent) => void;

/** Screens come and go together; the stream is opened once for all of them. */
const SETTLE_MS = 20;
/** Until a stream that ended, or was refused, is tried again: twice as long each time. */
const AGAIN_MS = 1000;
const AGAIN_MS_MAX = 30_000;

const listeners = new Map<Topic, Set<Listener>>();
/** Where each run's entries go on. */
const resumes = new Map<Topic, string>();
const watchers = new Set<() => void>();
/** Of the stream that is open, or opening. */
let source: AbortController | undefined;
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
  if (wanted === opened && source !== undefined) return;
  source?.abort();
  source = undefined;
  opened = wanted;
  if (wanted === "") {
    say("paused");
    return;
  }
  say("opening");
  const run = topics.find((topic) => topic.startsWith("run="));
  const from = run === undefined ? undefined : resumes.get(run);
  const own = new AbortController();
  source = own;
  const onMessage = ({ event = "", data, id }: EventSourceMessage) => {
    if (source !== own) return;
    if (event === "entries" && run !== undefined && id !== undefined) resumes.set(run, id);
    queue.push({ event, data: JSON.parse(data) as unknown });
    if (isFramed) return;
    isFramed = true;
    requestAnimationFrame(tell);
  };
  // However it ends, a network that is away or a session that is over, it is tried again.
  const again = () => {
    if (source !== own) return;
    source = undefined;
    say("lost");
    settle(againMs);
    againMs = Math.min(2 * againMs, AGAIN_MS_MAX);
  };
  const address = `/api/stream?${wanted}${from === undefined ? "" : `&from=${from}`}`;
  void read(address, own.signal, onMessage).then(again, again);
}

/** Reads one stream to its end. */
async function read(
  address: string,
  signal: AbortSignal,
  onEvent: (message: EventSourceMessage) => void,
): Promise<void> {
  const response = await fetch(address, { headers: { [PAGE_KEY_HEADER]: pageKey() }, signal });
  if (!response.ok || response.body === null) return;
  againMs = AGAIN_MS;
  say("live");
  const parser = createParser({ onEvent });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    parser.feed(value);
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
