/** Golden requests of LinkedIn. */
import { goldenRows, type Golden } from "../golden.ts";

const LEARN = "https://learn.microsoft.com/en-us/linkedin";
const POSTS_API = `${LEARN}/marketing/community-management/shares/posts-api`;
const METHODS = `${LEARN}/shared/api-guide/concepts/methods`;
const TUNNELS = `${LEARN}/shared/api-guide/concepts/query-tunneling`;
const ACCESS = `${LEARN}/compliance/integrations/organizations/organization-access-control`;
const CLIENT = "github.com/PipedreamHQ/pipedream components/linkedin/linkedin.app.mjs";
const GUIDE = "github.com/tinmnguyen/openclaw-skills linkedin-api/SKILL.md";
const UPLOADS = "github.com/rockyco/claude-linkedin-plugin skills/linkedin-api/SKILL.md";
const ALL = ["publish", "send", "delete", "administer", "spend"] as const;
const POST = "urn%3Ali%3Ashare%3A1";
const UPDATE = { headers: { "x-restli-method": "PARTIAL_UPDATE" } };
const post = (author: string, more: Record<string, string> = {}) => ({
  json: {
    author: `urn:li:${author}`,
    commentary: "Hello",
    visibility: "PUBLIC",
    lifecycleState: "PUBLISHED",
    ...more,
  },
});

const ROUTER = "github.com/linkedin/rest.li RestLiRouter, setupResourceMethodLookup";
const draft = { lifecycleState: "DRAFT" };

