/** What changes while one looks. */
import { useEffect, useRef } from "react";
import { listen, type LiveEvent, type Topic } from "./live.ts";

export { listen, type LiveEvent, type Topic };

/** Calls `on` for each event while the component is there. */
export function useLive(topic: Topic, on: (event: LiveEvent) => void): void {
  const latest = useRef(on);
  useEffect(() => {
    latest.current = on;
  });
  useEffect(() => listen(topic, (event) => latest.current(event)), [topic]);
}
