/**
 * GitLab, by its REST API (version 4) and GraphQL, of gitlab.com or a server of one's own. A project is named
 * by its number or by its path with an escaped slash. A line of a comment or description that begins with a
 * slash is a command (`/merge`, `/approve`), so that a text with one does all that commands do. Answers hold
 * secrets in places where the names do not say so: variables, triggers, Terraform's state. Query, form and
 * JSON are one to it (`param.x`). Rails takes a method from `_method`; `sudo` and a token among the parameters
 * are another person: all are refused. Instances, users and packages other than those below are unknown.
 *
 * @module
 */
import type { EntrySource } from "../entry.ts";
import { OWN_BRANCH, PLAIN_FILE } from "./code-patterns.ts";
import { GITLAB_FIELDS } from "./gitlab-graphql.ts";

type Routes = EntrySource["routes"];

const READ = "GET|HEAD";
const ANY_WRITE = "POST|PUT|PATCH|DELETE";
const P = "/projects/{id}";
const G = "/groups/{id}";
const OWN = "/{kind:projects|groups}/{id}";
const PROJECT = { current: "/projects/{path.id}" };

/** No line begins with a slash (lib/gitlab/quick_actions/extractor.rb drops carriage returns first). */
const NO_COMMAND = { only_like: "^(?!\\s*/)(?![\\s\\S]*[\\n\\r]\\s*/)" };
/** Not those of a pipeline, which are secrets. */
const NO_VARIABLES = "(?![^/]+/variables(?:[./]|$)).+";

const COMMAND = ["publish", "send", "execute", "administer"] as const;

/** Not where it starts from: a commit of a fork may hold what CI runs. */
const COMMIT = ["branch", "commit_message", "author_name", "author_email"];

const READING: Routes = [
  {
    verb: "secret.read",
    request: [
      `${READ} ${OWN}/variables`,
      `${READ} ${OWN}/variables/{rest...}`,
      `${READ} ${P}/pipelines/{pipeline_id}/variables`,
      `${READ} ${P}/pipeline_schedules/{schedule}`,
      `${READ} ${P}/triggers`,
      `${READ} ${P}/triggers/{rest...}`,
      `${READ} ${P}/terraform/state/{rest...}`,
      `${READ} ${P}/secure_files/{rest...}`,
      `${READ} /admin/ci/variables`,
      `${READ} /admin/ci/variables/{rest...}`,
    ],
    effects: ["read-private", "administer"],
    summary: "Read secrets of {path.id}: {path.rest}",
  },
  {
    verb: "project.read",
    request: [
      `${READ} /projects`,
      `${READ} ${P}`,
      `${READ} ${P}/{part:access_requests|access_tokens|approval_rules|approvals|avatar|badges|boards|deploy_keys|deploy_tokens|deployments|environments|events|feature_flags|forks|freeze_periods|groups|hooks|integrations|invitations|issues|issues_statistics|job_token_scope|jobs|labels|languages|members|merge_requests|milestones|packages|pages|pipeline_schedules|pipelines|protected_branches|protected_environments|protected_tags|push_rule|releases|remote_mirrors|resource_groups|runners|search|secure_files|services|share_locations|snippets|starrers|statistics|storage|topics|transfer_locations|users|vulnerability_findings|wikis}`,
      `${READ} ${P}/{part:access_requests|access_tokens|approval_rules|badges|boards|deploy_keys|deploy_tokens|deployments|environments|feature_flags|feature_flags_user_lists|freeze_periods|hooks|import|integrations|invitations|issues|job_token_scope|jobs|labels|members|merge_requests|milestones|packages|pages|pipelines|protected_branches|protected_environments|protected_tags|registry|releases|remote_mirrors|repository|resource_groups|runners|services|snippets|wikis}/{rest...:${NO_VARIABLES}}`,
    ],
    effects: ["read-private"],
    summary: "Read of the project {path.id}: {path.part} {path.rest}",
  },
  {
    verb: "account.read",
    request: [
      `${READ} /{part:broadcast_messages|events|groups|issues|issues_statistics|keys|licenses|merge_requests|namespaces|personal_access_tokens|runners|search|snippets|todos|topics|user|user_counts|users}`,
      `${READ} /{part:licenses|namespaces|personal_access_tokens|runners|snippets|topics|user|users}/{rest...}`,
      `${READ} ${G}`,
      `${READ} ${G}/{part:access_requests|access_tokens|avatar|badges|billable_members|boards|descendant_groups|epics|hooks|invitations|issues|issues_statistics|iterations|labels|members|merge_requests|milestones|packages|projects|runners|search|shared_projects|subgroups|wikis}`,
      `${READ} ${G}/{part:access_tokens|badges|boards|epics|hooks|invitations|labels|members|milestones|registry|wikis}/{rest...}`,
    ],
    effects: ["read-private"],
    summary: "Read what this account sees: {path.part} {path.id} {path.rest}",
  },
  {
    verb: "public.read",
    request: [
      `${READ} /{part:metadata|version}`,
      `${READ} /templates/{rest...}`,
      `${READ} /avatar`,
    ],
    effects: ["read"],
    summary: "Read what everyone may: {path.part} {path.rest}",
  },
  {
    // What it includes is fetched, from anywhere.
    verb: "ci.lint",
    request: `GET|POST ${P}/ci/lint`,
    effects: ["read-private", "send"],
    summary: "Have a CI configuration checked in {path.id}, and what it names fetched",
  },
];

