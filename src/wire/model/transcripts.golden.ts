/**
 * Answers of models as their APIs document them, with the calls in them. Written after the references and the
 * types of the providers' SDKs that each names; no recording of a real model.
 *
 * @module
 */
import type { ModelProtocol } from "./protocol.ts";

export interface Transcript {
  readonly name: string;
  readonly source: string;
  readonly protocol: ModelProtocol;
  readonly body: string;
  /** `id name input`, with `hosted` behind those of the provider. */
  readonly calls: readonly string[];
  /** model, stop, tokens in and out. */
  readonly answered: readonly [string?, string?, number?, number?];
}

const sse = (events: readonly object[]) =>
  events
    .map((event) => {
      const { type } = event as { type?: string };
      const name = type === undefined ? "" : `event: ${type}\n`;
      return `${name}data: ${JSON.stringify(event)}\n\n`;
    })
    .join("");

/** As servers that are no provider's write it: no names, CR LF, a comment, no space. */
const plainSse = (events: readonly object[]) =>
  `: keep-alive\r\n\r\n${events.map((one) => `data:${JSON.stringify(one)}\r\n\r\n`).join("")}data: [DONE]\r\n\r\n`;

const start = (index: number, content_block: object) => ({
  type: "content_block_start",
  index,
  content_block,
});
const delta = (index: number, one: object) => ({ type: "content_block_delta", index, delta: one });
const json = (index: number, partial_json: string) =>
  delta(index, { type: "input_json_delta", partial_json });
const stop = (index: number) => ({ type: "content_block_stop", index });

const ANTHROPIC_START = {
  type: "message_start",
  message: {
    ...{ id: "msg_1", type: "message", role: "assistant", model: "claude-test", content: [] },
    ...{ stop_reason: null, stop_sequence: null },
    usage: { input_tokens: 400, cache_read_input_tokens: 72, output_tokens: 2 },
  },
};
const anthropicEnd = (stop_reason: string) => [
  {
    type: "message_delta",
    delta: { stop_reason, stop_sequence: null },
    usage: { output_tokens: 89 },
  },
  { type: "message_stop" },
];

const response = (status: string, output: readonly object[], more: object = {}) => ({
  ...{ id: "resp_1", object: "response", created_at: 1, status, model: "gpt-test", output },
  usage:
    status === "completed" ? { input_tokens: 291, output_tokens: 23, total_tokens: 314 } : null,
  ...more,
});
const numbered = (events: readonly object[]) =>
  sse(events.map((event, sequence_number) => ({ ...event, sequence_number })));
const WEATHER = {
  ...{ type: "function_call", id: "fc_1", call_id: "call_1", name: "get_weather" },
  ...{ status: "completed", arguments: '{"location":"Köln, \\"Süd\\""}' },
};
const PATCH = {
  ...{ type: "custom_tool_call", id: "ctc_1", call_id: "call_2", name: "apply_patch" },
  input: "*** Begin Patch\n*** End Patch",
};

const chunk = (delta_: object, finish_reason: string | null = null, index = 0) => ({
  ...{ id: "chatcmpl-1", object: "chat.completion.chunk", created: 1, model: "gpt-test" },
  choices: [{ index, delta: delta_, logprobs: null, finish_reason }],
});
const chatCall = (index: number, more: object) => ({ tool_calls: [{ index, ...more }] });

const part = (one: object, more: object = {}) => ({
  candidates: [{ content: { role: "model", parts: [one] }, index: 0, ...more }],
  usageMetadata: { promptTokenCount: 50, candidatesTokenCount: 7, thoughtsTokenCount: 5 },
  ...{ modelVersion: "gemini-test", responseId: "r1" },
});
const LIGHT = {
  functionCall: { id: "fc-1", name: "set_light", args: { brightness: 25, color: "warm" } },
  thoughtSignature: "c2ln",
};
const GEMINI = [
  part({ text: "I ", thought: true }),
  part(LIGHT),
  part({ text: "" }, { finishReason: "STOP" }),
];

