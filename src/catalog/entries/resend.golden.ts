/** Golden requests of Resend. */
import { goldenRows, type Golden } from "../golden.ts";

const SPEC = "github.com/resend/resend-openapi resend.json";
const MAIL = { from: "me@example.com", to: ["a@example.org"], subject: "Hello", text: "x" };
const UNKNOWN = ["send", "delete", "administer"] as const;
const BROADCAST = {
  facts: { current: { status: "scheduled", subject: "News", segment_id: "all" } },
};

export const golden: readonly Golden[] = goldenRows(SPEC, [
  [
    "POST /emails",
    "email.send",
    ["send"],
    "to, cc and bcc",
    {
      json: { ...MAIL, cc: "b@example.org", bcc: ["c@example.org"] },
      recipients: ["a@example.org", "b@example.org", "c@example.org"],
      reversible: false,
    },
  ],
  [
    "POST /emails",
    "email.send",
    ["send"],
    "later, which is still a mail",
    { json: { ...MAIL, scheduled_at: "2027-01-02T03:04:05Z" }, recipients: ["a@example.org"] },
  ],
  [
    "POST /emails",
    "email.send",
    ["send"],
    "two people in one text",
    {
      json: { ...MAIL, to: "Ann <a@example.org>, b@example.org" },
      recipients: ["a@example.org", "b@example.org"],
    },
  ],
  ["POST /emails", "unknown", UNKNOWN, "a form is not what it takes", { form: "to=a@example.org" }],
  [
    "POST /emails/batch",
    "email.send-batch",
    ["send"],
    "everyone in every mail",
    {
      json: [MAIL, { ...MAIL, to: "d@example.org" }],
      recipients: ["a@example.org", "d@example.org"],
    },
  ],
  ["POST /emails/", "unknown", UNKNOWN, "another path", { json: MAIL }],
  [
    "PATCH /emails/e1",
    "email.reschedule",
    ["send"],
    "sent at another time",
    {
      json: { scheduled_at: "2027-01-02T03:04:05Z" },
      facts: { current: { to: ["a@example.org"] } },
      recipients: ["a@example.org"],
    },
  ],
  ["POST /emails/e1/cancel", "email.cancel", ["write"], "it is kept back"],
  ["POST /emails/e1/share", "email.share", ["publish"], "a link that works for everyone"],
  [
    "POST /broadcasts",
    "broadcast.draft",
    ["write"],
    "kept as a draft by default",
    { json: { segment_id: "all", subject: "News" } },
  ],
  [
    "POST /broadcasts",
    "broadcast.draft",
    ["write"],
    "said outright",
    { json: { segment_id: "all", send: false } },
  ],
  [
    "POST /broadcasts",
    "broadcast.send",
    ["send"],
    "sent at once",
    { json: { segment_id: "all", send: true }, recipients: ["all"] },
  ],
  [
    "POST /broadcasts",
    "broadcast.send",
    ["send"],
    "true as a text",
    { json: { segment_id: "all", send: "true" } },
  ],
  [
    "POST /broadcasts/b1/send",
    "broadcast.send",
    ["send"],
    "to everyone on the list",
    { json: {}, ...BROADCAST, recipients: ["all"] },
  ],
  [
    "PATCH /broadcasts/b1",
    "broadcast.change-scheduled",
    ["send"],
    "it is to be sent as it is then",
    { json: { html: "x" }, ...BROADCAST },
  ],
  [
    "PATCH /broadcasts/b1",
    "broadcast.draft",
    ["write"],
    "a draft",
    { json: { html: "x" }, facts: { current: { status: "draft" } } },
  ],
  ["DELETE /broadcasts/b1", "list.delete", ["delete"], "a draft goes"],
  [
    "POST /events/send",
    "event.send",
    ["send", "execute"],
    "sets off automations",
    { json: { event: "user.created", email: "a@example.org" }, recipients: ["a@example.org"] },
  ],
  [
    "POST /automations",
    "automation.change",
    ["send", "execute"],
    "mails by itself",
    { json: { name: "n" } },
  ],
  ["POST /templates", "template.create", ["write"], "a draft", { json: { name: "n" } }],
  ["POST /templates/t1/publish", "template.publish", ["publish"], "used from now on"],
  [
    "POST /contacts",
    "list.write",
    ["write"],
    "one more on the list",
    { json: { email: "a@example.org" } },
  ],
  ["POST /contacts/imports", "contact.import", ["write"], "many more", { json: {} }],
  [
    "DELETE /suppressions/a@example.org",
    "suppression.remove",
    ["administer"],
    "who does not want mail gets it",
  ],
  [
    "POST /api-keys",
    "account.administer",
    ["administer", "send"],
    "a key that works without Cofferdam",
    { json: { name: "k" } },
  ],
  [
    "POST /webhooks",
    "account.administer",
    ["administer", "send"],
    "told of all mails",
    {
      json: { endpoint: "https://e.example.org/", events: ["email.sent"] },
      recipients: ["https://e.example.org/"],
    },
  ],
  ["GET /emails/receiving/e1", "data.read", ["read-private"], "mail that was received"],
  ["GET /logs", "data.read", ["read-private"], "what was sent to whom"],
]);
