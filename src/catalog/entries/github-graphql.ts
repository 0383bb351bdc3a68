/**
 * What mutations of GitHub's GraphQL do, by the verbs of its REST API where those are the same. Where the
 * arguments decide (a review that approves, a force that drops commits) the strictest counts. What is not
 * listed is unknown; of enterprises and organizations nothing is.
 *
 * @module
 */
import type { EntrySource } from "../entry.ts";

type Fields = NonNullable<EntrySource["routes"][number]["fields"]>;

const names = (text: string) => text.split(" ");

export const GITHUB_FIELDS: Fields = [
  {
    names: ["createIssue"],
    verb: "issue.create",
    effects: ["publish"],
    summary: "Open an issue",
  },
  {
    names: names(
      "updateIssue closeIssue reopenIssue addLabelsToLabelable removeLabelsFromLabelable clearLabelsFromLabelable addAssigneesToAssignable removeAssigneesFromAssignable addSubIssue removeSubIssue reprioritizeSubIssue unmarkIssueAsDuplicate pinIssue unpinIssue",
    ),
    verb: "issue.update",
    effects: ["publish"],
    summary: "Change an issue",
  },
  { names: ["deleteIssue"], verb: "issue.delete", effects: ["delete"], summary: "Delete an issue" },
  {
    names: ["transferIssue"],
    verb: "issue.transfer",
    effects: ["publish", "delete"],
    summary: "Move an issue to another repository",
  },
  {
    names: names(
      "addComment addDiscussionComment addPullRequestReviewComment addPullRequestReviewThread addPullRequestReviewThreadReply createDiscussion",
    ),
    verb: "comment.create",
    effects: ["publish"],
    summary: "Comment",
  },
  {
    names: names(
      "updateIssueComment updateDiscussionComment updateDiscussion updatePullRequestReviewComment markDiscussionCommentAsAnswer unmarkDiscussionCommentAsAnswer closeDiscussion reopenDiscussion addDiscussionPollVote",
    ),
    verb: "comment.update",
    effects: ["publish"],
    summary: "Change a comment or a discussion",
  },
  {
    names: names(
      "deleteIssueComment deleteDiscussionComment deleteDiscussion deletePullRequestReviewComment",
    ),
    verb: "comment.delete",
    effects: ["delete"],
    summary: "Delete a comment or a discussion",
  },
  {
    names: names("addReaction removeReaction addUpvote removeUpvote"),
    verb: "reaction.write",
    effects: ["publish"],
    summary: "React",
  },
  {
    names: names("createLabel updateLabel updateTopics"),
    verb: "label.write",
    effects: ["publish"],
    summary: "Change labels or topics",
  },
  { names: ["deleteLabel"], verb: "label.delete", effects: ["delete"], summary: "Delete a label" },
  {
    names: names(
      "addStar removeStar followUser unfollowUser followOrganization unfollowOrganization",
    ),
    verb: "account.follow",
    effects: ["publish"],
    summary: "Star or follow",
  },
  {
    names: names("updateSubscription markFileAsViewed unmarkFileAsViewed"),
    verb: "notification.mark",
    effects: ["write"],
    summary: "Choose what is notified of",
  },
  {
    names: names(
      "addProjectV2DraftIssue addProjectV2ItemById archiveProjectV2Item unarchiveProjectV2Item clearProjectV2ItemFieldValue convertProjectV2DraftIssueItemToIssue createProjectV2 copyProjectV2 createProjectV2Field createProjectV2StatusUpdate updateProjectV2DraftIssue updateProjectV2Field updateProjectV2ItemFieldValue updateProjectV2ItemPosition updateProjectV2StatusUpdate",
    ),
    verb: "project.write",
    effects: ["publish"],
    summary: "Change a project",
  },
  {
    names: names(
      "deleteProjectV2 deleteProjectV2Field deleteProjectV2Item deleteProjectV2StatusUpdate deleteProjectV2Workflow",
    ),
    verb: "project.delete",
    effects: ["delete"],
    summary: "Delete of a project",
  },
  {
    names: names(
      "updateProjectV2 updateProjectV2Collaborators linkProjectV2ToTeam unlinkProjectV2FromTeam",
    ),
    verb: "project.administer",
    effects: ["publish", "administer"],
    summary: "Change who sees a project",
  },
  {
    names: ["createCommitOnBranch"],
    verb: "content.push",
    effects: ["publish", "execute"],
    summary: "Commit files on a branch",
  },
  {
    names: names("createRef createLinkedBranch"),
    verb: "ref.create",
    effects: ["publish", "execute"],
    summary: "Make a branch or a tag",
  },
  {
    // They can drop commits, and delete.
    names: names("updateRef updateRefs"),
    verb: "ref.force",
    effects: ["publish", "execute", "delete"],
    summary: "Move branches or tags",
  },
  {
    names: names("deleteRef deleteLinkedBranch"),
    verb: "ref.delete",
    effects: ["delete"],
    summary: "Delete a branch or a tag",
  },
  {
    names: names("createPullRequest revertPullRequest"),
    verb: "pull.create",
    effects: ["publish"],
    summary: "Open a pull request",
  },
  {
    names: names(
      "updatePullRequest closePullRequest reopenPullRequest convertPullRequestToDraft markPullRequestReadyForReview disablePullRequestAutoMerge dequeuePullRequest resolveReviewThread unresolveReviewThread",
    ),
    verb: "pull.update",
    effects: ["publish"],
    summary: "Change a pull request",
  },
  {
    names: names(
      "mergePullRequest enablePullRequestAutoMerge enqueuePullRequest updatePullRequestBranch",
    ),
    verb: "pull.merge",
    effects: ["publish", "execute"],
    summary: "Merge a pull request",
  },
  {
    names: ["mergeBranch"],
    verb: "branch.merge",
    effects: ["publish", "execute"],
    summary: "Merge branches",
  },
  {
    names: ["requestReviews"],
    verb: "pull.request-review",
    effects: ["publish"],
    summary: "Ask for a review",
  },
  {
    names: names("addPullRequestReview submitPullRequestReview"),
    verb: "review.approve",
    effects: ["publish", "administer"],
    summary: "Review a pull request, perhaps approving it",
  },
  {
    names: ["updatePullRequestReview"],
    verb: "review.update",
    effects: ["publish"],
    summary: "Change a review",
  },
  {
    names: names("deletePullRequestReview dismissPullRequestReview"),
    verb: "review.delete",
    effects: ["delete", "administer"],
    summary: "Drop a review",
  },
  {
    names: names("createCheckRun updateCheckRun createCheckSuite updateCheckSuitePreferences"),
    verb: "status.set",
    effects: ["publish", "administer"],
    summary: "Say how checks went",
  },
  {
    names: ["rerequestCheckSuite"],
    verb: "workflow.run",
    effects: ["execute"],
    summary: "Run checks again",
  },
  {
    names: names("approveDeployments rejectDeployments"),
    verb: "workflow.approve",
    effects: ["execute", "administer"],
    summary: "Decide on a deployment that waits",
  },
  {
    names: names("createDeployment createDeploymentStatus"),
    verb: "deployment.create",
    effects: ["publish", "execute"],
    summary: "Deploy",
  },
  {
    names: ["deleteDeployment"],
    verb: "deployment.delete",
    effects: ["delete"],
    summary: "Delete a deployment",
  },
  {
    names: ["createRepository"],
    verb: "repo.create",
    effects: ["publish"],
    summary: "Make a repository",
  },
  {
    names: ["cloneTemplateRepository"],
    verb: "repo.generate",
    effects: ["publish", "execute"],
    summary: "Make a repository from a template",
  },
  {
    names: ["updateRepository"],
    verb: "repo.update",
    effects: ["publish", "administer"],
    summary: "Change a repository",
  },
  {
    names: names(
      "archiveRepository unarchiveRepository lockLockable unlockLockable minimizeComment unminimizeComment createEnvironment updateEnvironment deleteEnvironment pinEnvironment reorderEnvironment setRepositoryInteractionLimit updateRepositoryWebCommitSignoffSetting updateTeamsRepository",
    ),
    verb: "repo.administer",
    effects: ["publish", "administer"],
    summary: "Change how a repository is run",
  },
  {
    names: ["removeOutsideCollaborator"],
    verb: "collaborator.write",
    effects: ["administer", "send"],
    summary: "Take away what somebody may do",
  },
  {
    names: names(
      "createBranchProtectionRule updateBranchProtectionRule deleteBranchProtectionRule createRepositoryRuleset updateRepositoryRuleset deleteRepositoryRuleset",
    ),
    verb: "protection.write",
    effects: ["administer"],
    summary: "Change what protects branches",
  },
  {
    names: ["dismissRepositoryVulnerabilityAlert"],
    verb: "security.write",
    effects: ["administer"],
    summary: "Dismiss a warning of a weakness",
  },
  {
    names: ["deletePackageVersion"],
    verb: "package.delete",
    effects: ["delete"],
    summary: "Delete a package's version",
  },
];
