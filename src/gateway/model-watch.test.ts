/** What the gateway reads of exchanges with models: every way of HTTP, plain and compressed, and what is told of it. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { Agent, request as ask, type IncomingMessage, type ServerResponse } from "node:http";
import { Socket } from "node:net";
import { test, type TestContext } from "node:test";
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { site, worldOf } from "./http-test-kit.ts";
import type { Resolution } from "./ports.ts";
import { readAll, type World, type WorldOptions } from "./test-kit.ts";

const sse = (events: readonly object[]) =>
  events.map((one) => `data: ${JSON.stringify(one)}\n\n`).join("");
const INPUT = JSON.stringify({ command: "echo hi" });

/** One call, `c1 Bash`, in each protocol, streamed. */
const KINDS = [
  {
    protocol: "anthropic-messages",
    system: "anthropic",
    path: "/v1/messages",
    body: { model: "m", max_tokens: 9, stream: true, messages: [{ role: "user", content: "x" }] },
    answer: sse([
      {
        type: "message_start",
        message: { model: "m", content: [], usage: { input_tokens: 3, output_tokens: 1 } },
      },
      {
        ...{ type: "content_block_start", index: 0 },
        content_block: { type: "tool_use", id: "c1", name: "Bash", input: {} },
      },
      {
        ...{ type: "content_block_delta", index: 0 },
        delta: { type: "input_json_delta", partial_json: INPUT },
      },
      { type: "content_block_stop", index: 0 },
      { type: "message_delta", delta: { stop_reason: "tool_use" }, usage: { output_tokens: 7 } },
      { type: "message_stop" },
    ]),
  },
  {
    protocol: "openai-responses",
    system: "openai",
    path: "/v1/responses",
    body: { model: "m", stream: true, input: "x" },
    answer: sse([
      {
        ...{ type: "response.output_item.done", output_index: 0 },
        item: { type: "function_call", call_id: "c1", name: "Bash", arguments: INPUT },
      },
      {
        type: "response.completed",
        response: {
          ...{ object: "response", model: "m", status: "tool_use", output: [] },
          usage: { input_tokens: 3, output_tokens: 7 },
        },
      },
    ]),
  },
  {
    protocol: "openai-chat",
    system: "openai",
    path: "/v1/chat/completions",
    body: { model: "m", stream: true, messages: [{ role: "user", content: "x" }] },
    answer: `${sse([
      {
        model: "m",
        choices: [
          {
            ...{ index: 0, finish_reason: "tool_use" },
            delta: {
              tool_calls: [{ index: 0, id: "c1", function: { name: "Bash", arguments: INPUT } }],
            },
          },
        ],
        usage: { prompt_tokens: 3, completion_tokens: 7 },
      },
    ])}data: [DONE]\n\n`,
  },
  {
    protocol: "google-generate",
    system: "gemini",
    path: "/v1beta/models/m:streamGenerateContent",
    body: { contents: [{ role: "user", parts: [{ text: "x" }] }] },
    answer: `[${JSON.stringify({
      candidates: [
        {
          content: {
            parts: [{ functionCall: { id: "c1", name: "Bash", args: JSON.parse(INPUT) } }],
          },
          finishReason: "tool_use",
        },
      ],
      usageMetadata: { promptTokenCount: 3, candidatesTokenCount: 7 },
      modelVersion: "m",
    })}]`,
  },
] as const;
type Kind = (typeof KINDS)[number];
const [ANTHROPIC, , CHAT] = KINDS;

const CODINGS: readonly (readonly [string, (bytes: Buffer) => Buffer])[] = [
  ["identity", (bytes) => bytes],
  ["gzip", (bytes) => gzipSync(bytes)],
  ["deflate", (bytes) => deflateSync(bytes)],
  ["br", (bytes) => brotliCompressSync(bytes)],
  ["zstd", (bytes) => zstdCompressSync(bytes)],
];

