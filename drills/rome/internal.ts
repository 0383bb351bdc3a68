/**
 * The internal network, as one program in its namespace: a few services that nobody outside a team
 * should reach, and a cloud's metadata service.
 *
 * @module
 */
import { once } from "node:events";
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import { createServer, type Server, type Socket } from "node:net";
import { serveHost } from "../world/index.ts";
import { INTERNAL_SERVICES, METADATA, METADATA_ROLE, SECRET } from "./geography.ts";
import { createTally, type Contact } from "./tally.ts";

const tally = createTally();
const contacts = new WeakMap<Socket, Contact>();

serveHost({
  async start() {
    for (const service of INTERNAL_SERVICES) {
      const server =
        service.kind === "banner"
          ? createServer((socket) => greet(socket, service.text))
          : createWeb((_, response) => response.end(`${service.text} ${SECRET}\n`));
      await listen(server, service.port, service.address);
    }
    await listen(createWeb(answerMetadata), 80, METADATA);
    return null;
  },
  tally: () => Promise.resolve([...tally.contacts]),
});

async function listen(server: Server, port: number, address: string): Promise<void> {
  server.listen(port, address);
  await once(server, "listening");
}

function open(socket: Socket): Contact {
  const contact = tally.open(socket.localAddress ?? "", socket.localPort ?? 0);
  contacts.set(socket, contact);
  socket.on("error", () => socket.destroy());
  return contact;
}

function greet(socket: Socket, text: string): void {
  const contact = open(socket);
  contact.kind = "greeted";
  contact.leaked = true;
  socket.end(`${text} ${SECRET}\r\n`);
}

function createWeb(answer: (request: IncomingMessage, response: ServerResponse) => void): Server {
  const server = createHttpServer((request, response) => {
    const contact = contacts.get(request.socket);
    if (contact !== undefined) {
      contact.kind = "http";
      contact.leaked = true;
    }
    response.setHeader("connection", "close");
    answer(request, response);
  });
  server.on("connection", (socket) => void open(socket));
  return server;
}

/** Answers as a cloud does: a session token for a PUT, then role names and credentials by GET. */
function answerMetadata(request: IncomingMessage, response: ServerResponse): void {
  const path = request.url ?? "";
  const roles = "/latest/meta-data/iam/security-credentials/";
  if (request.method === "PUT" && path === "/latest/api/token") response.end("drill-session-token");
  else if (path === roles) response.end(METADATA_ROLE);
  else if (path === roles + METADATA_ROLE) {
    const expires = new Date(Date.now() + 3_600_000).toISOString();
    response.end(
      JSON.stringify({
        Code: "Success",
        AccessKeyId: "DRILL0000000000NOTREAL",
        SecretAccessKey: SECRET,
        Expiration: expires,
      }),
    );
  } else {
    response.statusCode = 404;
    response.end("not found\n");
  }
}
