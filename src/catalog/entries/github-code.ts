/**
 * GitHub: code, pull requests and what runs. A branch of one's own takes plain files as a write; the default
 * branch, what is named like something deployed, and files that CI or tools take orders from do not.
 *
 * @module
 */
import type { EntrySource } from "../entry.ts";
import { OWN_BRANCH, PLAIN_FILE } from "./code-patterns.ts";

export type Routes = EntrySource["routes"];

export const REPO = "/repos/{owner:[\\w.-]+}/{repo:[\\w.-]+}";
export const REPOSITORY = { current: "/repos/{path.owner}/{path.repo}" };
export const IN_REPO = "{path.owner}/{path.repo}";

/** A server may take a parameter of the query, or not: nothing is milder for one. */
export const NO_QUERY = { "query.@": { absent: true } } as const;

export const CODE: Routes = [
  {
    verb: "content.push",
    request: `PUT ${REPO}/contents/{file...}`,
    effects: ["publish", "execute"],
    summary: `Write {path.file} of ${IN_REPO} on {body.branch}: {body.message}`,
    lookup: REPOSITORY,
    cases: [
      {
        when: {
          ...NO_QUERY,
          "body.@": { only: ["message", "content", "sha", "branch", "committer", "author"] },
          "body.branch": OWN_BRANCH,
          "path.file": PLAIN_FILE,
        },
        verb: "content.push-branch",
        effects: ["write"],
      },
    ],
  },
  {
    verb: "content.delete",
    request: `DELETE ${REPO}/contents/{file...}`,
    effects: ["delete", "execute"],
    summary: `Delete {path.file} of ${IN_REPO} on {body.branch}`,
  },
  {
    // Nothing points to them yet.
    verb: "object.write",
    request: `POST ${REPO}/git/{part:blobs|trees|commits|tags}`,
    effects: ["write"],
    summary: `Store {path.part} in ${IN_REPO}`,
  },
  {
    // What its commit holds may run at once, unless it already was a branch's head.
    verb: "ref.create",
    request: `POST ${REPO}/git/refs`,
    effects: ["publish", "execute"],
    summary: `Make {body.ref} of ${IN_REPO} at {body.sha}`,
    lookup: {
      ...REPOSITORY,
      head: "/repos/{path.owner}/{path.repo}/commits/{body.sha}/branches-where-head",
    },
    cases: [
      {
        when: {
          ...NO_QUERY,
          "body.ref": { only_like: `^refs/heads/${OWN_BRANCH.only_like.slice(1)}` },
          "body.sha": { only_like: "^[0-9a-f]{40}$" },
          "head.*.name": { present: true },
        },
        verb: "ref.create-branch",
        effects: ["write"],
        summary: `Make {body.ref} of ${IN_REPO} at the head of {head.*.name}`,
      },
    ],
  },
  {
    verb: "ref.force",
    request: `PATCH ${REPO}/git/refs/{ref...}`,
    effects: ["publish", "execute", "delete"],
    summary: `Move {path.ref} of ${IN_REPO} to {body.sha}, and drop what it had`,
    cases: [
      {
        when: { "param.force": { absent: true } },
        verb: "ref.update",
        effects: ["publish", "execute"],
        summary: `Move {path.ref} of ${IN_REPO} to {body.sha}`,
      },
      {
        when: { ...NO_QUERY, "body.force": { only: [false] } },
        verb: "ref.update",
        effects: ["publish", "execute"],
        summary: `Move {path.ref} of ${IN_REPO} to {body.sha}`,
      },
    ],
  },
  {
    verb: "ref.delete",
    request: `DELETE ${REPO}/git/refs/{ref...}`,
    effects: ["delete"],
    summary: `Delete {path.ref} of ${IN_REPO}`,
  },
  {
    verb: "pull.create",
    request: `POST ${REPO}/pulls`,
    effects: ["publish"],
    summary: `Ask ${IN_REPO} to take {body.head} into {body.base}: {body.title}`,
    show: "message",
  },
  {
    verb: "pull.update",
    request: `PATCH ${REPO}/pulls/{pull}`,
    effects: ["publish"],
    summary: `Change pull request {path.pull} of ${IN_REPO}: {body.title} {body.state} {body.base}`,
    show: "message",
  },
  {
    verb: "pull.request-review",
    request: `POST|DELETE ${REPO}/pulls/{pull}/requested_reviewers`,
    effects: ["publish"],
    summary: `Ask for a review of {path.pull} of ${IN_REPO}`,
    recipients: ["body.reviewers.*", "body.team_reviewers.*"],
  },
  {
    verb: "review.approve",
    request: [
      `POST ${REPO}/pulls/{pull}/reviews`,
      `POST ${REPO}/pulls/{pull}/reviews/{review}/events`,
    ],
    effects: ["publish", "administer"],
    summary: `Approve pull request {path.pull} of ${IN_REPO}: {body.event} {body.body}`,
    show: "message",
    cases: [
      {
        when: { ...NO_QUERY, "body.event": { only: ["COMMENT", "REQUEST_CHANGES"] } },
        verb: "review.comment",
        effects: ["publish"],
        summary: `Review pull request {path.pull} of ${IN_REPO}: {body.event} {body.body}`,
      },
    ],
  },
  {
    verb: "review.update",
    request: `PUT ${REPO}/pulls/{pull}/reviews/{review}`,
    effects: ["publish"],
    summary: `Change a review of {path.pull} of ${IN_REPO}: {body.body}`,
    show: "message",
  },
  {
    verb: "review.delete",
    request: [
      `DELETE ${REPO}/pulls/{pull}/reviews/{review}`,
      `PUT ${REPO}/pulls/{pull}/reviews/{review}/dismissals`,
    ],
    effects: ["delete", "administer"],
    summary: `Drop a review of {path.pull} of ${IN_REPO}`,
  },
  {
    verb: "pull.merge",
    request: `PUT ${REPO}/pulls/{pull}/{act:merge|update-branch}`,
    effects: ["publish", "execute"],
    summary: `Merge pull request {path.pull} of ${IN_REPO} ({path.act}): {current.title}`,
    lookup: { current: "/repos/{path.owner}/{path.repo}/pulls/{path.pull}" },
  },
  {
    verb: "branch.merge",
    request: `POST ${REPO}/{act:merges|merge-upstream}`,
    effects: ["publish", "execute"],
    summary: `Merge branches of ${IN_REPO}: {body.@}`,
  },
  {
    verb: "release.publish",
    request: `POST ${REPO}/releases`,
    effects: ["publish", "execute"],
    summary: `Publish the release {body.tag_name} of ${IN_REPO}: {body.name}`,
    show: "post",
    cases: [
      {
        when: { ...NO_QUERY, "body.draft": { only: [true] } },
        verb: "release.draft",
        effects: ["write"],
        summary: `Draft the release {body.tag_name} of ${IN_REPO}`,
      },
    ],
  },
  {
    verb: "release.update",
    request: `PATCH ${REPO}/releases/{release}`,
    effects: ["publish", "execute"],
    summary: `Change the release {current.tag_name} of ${IN_REPO}: {body.name}`,
    show: "post",
    lookup: { current: "/repos/{path.owner}/{path.repo}/releases/{path.release}" },
    cases: [
      {
        when: { "current.draft": { only: [true] }, "param.draft": { absent: true } },
        verb: "release.draft",
        effects: ["write"],
        summary: `Change a draft of the release {current.tag_name} of ${IN_REPO}`,
      },
      {
        when: { ...NO_QUERY, "current.draft": { only: [true] }, "body.draft": { only: [true] } },
        verb: "release.draft",
        effects: ["write"],
        summary: `Change a draft of the release {current.tag_name} of ${IN_REPO}`,
      },
    ],
  },
  {
    verb: "release.upload",
    request: [`POST ${REPO}/releases/{release}/assets`, `PATCH ${REPO}/releases/assets/{asset}`],
    effects: ["publish"],
    summary: `Add {query.name} {body.name} to a release of ${IN_REPO}`,
    body: ["json", "raw"],
  },
  {
    verb: "release.delete",
    request: [`DELETE ${REPO}/releases/{release}`, `DELETE ${REPO}/releases/assets/{asset}`],
    effects: ["delete"],
    summary: `Delete of the releases of ${IN_REPO}: {path.release} {path.asset}`,
  },
  {
    // Green checks let merge what waits for them.
    verb: "status.set",
    request: [
      `POST ${REPO}/statuses/{sha}`,
      `POST ${REPO}/{part:check-runs|check-suites}`,
      `PATCH ${REPO}/check-runs/{run}`,
      `PATCH ${REPO}/check-suites/preferences`,
      `POST ${REPO}/attestations`,
    ],
    effects: ["publish", "administer"],
    summary: `Say how checks of ${IN_REPO} went: {body.state} {body.conclusion} {body.context}`,
  },
];

