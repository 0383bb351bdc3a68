/** Golden requests of PyPI. */
import { goldenRows, type Golden } from "../golden.ts";

const DOCS = "github.com/pypi/warehouse docs/user/api";
const ROUTES = "github.com/pypi/warehouse warehouse/routes.py";
const UNKNOWN = ["publish", "delete", "administer"] as const;
const upload = (action: string) => ({
  raw: {
    type: "multipart/form-data; boundary=b",
    text: [
      "--b",
      'Content-Disposition: form-data; name=":action"',
      "",
      action,
      "--b",
      'Content-Disposition: form-data; name="name"',
      "",
      "sampleproject",
      "--b",
      'Content-Disposition: form-data; name="content"; filename="sampleproject-1.0.tar.gz"',
      "",
      "x",
      "--b--",
      "",
    ].join("\r\n"),
  },
});

export const golden: readonly Golden[] = [
  ...goldenRows(DOCS, [
    ["GET /simple/", "project.read", ["read"], "all projects"],
    ["GET /simple/sampleproject/", "project.read", ["read"], "what pip reads first"],
    ["GET /simple/sampleproject", "project.read", ["read"], "without the slash it is redirected"],
    ["GET /pypi/sampleproject/json", "project.read", ["read"], "what everybody can see"],
    ["GET /pypi/sampleproject/4.0.0/json", "project.read", ["read"], "one version"],
    [
      "GET /integrity/sampleproject/4.0.0/sampleproject-4.0.0.tar.gz/provenance",
      "project.read",
      ["read"],
      "where a file is from",
    ],
    ["GET /rss/project/sampleproject/releases.xml", "project.read", ["read"], "news"],
    ["GET /stats/", "project.read", ["read"], "sizes"],
    [
      "POST /legacy/",
      "file.upload",
      ["publish"],
      "everybody can install it",
      { ...upload("file_upload"), reversible: false },
    ],
    [
      "POST /legacy/",
      "legacy.call",
      ["publish", "administer"],
      "another action of the old API",
      upload("submit"),
    ],
    [
      "POST /legacy/?:action=submit",
      "file.upload",
      ["publish"],
      "two actions: the file is there all the same",
      upload("file_upload"),
    ],
    [
      "POST /_/secrets/disclose-token",
      "token.disclose",
      ["administer"],
      "the token ends",
      { json: [{ type: "pypi_api_token", token: "x", url: "u" }] },
    ],
  ]),
  ...goldenRows(ROUTES, [
    [
      "GET /search/?q=numpy",
      "project.search",
      ["read"],
      "what is searched for is told to the index",
    ],
    [
      "POST /pypi?:action=file_upload",
      "file.upload",
      ["publish"],
      "the action in the query",
      { form: "name=x" },
    ],
    [
      "GET /manage/account/token/",
      "account.administer",
      ["administer"],
      "a page that makes tokens",
    ],
    [
      "POST /danger-api/echo",
      "account.administer",
      ["administer"],
      "called dangerous by its makers",
      { json: {} },
    ],
    [
      "POST /pypi",
      "unknown",
      UNKNOWN,
      "XML-RPC",
      { raw: { type: "text/xml", text: "<methodCall/>" } },
    ],
    [
      `GET /simple/${"a".repeat(101)}/`,
      "unknown",
      UNKNOWN,
      "longer than a name is: it says something else",
    ],
    ["DELETE /pypi/sampleproject/json", "unknown", UNKNOWN, "no method of the index"],
  ]),
  ...goldenRows("memory", [
    ["GET /packages/ab/cd/ef0123/sampleproject-4.0.0.tar.gz", "file.read", ["read"], "the files"],
    [
      "POST /_/oidc/mint-token",
      "token.mint",
      ["administer"],
      "a token that may publish",
      { json: { token: "x" } },
    ],
    ["GET /_/oidc/audience", "oidc.audience", ["read"], "one word"],
  ]),
];
