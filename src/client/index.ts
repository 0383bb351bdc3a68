/** Layer 3: speaking to the daemon of a home over its control socket, and starting it where none answers. */
export { connectDaemon, createClient, DAEMON_FLAGS, SERVICE_MARK, type Client } from "./client.ts";
