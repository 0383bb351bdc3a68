/** What a run is answered about itself, over the socket pair that stands for it. */
import assert from "node:assert/strict";
import { request, type IncomingMessage } from "node:http";
import { Socket } from "node:net";
import { after, test } from "node:test";
import { createLog } from "../base/index.ts";
import { compileRunPolicy, parseTaskFile } from "../policy/index.ts";
import type { Claim } from "./claims.ts";
import type { DenialTold, Enquiries } from "./enquiries.ts";
import { mayDo } from "./may-do.ts";
import { BODY_BYTES_MAX, CONNECTIONS_MAX, EnquiryServer } from "./server.ts";
import { explainDenial } from "./tools.ts";

const asked: string[] = [];
const claimed: (Claim & { readonly who: string })[] = [];
const denial: DenialTold = {
  at: "2026-11-26T17:00:00Z",
  title: "Nothing is granted for this name",
  reason: "the task grants nothing at evil.test",
  rule: "no-grant",
  system: "none",
  target: "evil.test",
  allowed: ["GET https://good.test:443 /**"],
  flow: "f-1",
};
const enquiries = (who: string): Enquiries => ({
  mayDo: () => [`${who} may do this.`],
  denials: () => [denial, { ...denial, target: "other.test", flow: "f-2" }],
  waiting: () => [
    {
      approval: `p-${who}`,
      state: "requested",
      summary: "Publish",
      reason: "",
      expiresAt: "later",
    },
  ],
  claimed: (claims) => claimed.push(...claims.map((claim) => ({ who, ...claim }))),
  requestAccess: async (what, why) => {
    asked.push(`${who}: ${what} (${why})`);
    return { approval: "p-9", kind: "pending", text: "A person is asked (p-9)." };
  },
});

const server = new EnquiryServer({ log: createLog(() => {}), version: "0.0.0" });
server.add("r-a", enquiries("a"));
server.add("r-b", enquiries("b"));
after(() => ["r-a", "r-b"].forEach((run) => server.remove(run)));

interface Answer {
  readonly status: number | undefined;
  readonly text: string;
}

async function ask(
  run: string,
  method: string,
  path: string,
  body?: unknown,
  more: Record<string, string> = {},
): Promise<Answer> {
  const socket = server.connect(run).resume();
  const text = body === undefined ? "" : typeof body === "string" ? body : JSON.stringify(body);
  const sent = request({
    createConnection: () => socket,
    ...{ method, path },
    headers: {
      host: "cofferdam.internal",
      accept: "application/json, text/event-stream",
      ...(text === "" ? {} : { "content-type": "application/json" }),
      "content-length": Buffer.byteLength(text),
      ...more,
    },
  });
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    sent.once("response", resolve).once("error", reject);
  });
  sent.end(text);
  const answer = await answered;
  let whole = "";
  for await (const chunk of answer.setEncoding("utf8") as AsyncIterable<string>) whole += chunk;
  socket.destroy();
  return { status: answer.statusCode, text: whole };
}

const ERAS = {
  "2025-11-25": {},
  "2026-07-28": {
    _meta: {
      "io.modelcontextprotocol/protocolVersion": "2026-07-28",
      "io.modelcontextprotocol/clientInfo": { name: "t", version: "1" },
      "io.modelcontextprotocol/clientCapabilities": {},
    },
  },
};

const call = (name: string, more: object = {}, era: object = {}) => ({
  ...{ jsonrpc: "2.0", id: 1, method: "tools/call" },
  params: { name, arguments: more, ...era },
});

for (const [era, meta] of Object.entries(ERAS)) {
  test(`MCP of ${era}: each tool answers about the run whose connection it is`, async () => {
    const tell = async (name: string, more?: object) => {
      const said = { "mcp-protocol-version": era, "mcp-method": "tools/call", "mcp-name": name };
      return (await ask("r-a", "POST", "/mcp", call(name, more, meta), said)).text;
    };
    assert.match(await tell("what_may_i_do"), /a may do this/);
    assert.match(await tell("explain_denial"), /other\.test/);
    assert.match(await tell("explain_denial", { about: "urn:cofferdam:f-1" }), /evil\.test/);
    assert.match(await tell("pending_approvals"), /p-a requested: Publish/);
    assert.match(await tell("request_access", { what: "x", why: "y" }), /A person is asked/);
    assert.equal(asked.at(-1), "a: x (y)");
  });
}

