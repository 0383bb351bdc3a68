/** What changes while one looks. */
import { useEffect, useRef, useSyncExternalStore } from "react";
import {
  connectionNow,
  listen,
  watchConnection,
  type Connection,
  type LiveEvent,
  type Topic,
} from "./live.ts";

export { listen, type Connection, type LiveEvent, type Topic };

/** Calls `on` for each event while the component is there; of a run's entries those from `from` on. */
export function useLive(topic: Topic, on: (event: LiveEvent) => void, from?: number): void {
  const latest = useRef(on);
  const start = useRef(from);
  useEffect(() => {
    latest.current = on;
    start.current = from;
  });
  useEffect(() => listen(topic, (event) => latest.current(event), start.current), [topic]);
}

/** Whether what one sees is what happens. */
export function useConnection(): Connection {
  return useSyncExternalStore(watchConnection, connectionNow);
}
