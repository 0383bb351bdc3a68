/** A living run loses a rule of MCP, and then the grant: what was begun by them ends. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startHostileServer, type HostileServer } from "./mcp/hostile-server.ts";
import { PEERS } from "./mcp/sdk-client.ts";
import { eventually, TestHome } from "./support/home.ts";
import { LivingRun, UNRELATED } from "./support/living-run.ts";

const home = new TestHome();
let server: HostileServer;

before(async () => {
  server = await startHostileServer();
});
after(async () => {
  await home.close();
  await server.close();
});

/** Says what its lines say in one session: `open`, `listen` (prints events), a tool's name. */
const LINES = `
import { createInterface } from "node:readline";
const url = process.argv[2];
let session;
const send = (method, body) => fetch(url, { method, headers: {
  accept: "application/json, text/event-stream", "content-type": "application/json",
  ...(session === undefined ? {} : { "mcp-session-id": session, "mcp-protocol-version": "2025-11-25" }),
}, ...(body === undefined ? {} : { body: JSON.stringify({ jsonrpc: "2.0", ...body }) }) });
let id = 0;
for await (const line of createInterface({ input: process.stdin })) {
  id += 1;
  if (line === "open") {
    session = undefined;
    const params = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "a", version: "1" } };
    const answer = await send("POST", { id, method: "initialize", params });
    session = answer.headers.get("mcp-session-id");
    console.log("opened", answer.status, (await answer.text()).length > 0);
    await (await send("POST", { method: "notifications/initialized" })).text();
  } else if (line === "listen") {
    const answer = await send("GET");
    console.log("listening", answer.status);
    void answer.text().then(() => console.log("stream ended"), () => console.log("stream broke"));
  } else {
    const [name, given] = line.split(" ");
    const params = { name, arguments: JSON.parse(given ?? "{}") };
    const answer = await send("POST", { id, method: "tools/call", params }).catch((error) => error);
    console.log(name, answer.status, answer instanceof Error ? answer.message : (await answer.text()).replace(/\\s+/g, " "));
  }
}
`;

test("INV-134, INV-136: an MCP session ends with a rule that it used, and a server with its grant", async () => {
  home.write("lines.mjs", LINES);
  const kept = `task: files
purpose: Read files.
respond: { sticky: record }
grants:
  - system: mcp
    name: tools
    hosts: [tools.mcp.internal]
    ports: [80]
    tls: false
    dial: 127.0.0.1:${server.port}
    allow: [{ verbs: [tools.call], on: [echo], effects: [read] }]
  - system: mcp
    name: files
    hosts: [files.mcp.internal]
    ports: [80]
    tls: false
    with: { server: { command: [./node_modules/.bin/mcp-server-filesystem, .], folder: ${PEERS} } }
    allow:
      - { verbs: [tools.call], on: ["list_*"], effects: [read] }
`;
  const more = `      - { verbs: [tools.call], on: ["read_*"], effects: [read] }\n`;
  const line = (name: string) => `node lines.mjs http://${name}.mcp.internal/mcp`;
  const clients = { t: line("tools"), f: line("files"), g: line("files") };
  const run = await LivingRun.start(home, kept + more + UNRELATED, clients);
  const list = 'list_directory {"path":"."}';
  const read = 'read_text_file {"path":"package.json"}';
  for (const name of ["t", "f", "g"]) run.say(name, "open");
  run.say("f", "listen");
  run.say("f", read);
  run.say("g", list);
  run.say("t", "echo");
  await run.hears(
    /f: listening 200/,
    /f: read_text_file 200 .*filesystem/,
    /g: list_directory 200/,
    /t: echo 200/,
  );
  await run.narrow(kept + more);
  run.say("f", read);
  await run.hears(/f: read_text_file 200 .*filesystem/);
  await run.narrow(kept);
  await run.hears(/f: stream (ended|broke)/);
  run.say("f", list);
  run.say("t", "echo");
  await run.hears(/f: list_directory 404 .*no such session/, /t: echo 200/);
  run.say("f", "open");
  run.say("f", list);
  run.say("f", read);
  await run.hears(/f: opened 200/, /f: list_directory 200/, /f: read_text_file 200 .*not granted/);

  const serves = async () => JSON.stringify(await home.runs()).includes("files-server");
  assert.equal(await serves(), true);
  const revoked = await home.call(["revoke", run.id, "files"]);
  assert.equal(revoked.code, 0, revoked.stderr);
  await eventually(
    "its server has ended, and it has not",
    10_000,
    async () => !(await serves()) || undefined,
  );
  run.say("t", "echo");
  await run.hears(/t: echo 200/);
  const end = (await home.log()).findLast(({ type }) => type === "run.end");
  assert.match(JSON.stringify(end?.data), /has no grant files any more/);
  await run.end();
});