const TALK: Routes = [
  {
    verb: "issue.create-command",
    request: `POST ${P}/issues`,
    effects: [...COMMAND],
    summary: "Open an issue in {path.id} whose text may hold commands: {param.title}",
    show: "message",
    recipients: ["param.assignee_ids.*", "param.assignee_ids", "param.assignee_id"],
    cases: [
      {
        when: { "param.description": NO_COMMAND },
        verb: "issue.create",
        effects: ["publish"],
        summary: "Open an issue in {path.id}: {param.title}",
      },
      {
        when: { "param.description": { absent: true } },
        verb: "issue.create",
        effects: ["publish"],
        summary: "Open an issue in {path.id}: {param.title}",
      },
    ],
  },
  {
    verb: "issue.update-command",
    request: `PUT ${P}/issues/{issue_iid:\\d+}`,
    effects: [...COMMAND],
    summary: "Change issue {path.issue_iid} of {path.id} by a text that may hold commands",
    show: "message",
    cases: [
      {
        when: { "param.description": NO_COMMAND },
        verb: "issue.update",
        effects: ["publish"],
        summary: "Change issue {path.issue_iid} of {path.id}: {param.title}",
      },
      {
        when: { "param.description": { absent: true } },
        verb: "issue.update",
        effects: ["publish"],
        summary: "Change issue {path.issue_iid} of {path.id}: {body.@}",
      },
    ],
  },
  {
    verb: "issue.arrange",
    request: [
      `POST ${P}/issues/{issue_iid:\\d+}/links`,
      `DELETE ${P}/issues/{issue_iid:\\d+}/links/{link}`,
      `POST ${P}/{part:issues|merge_requests}/{issue_iid:\\d+}/{act:time_estimate|reset_time_estimate|add_spent_time|reset_spent_time}`,
      `POST ${P}/{part:issues|merge_requests|snippets}/{issue_iid:\\d+}/award_emoji`,
      `DELETE ${P}/{part:issues|merge_requests|snippets}/{issue_iid:\\d+}/award_emoji/{award}`,
      `POST ${OWN}/{part:labels|milestones}`,
      `PUT ${OWN}/{part:labels|milestones}/{label}`,
      "POST /projects/{id}/{act:star|unstar}",
    ],
    effects: ["publish"],
    summary: "Change links, labels, times or stars of {path.id} {path.issue_iid} {param.name}",
  },
  {
    // Others see it there, and it is gone here.
    verb: "issue.move",
    request: `POST ${P}/issues/{issue_iid:\\d+}/{act:move|clone}`,
    effects: ["publish", "delete"],
    summary: "Move issue {path.issue_iid} of {path.id} to project {param.to_project_id}",
  },
  {
    verb: "issue.delete",
    request: [
      `DELETE ${P}/{part:issues|merge_requests}/{issue_iid:\\d+}`,
      `DELETE ${OWN}/{part:labels|milestones}/{label}`,
    ],
    effects: ["delete"],
    summary: "Delete of {path.id}: {path.part} {path.issue_iid} {path.label}",
  },
  {
    verb: "todo.mark",
    request: [
      "POST /todos/mark_as_done",
      "POST /todos/{id}/mark_as_done",
      `POST ${P}/{part:issues|merge_requests}/{issue_iid:\\d+}/{act:todo|subscribe|unsubscribe}`,
    ],
    effects: ["write"],
    summary: "Mark what is to do, or choose what is notified of",
  },
  {
    verb: "comment.command",
    request: [
      `POST ${P}/{part:issues|merge_requests|snippets}/{iid}/{what:notes|discussions}`,
      `PUT ${P}/{part:issues|merge_requests|snippets}/{iid}/notes/{note_id}`,
      `POST ${P}/{part:issues|merge_requests|snippets}/{iid}/discussions/{discussion_id}/notes`,
      `PUT ${P}/{part:issues|merge_requests|snippets}/{iid}/discussions/{discussion_id}/notes/{note_id}`,
      `POST ${P}/repository/commits/{sha}/{what:comments|discussions}`,
      `POST ${P}/merge_requests/{iid}/draft_notes/{note_id}/publish`,
      `PUT ${P}/merge_requests/{iid}/draft_notes/{note_id}/publish`,
      `POST ${P}/merge_requests/{iid}/draft_notes/bulk_publish`,
      `POST ${G}/epics/{iid}/{what:notes|discussions}`,
    ],
    effects: [...COMMAND],
    summary: "Comment on {path.iid} of {path.id} by a text that may hold commands: {param.body}",
    show: "message",
    cases: [
      {
        when: { "param.body": NO_COMMAND, "param.note": { absent: true } },
        verb: "comment.create",
        effects: ["publish"],
        summary: "Comment on {path.iid} of {path.id}: {param.body}",
      },
      {
        when: { "param.note": NO_COMMAND, "param.body": { absent: true } },
        verb: "comment.create",
        effects: ["publish"],
        summary: "Comment in {path.id}: {param.note}",
      },
    ],
  },
  {
    verb: "comment.delete",
    request: [
      `DELETE ${P}/{part:issues|merge_requests|snippets}/{iid}/notes/{note_id}`,
      `DELETE ${P}/{part:issues|merge_requests|snippets}/{iid}/discussions/{discussion_id}/notes/{note_id}`,
    ],
    effects: ["delete"],
    summary: "Delete a comment on {path.iid} of {path.id}",
  },
  {
    verb: "page.publish",
    request: [
      `POST ${OWN}/wikis`,
      `PUT ${OWN}/wikis/{slug}`,
      `POST ${OWN}/{part:uploads}`,
      `POST ${P}/wikis/attachments`,
      "POST /snippets",
      "PUT /snippets/{snippet}",
      `POST ${P}/snippets`,
      `PUT ${P}/snippets/{snippet}`,
    ],
    effects: ["publish"],
    summary: "Publish a page, a snippet or a file: {param.title}",
    body: ["json", "form", "multipart"],
    show: "post",
  },
  {
    verb: "page.delete",
    request: [
      `DELETE ${OWN}/wikis/{slug}`,
      `DELETE ${P}/snippets/{snippet}`,
      "DELETE /snippets/{snippet}",
    ],
    effects: ["delete"],
    summary: "Delete a page or snippet: {path.slug} {path.snippet}",
  },
];