/** Posts to a.test; gives the answer's bytes. */
async function post(
  it: World,
  path: string,
  body: object | Buffer,
  headers: Record<string, string> = {},
  method = "POST",
  agent: Agent | false = false,
): Promise<{ readonly status: number | undefined; readonly bytes: Buffer }> {
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body));
  const sent = ask({
    ...{ port: await it.listenerFor("a.test", 80), path, method, agent },
    headers: { host: "a.test", "content-type": "application/json", ...headers },
  });
  sent.end(method === "GET" ? undefined : bytes);
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
  return { status: response.statusCode, bytes: Buffer.concat(chunks) };
}

/** Writes `bytes` in pieces, each in a packet of its own. */
async function inPieces(response: ServerResponse, bytes: Buffer, size: number): Promise<void> {
  for (let at = 0; at < bytes.length; at += size) {
    response.write(bytes.subarray(at, at + size));
    await new Promise((resolve) => setImmediate(resolve));
  }
  response.end();
}

const serving = (answer: string | Buffer, headers: Record<string, string> = {}, status = 200) =>
  site((request, response) => {
    request.resume().on("end", () => response.writeHead(status, headers).end(answer));
  });

const told = (it: World, type: string) =>
  it.events.filter((event) => event.type === type).map(({ data = {} }) => data);

type More = Partial<WorldOptions> & { allow?: string };

function worldOfModel(
  t: TestContext,
  kind: Kind,
  server: ReturnType<typeof site>,
  more: More = {},
) {
  const allow = `[{ verbs: ["*"], doing: [read, write, execute, send, spend] }]`;
  return worldOf(t, server, { system: kind.system, allow, ...more });
}

for (const kind of KINDS) {
  test(`INV-140: what a model calls by ${kind.protocol} is read, under every coding, and no byte is changed`, async (t) => {
    const coded = new Map(
      CODINGS.map(([name, encode]) => [name, encode(Buffer.from(kind.answer))]),
    );
    const server = site((request, response) => {
      const coding = String(request.headers["x-coding"]);
      request.resume().on("end", () => {
        response.writeHead(200, { "content-encoding": coding, "content-type": "text/plain" });
        void inPieces(response, coded.get(coding) ?? Buffer.alloc(0), 40);
      });
    });
    const it = await worldOfModel(t, kind, server);
    for (const [coding] of CODINGS) {
      const { bytes } = await post(it, kind.path, kind.body, { "x-coding": coding });
      assert.deepEqual(bytes, coded.get(coding), coding);
    }
    const calls = told(it, "tool.call");
    assert.equal(calls.length, CODINGS.length);
    for (const { digest, ...call } of calls) {
      assert.deepEqual(call, {
        ...{ call: "c1", name: "Bash", source: "model", input: INPUT, bytes: INPUT.length },
        model: "m",
      });
      assert.match(JSON.stringify(digest), /^"[0-9a-f]{64}"$/);
    }
    const models = told(it, "model");
    assert.equal(models.length, CODINGS.length);
    for (const model of models) {
      assert.deepEqual(model, {
        ...{ provider: kind.system, protocol: kind.protocol, model: "m", stop: "tool_use" },
        ...{ tokens: { in: 3, out: 7 }, tools: 0, calls: 1, results: 0, status: 200 },
      });
    }
    const event = it.events.find(({ type }) => type === "tool.call");
    assert.equal(event?.process?.pid, 4121);
    assert.equal(event?.action, it.actions[0]?.id);
    assert.notEqual(event?.flow, undefined);
  });
}

