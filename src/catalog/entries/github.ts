/**
 * GitHub, by its REST API, its uploads and GraphQL; of a GitHub Enterprise Server below `/api/v3`. What stands
 * in a repository for others to see is published, and what may set workflows going with the repository's
 * secrets (the default branch, what CI and tools read, a commit that was no branch's head) is execution:
 * merging deploys. Approving a review, a status or a deployment opens a gate, and so administers. A body is
 * JSON whatever it says. Packages and git itself are other systems.
 *
 * @module
 */
import type { EntrySource } from "../entry.ts";
import { CODE, IN_REPO, NO_QUERY, REPO, REPOSITORY, RUNS, type Routes } from "./github-code.ts";
import { GITHUB_FIELDS } from "./github-graphql.ts";

const READ = "GET|HEAD";
const ANY_WRITE = "POST|PUT|PATCH|DELETE";

/** All but leaked secrets. */
const NOT_LEAKED = "(?!(?i:secret-scanning)(?:/|$)).+";

const READING: Routes = [
  {
    // Leaked secrets in plain text.
    verb: "secret.read-leaked",
    request: [
      `${READ} ${REPO}/secret-scanning/alerts`,
      `${READ} ${REPO}/secret-scanning/alerts/{rest...}`,
      `${READ} /repositories/{id}/secret-scanning/alerts`,
      `${READ} /repositories/{id}/secret-scanning/alerts/{rest...}`,
      `${READ} /{kind:orgs|organizations|enterprises}/{org}/secret-scanning/alerts`,
    ],
    effects: ["read-private", "administer"],
    summary: "Read secrets that leaked into repositories: {path.owner} {path.repo} {path.org}",
  },
  {
    verb: "repo.read",
    request: [
      `${READ} ${REPO}`,
      `${READ} ${REPO}/{part:actions|activity|assignees|attestations|autolinks|automated-security-fixes|branches|check-runs|check-suites|code-scanning|code-security-configuration|codeowners|codespaces|collaborators|comments|commits|community|compare|contents|contributors|dependabot|dependency-graph|deployments|environments|events|forks|git|hooks|immutable-releases|installation|interaction-limits|invitations|issues|keys|labels|languages|license|milestones|notifications|pages|private-vulnerability-reporting|properties|pulls|readme|releases|rules|rulesets|security-advisories|stargazers|stats|subscribers|subscription|tags|tarball|teams|topics|traffic|vulnerability-alerts|zipball}`,
      `${READ} ${REPO}/{part:actions|assignees|attestations|autolinks|branches|check-runs|check-suites|code-scanning|codeowners|codespaces|collaborators|comments|commits|community|compare|contents|dependabot|dependency-graph|deployments|environments|git|hooks|issues|keys|labels|milestones|pages|properties|pulls|readme|releases|rules|rulesets|security-advisories|stats|tarball|traffic|zipball}/{rest...}`,
      `${READ} ${REPO}/secret-scanning/scan-history`,
      // Links to further pages name a repository so.
      `${READ} /repositories/{id:\\d+}`,
      `${READ} /repositories/{id:\\d+}/{rest...:${NOT_LEAKED}}`,
      `${READ} /networks/{owner}/{repo}/events`,
    ],
    effects: ["read-private"],
    summary: `Read of ${IN_REPO}: {path.part} {path.rest}`,
  },
  {
    verb: "search",
    request: `${READ} /search/{what:code|commits|issues|labels|repositories|topics|users}`,
    effects: ["read-private"],
    summary: "Search {path.what} for {query.q}",
  },
  {
    verb: "account.read",
    request: [
      `${READ} /user`,
      `${READ} /user/{part:blocks|codespaces|docker|emails|followers|following|gpg_keys|installations|interaction-limits|issues|keys|marketplace_purchases|memberships|migrations|orgs|packages|public_emails|repos|repository_invitations|social_accounts|ssh_signing_keys|starred|subscriptions|teams}`,
      `${READ} /user/{part:blocks|codespaces|docker|following|gpg_keys|installations|keys|marketplace_purchases|memberships|migrations|packages|ssh_signing_keys|starred}/{rest...}`,
      `${READ} /{part:issues|notifications|feeds|installation|app|gists}`,
      `${READ} /notifications/threads/{rest...}`,
      `${READ} /installation/repositories`,
      `${READ} /app/{part:hook|installations|installation-requests}`,
      `${READ} /app/{part:hook|installations}/{rest...}`,
      `${READ} /gists/{rest...}`,
      `${READ} /users/{user}/{rest...}`,
      `${READ} /orgs/{org}`,
      `${READ} /orgs/{org}/{rest...:${NOT_LEAKED}}`,
      `${READ} /organizations/{org}/{rest...:${NOT_LEAKED}}`,
      `${READ} /user/{user:\\d+}/{rest...}`,
      `${READ} /enterprises/{org}/{rest...:${NOT_LEAKED}}`,
      `${READ} /teams/{team}`,
    ],
    effects: ["read-private"],
    summary: "Read what this account sees: {path.part} {path.org} {path.user} {path.rest}",
  },
  {
    verb: "public.read",
    request: [
      `${READ} /`,
      `${READ} /{part:advisories|codes_of_conduct|emojis|events|licenses|meta|octocat|organizations|rate_limit|repositories|users|versions|zen}`,
      `${READ} /{part:advisories|apps|codes_of_conduct|gitignore|licenses|users}/{name}`,
      `${READ} /gitignore/templates/{name}`,
    ],
    effects: ["read"],
    summary: "Read what everyone may: {path.part} {path.name}",
  },
  {
    verb: "markdown.render",
    request: ["POST /markdown", "POST /markdown/raw"],
    effects: ["read"],
    summary: "Have a text rendered",
    body: ["json", "raw"],
  },
  {
    verb: "release.draft-notes",
    request: `POST ${REPO}/releases/generate-notes`,
    effects: ["read-private"],
    summary: `Have notes written for a release of ${IN_REPO}`,
  },
];

