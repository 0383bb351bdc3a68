/**
 * A service manager's end of its notification socket: a real datagram socket, which Node has none of, held by Python.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

const LISTEN = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
p = sys.argv[1]
s.bind("\\0" + p[1:] if p.startswith("@") else p)
print("listening", flush=True)
while True: print(repr(s.recv(8192).decode()), flush=True)
`;

/** Listens at `path` (abstract after `@`); each call of `next` gives the next datagram. */
export async function listenAsManager(path: string) {
  const child = spawn("python3", ["-c", LISTEN, path], { stdio: ["ignore", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () =>
    String((await lines.next()).value)
      .slice(1, -1)
      .replaceAll("\\n", "\n");
  await lines.next();
  return { next, end: () => void child.kill("SIGKILL") };
}
