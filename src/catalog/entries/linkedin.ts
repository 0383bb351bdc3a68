/**
 * LinkedIn, by its API. A post says by `author` for whom it speaks: a person or an organization. One path has
 * many methods, told apart by the header `X-RestLi-Method`: a value that a route does not expect makes the
 * request `restli.other`, with all effects. Queries that are tunnelled in a body are not read, and unknown.
 *
 * @module
 */
import type { EntrySource } from "../entry.ts";

type Routes = EntrySource["routes"];
type Cases = NonNullable<Routes[number]["cases"]>;

const EVERYTHING = ["publish", "send", "delete", "administer", "spend"] as const;
const METHOD_HEADER = "header.x-restli-method";

/** What is another method of the same path; `methods` are those that the route is for. */
function unless(methods: string): Cases[number] {
  return {
    when: { [METHOD_HEADER]: { any_like: `^(?!(?:${methods})$)` } },
    verb: "restli.other",
    effects: [...EVERYTHING],
    summary: `Do something else there: {${METHOD_HEADER}}`,
  };
}

const READS = [unless("GET|BATCH_GET|GET_ALL|FINDER|BATCH_FINDER")];
const CREATES = unless("CREATE");
const UPDATES = unless("PARTIAL_UPDATE|UPDATE");
const DELETES = unless("DELETE");
const ACTS = unless("ACTION");
const POSTS = "{kind:posts|ugcPosts}";

const CONTENT: Routes = [
  {
    verb: "post.publish",
    request: [`POST /${POSTS}`, "POST /{kind:shares}"],
    effects: ["publish"],
    summary: "Publish as {body.author} {body.owner}: {body.commentary}",
    body: ["json"],
    show: "post",
    cases: [
      CREATES,
      {
        when: {
          "path.kind": { only: ["posts", "ugcPosts"] },
          "body.lifecycleState": { only: ["DRAFT"] },
        },
        verb: "post.draft",
        effects: ["write"],
        summary: "Draft a post as {body.author}: {body.commentary}",
      },
      {
        when: { "body.author": { any_like: "^urn:li:organization" } },
        verb: "post.publish-organization",
        summary:
          "Publish as the organization {body.author} to {body.visibility}: {body.commentary}",
      },
      {
        when: { "body.author": { only_like: "^urn:li:(?:person|member):" } },
        summary: "Publish as the person {body.author} to {body.visibility}: {body.commentary}",
      },
    ],
  },
  {
    verb: "post.update",
    request: [`POST /${POSTS}/{id}`, "POST /{kind:shares}/{id}"],
    effects: ["publish"],
    summary: "Change the post {path.id}: {body.patch.$set.commentary}",
    body: ["json"],
    show: "post",
    lookup: { current: "/{path.kind}/{path.id}" },
    cases: [
      UPDATES,
      {
        when: {
          "current.lifecycleState": { only: ["DRAFT"] },
          "body.patch.$set.@": { none: ["lifecycleState"] },
          "body.lifecycleState": { absent: true },
        },
        verb: "post.draft",
        effects: ["write"],
        summary: "Change the draft {path.id}: {body.patch.$set.commentary}",
      },
    ],
  },
  {
    verb: "post.delete",
    request: [`DELETE /${POSTS}/{id}`, "DELETE /{kind:shares}/{id}"],
    effects: ["delete"],
    summary: "Delete the post {path.id}",
    cases: [DELETES],
  },
  {
    // Drafts too, to their author.
    verb: "post.read",
    request: [
      `GET /${POSTS}`,
      `GET /${POSTS}/{id}`,
      "GET /{kind:shares}",
      "GET /{kind:shares}/{id}",
    ],
    effects: ["read-private"],
    summary: "Read posts {path.id}",
    cases: READS,
  },
  {
    verb: "comment.create",
    request: "POST /socialActions/{post}/comments",
    effects: ["publish"],
    summary: "Comment on {path.post} as {body.actor}: {body.message.text}",
    body: ["json"],
    show: "post",
    cases: [CREATES],
  },
  {
    verb: "comment.update",
    request: "POST /socialActions/{post}/comments/{id}",
    effects: ["publish"],
    summary: "Change the comment {path.id} on {path.post}: {body.patch.message.$set.text}",
    body: ["json"],
    show: "post",
    cases: [UPDATES],
  },
  {
    verb: "comment.delete",
    request: "DELETE /socialActions/{post}/comments/{id}",
    effects: ["delete"],
    summary: "Delete the comment {path.id} on {path.post}",
    cases: [DELETES],
  },
  {
    verb: "reaction.create",
    request: ["POST /socialActions/{post}/likes", "POST /reactions"],
    effects: ["publish"],
    summary: "React to {path.post} {body.root} as {body.actor} {query.actor}: {body.reactionType}",
    body: ["json"],
    cases: [CREATES],
  },
  {
    verb: "reaction.delete",
    request: ["DELETE /socialActions/{post}/likes/{actor}", "DELETE /reactions/{id}"],
    effects: ["delete"],
    summary: "Take a reaction back: {path.post} {path.id}",
    cases: [DELETES],
  },
  {
    verb: "comments.switch",
    request: "POST /socialMetadata/{post}",
    effects: ["publish"],
    summary: "Open or close the comments of {path.post}",
    body: ["json"],
    cases: [UPDATES],
  },
  {
    verb: "response.read",
    request: [
      "GET /socialActions/{post}",
      "GET /socialActions/{post}/{kind:comments|likes}",
      "GET /socialActions/{post}/comments/{id}",
      "GET /socialMetadata/{post}",
      "GET /reactions/{id}",
    ],
    effects: ["read"],
    summary: "Read comments and reactions of {path.post}",
    cases: READS,
  },
  {
    verb: "media.other",
    request: ["POST /{kind:images|videos|documents|assets}"],
    effects: [...EVERYTHING],
    summary: "Do {query.action} to {path.kind}",
    body: ["json"],
    cases: [
      ACTS,
      {
        when: {
          "query.action": { only: ["initializeUpload", "finalizeUpload", "registerUpload"] },
        },
        verb: "media.upload",
        effects: ["write"],
        summary: "Prepare an upload of {path.kind}, which nobody sees before a post shows it",
      },
    ],
  },
  {
    verb: "media.upload",
    request: ["PUT|POST /{kind:mediaUpload|dms-uploads}/{rest...}"],
    root: true,
    effects: ["write"],
    summary: "Upload a file, which nobody sees before a post shows it",
    body: ["raw", "none"],
    cases: [unless("")],
  },
  {
    verb: "media.read",
    request: [
      "GET /{kind:images|videos|documents|assets}/{id}",
      "GET /{kind:images|videos|documents}",
    ],
    effects: ["read-private"],
    summary: "Read of {path.kind}: {path.id}",
    cases: READS,
  },
];

