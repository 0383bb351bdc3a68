/** Layer 3: which process caused this: held connects and execs, process trees, sockets to processes. */
export {
  ATTRIBUTE_WAIT_MS,
  createWatcher,
  type ConnectAttempt,
  type ExecSeen,
  type OddSeen,
  type WatchHandlers,
  type Watcher,
  type WatcherOptions,
  type WatchSources,
} from "./watcher.ts";
export type { Flow } from "./attribution.ts";
