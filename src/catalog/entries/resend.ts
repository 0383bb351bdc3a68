/**
 * Resend: mail by API.
 *
 * @module
 */
import type { EntrySource } from "../entry.ts";

const MAIL = ["to", "cc", "bcc"];

/** A mail cannot be changed but in its time; it can be told to go out at once. */
const mailLater = (id: string): EntrySource["routes"][number]["later"] => ({
  read: { mail: `/emails/${id}` },
  at: "mail.scheduled_at",
  waits: { "mail.last_event": { only: ["scheduled"] } },
  withdrawn: { "mail.last_event": { only: ["canceled"] } },
  compare: ["from", ...MAIL, "reply_to", "subject", "html", "text", "scheduled_at"].map(
    (name) => `mail.${name}`,
  ),
  stop: [{ request: `POST /emails/${id}/cancel` }],
});

const broadcastLater = (id: string): EntrySource["routes"][number]["later"] => ({
  read: { broadcast: `/broadcasts/${id}` },
  at: "broadcast.scheduled_at",
  waits: { "broadcast.status": { only: ["scheduled"] } },
  withdrawn: { "broadcast.status": { only: ["draft", "canceled"] } },
  compare: [
    ...["audience_id", "segment_id", "topic_id", "from", "reply_to", "subject", "preview_text"],
    ...["html", "text", "scheduled_at"],
  ].map((name) => `broadcast.${name}`),
  stop: [{ request: `POST /broadcasts/${id}/cancel` }],
});