export const golden: readonly Golden[] = [
  ...goldenRows(ROUTER, [
    [
      "POST /rest/posts?ids=List(urn)",
      "restli.other",
      ALL,
      "many at once",
      post("person:1", draft),
    ],
    ["POST /rest/posts?action=x", "restli.other", ALL, "an action", post("person:1", draft)],
    [
      `POST /rest/posts/${POST}?action=publish`,
      "restli.other",
      ALL,
      "an action on a draft",
      { json: { patch: {} }, facts: { current: draft } },
    ],
    [
      "POST /rest/images?action=initializeUpload&ids=List(1)",
      "restli.other",
      ALL,
      "many beside an action",
      { json: {} },
    ],
  ]),
  ...goldenRows(POSTS_API, [
    [
      "POST /rest/posts",
      "post.publish",
      ["publish"],
      "in the name of a person",
      { ...post("person:1"), reversible: false },
    ],
    [
      "POST /rest/posts",
      "post.publish-organization",
      ["publish"],
      "in the name of an organization",
      post("organization:1"),
    ],
    [
      "POST /rest/posts",
      "post.draft",
      ["write"],
      "a draft is seen by nobody",
      {
        ...post("person:1", { lifecycleState: "DRAFT" }),
        source: "https://socket.dev/npm/package/linkedctl/diff/0.5.1",
      },
    ],
    [
      "POST /rest/posts",
      "post.publish",
      ["publish"],
      "a state that is not known counts as public",
      post("person:1", { lifecycleState: "draft" }),
    ],
    [
      "POST /rest/posts",
      "post.publish",
      ["publish"],
      "no state at all",
      { json: { commentary: "x" } },
    ],
    [
      "POST /rest/posts",
      "unknown",
      ALL,
      "a form in place of JSON",
      { form: "lifecycleState=DRAFT" },
    ],
    [
      "POST /rest/posts/",
      "unknown",
      ALL,
      "a slash at the end",
      post("person:1", { lifecycleState: "DRAFT" }),
    ],
    [
      "GET /rest/posts?author=urn%3Ali%3Aorganization%3A1&q=author",
      "post.read",
      ["read-private"],
      "drafts too",
      { source: CLIENT },
    ],
  ]),
  ...goldenRows(METHODS, [
    [
      `POST /rest/posts/${POST}`,
      "post.update",
      ["publish"],
      "what is public changes",
      { ...UPDATE, json: { patch: { $set: { commentary: "New" } } } },
    ],
    [
      `POST /rest/posts/${POST}`,
      "post.draft",
      ["write"],
      "it is a draft and stays one",
      {
        ...UPDATE,
        json: { patch: { $set: { commentary: "New" } } },
        facts: { current: { lifecycleState: "DRAFT" } },
      },
    ],
    [
      `POST /rest/posts/${POST}`,
      "post.update",
      ["publish"],
      "a draft is published",
      {
        ...UPDATE,
        json: { patch: { $set: { lifecycleState: "PUBLISHED" } } },
        facts: { current: { lifecycleState: "DRAFT" } },
      },
    ],
    [
      `POST /rest/posts/${POST}`,
      "restli.other",
      ALL,
      "another method of the same path",
      { headers: { "x-restli-method": "DELETE" }, json: {} },
    ],
    [
      "POST /rest/posts",
      "restli.other",
      ALL,
      "many at once",
      {
        headers: { "x-restli-method": "BATCH_CREATE" },
        json: { lifecycleState: "DRAFT", elements: [] },
      },
    ],
    [
      `GET /rest/posts/${POST}`,
      "restli.other",
      ALL,
      "a read that says it is none",
      { headers: { "x-restli-method": "DELETE" } },
    ],
  ]),
  ...goldenRows(TUNNELS, [
    [
      `POST /rest/posts/${POST}`,
      "post.delete",
      ["delete"],
      "the header says the method",
      { headers: { "x-http-method-override": "DELETE" } },
    ],
    [
      "POST /rest/posts",
      "unknown",
      ALL,
      "a query in the body",
      { headers: { "x-http-method-override": "GET" }, form: "q=author" },
    ],
    [
      "POST /v2/adCreativesV2",
      "unknown",
      ALL,
      "query and body in one",
      {
        headers: {
          "x-http-method-override": "POST",
          "x-restli-method": "BATCH_PARTIAL_UPDATE",
        },
        raw: { type: "multipart/mixed; boundary=xyz", text: "--xyz\r\n\r\n--xyz--" },
      },
    ],
    [
      "POST /v2/adCreativesV2?ids=List(47770196)",
      "restli.other",
      ALL,
      "many at once",
      {
        headers: { "x-restli-method": "BATCH_PARTIAL_UPDATE" },
        json: { entities: { "47770196": { patch: { $set: { status: "ACTIVE" } } } } },
      },
    ],
    [
      "POST /rest/posts",
      "unknown",
      ALL,
      "another header that frameworks take a method from",
      { headers: { "x-method-override": "GET" }, ...post("person:1", { lifecycleState: "DRAFT" }) },
    ],
  ]),
  ...goldenRows(CLIENT, [
    [`DELETE /rest/posts/${POST}`, "post.delete", ["delete"], "for good", { reversible: false }],
    [
      `POST /rest/socialActions/${POST}/comments`,
      "comment.create",
      ["publish"],
      "everyone who sees the post sees it",
      { json: { actor: "urn:li:person:1", message: { text: "Nice" } } },
    ],
    [
      `POST /rest/socialActions/${POST}/likes`,
      "reaction.create",
      ["publish"],
      "in one's name",
      { json: { actor: "urn:li:person:1", object: "urn:li:share:1" } },
    ],
    [`GET /rest/socialActions/${POST}/comments`, "response.read", ["read"], "public"],
    ["GET /rest/me", "profile.read", ["read-private"], "who one is"],
    ["GET /rest/people/(id:1)", "profile.read", ["read-private"], "who another is"],
    ["GET /rest/organizationAcls?q=roleAssignee", "organization.roles", ["read-private"], "roles"],
    ["GET /rest/adAnalytics?q=analytics", "ad.read", ["read-private"], "figures"],
  ]),
  // That there are such, a client says (pypi.org/project/lkdn); the paths are from memory.
  ...goldenRows("memory", [
    [
      `POST /rest/socialActions/${POST}/comments/2`,
      "comment.update",
      ["publish"],
      "what is public changes",
      { ...UPDATE, json: { patch: { message: { $set: { text: "Nicer" } } } } },
    ],
    [`DELETE /rest/socialActions/${POST}/comments/2`, "comment.delete", ["delete"], "for good"],
    [
      "POST /rest/reactions?actor=urn%3Ali%3Aperson%3A1",
      "reaction.create",
      ["publish"],
      "in one's name",
      { json: { root: "urn:li:share:1", reactionType: "LIKE" } },
    ],
    ["DELETE /rest/reactions/1", "reaction.delete", ["delete"], "taken back"],
    [
      `POST /rest/socialMetadata/${POST}`,
      "comments.switch",
      ["publish"],
      "comments closed",
      { ...UPDATE, json: { patch: { $set: { commentsState: "CLOSED" } } } },
    ],
  ]),
  ...goldenRows(UPLOADS, [
    [
      "POST /rest/images?action=initializeUpload",
      "media.upload",
      ["write"],
      "in no post yet",
      { json: { initializeUploadRequest: { owner: "urn:li:person:1" } } },
    ],
    [
      "POST /rest/images?action=other",
      "media.other",
      ALL,
      "an action that is not known",
      { json: {} },
    ],
    [
      "POST /rest/images?action=initializeUpload&action=other",
      "media.other",
      ALL,
      "two actions",
      { json: {} },
    ],
  ]),
  ...goldenRows(GUIDE, [
    ["GET /v2/userinfo", "profile.read", ["read-private"], "name and address"],
    ["POST /v2/ugcPosts", "post.publish", ["publish"], "the older way", post("person:1")],
    [
      "POST /v2/assets?action=registerUpload",
      "media.upload",
      ["write"],
      "in no post yet",
      { json: { registerUploadRequest: { owner: "urn:li:person:1" } } },
    ],
    [
      "PUT /mediaUpload/C55/feedshare",
      "media.upload",
      ["write"],
      "the bytes themselves",
      { raw: { type: "image/png", text: "x" } },
    ],
    ["GET /v2/organizations/1", "organization.read", ["read"], "public"],
    [
      "GET /rest/organizationalEntityShareStatistics?q=organizationalEntity",
      "organization.statistics",
      ["read-private"],
      "figures",
      { source: "memory" },
    ],
    ["GET /rest/adLibrary?q=criteria&keyword=a", "library.read", ["read"], "public anyway"],
    ["GET /rest/adAccounts?q=search", "ad.read", ["read-private"], "accounts"],
    [
      "POST /rest/adAccounts",
      "ad.account",
      ["administer", "spend"],
      "an account that pays",
      { json: { name: "a", currency: "USD" } },
    ],
    [
      "POST /rest/adAccounts/1/adCampaigns",
      "ad.draft",
      ["write"],
      "not shown yet",
      { json: { name: "c", status: "DRAFT" } },
    ],
    [
      "POST /rest/adAccounts/1/adCampaigns",
      "ad.create",
      ["spend", "publish"],
      "shown for money",
      {
        json: { name: "c", status: "ACTIVE", dailyBudget: { amount: "100", currencyCode: "USD" } },
      },
    ],
    [
      "POST /rest/adAccounts/1/adCampaigns/2",
      "ad.update",
      ["spend", "publish"],
      "shown for money from now on",
      { ...UPDATE, json: { patch: { $set: { status: "ACTIVE" } } } },
    ],
    [
      "POST /rest/adAccounts/1/adCampaigns/2",
      "ad.pause",
      ["write"],
      "not shown any more",
      { ...UPDATE, json: { patch: { $set: { status: "PAUSED" } } } },
    ],
    [
      "POST /rest/adAccounts/1/adCampaigns/2",
      "ad.update",
      ["spend", "publish"],
      "a larger budget beside the pause",
      { ...UPDATE, json: { patch: { $set: { status: "PAUSED", dailyBudget: { amount: "9" } } } } },
    ],
    ["DELETE /rest/adAccounts/1/adCampaigns/2", "ad.delete", ["delete"], "for good"],
  ]),
  ...goldenRows(`${LEARN}/shared/integrations/communications/messages`, [
    [
      "POST /v2/messages",
      "message.send",
      ["send"],
      "to connections",
      {
        json: { recipients: ["urn:li:person:2", "urn:li:person:3"], subject: "s", body: "b" },
        recipients: ["urn:li:person:2", "urn:li:person:3"],
        reversible: false,
      },
    ],
    [
      "POST /v2/messages",
      "message.send",
      ["send"],
      "an answer in a conversation",
      {
        json: { thread: "urn:li:messagingThread:1", body: "b" },
        recipients: ["urn:li:messagingThread:1"],
      },
    ],
  ]),
  ...goldenRows(ACCESS, [
    ["PUT /v2/organizationAcls/1", "organization.grant", ["administer"], "a role", { json: {} }],
  ]),
  ...goldenRows("https://docs.soku.variantai.io/integrations/linkedin", [
    [
      "POST /oauth/v2/accessToken",
      "token.exchange",
      ["administer"],
      "a new token",
      { form: "grant_type=refresh_token" },
    ],
  ]),
  ...goldenRows("memory", [
    ["GET /rest/images/1", "media.read", ["read-private"], "of an upload"],
    [
      "POST /rest/organizations/1",
      "organization.update",
      ["publish", "administer"],
      "its page",
      { ...UPDATE, json: { patch: {} } },
    ],
    ["PATCH /rest/posts/1", "unknown", ALL, "a method that it does not have", { json: {} }],
  ]),
];
