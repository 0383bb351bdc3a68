/**
 * Saying no so that it is heard: a refusal often comes while the client is still sending, and closing
 * then makes its kernel throw the answer away (RFC 9112, 9.6). So the answer goes out at once, what the
 * client still sends is read and thrown away for a moment, and then the connection closes.
 *
 * @module
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex, Readable } from "node:stream";
import { problemBytes, type Problem } from "./denial.ts";
import type { After } from "./http-sides.ts";
import type { GatewayLimits } from "./limits.ts";

type Linger = Pick<GatewayLimits, "lingerBytes" | "lingerMs">;

export interface Answering {
  readonly incoming: IncomingMessage;
  readonly response: ServerResponse;
}

/**
 * Answers a request and resolves when the exchange is over. The connection stays usable only where the
 * whole request had been read: elsewhere nobody can say where the next one begins. `after` is what the
 * caller would have.
 */
export async function answerProblem(
  { incoming, response }: Answering,
  problem: Problem,
  limits: Linger,
  after: After,
): Promise<After> {
  if (response.destroyed || response.headersSent) return "last";
  const isRead = incoming.complete;
  const isLast = after === "last" || !isRead;
  response.writeHead(problem.status, {
    ...problem.headers,
    ...(isLast ? { connection: "close" } : {}),
  });
  if (incoming.method !== "HEAD") response.write(problem.body); // Complete by its length, before `end`.
  if (!isRead) await drain(incoming, limits);
  response.end();
  return isLast ? "last" : "next";
}

/** Answers where no HTTP parser stands behind `socket` any more, and closes it. */
export function endWithProblem(socket: Duplex, problem: Problem, limits: Linger): void {
  socket.on("error", () => {}); // It is being closed: a reset now changes nothing.
  socket.write(problemBytes(problem));
  endSocket(socket, limits);
}

/** Closes `socket` so that what was said last is heard. */
export function endSocket(socket: Duplex, limits: Linger): void {
  if (socket.destroyed) return;
  socket.end();
  void drain(socket, limits).then(() => socket.destroy());
}

/** Reads and throws away until the end, a number of bytes, or a time. */
export function drain(stream: Readable, limits: Linger): Promise<void> {
  return new Promise((resolve) => {
    let bytes = 0;
    const take = (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > limits.lingerBytes) done();
    };
    const done = () => {
      clearTimeout(timer);
      stream.removeListener("data", take);
      for (const event of ["end", "close", "error"]) stream.removeListener(event, done);
      resolve();
    };
    const timer = setTimeout(done, limits.lingerMs);
    stream.on("data", take);
    for (const event of ["end", "close", "error"]) stream.once(event, done);
    stream.resume();
  });
}