const TALK: Routes = [
  {
    verb: "issue.create",
    request: `POST ${REPO}/issues`,
    effects: ["publish"],
    summary: `Open an issue in ${IN_REPO}: {body.title}`,
    recipients: ["body.assignees.*", "body.assignee"],
    show: "message",
  },
  {
    verb: "issue.update",
    request: [
      `PATCH ${REPO}/issues/{issue}`,
      `POST|PUT|DELETE ${REPO}/issues/{issue}/labels`,
      `DELETE ${REPO}/issues/{issue}/labels/{label}`,
      `POST|DELETE ${REPO}/issues/{issue}/assignees`,
      `POST|DELETE ${REPO}/issues/{issue}/{part:sub_issues|sub_issue}`,
      `PATCH ${REPO}/issues/{issue}/sub_issues/priority`,
      `POST ${REPO}/issues/{issue}/dependencies/blocked_by`,
      `DELETE ${REPO}/issues/{issue}/dependencies/blocked_by/{other}`,
    ],
    effects: ["publish"],
    summary: `Change issue {path.issue} of ${IN_REPO}: {body.title} {body.state} {body.labels.*}`,
    recipients: ["body.assignees.*", "body.assignee"],
    show: "message",
  },
  {
    verb: "comment.create",
    request: [
      `POST ${REPO}/issues/{issue}/comments`,
      `POST ${REPO}/commits/{issue}/comments`,
      `POST ${REPO}/pulls/{issue}/comments`,
      `POST ${REPO}/pulls/{issue}/comments/{comment}/replies`,
    ],
    effects: ["publish"],
    summary: `Comment on {path.issue} of ${IN_REPO}: {body.body}`,
    show: "message",
  },
  {
    verb: "comment.update",
    request: [
      `PATCH ${REPO}/{part:issues|pulls}/comments/{comment}`,
      `PATCH ${REPO}/comments/{comment}`,
    ],
    effects: ["publish"],
    summary: `Change a comment in ${IN_REPO}: {body.body}`,
    show: "message",
  },
  {
    verb: "comment.delete",
    request: [
      `DELETE ${REPO}/{part:issues|pulls}/comments/{comment}`,
      `DELETE ${REPO}/comments/{comment}`,
    ],
    effects: ["delete"],
    summary: `Delete a comment in ${IN_REPO}`,
  },
  {
    verb: "reaction.write",
    request: [
      `POST ${REPO}/{part:issues|comments|releases}/{id}/reactions`,
      `DELETE ${REPO}/{part:issues|comments|releases}/{id}/reactions/{reaction}`,
      `POST ${REPO}/{part:issues|pulls}/comments/{id}/reactions`,
      `DELETE ${REPO}/{part:issues|pulls}/comments/{id}/reactions/{reaction}`,
    ],
    effects: ["publish"],
    summary: `React in ${IN_REPO}: {body.content}`,
    reversible: true,
  },
  {
    verb: "label.write",
    request: [
      `POST ${REPO}/{part:labels|milestones}`,
      `PATCH ${REPO}/{part:labels|milestones}/{name}`,
      `PUT ${REPO}/topics`,
    ],
    effects: ["publish"],
    summary: `Change labels, milestones or topics of ${IN_REPO}: {body.name} {body.title}`,
  },
  {
    verb: "label.delete",
    request: `DELETE ${REPO}/{part:labels|milestones}/{name}`,
    effects: ["delete"],
    summary: `Delete {path.part} {path.name} of ${IN_REPO}`,
  },
  {
    verb: "gist.publish",
    // A secret one too is seen by whoever has its address.
    request: [
      "POST /gists",
      "PATCH /gists/{gist}",
      "POST /gists/{gist}/forks",
      "POST /gists/{gist}/comments",
      "PATCH /gists/{gist}/comments/{comment}",
    ],
    effects: ["publish"],
    summary: "Publish a gist {path.gist}: {body.description} {body.files.@} {body.body}",
    show: "post",
  },
  {
    verb: "gist.delete",
    request: ["DELETE /gists/{gist}", "DELETE /gists/{gist}/comments/{comment}"],
    effects: ["delete"],
    summary: "Delete of the gist {path.gist}",
  },
  {
    verb: "project.write",
    request: [
      "POST /{kind:orgs|users|user}/{org}/projectsV2/{project}/{part:drafts|fields|items}",
      "PATCH|DELETE /{kind:orgs|users}/{org}/projectsV2/{project}/items/{item}",
    ],
    effects: ["publish"],
    summary: "Change the project {path.project} of {path.org}",
  },
  {
    verb: "account.follow",
    request: ["PUT|DELETE /user/{part:starred}/{rest...}", "PUT|DELETE /user/following/{rest}"],
    effects: ["publish"],
    summary: "Star or follow {path.rest}",
    reversible: true,
  },
  {
    verb: "notification.mark",
    request: [
      "PUT /notifications",
      "PATCH|DELETE /notifications/threads/{id}",
      "PUT|DELETE /notifications/threads/{id}/subscription",
      `PUT ${REPO}/notifications`,
      `PUT|DELETE ${REPO}/subscription`,
      "PUT|DELETE /gists/{gist}/star",
    ],
    effects: ["write"],
    summary: "Mark notifications as read, or choose what is notified of",
  },
];

