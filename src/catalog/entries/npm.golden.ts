/** Golden requests of the npm registry. */
import { goldenRows, type Golden } from "../golden.ts";

const API = "github.com/npm/registry docs/REGISTRY-API.md";
const AUTHENTICATION = "github.com/npm/registry docs/user/authentication.md";
const CLI = "github.com/npm/cli workspaces";
const UNKNOWN = ["publish", "delete", "administer"] as const;

export const golden: readonly Golden[] = [
  ...goldenRows(API, [
    ["GET /", "registry.read", ["read"], "how many packages there are"],
    ["GET /lodash", "package.read", ["read"], "what everybody can see"],
    ["GET /lodash/4.17.21", "package.read", ["read"], "one version"],
    ["GET /@babel%2fcore", "package.read", ["read"], "a scope, as one segment"],
    ["GET /@babel/core", "package.read", ["read"], "a scope, as two"],
    [
      "GET /lodash?url=http://relay.example/",
      "package.ask",
      ["send"],
      "no client asks so: a message, or something for a proxy to fetch",
    ],
    [
      "GET /lodash?write=c2VjcmV0",
      "package.ask",
      ["send"],
      "a message in a parameter that there is",
    ],
    ["GET /lodash?write=true&write=x", "package.ask", ["send"], "one of two values"],
    ["GET /lodash?", "package.read", ["read"], "an empty query"],
    [
      "GET /-/v1/search?text=left-pad",
      "package.search",
      ["read"],
      "what is searched for is told to the registry",
    ],
    ["GET /-/all", "unknown", UNKNOWN, "the registry's own paths are no packages"],
    [
      `GET /${"a".repeat(215)}`,
      "unknown",
      UNKNOWN,
      "longer than a name can be: it says something else",
    ],
  ]),
  ...goldenRows(CLI, [
    ["GET /lodash/-/lodash-4.17.21.tgz", "package.read", ["read"], "the files", { source: API }],
    [
      "GET /@babel/core/-/core-7.0.0.tgz",
      "package.read",
      ["read"],
      "the files of a scoped one",
      { source: "memory" },
    ],
    ["GET /lodash?write=true", "package.read", ["read"], "asked before it is changed"],
    ["GET /-/ping", "registry.read", ["read"], "whether it answers"],
    [
      "POST /-/npm/v1/security/advisories/bulk",
      "package.audit",
      ["write"],
      "says what is installed",
      { json: { lodash: ["4.17.21"] } },
    ],
    [
      "PUT /left-pad",
      "package.publish",
      ["publish"],
      "everybody can install it",
      { json: { name: "left-pad", _attachments: {} }, reversible: false },
    ],
    [
      "PUT /@scope%2fname",
      "package.publish",
      ["publish"],
      "a scope, as one segment",
      { json: { name: "@scope/name" } },
    ],
    [
      "PUT /left-pad/-rev/1-a",
      "package.unpublish",
      ["delete", "publish", "administer"],
      "versions go, or owners change",
      { json: { maintainers: [] } },
    ],
    [
      "DELETE /left-pad/-/left-pad-1.0.0.tgz/-rev/1-a",
      "package.unpublish",
      ["delete", "publish", "administer"],
      "the files go",
    ],
    [
      "PUT /-/package/left-pad/dist-tags/latest",
      "package.tag",
      ["publish"],
      "what everybody gets is another version",
      { json: "1.0.0" },
    ],
    ["GET /-/package/left-pad/dist-tags", "package.read", ["read"], "which version is the latest"],
    [
      "POST /-/package/@scope%2fname/access",
      "package.administer",
      ["administer", "publish"],
      "private ones become public",
      { json: { access: "public" } },
    ],
    [
      "PUT /-/org/scope/user",
      "account.administer",
      ["administer"],
      "another person with rights",
      { json: { user: "e" }, source: "github.com/npm/registry docs/orgs/memberships.md" },
    ],
    [
      "POST /-/npm/v1/hooks/hook",
      "account.administer",
      ["administer"],
      "an address is told of what happens",
      { json: { endpoint: "https://e.example.org/" }, source: "memory" },
    ],
    ["GET /-/whoami", "account.read", ["read-private"], "whose token it is"],
  ]),
  ...goldenRows(AUTHENTICATION, [
    [
      "PUT /-/user/org.couchdb.user:me",
      "token.create",
      ["administer"],
      "a login gives a token",
      { json: { name: "me", password: "x" } },
    ],
    [
      "POST /-/npm/v1/tokens",
      "token.create",
      ["administer"],
      "a token that works without Cofferdam",
      { json: { password: "x" } },
    ],
    [
      "DELETE /-/npm/v1/tokens/token/abc",
      "token.delete",
      ["administer", "delete"],
      "it no longer works",
    ],
    ["DELETE /-/user/token/abc", "token.delete", ["administer", "delete"], "a logout"],
    [
      "POST /-/npm/v1/user",
      "account.administer",
      ["administer"],
      "another password",
      { json: { password: { new: "x" } } },
    ],
    ["GET /-/npm/v1/tokens", "account.read", ["read-private"], "which tokens there are"],
  ]),
];