const PEOPLE: Routes = [
  {
    verb: "profile.read",
    request: ["GET /userinfo", "GET /me", "GET /people/{id}", "GET /emailAddress"],
    effects: ["read-private"],
    summary: "Read who someone is",
    cases: READS,
  },
  {
    verb: "message.send",
    request: "POST /messages",
    effects: ["send"],
    summary: "Send a message to {body.recipients.*} {body.thread}: {body.subject} {body.body}",
    body: ["json"],
    recipients: ["body.recipients.*", "body.thread"],
    show: "message",
    cases: [CREATES],
  },
  {
    verb: "organization.read",
    request: ["GET /organizations", "GET /organizations/{id}"],
    effects: ["read"],
    summary: "Read of the organization {path.id} {query.vanityName}",
    cases: READS,
  },
  {
    verb: "organization.update",
    request: "POST /organizations/{id}",
    effects: ["publish", "administer"],
    summary: "Change the page of the organization {path.id}",
    body: ["json"],
    cases: [UPDATES],
  },
  {
    verb: "organization.roles",
    request: "GET /{kind:organizationAcls|organizationAuthorizations}",
    effects: ["read-private"],
    summary: "Read who may act for which organization",
    cases: READS,
  },
  {
    verb: "organization.grant",
    request: ["PUT|POST|DELETE /organizationAcls", "PUT|POST|DELETE /organizationAcls/{id}"],
    effects: ["administer"],
    summary: "Change who may act for an organization: {path.id} {body.roleAssignee} {body.role}",
    body: ["json", "none"],
  },
  {
    verb: "organization.statistics",
    request: [
      "GET /{kind:organizationPageStatistics|organizationalEntityFollowerStatistics|organizationalEntityShareStatistics}",
      "GET /{kind:networkSizes}/{id}",
    ],
    effects: ["read-private"],
    summary: "Read figures of an organization",
    cases: READS,
  },
  {
    verb: "token.exchange",
    request: "POST /oauth/v2/{act:accessToken|revoke|introspectToken}",
    root: true,
    effects: ["administer"],
    summary: "Make or revoke a token ({path.act})",
  },
];

