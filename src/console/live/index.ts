/** What comes: one tail of the record and one list of runs for all tabs, and what each tab is told of them. */
export { openLive, type Live, type LivePorts } from "./live.ts";
export { serveTab, topicsOf, type Sink, type Topics } from "./tab.ts";
