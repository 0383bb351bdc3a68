import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { connect, type AddressInfo } from "node:net";
import { after, test } from "node:test";
import { GATEWAY_LIMITS } from "../../limits.ts";
import { ask, askServer, openSession } from "./ask.ts";
import { readList } from "./listing.ts";
import { Upstream } from "./upstream.ts";

interface Said {
  readonly id: string;
  readonly method: string;
}
type Answer = (said: Said, response: ServerResponse, request: IncomingMessage) => void;
let answer: Answer = () => {};
let connections = 0;
const server = createServer((request, response) => {
  void (async () => {
    let body = "";
    for await (const chunk of request.setEncoding("utf8") as AsyncIterable<string>) body += chunk;
    answer(JSON.parse(body) as Said, response, request);
  })();
}).listen(0, "127.0.0.1");
await once(server, "listening");
server.on("connection", () => (connections += 1));
const { port } = server.address() as AddressInfo;
const lease = {
  credential: "c",
  attach: { kind: "header" as const, name: "Authorization", value: "Bearer s3cr3t-s3cr3t" },
  secrets: ["s3cr3t-s3cr3t"],
};
const upstream = new Upstream({
  ...{ host: "tools.mcp.internal", port: 80, tls: false, limits: GATEWAY_LIMITS },
  wallMs: () => 0,
  async open() {
    const socket = connect(port, "127.0.0.1");
    await once(socket, "connect");
    return { socket, lease };
  },
});
after(() => {
  upstream.close();
  server.closeAllConnections();
  server.close();
});

const TARGET = { target: "/mcp" };
const json = (response: ServerResponse, value: object, status = 200) =>
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
const result =
  (of: (said: Said) => object): Answer =>
  (said, response) =>
    json(response, { jsonrpc: "2.0", id: said.id, result: of(said) });

test("a question goes with the credential, on one connection, and its answer without it", async () => {
  const before = connections;
  answer = (said, response, request) => {
    assert.equal(request.headers.host, "tools.mcp.internal");
    result(() => ({ you: request.headers.authorization }))(said, response, request);
  };
  const said = await ask(upstream, TARGET, "ping", {});
  assert.match(JSON.stringify("result" in said && said.result), /Bearer \[redacted\]/);
  await ask(upstream, TARGET, "ping", {});
  assert.equal(connections, before + 1);
});

test("an answer among other messages of a stream is found", async () => {
  answer = ({ id }, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(`: hello\n\ndata: {"jsonrpc":"2.0","id":"x","result":{"not":"this"}}\n\n`);
    response.end(`data: {"jsonrpc":"2.0","id":"${id}","result":{"this":1}}\n\n`);
  };
  assert.deepEqual(await askServer(upstream, TARGET, "ping", {}), { this: 1 });
});

test("fault gateway.mcp_refused: the server says no, in so many words", async () => {
  answer = ({ id }, response) =>
    json(response, { jsonrpc: "2.0", id, error: { code: 1, message: "never" } }, 400);
  await assert.rejects(askServer(upstream, TARGET, "ping", {}), {
    code: "gateway.mcp_refused",
    message: /never/,
  });
  await assert.rejects(openSession(upstream, TARGET), { code: "gateway.mcp_refused" });
  answer = result(() => ({ protocolVersion: "2099-01-01" }));
  await assert.rejects(openSession(upstream, TARGET), {
    code: "gateway.mcp_refused",
    message: /version/,
  });
});

test("fault gateway.mcp_session: a session that the server knows no more", async () => {
  answer = (_, response) => response.writeHead(404).end();
  const asking = { ...TARGET, sessionId: "gone" };
  await assert.rejects(ask(upstream, asking, "ping", {}), { code: "gateway.mcp_session" });
});

const BROKEN: readonly (readonly [why: string, answer: Answer])[] = [
  ["no answer", (_, response) => response.destroy()],
  ["no message", (_, response) => response.writeHead(200).end("hello")],
  [
    "a message that came compressed",
    ({ id }, response) =>
      response
        .writeHead(200, { "content-type": "application/json", "content-encoding": "gzip" })
        .end(id),
  ],
  ["a redirect", (_, response) => response.writeHead(302, { location: "http://evil.test/" }).end()],
  [
    "an answer to another question",
    (_, response) => json(response, { jsonrpc: "2.0", id: "x", result: {} }),
  ],
];
for (const [why, broken] of BROKEN) {
  test(`fault gateway.mcp_answer: ${why}`, async () => {
    answer = broken;
    await assert.rejects(ask(upstream, TARGET, "ping", {}), { code: "gateway.mcp_answer" });
  });
}

test("fault gateway.mcp_list: a list without end", async () => {
  answer = result(() => ({ tools: [{ name: "a" }], nextCursor: "more" }));
  const list = readList("tools", (method, params) => askServer(upstream, TARGET, method, params));
  await assert.rejects(list, { code: "gateway.mcp_list" });
});
