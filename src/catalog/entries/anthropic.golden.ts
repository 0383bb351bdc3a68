/** Golden requests of Anthropic. */
import { goldenRows, type Golden } from "../golden.ts";

const SDK = "github.com/anthropics/anthropic-sdk-typescript api.md";
const TOOLS =
  "github.com/anthropics/anthropic-sdk-typescript src/resources/beta/messages/messages.ts";
const ASK = { model: "claude", max_tokens: 9, messages: [{ role: "user", content: "hi" }] };
const BASH = { name: "Bash", input_schema: { type: "object", properties: {} } };
const HOSTED = ["execute", "send"] as const;
const image = (source: Record<string, string>) => [
  {
    role: "user",
    content: [{ type: "tool_result", tool_use_id: "t", content: [{ type: "image", source }] }],
  },
];

export const golden: readonly Golden[] = [
  ...goldenRows(TOOLS, [
    [
      "POST /v1/messages",
      "message.create",
      ["write"],
      "plain thinking",
      { json: ASK, reversible: true },
    ],
    [
      "POST /v1/messages?beta=true",
      "message.create",
      ["write"],
      "tools that the agent runs itself have no type",
      { json: { ...ASK, tools: [BASH] } },
    ],
    [
      "POST /v1/messages",
      "message.create",
      ["write"],
      "tools that the agent runs itself, by their types",
      {
        json: {
          ...ASK,
          tools: [
            BASH,
            { type: "custom", name: "x" },
            { type: "bash_20250124", name: "bash" },
            { type: "text_editor_20250728", name: "e" },
            { type: "memory_20250818", name: "m" },
            { type: "tool_search_tool_bm25_20251119", name: "s" },
          ],
        },
      },
    ],
    [
      "POST /v1/messages",
      "message.hosted-tools",
      HOSTED,
      "a search leaves the containment",
      { json: { ...ASK, tools: [BASH, { type: "web_search_20250305", name: "web_search" }] } },
    ],
    [
      "POST /v1/messages",
      "message.hosted-tools",
      HOSTED,
      "a fetch carries data in its address",
      { json: { ...ASK, tools: [{ type: "web_fetch_20250910", name: "web_fetch" }] } },
    ],
    [
      "POST /v1/messages",
      "message.hosted-tools",
      HOSTED,
      "code runs elsewhere",
      { json: { ...ASK, tools: [{ type: "code_execution_20250825", name: "code_execution" }] } },
    ],
    [
      "POST /v1/messages",
      "message.hosted-tools",
      HOSTED,
      "a machine is used",
      { json: { ...ASK, tools: [{ type: "computer_20250124", name: "computer" }] } },
    ],
    [
      "POST /v1/messages",
      "message.hosted-tools",
      HOSTED,
      "another server is called",
      {
        json: {
          ...ASK,
          mcp_servers: [{ type: "url", url: "https://e.example.org/mcp", name: "e" }],
        },
        recipients: ["https://e.example.org/mcp"],
      },
    ],
    [
      "POST /v1/messages",
      "message.hosted-tools",
      HOSTED,
      "a machine at the provider goes on",
      { json: { ...ASK, container: "container_1" } },
    ],
    [
      "POST /v1/messages",
      "message.hosted-tools",
      HOSTED,
      "a tool of tomorrow",
      { json: { ...ASK, tools: [{ type: "teleport_20270101" }] } },
    ],
    [
      "POST /v1/messages",
      "message.create",
      ["write"],
      "a picture in the request itself",
      {
        json: {
          ...ASK,
          messages: image({ type: "base64", media_type: "image/png", data: "AAAA" }),
        },
      },
    ],
    [
      "POST /v1/messages",
      "message.fetch",
      HOSTED,
      "the provider fetches an address",
      { json: { ...ASK, messages: image({ type: "url", url: "https://e.example.org/?secret" }) } },
    ],
    [
      "POST /v1/messages",
      "unknown",
      ["execute", "send", "spend", "delete", "administer"],
      "a name that stands twice",
      {
        raw: {
          type: "application/json",
          text: '{"tools":[],"tools":[{"type":"web_search_20250305"}]}',
        },
      },
    ],
  ]),
  ...goldenRows(SDK, [
    [
      "POST /v1/messages/count_tokens",
      "message.count-tokens",
      ["write"],
      "nothing is answered",
      { json: ASK },
    ],
    [
      "POST /v1/messages/count_tokens",
      "message.fetch",
      HOSTED,
      "the provider fetches an address",
      { json: { ...ASK, messages: image({ type: "url", url: "https://e.example.org/" }) } },
    ],
    [
      "POST /v1/complete",
      "completion.create",
      ["write"],
      "the old interface",
      { json: { prompt: "hi" }, source: "memory" },
    ],
    [
      "POST /v1/messages/batches",
      "batch.create",
      ["spend", "execute", "send"],
      "many requests, with any tools",
      { json: { requests: [{ custom_id: "a", params: ASK }] } },
    ],
    ["POST /v1/messages/batches/b1/cancel", "batch.cancel", ["write"], "it stops"],
    [
      "POST /v1/files",
      "file.upload",
      ["send"],
      "stays at the provider",
      {
        raw: {
          type: "multipart/form-data; boundary=b",
          text: '--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nx\r\n--b--\r\n',
        },
      },
    ],
    [
      "POST /v1/skills",
      "skill.change",
      ["execute", "send"],
      "code for the provider's machines",
      { json: {} },
    ],
    [
      "POST /v1/sessions",
      "agent.run",
      ["execute", "send", "spend"],
      "an agent elsewhere",
      { json: { agent: "a" } },
    ],
    [
      "POST /v1/deployments/d1/run",
      "agent.run",
      ["execute", "send", "spend"],
      "an agent elsewhere",
      { json: {} },
    ],
    [
      "POST /v1/memory_stores/m1/memories",
      "memory.write",
      ["send"],
      "kept for other agents",
      { json: { content: "x" } },
    ],
    [
      "POST /v1/vaults/v1/credentials",
      "organization.administer",
      ["administer"],
      "a key of others",
      { json: {} },
    ],
    [
      "POST /v1/tunnels/t1/reveal_token",
      "organization.administer",
      ["administer"],
      "a way into a network",
    ],
    ["DELETE /v1/files/f1", "data.delete", ["delete"], "it is gone"],
    ["GET /v1/models", "model.list", ["read"], "names only"],
    ["GET /v1/messages/batches/b1/results", "data.read", ["read-private"], "what was answered"],
    ["GET /v1/files/f1/content", "data.read", ["read-private"], "what was left there"],
    ["GET /api/hello", "hello", ["read"], "Claude Code asks so at its start", { source: "memory" }],
    [
      "POST /v1/organizations/api_keys/k1",
      "organization.administer",
      ["administer"],
      "keys of the organization",
      { json: { status: "active" }, source: "memory" },
    ],
    [
      "POST /v1/unheard",
      "unknown",
      ["execute", "send", "spend", "delete", "administer"],
      "no method of the API",
      { json: {} },
    ],
  ]),
];
