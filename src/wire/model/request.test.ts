/** Requests to models: what tools gave, which calls they claim, and what they offer, in each API. */
import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import {
  isModelRequest,
  looksLikeModel,
  modelApiOf,
  MODEL_PROTOCOLS,
  type ModelProtocol,
} from "./protocol.ts";
import { readModelRequest } from "./request.ts";
import { createResponsesSocket } from "./socket.ts";

const read = (protocol: ModelProtocol, body: object, path = "/") =>
  readModelRequest(protocol, path, Buffer.from(JSON.stringify(body)));

/** Bodies as the references have them, and what is in them. */
const REQUESTS: readonly (readonly [
  protocol: ModelProtocol,
  path: string,
  body: object,
  tools: readonly [all: number, hosted: number],
  /** `id excerpt`, `!` behind errors. */
  results: readonly string[],
  /** `id name input` */
  claims: readonly string[],
])[] = [
  [
    "anthropic-messages",
    "/v1/messages",
    {
      model: "m",
      tools: [
        { name: "Bash", input_schema: {} },
        { type: "bash_20250124", name: "bash" },
        { type: "web_search_20250305", name: "web_search" },
      ],
      mcp_servers: [{ type: "url", url: "https://mcp.example" }],
      messages: [
        { role: "user", content: "hi" },
        {
          role: "assistant",
          content: [
            { type: "text", text: "ok" },
            { type: "tool_use", id: "t1", name: "Bash", input: { command: "ls" } },
            { type: "server_tool_use", id: "s1", name: "web_search", input: {} },
          ],
        },
        {
          role: "user",
          content: [
            { type: "tool_result", tool_use_id: "t1", content: [{ type: "text", text: "a b" }] },
            { type: "tool_result", tool_use_id: "t2", is_error: true, content: "no" },
            { type: "tool_result", tool_use_id: "t3" },
            { type: "tool_use", id: "t9", name: "Bash", input: {} }, // A user makes no calls.
          ],
        },
      ],
    },
    [4, 2],
    ["t1 a b", "t2 no!", "t3 "],
    ['t1 Bash {"command":"ls"}', "s1 web_search {}"],
  ],
  [
    "openai-responses",
    "/v1/responses",
    {
      model: "m",
      tools: [
        { type: "function", name: "f" },
        { type: "namespace", name: "n", tools: [{ type: "function", name: "g" }] },
        { type: "web_search" },
        { type: "shell" },
        { type: "shell", environment: { type: "container_auto" } },
      ],
      input: [
        { role: "user", content: "hi" },
        { type: "function_call", call_id: "c1", name: "f", arguments: "{}" },
        { type: "function_call_output", call_id: "c1", output: "done" },
        { type: "custom_tool_call", call_id: "c2", name: "p", input: "text" },
        {
          type: "custom_tool_call_output",
          call_id: "c2",
          output: [{ type: "input_text", text: "x" }],
        },
        {
          type: "shell_call_output",
          call_id: "c3",
          output: [{ stdout: "", stderr: "e", outcome: { type: "exit", exit_code: 2 } }],
        },
      ],
    },
    [5, 2],
    ["c1 done", "c2 x", 'c3 [{"stdout":"","stderr":"e","outcome":{"type":"exit","exit_code":2}}]!'],
    ["c1 f {}", "c2 p text"],
  ],
  [
    "openai-chat",
    "/v1/chat/completions",
    {
      model: "m",
      tools: [{ type: "function", function: { name: "f" } }],
      web_search_options: {},
      messages: [
        { role: "user", content: "hi" },
        {
          role: "assistant",
          content: null,
          tool_calls: [{ id: "c1", type: "function", function: { name: "f", arguments: "{}" } }],
        },
        { role: "tool", tool_call_id: "c1", content: "done" },
        { role: "assistant", function_call: { name: "old", arguments: "{}" } },
        { role: "function", name: "old", content: "was" },
      ],
    },
    [2, 1],
    ["c1 done", "old was"],
    ["c1 f {}", "old old {}"],
  ],
  [
    "google-generate",
    "/v1beta/models/m:streamGenerateContent",
    {
      tools: [{ functionDeclarations: [{ name: "f" }, { name: "g" }] }, { googleSearch: {} }],
      contents: [
        { role: "user", parts: [{ text: "hi" }] },
        {
          role: "model",
          parts: [
            { functionCall: { id: "1", name: "f", args: { a: 1 } } },
            { function_call: { name: "g" } },
          ],
        },
        {
          role: "user",
          parts: [
            { functionResponse: { id: "1", name: "f", response: { output: "done" } } },
            { functionResponse: { name: "g", response: { error: "no" } } },
          ],
        },
      ],
    },
    [3, 1],
    ['1 {"output":"done"}', 'g {"error":"no"}!'],
    ['1 f {"a":1}', "g g {}"],
  ],
];

for (const [protocol, path, body, [tools, hosted], results, claims] of REQUESTS) {
  test(`a request of ${protocol}: its results, claims and tools`, () => {
    assert.deepEqual(modelApiOf(path), { protocol });
    assert.ok(isModelRequest(protocol, body) && looksLikeModel("/", body));
    const it = read(protocol, body, path);
    assert.deepEqual(
      [it.model, it.tools, it.hostedTools, it.unread],
      ["m", tools, hosted, undefined],
    );
    const said = it.results.map(
      ({ id, excerpt, isError }) => `${id} ${excerpt}${isError ? "!" : ""}`,
    );
    assert.deepEqual(said, results);
    assert.deepEqual(
      it.claims.map(({ id, name, input }) => `${id} ${name} ${input.text}`),
      claims,
    );
  });
}

