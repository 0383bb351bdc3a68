/**
 * OpenAI. To think is a `write`: it costs by the token, and no one else sees it (docs/decisions/0245). What the
 * provider's own tools do, and what it fetches, happens outside the containment: it executes and sends.
 *
 * @module
 */
import type { EntrySource } from "../entry.ts";

/** Tools that the agent runs itself: the provider only asks for them. */
const LOCAL_TOOLS = [
  "function",
  "custom",
  "local_shell",
  "apply_patch",
  "tool_search",
  "namespace",
];
const NOT_LOCAL = "^(?!(?:function|custom)$)";
const FETCHED = "^(?i:https?:|//)";
const HOSTED = ["execute", "send"] as const;
const ASK = "Ask the model {body.model} (costs money by the token)";
const LET_FETCH = "Ask the model {body.model}, and let the provider fetch addresses";

const STATE =
  "{kind:files|batches|fine_tuning|vector_stores|responses|conversations|chat|containers|assistants|threads|evals|skills|uploads|videos|chatkit|audio|organization|projects}";

export const openai: EntrySource = {
  system: "openai",
  title: "OpenAI",
  docs: [
    "https://platform.openai.com/docs/api-reference",
    "https://github.com/openai/openai-openapi",
  ],
  hosts: ["api.openai.com"],
  base: ["/v1"],
  credential: [{ in: "header", name: "authorization", scheme: "Bearer" }],
  unknown: ["execute", "send", "spend", "delete", "administer"],
  routes: [
    {
      verb: "response.hosted-tools",
      request: "POST /responses",
      model: "openai-responses",
      effects: HOSTED.slice(),
      summary: "Ask the model {body.model}, and let tools of the provider act: {body.tools.*.type}",
      body: ["json"],
      recipients: ["body.tools.*.server_url", "body.tools.*.connector_id"],
      cases: [
        ...["body.input.**.image_url", "body.input.**.file_url"].map((reference) => ({
          when: { [reference]: { any_like: FETCHED } },
          verb: "response.fetch",
          summary: LET_FETCH,
        })),
        // A prompt that is kept at the provider may bring tools of its own.
        { when: { "body.prompt.@": { present: true } } },
        { when: { "body.tools.*.tools.*.type": { any_like: NOT_LOCAL } } },
        { when: { "body.model": { any_like: "search|deep-research" } } },
        {
          when: { "body.tools.*": { absent: true } },
          verb: "response.create",
          effects: ["write"],
          summary: ASK,
        },
        {
          when: { "body.tools.*.type": { only: LOCAL_TOOLS } },
          verb: "response.create",
          effects: ["write"],
          summary: ASK,
        },
      ],
    },
    {
      verb: "chat.hosted-tools",
      request: "POST /chat/completions",
      model: "openai-chat",
      effects: HOSTED.slice(),
      summary: "Ask the model {body.model}, and let it search the web",
      body: ["json"],
      cases: [
        {
          when: { "body.messages.**.image_url.url": { any_like: FETCHED } },
          verb: "chat.fetch",
          summary: LET_FETCH,
        },
        { when: { "body.web_search_options.@": { present: true } } },
        { when: { "body.web_search_options": { present: true } } },
        { when: { "body.model": { any_like: "search|deep-research" } } },
        {
          when: { "body.tools.*": { absent: true } },
          verb: "chat.create",
          effects: ["write"],
          summary: ASK,
        },
        {
          when: { "body.tools.*.type": { only: ["function", "custom"] } },
          verb: "chat.create",
          effects: ["write"],
          summary: ASK,
        },
      ],
    },
    {
      verb: "response.compact",
      request: ["POST /responses/compact", "POST /responses/input_tokens"],
      effects: ["write"],
      summary: "Shorten or count what the model {body.model} is asked",
      body: ["json"],
      cases: ["body.input.**.image_url", "body.input.**.file_url"].map((reference) => ({
        when: { [reference]: { any_like: FETCHED } },
        verb: "response.fetch",
        effects: HOSTED.slice(),
        summary: LET_FETCH,
      })),
    },
    {
      verb: "response.cancel",
      request: "POST /responses/{id}/cancel",
      effects: ["write"],
      summary: "Stop the answer {path.id}",
    },
    {
      verb: "text.create",
      request: ["POST /completions", "POST /embeddings", "POST /moderations"],
      effects: ["write"],
      summary: ASK,
      body: ["json"],
    },
    {
      verb: "media.create",
      request: [
        "POST /audio/{act:speech|transcriptions|translations}",
        "POST /images/{act:generations|edits|variations}",
      ],
      effects: ["write"],
      summary: "Make or read sound or pictures with {param.model} (costs money)",
      body: ["json", "multipart"],
    },
    {
      verb: "video.create",
      request: [
        "POST /videos",
        "POST /videos/{act:edits|extensions|characters}",
        "POST /videos/{id}/remix",
      ],
      effects: ["spend"],
      summary: "Make a video with {param.model}, which costs money by the second",
      body: ["json", "multipart"],
    },
    {
      verb: "file.upload",
      request: ["POST /files", "POST /uploads", "POST /uploads/{id}/{act:parts|complete|cancel}"],
      effects: ["send"],
      summary: "Leave the file {param.filename} at the provider, for {param.purpose}",
      body: ["none", "json", "multipart"],
    },
    {
      verb: "vector-store.change",
      request: [
        "POST /vector_stores",
        "POST /vector_stores/{id}",
        "POST /vector_stores/{id}/{rest...}",
      ],
      effects: ["send", "spend"],
      summary: "Keep data at the provider, which costs money by the day: {body.name}",
      cases: [
        {
          when: { "path.rest": { only: ["search"] } },
          verb: "vector-store.search",
          effects: ["read-private"],
          summary: "Search in what is kept at the provider",
        },
      ],
    },
    {
      verb: "batch.create",
      request: "POST /batches",
      effects: ["spend", "execute", "send"],
      summary: "Let many requests of the file {body.input_file_id} run later",
    },
    {
      verb: "fine-tune.create",
      request: [
        "POST /fine_tuning/jobs",
        "POST /fine_tuning/jobs/{id}/resume",
        "POST /evals",
        "POST /evals/{rest...}",
      ],
      effects: ["spend", "send"],
      summary: "Train or test a model: {body.model} {body.training_file}",
    },
    {
      verb: "job.cancel",
      request: ["POST /batches/{id}/cancel", "POST /fine_tuning/jobs/{id}/{act:cancel|pause}"],
      effects: ["write"],
      summary: "Stop the job {path.id}",
    },
    {
      verb: "conversation.write",
      request: [
        "POST /conversations",
        "POST /conversations/{id}",
        "POST /conversations/{id}/items",
        "POST /chat/completions/{id}",
      ],
      effects: ["write"],
      summary: "Keep a conversation at the provider",
    },
    {
      // They run at the provider with tools of its own.
      verb: "assistant.run",
      request: [
        "POST /{kind:assistants|threads|containers|skills|chatkit}",
        "POST /{kind:assistants|threads|containers|skills|chatkit}/{rest...}",
        "POST /realtime/calls",
        "POST /realtime/calls/{id}/{act:accept|hangup|refer|reject}",
      ],
      effects: ["execute", "send", "spend"],
      summary: "Let a thing of the provider run: {path.kind} {path.rest}",
      body: ["none", "json", "multipart", "raw"],
    },
    {
      // Keys that work without Cofferdam.
      verb: "secret.create",
      request: [
        "POST /realtime/{act:client_secrets|sessions|transcription_sessions}",
        "POST /realtime/translations/client_secrets",
      ],
      effects: ["administer", "spend"],
      summary: "Get a key for talking with a model",
    },
    {
      verb: "organization.administer",
      request: [
        "POST|DELETE /{kind:organization|projects}/{rest...}",
        "POST|DELETE /fine_tuning/checkpoints/{rest...}",
      ],
      effects: ["administer"],
      summary: "Administer the organization: {path.rest}",
    },
    {
      verb: "data.delete",
      request: [`DELETE /${STATE}/{rest...}`, "DELETE /models/{model}"],
      effects: ["delete"],
      summary: "Delete {path.kind} {path.rest} {path.model}",
    },
    {
      verb: "model.list",
      request: ["GET /models", "GET /models/{model}"],
      effects: ["read"],
      summary: "Read which models there are",
    },
    {
      verb: "data.read",
      request: [`GET /${STATE}`, `GET /${STATE}/{rest...}`],
      effects: ["read-private"],
      summary: "Read {path.kind} {path.rest}",
    },
  ],
};
