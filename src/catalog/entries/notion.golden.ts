/** Golden requests of Notion. */
import type { Json } from "../../action/index.ts";
import { goldenRows, type Golden } from "../golden.ts";

const SDK = "github.com/makenotion/notion-sdk-js src/api-endpoints";
const UNKNOWN = ["publish", "send", "execute", "delete", "administer", "spend"] as const;

const FILE =
  '--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nx\r\n--b--\r\n';

const text = (content: string): Json => [{ type: "text", text: { content } }];
const mention: Json = [{ type: "mention", mention: { user: { id: "u1" } } }];
const image: Json = { type: "image", image: { external: { url: "https://e.example.org/?data" } } };
const page = (more: Readonly<Record<string, Json>> = {}) => ({
  parent: { page_id: "p" },
  properties: { title: { title: text("t") } },
  ...more,
});
const facts = (name: string, url: string | null) => ({ facts: { [name]: { public_url: url } } });
const WEB = "https://n.notion.site/p";

export const golden: readonly Golden[] = [
  ...goldenRows(`${SDK}/pages.ts`, [
    ["GET /v1/pages/p", "page.read", ["read-private"], "a page"],
    ["GET /v1/pages/p/markdown", "page.read", ["read-private"], "its text"],
    [
      "POST /v1/pages",
      "page.create",
      ["write"],
      "beneath a page that is not on the web",
      { json: page(), ...facts("page", null), reversible: true },
    ],
    [
      "POST /v1/pages",
      "page.create-public",
      ["publish", "send"],
      "beneath one that is",
      { json: page(), ...facts("page", WEB) },
    ],
    [
      "POST /v1/pages",
      "page.create-public",
      ["publish", "send"],
      "the look-up failed",
      { json: page() },
    ],
    [
      "POST /v1/pages",
      "page.create-public",
      ["publish", "send"],
      "in two places",
      {
        json: page({ parent: { page_id: "p", database_id: "d" } }),
        ...facts("page", null),
      },
    ],
    [
      "POST /v1/pages",
      "page.create-public",
      ["publish", "send"],
      "somebody is told",
      {
        json: page({ children: [{ paragraph: { rich_text: mention } }] }),
        ...facts("page", null),
      },
    ],
    [
      "POST /v1/pages",
      "page.create-public",
      ["publish", "send"],
      "an image is fetched from an address",
      { json: page({ children: [image] }), ...facts("page", null) },
    ],
    [
      "POST /v1/pages",
      "page.create-public",
      ["publish", "send"],
      "markdown is not read",
      { json: page({ markdown: "![](https://e.example.org/)" }), ...facts("page", null) },
    ],
    [
      "POST /v1/pages",
      "unknown",
      UNKNOWN,
      "a form",
      { form: "parent[page_id]=p", ...facts("page", null) },
    ],
    [
      "PATCH /v1/pages/p",
      "page.update",
      ["write"],
      "it is not on the web",
      {
        json: { properties: { title: { title: text("t") } } },
        ...facts("current", null),
      },
    ],
    [
      "PATCH /v1/pages/p",
      "page.update-public",
      ["publish", "send"],
      "everyone sees it",
      { json: { properties: {} }, ...facts("current", WEB) },
    ],
    [
      "PATCH /v1/pages/p",
      "page.update-public",
      ["publish", "send"],
      "somebody is told",
      { json: { properties: { Who: { people: [{ id: "u1" }] } } }, ...facts("current", null) },
    ],
    [
      "PATCH /v1/pages/p",
      "page.trash",
      ["publish", "delete"],
      "it can be taken out again",
      { json: { in_trash: true }, ...facts("current", null), reversible: true },
    ],
    [
      "PATCH /v1/pages/p",
      "page.trash",
      ["publish", "delete"],
      "by its older name",
      { json: { archived: true, properties: {} }, ...facts("current", null) },
    ],
    [
      "PATCH /v1/pages/p?in_trash=true",
      "page.update-public",
      ["publish", "send"],
      "a parameter where none is known",
      { json: { properties: {} }, ...facts("current", null) },
    ],
    [
      "PATCH /v1/pages/p",
      "page.erase",
      ["publish", "delete"],
      "all that stands in it",
      { json: { erase_content: true }, ...facts("current", null), reversible: false },
    ],
    [
      "PATCH /v1/pages/p/markdown",
      "page.rewrite",
      ["publish", "send", "delete"],
      "what it takes away is not read",
      { json: { type: "replace_content", replace_content: { new_str: "" } } },
    ],
    [
      "POST /v1/pages/p/move",
      "page.move",
      ["publish", "administer"],
      "others may see it there",
      { json: { parent: { page_id: "q" } } },
    ],
  ]),
  ...goldenRows(`${SDK}/blocks.ts`, [
    ["GET /v1/blocks/p/children", "page.read", ["read-private"], "what stands in it"],
    [
      "PATCH /v1/blocks/p/children",
      "block.append",
      ["write"],
      "to a page that is not on the web",
      {
        json: { children: [{ paragraph: { rich_text: text("t") } }] },
        ...facts("current", null),
      },
    ],
    [
      "PATCH /v1/blocks/b/children",
      "block.append-public",
      ["publish", "send"],
      "what page the block is in is not known",
      { json: { children: [{ paragraph: { rich_text: text("t") } }] } },
    ],
    [
      "PATCH /v1/blocks/p/children",
      "block.append-public",
      ["publish", "send"],
      "an embedded page is fetched",
      {
        json: { children: [{ embed: { url: "https://e.example.org/?data" } }] },
        ...facts("current", null),
      },
    ],
    [
      "PATCH /v1/blocks/b",
      "block.update",
      ["publish", "send"],
      "its text",
      { json: { paragraph: { rich_text: text("t") } } },
    ],
    [
      "PATCH /v1/blocks/b",
      "block.trash",
      ["publish", "delete"],
      "a change that trashes",
      { json: { in_trash: true } },
    ],
    ["DELETE /v1/blocks/b", "block.delete", ["delete"], "a page is a block too"],
    [
      "POST /v1/blocks/b",
      "unknown",
      UNKNOWN,
      "a method in a header",
      { headers: { "x-http-method-override": "DELETE" } },
    ],
  ]),
  ...goldenRows(`${SDK}/data-sources.ts`, [
    [
      "POST /v1/data_sources/d/query",
      "page.read",
      ["read-private"],
      "a POST that reads",
      { json: { filter: {} } },
    ],
    [
      "PATCH /v1/data_sources/d",
      "database.write",
      ["publish", "delete"],
      "a property goes, with its values",
      { json: { properties: { Old: null } } },
    ],
  ]),
  ...goldenRows(`${SDK}/search.ts`, [
    ["POST /v1/search", "page.search", ["read-private"], "by title", { json: { query: "x" } }],
  ]),
  ...goldenRows(`${SDK}/views.ts`, [["DELETE /v1/views/v", "view.delete", ["delete"], "it goes"]]),
  ...goldenRows(`${SDK}/users.ts`, [
    ["GET /v1/users", "account.read", ["read-private"], "who is there"],
    ["GET /v1/users/", "unknown", UNKNOWN, "a slash behind"],
  ]),
  ...goldenRows(`${SDK}/comments.ts`, [
    ["GET /v1/comments?block_id=p", "comment.read", ["read-private"], "what was said"],
    [
      "POST /v1/comments",
      "comment.create",
      ["publish", "send"],
      "they are told",
      { json: { parent: { page_id: "p" }, rich_text: mention }, recipients: ["u1"] },
    ],
    ["DELETE /v1/comments/c", "comment.delete", ["delete"], "it goes"],
  ]),
  ...goldenRows(`${SDK}/file-uploads.ts`, [
    [
      "POST /v1/file_uploads",
      "file.upload",
      ["write"],
      "its bytes come next",
      { json: { mode: "single_part", filename: "a.png" } },
    ],
    [
      "POST /v1/file_uploads",
      "file.upload",
      ["write"],
      "the mode that is meant",
      { json: { filename: "a.png" } },
    ],
    [
      "POST /v1/file_uploads/f/send",
      "file.upload",
      ["write"],
      "its bytes",
      { raw: { type: "multipart/form-data; boundary=b", text: FILE } },
    ],
    [
      "POST /v1/file_uploads",
      "file.import",
      ["send"],
      "it is fetched from an address",
      { json: { mode: "external_url", external_url: "https://e.example.org/?data" } },
    ],
    [
      "POST /v1/file_uploads",
      "file.import",
      ["send"],
      "an address whatever the mode",
      { json: { mode: "single_part", external_url: "https://e.example.org/?data" } },
    ],
  ]),
  ...goldenRows(`${SDK}/agents.ts`, [
    ["GET /v1/agents", "agent.read", ["read-private"], "which there are"],
    [
      "POST /v1/agents/a/chat",
      "agent.run",
      ["send", "execute", "spend"],
      "it acts there",
      { json: { message: "m" } },
    ],
    [
      "PATCH /v1/agents/a/credit_limit",
      "agent.administer",
      ["execute", "delete", "administer", "spend"],
      "it may cost more",
      { json: { credit_limit: 1 } },
    ],
  ]),
  ...goldenRows(`${SDK}/oauth.ts`, [
    [
      "POST /v1/oauth/token",
      "token.write",
      ["administer"],
      "a token comes back",
      { json: { grant_type: "authorization_code" } },
    ],
  ]),
];