for (const coding of ["identity", "gzip"]) {
  test(`INV-140: a call is on its way to the record before its bytes are on theirs (${coding})`, async (t) => {
    const order: string[] = [];
    const body = coding === "gzip" ? gzipSync(ANTHROPIC.answer) : Buffer.from(ANTHROPIC.answer);
    const mark = coding === "gzip" ? body.subarray(20, 60) : Buffer.from("input_json_delta");
    const server = site((request, response) => {
      request.resume().on("end", () => {
        response.writeHead(200, { "content-encoding": coding }).end(body);
      });
    });
    const it = await worldOfModel(t, ANTHROPIC, server, {
      record({ type }) {
        order.push(type);
        return Promise.resolve(order.length);
      },
    });
    const write = Socket.prototype.write;
    t.mock.method(Socket.prototype, "write", function (this: Socket, ...given: unknown[]) {
      const [data] = given;
      const bytes = typeof data === "string" ? Buffer.from(data, "latin1") : (data as Buffer);
      if (bytes.includes(mark)) order.push("bytes");
      return Reflect.apply(write, this, given) as boolean;
    });
    await post(it, ANTHROPIC.path, ANTHROPIC.body);
    const seen = order.filter((one) => ["bytes", "tool.call", "model"].includes(one));
    // From the server to the gateway, and from the gateway to the agent.
    assert.deepEqual(seen, ["bytes", "tool.call", "bytes", "model"]);
  });
}

test("what tools gave is told once, in brief, and without what is a secret by form or name", async (t) => {
  const it = await worldOfModel(t, ANTHROPIC, serving(ANTHROPIC.answer));
  const key = `ghp_${"a1B2".repeat(9)}`;
  const result = (tool_use_id: string, content: string, more = {}) => ({
    role: "user",
    content: [{ type: "tool_result", tool_use_id, content, ...more }],
  });
  const first = result("c1", `${key} and password=hunter2hunter2 ${"é".repeat(600)}`);
  const messages = [{ role: "user", content: "x" }, first];
  await post(it, ANTHROPIC.path, { ...ANTHROPIC.body, messages });
  messages.push(result("c2", "no", { is_error: true }));
  await post(it, ANTHROPIC.path, { ...ANTHROPIC.body, messages });
  const [one, two, ...more] = told(it, "tool.result");
  assert.deepEqual(more, []);
  assert.equal(one?.["call"], "c1");
  assert.equal(one?.["bytes"], Buffer.byteLength(first.content[0]?.content ?? ""));
  const excerpt = JSON.stringify(one?.["excerpt"]).slice(1, -1);
  assert.ok(Buffer.byteLength(excerpt) <= 512);
  assert.match(excerpt, /^\[secret\] and password=\[secret\] éé/);
  assert.doesNotMatch(JSON.stringify(told(it, "tool.result")), /hunter2|ghp_a1/);
  assert.equal(two?.["excerpt"], "no");
  assert.equal(two?.["isError"], true);
  assert.deepEqual(
    told(it, "model").map(({ results }) => results),
    [1, 1],
  );
});

test("calls that a request claims and no model gave are named, once", async (t) => {
  const it = await worldOfModel(t, ANTHROPIC, serving(ANTHROPIC.answer));
  const claim = (id: string, input: object) => ({
    role: "assistant",
    content: [{ type: "tool_use", id, name: "Bash", input }],
  });
  const user = { role: "user", content: "x" };
  const asked = (...messages: object[]) =>
    post(it, ANTHROPIC.path, { ...ANTHROPIC.body, messages: [user, ...messages] });
  await asked(claim("c1", { command: "echo hi" })); // Before the model says it.
  await asked(claim("c1", { command: "echo hi" }));
  await asked(claim("c1", { command: "rm -rf /" }), claim("forged", {}));
  await asked(claim("c1", { command: "rm -rf /" }), claim("forged", {}));
  const named = told(it, "model").map(({ unmatched }) =>
    ((unmatched ?? []) as { call: string; why: string }[]).map(({ call, why }) => `${call} ${why}`),
  );
  assert.deepEqual(named, [["c1 never"], [], ["c1 other", "forged never"], []]);
});

