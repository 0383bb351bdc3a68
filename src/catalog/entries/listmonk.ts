/**
 * listmonk, newsletters, by its API. What is sent depends on the campaign as it is at that moment, so that
 * its state is looked up: a change of a scheduled, running or paused campaign is mail to everyone on its
 * lists. Go takes JSON names in any case; a form or XML in place of JSON is unknown, since its server reads
 * other names then. A transactional mail with files carries its JSON as text in a form, and is unknown too.
 *
 * @module
 */
import type { EntrySource, Test } from "../entry.ts";
import { LISTS, NO, NONE, SUBSCRIBERS, unless } from "./listmonk-people.ts";

const DRAFT_CASES = unless("body.archive").map((when) => ({
  when: { ...when, "current.data.status": { only: ["draft"] } },
  verb: "campaign.draft",
  effects: ["write" as const],
  summary: "Change the draft {path.id}: {body.subject}",
}));

/** Whom a campaign reaches: its lists, and copies that its headers name. */
const CAMPAIGN_LISTS = [
  "current.data.lists.*.name",
  "current.data.headers.*.Bcc",
  "current.data.headers.*.Cc",
];

/**
 * A campaign is made when it goes out, with its template as that is then; what is on its way can be paused. Who is
 * on its lists is not compared.
 */
const LATER: EntrySource["routes"][number]["later"] = {
  read: { campaign: "/campaigns/{path.id}", template: "/templates/{campaign.data.template_id}" },
  at: "campaign.data.send_at",
  waits: { "campaign.data.status": { only: ["scheduled"] } },
  withdrawn: { "campaign.data.status": { only: ["draft", "paused", "cancelled"] } },
  compare: [
    ...["subject", "from_email", "body", "altbody", "content_type", "send_at", "messenger"],
    ...["template_id", "lists.*.id", "headers", "media.*.id", "attribs", "archive"],
  ]
    .map((name) => `campaign.data.${name}`)
    .concat(["template.data.body", "template.data.subject"]),
  stop: ["draft", "paused"].map((status) => ({
    request: "PUT /campaigns/{path.id}/status",
    json: { status },
  })),
};

/** What a change of a template depends on: its kind, and whether a campaign is on its way or public. */
const TEMPLATE = {
  current: "/templates/{path.id}",
  campaigns: "/campaigns?per_page=all&no_body=true",
};
const NO_CAMPAIGN_USES: readonly Record<string, Test>[] = [
  { "campaigns.data.total": { only: [0] } },
  {
    "campaigns.data.results.*.status": { only: ["draft", "finished", "cancelled"] },
    "campaigns.data.results.*.archive": NO,
  },
].map((when) => ({ "current.data.type": { only: ["campaign", "campaign_visual"] }, ...when }));

const CONTENT: EntrySource["routes"] = [
  {
    verb: "template.read",
    request: [
      "GET /templates",
      "GET /templates/{id:\\d+}",
      "GET /templates/{id:\\d+}/preview",
      "POST /templates/preview",
    ],
    effects: ["read-private"],
    summary: "Read templates",
  },
  {
    verb: "template.create",
    request: "POST /templates",
    effects: ["write"],
    summary: "Write the new template {body.name}",
    body: ["json"],
  },
  {
    // Mail and archived pages are made with the template as it is when they go out.
    verb: "template.change-live",
    request: "PUT /templates/{id:\\d+}",
    effects: ["send", "publish"],
    summary: "Change the template {path.id}, which mail that goes out is made with",
    body: ["json"],
    lookup: TEMPLATE,
    cases: NO_CAMPAIGN_USES.map((when) => ({
      when,
      verb: "template.update",
      effects: ["write"],
      summary: "Change the template {path.id}; no campaign is on its way",
    })),
  },
  {
    verb: "template.change-live",
    request: "PUT /templates/{id:\\d+}/default",
    effects: ["send", "publish"],
    summary: "Make the template {path.id} the default",
  },
  {
    // Campaigns that it made are made with the default one instead, scheduled and archived ones too.
    verb: "template.delete-live",
    request: "DELETE /templates/{id:\\d+}",
    effects: ["delete", "send", "publish"],
    summary: "Delete the template {path.id}: what goes out with it is made with the default one",
    lookup: TEMPLATE,
    cases: [...NO_CAMPAIGN_USES, { "current.data.type": { only: ["tx"] } }].map((when) => ({
      when,
      verb: "template.delete",
      effects: ["delete"],
      summary: "Delete the template {path.id}: {current.data.name}",
    })),
  },
  {
    verb: "media.read",
    request: ["GET /media", "GET /media/{id:\\d+}"],
    effects: ["read"],
    summary: "Read media",
  },
  {
    // Uploads lie at an address that everyone can read.
    verb: "media.upload",
    request: "POST /media",
    effects: ["publish"],
    summary: "Upload a file to where everyone can read it",
    body: ["multipart"],
  },
  {
    verb: "media.delete",
    request: "DELETE /media/{id:\\d+}",
    effects: ["delete"],
    summary: "Delete the file {path.id}",
  },
];

