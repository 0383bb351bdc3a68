/**
 * Notion, by its API. What is written into a page is seen by everyone who has access to it, and by the whole
 * web where the page is published: that is looked up, and a page beneath is as public as the one it is in.
 * Comments and mentions notify. A page's trash can be undone. Agents of Notion act on their own. Sharing is no
 * part of the API.
 *
 * @module
 */
import type { EntrySource } from "../entry.ts";

const READ = "GET|HEAD";

/** `public_url` is null where a page is not on the web. */
const PRIVATE = { only: [null] };

/** Nothing in it notifies a person or has Notion fetch an address, and nothing stands beside the body. */
const QUIET = Object.fromEntries(
  ["mention", "people", "external", "bookmark", "embed"]
    .map((name) => `body.**.${name}`)
    .concat("query.@")
    .map((reference) => [reference, { absent: true as const }]),
);

/** A page in what is looked up as `name`, which stands in one place only. Markdown and templates are not read. */
const inPrivate = (name: string, parent: string, others: readonly string[]) => ({
  when: {
    ...QUIET,
    "body.@": { only: ["parent", "properties", "children", "content", "icon", "cover"] },
    [`body.parent.${parent}`]: { present: true as const },
    ...Object.fromEntries(
      others.map((other) => [`body.parent.${other}`, { absent: true as const }]),
    ),
    [`${name}.public_url`]: PRIVATE,
  },
  verb: "page.create",
  effects: ["write" as const],
  summary: `Make a page in {body.parent.${parent}}`,
});

const IN_TRASH = ["in_trash", "archived", "is_archived"].map((name) => `body.${name}`);
const TRASH = (summary: string) =>
  IN_TRASH.map((reference) => ({
    when: { [reference]: { present: true as const } },
    effects: ["publish" as const, "delete" as const],
    verb: "page.trash",
    summary,
    reversible: true,
  }));