const CODE: Routes = [
  {
    verb: "content.push",
    request: `POST|PUT ${P}/repository/files/{file_path}`,
    effects: ["publish", "execute"],
    summary: "Write {path.file_path} of {path.id} on {param.branch}: {param.commit_message}",
    lookup: PROJECT,
    cases: [
      {
        when: {
          "param.@": { only: [...COMMIT, "content", "encoding", "last_commit_id"] },
          "param.branch": OWN_BRANCH,
          "path.file_path": PLAIN_FILE,
        },
        verb: "content.push-branch",
        effects: ["write"],
      },
    ],
  },
  {
    verb: "content.push",
    request: `POST ${P}/repository/commits`,
    effects: ["publish", "execute", "delete"],
    summary: "Commit to {param.branch} of {path.id}: {param.commit_message}",
    lookup: PROJECT,
    body: ["json", "form", "multipart"],
    cases: [
      {
        when: {
          "param.@": { only: [...COMMIT, "actions"] },
          "param.branch": OWN_BRANCH,
          "param.actions.*.@": {
            only: ["action", "file_path", "content", "encoding", "last_commit_id"],
          },
          "param.actions.*.action": { only: ["create", "update"] },
          "param.actions.*.file_path": PLAIN_FILE,
        },
        verb: "content.push-branch",
        effects: ["write"],
      },
    ],
  },
  {
    verb: "content.delete",
    request: `DELETE ${P}/repository/files/{file_path}`,
    effects: ["delete", "execute"],
    summary: "Delete {path.file_path} of {path.id} on {param.branch}",
  },
  {
    verb: "commit.apply",
    request: [
      `POST ${P}/repository/commits/{sha}/{act:cherry_pick|revert}`,
      `PUT ${P}/repository/submodules/{submodule}`,
      `POST ${P}/repository/changelog`,
    ],
    effects: ["publish", "execute"],
    summary: "Commit to {param.branch} of {path.id}: {path.act} {path.sha} {path.submodule}",
  },
  {
    // Of a fork's merge request it would run the fork's CI with the project's secrets.
    verb: "branch.create",
    request: `POST ${P}/repository/branches`,
    effects: ["publish", "execute"],
    summary: "Make the branch {param.branch} of {path.id} at {param.ref}",
    lookup: { ...PROJECT, head: "/projects/{path.id}/repository/branches/{param.ref}" },
    cases: [
      {
        when: {
          "param.@": { only: ["branch", "ref"] },
          "param.branch": OWN_BRANCH,
          "param.ref": { only_like: "^(?!(?i:refs)/)[\\w./-]+$" },
          "head.name": { present: true },
        },
        verb: "branch.create-own",
        effects: ["write"],
        summary: "Make the branch {param.branch} of {path.id} at the branch {head.name}",
      },
    ],
  },
  {
    verb: "tag.create",
    request: `POST ${P}/repository/tags`,
    effects: ["publish", "execute"],
    summary: "Make the tag {param.tag_name} of {path.id} at {param.ref}",
  },
  {
    verb: "ref.delete",
    request: [
      `DELETE ${P}/repository/{part:branches|tags}/{branch}`,
      `DELETE ${P}/repository/merged_branches`,
    ],
    effects: ["delete"],
    summary: "Delete of {path.id}: {path.part} {path.branch}",
  },
  {
    verb: "merge.create-command",
    request: `POST ${P}/merge_requests`,
    effects: [...COMMAND],
    summary: "Ask {path.id} to merge {param.source_branch}, by a text that may hold commands",
    show: "message",
    cases: [
      {
        when: { "param.description": NO_COMMAND },
        verb: "merge.create",
        effects: ["publish"],
        summary: "Ask {path.id} to merge {param.source_branch}: {param.title}",
      },
      {
        when: { "param.description": { absent: true } },
        verb: "merge.create",
        effects: ["publish"],
        summary: "Ask {path.id} to merge {param.source_branch}: {param.title}",
      },
    ],
  },
  {
    verb: "merge.update-command",
    request: `PUT ${P}/merge_requests/{merge_request_iid:\\d+}`,
    effects: [...COMMAND],
    summary: "Change merge request {path.merge_request_iid} of {path.id} by a text with commands",
    show: "message",
    cases: [
      {
        when: { "param.description": NO_COMMAND },
        verb: "merge.update",
        effects: ["publish"],
        summary: "Change merge request {path.merge_request_iid} of {path.id}: {param.title}",
      },
      {
        when: { "param.description": { absent: true } },
        verb: "merge.update",
        effects: ["publish"],
        summary: "Change merge request {path.merge_request_iid} of {path.id}: {body.@}",
      },
    ],
  },
  {
    verb: "merge.accept",
    request: [
      `PUT ${P}/merge_requests/{merge_request_iid}/{act:merge|rebase}`,
      `POST ${P}/merge_requests/{merge_request_iid}/{act:pipelines}`,
      `PUT ${P}/suggestions/{suggestion}/apply`,
      "PUT /suggestions/{suggestion}/apply",
      "PUT /suggestions/batch_apply",
    ],
    effects: ["publish", "execute"],
    summary: "Merge request {path.merge_request_iid} of {path.id} ({path.act}): {current.title}",
    lookup: { current: "/projects/{path.id}/merge_requests/{path.merge_request_iid}" },
  },
  {
    verb: "merge.approve",
    request: [
      `POST ${P}/merge_requests/{merge_request_iid}/{act:approve|unapprove|approvals}`,
      `PUT ${P}/merge_requests/{merge_request_iid}/reset_approvals`,
      `POST ${P}/merge_requests/{merge_request_iid}/approval_rules`,
      `PUT|DELETE ${P}/merge_requests/{merge_request_iid}/approval_rules/{rule}`,
      `POST ${P}/statuses/{sha}`,
      `POST ${P}/merge_requests/{merge_request_iid}/status_check_responses`,
    ],
    effects: ["publish", "administer"],
    summary: "Approve of {path.merge_request_iid} {path.sha} in {path.id}: {param.state}",
  },
  {
    verb: "merge.cancel",
    request: `POST ${P}/merge_requests/{merge_request_iid}/cancel_merge_when_pipeline_succeeds`,
    effects: ["publish"],
    summary: "Let merge request {path.merge_request_iid} of {path.id} not merge on its own",
  },
  {
    verb: "release.publish",
    request: [
      `POST ${P}/releases`,
      `PUT ${P}/releases/{tag_name}`,
      `POST ${P}/releases/{tag_name}/assets/links`,
      `PUT ${P}/releases/{tag_name}/assets/links/{link}`,
    ],
    effects: ["publish", "execute"],
    summary: "Publish the release {param.tag_name} {path.tag_name} of {path.id}: {param.name}",
    show: "post",
  },
  {
    verb: "release.delete",
    request: [
      `DELETE ${P}/releases/{tag_name}`,
      `DELETE ${P}/releases/{tag_name}/assets/links/{link}`,
    ],
    effects: ["delete"],
    summary: "Delete of the release {path.tag_name} of {path.id}",
  },
  {
    verb: "pipeline.run",
    request: [
      `POST ${P}/pipeline`,
      `POST ${P}/trigger/pipeline`,
      `POST ${P}/ref/{ref}/trigger/pipeline`,
      `POST ${P}/pipelines/{pipeline_id}/retry`,
      `POST ${P}/jobs/{job_id}/{act:play|retry}`,
      `POST ${P}/pipeline_schedules/{schedule}/play`,
      `POST ${P}/deployments`,
      `PUT ${P}/deployments/{deployment}`,
      `POST ${P}/environments/{environment}/stop`,
      `POST ${P}/environments/stop_stale`,
      `POST ${P}/mirror/pull`,
    ],
    effects: ["publish", "execute"],
    summary: "Run what CI of {path.id} does on {param.ref} {path.ref}: {path.act} {path.job_id}",
  },
  {
    verb: "pipeline.stop",
    request: [
      `POST ${P}/pipelines/{pipeline_id}/cancel`,
      `POST ${P}/jobs/{job_id}/{act:cancel|erase}`,
      `DELETE ${P}/pipelines/{pipeline_id}`,
      `DELETE ${P}/jobs/{job_id}/artifacts`,
      `DELETE ${P}/artifacts`,
      `DELETE ${P}/deployments/{deployment}`,
    ],
    effects: ["delete"],
    summary: "Stop or delete of CI of {path.id}: {path.pipeline_id} {path.job_id} {path.act}",
  },
  {
    verb: "package.delete",
    request: [
      `DELETE ${P}/packages/{package}`,
      `DELETE ${P}/packages/{package}/package_files/{file}`,
      `DELETE ${P}/registry/repositories/{repository}`,
      `DELETE ${P}/registry/repositories/{repository}/tags`,
      `DELETE ${P}/registry/repositories/{repository}/tags/{tag}`,
    ],
    effects: ["delete"],
    summary: "Delete a package or image of {path.id}",
  },
  {
    verb: "package.publish",
    request: `PUT ${P}/packages/generic/{name}/{version}/{rest...}`,
    effects: ["publish"],
    summary: "Publish {path.name} {path.version} in {path.id}",
    body: ["raw", "json", "form"],
  },
];