const CAMPAIGNS: EntrySource["routes"] = [
  {
    verb: "campaign.read",
    request: [
      "GET /campaigns",
      "GET /campaigns/running/stats",
      "GET /campaigns/{id:\\d+}",
      "GET /campaigns/analytics/{type}",
      "GET|POST /campaigns/{id:\\d+}/preview",
      "POST /campaigns/{id:\\d+}/preview/archive",
      "POST /campaigns/{id:\\d+}/content",
      "POST /campaigns/{id:\\d+}/text",
    ],
    effects: ["read-private"],
    summary: "Read campaigns",
  },
  {
    verb: "campaign.create-archived",
    request: "POST /campaigns",
    effects: ["write", "publish"],
    summary: "Write a new campaign that is public once it is sent: {body.subject}",
    body: ["json"],
    show: "mail",
    cases: unless("body.archive").map((when) => ({
      when,
      verb: "campaign.draft",
      effects: ["write"],
      summary: "Draft the campaign {body.name}: {body.subject}",
    })),
  },
  {
    verb: "campaign.change-live",
    request: "PUT /campaigns/{id:\\d+}",
    effects: ["send", "publish"],
    summary: "Change the campaign {path.id}, which is {current.data.status}: {body.subject}",
    body: ["json"],
    lookup: { current: "/campaigns/{path.id}" },
    recipients: CAMPAIGN_LISTS,
    takes_effect_at: "current.data.send_at",
    later: LATER,
    show: "mail",
    cases: DRAFT_CASES,
  },
  {
    verb: "campaign.start",
    request: "PUT /campaigns/{id:\\d+}/status",
    effects: ["send"],
    summary:
      "Send the campaign {path.id} to {current.data.lists.*.name}: {current.data.subject} ({body.status})",
    body: ["json"],
    lookup: { current: "/campaigns/{path.id}" },
    recipients: CAMPAIGN_LISTS,
    takes_effect_at: "current.data.send_at",
    later: LATER,
    show: "mail",
    cases: [
      {
        when: { "body.status": { only: ["scheduled"] } },
        verb: "campaign.schedule",
        summary:
          "Schedule the campaign {path.id} to {current.data.lists.*.name} for {current.data.send_at}: {current.data.subject}",
      },
      {
        when: { "body.status": { only: ["paused"] } },
        verb: "campaign.pause",
        effects: ["write"],
        summary: "Pause the campaign {path.id}",
      },
      {
        when: { "body.status": { only: ["draft"] } },
        verb: "campaign.unschedule",
        effects: ["write"],
        summary: "Make the scheduled campaign {path.id} a draft again",
      },
      {
        when: { "body.status": { only: ["cancelled"] } },
        verb: "campaign.cancel",
        effects: ["delete"],
        summary: "Cancel the campaign {path.id} for good",
        reversible: false,
      },
    ],
  },
  {
    verb: "campaign.test",
    request: "POST /campaigns/{id:\\d+}/test",
    effects: ["send"],
    summary: "Send {body.subject} to {body.subscribers.*} as a test",
    body: ["json"],
    recipients: ["body.subscribers.*", "body.headers.*.bcc", "body.headers.*.cc"],
    show: "mail",
  },
  {
    verb: "campaign.archive",
    request: "PUT /campaigns/{id:\\d+}/archive",
    effects: ["publish"],
    summary: "Put the campaign {path.id} on the public archive: {body.archive_slug}",
    body: ["json"],
    cases: [
      {
        when: { "body.archive": NO },
        verb: "campaign.unarchive",
        effects: ["publish", "delete"],
        summary: "Take the campaign {path.id} off the public archive",
      },
    ],
  },
  {
    verb: "campaign.delete",
    request: ["DELETE /campaigns", "DELETE /campaigns/{id:\\d+}"],
    effects: ["delete"],
    summary: "Delete campaigns: {path.id} {query.id} {query.query}",
  },
];

