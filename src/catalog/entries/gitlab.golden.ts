/** Golden requests of GitLab. */
import type { Json } from "../../action/index.ts";
import { goldenRows, type Golden } from "../golden.ts";

const API = "github.com/gitlabhq/gitlabhq lib/api";
const REST = "github.com/gitlabhq/gitlabhq doc/api/rest/_index.md";
const COMMANDS = "github.com/gitlabhq/gitlabhq lib/gitlab/quick_actions/extractor.rb";
const ISSUABLE = "github.com/gitlabhq/gitlabhq app/services/issuable_base_service.rb";
const QUERIES = "github.com/gitlabhq/gitlabhq app/graphql/types/query_type.rb";
const PROJECTS = "github.com/gitlabhq/gitlabhq app/graphql/types/project_type.rb";
const MUTATIONS = "github.com/gitlabhq/gitlabhq app/graphql/types/mutation_type.rb";
const NOTE = "gitlab.com/gitlab-org/gitlab/-/issues/346557";
const UNKNOWN = ["publish", "send", "execute", "delete", "administer", "spend"] as const;
const COMMAND = ["publish", "send", "execute", "administer"] as const;
const P = "/api/v4/projects/g%2Fp";

const main = { facts: { current: { id: 7, default_branch: "main" } } };
const graphql = (query: string): { readonly json: Json } => ({ json: { query } });

