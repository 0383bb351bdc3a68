/** Golden requests of SendGrid. */
import { goldenRows, type Golden } from "../golden.ts";

const SPEC = "github.com/sendgrid/sendgrid-oai oai.json";
const UNKNOWN = ["send", "delete", "administer"] as const;
const MAIL = {
  personalizations: [
    { to: [{ email: "a@example.org" }], cc: [{ email: "b@example.org" }] },
    { to: [{ email: "c@example.org" }], bcc: [{ email: "d@example.org" }] },
  ],
  from: { email: "me@example.com" },
  subject: "Hello",
};
const EVERYBODY = ["a@example.org", "b@example.org", "c@example.org", "d@example.org"];
const SCHEDULED = {
  facts: { current: { name: "News", status: "scheduled", send_to: { list_ids: ["l1"] } } },
};

export const golden: readonly Golden[] = goldenRows(SPEC, [
  [
    "POST /v3/mail/send",
    "mail.send",
    ["send"],
    "everyone in every personalization",
    { json: MAIL, recipients: EVERYBODY, reversible: false },
  ],
  [
    "POST /v3/mail/send",
    "mail.send",
    ["send"],
    "later, which is still a mail",
    { json: { ...MAIL, send_at: 1_800_000_000 } },
  ],
  [
    "POST /v3/mail/send",
    "mail.check",
    ["write"],
    "sandbox: checked, not sent",
    { json: { ...MAIL, mail_settings: { sandbox_mode: { enable: true } } } },
  ],
  [
    "POST /v3/mail/send",
    "unknown",
    UNKNOWN,
    "a form is not what it takes",
    { form: "to=a@example.org" },
  ],
  ["POST /v3/mail/batch", "mail.batch-id", ["write"], "a number only"],
  [
    "POST /v3/user/scheduled_sends",
    "mail.pause",
    ["write"],
    "kept back",
    { json: { batch_id: "b", status: "pause" } },
  ],
  ["DELETE /v3/user/scheduled_sends/b", "mail.resume", ["send"], "what was kept back is sent"],
  [
    "POST /v3/marketing/singlesends",
    "single-send.draft",
    ["write"],
    "a draft",
    { json: { name: "News" } },
  ],
  [
    "PUT /v3/marketing/singlesends/s1/schedule",
    "single-send.schedule",
    ["send"],
    "to all of a list",
    { json: { send_at: "now" }, ...SCHEDULED, recipients: ["l1"] },
  ],
  [
    "PATCH /v3/marketing/singlesends/s1",
    "single-send.change-scheduled",
    ["send"],
    "it is to be sent as it is then",
    { json: { name: "x" }, ...SCHEDULED },
  ],
  [
    "PATCH /v3/marketing/singlesends/s1",
    "single-send.draft",
    ["write"],
    "a draft",
    { json: { name: "x" }, facts: { current: { status: "draft" } } },
  ],
  [
    "DELETE /v3/marketing/singlesends/s1/schedule",
    "single-send.unschedule",
    ["write"],
    "kept back",
  ],
  [
    "POST /v3/marketing/singlesends/search",
    "single-send.search",
    ["read-private"],
    "a query in a body",
    { json: {} },
  ],
  ["POST /v3/campaigns/1/schedules/now", "campaign.send", ["send"], "the older interface"],
  [
    "POST /v3/marketing/test/send_email",
    "campaign.send",
    ["send"],
    "a test is a mail as well",
    { json: { template_id: "t", emails: ["a@example.org"] }, recipients: ["a@example.org"] },
  ],
  [
    "POST /v3/marketing/contacts/exports",
    "contact.search",
    ["read-private"],
    "everyone on a list",
    { json: {} },
  ],
  [
    "PUT /v3/marketing/contacts",
    "contact.write",
    ["write"],
    "more on a list",
    { json: { contacts: [{ email: "a@example.org" }] } },
  ],
  [
    "DELETE /v3/marketing/contacts?delete_all_contacts=true",
    "contact.delete",
    ["delete"],
    "everyone goes",
  ],
  [
    "DELETE /v3/asm/suppressions/global/a@example.org",
    "suppression.remove",
    ["administer"],
    "who does not want mail gets it",
  ],
  ["POST /v3/templates", "template.write", ["write"], "not used yet", { json: { name: "t" } }],
  [
    "POST /v3/templates/t1/versions/v1/activate",
    "template.publish",
    ["publish"],
    "used from now on",
  ],
  [
    "POST /v3/api_keys",
    "account.administer",
    ["administer", "send"],
    "a key that works without Cofferdam",
    { json: { name: "k" } },
  ],
  [
    "PATCH /v3/user/webhooks/event/settings",
    "account.administer",
    ["administer", "send"],
    "told of all mails",
    { json: { url: "https://e.example.org/" }, recipients: ["https://e.example.org/"] },
  ],
  [
    "POST /v3/teammates",
    "account.administer",
    ["administer", "send"],
    "another person with rights",
    { json: { email: "e@example.org" } },
  ],
  ["GET /v3/marketing/contacts", "data.read", ["read-private"], "who is on the list"],
  ["GET /v3/api_keys", "data.read", ["read-private"], "which keys there are"],
  ["POST /mail/send", "unknown", UNKNOWN, "without the version", { json: MAIL }],
]);