const ADMINISTRATION: EntrySource["routes"] = [
  {
    // Modes other than the default reach addresses that no subscriber has.
    verb: "tx.send-external",
    request: "POST /tx",
    effects: ["send"],
    summary: "Send the mail of template {body.template_id} to any address: {body.subject}",
    body: ["json"],
    recipients: [
      "body.subscriber_emails.*",
      "body.subscriber_email",
      "body.subscriber_ids.*",
      "body.subscriber_id",
      "body.headers.*.bcc",
      "body.headers.*.cc",
    ],
    show: "mail",
    cases: [{ absent: true as const }, { only: ["default", ""] }].map((mode) => ({
      when: {
        "body.subscriber_mode": mode,
        "body.headers.*.bcc": NONE,
        "body.headers.*.cc": NONE,
      },
      verb: "tx.send",
      summary: "Send the mail of template {body.template_id} to subscribers: {body.subject}",
    })),
  },
  {
    verb: "server.read",
    request: ["GET /config", "GET /about", "GET /dashboard/{what:charts|counts}", "GET /profile"],
    effects: ["read-private"],
    summary: "Read of the server, its figures and who one is",
  },
  {
    verb: "settings.read",
    request: ["GET /settings", "GET /logs", "GET /events"],
    effects: ["read-private"],
    summary: "Read settings or logs",
  },
  {
    // Where mail and messages go out is set here, and scripts of the public pages.
    verb: "settings.update",
    request: ["PUT /settings", "PUT /settings/{key}"],
    effects: ["administer"],
    summary: "Change settings {path.key}",
  },
  {
    verb: "settings.test-mail",
    request: "POST /settings/smtp/test",
    effects: ["administer", "send"],
    summary: "Send a mail to {body.email} through a server that the request names",
    recipients: ["body.email"],
  },
  {
    verb: "server.reload",
    request: "POST /admin/reload",
    effects: ["administer"],
    summary: "Start the server anew",
  },
  {
    verb: "user.read",
    request: ["GET /users", "GET /users/{id:\\d+}", "GET /roles/{kind:users|lists}"],
    effects: ["read-private"],
    summary: "Read users and roles",
  },
  {
    verb: "user.write",
    request: [
      "PUT /profile",
      "POST /users",
      "PUT /users/{id:\\d+}",
      "POST /roles/{kind:users|lists}",
      "PUT /roles/{kind:users|lists}/{id:\\d+}",
      "GET /users/{id:\\d+}/twofa/totp",
      "PUT|DELETE /users/{id:\\d+}/twofa",
    ],
    effects: ["administer"],
    summary: "Change who may do what: {path.id} {body.username} {body.name}",
  },
  {
    verb: "user.delete",
    request: ["DELETE /users", "DELETE /users/{id:\\d+}", "DELETE /roles/{id:\\d+}"],
    effects: ["administer", "delete"],
    summary: "Delete users or roles: {path.id} {query.id}",
  },
  {
    verb: "maintenance.delete",
    request: [
      "DELETE /maintenance/subscribers/{type}",
      "DELETE /maintenance/analytics/{type}",
      "DELETE /maintenance/subscriptions/unconfirmed",
    ],
    effects: ["delete", "administer"],
    summary: "Delete in bulk: {path.type}",
  },
  {
    verb: "maintenance.export",
    request: "GET /maintenance/analytics/{type}/export",
    effects: ["read-private"],
    summary: "Export who read and clicked what",
  },
];

export const listmonk: EntrySource = {
  system: "listmonk",
  title: "listmonk",
  docs: ["https://listmonk.app/docs/apis/apis/", "https://github.com/knadh/listmonk"],
  base: ["/api"],
  credential: [
    { in: "header", name: "authorization", scheme: "Basic" },
    { in: "header", name: "authorization", scheme: "token" },
  ],
  unknown: ["send", "delete", "administer"],
  dialect: ["go-json"],
  // A user of its own for one run, with the roles that the grant names: cmd/users.go, CreateUser.
  mint: {
    create: {
      request: "POST /api/users",
      json: { username: "{label}", name: "{label}", type: "api", status: "enabled" },
    },
    takes: ["user_role_id", "list_role_id"],
    secret: "data.password",
    id: "data.id",
    how: { kind: "basic", user: "{label}" },
    revoke: { request: "DELETE /api/users/{id}" },
  },
  routes: [...SUBSCRIBERS, ...LISTS, ...CAMPAIGNS, ...CONTENT, ...ADMINISTRATION],
};