const ADMINISTRATION: Routes = [
  {
    verb: "secret.write",
    request: [
      `PUT|DELETE ${REPO}/{part:actions|codespaces|dependabot}/secrets/{name}`,
      `POST ${REPO}/actions/variables`,
      `PATCH|DELETE ${REPO}/actions/variables/{name}`,
      `PUT|DELETE ${REPO}/environments/{environment}/secrets/{name}`,
      `POST ${REPO}/environments/{environment}/variables`,
      `PATCH|DELETE ${REPO}/environments/{environment}/variables/{name}`,
      "PUT|DELETE /user/codespaces/secrets/{rest...}",
    ],
    effects: ["administer"],
    summary: `Change the secret or variable {path.name} {body.name} of ${IN_REPO}`,
  },
  {
    // The answer is a token.
    verb: "token.create",
    request: [
      "POST /app/installations/{id}/access_tokens",
      "POST|PATCH /applications/{client}/token",
      "POST /applications/{client}/token/scoped",
      "POST /app-manifests/{code}/conversions",
      `POST ${REPO}/actions/runners/{act:generate-jitconfig|registration-token|remove-token}`,
      "POST /{kind:orgs|enterprises}/{org}/actions/runners/{act:generate-jitconfig|registration-token|remove-token}",
    ],
    effects: ["administer"],
    summary: "Get a token: {path.act} {path.id} {path.owner} {path.repo} {path.org}",
  },
  {
    verb: "token.revoke",
    request: [
      "DELETE /installation/token",
      "DELETE /applications/{client}/{part:grant|token}",
      "POST /credentials/revoke",
    ],
    effects: ["administer", "delete"],
    summary: "Take away a token",
  },
  {
    verb: "hook.write",
    request: [
      `POST ${REPO}/hooks`,
      `PATCH|DELETE ${REPO}/hooks/{hook}`,
      `PATCH ${REPO}/hooks/{hook}/config`,
      `POST ${REPO}/hooks/{hook}/{act:pings|tests}`,
      `POST ${REPO}/hooks/{hook}/deliveries/{delivery}/attempts`,
      "POST /orgs/{org}/hooks",
      "PATCH|DELETE /orgs/{org}/hooks/{hook}",
      "PATCH /orgs/{org}/hooks/{hook}/config",
      "POST /orgs/{org}/hooks/{hook}/pings",
      "POST /orgs/{org}/hooks/{hook}/deliveries/{delivery}/attempts",
      "PATCH /app/hook/config",
      "POST /app/hook/deliveries/{delivery}/attempts",
    ],
    effects: ["administer", "send"],
    summary: `Send events of ${IN_REPO} {path.org} to {body.config.url} {body.url}`,
    recipients: ["body.config.url", "body.url"],
  },
  {
    verb: "collaborator.write",
    request: [
      `PUT|DELETE ${REPO}/collaborators/{user}`,
      `PATCH|DELETE ${REPO}/invitations/{invitation}`,
      "PATCH|DELETE /user/repository_invitations/{invitation}",
    ],
    effects: ["administer", "send"],
    summary: `Change what {path.user} may do in ${IN_REPO}: {body.permission}`,
    recipients: ["path.user"],
  },
  {
    verb: "key.write",
    request: [
      `POST ${REPO}/keys`,
      `DELETE ${REPO}/keys/{key}`,
      "POST /user/{part:keys|gpg_keys|ssh_signing_keys|emails}",
      "DELETE /user/{part:keys|gpg_keys|ssh_signing_keys}/{key}",
      "DELETE /user/emails",
      "PATCH /user/email/visibility",
    ],
    effects: ["administer"],
    summary: `Change who may enter or sign: {body.title} ${IN_REPO} {path.part}`,
  },
  {
    verb: "protection.write",
    request: [
      `${ANY_WRITE} ${REPO}/branches/{branch}/protection`,
      `${ANY_WRITE} ${REPO}/branches/{branch}/protection/{rest...}`,
      `POST ${REPO}/rulesets`,
      `PUT|DELETE ${REPO}/rulesets/{ruleset}`,
      `POST ${REPO}/branches/{branch}/rename`,
    ],
    effects: ["administer"],
    summary: `Change what protects {path.branch} {path.ruleset} of ${IN_REPO}`,
  },
  {
    verb: "security.write",
    request: [
      `PATCH ${REPO}/{part:code-scanning|dependabot|secret-scanning}/alerts/{alert}`,
      `POST ${REPO}/secret-scanning/push-protection-bypasses`,
      `PATCH ${REPO}/code-scanning/default-setup`,
      `POST ${REPO}/code-scanning/sarifs`,
      `DELETE ${REPO}/code-scanning/analyses/{id}`,
      `DELETE ${REPO}/code-scanning/codeql/databases/{id}`,
      `POST ${REPO}/dependency-graph/snapshots`,
      `PUT|DELETE ${REPO}/{part:vulnerability-alerts|automated-security-fixes|private-vulnerability-reporting|immutable-releases}`,
    ],
    effects: ["administer"],
    summary: `Change what watches over ${IN_REPO}: {path.part} {path.alert} {body.state}`,
  },
  {
    verb: "advisory.write",
    request: [
      `POST ${REPO}/security-advisories`,
      `POST ${REPO}/security-advisories/reports`,
      `PATCH ${REPO}/security-advisories/{advisory}`,
      `POST ${REPO}/security-advisories/{advisory}/{act:cve|forks}`,
    ],
    effects: ["publish", "send", "administer"],
    summary: `Tell of a weakness of ${IN_REPO}: {body.summary}`,
    show: "post",
  },
  {
    verb: "repo.create",
    request: ["POST /user/repos", "POST /orgs/{org}/repos"],
    effects: ["publish"],
    summary: "Make the repository {body.name}, which others may see",
    cases: [
      {
        when: {
          ...NO_QUERY,
          "body.private": { only: [true] },
          "body.@": { only: ["name", "description", "homepage", "private", "auto_init"] },
        },
        verb: "repo.create-private",
        effects: ["write"],
        summary: "Make the private repository {body.name}",
      },
    ],
  },
  {
    // Its workflows run in the new one.
    verb: "repo.generate",
    request: `POST ${REPO}/generate`,
    effects: ["publish", "execute"],
    summary: `Make the repository {body.name} from the template ${IN_REPO}`,
  },
  {
    // As public as what it is of.
    verb: "repo.fork",
    request: `POST ${REPO}/forks`,
    effects: ["publish"],
    summary: `Fork ${IN_REPO}`,
  },
  {
    verb: "repo.update",
    request: `PATCH ${REPO}`,
    effects: ["publish", "administer"],
    summary: `Change {body.@} of ${IN_REPO}`,
    lookup: REPOSITORY,
    cases: [
      {
        when: { ...NO_QUERY, "body.@": { only: ["description", "homepage"] } },
        verb: "repo.describe",
        effects: ["publish"],
        summary: `Describe ${IN_REPO}: {body.description} {body.homepage}`,
      },
    ],
  },
  {
    verb: "repo.transfer",
    request: `POST ${REPO}/transfer`,
    effects: ["publish", "administer"],
    summary: `Give ${IN_REPO} to {body.new_owner}`,
    recipients: ["body.new_owner"],
  },
  {
    verb: "repo.administer",
    request: [
      `PATCH ${REPO}/properties/values`,
      `POST ${REPO}/autolinks`,
      `DELETE ${REPO}/autolinks/{autolink}`,
      `PUT|DELETE ${REPO}/interaction-limits`,
      `PUT|DELETE ${REPO}/issues/{issue}/lock`,
      `POST|PUT|DELETE ${REPO}/pages`,
      `${ANY_WRITE} ${REPO}/environments/{rest...}`,
      `PUT ${REPO}/actions/{part:permissions|cache|oidc}`,
      `PUT ${REPO}/actions/{part:permissions|cache|oidc}/{rest...}`,
      `${ANY_WRITE} ${REPO}/actions/runners/{rest...}`,
    ],
    effects: ["publish", "administer"],
    summary: `Change how ${IN_REPO} is run: {body.@}`,
  },
  {
    verb: "repo.delete",
    request: `DELETE ${REPO}`,
    effects: ["delete"],
    summary: `Delete the repository ${IN_REPO}, with everything in it`,
  },
  {
    verb: "package.delete",
    request: [
      "DELETE /{kind:orgs|users}/{org}/packages/{rest...}",
      "DELETE /user/packages/{rest...}",
    ],
    effects: ["delete"],
    summary: "Delete the package {path.rest} of {path.org}",
  },
  {
    verb: "account.administer",
    request: [
      "PATCH /user",
      "POST|DELETE /user/social_accounts",
      "PUT|DELETE /user/interaction-limits",
      "PUT|DELETE /user/blocks/{rest}",
      "PUT|DELETE /user/installations/{rest...}",
      "POST /user/migrations",
      "DELETE /user/migrations/{rest...}",
      "POST /user/packages/{rest...}",
      "POST /users/{org}/packages/{rest...}",
      "PUT|DELETE /app/installations/{rest...}",
    ],
    effects: ["publish", "administer", "delete"],
    summary: "Change the account {path.rest}",
  },
  {
    verb: "org.administer",
    request: [
      "PATCH|DELETE /orgs/{org}",
      `${ANY_WRITE} /orgs/{org}/{rest...}`,
      `${ANY_WRITE} /organizations/{org}/{rest...}`,
      `${ANY_WRITE} /enterprises/{org}/{rest...}`,
      `${ANY_WRITE} /teams/{org}`,
      `${ANY_WRITE} /teams/{org}/{rest...}`,
    ],
    effects: ["publish", "send", "administer", "delete", "spend"],
    summary: "Administer {path.org}: {path.rest} {body.@}",
    recipients: ["body.email", "body.invitee_id"],
  },
];