const ADS = "{kind:adCampaigns|adCampaignGroups|creatives}";
const OLD_ADS =
  "{kind:adCampaignsV2|adCampaignGroupsV2|adCreativesV2|adCampaigns|adCampaignGroups|creatives}";

const ADVERTISING: Routes = [
  {
    verb: "ad.create",
    request: [`POST /adAccounts/{account}/${ADS}`, `POST /${OLD_ADS}`],
    effects: ["spend", "publish"],
    summary:
      "Start an advertisement that costs money: {body.name}, {body.dailyBudget.amount} a day",
    body: ["json"],
    cases: [
      CREATES,
      {
        when: { "body.status": { only: ["DRAFT"] }, "body.intendedStatus": { absent: true } },
        verb: "ad.draft",
        effects: ["write"],
        summary: "Draft an advertisement: {body.name}",
      },
    ],
  },
  {
    verb: "ad.update",
    request: [`POST /adAccounts/{account}/${ADS}/{id}`, `POST /${OLD_ADS}/{id}`],
    effects: ["spend", "publish"],
    summary: "Change the advertisement {path.id}: {body.patch.$set.status}",
    body: ["json"],
    cases: [
      UPDATES,
      {
        when: {
          "body.@": { only: ["patch"] },
          "body.patch.@": { only: ["$set"] },
          "body.patch.$set.@": { only: ["status"] },
          "body.patch.$set.status": { only: ["PAUSED"] },
        },
        verb: "ad.pause",
        effects: ["write"],
        summary: "Pause the advertisement {path.id}",
      },
    ],
  },
  {
    verb: "ad.delete",
    request: [`DELETE /adAccounts/{account}/${ADS}/{id}`, `DELETE /${OLD_ADS}/{id}`],
    effects: ["delete"],
    summary: "Delete the advertisement {path.id}",
    cases: [DELETES],
  },
  {
    verb: "ad.account",
    request: ["POST /adAccounts", "POST /adAccounts/{account}", "POST /adAccountUsers"],
    effects: ["administer", "spend"],
    summary: "Change an account that pays for advertisements, or who may use it",
    body: ["json"],
  },
  {
    verb: "ad.read",
    request: [
      "GET /adAccounts",
      "GET /adAccounts/{account}",
      `GET /adAccounts/{account}/${ADS}`,
      `GET /adAccounts/{account}/${ADS}/{id}`,
      `GET /${OLD_ADS}`,
      "GET /adAnalytics",
    ],
    effects: ["read-private"],
    summary: "Read advertisements and what they cost",
    cases: READS,
  },
  {
    verb: "library.read",
    request: "GET /{kind:adLibrary|jobLibrary}",
    effects: ["read"],
    summary: "Search what is public anyway: {query.keyword}",
    cases: READS,
  },
];

/** Rest.li takes a method from the query too (RestLiRouter): `ids` makes it one of many, `action` another. */
function withoutOtherMethods(route: Routes[number]): Routes[number] {
  const isRead = [route.request].flat().every((request) => request.startsWith("GET "));
  if (isRead || route.root === true) return route;
  const names = route.verb === "media.other" ? ["ids"] : ["ids", "action"];
  const others: Cases = names.map((name) => ({
    when: { [`query.${name}`]: { present: true } },
    verb: "restli.other",
    effects: [...EVERYTHING],
    summary: `Do something else there: ${name} {query.${name}}`,
  }));
  return { ...route, cases: [...others, ...(route.cases ?? [])] };
}

export const linkedin: EntrySource = {
  system: "linkedin",
  title: "LinkedIn",
  docs: [
    "https://learn.microsoft.com/en-us/linkedin/marketing/community-management/shares/posts-api",
    "https://learn.microsoft.com/en-us/linkedin/shared/api-guide/concepts/methods",
    "https://learn.microsoft.com/en-us/linkedin/shared/api-guide/concepts/query-tunneling",
  ],
  hosts: ["api.linkedin.com", "www.linkedin.com"],
  base: ["/rest", "/v2"],
  credential: [{ in: "header", name: "authorization", scheme: "Bearer" }],
  unknown: [...EVERYTHING],
  override: { header: "x-http-method-override" },
  routes: [...CONTENT, ...PEOPLE, ...ADVERTISING].map(withoutOtherMethods),
};
