/**
 * For the tests of HTTP: one granted name, a.test on port 80, in front of an upstream of the test.
 *
 * @module
 */
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import { createServer, type Server, type Socket } from "node:net";
import type { TestContext } from "node:test";
import {
  destroyAll,
  listening,
  openWorld,
  readAll,
  type World,
  type WorldOptions,
} from "./test-kit.ts";

/** The one field that every request needs. */
export const HOST = "Host: a.test\r\n";

/** A world in which a.test:80 is `server`; rules may be given, all of GET, HEAD, POST by default. */
export async function worldOf(
  t: TestContext,
  server: Server | number,
  more: Partial<WorldOptions> & { allow?: string; system?: string; more?: string } = {},
): Promise<World> {
  const {
    allow = `[{ methods: [GET, HEAD, POST, PUT, OPTIONS], paths: ["/**"] }]`,
    system = "http",
    more: terms = "",
    ...rest
  } = more;
  const port = typeof server === "number" ? server : await listening(server);
  const grants = `  - { system: ${system}, name: a, hosts: [a.test], ports: [80], dial: "127.0.0.1:${port}", ${terms} allow: ${allow} }\n`;
  const limits = { lingerMs: 50, wholeBodyMs: 500, halfClosedMs: 200, ...rest.limits };
  const it = await openWorld({ ...rest, grants, limits });
  t.after(async () => {
    await it.close();
    if (typeof server !== "number") await destroyAll([server]);
  });
  return it;
}

/** An upstream by the parts of Node's HTTP server. */
export function site(serve: (request: IncomingMessage, response: ServerResponse) => void): Server {
  return createHttpServer(serve);
}

/** An upstream that says exactly `answer` to whatever comes. */
export function saying(answer: string, end = true): Server {
  return createServer((socket: Socket) => {
    socket.on("error", () => {});
    socket.once("data", () =>
      end ? socket.end(answer, "latin1") : socket.write(answer, "latin1"),
    );
  });
}

/** Sends `text` on a new connection and reads until `enough` or the end. */
export async function ask(
  it: World,
  text: string,
  enough?: (text: string) => boolean,
): Promise<string> {
  const socket = await it.dial("a.test", 80);
  const answer = readAll(socket, enough);
  socket.write(Buffer.from(text, "latin1"));
  const said = await answer;
  socket.destroy();
  return said;
}