export const github: EntrySource = {
  system: "github",
  title: "GitHub",
  docs: [
    "https://docs.github.com/en/rest",
    "https://docs.github.com/en/graphql",
    "https://github.com/github/rest-api-description",
  ],
  hosts: ["api.github.com", "uploads.github.com"],
  base: ["/api/v3", "/api/uploads", ""],
  credential: [
    { in: "header", name: "authorization", scheme: "Bearer" },
    { in: "header", name: "authorization", scheme: "token" },
  ],
  unknown: ["publish", "send", "execute", "delete", "administer", "spend"],
  dialect: ["form-is-json"],
  escaped_slash: ["branch", "file", "ref", "rest"],
  refuse: ["param._method"],
  // A token of an app's installation, for the repositories and rights that the grant names:
  // docs.github.com/en/rest/apps/apps, "Create an installation access token for an app".
  mint: {
    create: { request: "POST /app/installations/{mint.installation}/access_tokens", json: {} },
    takes: ["repositories", "permissions"],
    secret: "token",
    id: "expires_at",
    expires: "expires_at",
    how: { kind: "bearer" },
    revoke: { request: "DELETE /installation/token", by: "minted" },
  },
  routes: [
    ...READING,
    ...TALK,
    ...CODE,
    ...RUNS,
    ...ADMINISTRATION,
    {
      verb: "graphql.query",
      request: ["GET|POST /graphql", "GET|POST /api/graphql"],
      root: true,
      effects: ["read-private"],
      summary: "Ask by GraphQL",
      body: ["none", "json", "raw"],
      reader: "graphql",
      fields: GITHUB_FIELDS,
    },
  ],
};
