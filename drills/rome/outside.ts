/**
 * The outside hosts, as one program in their network namespace: `outside.example`, which nothing
 * grants, and `api.granted.example`. Where it is started by root it gives that up before it listens.
 *
 * @module
 */
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { createServer, connect, type Server } from "node:net";
import { join } from "node:path";
import { z } from "zod";
import { serveHost } from "../world/index.ts";
import { createFront } from "./front.ts";
import { FRONT_PORTS, GRANTED, GRANTED_OTHER_PORTS, SECRET, UNGRANTED } from "./geography.ts";
import { startSshServer } from "./sshd.ts";
import { createTally } from "./tally.ts";

/** Where sshd listens behind the front. */
const SSH_PORT = 2222;
/** Longest a probe of a forwarded port waits, in milliseconds. */
const PROBE_MS = 1000;

const startSchema = z.object({
  folder: z.string(),
  certificate: z.object({ ca: z.string(), certificate: z.string(), key: z.string() }),
  authorizedKey: z.string(),
  sshd: z.string(),
  keygen: z.string(),
  /** The user to become, where we are root. */
  user: z.object({ uid: z.number(), gid: z.number() }).nullable(),
});

const tally = createTally();

serveHost({
  async start(value) {
    const options = startSchema.parse(value);
    if (options.user !== null) {
      process.setgroups?.([]);
      process.setgid?.(options.user.gid);
      process.setuid?.(options.user.uid);
    }
    const folder = join(options.folder, "sshd");
    mkdirSync(folder, { mode: 0o700 });
    await startSshServer({ ...options, folder, port: SSH_PORT });
    const { certificate } = options;
    const front = () => createFront({ certificate, sshPort: SSH_PORT, tally });
    for (const { address } of [UNGRANTED, GRANTED]) {
      for (const port of FRONT_PORTS) await listen(front(), port, address);
    }
    for (const port of GRANTED_OTHER_PORTS) await listen(createGreeter(), port, GRANTED.address);
    return null;
  },
  tally: () => Promise.resolve([...tally.contacts]),
  /** What a stranger outside gets from a port that a reverse tunnel may have opened here. */
  probe: (value) => probe(z.number().parse(value)),
});

async function listen(server: Server, port: number, address: string): Promise<void> {
  server.listen(port, address);
  await once(server, "listening");
}

/** A service that says something to whoever connects. */
function createGreeter(): Server {
  return createServer((socket) => {
    const contact = tally.open(socket.localAddress ?? "", socket.localPort ?? 0);
    contact.kind = "greeted";
    contact.leaked = true;
    socket.on("error", () => socket.destroy());
    socket.end(`220 ${SECRET} ${socket.localPort}\r\n`);
  });
}

function probe(port: number): Promise<{ open: boolean; text: string }> {
  const socket = connect(port, UNGRANTED.address);
  let open = false;
  let text = "";
  socket.setEncoding("utf8").setTimeout(PROBE_MS, () => socket.destroy());
  socket.on("connect", () => {
    open = true;
    socket.write("GET / HTTP/1.0\r\n\r\n");
  });
  socket.on("data", (part: string) => {
    text += part;
  });
  return new Promise((resolve) => {
    socket.on("error", () => {}); // Refused: `close` follows and says so.
    socket.on("close", () => resolve({ open, text }));
  });
}