/** At a grant of plain HTTP: by path and form. */
const ANYWHERE: readonly (readonly [
  why: string,
  path: string,
  body: object,
  answer: string,
  protocol: string | undefined,
  unread: RegExp | undefined,
])[] = [
  [
    "a local server that speaks OpenAI's API",
    CHAT.path,
    CHAT.body,
    CHAT.answer,
    CHAT.protocol,
    undefined,
  ],
  [
    "a path that is spelt in another way",
    "/v1/chat/%63ompletions",
    CHAT.body,
    CHAT.answer,
    CHAT.protocol,
    undefined,
  ],
  ["an API that is known and not read", "/api/chat", CHAT.body, "{}", "unknown", /Ollama/],
  [
    "a model's form at another path",
    "/ask",
    CHAT.body,
    CHAT.answer,
    "unknown",
    /path that is none/,
  ],
  ["somebody's own messages", "/v1/messages", { text: "hi" }, "{}", undefined, undefined],
  ["anything else", "/things", { input: "x" }, "{}", undefined, undefined],
  ["an answer that is none", CHAT.path, CHAT.body, '{"a":', CHAT.protocol, /broke off/],
];
for (const [why, path, body, answer, protocol, unread] of ANYWHERE) {
  test(`INV-141: ${why} is ${protocol ?? "no exchange with a model"}`, async (t) => {
    const it = await worldOf(t, serving(answer));
    await post(it, path, body);
    const models = told(it, "model");
    assert.deepEqual(
      models.map((one) => one["protocol"]),
      protocol === undefined ? [] : [protocol],
    );
    if (unread === undefined) assert.equal(models[0]?.["unread"], undefined);
    else assert.match(JSON.stringify(models[0]?.["unread"]), unread);
    if (protocol !== undefined) assert.equal(models[0]?.["provider"], "a.test");
    assert.equal(
      told(it, "tool.call").length,
      protocol === CHAT.protocol && unread === undefined ? 1 : 0,
    );
  });
}

test("INV-141: a long request that streams, a compressed one, and a coding that nobody knows", async (t) => {
  const it = await worldOf(t, serving(CHAT.answer, { "content-encoding": "x-odd" }));
  const messages = [
    { role: "user", content: "x".repeat(300_000) },
    { role: "tool", tool_call_id: "c0", content: "gave" },
  ];
  const long = Buffer.from(JSON.stringify({ ...CHAT.body, messages }));
  await post(it, CHAT.path, long, { "transfer-encoding": "chunked" });
  await post(it, CHAT.path, gzipSync(long), { "content-encoding": "gzip" });
  await post(it, CHAT.path, long, { "content-encoding": "x-odd" });
  assert.deepEqual(
    told(it, "tool.result").map(({ call }) => call),
    ["c0"],
  );
  const unread = told(it, "model").map((one) => JSON.stringify(one["unread"]));
  assert.equal(unread.length, 3);
  assert.match(unread[0] ?? "", /an answer in a coding/);
  assert.match(unread[1] ?? "", /an answer in a coding/);
  assert.match(unread[2] ?? "", /a request in a coding/);
});

test("INV-142: a compressed bomb is passed on and costs no more than its limit", async (t) => {
  const bomb = gzipSync(Buffer.alloc(64 << 20, " "));
  const it = await worldOf(t, serving(bomb, { "content-encoding": "gzip" }));
  const { bytes } = await post(it, CHAT.path, CHAT.body);
  assert.equal(bytes.length, bomb.length);
  assert.match(JSON.stringify(told(it, "model")[0]?.["unread"]), /too long/);
});