export const golden: readonly Golden[] = [
  ...goldenRows(REST, [
    ["GET /api/v4/projects/diaspora%2Fdiaspora", "project.read", ["read-private"], "by its path"],
    ["GET /api/v4/projects/7", "project.read", ["read-private"], "by its number"],
    [
      "GET /api/v4/projects/1/repository/files/src%2FREADME.md?ref=master",
      "project.read",
      ["read-private"],
      "a file",
    ],
    ["GET /api/v4/projects/1/repository/tags/my%2Ftag", "project.read", ["read-private"], "a tag"],
    [
      "GET /api/v4/groups/a%2Fb/projects",
      "account.read",
      ["read-private"],
      "of a group",
      { source: "memory" },
    ],
    ["GET /api/v4/version", "public.read", ["read"], "which version", { source: "memory" }],
    [
      "POST /api/v4/projects?name=a&visibility=private",
      "project.create-private",
      ["write"],
      "all in the query",
    ],
    [
      "POST /api/v4/projects?visibility=public",
      "project.create",
      ["publish", "send"],
      "query and body differ",
      { json: { name: "a", visibility: "private" } },
    ],
    [
      "POST /api/v4/projects",
      "project.create",
      ["publish", "send"],
      "a repository is fetched from an address",
      { form: "name=a&visibility=private&import_url=https://e.example.org/" },
    ],
    [
      "POST /api/v4/projects/169/pipeline?ref=master&variables[0][key]=VAR1",
      "pipeline.run",
      ["publish", "execute"],
      "all in the query",
    ],
    [`GET ${P}?sudo=root`, "unknown", UNKNOWN, "as somebody else", { source: "memory" }],
    [
      `GET ${P}`,
      "unknown",
      UNKNOWN,
      "as somebody else, by a header",
      { headers: { sudo: "root" }, source: "memory" },
    ],
    [
      `POST ${P}/issues`,
      "unknown",
      UNKNOWN,
      "a method in a form",
      { form: "_method=DELETE", source: "memory" },
    ],
    [
      `POST ${P}/issues?_method=GET`,
      "unknown",
      UNKNOWN,
      "a method where Rails takes none",
      { json: { title: "t" }, source: "memory" },
    ],
    [
      `POST ${P}/issues`,
      "unknown",
      UNKNOWN,
      "a method in a header",
      { headers: { "x-http-method-override": "PUT" }, json: { title: "t" }, source: "memory" },
    ],
    [
      "GET /api/v4/projects/7?id=8",
      "unknown",
      UNKNOWN,
      "a parameter says another project",
      { source: "memory" },
    ],
    ["POST /api/v4/admin/token", "unknown", UNKNOWN, "of the instance", { json: {} }],
  ]),
  ...goldenRows(COMMANDS, [
    [
      `POST ${P}/issues`,
      "issue.create",
      ["publish"],
      "others see it",
      { json: { title: "t", description: "a/b\nc" } },
    ],
    [`POST ${P}/issues`, "issue.create", ["publish"], "without a text", { form: "title=t" }],
    [
      `POST ${P}/issues`,
      "issue.create-command",
      COMMAND,
      "a command in its text",
      { json: { title: "t", description: "a\n/assign @eve" }, source: ISSUABLE },
    ],
    [
      `PUT ${P}/issues/1`,
      "issue.update",
      ["publish"],
      "closed",
      { json: { state_event: "close" } },
    ],
    [
      `PUT ${P}/issues/1?description=/close`,
      "issue.update-command",
      COMMAND,
      "a command in the query",
      { json: { description: "a" } },
    ],
    [
      `POST ${P}/merge_requests/1/notes`,
      "comment.create",
      ["publish"],
      "a remark",
      { json: { body: "good, see a/b" } },
    ],
    [
      `POST ${P}/merge_requests/1/notes`,
      "comment.command",
      COMMAND,
      "it merges",
      { json: { body: "/merge" } },
    ],
    [
      `POST ${P}/merge_requests/1/notes`,
      "comment.command",
      COMMAND,
      "carriage returns are dropped first",
      { json: { body: "good\n\r/approve" } },
    ],
    [
      `POST ${P}/merge_requests/1/discussions`,
      "comment.command",
      COMMAND,
      "it approves",
      { form: "body=/approve", source: NOTE },
    ],
    [
      `POST ${P}/merge_requests/1/notes`,
      "comment.command",
      COMMAND,
      "nothing is known of its text",
      { json: {} },
    ],
    [
      `POST ${P}/repository/commits/abc/comments`,
      "comment.create",
      ["publish"],
      "under another name",
      { json: { note: "n" }, source: `${API}/commits.rb` },
    ],
    [
      `POST ${P}/repository/commits/abc/comments`,
      "comment.command",
      COMMAND,
      "a command beside a remark",
      { json: { note: "/tag v1", body: "b" }, source: `${API}/commits.rb` },
    ],
    [
      `POST ${P}/merge_requests`,
      "merge.create",
      ["publish"],
      "others see it",
      { json: { title: "t", source_branch: "a/b", target_branch: "main" } },
    ],
    [
      `POST ${P}/merge_requests`,
      "merge.create-command",
      COMMAND,
      "a command in its text",
      {
        json: { title: "t", source_branch: "a/b", target_branch: "main", description: "/merge" },
        source: ISSUABLE,
      },
    ],
    [
      `PUT ${P}/merge_requests/1`,
      "merge.update",
      ["publish"],
      "closed",
      { json: { state_event: "close" } },
    ],
    [
      `PUT ${P}/merge_requests/1`,
      "merge.update-command",
      COMMAND,
      "a command in its text",
      { json: { description: " /merge" } },
    ],
  ]),
  ...goldenRows(`${API}/notes.rb`, [
    [`DELETE ${P}/issues/1/notes/2`, "comment.delete", ["delete"], "it goes"],
  ]),
  ...goldenRows(`${API}/files.rb`, [
    [
      `POST ${P}/repository/files/docs%2Fa%2Emd`,
      "content.push-branch",
      ["write"],
      "a text on a branch of one's own",
      { json: { branch: "fix/a", content: "x", commit_message: "m" }, ...main, reversible: true },
    ],
    [
      `PUT ${P}/repository/files/docs%2Fa.md`,
      "content.push",
      ["publish", "execute"],
      "the default branch",
      { json: { branch: "main", content: "x", commit_message: "m" }, ...main },
    ],
    [
      `PUT ${P}/repository/files/docs%2Fa.md?branch=main`,
      "content.push",
      ["publish", "execute"],
      "two branches",
      { json: { branch: "fix/a", content: "x", commit_message: "m" }, ...main },
    ],
    [
      `PUT ${P}/repository/files/%2Egitlab-ci.yml`,
      "content.push",
      ["publish", "execute"],
      "what CI runs",
      { json: { branch: "fix/a", content: "x", commit_message: "m" }, ...main },
    ],
    [
      `PUT ${P}/repository/files/a.py`,
      "content.push",
      ["publish", "execute"],
      "a file that may be run",
      {
        json: { branch: "fix/a", content: "x", commit_message: "m", execute_filemode: true },
        ...main,
      },
    ],
    [
      `DELETE ${P}/repository/files/a.md`,
      "content.delete",
      ["delete", "execute"],
      "a file goes",
      { json: { branch: "fix/a", commit_message: "m" } },
    ],
  ]),
  ...goldenRows(`${API}/commits.rb`, [
    [
      `POST ${P}/repository/commits`,
      "content.push-branch",
      ["write"],
      "plain files on a branch of one's own",
      {
        json: { branch: "fix/a", actions: [{ action: "create", file_path: "docs/a.md" }] },
        ...main,
      },
    ],
    [
      `POST ${P}/repository/commits`,
      "content.push",
      ["publish", "execute", "delete"],
      "one of several files is CI's",
      {
        json: {
          branch: "fix/a",
          actions: [
            { action: "create", file_path: "docs/a.md" },
            { action: "update", file_path: ".gitlab-ci.yml" },
          ],
        },
        ...main,
      },
    ],
    [
      `POST ${P}/repository/commits`,
      "content.push",
      ["publish", "execute", "delete"],
      "the same as a form",
      {
        form: "branch=fix/a&actions[][action]=create&actions[][file_path]=.gitlab-ci.yml",
        ...main,
      },
    ],
    [
      `POST ${P}/repository/commits`,
      "content.push",
      ["publish", "execute", "delete"],
      "from a commit that may be a fork's",
      {
        json: {
          branch: "fix/a",
          start_sha: "0123",
          actions: [{ action: "create", file_path: "docs/a.md" }],
        },
        ...main,
      },
    ],
    [
      `POST ${P}/repository/commits`,
      "content.push",
      ["publish", "execute", "delete"],
      "a file is moved",
      {
        json: {
          branch: "fix/a",
          actions: [{ action: "move", file_path: "a.md", previous_path: "b.md" }],
        },
        ...main,
      },
    ],
    [
      `POST ${P}/repository/commits/abc/cherry_pick`,
      "commit.apply",
      ["publish", "execute"],
      "a commit on a branch",
      { json: { branch: "main" } },
    ],
  ]),
  ...goldenRows(`${API}/branches.rb`, [
    [
      `POST ${P}/repository/branches?branch=fix/a&ref=main`,
      "branch.create-own",
      ["write"],
      "at a branch",
      { facts: { ...main.facts, head: { name: "main" } } },
    ],
    [
      `POST ${P}/repository/branches?branch=fix/a&ref=refs/merge-requests/1/head`,
      "branch.create",
      ["publish", "execute"],
      "at what a fork sent, with the project's secrets",
      { ...main, source: "memory" },
    ],
    [`DELETE ${P}/repository/branches/fix%2Fa`, "ref.delete", ["delete"], "a branch goes"],
    [
      `PUT ${P}/repository/branches/main/unprotect`,
      "protection.write",
      ["administer"],
      "everyone may push then",
    ],
  ]),
  ...goldenRows(`${API}/merge_requests.rb`, [
    [`PUT ${P}/merge_requests/1/merge`, "merge.accept", ["publish", "execute"], "deployed"],
    [
      `POST ${P}/merge_requests/1/cancel_merge_when_pipeline_succeeds`,
      "merge.cancel",
      ["publish"],
      "it waits again",
    ],
  ]),
  ...goldenRows(`${API}/ci/pipelines.rb`, [
    [`POST ${P}/pipelines/1/retry`, "pipeline.run", ["publish", "execute"], "again"],
    [`DELETE ${P}/pipelines/1`, "pipeline.stop", ["delete"], "its record goes"],
    [`GET ${P}/pipelines/1/jobs`, "project.read", ["read-private"], "what ran"],
    [
      `GET ${P}/pipelines/1/variables`,
      "secret.read",
      ["read-private", "administer"],
      "values in plain text",
    ],
    [`GET ${P}/pipelines/1/variables.json`, "unknown", UNKNOWN, "with a format behind it"],
    [`GET ${P}/pipelines/1/variables/`, "unknown", UNKNOWN, "with a slash behind it"],
  ]),
  ...goldenRows(`${API}/ci/triggers.rb`, [
    [
      `POST ${P}/trigger/pipeline`,
      "pipeline.run",
      ["publish", "execute"],
      "by a token in the form",
      { form: "token=t&ref=main" },
    ],
    [
      `POST ${P}/ref/fix%2Fa/trigger/pipeline?token=t`,
      "pipeline.run",
      ["publish", "execute"],
      "the branch in the path",
    ],
    [`GET ${P}/triggers`, "secret.read", ["read-private", "administer"], "tokens"],
    [
      `POST ${P}/triggers`,
      "token.write",
      ["administer"],
      "a token comes back",
      { json: { description: "d" } },
    ],
  ]),
  ...goldenRows(`${API}/ci/variables.rb`, [
    [`GET ${P}/variables`, "secret.read", ["read-private", "administer"], "values in plain text"],
    [
      `PUT ${P}/variables/A`,
      "secret.write",
      ["administer"],
      "what CI uses",
      { json: { value: "x" } },
    ],
  ]),
  ...goldenRows(`${API}/lint.rb`, [
    [
      `POST ${P}/ci/lint`,
      "ci.lint",
      ["read-private", "send"],
      "what it includes is fetched",
      { json: { content: "include: https://e.example.org/?data" } },
    ],
  ]),
  ...goldenRows(`${API}/members.rb`, [
    [
      `POST ${P}/members`,
      "member.write",
      ["administer", "send"],
      "somebody is let in",
      { json: { user_id: 5, access_level: 50 }, recipients: ["5"] },
    ],
    [
      "DELETE /api/v4/groups/7/members/5",
      "member.write",
      ["administer", "send"],
      "somebody is put out",
      { recipients: ["5"] },
    ],
  ]),
  ...goldenRows(MUTATIONS, [
    [
      "POST /api/graphql",
      "graphql.query",
      ["read-private"],
      "a query",
      graphql("{ currentUser { id } }"),
    ],
    [
      "POST /api/graphql",
      "merge.accept",
      ["publish", "execute"],
      "it merges",
      graphql("mutation { currentUser: mergeRequestAccept(input: {}) { errors } }"),
    ],
    [
      "POST /api/graphql",
      "comment.command",
      COMMAND,
      "its text may be a command",
      {
        ...graphql('mutation { createNote(input: { body: "/approve" }) { errors } }'),
        source: NOTE,
      },
    ],
    [
      "POST /api/graphql",
      "ci.lint",
      ["read-private", "send"],
      "a query that fetches",
      { ...graphql('{ ciConfig(content: "include: x") { errors } }'), source: QUERIES },
    ],
    [
      "POST /api/graphql",
      "batch",
      ["read-private", "administer"],
      "values of secrets, within a query",
      {
        ...graphql('{ project(fullPath: "g/p") { ciVariables { nodes { key value } } } }'),
        source: PROJECTS,
      },
    ],
    [
      "POST /api/graphql",
      "unknown",
      UNKNOWN,
      "what nobody listed",
      graphql("mutation { runnerDelete(input: {}) { errors } }"),
    ],
    [
      "POST /api/graphql",
      "batch",
      ["read-private", "delete"],
      "a list of operations",
      {
        json: [
          { query: "{ currentUser { id } }" },
          { query: "mutation { tagDelete(input: {}) { errors } }" },
        ],
      },
    ],
  ]),
  // Known from use; no page of these was read.
  ...goldenRows("memory", [
    [
      `POST ${P}/issues/1/links`,
      "issue.arrange",
      ["publish"],
      "a link",
      { json: { target_project_id: 7, target_issue_iid: 2 } },
    ],
    [
      `POST ${P}/issues/1/move`,
      "issue.move",
      ["publish", "delete"],
      "to another project",
      { json: { to_project_id: 8 } },
    ],
    [`DELETE ${P}/issues/1`, "issue.delete", ["delete"], "for good"],
    ["POST /api/v4/todos/1/mark_as_done", "todo.mark", ["write"], "done"],
    [`POST ${P}/snippets`, "page.publish", ["publish"], "a snippet", { json: { title: "t" } }],
    [`DELETE ${P}/snippets/1`, "page.delete", ["delete"], "it goes"],
    [
      `POST ${P}/repository/tags`,
      "tag.create",
      ["publish", "execute"],
      "releases start by it",
      { json: { tag_name: "v1", ref: "main" } },
    ],
    [
      `POST ${P}/merge_requests/1/approve`,
      "merge.approve",
      ["publish", "administer"],
      "a gate opens",
    ],
    [
      `POST ${P}/releases`,
      "release.publish",
      ["publish", "execute"],
      "others see it",
      { json: { tag_name: "v1" } },
    ],
    [`DELETE ${P}/releases/v1`, "release.delete", ["delete"], "it goes"],
    [`DELETE ${P}/packages/1`, "package.delete", ["delete"], "it goes"],
    [
      `PUT ${P}/packages/generic/a/1/a.zip`,
      "package.publish",
      ["publish"],
      "others load it",
      { raw: { type: "application/zip", text: "PK" } },
    ],
    [
      `POST ${P}/hooks`,
      "hook.write",
      ["administer", "send"],
      "an address is told",
      { json: { url: "https://e.example.org/" }, recipients: ["https://e.example.org/"] },
    ],
    [`POST ${P}/deploy_keys`, "key.write", ["administer"], "a key", { json: { key: "ssh" } }],
    [
      `POST ${P}/pipeline_schedules`,
      "schedule.write",
      ["execute", "administer"],
      "it runs each night",
      { json: { ref: "main", cron: "0 1 * * *" } },
    ],
    [`POST ${P}/fork`, "project.fork", ["publish"], "a copy"],
    [
      `PUT ${P}`,
      "project.administer",
      ["publish", "execute", "administer"],
      "everyone sees it then",
      { json: { visibility: "public" } },
    ],
    [`DELETE ${P}`, "project.delete", ["delete"], "with everything in it", { reversible: false }],
    [
      "POST /api/v4/groups",
      "group.administer",
      ["publish", "administer"],
      "a group",
      { json: { name: "g", path: "g" } },
    ],
    [
      "DELETE /api/v4/projects/7%2Fissues%2F1",
      "unknown",
      UNKNOWN,
      "a project or an issue, as the slashes are read",
    ],
    [`GET ${P}?private_token=t`, "unknown", UNKNOWN, "as whoever the token is of"],
    ["DELETE /api/v4/projects/7/", "unknown", UNKNOWN, "a slash behind"],
  ]),
];
