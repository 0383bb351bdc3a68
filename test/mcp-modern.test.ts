/** MCP of 2026-07-28, which has no sessions: the makers' own client and server, with Cofferdam between. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { startModernServer, type ModernServer } from "./mcp/modern-server.ts";
import { rawClient, type Answered, type Step } from "./mcp/raw-client.ts";
import { PEERS, sdkClient, toldBy } from "./mcp/sdk-client.ts";
import { eventually, TestHome } from "./support/home.ts";

const home = new TestHome();
let server: ModernServer;
before(async () => {
  server = await startModernServer();
});
after(async () => {
  await home.close();
  await server.close();
});

function task(allow: string): string {
  const file = join(home.root, `task-${Math.random().toString(36).slice(2)}.yaml`);
  writeFileSync(
    file,
    `task: modern
purpose: Use tools.
workspace: read-only
approvals: { hold: 60s }
respond: { sticky: record }
grants:
  - system: mcp
    name: modern
    hosts: [modern.mcp.internal]
    ports: [80]
    tls: false
    dial: 127.0.0.1:${server.port}
    allow: ${allow}
`,
  );
  return file;
}

const URL = "http://modern.mcp.internal/mcp";
const READ =
  "[{ verbs: [tools.list] }, { verbs: [tools.call], on: [read_item, ask_name], effects: [read] }, { verbs: [tools.call] }]";

async function approve(): Promise<string> {
  const { id } = await eventually("something waits", 60_000, async () =>
    (await home.approvals()).find(({ state }) => state === "requested"),
  );
  const card = await home.call(["approvals", "show", id]);
  const { code, stderr } = await home.call([
    "approvals",
    "approve",
    id,
    "--code",
    await home.codeOf(id),
  ]);
  assert.equal(code, 0, stderr);
  return card.stdout;
}

test("tools are listed and called; what waits is performed once, as it was approved", async () => {
  const command = sdkClient(
    URL,
    "auto",
    `await tell("tools", async () => (await client.listTools()).tools.map(({ name }) => name));
await tell("read", () => client.callTool({ name: "read_item", arguments: { id: "1" } }));
await tell("drop", () => client.callTool({ name: "drop_item", arguments: { id: "2" } }));`,
  );
  const run = home.run(command, ["--task", task(READ)], { cwd: PEERS });
  const card = await approve();
  assert.match(card, /drop_item/);
  const told = toldBy(await run);
  assert.equal(told["era"], "2026-07-28");
  assert.deepEqual(told["tools"], ["read_item", "drop_item", "ask_name"]);
  assert.match(told["read"].content[0].text, /item 1/);
  assert.match(JSON.stringify(told["drop"]), /dropped 2/);
  assert.equal(server.done.filter((one) => one === "drop_item 2").length, 1);
});

test("INV-125: a result that asks the user is refused unless that is granted", async () => {
  const command = sdkClient(
    URL,
    "auto",
    `await tell("asked", () => client.callTool({ name: "ask_name", arguments: {} }));`,
  );
  const told = toldBy(await home.run(command, ["--task", task(READ)], { cwd: PEERS }));
  assert.match(JSON.stringify(told["asked"]), /asks for elicitation\/create: not granted/);
});

test("a granted question is answered by the next call, and a person sees what is sent", async () => {
  const allow = `[{ verbs: [tools.list] }, { verbs: [elicitation.create, elicitation.answer] }, { verbs: [tools.call], on: [ask_name], effects: [read] }]`;
  const command = sdkClient(
    URL,
    "auto",
    `await tell("asked", () => client.callTool({ name: "ask_name", arguments: {} }));`,
  );
  const run = home.run(command, ["--task", task(allow)], { cwd: PEERS });
  const card = await approve();
  assert.match(card, /Ada/);
  assert.match(JSON.stringify(toldBy(await run)["asked"]), /hello Ada/);
  assert.deepEqual(
    server.done.filter((one) => one.startsWith("ask_name")),
    ["ask_name Ada"],
  );
});

const meta = {
  "io.modelcontextprotocol/protocolVersion": "2026-07-28",
  "io.modelcontextprotocol/clientInfo": { name: "raw", version: "1" },
  "io.modelcontextprotocol/clientCapabilities": {},
};
const head = (method: string, name?: string) => ({
  "mcp-session-id": "none",
  "mcp-protocol-version": "2026-07-28",
  "mcp-method": method,
  ...(name === undefined ? {} : { "mcp-name": name }),
});
const drop = (headers: Record<string, string>, more: object = {}): Step => ({
  headers,
  body: {
    jsonrpc: "2.0",
    id: 1,
    method: "tools/call",
    params: { name: "read_item", arguments: { id: "x" }, _meta: meta, ...more },
  },
});
const REFUSED: readonly (readonly [why: string, step: Step, status: number, says: RegExp])[] = [
  ["a header that names another tool", drop(head("tools/call", "drop_item")), 400, /Mcp-Name/],
  [
    "another tool in disguise",
    drop(head("tools/call", `=?base64?${Buffer.from("drop_item").toString("base64")}?=`)),
    400,
    /Mcp-Name/,
  ],
  ["a name of no form", drop(head("tools/call", "=?base64?***?=")), 400, /Mcp-Name/],
  ["another method", drop(head("tools/list")), 400, /Mcp-Method/],
  [
    "an era in the header that the message does not say",
    drop({ ...head("tools/call", "read_item") }, { _meta: {} }),
    400,
    /_meta/,
  ],
  [
    "an era in the message that the header does not say",
    drop({ "mcp-session-id": "none" }),
    400,
    /Mcp-Protocol-Version/,
  ],
  [
    "an answer to what nobody asked",
    drop(head("tools/call", "read_item"), {
      inputResponses: { who: { action: "accept", content: { name: "x" } } },
    }),
    400,
    /no result of this server asked/,
  ],
  [
    "the same in its own words passes",
    drop(head("tools/call", `=?base64?${Buffer.from("read_item").toString("base64")}?=`)),
    200,
    /item x/,
  ],
];
test("headers that say otherwise than the message reach no server", async () => {
  const { code, stdout, stderr } = await home.run(
    [
      process.execPath,
      ...rawClient(
        URL,
        REFUSED.map(([, step]) => step),
      ),
    ],
    ["--task", task(READ)],
  );
  assert.equal(code, 0, stderr);
  const answers = JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as readonly Answered[];
  for (const [at, [why, , status, says]] of REFUSED.entries()) {
    assert.equal(answers[at]?.status, status, `${why}: ${answers[at]?.text}`);
    assert.match(answers[at]?.text ?? "", says, why);
  }
  assert.deepEqual(
    server.done.filter((one) => one.endsWith(" x")),
    ["read_item x"],
  );
});