test("INV-141: an exchange that fails, and a model that says no, are told", async (t) => {
  const refusing = await worldOfModel(t, ANTHROPIC, serving('{"type":"error"}', {}, 429));
  await post(refusing, ANTHROPIC.path, ANTHROPIC.body);
  assert.deepEqual(
    told(refusing, "model").map(({ status, calls }) => [status, calls]),
    [[429, 0]],
  );
  const breaking = site((request) => void request.socket.destroy());
  const broken = await worldOfModel(t, ANTHROPIC, breaking);
  await post(broken, ANTHROPIC.path, ANTHROPIC.body);
  assert.match(JSON.stringify(told(broken, "model")[0]?.["unread"]), /the exchange failed/);
});

test("what was begun in the background is read where it is fetched", async (t) => {
  const item = { type: "function_call", call_id: "c1", name: "Bash", arguments: INPUT };
  const response = { object: "response", model: "m", status: "completed", output: [item] };
  const it = await worldOfModel(t, KINDS[1], serving(JSON.stringify(response)), {
    allow: `[{ verbs: ["*"] }]`,
  });
  await post(it, "/v1/responses/resp_1", {}, {}, "GET");
  assert.deepEqual(
    told(it, "tool.call").map(({ call }) => call),
    ["c1"],
  );
  assert.equal(told(it, "model").length, 1);
});

test("what a person let through is read before the agent gets it", async (t) => {
  const answered: Resolution = {
    ...{ kind: "answered", approval: "p-1" },
    answer: { status: 200, headers: [], body: Buffer.from(ANTHROPIC.answer), isCut: false },
  };
  const it = await worldOfModel(t, ANTHROPIC, serving("never asked"), {
    allow: `[{ verbs: ["*"] }]`,
    hold: () => Promise.resolve(answered),
  });
  const tools = [{ type: "web_search_20250305", name: "web_search" }];
  const { bytes } = await post(it, ANTHROPIC.path, { ...ANTHROPIC.body, tools });
  assert.equal(bytes.toString(), ANTHROPIC.answer);
  assert.deepEqual(
    told(it, "tool.call").map(({ call }) => call),
    ["c1"],
  );
  assert.deepEqual(
    told(it, "model").map(({ hostedTools }) => hostedTools),
    [1],
  );
});

test("a client that leaves within a call: what was open is told", async (t) => {
  const half = ANTHROPIC.answer.slice(
    0,
    ANTHROPIC.answer.indexOf('data: {"type":"content_block_stop'),
  );
  const open = half.replace(JSON.stringify(INPUT).slice(0, -1), JSON.stringify(INPUT).slice(0, -4));
  const server = site((request, response) => {
    request.resume().on("end", () => response.writeHead(200).write(open));
  });
  const it = await worldOfModel(t, ANTHROPIC, server);
  const socket = await it.dial("a.test", 80);
  const body = JSON.stringify(ANTHROPIC.body);
  socket.write(
    `POST ${ANTHROPIC.path} HTTP/1.1\r\nHost: a.test\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
  await readAll(socket, (text) => text.includes("input_json_delta"));
  socket.destroy();
  await it.flowsClosed(1);
  assert.deepEqual(
    told(it, "tool.call").map(({ call }) => call),
    ["c1"],
  );
  assert.match(JSON.stringify(told(it, "model")[0]?.["unread"]), /failed|broke off/);
});

test("a connection serves one exchange after the other, also where reading takes a moment", async (t) => {
  const answer = gzipSync(CHAT.answer);
  const server = site((request, response) => {
    request.resume().on("end", () => {
      response.writeHead(200, { "content-encoding": "gzip" }).write(answer.subarray(0, 40));
      // The rest and the end come together, while the beginning is still looked at.
      setImmediate(() => response.end(answer.subarray(40)));
    });
  });
  const it = await worldOfModel(t, CHAT, server);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => agent.destroy());
  for (let n = 1; n <= 3; n += 1) {
    const { bytes } = await post(it, CHAT.path, CHAT.body, {}, "POST", agent);
    assert.deepEqual(bytes, answer);
    assert.equal(told(it, "tool.call").length, n);
  }
  assert.equal(it.events.filter(({ type }) => type === "flow.open").length, 1);
});
