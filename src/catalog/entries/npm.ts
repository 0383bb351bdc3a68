/**
 * The npm registry, to install from; to publish is known by name. A package's name is a message to whoever runs
 * the registry: names of more than 214 characters are none, and those of great entropy are for the detectors.
 *
 * @module
 */
import type { EntrySource } from "../entry.ts";

/** A name, with or without its scope in one segment; `-` is the registry's own. */
const NAME = "{name:(?!-$)(?:@[a-z0-9~._-]{1,100}/)?[A-Za-z0-9~!'()*._-]{1,214}}";
const SCOPE = "{scope:@[a-z0-9~._-]{1,100}}";
const VERSION = "{version:(?!-$)[A-Za-z0-9^~.+_ <>=|*-]{1,100}}";

/** Forms of a package's path: servers take a scoped name as one segment (`@scope%2fname`) and as two. */
const forms = (methods: string, rest: string) => [
  `${methods} /${NAME}${rest}`,
  `${methods} /${SCOPE}/${NAME}${rest}`,
];

export const npm: EntrySource = {
  system: "npm",
  title: "npm registry",
  docs: [
    "https://github.com/npm/registry/blob/main/docs/REGISTRY-API.md",
    "https://docs.npmjs.com/cli/using-npm/registry",
  ],
  hosts: ["registry.npmjs.org"],
  credential: [{ in: "header", name: "authorization", scheme: "Bearer" }],
  unknown: ["publish", "delete", "administer"],
  routes: [
    {
      verb: "registry.read",
      request: ["GET|HEAD /", "GET /-/ping", "GET /-/npm/v1/keys"],
      effects: ["read"],
      summary: "Read about the registry",
    },
    {
      // What is searched for is told to the registry.
      verb: "package.search",
      request: "GET /-/v1/search",
      effects: ["read"],
      summary: "Search the registry for {query.text}",
    },
    {
      verb: "package.read",
      request: [
        ...forms("GET|HEAD", ""),
        ...forms("GET|HEAD", `/${VERSION}`),
        ...forms("GET|HEAD", "/-/{file:[A-Za-z0-9~!'()*._+-]{1,300}\\.tgz}"),
        ...["GET /-/package/", `GET /-/package/${SCOPE}/`].map(
          (start) => `${start}${NAME}/dist-tags`,
        ),
        "GET /-/npm/v1/attestations/{rest...}",
      ],
      effects: ["read"],
      summary: "Read the package {path.scope} {path.name} {path.version} {path.file}",
      cases: [
        {
          // Clients ask for no more than `?write=true`. Anything else is a message, or something for a proxy to fetch.
          when: { "query.@": { any_like: "^(?!write$)" } },
          verb: "package.ask",
          effects: ["send"],
          summary: "Ask the registry for {path.name} with more than a package's name: {query.@}",
        },
        {
          when: { "query.write": { any_like: "^(?!true$)" } },
          verb: "package.ask",
          effects: ["send"],
          summary:
            "Ask the registry for {path.name} with more than a package's name: {query.write}",
        },
      ],
    },
    {
      // Names and versions of everything that is installed.
      verb: "package.audit",
      request: [
        "POST /-/npm/v1/security/advisories/bulk",
        "POST /-/npm/v1/security/{kind:audits}",
        "POST /-/npm/v1/security/{kind:audits}/quick",
      ],
      effects: ["write"],
      summary: "Ask which installed packages are known to be unsafe",
      body: ["json", "raw"],
    },
    {
      verb: "package.publish",
      request: forms("PUT", ""),
      effects: ["publish"],
      summary: "Publish {body.name}, or change what the registry says of it: {body.dist-tags}",
      body: ["json"],
    },
    {
      verb: "package.unpublish",
      request: [...forms("DELETE|PUT", "/-rev/{rev}"), ...forms("DELETE", "/-/{file}/-rev/{rev}")],
      effects: ["delete", "publish", "administer"],
      summary: "Take versions of {path.scope} {path.name} away, or change its owners",
    },
    {
      verb: "package.tag",
      request: ["PUT|DELETE /-/package/", `PUT|DELETE /-/package/${SCOPE}/`].map(
        (start) => `${start}${NAME}/dist-tags/{tag}`,
      ),
      effects: ["publish"],
      summary: "Change which version of {path.scope} {path.name} is {path.tag}",
      body: ["none", "json", "raw"],
    },
    {
      verb: "package.administer",
      request: ["POST|PUT|DELETE /-/package/", `POST|PUT|DELETE /-/package/${SCOPE}/`].map(
        (start) => `${start}${NAME}/{part:access|collaborators|visibility|trust}`,
      ),
      effects: ["administer", "publish"],
      summary: "Change who may see or publish {path.scope} {path.name}",
    },
    {
      // A login mints a token that works without Cofferdam.
      verb: "token.create",
      request: [
        "PUT /-/user/{user:org\\.couchdb\\.user:.+}",
        "PUT /-/user/{user:org\\.couchdb\\.user:.+}/-rev/{rev}",
        "POST /-/v1/login",
        "POST /-/npm/v1/tokens",
        "POST /-/npm/v1/oidc/token/exchange/package/{rest...}",
      ],
      effects: ["administer"],
      summary: "Get a token with the rights of the account",
    },
    {
      verb: "token.delete",
      request: ["DELETE /-/npm/v1/tokens/token/{token}", "DELETE /-/user/token/{token}"],
      effects: ["administer", "delete"],
      summary: "Take back a token",
    },
    {
      verb: "account.administer",
      request: [
        "POST /-/npm/v1/user",
        "POST|PUT|DELETE /-/npm/v1/hooks/{rest...}",
        "POST|PUT|DELETE /-/{kind:org|team|stage}/{rest...}",
      ],
      effects: ["administer"],
      summary: "Change the account, an organization or a hook: {body.endpoint} {path.rest}",
    },
    {
      verb: "account.read",
      request: [
        "GET /-/whoami",
        "GET /-/npm/v1/{kind:user|tokens|hooks}",
        "GET /-/{kind:org|team|user}/{rest...}",
        ...["GET /-/package/", `GET /-/package/${SCOPE}/`].map(
          (start) => `${start}${NAME}/{part:access|collaborators|visibility|trust}`,
        ),
      ],
      effects: ["read-private"],
      summary: "Read about the account",
    },
  ],
};
