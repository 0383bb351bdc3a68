/**
 * SendGrid: mail by API, and marketing.
 *
 * @module
 */
import type { EntrySource } from "../entry.ts";

const PEOPLE = ["to", "cc", "bcc"].map((name) => `body.personalizations.*.${name}.*.email`);
const SETTINGS =
  "{area:access_settings|mail_settings|partner_settings|tracking_settings|whitelabel|verified_senders|senders|teammates|subusers|scopes|sso|alerts|api_keys|ips|user|designs}";

/**
 * A single send. A mail of `/mail/send` with a time can neither be read nor be changed before it, only kept back, and
 * that not in its last ten minutes: there is nothing to compare.
 */
const LATER: EntrySource["routes"][number]["later"] = {
  read: { send: "/marketing/singlesends/{path.id}" },
  at: "send.send_at",
  waits: { "send.status": { only: ["scheduled"] } },
  withdrawn: { "send.status": { only: ["draft"] } },
  compare: ["send.name", "send.send_at", "send.send_to", "send.email_config"],
  stop: [{ request: "DELETE /marketing/singlesends/{path.id}/schedule" }],
};

export const sendgrid: EntrySource = {
  system: "sendgrid",
  title: "SendGrid",
  docs: [
    "https://www.twilio.com/docs/sendgrid/api-reference",
    "https://github.com/sendgrid/sendgrid-oai",
  ],
  hosts: ["api.sendgrid.com", "api.eu.sendgrid.com"],
  base: ["/v3"],
  credential: [{ in: "header", name: "authorization", scheme: "Bearer" }],
  unknown: ["send", "delete", "administer"],
  routes: [
    {
      verb: "mail.send",
      request: "POST /mail/send",
      effects: ["send"],
      summary: "Mail {body.subject} from {body.from.email} to {body.personalizations.*.to.*.email}",
      body: ["json"],
      recipients: [...PEOPLE, "body.mail_settings.bcc.email"],
      takes_effect_at: "body.send_at",
      show: "mail",
      cases: [
        {
          when: { "body.mail_settings.sandbox_mode.enable": { only: [true] } },
          verb: "mail.check",
          effects: ["write"],
          summary: "Check a mail, which is not sent",
        },
      ],
    },
    {
      verb: "mail.batch-id",
      request: "POST /mail/batch",
      effects: ["write"],
      summary: "Get an id for mails that are to be sent together",
    },
    {
      verb: "mail.pause",
      request: ["POST /user/scheduled_sends", "PATCH /user/scheduled_sends/{batch}"],
      effects: ["write"],
      summary: "Pause or cancel mails of the batch {param.batch_id} {path.batch}",
    },
    {
      verb: "mail.resume",
      request: "DELETE /user/scheduled_sends/{batch}",
      effects: ["send"],
      summary: "Send the paused mails of the batch {path.batch} after all",
    },
    {
      verb: "single-send.schedule",
      request: "PUT /marketing/singlesends/{id}/schedule",
      effects: ["send"],
      summary: "Mail {current.name} to the lists {current.send_to.list_ids.*} at {body.send_at}",
      lookup: { current: "/marketing/singlesends/{path.id}" },
      recipients: ["current.send_to.list_ids.*", "current.send_to.segment_ids.*"],
      takes_effect_at: "body.send_at",
      later: LATER,
      show: "mail",
    },
    {
      verb: "single-send.unschedule",
      request: "DELETE /marketing/singlesends/{id}/schedule",
      effects: ["write"],
      summary: "Keep back the single send {path.id}",
    },
    {
      verb: "single-send.change-scheduled",
      request: "PATCH /marketing/singlesends/{id}",
      effects: ["send"],
      summary: "Change what is to be sent: {current.name}",
      lookup: { current: "/marketing/singlesends/{path.id}" },
      later: LATER,
      show: "mail",
      cases: [
        {
          when: { "current.status": { only: ["draft"] }, "body.send_at": { absent: true } },
          verb: "single-send.draft",
          effects: ["write"],
          summary: "Change the draft {current.name}",
        },
      ],
    },
    {
      verb: "single-send.search",
      request: ["POST /marketing/singlesends/search", "POST /marketing/contacts/search"],
      effects: ["read-private"],
      summary: "Search single sends or contacts",
    },
    {
      verb: "single-send.draft",
      request: ["POST /marketing/singlesends", "POST /marketing/singlesends/{id}"],
      effects: ["write"],
      summary: "Draft {body.name}",
    },
    {
      verb: "campaign.send",
      request: [
        "POST /campaigns/{id}/schedules/{when:now|test}",
        "POST|PATCH /campaigns/{id}/schedules",
        "POST /marketing/test/send_email",
      ],
      effects: ["send"],
      summary: "Mail the campaign {path.id} ({path.when}) {body.emails.*} {body.to}",
      recipients: ["body.emails.*", "body.to"],
      show: "mail",
    },
    {
      verb: "contact.search",
      request: [
        "POST /marketing/contacts/search/emails",
        "POST /marketing/contacts/batch",
        "POST /marketing/contacts/exports",
      ],
      effects: ["read-private"],
      summary: "Read or export contacts",
    },
    {
      verb: "contact.write",
      request: [
        "PUT /marketing/contacts",
        "PUT /marketing/contacts/imports",
        "POST /marketing/{kind:lists|segments|field_definitions}",
        "PATCH /marketing/{kind:lists|segments|field_definitions}/{id}",
        "POST /asm/suppressions/global",
        "POST /asm/groups/{group}/suppressions",
      ],
      effects: ["write"],
      summary: "Change contacts and lists: {body.contacts.*.email} {body.name}",
    },
    {
      verb: "contact.delete",
      request: [
        "DELETE /marketing/contacts",
        "DELETE /marketing/{kind:lists|segments|field_definitions|singlesends}/{id}",
        "DELETE /marketing/lists/{id}/contacts",
        "DELETE /marketing/singlesends",
        "DELETE /campaigns/{id}",
        "DELETE /templates/{id}",
      ],
      effects: ["delete"],
      summary: "Delete contacts, lists or mailings ({path.kind} {path.id} {query.ids})",
    },
    {
      // Whoever is on such a list does not want mail; taken off, they get it again.
      verb: "suppression.remove",
      request: [
        "DELETE /suppression/{kind}",
        "DELETE /suppression/{kind}/{email}",
        "DELETE /asm/suppressions/global/{email}",
        "DELETE /asm/groups/{group}/suppressions/{email}",
      ],
      effects: ["administer"],
      summary: "Let {path.email} be mailed again ({path.kind})",
    },
    {
      // Mails are made of the active version.
      verb: "template.publish",
      request: [
        "POST /templates/{id}/versions",
        "POST /templates/{id}/versions/{version}/activate",
        "PATCH|DELETE /templates/{id}/versions/{version}",
      ],
      effects: ["publish"],
      summary: "Change what mails made of the template {path.id} say",
    },
    {
      verb: "template.write",
      request: ["POST /templates", "POST|PATCH /templates/{id}"],
      effects: ["write"],
      summary: "Make or rename a template {body.name}",
    },
    {
      verb: "data.read",
      request: [
        "GET /{area:marketing|campaigns|contactdb|templates|suppression|asm|stats|messages|mail|scopes|user}/{rest...}",
        "GET /{area:campaigns|templates|stats|messages|scopes|categories}",
        `GET /${SETTINGS}/{rest...}`,
        `GET /${SETTINGS}`,
      ],
      effects: ["read-private"],
      summary: "Read {path.area} {path.rest}",
    },
    {
      verb: "account.administer",
      request: [
        `POST|PUT|PATCH|DELETE /${SETTINGS}`,
        `POST|PUT|PATCH|DELETE /${SETTINGS}/{rest...}`,
      ],
      effects: ["administer", "send"],
      summary: "Change {path.area} {path.rest}: {body.name} {body.url}",
      recipients: ["body.url"],
    },
  ],
};
