/** Layer 3: speaking to the daemon of a home over its control socket, and starting it where none answers. */
export { announce, type Announced } from "./announce.ts";
export { connectDaemon, createClient, DAEMON_FLAGS, SERVICE_MARK, type Client } from "./client.ts";
