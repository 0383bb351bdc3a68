/** Golden requests of OpenAI. */
import { goldenRows, type Golden } from "../golden.ts";

const SPEC = "github.com/openai/openai-openapi openapi.json";
const ASK = { model: "gpt-5", input: "hi" };
const CHAT = { model: "gpt-5", messages: [{ role: "user", content: "hi" }] };
const FUNCTION = {
  type: "function",
  name: "shell",
  parameters: { type: "object", properties: {} },
};
const HOSTED = ["execute", "send"] as const;
const image = (url: string) => [
  { role: "user", content: [{ type: "input_image", image_url: url }] },
];

export const golden: readonly Golden[] = goldenRows(SPEC, [
  [
    "POST /v1/responses",
    "response.create",
    ["write"],
    "plain thinking",
    { json: ASK, reversible: true },
  ],
  [
    "POST /v1/responses",
    "response.create",
    ["write"],
    "tools that the agent runs itself",
    {
      json: {
        ...ASK,
        tools: [FUNCTION, { type: "custom", name: "patch" }, { type: "local_shell" }],
      },
    },
  ],
  [
    "POST /v1/responses",
    "response.create",
    ["write"],
    "no tools, said outright",
    { json: { ...ASK, tools: [] } },
  ],
  [
    "POST /v1/responses",
    "response.hosted-tools",
    HOSTED,
    "a search leaves the containment",
    { json: { ...ASK, tools: [FUNCTION, { type: "web_search" }] } },
  ],
  [
    "POST /v1/responses",
    "response.hosted-tools",
    HOSTED,
    "code runs elsewhere",
    { json: { ...ASK, tools: [{ type: "code_interpreter", container: { type: "auto" } }] } },
  ],
  [
    "POST /v1/responses",
    "response.hosted-tools",
    HOSTED,
    "another server is called",
    {
      json: {
        ...ASK,
        tools: [{ type: "mcp", server_label: "x", server_url: "https://e.example.org/mcp" }],
      },
      recipients: ["https://e.example.org/mcp"],
    },
  ],
  [
    "POST /v1/responses",
    "response.hosted-tools",
    HOSTED,
    "a tool within a namespace",
    { json: { ...ASK, tools: [{ type: "namespace", name: "n", tools: [{ type: "mcp" }] }] } },
  ],
  [
    "POST /v1/responses",
    "response.hosted-tools",
    HOSTED,
    "a tool of tomorrow",
    { json: { ...ASK, tools: [{ type: "teleport" }] } },
  ],
  [
    "POST /v1/responses",
    "response.hosted-tools",
    HOSTED,
    "a kept prompt may bring tools",
    { json: { ...ASK, prompt: { id: "pmpt_1" } } },
  ],
  [
    "POST /v1/responses",
    "response.create",
    ["write"],
    "a picture in the request itself",
    { json: { ...ASK, input: image("data:image/png;base64,AAAA") } },
  ],
  [
    "POST /v1/responses",
    "response.fetch",
    HOSTED,
    "the provider fetches an address",
    { json: { ...ASK, input: image("https://e.example.org/?secret") } },
  ],
  [
    "POST /v1/responses",
    "response.fetch",
    HOSTED,
    "in capitals",
    { json: { ...ASK, input: image("HTTPS://e.example.org/?secret") } },
  ],
  [
    "POST /v1/responses?beta=true",
    "response.create",
    ["write"],
    "the same under another name",
    { json: ASK },
  ],
  [
    "POST /v1/responses/compact",
    "response.compact",
    ["write"],
    "a shorter conversation",
    { json: ASK },
  ],
  ["POST /v1/responses/r1/cancel", "response.cancel", ["write"], "it stops"],
  ["POST /v1/chat/completions", "chat.create", ["write"], "plain thinking", { json: CHAT }],
  [
    "POST /v1/chat/completions",
    "chat.create",
    ["write"],
    "tools that the agent runs itself",
    { json: { ...CHAT, tools: [{ type: "function", function: { name: "f" } }] } },
  ],
  [
    "POST /v1/chat/completions",
    "chat.hosted-tools",
    HOSTED,
    "a search leaves the containment",
    { json: { ...CHAT, web_search_options: {} } },
  ],
  [
    "POST /v1/chat/completions",
    "chat.fetch",
    HOSTED,
    "the provider fetches an address",
    {
      json: {
        ...CHAT,
        messages: [
          {
            role: "user",
            content: [{ type: "image_url", image_url: { url: "http://e.example.org/" } }],
          },
        ],
      },
    },
  ],
  [
    "POST /v1/embeddings",
    "text.create",
    ["write"],
    "numbers for a text",
    { json: { model: "m", input: "hi" } },
  ],
  [
    "POST /v1/images/generations",
    "media.create",
    ["write"],
    "a picture",
    { json: { model: "m", prompt: "a" } },
  ],
  [
    "POST /v1/videos",
    "video.create",
    ["spend"],
    "costs by the second",
    { json: { model: "sora", prompt: "a" } },
  ],
  [
    "POST /v1/files",
    "file.upload",
    ["send"],
    "stays at the provider",
    {
      raw: {
        type: "multipart/form-data; boundary=b",
        text: '--b\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n--b--\r\n',
      },
    },
  ],
  [
    "POST /v1/batches",
    "batch.create",
    ["spend", "execute", "send"],
    "many requests, with any tools",
    { json: { input_file_id: "f", endpoint: "/v1/responses" } },
  ],
  ["POST /v1/batches/b1/cancel", "job.cancel", ["write"], "it stops"],
  [
    "POST /v1/fine_tuning/jobs",
    "fine-tune.create",
    ["spend", "send"],
    "a model is trained on data",
    { json: { model: "m", training_file: "f" } },
  ],
  [
    "POST /v1/vector_stores",
    "vector-store.change",
    ["send", "spend"],
    "data is kept",
    { json: { name: "n" } },
  ],
  [
    "POST /v1/vector_stores/v1/search",
    "vector-store.search",
    ["read-private"],
    "a query in a body",
    { json: { query: "q" } },
  ],
  ["POST /v1/conversations", "conversation.write", ["write"], "kept for later", { json: {} }],
  [
    "POST /v1/threads/runs",
    "assistant.run",
    ["execute", "send", "spend"],
    "an assistant has tools of its own",
    { json: { assistant_id: "a" } },
  ],
  [
    "POST /v1/containers",
    "assistant.run",
    ["execute", "send", "spend"],
    "a machine elsewhere",
    { json: { name: "c" } },
  ],
  [
    "POST /v1/realtime/client_secrets",
    "secret.create",
    ["administer", "spend"],
    "a key that works without Cofferdam",
    { json: {} },
  ],
  [
    "POST /v1/organization/admin_api_keys",
    "organization.administer",
    ["administer"],
    "a key for everything",
    { json: { name: "k" } },
  ],
  ["DELETE /v1/files/f1", "data.delete", ["delete"], "it is gone"],
  ["GET /v1/models", "model.list", ["read"], "names only"],
  ["GET /v1/files/f1/content", "data.read", ["read-private"], "what was left there"],
  [
    "POST /v1/unheard",
    "unknown",
    ["execute", "send", "spend", "delete", "administer"],
    "no method of the API",
    { json: {} },
  ],
]);