export const RUNS: Routes = [
  {
    verb: "workflow.run",
    request: [
      `POST ${REPO}/dispatches`,
      `POST ${REPO}/actions/workflows/{workflow}/dispatches`,
      `POST ${REPO}/actions/{part:runs|jobs}/{run}/{act:rerun|rerun-failed-jobs}`,
      `POST ${REPO}/{part:check-runs|check-suites}/{run}/rerequest`,
      `PUT ${REPO}/actions/workflows/{workflow}/enable`,
      `POST ${REPO}/code-scanning/codeql/variant-analyses`,
      `POST ${REPO}/code-scanning/alerts/{alert}/autofix`,
    ],
    effects: ["execute"],
    summary: `Run workflows of ${IN_REPO}: {path.workflow} {path.run} {body.event_type} {body.ref}`,
  },
  {
    verb: "workflow.approve",
    request: [
      `POST ${REPO}/actions/runs/{run}/{act:approve|pending_deployments|deployment_protection_rule}`,
    ],
    effects: ["execute", "administer"],
    summary: `Let a run of ${IN_REPO} go on that waits for somebody: {path.run} {body.state}`,
  },
  {
    verb: "workflow.stop",
    request: [
      `POST ${REPO}/actions/runs/{run}/{act:cancel|force-cancel}`,
      `PUT ${REPO}/actions/workflows/{workflow}/disable`,
      `POST ${REPO}/pages/deployments/{run}/cancel`,
    ],
    effects: ["delete"],
    summary: `Stop {path.run} {path.workflow} of ${IN_REPO}`,
    reversible: true,
  },
  {
    verb: "workflow.delete",
    request: [
      `DELETE ${REPO}/actions/{part:artifacts|caches|runs}/{id}`,
      `DELETE ${REPO}/actions/runs/{id}/logs`,
      `DELETE ${REPO}/actions/caches`,
    ],
    effects: ["delete"],
    summary: `Delete what runs of ${IN_REPO} left: {path.part} {path.id} {query.key}`,
  },
  {
    verb: "deployment.create",
    request: [
      `POST ${REPO}/deployments`,
      `POST ${REPO}/deployments/{deployment}/statuses`,
      `POST ${REPO}/pages/{part:builds|deployments}`,
    ],
    effects: ["publish", "execute"],
    summary: `Deploy {body.ref} of ${IN_REPO} to {body.environment}`,
  },
  {
    verb: "deployment.delete",
    request: `DELETE ${REPO}/deployments/{deployment}`,
    effects: ["delete"],
    summary: `Delete a deployment of ${IN_REPO}`,
  },
  {
    verb: "codespace.run",
    request: [
      `POST ${REPO}/codespaces`,
      `POST ${REPO}/pulls/{pull}/codespaces`,
      "POST /user/codespaces",
      "POST /user/codespaces/{name}/{act:exports|publish|start|stop}",
      "PATCH /user/codespaces/{name}",
    ],
    effects: ["publish", "execute", "spend"],
    summary: `Run a machine for ${IN_REPO} {path.name}`,
  },
  {
    verb: "codespace.delete",
    request: "DELETE /user/codespaces/{name}",
    effects: ["delete"],
    summary: "Delete the codespace {path.name}, with what is not pushed",
  },
];
