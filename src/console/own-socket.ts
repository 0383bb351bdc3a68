/**
 * The console's own Unix socket, where its owner's command line asks for a new link. Mode 0600, and the kernel is asked
 * who it is that calls.
 *
 * @module
 */
import { once } from "node:events";
import { rmSync } from "node:fs";
import { createConnection, createServer, type Server, type Socket } from "node:net";
import { z } from "zod";
import { roleSchema, type Role } from "../api/index.ts";
import { describeError, Fault } from "../base/index.ts";
import { peerCredentials } from "../sys/index.ts";

const ORDER_BYTES_MAX = 1024;
const ORDER_MS = 5000;

const orderSchema = z.strictObject({ roles: z.array(roleSchema).min(1) });
const answerSchema = z.union([
  z.strictObject({ link: z.url() }),
  z.strictObject({ refused: z.string() }),
]);
type Answer = z.infer<typeof answerSchema>;

/** Makes a link; `undefined` where links sign nobody in. */
type Linker = (roles: readonly Role[]) => URL | undefined;

/** Listens at `path`, which no other console has: the daemon knows of none. One line asks, one line answers. */
export async function serveOwnSocket(path: string, link: Linker): Promise<Server> {
  const server = createServer((socket) => {
    socket.on("error", () => {}); // Its close follows.
    socket.setTimeout(ORDER_MS, () => socket.destroy());
    answerTo(socket, link).then(
      (answer) => socket.end(`${JSON.stringify(answer)}\n`),
      () => socket.destroy(),
    );
  });
  rmSync(path, { force: true });
  const mask = process.umask(0o177); // Born 0600: there is no moment in which another user may connect.
  try {
    server.listen(path);
    await once(server, "listening");
  } finally {
    process.umask(mask);
  }
  return server;
}

async function answerTo(socket: Socket, link: Linker): Promise<Answer> {
  const { uid } = peerCredentials(socket);
  if (uid !== process.getuid?.() && uid !== 0) return { refused: `user ${uid} may not sign in` };
  const order = orderSchema.safeParse(JSON.parse(await lineOf(socket)));
  if (!order.success) return { refused: "an order is `{roles}`" };
  const given = link(order.data.roles);
  return given === undefined
    ? { refused: "links sign nobody in: console.yaml says so" }
    : { link: given.href };
}

/**
 * Asks the console that is open at `path` for a link.
 *
 * @throws {Fault} `console.absent` where none is, or it does not answer.
 */
export async function askForLink(path: string, roles: readonly Role[]): Promise<URL> {
  const socket = createConnection(path);
  try {
    await once(socket, "connect");
    socket.setTimeout(ORDER_MS, () => socket.destroy(new Error("no answer")));
    socket.write(`${JSON.stringify({ roles })}\n`);
    const answer = answerSchema.parse(JSON.parse(await lineOf(socket)));
    if ("link" in answer) return new URL(answer.link);
    throw new Error(answer.refused);
  } catch (cause) {
    throw new Fault("console.absent", `no console of this home answers: ${describeError(cause)}`, {
      hint: "`cofferdam console` opens one",
      cause,
    });
  } finally {
    socket.destroy();
  }
}

async function lineOf(socket: Socket): Promise<string> {
  let text = "";
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    text += String(chunk);
    if (text.includes("\n") || text.length > ORDER_BYTES_MAX) break;
  }
  return text.split("\n", 1)[0] ?? "";
}
