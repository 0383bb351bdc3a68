/** The SSH broker: commands, file sessions and shells, judged one by one. */
import type { SessionBroker } from "../broker.ts";
import { serveAgent } from "./agent-side.ts";
import { lookSsh, performSsh } from "./perform.ts";
import { Seat } from "./seat.ts";

export const sshBroker: SessionBroker = {
  system: "ssh",
  serve: (session) => serveAgent(new Seat(session)),
  perform: performSsh,
  look: lookSsh,
};
