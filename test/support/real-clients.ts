/**
 * The first bytes that a real client sends to a loopback port.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type AddressInfo, type Socket } from "node:net";

// Long enough for a client on a machine under load; a client that sends nothing fails the test.
const CLIENT_MS_MAX = 10_000;

/** What `argv`, in which `PORT` stands for the port, sends before it hears anything. */
export async function firstBytesOf(
  argv: readonly string[],
  enough: (bytes: Buffer) => boolean,
): Promise<Buffer> {
  const server = createServer({ allowHalfOpen: true }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const [program = "", ...rest] = argv.map((arg) => arg.replaceAll("PORT", String(port)));
  const client = spawn(program, rest, { stdio: ["pipe", "ignore", "ignore"] });
  const timeout = setTimeout(() => client.kill(), CLIENT_MS_MAX);
  const failed = once(client, "exit").then(([code]) => {
    throw new Error(`${program} ended (${String(code)}) and sent too little`);
  });
  failed.catch(() => {}); // Looked at only by the race below.
  try {
    const [socket] = (await Promise.race([once(server, "connection"), failed])) as [Socket];
    socket.on("error", () => {}); // The client may be cut off by the kill below.
    let bytes = Buffer.alloc(0);
    while (!enough(bytes)) {
      const [chunk] = (await Promise.race([once(socket, "data"), failed])) as [Buffer];
      bytes = Buffer.concat([bytes, chunk]);
    }
    socket.destroy();
    return bytes;
  } finally {
    clearTimeout(timeout);
    client.kill("SIGKILL");
    server.close();
  }
}
