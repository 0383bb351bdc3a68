/**
 * Anthropic. To think is a `write`: it costs by the token, and no one else sees it (docs/decisions/0245). What
 * the provider's own tools do, and what it fetches, happens outside the containment: it executes and sends.
 *
 * @module
 */
import type { EntrySource } from "../entry.ts";

/** Tools that the agent runs itself, and the search among their names. */
const LOCAL_TOOLS =
  "^(?:null|custom|(?:bash|text_editor|memory)_\\d{8}|tool_search_tool_(?:bm25|regex)(?:_\\d{8})?)$";
const HOSTED = ["execute", "send"] as const;
const ASK = "Ask the model {body.model} (costs money by the token)";

const STATE =
  "{kind:files|messages|skills|agents|environments|sessions|deployments|deployment_runs|dreams|memory_stores|vaults|tunnels|user_profiles|organizations}";

export const anthropic: EntrySource = {
  system: "anthropic",
  title: "Anthropic",
  docs: [
    "https://docs.anthropic.com/en/api/messages",
    "https://github.com/anthropics/anthropic-sdk-typescript",
  ],
  hosts: ["api.anthropic.com"],
  base: ["/v1"],
  credential: [
    { in: "header", name: "x-api-key" },
    { in: "header", name: "authorization", scheme: "Bearer" },
  ],
  unknown: ["execute", "send", "spend", "delete", "administer"],
  routes: [
    {
      verb: "message.hosted-tools",
      request: "POST /messages",
      model: "anthropic-messages",
      effects: HOSTED.slice(),
      summary: "Ask the model {body.model}, and let tools of the provider act: {body.tools.*.type}",
      body: ["json"],
      recipients: ["body.mcp_servers.*.url"],
      cases: [
        {
          when: { "body.messages.**.source.type": { any: ["url"] } },
          verb: "message.fetch",
          summary: "Ask the model {body.model}, and let the provider fetch addresses",
        },
        { when: { "body.mcp_servers.*": { present: true } } },
        // A machine at the provider, with what earlier code left there.
        { when: { "body.container": { none: [null] } } },
        {
          when: { "body.tools.*.type": { absent: true } },
          verb: "message.create",
          effects: ["write"],
          summary: ASK,
        },
        {
          when: { "body.tools.*.type": { only_like: LOCAL_TOOLS } },
          verb: "message.create",
          effects: ["write"],
          summary: ASK,
        },
      ],
    },
    {
      verb: "message.count-tokens",
      request: "POST /messages/count_tokens",
      effects: ["write"],
      summary: "Count what the model {body.model} would be asked",
      body: ["json"],
      cases: [
        {
          when: { "body.messages.**.source.type": { any: ["url"] } },
          verb: "message.fetch",
          effects: HOSTED.slice(),
          summary: "Count tokens, and let the provider fetch addresses",
        },
      ],
    },
    {
      verb: "completion.create",
      request: "POST /complete",
      effects: ["write"],
      summary: ASK,
      body: ["json"],
    },
    {
      verb: "batch.create",
      request: "POST /messages/batches",
      effects: ["spend", "execute", "send"],
      summary: "Let many requests run later: {body.requests.*.custom_id}",
      body: ["json"],
    },
    {
      verb: "batch.cancel",
      request: "POST /messages/batches/{id}/cancel",
      effects: ["write"],
      summary: "Stop the batch {path.id}",
    },
    {
      verb: "file.upload",
      request: "POST /files",
      effects: ["send"],
      summary: "Leave a file at the provider",
      body: ["multipart"],
    },
    {
      verb: "skill.change",
      request: ["POST /skills", "POST /skills/{id}/versions"],
      effects: ["execute", "send"],
      summary: "Leave code at the provider, which models run there",
      body: ["json", "multipart"],
    },
    {
      // They run at the provider, some of them by a clock.
      verb: "agent.run",
      request: [
        "POST /{kind:agents|environments|sessions|deployments|dreams}",
        "POST /{kind:agents|environments|sessions|deployments|dreams}/{rest...}",
      ],
      effects: ["execute", "send", "spend"],
      summary: "Let an agent of the provider run: {path.kind} {path.rest}",
    },
    {
      verb: "memory.write",
      request: ["POST /memory_stores", "POST /memory_stores/{rest...}"],
      effects: ["send"],
      summary: "Leave memories at the provider: {path.rest}",
    },
    {
      // Keys of others, ways into a network, and people.
      verb: "organization.administer",
      request: [
        "POST /{kind:vaults|tunnels|user_profiles}",
        "POST /{kind:vaults|tunnels|user_profiles|organizations}/{rest...}",
        "DELETE /{kind:vaults|tunnels|organizations}/{rest...}",
      ],
      effects: ["administer"],
      summary: "Administer {path.kind} {path.rest}",
    },
    {
      verb: "data.delete",
      request: `DELETE /${STATE}/{rest...}`,
      effects: ["delete"],
      summary: "Delete {path.kind} {path.rest}",
    },
    {
      verb: "model.list",
      request: ["GET /models", "GET /models/{model}"],
      effects: ["read"],
      summary: "Read which models there are",
    },
    {
      verb: "hello",
      request: "GET /api/hello",
      root: true,
      effects: ["read"],
      summary: "Ask whether the service answers",
    },
    {
      verb: "data.read",
      request: [`GET /${STATE}`, `GET /${STATE}/{rest...}`],
      effects: ["read-private"],
      summary: "Read {path.kind} {path.rest}",
    },
  ],
};
