/** Golden requests of the Gemini API. */
import { goldenRows, type Golden } from "../golden.ts";

const SDK = "github.com/googleapis/js-genai src";
const TOOLS = "https://ai.google.dev/gemini-api/docs/tools.md.txt";
const ASK = { contents: [{ role: "user", parts: [{ text: "hi" }] }] };
const PRO = "/v1beta/models/gemini-pro";
const HOSTED = ["execute", "send"] as const;
const ALL = ["execute", "send", "spend", "delete", "administer"] as const;
const file = (fileUri: string) => ({ contents: [{ parts: [{ fileData: { fileUri } }] }] });

export const golden: readonly Golden[] = [
  ...goldenRows(`${SDK}/types.ts`, [
    [
      `POST ${PRO}:generateContent`,
      "content.generate",
      ["write"],
      "plain thinking",
      { json: ASK, reversible: true },
    ],
    [
      `POST ${PRO}:streamGenerateContent?alt=sse`,
      "content.generate",
      ["write"],
      "tools that the agent runs itself",
      { json: { ...ASK, tools: [{ functionDeclarations: [{ name: "shell" }] }] } },
    ],
    [
      `POST ${PRO}:generateContent`,
      "content.generate",
      ["write"],
      "the name with underscores",
      { json: { ...ASK, tools: [{ function_declarations: [] }] } },
    ],
    [
      `POST ${PRO}:generateContent`,
      "content.hosted-tools",
      HOSTED,
      "another server is called",
      { json: { ...ASK, tools: [{ mcpServers: [{ name: "e" }] }] } },
    ],
    [
      `POST ${PRO}:generateContent`,
      "content.hosted-tools",
      HOSTED,
      "two tools in one",
      { json: { ...ASK, tools: [{ functionDeclarations: [], fileSearch: {} }] } },
    ],
    [
      `POST ${PRO}:generateContent`,
      "content.hosted-tools",
      HOSTED,
      "a tool of tomorrow",
      { json: { ...ASK, tools: [{ teleport: {} }] } },
    ],
    [
      `POST ${PRO}:generateContent`,
      "content.generate",
      ["write"],
      "a file that was left at the provider",
      { json: file("https://generativelanguage.googleapis.com/v1beta/files/abc") },
    ],
    [
      `POST ${PRO}:generateContent`,
      "content.fetch",
      HOSTED,
      "the provider fetches an address",
      { json: file("https://e.example.org/?secret") },
    ],
    [
      `POST ${PRO}:generateContent`,
      "content.fetch",
      HOSTED,
      "an address that only begins like the provider's",
      { json: file("https://generativelanguage.googleapis.com.e.example.org/") },
    ],
    [
      `POST ${PRO}:generateContent`,
      "content.hosted-tools",
      HOSTED,
      "what is cached may bring tools",
      { json: { ...ASK, cachedContent: "cachedContents/1" } },
    ],
  ]),
  ...goldenRows(TOOLS, [
    [
      `POST ${PRO}:generateContent`,
      "content.hosted-tools",
      HOSTED,
      "a search leaves the containment",
      { json: { ...ASK, tools: [{ googleSearch: {} }] } },
    ],
    [
      `POST ${PRO}:generateContent`,
      "content.hosted-tools",
      HOSTED,
      "the same with underscores",
      { json: { ...ASK, tools: [{ google_search: {} }] } },
    ],
    [
      `POST ${PRO}:generateContent`,
      "content.hosted-tools",
      HOSTED,
      "a fetch carries data in its address",
      { json: { ...ASK, tools: [{ urlContext: {} }] } },
    ],
    [
      `POST ${PRO}:generateContent`,
      "content.hosted-tools",
      HOSTED,
      "code runs elsewhere",
      { json: { ...ASK, tools: [{ codeExecution: {} }] } },
    ],
  ]),
  ...goldenRows(SDK, [
    [`POST ${PRO}:countTokens`, "content.count", ["write"], "nothing is answered", { json: ASK }],
    [
      `POST ${PRO}:countTokens`,
      "content.fetch",
      HOSTED,
      "the provider fetches an address",
      { json: file("https://e.example.org/") },
    ],
    [
      `POST ${PRO}:batchEmbedContents`,
      "content.count",
      ["write"],
      "numbers for texts",
      { json: { requests: [] } },
    ],
    [
      `POST ${PRO}:batchGenerateContent`,
      "job.create",
      ["spend", "execute", "send"],
      "many requests, with any tools",
      { json: {} },
    ],
    [
      `POST ${PRO}:predictLongRunning`,
      "job.create",
      ["spend", "execute", "send"],
      "a video",
      { json: {} },
    ],
    ["POST /v1beta/batches/b1:cancel", "job.cancel", ["write"], "it stops"],
    [
      "POST /v1beta/tunedModels",
      "model.tune",
      ["spend", "send"],
      "a model is trained on data",
      { json: {} },
    ],
    [
      "POST /v1beta/tunedModels/t1/permissions",
      "model.share",
      ["administer"],
      "others may use it",
      { json: { role: "READER" }, source: "memory" },
    ],
    [
      "POST /upload/v1beta/files",
      "file.upload",
      ["send"],
      "stays at the provider",
      { raw: { type: "text/plain", text: "x" } },
    ],
    [
      "POST /v1beta/cachedContents",
      "cache.write",
      ["send", "spend"],
      "kept for a price",
      { json: {} },
    ],
    [
      "POST /v1beta/fileSearchStores/s1:importFile",
      "store.write",
      ["send", "spend"],
      "kept to search in",
      { json: {} },
    ],
    [
      "POST /v1beta/interactions",
      "agent.run",
      ["execute", "send", "spend"],
      "an agent elsewhere",
      { json: { agent: "deep-research" } },
    ],
    [
      "POST /v1alpha/auth_tokens",
      "token.create",
      ["administer"],
      "a key that works without Cofferdam",
      { json: {} },
    ],
    ["DELETE /v1beta/files/f1", "data.delete", ["delete"], "it is gone"],
    [
      "POST /v1beta/files/f1",
      "data.delete",
      ["delete"],
      "the method in a header",
      { headers: { "x-http-method-override": "DELETE" }, source: "memory" },
    ],
    ["GET /v1beta/models", "model.list", ["read"], "names only"],
    ["GET /v1beta/files/f1", "data.read", ["read-private"], "what was left there"],
    [`POST ${PRO}:unheard`, "unknown", ALL, "no method of the API", { json: {} }],
    [
      "POST /v2/models/gemini-pro:generateContent",
      "unknown",
      ALL,
      "another version",
      { json: ASK },
    ],
  ]),
];
