/** Golden requests of listmonk. */
import { goldenRows, type Golden } from "../golden.ts";

const REPOSITORY = "github.com/knadh/listmonk";
const CORE = `${REPOSITORY} internal/core/subscribers.go`;
const HANDLERS = `${REPOSITORY} cmd/handlers.go`;
const UNKNOWN = ["send", "delete", "administer"] as const;
const LIVE = ["send", "publish"] as const;
const CONSENT = ["write", "send", "administer"] as const;

const campaign = (status: string) => ({
  facts: {
    current: {
      data: {
        status,
        subject: "News",
        send_at: "2026-12-01T08:00:00Z",
        lists: [{ id: 1, name: "Customers" }],
        headers: [],
      },
    },
  },
});
const template = (type: string, total: number, results: readonly object[]) => ({
  facts: {
    current: { data: { type } },
    campaigns: { data: { total, results: results as { status: string; archive: boolean }[] } },
  },
});
const TEMPLATES_SQL = { source: `${REPOSITORY} queries/templates.sql` };
/** One who is on lists, each with how it asks and what was answered. */
const subscriber = (...lists: readonly (readonly [optin: string, status: string])[]) => ({
  facts: {
    current: {
      data: {
        id: 5,
        email: "ann@example.org",
        lists: lists.map(([optin, status]) => ({ optin, subscription_status: status })),
      },
    },
  },
});
const json = (value: Golden["json"] & object) => ({ json: value });
const UPLOAD = {
  raw: {
    type: "multipart/form-data; boundary=b",
    text: '--b\r\nContent-Disposition: form-data; name="params"\r\n\r\n{"mode":"subscribe"}\r\n--b--\r\n',
  },
};
const NEWS = { name: "n", subject: "News", lists: [1] };