export const notion: EntrySource = {
  system: "notion",
  title: "Notion",
  docs: [
    "https://developers.notion.com/reference/intro",
    "https://github.com/makenotion/notion-sdk-js",
  ],
  hosts: ["api.notion.com"],
  base: ["/v1"],
  credential: [{ in: "header", name: "authorization", scheme: "Bearer" }],
  unknown: ["publish", "send", "execute", "delete", "administer", "spend"],
  refuse: ["param._method"],
  routes: [
    {
      verb: "page.read",
      request: [
        `${READ} /pages/{page_id}`,
        `${READ} /pages/{page_id}/markdown`,
        `${READ} /pages/{page_id}/properties/{property}`,
        `${READ} /blocks/{block_id}`,
        `${READ} /blocks/{block_id}/children`,
        `${READ} /databases/{database_id}`,
        `${READ} /data_sources/{data_source_id}`,
        `${READ} /data_sources/{data_source_id}/templates`,
        "POST /data_sources/{data_source_id}/query",
        "POST /databases/{database_id}/query",
        `${READ} /databases`,
        "POST /blocks/meeting_notes/query",
        `${READ} /views`,
        `${READ} /views/{view_id}`,
        `${READ} /views/{view_id}/queries/{query}`,
        "POST /views/{view_id}/queries",
        "DELETE /views/{view_id}/queries/{query}",
      ],
      effects: ["read-private"],
      summary:
        "Read pages: {path.page_id} {path.block_id} {path.data_source_id} {path.database_id}",
    },
    {
      verb: "page.search",
      request: "POST /search",
      effects: ["read-private"],
      summary: "Search pages for {body.query}",
    },
    {
      verb: "account.read",
      request: [
        `${READ} /users`,
        `${READ} /users/{user_id}`,
        `${READ} /custom_emojis`,
        `${READ} /async_tasks/{task}`,
        `${READ} /file_uploads`,
        `${READ} /file_uploads/{file}`,
      ],
      effects: ["read-private"],
      summary: "Read who is there, and what was uploaded",
    },
    {
      verb: "comment.read",
      request: [`${READ} /comments`, `${READ} /comments/{comment_id}`],
      effects: ["read-private"],
      summary: "Read comments",
    },
    {
      verb: "page.create-public",
      request: "POST /pages",
      effects: ["publish", "send"],
      summary: "Make a page in {body.parent.*}, which others see or are told of",
      show: "post",
      body: ["json"],
      lookup: {
        page: "/pages/{body.parent.page_id}",
        database: "/databases/{body.parent.database_id}",
        source: "/data_sources/{body.parent.data_source_id}",
      },
      cases: [
        inPrivate("page", "page_id", ["database_id", "data_source_id", "workspace"]),
        inPrivate("database", "database_id", ["page_id", "data_source_id", "workspace"]),
        inPrivate("source", "data_source_id", ["page_id", "database_id", "workspace"]),
      ],
    },
    {
      verb: "page.update-public",
      request: "PATCH /pages/{page_id}",
      effects: ["publish", "send"],
      summary: "Change the page {path.page_id}, which others see or are told of",
      show: "post",
      body: ["json"],
      lookup: { current: "/pages/{path.page_id}" },
      cases: [
        ...TRASH("Move the page {path.page_id} to the trash, or out of it"),
        {
          when: { "body.erase_content": { present: true } },
          verb: "page.erase",
          effects: ["publish", "delete"],
          summary: "Erase the content of the page {path.page_id}",
        },
        {
          when: {
            ...QUIET,
            "body.@": { only: ["properties", "icon", "cover"] },
            "current.public_url": PRIVATE,
          },
          verb: "page.update",
          effects: ["write"],
          summary: "Change properties of the page {path.page_id}",
        },
      ],
    },
    {
      // Text is taken away where the markdown says so.
      verb: "page.rewrite",
      request: "PATCH /pages/{page_id}/markdown",
      effects: ["publish", "send", "delete"],
      summary: "Rewrite the page {path.page_id}",
      show: "post",
    },
    {
      // It has the readers of where it is then.
      verb: "page.move",
      request: "POST /pages/{page_id}/move",
      effects: ["publish", "administer"],
      summary: "Move the page {path.page_id} to {body.parent.*}",
    },
    {
      verb: "block.append-public",
      request: "PATCH /blocks/{block_id}/children",
      effects: ["publish", "send"],
      summary: "Add to {path.block_id}, which others see or are told of",
      show: "post",
      body: ["json"],
      // A block that is a page has the page's id; of another it is not known what page it is in.
      lookup: { current: "/pages/{path.block_id}" },
      cases: [
        {
          when: {
            ...QUIET,
            "body.@": { only: ["children", "after", "position"] },
            "current.public_url": PRIVATE,
          },
          verb: "block.append",
          effects: ["write"],
          summary: "Add to the page {path.block_id}",
        },
      ],
    },
    {
      verb: "block.update",
      request: "PATCH /blocks/{block_id}",
      effects: ["publish", "send"],
      summary: "Change the block {path.block_id}: {body.@}",
      show: "post",
      cases: TRASH("Move the block {path.block_id} to the trash, or out of it").map((one) => ({
        ...one,
        verb: "block.trash",
      })),
    },
    {
      verb: "block.delete",
      request: "DELETE /blocks/{block_id}",
      effects: ["delete"],
      summary: "Move {path.block_id} to the trash, with all in it",
      reversible: true,
    },
    {
      verb: "database.write",
      request: [
        "POST /databases",
        "PATCH /databases/{database_id}",
        "POST /data_sources",
        "PATCH /data_sources/{data_source_id}",
        "POST /views",
        "PATCH /views/{view_id}",
      ],
      // Properties that are left out or null go, with what is in them.
      effects: ["publish", "delete"],
      summary: "Change a database or view: {path.database_id} {path.data_source_id} {path.view_id}",
    },
    {
      verb: "view.delete",
      request: "DELETE /views/{view_id}",
      effects: ["delete"],
      summary: "Delete the view {path.view_id}",
    },
    {
      verb: "comment.create",
      request: ["POST /comments", "PATCH /comments/{comment_id}"],
      effects: ["publish", "send"],
      summary: "Comment: {body.rich_text.*.text.content} {body.markdown}",
      show: "message",
      recipients: ["body.**.mention.user.id"],
    },
    {
      verb: "comment.delete",
      request: "DELETE /comments/{comment_id}",
      effects: ["delete"],
      summary: "Delete the comment {path.comment_id}",
    },
    {
      // Notion fetches what it is given an address of.
      verb: "file.import",
      request: ["POST /file_uploads", "POST /blocks/meeting_notes"],
      effects: ["send"],
      summary: "Have Notion fetch {body.external_url} {body.source.*}",
      body: ["json"],
      cases: [
        {
          when: {
            "param.@": { only: ["mode", "filename", "content_type", "number_of_parts"] },
            "body.mode": { only: ["single_part", "multi_part"] },
          },
          verb: "file.upload",
          effects: ["write"],
          summary: "Upload the file {body.filename}",
        },
        {
          when: { "param.@": { only: ["filename", "content_type"] } },
          verb: "file.upload",
          effects: ["write"],
          summary: "Upload the file {body.filename}",
        },
      ],
    },
    {
      verb: "file.upload",
      request: ["POST /file_uploads/{file}/send", "POST /file_uploads/{file}/complete"],
      effects: ["write"],
      summary: "Upload the file {path.file}",
      body: ["none", "json", "multipart"],
    },
    {
      verb: "agent.read",
      request: [
        `${READ} /agents`,
        `${READ} /agents/{agent_id}`,
        `${READ} /agents/{agent_id}/{part:threads|insights}`,
        "POST /agents/query",
        "POST /agents/{agent_id}/threads/query",
        `${READ} /threads/{thread_id}/messages`,
        "POST /threads/{thread_id}/messages/query",
        `${READ} /sessions/{session_id}`,
        "POST /sessions/query",
        "POST /sessions/{session_id}/events/query",
        `${READ} /external_agent_stub/{agent_id}/sessions/{session_id}/events`,
      ],
      effects: ["read-private"],
      summary: "Read what agents of Notion did",
    },
    {
      // It acts with what it may do there, and is paid for.
      verb: "agent.run",
      request: [
        "POST /agents/{agent_id}/chat",
        "POST /threads/{thread_id}/{act:messages|continue}",
        "POST /sessions",
        "POST /sessions/{session_id}/cancel",
        "POST /external_agent_stub/{agent_id}/sessions",
        "POST /external_agent_stub/{agent_id}/sessions/{session_id}/messages",
      ],
      effects: ["send", "execute", "spend"],
      summary: "Let the agent {path.agent_id} {path.thread_id} of Notion act: {body.message}",
    },
    {
      verb: "agent.administer",
      request: [
        "POST /agents",
        "POST /agents/batch",
        "DELETE /agents/{agent_id}",
        "PATCH /agents/{agent_id}/{part:credit_limit|status}",
        "POST /external_agent_stub/{agent_id}/vaults",
        "PATCH|DELETE /external_agent_stub/{agent_id}/vaults/{vault_id}",
      ],
      effects: ["execute", "delete", "administer", "spend"],
      summary: "Change the agent {path.agent_id} of Notion: {path.part}",
    },
    {
      // The answer is a token.
      verb: "token.write",
      request: "POST /oauth/{act:token|revoke|introspect}",
      effects: ["administer"],
      summary: "Get, look at or take away a token",
    },
  ],
};