test("a text has one digest, however it is packed; a picture beside it has another", () => {
  const result = (content: unknown) =>
    read("anthropic-messages", {
      messages: [{ role: "user", content: [{ type: "tool_result", tool_use_id: "t", content }] }],
    }).results[0]?.digest;
  const text = (one: string) => ({ type: "text", text: one });
  assert.equal(result("a b"), hash("sha256", "a b"));
  assert.equal(result([text("a "), text("b")]), hash("sha256", "a b"));
  assert.notEqual(result([text("a b"), { type: "image", source: {} }]), hash("sha256", "a b"));
});

test("INV-141: a request that cannot be read says so", () => {
  for (const [bytes, why] of [
    ["", /no JSON/],
    ["[]", /no JSON/],
    [`{"messages":${"[".repeat(1000)}`, /no JSON/],
    [Buffer.from('{"messages":[],"x":"\u00ff"}', "latin1"), /not UTF-8/],
    [Buffer.alloc((8 << 20) + 1, " "), /more than/],
  ] as const) {
    const { unread = "" } = readModelRequest("openai-chat", "/", Buffer.from(bytes as Buffer));
    assert.match(unread, why);
  }
});

const PATHS: readonly (readonly [path: string, api: string | undefined])[] = [
  ["/v1/messages", "anthropic-messages"],
  ["/some/proxy/v1/chat/completions", "openai-chat"],
  ["/backend-api/codex/responses", "openai-responses"],
  ["/v1internal:streamGenerateContent", "google-generate"],
  [
    "/v1/projects/p/locations/l/publishers/anthropic/models/c@1:streamRawPredict",
    "anthropic-messages",
  ],
  ["/v1/messages/", "anthropic-messages"],
  ["/v1/messages/count_tokens", undefined],
  ["/v1/models", undefined],
  ["/api/chat", "unread"],
  ["/v1/completions", "unread"],
  ["/model/anthropic.x/invoke-with-response-stream", "unread"],
  ["/v1/realtime", "unread"],
  ["/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent", "unread"],
];
test("counting tokens and making vectors is no question to a model", () => {
  const body = { model: "m", input: "x", messages: [{ role: "user", content: "x" }] };
  for (const path of ["/v1/embeddings", "/v1/messages/count_tokens", "/v1/models/m:countTokens"]) {
    assert.equal(looksLikeModel(path, body), false);
  }
  assert.equal(looksLikeModel("/v1/ask", body), true);
});

for (const [path, api] of PATHS) {
  test(`INV-141: ${path} is ${api ?? "no exchange with a model"}`, () => {
    const known = modelApiOf(path);
    assert.equal(known && ("protocol" in known ? known.protocol : "unread"), api);
  });
}

test("whatever a request is, nothing is thrown", () => {
  const value = fc.jsonValue({ maxDepth: 2 });
  const block = fc.dictionary(
    fc.constantFrom("type", "role", "content", "id", "input", "parts", "tool_calls", "function"),
    fc.oneof(
      value,
      fc.constantFrom("tool_use", "tool_result", "assistant", "model", "function_call", "tool"),
      fc.array(fc.dictionary(fc.constantFrom("functionCall", "type", "name"), value), {
        maxLength: 3,
      }),
    ),
  );
  const body = fc.dictionary(
    fc.constantFrom("messages", "input", "contents", "tools", "model", "request"),
    fc.oneof(value, fc.array(block, { maxLength: 4 })),
  );
  fc.assert(
    fc.property(fc.constantFrom(...MODEL_PROTOCOLS), body, (protocol, one) => {
      read(protocol, one);
      looksLikeModel("/", one);
      isModelRequest(protocol, one);
    }),
  );
});

test("Responses over a WebSocket: requests, calls and answers, of several streams at once", () => {
  const socket = createResponsesSocket();
  const from = (side: "client" | "server", message: object) =>
    socket[side](Buffer.from(JSON.stringify(message))).map((part) =>
      part.kind === "call"
        ? `call ${part.call.id}`
        : part.kind === "answer"
          ? `answer ${part.answered.stop ?? ""} ${part.answered.calls}`
          : `request ${part.request.results.map(({ id }) => id).join()}`,
    );
  const call = (call_id: string) => ({
    type: "function_call",
    call_id,
    name: "f",
    arguments: "{}",
  });
  const done = (stream_id: string, id: string) =>
    from("server", {
      type: "response.output_item.done",
      stream_id,
      output_index: 0,
      item: call(id),
    });
  const end = (stream_id: string, status: string) =>
    from("server", { type: `response.${status}`, stream_id, response: { status, output: [] } });
  const output = [{ type: "function_call_output", call_id: "c0", output: "x" }];
  assert.deepEqual(from("client", { type: "response.create", model: "m", input: output }), [
    "request c0",
  ]);
  assert.deepEqual(done("a", "c1"), ["call c1"]);
  assert.deepEqual(done("b", "c2"), ["call c2"]);
  assert.deepEqual(end("b", "completed"), ["answer completed 1"]);
  assert.deepEqual(end("a", "failed"), ["answer failed 1"]);
  assert.deepEqual(done("a", "c3"), ["call c3"]);
  assert.deepEqual(
    socket.end().map(({ kind }) => kind),
    ["answer"],
  );
  for (const side of ["client", "server"] as const) {
    for (const odd of [undefined, Buffer.from("{"), Buffer.of(0xff)]) {
      const [part] = socket[side](odd);
      assert.ok(part?.kind === "answer" && part.answered.unread !== undefined);
    }
  }
});
