/**
 * Gemini, Google's API of models. To think is a `write`: it costs by the token, and no one else sees it
 * (docs/decisions/0245). What the provider's own tools do, and what it fetches, happens outside the
 * containment: it executes and sends. Names may stand in camel case and with underscores (protobuf's JSON).
 *
 * @module
 */
import type { EntrySource } from "../entry.ts";

const HOSTED = ["execute", "send"] as const;
const ASK = "Ask the model {path.model} (costs money by the token)";
/** Files left at the provider are its own; any other address it fetches. */
const FETCHED = "^(?!https://generativelanguage\\.googleapis\\.com/|files/)";
const FILE_REFERENCES = ["fileData", "file_data"].flatMap((data) =>
  ["fileUri", "file_uri"].map((uri) => `body.**.${data}.${uri}`),
);
const FETCHES = FILE_REFERENCES.map((reference) => ({
  when: { [reference]: { any_like: FETCHED } },
  verb: "content.fetch",
  effects: HOSTED.slice(),
  summary: "Ask the model {path.model}, and let the provider fetch addresses",
}));

const MODEL = "{kind:models|tunedModels}/{model:[^:]+}";
const STATE =
  "{kind:files|cachedContents|batches|tunedModels|fileSearchStores|operations|corpora|interactions|agents|environments|triggers}";

export const gemini: EntrySource = {
  system: "gemini",
  title: "Gemini API",
  docs: ["https://ai.google.dev/api", "https://ai.google.dev/gemini-api/docs/tools"],
  hosts: ["generativelanguage.googleapis.com"],
  base: ["v1beta", "v1", "v1alpha"].flatMap((version) => [
    `/${version}`,
    `/upload/${version}`,
    `/resumable/upload/${version}`,
  ]),
  credential: [
    { in: "header", name: "x-goog-api-key" },
    { in: "query", name: "key" },
    { in: "header", name: "authorization", scheme: "Bearer" },
  ],
  unknown: ["execute", "send", "spend", "delete", "administer"],
  override: { header: "x-http-method-override" },
  routes: [
    {
      verb: "content.hosted-tools",
      request: [`POST /${MODEL}:generateContent`, `POST /${MODEL}:streamGenerateContent`],
      model: "google-generate",
      effects: HOSTED.slice(),
      summary: "Ask the model {path.model}, and let tools of the provider act: {body.tools.*.@}",
      body: ["json"],
      cases: [
        ...FETCHES,
        // What is cached at the provider may bring tools.
        { when: { "body.cachedContent": { present: true } } },
        { when: { "body.cached_content": { present: true } } },
        {
          when: { "body.tools.*": { absent: true } },
          verb: "content.generate",
          effects: ["write"],
          summary: ASK,
        },
        {
          when: { "body.tools.*.@": { only: ["functionDeclarations", "function_declarations"] } },
          verb: "content.generate",
          effects: ["write"],
          summary: ASK,
        },
      ],
    },
    {
      verb: "content.count",
      request: [
        `POST /${MODEL}:countTokens`,
        `POST /${MODEL}:embedContent`,
        `POST /${MODEL}:batchEmbedContents`,
        `POST /${MODEL}:predict`,
      ],
      effects: ["write"],
      summary: "Count or embed with the model {path.model}, or make pictures (costs money)",
      body: ["json"],
      cases: FETCHES,
    },
    {
      verb: "job.create",
      request: [
        `POST /${MODEL}:predictLongRunning`,
        `POST /${MODEL}:batchGenerateContent`,
        `POST /${MODEL}:asyncBatchEmbedContent`,
      ],
      effects: ["spend", "execute", "send"],
      summary: "Let the model {path.model} work for long, or on many requests",
      body: ["json"],
    },
    {
      verb: "job.cancel",
      request: "POST /{kind:batches|tunedModels}/{id:[^:]+}:cancel",
      effects: ["write"],
      summary: "Stop {path.id} of {path.kind}",
    },
    {
      verb: "model.tune",
      request: "POST /tunedModels",
      effects: ["spend", "send"],
      summary: "Train a model on data: {body.displayName}",
    },
    {
      verb: "model.share",
      request: [
        "POST|PATCH|DELETE /{kind:tunedModels|corpora}/{id}/{rest...}",
        "POST /{kind:tunedModels|corpora}/{id:[^:]+}:transferOwnership",
      ],
      effects: ["administer"],
      summary: "Change who may use {path.id} of {path.kind}",
    },
    {
      verb: "file.upload",
      request: ["POST /files", "POST /files:register"],
      effects: ["send"],
      summary: "Leave a file at the provider",
      body: ["none", "json", "multipart", "raw"],
    },
    {
      verb: "cache.write",
      request: ["POST /cachedContents", "PATCH /cachedContents/{id}"],
      effects: ["send", "spend"],
      summary: "Keep data at the provider, which costs money by the hour",
    },
    {
      verb: "store.write",
      request: [
        "POST /fileSearchStores",
        "POST /fileSearchStores/{id:[^:]+}:importFile",
        "POST /fileSearchStores/{id:[^:]+}:uploadToFileSearchStore",
      ],
      effects: ["send", "spend"],
      summary: "Keep data at the provider to search in: {path.id}",
      body: ["none", "json", "raw"],
    },
    {
      // They run at the provider with tools of its own.
      verb: "agent.run",
      request: [
        "POST /{kind:interactions|agents|environments|triggers}",
        "POST /{kind:interactions|agents|environments|triggers}/{rest...}",
      ],
      effects: ["execute", "send", "spend"],
      summary: "Let an agent of the provider run: {body.agent} {path.kind}",
    },
    {
      // A key that works without Cofferdam.
      verb: "token.create",
      request: ["POST /auth_tokens", "POST /authTokens"],
      effects: ["administer"],
      summary: "Get a key for talking with a model",
    },
    {
      verb: "data.delete",
      request: `DELETE /${STATE}/{rest...}`,
      effects: ["delete"],
      summary: "Delete {path.rest} of {path.kind}",
    },
    {
      verb: "model.list",
      request: ["GET /models", "GET /models/{model}"],
      effects: ["read"],
      summary: "Read which models there are",
    },
    {
      verb: "data.read",
      request: [`GET /${STATE}`, `GET /${STATE}/{rest...}`, "GET /models/{model}/operations/{id}"],
      effects: ["read-private"],
      summary: "Read {path.kind} {path.rest}",
    },
  ],
};
