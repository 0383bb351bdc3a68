import assert from "node:assert/strict";
import { once } from "node:events";
import { request as requestPlain, type IncomingMessage } from "node:http";
import { request } from "node:https";
import { connect, createServer, type Server } from "node:net";
import { after, before, test } from "node:test";
import { connect as connectTls } from "node:tls";
import { createTestCertificate } from "../world/index.ts";
import { createFront } from "./front.ts";
import { createTally } from "./tally.ts";

const NAME = "api.granted.example";
const certificate = createTestCertificate([NAME]);
const tally = createTally();
const sshd = createServer((socket) => socket.pipe(socket)); // Whoever is behind; here an echo.
let front: Server;
let port = 0;

before(async () => {
  const sshPort = await listen(sshd);
  front = createFront({ certificate, sshPort, tally });
  port = await listen(front);
});
after(() => {
  front.close();
  sshd.close();
});

async function listen(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  return address !== null && typeof address === "object" ? address.port : 0;
}

async function textOf(response: IncomingMessage): Promise<string> {
  let text = "";
  for await (const part of response.setEncoding("utf8")) text += String(part);
  return text;
}

const RPC = { jsonrpc: "2.0", id: 1, method: "eth_blockNumber" };
const CALLS: readonly (readonly [string, string, object | undefined, number, string])[] = [
  ["GET", "/status", undefined, 200, '"status":"ok"'],
  ["POST", "/rpc", RPC, 200, "0x1499a5f"],
  ["POST", "/mcp", { ...RPC, method: "tools/call" }, 200, "sunny"],
  ["POST", "/rpc", { ...RPC, method: "other" }, 400, "-32601"],
  ["GET", "/absent", undefined, 404, "no such page"],
];
for (const [method, path, body, status, expected] of CALLS) {
  test(`the front answers ${method} ${path} over TLS with ${status}`, async () => {
    const text = body === undefined ? "" : JSON.stringify(body);
    const { ca } = certificate;
    const to = { host: "127.0.0.1", port, servername: NAME, ca, method, path, agent: false };
    const sent = request({ ...to, headers: { "content-length": Buffer.byteLength(text) } });
    sent.end(text);
    const [response] = (await once(sent, "response")) as [IncomingMessage];
    assert.equal(response.statusCode, status);
    assert.ok((await textOf(response)).includes(expected));
    const last = tally.contacts.at(-1);
    assert.deepEqual([last?.kind, last?.tls], ["http", true]);
  });
}

test("the front answers plain HTTP too, so that a plain crossing would be seen", async () => {
  const sent = requestPlain({ host: "127.0.0.1", port, path: "/status", agent: false });
  sent.end();
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  assert.ok((await textOf(response)).includes("ok"));
  assert.equal(tally.contacts.at(-1)?.kind, "http");
});

test("the front hands SSH to the server behind, first bytes included", async () => {
  const socket = connect(port, "127.0.0.1");
  socket.write("SSH-2.0-test\r\n");
  const [echo] = await once(socket, "data");
  assert.equal(String(echo), "SSH-2.0-test\r\n");
  assert.equal(tally.contacts.at(-1)?.kind, "ssh");
  socket.destroy();
});

for (const tls of [false, true]) {
  test(`the front is a pool ${tls ? "inside TLS" : "in plain"}`, async () => {
    const to = { host: "127.0.0.1", port, servername: NAME, ca: certificate.ca };
    const socket = tls ? connectTls(to) : connect(to);
    socket.write('{"id":1,"method":"mining.subscribe","params":[]}\n');
    const [reply] = await once(socket, "data");
    assert.match(String(reply), /mining\.notify/);
    const last = tally.contacts.at(-1);
    assert.deepEqual([last?.kind, last?.tls], ["pool", tls]);
    socket.destroy();
  });
}

test("a connection that says nothing is counted all the same", async () => {
  const count = tally.contacts.length;
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  while (tally.contacts.length === count) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(tally.contacts.at(-1)?.kind, "silent");
  socket.destroy();
});