export const resend: EntrySource = {
  system: "resend",
  title: "Resend",
  docs: ["https://resend.com/docs/api-reference", "https://github.com/resend/resend-openapi"],
  hosts: ["api.resend.com"],
  credential: [{ in: "header", name: "authorization", scheme: "Bearer" }],
  unknown: ["send", "delete", "administer"],
  routes: [
    {
      verb: "email.send",
      request: "POST /emails",
      effects: ["send"],
      summary: "Mail {body.subject} from {body.from} to {body.to}",
      body: ["json"],
      recipients: MAIL.map((name) => `body.${name}`),
      takes_effect_at: "body.scheduled_at",
      later: mailLater("{answer.id}"),
      show: "mail",
    },
    {
      verb: "email.send-batch",
      request: "POST /emails/batch",
      effects: ["send"],
      summary: "Mail {body.*.subject} to {body.*.to}",
      body: ["json"],
      recipients: MAIL.map((name) => `body.*.${name}`),
      show: "mail",
    },
    {
      verb: "email.reschedule",
      request: "PATCH /emails/{id}",
      effects: ["send"],
      summary: "Send the mail {path.id} at another time",
      lookup: { current: "/emails/{path.id}" },
      recipients: MAIL.map((name) => `current.${name}`),
      takes_effect_at: "body.scheduled_at",
      later: mailLater("{path.id}"),
      show: "mail",
    },
    {
      verb: "email.cancel",
      request: "POST /{kind:emails|broadcasts}/{id}/cancel",
      effects: ["write"],
      summary: "Keep back what was to be sent later: {path.id} of {path.kind}",
    },
    {
      verb: "email.share",
      request: "POST /emails/{id}/share",
      effects: ["publish"],
      summary: "Make a link by which everyone can read the mail {path.id}",
    },
    {
      verb: "broadcast.send",
      request: "POST /broadcasts/{id}/send",
      effects: ["send"],
      summary:
        "Mail the broadcast {current.subject} to all of {current.segment_id} {current.audience_id}",
      lookup: { current: "/broadcasts/{path.id}" },
      recipients: ["current.segment_id", "current.audience_id"],
      takes_effect_at: "body.scheduled_at",
      later: broadcastLater("{path.id}"),
      show: "mail",
    },
    {
      verb: "broadcast.send",
      request: "POST /broadcasts",
      effects: ["send"],
      summary: "Mail {body.subject} to all of {body.segment_id} {body.audience_id}",
      body: ["json"],
      recipients: ["body.segment_id", "body.audience_id"],
      takes_effect_at: "body.scheduled_at",
      later: broadcastLater("{answer.id}"),
      show: "mail",
      cases: [
        {
          when: { "body.send": { absent: true }, "body.scheduled_at": { absent: true } },
          verb: "broadcast.draft",
          effects: ["write"],
          summary: "Draft the broadcast {body.subject}",
        },
        {
          when: { "body.send": { only: [false] }, "body.scheduled_at": { absent: true } },
          verb: "broadcast.draft",
          effects: ["write"],
          summary: "Draft the broadcast {body.subject}",
        },
      ],
    },
    {
      verb: "broadcast.change-scheduled",
      request: "PATCH /broadcasts/{id}",
      effects: ["send"],
      summary: "Change a broadcast that is to be sent: {current.subject}",
      lookup: { current: "/broadcasts/{path.id}" },
      recipients: ["current.segment_id", "current.audience_id", "body.segment_id"],
      later: broadcastLater("{path.id}"),
      show: "mail",
      cases: [
        {
          when: { "current.status": { only: ["draft"] } },
          verb: "broadcast.draft",
          effects: ["write"],
          summary: "Change the draft of a broadcast {current.name}",
        },
      ],
    },
    {
      verb: "event.send",
      request: "POST /events/send",
      effects: ["send", "execute"],
      summary: "Set off the automations that wait for {body.event}",
      recipients: ["body.email", "body.contact_id"],
    },
    {
      verb: "automation.change",
      request: [
        "POST /automations",
        "PATCH|DELETE /automations/{id}",
        "POST /automations/{id}/{act:duplicate|stop}",
        "POST /events",
        "PATCH|DELETE /events/{id}",
      ],
      effects: ["send", "execute"],
      summary: "Change what is mailed by itself: {body.name} {path.id}",
      show: "workflow",
    },
    {
      verb: "template.publish",
      request: ["POST /templates/{id}/publish", "PATCH|DELETE /templates/{id}"],
      effects: ["publish"],
      summary: "Change what mails made of the template {path.id} say",
    },
    {
      verb: "template.create",
      request: ["POST /templates", "POST /templates/{id}/duplicate"],
      effects: ["write"],
      summary: "Draft a template {body.name}",
    },
    {
      verb: "list.delete",
      request: [
        "DELETE /{kind:contacts|broadcasts|segments|audiences|topics|contact-properties}/{id}",
        "DELETE /contacts/{id}/segments/{segment}",
      ],
      effects: ["delete"],
      summary: "Delete {path.id} of {path.kind}",
    },
    {
      // Whoever is on it no longer wants mail; taken off, they get it again.
      verb: "suppression.remove",
      request: ["POST /suppressions/batch/remove", "DELETE /suppressions/{address}"],
      effects: ["administer"],
      summary: "Let those be mailed who do not want it: {path.address} {body.emails.*}",
    },
    {
      verb: "list.write",
      request: [
        "POST /{kind:contacts|segments|audiences|topics|contact-properties|suppressions}",
        "PATCH /{kind:contacts|topics|contact-properties}/{id}",
        "POST /contacts/{id}/segments/{segment}",
        "PATCH /contacts/{id}/topics",
        "POST /suppressions/batch/add",
      ],
      effects: ["write"],
      summary: "Change {path.kind}: {body.email} {body.name} {path.id}",
    },
    {
      verb: "contact.import",
      request: "POST /contacts/imports",
      effects: ["write"],
      summary: "Import contacts",
      body: ["json", "multipart"],
    },
    {
      verb: "account.administer",
      request: [
        "POST /{kind:api-keys|domains|webhooks}",
        "PATCH|DELETE /{kind:api-keys|domains|webhooks}/{id}",
        "POST /domains/{id}/verify",
        "POST /domains/claim",
        "POST /domains/{id}/claim/verify",
        "DELETE /oauth/grants/{id}",
      ],
      effects: ["administer", "send"],
      summary: "Change {path.kind}: {body.name} {body.endpoint} {path.id}",
      recipients: ["body.endpoint"],
    },
    {
      verb: "data.read",
      request: [
        "GET /{kind:emails|domains|api-keys|templates|audiences|contacts|broadcasts|webhooks|segments|topics|logs|automations|events|suppressions|contact-properties|oauth}",
        "GET /{kind:emails|domains|api-keys|templates|audiences|contacts|broadcasts|webhooks|segments|topics|logs|automations|events|suppressions|contact-properties|oauth}/{rest...}",
      ],
      effects: ["read-private"],
      summary: "Read {path.kind} {path.rest}",
    },
  ],
};
