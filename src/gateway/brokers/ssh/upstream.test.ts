import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type AddressInfo } from "node:net";
import { test } from "node:test";
import type { Place, Way } from "../broker.ts";
import { logIn } from "./upstream.ts";

const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFo9le03v9/E7h2uWOtVmiLLWvnYavHxw8EAhxyU8JZF";
const PLACE = {
  host: "web.example",
  options: { host_key: KEY, user: "agent" },
} as unknown as Place;

for (const [when, isOver] of [
  ["before anything is said on it", true],
  ["while it is logged in", false],
] as const) {
  test(`ssh.upstream: a server that hangs up ${when} is told at once, never waited for`, async () => {
    const server = createServer((client) => client.end());
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
    await once(socket, "connect");
    if (isOver) {
      socket.resume();
      await once(socket, "close");
    }
    const way: Way = { socket, lease: undefined };
    await assert.rejects(logIn(PLACE, way), { code: "ssh.upstream" });
    server.close();
  });
}
