/**
 * listmonk, newsletters, by its API. What is sent depends on the campaign as it is at that moment, so that
 * its state is looked up: a change of a scheduled, running or paused campaign is mail to everyone on its
 * lists. Go takes JSON names in any case; a form or XML in place of JSON is unknown, since its server reads
 * other names then. A transactional mail with files carries its JSON as text in a form, and is unknown too.
 *
 * @module
 */
import type { EntrySource, Test } from "../entry.ts";

const SUBSCRIBER = "{id:\\d+}";
const NO: Test = { only: [false] };
const NONE: Test = { absent: true };

/** Both ways of leaving something off. */
function unless(reference: string): readonly Record<string, Test>[] {
  return [{ [reference]: NONE }, { [reference]: NO }];
}

/** A subscriber that is put on a list gets a mail that asks for consent, unless consent is claimed for it. */
const SUBSCRIBER_CASES = unless("body.preconfirm_subscriptions").flatMap((when) => [
  {
    when: { ...when, "body.lists.*": NONE },
    verb: "subscriber.write",
    effects: ["write" as const],
    summary: "Change the subscriber {body.email} {path.id}",
  },
  {
    when,
    verb: "subscriber.subscribe",
    effects: ["write" as const, "send" as const],
    summary: "Put {body.email} {path.id} on the lists {body.lists.*}; they may be asked by mail",
  },
]);

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
    lookup: {
      current: "/templates/{path.id}",
      campaigns: "/campaigns?per_page=all&no_body=true",
    },
    cases: [
      {
        when: {
          "current.data.type": { only: ["campaign", "campaign_visual"] },
          "campaigns.data.total": { only: [0] },
        },
        verb: "template.update",
        effects: ["write"],
        summary: "Change the template {path.id}, which no campaign uses",
      },
      {
        when: {
          "current.data.type": { only: ["campaign", "campaign_visual"] },
          "campaigns.data.results.*.status": { only: ["draft", "finished", "cancelled"] },
          "campaigns.data.results.*.archive": NO,
        },
        verb: "template.update",
        effects: ["write"],
        summary: "Change the template {path.id}; no campaign is on its way",
      },
    ],
  },
  {
    verb: "template.change-live",
    request: "PUT /templates/{id:\\d+}/default",
    effects: ["send", "publish"],
    summary: "Make the template {path.id} the default",
  },
  {
    verb: "template.delete",
    request: "DELETE /templates/{id:\\d+}",
    effects: ["delete"],
    summary: "Delete the template {path.id}",
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

const SUBSCRIBERS: EntrySource["routes"] = [
  {
    // The search may be an SQL expression, which can read whatever its role can.
    verb: "subscriber.read",
    request: [
      "GET /subscribers",
      `GET /subscribers/${SUBSCRIBER}`,
      `GET /subscribers/${SUBSCRIBER}/activity`,
      `GET /subscribers/${SUBSCRIBER}/bounces`,
    ],
    effects: ["read-private"],
    summary: "Read subscribers: {path.id} {query.search} {query.query}",
    cases: [
      {
        when: { "query.query": { present: true } },
        verb: "subscriber.query",
        summary: "Read subscribers by SQL: {query.query}",
      },
    ],
  },
  {
    verb: "subscriber.export",
    request: ["GET /subscribers/export", `GET /subscribers/${SUBSCRIBER}/export`],
    effects: ["read-private"],
    summary: "Export subscribers with all that is known of them",
  },
  {
    // Consent that nobody gave: from then on mail is sent to them.
    verb: "subscriber.preconfirm",
    request: ["POST /subscribers", `PUT|PATCH /subscribers/${SUBSCRIBER}`],
    effects: ["write", "send", "administer"],
    summary: "Put {body.email} {path.id} on the lists {body.lists.*} as if they had consented",
    body: ["json"],
    recipients: ["body.email"],
    cases: SUBSCRIBER_CASES,
  },
  {
    verb: "subscriber.send-optin",
    request: `POST /subscribers/${SUBSCRIBER}/optin`,
    effects: ["send"],
    summary: "Ask the subscriber {current.data.email} for consent by mail",
    lookup: { current: "/subscribers/{path.id}" },
    recipients: ["current.data.email"],
  },
  {
    verb: "subscriber.blocklist",
    request: [
      "PUT /subscribers/blocklist",
      `PUT /subscribers/${SUBSCRIBER}/blocklist`,
      "PUT /bounces/blocklist",
    ],
    effects: ["write", "delete"],
    summary: "Block subscribers, and end what they subscribed to: {path.id} {body.ids.*}",
  },
  {
    verb: "subscriber.lists",
    request: [`PUT /subscribers/lists/${SUBSCRIBER}`, "PUT /subscribers/lists"],
    effects: ["write", "delete", "administer"],
    summary: "{body.action}: subscribers {path.id} {body.ids.*} and lists {body.target_list_ids.*}",
    body: ["json"],
    cases: [
      {
        // As confirmed it would be consent that nobody gave.
        when: { "body.action": { only: ["add"] }, "body.status": { only: ["unconfirmed"] } },
        verb: "subscriber.add",
        effects: ["write"],
      },
      {
        when: { "body.action": { only: ["remove", "unsubscribe"] } },
        verb: "subscriber.remove",
        effects: ["write", "delete"],
      },
    ],
  },
  {
    verb: "subscriber.delete",
    request: ["DELETE /subscribers", `DELETE /subscribers/${SUBSCRIBER}`],
    effects: ["delete"],
    summary: "Delete subscribers: {path.id} {query.id}",
  },
  {
    verb: "subscriber.bulk",
    request: [
      "POST /subscribers/query/{act:delete}",
      "PUT /subscribers/query/{act:blocklist}",
      "PUT /subscribers/query/{act:lists}",
    ],
    effects: ["delete", "administer"],
    summary: "Do {path.act} to all subscribers that a query finds: {body.query} {body.search}",
    body: ["json"],
  },
  {
    verb: "bounce.read",
    request: ["GET /bounces", "GET /bounces/{id:\\d+}"],
    effects: ["read-private"],
    summary: "Read bounces",
  },
  {
    verb: "bounce.delete",
    request: [
      "DELETE /bounces",
      "DELETE /bounces/{id:\\d+}",
      `DELETE /subscribers/${SUBSCRIBER}/bounces`,
    ],
    effects: ["delete"],
    summary: "Delete bounces",
  },
  {
    // A bounce that is reported can block a subscriber.
    verb: "bounce.report",
    request: ["POST /webhooks/bounce", "POST /webhooks/service/{service}"],
    root: true,
    effects: ["write", "delete"],
    summary: "Report that mail to {body.email} came back",
    body: ["json"],
  },
  {
    verb: "import.read",
    request: ["GET /import/subscribers", "GET /import/subscribers/logs"],
    effects: ["read-private"],
    summary: "Read how the import goes",
  },
  {
    // It can overwrite, block, and claim consent; its parameters are text within the form.
    verb: "import.start",
    request: "POST /import/subscribers",
    effects: ["write", "delete", "administer"],
    summary: "Import subscribers: {body.params}",
    body: ["multipart"],
  },
  {
    verb: "import.stop",
    request: "DELETE /import/subscribers",
    effects: ["write"],
    summary: "Stop the import",
  },
  {
    verb: "public.subscribe",
    request: "POST /public/subscription",
    effects: ["write", "send"],
    summary: "Subscribe {body.email}, who may be asked by mail",
    recipients: ["body.email"],
  },
  {
    verb: "public.subscribe",
    request: "POST /subscription/form",
    root: true,
    effects: ["write", "send"],
    summary: "Subscribe {body.email}, who may be asked by mail",
    recipients: ["body.email"],
  },
  {
    verb: "public.read",
    request: ["GET /public/lists", "GET /public/archive", "GET /health", "GET /lang/{lang}"],
    effects: ["read"],
    summary: "Read what everyone can read",
  },
];

const LISTS: EntrySource["routes"] = [
  {
    verb: "list.read",
    request: ["GET /lists", "GET /lists/{id:\\d+}"],
    effects: ["read-private"],
    summary: "Read lists",
  },
  {
    verb: "list.publish",
    request: "POST /lists",
    effects: ["publish"],
    summary: "Make the list {body.name}, which everyone can see and join",
    body: ["json"],
    cases: [
      {
        when: { "body.type": { only: ["private"] } },
        verb: "list.create",
        effects: ["write"],
        summary: "Make the private list {body.name}",
      },
    ],
  },
  {
    verb: "list.publish",
    request: "PUT /lists/{id:\\d+}",
    effects: ["publish"],
    summary: "Change the list {path.id}, which everyone can see: {body.name}",
    body: ["json"],
    lookup: { current: "/lists/{path.id}" },
    cases: [{ absent: true as const }, { only: ["private"] }].map((type) => ({
      when: { "body.type": type, "current.data.type": { only: ["private"] } },
      verb: "list.update",
      effects: ["write"],
      summary: "Change the private list {path.id}: {body.name}",
    })),
  },
  {
    verb: "list.delete",
    request: ["DELETE /lists", "DELETE /lists/{id:\\d+}"],
    effects: ["delete"],
    summary: "Delete lists: {path.id} {query.id}",
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
  routes: [...SUBSCRIBERS, ...LISTS, ...CAMPAIGNS, ...CONTENT, ...ADMINISTRATION],
};