const ADMINISTRATION: Routes = [
  {
    verb: "secret.write",
    request: [
      `POST ${OWN}/variables`,
      `PUT|DELETE ${OWN}/variables/{key}`,
      `POST ${P}/secure_files`,
      `DELETE ${P}/secure_files/{file}`,
    ],
    effects: ["administer"],
    summary: "Change the secret {param.key} {path.key} of {path.id}",
    body: ["none", "json", "form", "multipart"],
  },
  {
    // The answer is a token.
    verb: "token.write",
    request: [
      `POST ${OWN}/{part:access_tokens|deploy_tokens}`,
      `DELETE ${OWN}/{part:access_tokens|deploy_tokens}/{token}`,
      `POST ${OWN}/access_tokens/{token}/rotate`,
      `POST ${P}/triggers`,
      `PUT|DELETE ${P}/triggers/{trigger_id}`,
      "POST /personal_access_tokens/{token}/rotate",
      "DELETE /personal_access_tokens/{token}",
      "POST /user/{part:personal_access_tokens|runners}",
      `POST ${OWN}/runners/reset_registration_token`,
      "POST /runners",
    ],
    effects: ["administer"],
    summary: "Make or take away a token: {path.part} {path.id} {param.name}",
  },
  {
    verb: "hook.write",
    request: [
      `POST ${OWN}/hooks`,
      `PUT|DELETE ${OWN}/hooks/{hook}`,
      `POST ${OWN}/hooks/{hook}/{rest...}`,
      `PUT|DELETE ${OWN}/{part:integrations|services}/{slug}`,
      `POST ${P}/remote_mirrors`,
      `PUT|DELETE ${P}/remote_mirrors/{mirror}`,
      `POST ${P}/remote_mirrors/{mirror}/sync`,
      `POST ${P}/export`,
    ],
    effects: ["administer", "send"],
    summary: "Send events or code of {path.id} to {param.url}",
    recipients: ["param.url", "param.webhook", "param.upload.url"],
  },
  {
    verb: "member.write",
    request: [
      `POST ${OWN}/{part:members|invitations|share}`,
      `PUT|DELETE ${OWN}/{part:members|invitations|share}/{user}`,
      `PUT ${OWN}/access_requests/{user}/approve`,
      `DELETE ${OWN}/access_requests/{user}`,
    ],
    effects: ["administer", "send"],
    summary: "Change who may do what in {path.id}: {param.user_id} {param.email} {path.user}",
    recipients: ["param.user_id", "param.email", "param.group_id", "path.user"],
  },
  {
    verb: "key.write",
    request: [
      `POST ${P}/deploy_keys`,
      `PUT|DELETE ${P}/deploy_keys/{key}`,
      `POST ${P}/deploy_keys/{key}/enable`,
      "POST /user/{part:keys|gpg_keys|emails}",
      "DELETE /user/{part:keys|gpg_keys|emails}/{key}",
    ],
    effects: ["administer"],
    summary: "Change who may enter: {path.id} {path.part} {param.title}",
  },
  {
    verb: "protection.write",
    request: [
      `POST ${P}/{part:protected_branches|protected_tags|protected_environments|approval_rules|approvals|push_rule|freeze_periods}`,
      `${ANY_WRITE} ${P}/{part:protected_branches|protected_tags|protected_environments|approval_rules|push_rule|freeze_periods}/{name}`,
      `PUT ${P}/push_rule`,
      `PUT ${P}/repository/branches/{branch}/{act:protect|unprotect}`,
      `PATCH ${P}/job_token_scope`,
      `${ANY_WRITE} ${P}/job_token_scope/{rest...}`,
    ],
    effects: ["administer"],
    summary: "Change what protects {path.id}: {path.part} {path.name} {param.name}",
  },
  {
    verb: "schedule.write",
    request: [
      `POST ${P}/pipeline_schedules`,
      `PUT|DELETE ${P}/pipeline_schedules/{schedule}`,
      `POST ${P}/pipeline_schedules/{schedule}/take_ownership`,
      `${ANY_WRITE} ${P}/pipeline_schedules/{schedule}/variables`,
      `${ANY_WRITE} ${P}/pipeline_schedules/{schedule}/variables/{key}`,
    ],
    effects: ["execute", "administer"],
    summary: "Change what CI of {path.id} runs at set times: {param.cron}",
  },
  {
    verb: "project.create",
    request: "POST /projects",
    effects: ["publish", "send"],
    summary: "Make the project {param.name} {param.path}, which others may see",
    cases: [
      {
        when: {
          "param.@": {
            only: [
              "name",
              "path",
              "description",
              "namespace_id",
              "visibility",
              "initialize_with_readme",
            ],
          },
          "param.visibility": { only: ["private"] },
        },
        verb: "project.create-private",
        effects: ["write"],
        summary: "Make the private project {param.name} {param.path}",
      },
    ],
  },
  {
    verb: "project.fork",
    request: `POST ${P}/fork`,
    effects: ["publish"],
    summary: "Fork {path.id}",
  },
  {
    verb: "project.administer",
    request: [
      `PUT ${P}`,
      `PUT ${P}/transfer`,
      `POST ${P}/{act:archive|unarchive|housekeeping|restore}`,
      `POST|DELETE ${P}/fork/{other}`,
      `DELETE ${P}/fork`,
      `PATCH|DELETE ${P}/pages`,
      `${ANY_WRITE} ${P}/environments`,
      `PUT|DELETE ${P}/environments/{environment}`,
      `POST ${P}/feature_flags`,
      `PUT|DELETE ${P}/feature_flags/{flag}`,
      `POST|DELETE ${P}/runners`,
      `DELETE ${P}/runners/{runner}`,
      `POST ${P}/deployments/{deployment}/approval`,
      `POST|DELETE ${P}/terraform/state/{rest...}`,
    ],
    effects: ["publish", "execute", "administer"],
    summary: "Change how {path.id} is run: {body.@} {path.act}",
    body: ["none", "json", "form", "multipart", "raw"],
    lookup: PROJECT,
  },
  {
    verb: "project.delete",
    request: [`DELETE ${P}`, `DELETE ${G}`],
    effects: ["delete"],
    summary: "Delete {path.id}, with everything in it",
  },
  {
    verb: "group.administer",
    request: ["POST /groups", `PUT ${G}`, `POST ${G}/{act:transfer|restore|ldap_sync}`],
    effects: ["publish", "administer"],
    summary: "Change the group {path.id} {param.name}",
    body: ["none", "json", "form", "multipart"],
  },
];