export const golden: readonly Golden[] = [
  ...goldenRows(`${REPOSITORY} cmd/subscribers.go`, [
    ["GET /api/subscribers", "subscriber.read", ["read-private"], "personal data"],
    [
      "GET /api/subscribers?query=subscribers.email%20LIKE%20%27%25%27",
      "subscriber.query",
      ["read-private"],
      "an SQL expression",
    ],
    ["GET /api/subscribers/export", "subscriber.export", ["read-private"], "all of them at once"],
    ["GET /api/subscribers/5/export", "subscriber.export", ["read-private"], "all of one"],
    [
      "POST /api/subscribers",
      "subscriber.subscribe",
      ["write", "send"],
      "a list with double opt-in asks by mail",
      { ...json({ email: "a@example.org", lists: [1] }), recipients: ["a@example.org"] },
    ],
    [
      "POST /api/subscribers",
      "subscriber.write",
      ["write"],
      "on no list nobody is asked",
      json({ email: "a@example.org", lists: [] }),
    ],
    [
      "POST /api/subscribers",
      "subscriber.preconfirm",
      CONSENT,
      "consent that nobody gave",
      json({ email: "a@example.org", lists: [1], preconfirm_subscriptions: true }),
    ],
    [
      "POST /api/subscribers",
      "subscriber.preconfirm",
      CONSENT,
      "Go takes names in any case",
      json({ email: "a@example.org", lists: [1], Preconfirm_Subscriptions: true }),
    ],
    [
      "PATCH /api/subscribers/5",
      "subscriber.write",
      ["write"],
      "a new name, of one who has confirmed all",
      {
        ...json({ name: "Ann", preconfirm_subscriptions: false }),
        ...subscriber(["double", "confirmed"], ["single", "unsubscribed"]),
      },
    ],
    [
      "PATCH /api/subscribers/5",
      "subscriber.write",
      ["write"],
      "lists that ask nobody",
      { ...json({ name: "Ann" }), ...subscriber(["single", "unconfirmed"]) },
    ],
    [
      "PATCH /api/subscribers/5",
      "subscriber.write",
      ["write"],
      "on no list",
      { ...json({ name: "Ann" }), ...subscriber() },
    ],
    [
      "PATCH /api/subscribers/5",
      "subscriber.ask-again",
      ["write", "send"],
      "a new name asks again for what is not confirmed",
      {
        ...json({ name: "Ann" }),
        ...subscriber(["double", "unconfirmed"], ["single", "confirmed"]),
        recipients: ["ann@example.org"],
        source: CORE,
      },
    ],
    [
      "PATCH /api/subscribers/5",
      "subscriber.ask-again",
      ["write", "send"],
      "nothing is known of its lists",
      { ...json({ name: "Ann" }), source: CORE },
    ],
    [
      "PATCH /api/subscribers/5",
      "subscriber.unlist",
      ["write", "send", "delete"],
      "the mail goes to the id in the body",
      { ...json({ name: "Ann", ID: 7 }), ...subscriber(), source: CORE },
    ],
    [
      "PATCH /api/subscribers/5",
      "subscriber.unlist",
      ["write", "send", "delete"],
      "another address has not confirmed what this one did",
      {
        ...json({ email: "x@example.net" }),
        ...subscriber(["double", "confirmed"]),
        recipients: ["x@example.net", "ann@example.org"],
      },
    ],
    [
      "PATCH /api/subscribers/5",
      "subscriber.unlist",
      ["write", "send", "delete"],
      "off all lists",
      { ...json({ lists: [] }), ...subscriber(["double", "confirmed"]) },
    ],
    [
      "PATCH /api/subscribers/5",
      "subscriber.relist",
      ["write", "send", "delete"],
      "the lists take the place of all",
      { ...json({ Lists: [1] }), ...subscriber(["double", "confirmed"]) },
    ],
    [
      "PATCH /api/subscribers/5",
      "subscriber.preconfirm",
      ["write", "send", "delete", "administer"],
      "consent that nobody gave",
      { ...json({ preconfirm_subscriptions: true, lists: [1] }), ...subscriber() },
    ],
    [
      "PUT /api/subscribers/5",
      "subscriber.unlist",
      ["write", "send", "delete"],
      "without lists it is on none",
      {
        ...json({ email: "ann@example.org", name: "Ann" }),
        ...subscriber(["double", "confirmed"]),
        recipients: ["ann@example.org"],
        source: CORE,
      },
    ],
    [
      "PUT /api/subscribers/5",
      "subscriber.relist",
      ["write", "send", "delete"],
      "on these alone, and asked for new ones",
      {
        ...json({ email: "ann@example.org", lists: [2] }),
        source: `${REPOSITORY} queries/subscribers.sql`,
      },
    ],
    [
      "POST /api/subscribers/5/optin",
      "subscriber.send-optin",
      ["send"],
      "a mail that asks for consent",
      { facts: { current: { data: { email: "a@example.org" } } }, recipients: ["a@example.org"] },
    ],
    [
      "PUT /api/subscribers/blocklist",
      "subscriber.blocklist",
      ["write", "delete"],
      "they hear no more",
      json({ ids: [1, 2] }),
    ],
    [
      "PUT /api/subscribers/lists",
      "subscriber.add",
      ["write"],
      "who is on it already stays as they are",
      {
        ...json({ ids: [1], action: "add", target_list_ids: [2] }),
        source: `${REPOSITORY} queries/subscribers.sql`,
      },
    ],
    [
      "PUT /api/subscribers/lists",
      "subscriber.lists",
      ["write", "delete", "administer"],
      "as unconfirmed: who had left a list hears of it again, who had confirmed does not",
      {
        ...json({ ids: [1], action: "add", target_list_ids: [2], status: "unconfirmed" }),
        source: `${REPOSITORY} queries/subscribers.sql`,
      },
    ],
    [
      "PUT /api/subscribers/lists",
      "subscriber.lists",
      ["write", "delete", "administer"],
      "as confirmed",
      json({ ids: [1], action: "add", target_list_ids: [2], status: "confirmed" }),
    ],
    [
      "PUT /api/subscribers/lists/5",
      "subscriber.remove",
      ["write", "delete"],
      "off a list",
      json({ ids: [5], action: "unsubscribe", target_list_ids: [2] }),
    ],
    ["DELETE /api/subscribers?id=1&id=2", "subscriber.delete", ["delete"], "for good"],
    [
      "POST /api/subscribers/query/delete",
      "subscriber.bulk",
      ["delete", "administer"],
      "everybody",
      json({ all: true }),
    ],
  ]),
  ...goldenRows(`${REPOSITORY} cmd/public.go`, [
    [
      "POST /api/public/subscription",
      "public.subscribe",
      ["write", "send"],
      "without a credential",
      {
        ...json({ email: "b@example.org", list_uuids: ["u"] }),
        recipients: ["b@example.org"],
      },
    ],
    [
      "POST /subscription/form",
      "public.subscribe",
      ["write", "send"],
      "the same as a form",
      { form: "email=b%40example.org&l=u", recipients: ["b@example.org"] },
    ],
    ["GET /api/public/lists", "public.read", ["read"], "public"],
    [
      "POST /subscription/wipe/0b5ac2a6-0f8d-4c6e-9b9e-111111111111",
      "unknown",
      UNKNOWN,
      "a subscriber's own page",
      { source: HANDLERS },
    ],
  ]),
  ...goldenRows(`${REPOSITORY} cmd/lists.go`, [
    ["GET /api/lists", "list.read", ["read-private"], "names and counts"],
    ["POST /api/lists", "list.create", ["write"], "private", json({ name: "l", type: "private" })],
    ["POST /api/lists", "list.publish", ["publish"], "public", json({ name: "l", type: "public" })],
    [
      "PUT /api/lists/1",
      "list.update",
      ["write"],
      "without a type it stays private",
      {
        ...json({ name: "l" }),
        facts: { current: { data: { type: "private" } } },
        source: `${REPOSITORY} queries/lists.sql`,
      },
    ],
    [
      "PUT /api/lists/1",
      "list.publish",
      ["publish"],
      "from private to public",
      { ...json({ name: "l", type: "public" }), facts: { current: { data: { type: "private" } } } },
    ],
    ["DELETE /api/lists/1", "list.delete", ["delete"], "for good"],
  ]),
  ...goldenRows(`${REPOSITORY} cmd/campaigns.go`, [
    ["GET /api/campaigns", "campaign.read", ["read-private"], "drafts too"],
    ["POST /api/campaigns/3/preview", "campaign.read", ["read-private"], "shown to oneself only"],
    ["POST /api/campaigns", "campaign.draft", ["write"], "a new one is a draft", json(NEWS)],
    [
      "POST /api/campaigns",
      "campaign.create-archived",
      ["write", "publish"],
      "public once it is sent",
      json({ ...NEWS, archive: true }),
    ],
    [
      "PUT /api/campaigns/3",
      "campaign.draft",
      ["write"],
      "a draft reaches nobody",
      { ...json({ subject: "Other" }), ...campaign("draft"), reversible: true },
    ],
    ...(["scheduled", "running", "paused"] as const).map(
      (status) =>
        [
          "PUT /api/campaigns/3",
          "campaign.change-live",
          LIVE,
          `what is ${status} goes out as it is now`,
          { ...json({ subject: "Other" }), ...campaign(status), recipients: ["Customers"] },
        ] as const,
    ),
    ...[{ send_at: "2026-12-02T08:00:00Z" }, { lists: [2] }, { template_id: 2 }].map(
      (change) =>
        [
          "PUT /api/campaigns/3",
          "campaign.change-live",
          LIVE,
          `of what is scheduled another ${Object.keys(change).join()}`,
          { ...json(change), ...campaign("scheduled") },
        ] as const,
    ),
    [
      "PUT /api/campaigns/3/status",
      "campaign.unschedule",
      ["write"],
      "what is scheduled waits no more",
      {
        ...json({ status: "draft" }),
        ...campaign("scheduled"),
        source: `${REPOSITORY} internal/core/campaigns.go`,
      },
    ],
    [
      "PUT /api/campaigns/3",
      "campaign.change-live",
      LIVE,
      "nothing is known of its state",
      json({ subject: "Other" }),
    ],
    [
      "PUT /api/campaigns/3/status",
      "campaign.start",
      ["send"],
      "mail to a list",
      {
        ...json({ status: "running" }),
        ...campaign("draft"),
        recipients: ["Customers"],
        reversible: false,
      },
    ],
    [
      "PUT /api/campaigns/3/status",
      "campaign.start",
      ["send"],
      "Go takes names in any case",
      { ...json({ STATUS: "running" }), ...campaign("draft") },
    ],
    [
      "PUT /api/campaigns/3/status",
      "unknown",
      UNKNOWN,
      "two of one name, to Go",
      json({ status: "paused", Status: "running" }),
    ],
    [
      "PUT /api/campaigns/3/status",
      "unknown",
      UNKNOWN,
      "a form in place of JSON",
      { form: "status=paused" },
    ],
    [
      "PUT /api/campaigns/3/status",
      "campaign.schedule",
      ["send"],
      "mail to a list, later",
      { ...json({ status: "scheduled" }), ...campaign("draft"), recipients: ["Customers"] },
    ],
    [
      "PUT /api/campaigns/3/status",
      "campaign.pause",
      ["write"],
      "can go on",
      { ...json({ status: "paused" }), source: `${REPOSITORY} internal/core/campaigns.go` },
    ],
    [
      "PUT /api/campaigns/3/status",
      "campaign.unschedule",
      ["write"],
      "a draft again",
      { ...json({ status: "draft" }), source: `${REPOSITORY} internal/core/campaigns.go` },
    ],
    [
      "PUT /api/campaigns/3/status",
      "campaign.cancel",
      ["delete"],
      "cannot go on",
      {
        ...json({ status: "cancelled" }),
        reversible: false,
        source: `${REPOSITORY} internal/core/campaigns.go`,
      },
    ],
    [
      "POST /api/campaigns/3/test",
      "campaign.test",
      ["send"],
      "to whom the request names",
      {
        ...json({ subject: "t", subscribers: ["a@example.org", "b@example.org"] }),
        recipients: ["a@example.org", "b@example.org"],
      },
    ],
    [
      "PUT /api/campaigns/3/archive",
      "campaign.archive",
      ["publish"],
      "a public page",
      json({ archive: true, archive_slug: "news" }),
    ],
    [
      "PUT /api/campaigns/3/archive",
      "campaign.unarchive",
      ["publish", "delete"],
      "the page is gone",
      json({ archive: false }),
    ],
    ["DELETE /api/campaigns?all=true", "campaign.delete", ["delete"], "all of them"],
    ["PUT /api/campaigns/3/", "unknown", UNKNOWN, "a slash at the end", { source: HANDLERS }],
  ]),
  ...goldenRows(`${REPOSITORY} cmd/templates.go`, [
    ["GET /api/templates", "template.read", ["read-private"], "contents"],
    [
      "POST /api/templates",
      "template.create",
      ["write"],
      "no mail is made with it yet",
      json({ name: "t" }),
    ],
    [
      "PUT /api/templates/2",
      "template.change-live",
      LIVE,
      "a scheduled campaign is made with it",
      {
        ...json({ name: "t", body: "b" }),
        ...template("campaign", 1, [{ status: "scheduled", archive: false }]),
      },
    ],
    [
      "PUT /api/templates/2",
      "template.change-live",
      LIVE,
      "transactional mail is always made with it",
      { ...json({ name: "t", body: "b" }), ...template("tx", 0, []) },
    ],
    [
      "PUT /api/templates/2",
      "template.change-live",
      LIVE,
      "an archived campaign is shown with it",
      {
        ...json({ name: "t", body: "b" }),
        ...template("campaign", 1, [{ status: "finished", archive: true }]),
        source: `${REPOSITORY} queries/campaigns.sql`,
      },
    ],
    [
      "PUT /api/templates/2",
      "template.update",
      ["write"],
      "nothing is on its way",
      {
        ...json({ name: "t", body: "b" }),
        ...template("campaign", 1, [{ status: "draft", archive: false }]),
      },
    ],
    [
      "PUT /api/templates/2",
      "template.update",
      ["write"],
      "there are no campaigns",
      { ...json({ name: "t", body: "b" }), ...template("campaign", 0, []) },
    ],
    ["PUT /api/templates/2/default", "template.change-live", LIVE, "for all that name none"],
    [
      "DELETE /api/templates/2",
      "template.delete",
      ["delete"],
      "no campaign is on its way",
      { ...template("campaign", 1, [{ status: "finished", archive: false }]), ...TEMPLATES_SQL },
    ],
    [
      "DELETE /api/templates/2",
      "template.delete",
      ["delete"],
      "no campaign is made with it",
      { ...template("tx", 1, [{ status: "scheduled", archive: false }]), ...TEMPLATES_SQL },
    ],
    [
      "DELETE /api/templates/2",
      "template.delete-live",
      ["delete", "send", "publish"],
      "a scheduled campaign goes out with the default one",
      { ...template("campaign", 1, [{ status: "scheduled", archive: false }]), ...TEMPLATES_SQL },
    ],
    [
      "DELETE /api/templates/2",
      "template.delete-live",
      ["delete", "send", "publish"],
      "a public page looks otherwise",
      { ...template("campaign", 1, [{ status: "finished", archive: true }]), ...TEMPLATES_SQL },
    ],
    [
      "DELETE /api/templates/2",
      "template.delete-live",
      ["delete", "send", "publish"],
      "nothing is known of campaigns",
      TEMPLATES_SQL,
    ],
  ]),
  ...goldenRows(`${REPOSITORY} cmd/tx.go`, [
    [
      "POST /api/tx",
      "tx.send",
      ["send"],
      "to subscribers only",
      {
        ...json({ subscriber_emails: ["a@example.org"], template_id: 3 }),
        recipients: ["a@example.org"],
        reversible: false,
      },
    ],
    [
      "POST /api/tx",
      "tx.send-external",
      ["send"],
      "to any address",
      {
        ...json({
          subscriber_emails: ["x@example.net"],
          subscriber_mode: "external",
          template_id: 3,
        }),
        recipients: ["x@example.net"],
      },
    ],
    [
      "POST /api/tx",
      "tx.send-external",
      ["send"],
      "blind copies in its headers reach any address",
      {
        ...json({
          subscriber_emails: ["a@example.org"],
          headers: [{ bCC: "x@example.net, y@example.net" }],
          template_id: 3,
        }),
        recipients: ["a@example.org", "x@example.net", "y@example.net"],
        source: `${REPOSITORY} internal/messenger/email/email.go`,
      },
    ],
    ["POST /api/tx", "unknown", UNKNOWN, "its JSON is text in a form", UPLOAD],
  ]),
  ...goldenRows(HANDLERS, [
    ["GET /api/media", "media.read", ["read"], "public anyway"],
    ["POST /api/media", "media.upload", ["publish"], "at a public address", UPLOAD],
    ["DELETE /api/media/4", "media.delete", ["delete"], "for good"],
    ["GET /api/bounces", "bounce.read", ["read-private"], "addresses"],
    ["DELETE /api/bounces/4", "bounce.delete", ["delete"], "for good"],
    [
      "POST /webhooks/bounce",
      "bounce.report",
      ["write", "delete"],
      "can block a subscriber",
      json({ email: "a@example.org", type: "hard" }),
    ],
    ["GET /api/import/subscribers", "import.read", ["read-private"], "its state"],
    [
      "POST /api/import/subscribers",
      "import.start",
      ["write", "delete", "administer"],
      "overwrites, blocks, and claims consent",
      { ...UPLOAD, source: `${REPOSITORY} cmd/import.go` },
    ],
    ["DELETE /api/import/subscribers", "import.stop", ["write"], "stops it"],
    ["GET /api/config", "server.read", ["read-private"], "what there is"],
    ["GET /api/settings", "settings.read", ["read-private"], "with hosts and user names"],
    ["PUT /api/settings", "settings.update", ["administer"], "where mail goes out", json({})],
    [
      "POST /api/settings/smtp/test",
      "settings.test-mail",
      ["administer", "send"],
      "a mail through any server",
      json({ email: "a@example.org" }),
    ],
    ["POST /api/admin/reload", "server.reload", ["administer"], "a new start"],
    ["GET /api/users", "user.read", ["read-private"], "who there is"],
    ["POST /api/users", "user.write", ["administer"], "a new user", json({ username: "u" })],
    ["POST /api/roles/users", "user.write", ["administer"], "a new role", json({ name: "r" })],
    ["DELETE /api/users/2", "user.delete", ["administer", "delete"], "a user is gone"],
    [
      "DELETE /api/maintenance/subscribers/orphan",
      "maintenance.delete",
      ["delete", "administer"],
      "in bulk",
    ],
    [
      "GET /api/maintenance/analytics/views/export",
      "maintenance.export",
      ["read-private"],
      "who read what",
    ],
    ["POST /admin/login", "unknown", UNKNOWN, "the admin's own pages"],
    [
      "POST /api/campaigns/3",
      "unknown",
      UNKNOWN,
      "a header that some servers take a method from",
      { headers: { "x-http-method-override": "PUT" }, json: { subject: "s" } },
    ],
  ]),
];
