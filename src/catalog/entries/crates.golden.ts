/** Golden requests of crates.io. */
import { goldenRows, type Golden } from "../golden.ts";

const SOURCE = "github.com/rust-lang/crates.io src/controllers";
const ROUTER = "github.com/rust-lang/crates.io src/router.rs";
const UNKNOWN = ["publish", "delete", "administer"] as const;

export const golden: readonly Golden[] = [
  ...goldenRows(SOURCE, [
    [
      "GET /api/v1/crates?q=serde",
      "crate.search",
      ["read"],
      "what is searched for is told to the registry",
    ],
    ["GET /api/v1/crates/serde/owners", "crate.read", ["read"], "who publishes it"],
    [
      "PUT /api/v1/crates/new",
      "crate.publish",
      ["publish"],
      "everybody can build with it",
      { raw: { type: "application/octet-stream", text: "x" }, reversible: false },
    ],
    [
      "DELETE /api/v1/crates/serde/1.0.0/yank",
      "crate.yank",
      ["publish"],
      "nobody new builds with it",
      { reversible: true },
    ],
    ["PUT /api/v1/crates/serde/1.0.0/unyank", "crate.yank", ["publish"], "they do again"],
    [
      "PUT /api/v1/crates/serde/owners",
      "owner.change",
      ["administer", "send"],
      "another may publish",
      { json: { users: ["e"] }, recipients: ["e"] },
    ],
    [
      "DELETE /api/v1/crates/serde/owners",
      "owner.change",
      ["administer", "send"],
      "another may no longer publish",
      { json: { owners: ["e"] } },
    ],
    ["DELETE /api/v1/crates/serde", "crate.delete", ["delete"], "for good"],
    ["PUT /api/v1/crates/serde/follow", "crate.follow", ["write"], "a list of one's own"],
    ["GET /api/v1/crates/serde/following", "account.read", ["read-private"], "a list of one's own"],
    [
      "PUT /api/v1/me/tokens",
      "token.create",
      ["administer"],
      "it works without Cofferdam",
      { json: { api_token: { name: "t" } } },
    ],
    [
      "POST /api/v1/trusted_publishing/tokens",
      "token.create",
      ["administer"],
      "it may publish",
      { json: { jwt: "x" } },
    ],
    [
      "DELETE /api/v1/tokens/current",
      "token.delete",
      ["administer", "delete"],
      "it no longer works",
    ],
    ["GET /api/v1/me/tokens", "account.read", ["read-private"], "which tokens there are"],
  ]),
  ...goldenRows(ROUTER, [
    [
      "GET /api/private/admin_list/someone",
      "unknown",
      UNKNOWN,
      "a page for the registry's own people",
    ],
    [
      "POST /api/github/secret-scanning/verify",
      "unknown",
      UNKNOWN,
      "a way in for another service",
      { json: [] },
    ],
    ["POST /git/index/info", "unknown", UNKNOWN, "a push to the index"],
  ]),
  ...goldenRows("memory", [
    ["GET /se/rd/serde", "index.read", ["read"], "which versions there are"],
    ["GET /3/l/log", "index.read", ["read"], "a name of three characters"],
    ["GET /config.json", "index.read", ["read"], "where the files are"],
    ["GET /api/v1/crates/serde/1.0.0/download", "crate.download", ["read"], "the files"],
    [
      "GET /crates/serde/serde-1.0.0.crate",
      "crate.download",
      ["read"],
      "the files at their own host",
    ],
    ["GET /api/v1/crates/serde/1.0.0", "crate.read", ["read"], "what everybody can see"],
    [
      "PATCH /api/v1/crates/serde/1.0.0",
      "crate.update",
      ["publish", "administer"],
      "a message beside a yank",
      { json: {} },
    ],
    ["DELETE /api/private/session", "account.administer", ["administer"], "a logout"],
    [
      `GET /aa/aa/${"a".repeat(65)}`,
      "unknown",
      UNKNOWN,
      "longer than a name can be: it says something else",
    ],
  ]),
];