test("INV-69: a connection is one run's: another is answered about itself", async () => {
  assert.match((await ask("r-b", "GET", "/")).text, /^b may do this/);
  assert.doesNotMatch((await ask("r-b", "GET", "/")).text, /p-a/);
});

const NOTHING = [
  ["GET", "/approvals", undefined, 404],
  ["POST", "/approvals/p-a/approve", { code: "1" }, 404],
  ["GET", "/../etc/passwd", undefined, 404],
  ["GET", "/access-requests", undefined, 404],
  ["POST", "/", { a: 1 }, 404],
  ["GET", "/mcp", undefined, 405],
  ["DELETE", "/mcp", undefined, 405],
  ["POST", "/access-requests", "{", 400],
  ["POST", "/access-requests", { what: "a" }, 400],
  ["POST", "/access-requests", { what: "a", why: "b", grant: "all" }, 400],
  ["POST", "/access-requests", { what: "a".repeat(501), why: "b" }, 400],
  ["POST", "/mcp", "x".repeat(BODY_BYTES_MAX + 1), 413],
] as const;
for (const [method, path, body, status] of NOTHING) {
  test(`INV-69: ${method} ${path} ${JSON.stringify(body)?.slice(0, 40)}: ${status}`, async () => {
    assert.equal((await ask("r-a", method, path, body)).status, status);
  });
}

test("a yes says that it changed nothing", async () => {
  const { text } = await ask("r-a", "POST", "/access-requests", { what: "a", why: "b" });
  assert.match(text, /"agreed":true.*Nothing has changed yet/);
});

const BROKEN = [
  ["a tool that there is not", call("approve"), /not found|unknown/i],
  ["no reason", call("request_access", { what: "a" }), /why/],
  ["words of nothing", call("request_access", { what: " ", why: "b" }), /what/],
  ["more than is asked for", call("request_access", { what: "a", why: "b", run: "r-b" }), /run/],
] as const;
for (const [why, body, message] of BROKEN) {
  test(`refused in words: ${why}`, async () => {
    const count = asked.length;
    assert.match((await ask("r-a", "POST", "/mcp", body)).text, message);
    assert.equal(asked.length, count);
  });
}

test("fault enquiry.connections, enquiry.run: so many connections at once, and none of a run that is over", async () => {
  server.add("r-c", enquiries("c"));
  const open = Array.from({ length: CONNECTIONS_MAX }, () => server.connect("r-c"));
  assert.throws(() => server.connect("r-c"), { code: "enquiry.connections" });
  assert.match((await ask("r-a", "GET", "/")).text, /^a may/, "others are not held up");
  const closed = open.map((socket) => new Promise((resolve) => socket.once("close", resolve)));
  open.forEach((socket) => socket.resume());
  server.remove("r-c");
  await Promise.all(closed);
  assert.throws(() => server.connect("r-c"), { code: "enquiry.run" });
  assert.ok(open.every((socket) => socket instanceof Socket && socket.destroyed));
});

test("what may be done is told without places, files and names of credentials", () => {
  const source = `task: t
purpose: Write posts.
grants:
  - system: http
    name: api
    hosts: [api.test]
    dial: 10.1.2.3:8443
    ca: /etc/secret/ca.pem
    allow:
      - { methods: [GET], paths: ["/v1/**"] }
      - { methods: [POST], paths: ["/v1/mail"], effects: [send] }
`;
  const task = parseTaskFile(source, "task.yaml", Date.now());
  const said = mayDo(task, compileRunPolicy(task)).join("\n");
  assert.match(said, /Write posts/);
  assert.match(
    said,
    /api \(requests at https:\/\/api\.test, port 443\): GET \/v1\/\*\*; POST \/v1\/mail \(send waits for a person\)/,
  );
  for (const kept of ["10.1.2.3", "ca.pem", "cofferdam"]) assert.ok(!said.includes(kept), kept);
  assert.match(mayDo(task, compileRunPolicy(task, ["api"])).join("\n"), /api: was taken back/);
  const nothing = parseTaskFile("task: t\npurpose: p\n", "t", 0);
  assert.match(mayDo(nothing, compileRunPolicy(nothing)).join("\n"), /may reach nothing outside/);
});

