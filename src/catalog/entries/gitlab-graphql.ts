/**
 * What mutations of GitLab's GraphQL do, by the verbs of its REST API where those are the same. Their texts
 * are not read, so that each that takes one may hold commands. What is not listed is unknown.
 *
 * @module
 */
import type { EntrySource } from "../entry.ts";

type Fields = NonNullable<EntrySource["routes"][number]["fields"]>;

const names = (text: string) => text.split(" ");

export const GITLAB_FIELDS: Fields = [
  {
    // The one field of queries that does more than read.
    names: names("ciConfig ciLint"),
    verb: "ci.lint",
    effects: ["read-private", "send"],
    summary: "Have a CI configuration checked, and what it names fetched",
  },
  {
    names: names(
      "ciVariables inheritedCiVariables manualVariables pipelineTriggers runnersRegistrationToken",
    ),
    verb: "secret.read",
    effects: ["read-private", "administer"],
    summary: "Read secrets",
    anywhere: true,
  },
  {
    names: names("createIssue workItemCreate workItemCreateFromTask"),
    verb: "issue.create-command",
    effects: ["publish", "send", "execute", "administer"],
    summary: "Open an issue whose text may hold commands",
  },
  {
    names: names("updateIssue workItemUpdate workItemBulkUpdate"),
    verb: "issue.update-command",
    effects: ["publish", "send", "execute", "administer"],
    summary: "Change an issue by a text that may hold commands",
  },
  {
    names: names(
      "issueSetAssignees issueSetDueDate issueSetSeverity issueSetEscalationStatus createLabel labelCreate labelUpdate awardEmojiAdd awardEmojiRemove awardEmojiToggle starProject timelogCreate",
    ),
    verb: "issue.arrange",
    effects: ["publish"],
    summary: "Change labels, assignees or reactions",
  },
  {
    names: ["issueMove"],
    verb: "issue.move",
    effects: ["publish", "delete"],
    summary: "Move an issue to another project",
  },
  {
    names: names("workItemDelete timelogDelete"),
    verb: "issue.delete",
    effects: ["delete"],
    summary: "Delete an issue or its times",
  },
  {
    names: names(
      "todoCreate todoMarkDone todoRestore todosMarkAllDone todoResolveMany todoSnooze todoUnSnooze issueSetSubscription mergeRequestSetSubscription workItemSubscribe",
    ),
    verb: "todo.mark",
    effects: ["write"],
    summary: "Mark what is to do, or choose what is notified of",
  },
  {
    names: names("createNote createDiffNote createImageDiffNote createDiscussion updateNote"),
    verb: "comment.command",
    effects: ["publish", "send", "execute", "administer"],
    summary: "Comment by a text that may hold commands",
  },
  {
    names: ["destroyNote"],
    verb: "comment.delete",
    effects: ["delete"],
    summary: "Delete a comment",
  },
  {
    names: names("createSnippet updateSnippet"),
    verb: "page.publish",
    effects: ["publish"],
    summary: "Publish a snippet",
  },
  {
    names: ["destroySnippet"],
    verb: "page.delete",
    effects: ["delete"],
    summary: "Delete a snippet",
  },
  {
    names: ["commitCreate"],
    verb: "content.push",
    effects: ["publish", "execute", "delete"],
    summary: "Commit files",
  },
  {
    names: ["createBranch"],
    verb: "branch.create",
    effects: ["publish", "execute"],
    summary: "Make a branch",
  },
  {
    names: ["tagCreate"],
    verb: "tag.create",
    effects: ["publish", "execute"],
    summary: "Make a tag",
  },
  {
    names: names("branchDelete tagDelete"),
    verb: "ref.delete",
    effects: ["delete"],
    summary: "Delete a branch or a tag",
  },
  {
    names: ["mergeRequestCreate"],
    verb: "merge.create-command",
    effects: ["publish", "send", "execute", "administer"],
    summary: "Open a merge request whose text may hold commands",
  },
  {
    names: names(
      "mergeRequestUpdate mergeRequestSetAssignees mergeRequestSetDraft mergeRequestSetLabels mergeRequestSetMilestone mergeRequestSetReviewers mergeRequestReviewerRereview",
    ),
    verb: "merge.update-command",
    effects: ["publish", "send", "execute", "administer"],
    summary: "Change a merge request, perhaps by a text that holds commands",
  },
  {
    names: ["mergeRequestAccept"],
    verb: "merge.accept",
    effects: ["publish", "execute"],
    summary: "Merge a merge request",
  },
  {
    names: names("releaseCreate releaseUpdate releaseAssetLinkCreate releaseAssetLinkUpdate"),
    verb: "release.publish",
    effects: ["publish", "execute"],
    summary: "Publish a release",
  },
  {
    names: names("releaseDelete releaseAssetLinkDelete"),
    verb: "release.delete",
    effects: ["delete"],
    summary: "Delete of a release",
  },
  {
    names: names(
      "pipelineCreate pipelineRetry jobPlay jobRetry pipelineSchedulePlay environmentStop",
    ),
    verb: "pipeline.run",
    effects: ["publish", "execute"],
    summary: "Run CI",
  },
  {
    names: names("pipelineCancel pipelineDestroy jobCancel jobUnschedule jobArtifactsDestroy"),
    verb: "pipeline.stop",
    effects: ["delete"],
    summary: "Stop or delete of CI",
  },
  {
    names: names(
      "pipelineScheduleCreate pipelineScheduleUpdate pipelineScheduleDelete pipelineScheduleTakeOwnership",
    ),
    verb: "schedule.write",
    effects: ["execute", "administer"],
    summary: "Change what CI runs at set times",
  },
  {
    names: names("pipelineTriggerCreate pipelineTriggerUpdate pipelineTriggerDelete"),
    verb: "token.write",
    effects: ["administer"],
    summary: "Make or take away a token",
  },
];