export const gitlab: EntrySource = {
  system: "gitlab",
  title: "GitLab",
  docs: [
    "https://docs.gitlab.com/api/rest/",
    "https://docs.gitlab.com/api/graphql/",
    "https://github.com/gitlabhq/gitlabhq",
  ],
  hosts: ["gitlab.com"],
  base: ["/api/v4"],
  credential: [
    { in: "header", name: "private-token" },
    { in: "header", name: "authorization", scheme: "Bearer" },
  ],
  unknown: ["publish", "send", "execute", "delete", "administer", "spend"],
  // The path wins there; a parameter of its name that says otherwise is nobody's honest request.
  dialect: ["open-path"],
  escaped_slash: ["id", "file_path", "branch", "tag_name", "ref", "sha", "slug", "name", "rest"],
  refuse: [
    "param._method",
    "param.sudo",
    "header.sudo",
    "param.private_token",
    "param.access_token",
    "param.job_token",
  ],
  routes: [
    ...READING,
    ...TALK,
    ...CODE,
    ...ADMINISTRATION,
    {
      verb: "graphql.query",
      request: "GET|POST /api/graphql",
      root: true,
      effects: ["read-private"],
      summary: "Ask by GraphQL",
      body: ["none", "json", "form", "raw"],
      reader: "graphql",
      fields: GITLAB_FIELDS,
    },
  ],
};