test("a denial is found by what it is called, else it is said that there is none", () => {
  assert.match(explainDenial([denial], "evil"), /^Nothing is granted for this name: evil\.test/);
  assert.match(explainDenial([denial], "good"), /No denial of this run is about good/);
  assert.equal(explainDenial([]), "Nothing was refused so far.");
});

test("what a hook of the agent was given becomes a claim of that run", async () => {
  claimed.length = 0;
  const hook = {
    session_id: "s",
    hook_event_name: "PreToolUse",
    tool_name: "Bash",
    tool_use_id: "toolu_1",
    tool_input: { command: "ls" },
  };
  assert.deepEqual(await ask("r-a", "POST", "/tool-calls", hook), { status: 200, text: "{}" });
  await ask("r-b", "POST", "/tool-calls", { ...hook, hook_event_name: "AfterTool" });
  const call = { source: "hook", call: "toolu_1", name: "Bash" };
  assert.deepEqual(claimed, [
    { who: "a", kind: "call", ...call, input: { command: "ls" } },
    { who: "b", kind: "result", ...call, isError: false },
  ]);
});

test("spans of tools become claims of a call and its result; other spans become none", async () => {
  claimed.length = 0;
  const attribute = (key: string, stringValue: string) => ({ key, value: { stringValue } });
  const span = {
    traceId: "0AF7651916CD43DD8448EB211C80319C",
    spanId: "b7ad6b7169203331",
    name: "execute_tool fetch",
    attributes: [
      attribute("gen_ai.operation.name", "execute_tool"),
      attribute("gen_ai.tool.name", "fetch"),
      attribute("gen_ai.tool.call.arguments", '{"url":"https://a.example"}'),
    ],
    status: { code: 2 },
  };
  const chat = { ...span, attributes: [attribute("gen_ai.operation.name", "chat")] };
  const scopes = [{ scopeSpans: [{ spans: [chat, span, { spanId: "no" }, null] }, "x"] }, 7];
  const { status } = await ask("r-a", "POST", "/v1/traces", { resourceSpans: scopes });
  assert.equal(status, 200);
  assert.deepEqual(
    claimed.map(({ kind, call, name, input, isError, trace }) => [
      ...[kind, call, name, input, isError, trace?.traceId],
    ]),
    [
      [
        "call",
        "b7ad6b7169203331",
        "fetch",
        { url: "https://a.example" },
        undefined,
        span.traceId.toLowerCase(),
      ],
      ["result", "b7ad6b7169203331", "fetch", undefined, true, span.traceId.toLowerCase()],
    ],
  );
});

const deep = (levels: number) =>
  JSON.parse(`${"[".repeat(levels)}${"]".repeat(levels)}`) as unknown[];

test("arguments beyond all depth are a text, and take no other span down", async () => {
  claimed.length = 0;
  const span = (call: string, input: string) => ({
    ...{ traceId: "0".repeat(32), spanId: "1".repeat(16) },
    attributes: [
      ["gen_ai.operation.name", "execute_tool"],
      ["gen_ai.tool.name", "f"],
      ["gen_ai.tool.call.id", call],
      ["gen_ai.tool.call.arguments", input],
    ].map(([key, stringValue]) => ({ key, value: { stringValue } })),
  });
  const nested = JSON.stringify(deep(2000));
  const spans = [span("a", nested), span("b", JSON.stringify(deep(20)))];
  const body = { resourceSpans: [{ scopeSpans: [{ spans }] }] };
  assert.equal((await ask("r-a", "POST", "/v1/traces", body)).status, 200);
  const inputs = claimed.filter(({ kind }) => kind === "call").map(({ input }) => input);
  assert.deepEqual(inputs, [nested, deep(20)]);
});

test("what is neither a hook's nor OpenTelemetry's is refused, and claims nothing", async () => {
  claimed.length = 0;
  for (const [path, body] of [
    ["/tool-calls", "{"],
    ["/tool-calls", { hook_event_name: "Stop" }],
    ["/tool-calls", { hook_event_name: "PreToolUse", tool_name: "" }],
    ["/tool-calls", { hook_event_name: "PreToolUse", tool_name: "a", tool_input: deep(3000) }],
    ["/v1/traces", { spans: [] }],
    ["/v1/traces", []],
  ] as const) {
    assert.equal((await ask("r-a", "POST", path, body)).status, 400, JSON.stringify(body));
  }
  assert.deepEqual(claimed, []);
});
