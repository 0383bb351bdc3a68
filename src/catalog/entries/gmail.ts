/**
 * Gmail, by its API. Mail is read by the reader `mime`, so that every recipient is known before it is sent.
 * A batch of /batch is many requests in a text of its own form, which is not read: it counts as all at once.
 *
 * @module
 */
import type { EntrySource } from "../entry.ts";

const USER = "/users/{user}";
const MAIL_BODIES = ["json", "raw"] as const;

export const gmail: EntrySource = {
  system: "gmail",
  title: "Gmail",
  docs: [
    "https://developers.google.com/workspace/gmail/api/reference/rest",
    "https://gmail.googleapis.com/$discovery/rest?version=v1",
  ],
  hosts: ["gmail.googleapis.com"],
  base: ["/gmail/v1", "/upload/gmail/v1", "/resumable/upload/gmail/v1"],
  credential: [{ in: "header", name: "authorization", scheme: "Bearer" }],
  unknown: ["send", "delete", "administer"],
  override: { header: "x-http-method-override" },
  routes: [
    {
      verb: "message.send",
      request: `POST ${USER}/{box:messages}/{act:send}`,
      effects: ["send"],
      summary: "Send a mail",
      body: [...MAIL_BODIES],
      reader: "mime",
      show: "mail",
    },
    {
      verb: "draft.send",
      request: `POST ${USER}/{box:drafts}/{act:send}`,
      effects: ["send"],
      summary: "Send the draft {body.id}",
      body: [...MAIL_BODIES],
      // Sent by its id, a draft is what it is at that moment.
      lookup: { current: `${USER.replace("{user}", "{path.user}")}/drafts/{body.id}?format=raw` },
      reader: "mime",
      show: "mail",
    },
    {
      verb: "draft.create",
      request: `POST ${USER}/drafts`,
      effects: ["write"],
      summary: "Write a draft",
      body: [...MAIL_BODIES],
      reader: "mime",
      show: "mail",
    },
    {
      verb: "draft.update",
      request: `PUT ${USER}/drafts/{id}`,
      effects: ["write"],
      summary: "Replace the draft {path.id}",
      body: [...MAIL_BODIES],
      reader: "mime",
      show: "mail",
    },
    {
      verb: "draft.delete",
      request: `DELETE ${USER}/drafts/{id}`,
      effects: ["delete"],
      summary: "Delete the draft {path.id} for good",
    },
    {
      verb: "draft.read",
      request: [`GET ${USER}/drafts`, `GET ${USER}/drafts/{id}`],
      effects: ["read-private"],
      summary: "Read drafts",
    },
    {
      verb: "message.batch-delete",
      request: `POST ${USER}/messages/batchDelete`,
      effects: ["delete"],
      summary: "Delete messages for good: {body.ids.*}",
    },
    {
      verb: "message.modify",
      request: [`POST ${USER}/messages/batchModify`, `POST ${USER}/messages/{id}/modify`],
      effects: ["write"],
      summary: "Change labels: add {body.addLabelIds.*}, remove {body.removeLabelIds.*}",
    },
    {
      // A message that nobody sent stands in the mailbox, and the owner believes its sender.
      verb: "message.insert",
      request: `POST ${USER}/messages`,
      effects: ["write", "administer"],
      summary: "Put a message into the mailbox as if it had been received",
      body: [...MAIL_BODIES],
      reader: "mime",
      show: "mail",
    },
    {
      verb: "message.import",
      request: `POST ${USER}/messages/import`,
      effects: ["write", "administer"],
      summary: "Put a message into the mailbox as if it had been received",
      body: [...MAIL_BODIES],
      reader: "mime",
      show: "mail",
    },
    {
      verb: "message.trash",
      request: [
        `POST ${USER}/{kind:messages|threads}/{id}/trash`,
        `POST ${USER}/{kind:messages|threads}/{id}/untrash`,
      ],
      effects: ["write"],
      summary: "Move into the trash or out of it: {path.id} of {path.kind}",
    },
    {
      verb: "message.delete",
      request: `DELETE ${USER}/{kind:messages|threads}/{id}`,
      effects: ["delete"],
      summary: "Delete {path.id} of {path.kind} for good",
    },
    {
      verb: "thread.modify",
      request: `POST ${USER}/threads/{id}/modify`,
      effects: ["write"],
      summary: "Change labels of the thread {path.id}",
    },
    {
      verb: "message.read",
      request: [
        `GET ${USER}/{kind:messages|threads}`,
        `GET ${USER}/{kind:messages|threads}/{id}`,
        `GET ${USER}/messages/{id}/attachments/{attachment}`,
        `GET ${USER}/{kind:history}`,
      ],
      effects: ["read-private"],
      summary: "Read {path.kind}",
    },
    {
      verb: "label.read",
      request: [`GET ${USER}/labels`, `GET ${USER}/labels/{id}`],
      effects: ["read-private"],
      summary: "Read labels",
    },
    {
      verb: "label.write",
      request: [`POST ${USER}/labels`, `PUT|PATCH ${USER}/labels/{id}`],
      effects: ["write"],
      summary: "Change the label {param.name}",
    },
    {
      verb: "label.delete",
      request: `DELETE ${USER}/labels/{id}`,
      effects: ["delete"],
      summary: "Delete the label {path.id}",
    },
    {
      verb: "profile.read",
      request: `GET ${USER}/profile`,
      effects: ["read-private"],
      summary: "Read whose mailbox it is",
    },
    {
      verb: "settings.read",
      request: `GET ${USER}/settings/{rest...}`,
      effects: ["read-private"],
      summary: "Read the setting {path.rest}",
    },
    {
      // An absence answer goes to everyone who writes.
      verb: "settings.vacation",
      request: `PUT ${USER}/settings/vacation`,
      effects: ["administer", "send"],
      summary: "Answer whoever writes: {body.responseSubject}",
      show: "message",
    },
    {
      verb: "settings.forward",
      request: [
        `PUT ${USER}/settings/autoForwarding`,
        `POST ${USER}/settings/forwardingAddresses`,
        `DELETE ${USER}/settings/forwardingAddresses/{email}`,
      ],
      effects: ["administer", "send"],
      summary: "Change where the mail is forwarded to: {body.emailAddress} {body.forwardingEmail}",
      recipients: ["body.emailAddress", "body.forwardingEmail"],
    },
    {
      verb: "settings.filter",
      request: [`POST ${USER}/settings/filters`, `DELETE ${USER}/settings/filters/{id}`],
      effects: ["administer", "send"],
      summary: "Change a filter, which forwards to {body.action.forward}",
      recipients: ["body.action.forward"],
    },
    {
      verb: "settings.delegate",
      request: [`POST ${USER}/settings/delegates`, `DELETE ${USER}/settings/delegates/{email}`],
      effects: ["administer"],
      summary: "Change who may use the mailbox: {body.delegateEmail} {path.email}",
    },
    {
      verb: "settings.administer",
      request: [`POST|PUT|PATCH|DELETE ${USER}/settings/{rest...}`],
      effects: ["administer", "send"],
      summary: "Change the setting {path.rest}",
    },
    {
      verb: "mailbox.watch",
      request: [`POST ${USER}/watch`, `POST ${USER}/stop`],
      effects: ["administer", "send"],
      summary: "Tell {body.topicName} of every new message",
      recipients: ["body.topicName"],
    },
    {
      verb: "batch",
      request: ["POST /batch", "POST /batch/gmail/v1"],
      root: true,
      effects: ["send", "delete", "administer"],
      summary: "Do several things at once, which are not told apart",
      body: ["raw"],
    },
  ],
};