export const TRANSCRIPTS: readonly Transcript[] = [
  {
    name: "Anthropic, streamed: thinking, text, one call in pieces, a ping between",
    source: "platform.claude.com: Streaming messages, Streaming request with tool use",
    protocol: "anthropic-messages",
    body: sse([
      ANTHROPIC_START,
      start(0, { type: "thinking", thinking: "", signature: "" }),
      { type: "ping" },
      delta(0, { type: "thinking_delta", thinking: 'I call {"name":"Bash"}' }),
      delta(0, { type: "signature_delta", signature: "EqQB" }),
      stop(0),
      start(1, { type: "text", text: "" }),
      delta(1, { type: "text_delta", text: "Let me look." }),
      stop(1),
      start(2, { type: "tool_use", id: "toolu_1", name: "Bash", input: {} }),
      json(2, ""),
      json(2, '{"command": "ls'),
      json(2, ' -l \\"ä\\" }'),
      json(2, '"}'),
      stop(2),
      ...anthropicEnd("tool_use"),
    ]),
    calls: ['toolu_1 Bash {"command": "ls -l \\"ä\\" }"}'],
    answered: ["claude-test", "tool_use", 472, 89],
  },
  {
    name: "Anthropic, streamed: parallel calls, interleaved, one without input, one cut at its limit",
    source: "platform.claude.com: Tool use, Parallel tool use; Fine-grained tool streaming",
    protocol: "anthropic-messages",
    body: sse([
      ANTHROPIC_START,
      start(0, { type: "tool_use", id: "toolu_a", name: "Read", input: {} }),
      start(1, { type: "tool_use", id: "toolu_b", name: "Read", input: {} }),
      json(0, '{"path":'),
      json(1, '{"path":"b"}'),
      json(0, '"a"}'),
      stop(1),
      stop(0),
      start(2, { type: "tool_use", id: "toolu_c", name: "List", input: {} }),
      stop(2),
      start(3, { type: "tool_use", id: "toolu_d", name: "Write", input: {} }),
      json(3, '{"text":"half'),
      stop(3),
      ...anthropicEnd("max_tokens"),
    ]),
    calls: [
      'toolu_b Read {"path":"b"}',
      'toolu_a Read {"path":"a"}',
      "toolu_c List {}",
      'toolu_d Write {"text":"half',
    ],
    answered: ["claude-test", "max_tokens", 472, 89],
  },
  {
    name: "Anthropic, streamed: tools of the provider, their results, and a block of a kind to come",
    source: "platform.claude.com: Web search tool, MCP connector, Code execution tool",
    protocol: "anthropic-messages",
    body: sse([
      ANTHROPIC_START,
      start(0, { type: "server_tool_use", id: "srvtoolu_1", name: "web_search", input: {} }),
      json(0, '{"query":"x"}'),
      stop(0),
      start(1, {
        type: "web_search_tool_result",
        tool_use_id: "srvtoolu_1",
        content: [{ type: "web_search_result", url: "https://a.example", encrypted_content: "E" }],
      }),
      stop(1),
      start(2, {
        ...{ type: "mcp_tool_use", id: "mcptoolu_1", name: "echo", server_name: "s" },
        input: { text: "hi" },
      }),
      stop(2),
      start(3, { type: "hologram", payload: { type: "tool_use", id: "no", name: "no" } }),
      delta(3, { type: "hologram_delta", beam: "…" }),
      stop(3),
      { type: "weather_report", sunny: true },
      ...anthropicEnd("end_turn"),
    ]),
    calls: ['srvtoolu_1 web_search {"query":"x"} hosted', 'mcptoolu_1 echo {"text":"hi"} hosted'],
    answered: ["claude-test", "end_turn", 472, 89],
  },
  {
    name: "Anthropic, whole",
    source: "platform.claude.com: Messages",
    protocol: "anthropic-messages",
    body: JSON.stringify(
      {
        ...ANTHROPIC_START.message,
        content: [
          { type: "text", text: 'no call: {"type":"tool_use"} ]}' },
          { type: "tool_use", id: "toolu_1", name: "Bash", input: { command: "id", n: 1e3 } },
        ],
        stop_reason: "tool_use",
      },
      undefined,
      2,
    ),
    calls: ['toolu_1 Bash {"command":"id","n":1000}'],
    answered: ["claude-test", "tool_use", 472, 2],
  },
  {
    name: "OpenAI Responses, streamed: a function, a custom tool, reasoning",
    source: "platform.openai.com: Streaming events; openai-node ResponseStreamEvent",
    protocol: "openai-responses",
    body: numbered([
      { type: "response.created", response: response("in_progress", []) },
      {
        type: "response.output_item.added",
        output_index: 0,
        item: { type: "reasoning", id: "rs_1" },
      },
      {
        type: "response.output_item.done",
        output_index: 0,
        item: { type: "reasoning", id: "rs_1" },
      },
      {
        type: "response.output_item.added",
        output_index: 1,
        item: { ...WEATHER, arguments: "", status: "in_progress" },
      },
      {
        type: "response.output_item.added",
        output_index: 2,
        item: { ...PATCH, input: "" },
      },
      ...['{"location":', '"Köln, \\"Süd\\""', "}"].map((text) => ({
        ...{ type: "response.function_call_arguments.delta", item_id: "fc_1", output_index: 1 },
        delta: text,
      })),
      {
        ...{ type: "response.custom_tool_call_input.delta", item_id: "ctc_1", output_index: 2 },
        delta: PATCH.input,
      },
      {
        ...{ type: "response.function_call_arguments.done", item_id: "fc_1", output_index: 1 },
        arguments: WEATHER.arguments,
      },
      { type: "response.output_item.done", output_index: 1, item: WEATHER },
      { type: "response.output_item.done", output_index: 2, item: PATCH },
      { type: "response.completed", response: response("completed", [WEATHER, PATCH]) },
    ]),
    calls: [`call_1 get_weather ${WEATHER.arguments}`, `call_2 apply_patch ${PATCH.input}`],
    answered: ["gpt-test", "completed", 291, 23],
  },
  {
    name: "OpenAI Responses, whole: shells, a computer, a search, code, MCP, a kind to come",
    source: "platform.openai.com: Responses, Tools; openai-node ResponseOutputItem",
    protocol: "openai-responses",
    body: JSON.stringify(
      response(
        "incomplete",
        [
          { type: "message", id: "msg_1", role: "assistant", content: [] },
          {
            ...{ type: "local_shell_call", id: "lsh_1", call_id: "call_1", status: "completed" },
            action: { type: "exec", command: ["ls"], env: {} },
          },
          { type: "shell_call", id: "sh_1", call_id: "call_2", action: { commands: ["pwd"] } },
          {
            ...{ type: "shell_call", id: "sh_2", call_id: "call_3", action: { commands: ["id"] } },
            environment: { type: "container_reference", container_id: "c" },
          },
          { type: "computer_call", id: "cu_1", call_id: "call_4", action: { type: "screenshot" } },
          { type: "web_search_call", id: "ws_1", action: { type: "search", query: "x" } },
          { type: "code_interpreter_call", id: "ci_1", code: "print(1)", container_id: "c" },
          { type: "mcp_list_tools", id: "mcpl_1", server_label: "s", tools: [] },
          { type: "mcp_call", id: "mcp_1", server_label: "s", name: "echo", arguments: '{"t":1}' },
          { type: "levitate_call", id: "lv_1", call_id: "call_5", height: 2 },
        ],
        { incomplete_details: { reason: "max_output_tokens" } },
      ),
    ),
    calls: [
      'call_1 local_shell {"type":"exec","command":["ls"],"env":{}}',
      'call_2 shell {"commands":["pwd"]}',
      'call_3 shell {"commands":["id"]} hosted',
      'call_4 computer {"type":"screenshot"}',
      'ws_1 web_search {"action":{"type":"search","query":"x"}} hosted',
      'ci_1 code_interpreter {"code":"print(1)","container_id":"c"} hosted',
      'mcp_1 s.echo {"t":1} hosted',
      'call_5 levitate {"id":"lv_1","call_id":"call_5","height":2}',
    ],
    answered: ["gpt-test", "max_output_tokens"],
  },
  {
    name: "OpenAI Chat, streamed: two calls, pieces of both, usage at the end",
    source: "platform.openai.com: Chat Completions, The chat completion chunk object",
    protocol: "openai-chat",
    body: plainSse([
      chunk({ role: "assistant", content: null }),
      chunk(
        chatCall(0, { id: "call_1", type: "function", function: { name: "a", arguments: "" } }),
      ),
      chunk(chatCall(0, { function: { arguments: '{"x":' } })),
      chunk(
        chatCall(1, { id: "call_2", type: "function", function: { name: "b", arguments: "" } }),
      ),
      chunk(chatCall(1, { function: { arguments: "{}" } })),
      chunk(chatCall(0, { function: { arguments: "[1, 2]}" } })),
      chunk(chatCall(2, { id: "call_3", type: "custom", custom: { name: "c", input: "fr" } })),
      chunk(chatCall(2, { custom: { input: "ee }" } })),
      chunk({}, "tool_calls"),
      { ...chunk({}), choices: [], usage: { prompt_tokens: 9, completion_tokens: 4 } },
    ]),
    calls: ["call_2 b {}", 'call_1 a {"x":[1, 2]}', "call_3 c free }"],
    answered: ["gpt-test", "tool_calls", 9, 4],
  },
  {
    name: "OpenAI Chat as local servers stream it: each call whole, none numbered, arguments as an object",
    source: "github.com/ollama/ollama docs/openai.md; vLLM, llama.cpp: OpenAI-compatible server",
    protocol: "openai-chat",
    body: plainSse([
      chunk({ tool_calls: [{ id: "c1", function: { name: "a", arguments: '{"x":1}' } }] }),
      chunk({ tool_calls: [{ id: "c2", function: { name: "a", arguments: { x: 2 } } }] }),
      chunk({}, "stop"),
    ]),
    calls: ['c1 a {"x":1}', 'c2 a {"x":2}'],
    answered: ["gpt-test", "stop"],
  },
  {
    name: "OpenAI Chat, whole, with a function of the old form in another choice",
    source: "platform.openai.com: Chat Completions, The chat completion object",
    protocol: "openai-chat",
    body: JSON.stringify({
      ...{ id: "chatcmpl-1", object: "chat.completion", model: "gpt-test" },
      choices: [
        {
          ...{ index: 0, finish_reason: "tool_calls" },
          message: {
            ...{ role: "assistant", content: null, refusal: null },
            tool_calls: [{ id: "c1", type: "function", function: { name: "a", arguments: "{}" } }],
          },
        },
        {
          ...{ index: 1, finish_reason: "function_call" },
          message: { role: "assistant", function_call: { name: "old", arguments: '{"y":2}' } },
        },
      ],
      usage: { prompt_tokens: 9, completion_tokens: 4, total_tokens: 13 },
    }),
    calls: ["c1 a {}", 'old old {"y":2}'],
    answered: ["gpt-test", "function_call", 9, 4],
  },
  {
    name: "Gemini, streamed as events",
    source: "ai.google.dev: Function calling; generateContent (alt=sse)",
    protocol: "google-generate",
    body: GEMINI.map((one) => `data: ${JSON.stringify(one)}\r\n\r\n`).join(""),
    calls: ['fc-1 set_light {"brightness":25,"color":"warm"}'],
    answered: ["gemini-test", "STOP", 50, 12],
  },
  {
    name: "Gemini, streamed as one JSON array",
    source: "ai.google.dev: streamGenerateContent",
    protocol: "google-generate",
    body: `[${GEMINI.map((one) => JSON.stringify(one, undefined, 2)).join("\n,\r\n")}\n]\n`,
    calls: ['fc-1 set_light {"brightness":25,"color":"warm"}'],
    answered: ["gemini-test", "STOP", 50, 12],
  },
  {
    name: "Gemini, whole: calls without ids, and code that runs at the provider",
    source: "ai.google.dev: Code execution, Parallel function calling",
    protocol: "google-generate",
    body: JSON.stringify({
      ...part({}),
      candidates: [
        {
          content: {
            parts: [
              { executableCode: { language: "PYTHON", code: "print(1)" } },
              { codeExecutionResult: { outcome: "OUTCOME_OK", output: "1" } },
              { functionCall: { name: "f", args: { a: 1 } } },
              { functionCall: { name: "f" } },
            ],
          },
          finishReason: "STOP",
        },
      ],
    }),
    calls: [
      'code_execution code_execution {"language":"PYTHON","code":"print(1)"} hosted',
      'f f {"a":1}',
      "f f {}",
    ],
    answered: ["gemini-test", "STOP", 50, 12],
  },
  {
    name: "Gemini as Gemini CLI is answered after a login",
    source: "github.com/google-gemini/gemini-cli packages/core/src/code_assist/converter.ts",
    protocol: "google-generate",
    body: `data: ${JSON.stringify({ response: part(LIGHT, { finishReason: "STOP" }), traceId: "t" })}\n\n`,
    calls: ['fc-1 set_light {"brightness":25,"color":"warm"}'],
    answered: ["gemini-test", "STOP", 50, 12],
  },
];
