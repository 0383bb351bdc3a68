/**
 * The tab's one stream of events (`GET /api/stream`). Its topics are those that screens listen to now; a hidden tab
 * listens to nothing, since a browser has six connections for a host and all its tabs.
 *
 * @module
 */

/** `now`, `approvals`, `ledger`, or `run=r-...`. */
export type Topic = string;
export type LiveEvent = { readonly event: string; readonly data: unknown };
type Listener = (event: LiveEvent) => void;

const EVENTS = ["approval", "entries", "cards", "head", "failed"];
/** Screens come and go together; the stream is opened once for all of them. */
const SETTLE_MS = 20;

const listeners = new Map<Topic, Set<Listener>>();
let source: EventSource | undefined;
let opened = "";
let settling: ReturnType<typeof setTimeout> | undefined;

/** Listens to a topic until the answer is called. */
export function listen(topic: Topic, listener: Listener): () => void {
  const own = listeners.get(topic) ?? new Set();
  listeners.set(topic, own.add(listener));
  settle();
  return () => {
    own.delete(listener);
    if (own.size === 0) listeners.delete(topic);
    settle();
  };
}

function settle(): void {
  clearTimeout(settling);
  settling = setTimeout(open, SETTLE_MS);
}

function open(): void {
  const wanted = document.hidden ? "" : [...listeners.keys()].sort().join("&");
  if (wanted === opened) return;
  source?.close();
  source = undefined;
  opened = wanted;
  if (wanted === "") return;
  source = new EventSource(`/api/stream?${wanted}`);
  for (const event of EVENTS) {
    source.addEventListener(event, ({ data }: MessageEvent<string>) => {
      const parsed = { event, data: JSON.parse(data) as unknown };
      for (const own of listeners.values()) for (const listener of own) listener(parsed);
    });
  }
}

document.addEventListener("visibilitychange", settle);
