/** Golden requests of Gmail. */
import { goldenRows, type Golden } from "../golden.ts";

const DISCOVERY = "github.com/googleapis/google-api-nodejs-client discovery/gmail-v1.json";
const ME = "/gmail/v1/users/me";

const MAIL = [
  "From: me@example.com",
  "To: Ann <ann@example.org>, bob@EXAMPLE.net",
  "Cc: team: c1@example.org, c2@example.org;",
  "Bcc: hidden@example.org",
  "Subject: =?utf-8?B?R3LDvMOfZQ==?=",
  "Content-Type: text/plain; charset=utf-8",
  "",
  "Hello",
].join("\r\n");
const EVERYBODY = [
  "ann@example.org",
  "bob@example.net",
  "c1@example.org",
  "c2@example.org",
  "hidden@example.org",
];
const raw = (mail: string) => Buffer.from(mail).toString("base64url");
const RELATED = [
  "--b",
  "Content-Type: application/json; charset=UTF-8",
  "",
  '{"labelIds":["INBOX"]}',
  "--b",
  "Content-Type: message/rfc822",
  "",
  MAIL,
  "--b--",
  "",
].join("\r\n");
const related = (text: string) => ({ raw: { type: "multipart/related; boundary=b", text } });
const UNKNOWN = ["send", "delete", "administer"] as const;

export const golden: readonly Golden[] = goldenRows(DISCOVERY, [
  [
    `POST ${ME}/messages/send`,
    "message.send",
    ["send"],
    "to everyone in To, Cc and Bcc",
    { json: { raw: raw(MAIL) }, recipients: EVERYBODY, reversible: false },
  ],
  [
    "POST /upload/gmail/v1/users/me/messages/send?uploadType=media",
    "message.send",
    ["send"],
    "the bytes themselves at the upload path",
    { raw: { type: "message/rfc822", text: MAIL }, recipients: EVERYBODY },
  ],
  [
    "POST /upload/gmail/v1/users/me/messages/send?uploadType=multipart",
    "message.send",
    ["send"],
    "the bytes beside JSON",
    { ...related(RELATED), recipients: EVERYBODY },
  ],
  [
    "POST /upload/gmail/v1/users/me/messages/send?uploadType=multipart",
    "unknown",
    UNKNOWN,
    "a second message in the JSON: servers choose",
    related(RELATED.replace('{"labelIds":["INBOX"]}', '{"raw":"VG86IGE="}')),
  ],
  [
    "POST /resumable/upload/gmail/v1/users/me/messages/send?uploadType=resumable",
    "unknown",
    UNKNOWN,
    "what comes in later pieces is not known",
    {},
  ],
  [
    `POST ${ME}/messages/send`,
    "unknown",
    UNKNOWN,
    "a bare carriage return hides a recipient from some readers",
    { json: { raw: raw("To: a@example.org\r\nX: y\rBcc: b@example.org\r\n\r\nz") } },
  ],
  [
    `POST ${ME}/messages/send`,
    "message.send",
    ["send"],
    "a second Bcc counts as well",
    {
      json: { raw: raw("To: a@example.org\nBcc: b@example.org\nBCC: c@example.org\n\nz") },
      recipients: ["a@example.org", "b@example.org", "c@example.org"],
    },
  ],
  [
    `POST ${ME}/messages/send`,
    "unknown",
    UNKNOWN,
    "an address within an encoded word",
    { json: { raw: raw("To: =?utf-8?q?a=40example.org=2C?= b@example.org\n\nz") } },
  ],
  [`POST ${ME}/drafts/send`, "draft.send", ["send"], "a draft that was not looked up", { json: { id: "r1" } }],
  [
    `POST ${ME}/drafts/send`,
    "draft.send",
    ["send"],
    "a draft as it is at the system",
    {
      json: { id: "r1" },
      facts: { current: { id: "r1", message: { raw: raw(MAIL) } } },
      recipients: EVERYBODY,
    },
  ],
  [
    `POST ${ME}/drafts/send`,
    "draft.send",
    ["send"],
    "its new content counts, not the old",
    {
      json: { id: "r1", message: { raw: raw("To: new@example.org\n\nz") } },
      facts: { current: { message: { raw: raw(MAIL) } } },
      recipients: ["new@example.org"],
    },
  ],
  [`POST ${ME}/drafts`, "draft.create", ["write"], "nobody gets a draft", { json: { message: { raw: raw(MAIL) } }, reversible: true }],
  [`PUT ${ME}/drafts/r1`, "draft.update", ["write"], "nobody gets a draft", { json: { message: { raw: raw(MAIL) } } }],
  [`DELETE ${ME}/drafts/r1`, "draft.delete", ["delete"], "permanently, not to the trash", { reversible: false }],
  [`GET ${ME}/drafts`, "draft.read", ["read-private"], "what was not sent yet"],
  [`POST ${ME}/messages/batchDelete`, "message.batch-delete", ["delete"], "permanently", { json: { ids: ["1"] } }],
  [`POST ${ME}/messages/1/modify`, "message.modify", ["write"], "labels only", { json: { addLabelIds: ["STARRED"] } }],
  [`POST ${ME}/threads/1/modify`, "thread.modify", ["write"], "labels only", { json: { removeLabelIds: ["UNREAD"] } }],
  [`POST ${ME}/messages/1/trash`, "message.trash", ["write"], "can be taken out again", { reversible: true }],
  [`DELETE ${ME}/messages/1`, "message.delete", ["delete"], "cannot be undone", { reversible: false }],
  [
    `POST ${ME}/messages/1?x=y`,
    "unknown",
    UNKNOWN,
    "no method of Gmail",
    { headers: { "x-http-method-override": "PROPFIND" } },
  ],
  [
    `POST ${ME}/messages/1`,
    "message.delete",
    ["delete"],
    "the method in a header",
    { headers: { "x-http-method-override": "DELETE" } },
  ],
  [
    `GET ${ME}/messages/1`,
    "unknown",
    UNKNOWN,
    "a header that another system would take the method from",
    { headers: { "x-method-override": "DELETE" } },
  ],
  [`POST ${ME}/messages`, "message.insert", ["write", "administer"], "bypasses scanning", { json: { raw: raw(MAIL) } }],
  [`POST ${ME}/messages/import`, "message.import", ["write", "administer"], "as if received", { json: { raw: raw(MAIL) } }],
  [`GET ${ME}/messages?q=password`, "message.read", ["read-private"], "a search over all mail"],
  [`GET ${ME}/messages/1/attachments/2`, "message.read", ["read-private"], "a file in a mail"],
  [`GET ${ME}/labels`, "label.read", ["read-private"], "the owner's own words"],
  [`POST ${ME}/labels`, "label.write", ["write"], "a new label", { json: { name: "a" } }],
  [`DELETE ${ME}/labels/1`, "label.delete", ["delete"], "permanently, from all messages"],
  [`GET ${ME}/profile`, "profile.read", ["read-private"], "the address of the owner"],
  [`GET ${ME}/settings/delegates`, "settings.read", ["read-private"], "who else may read"],
  [`POST ${ME}/settings/delegates`, "settings.delegate", ["administer"], "another may use the mailbox", { json: { delegateEmail: "e@example.org" } }],
  [`PUT ${ME}/settings/autoForwarding`, "settings.forward", ["administer", "send"], "all mail goes elsewhere", { json: { enabled: true, emailAddress: "e@example.org" }, recipients: ["e@example.org"] }],
  [`POST ${ME}/settings/filters`, "settings.filter", ["administer", "send"], "a filter can forward", { json: { action: { forward: "e@example.org" } }, recipients: ["e@example.org"] }],
  [`PUT ${ME}/settings/vacation`, "settings.vacation", ["administer", "send"], "answers whoever writes", { json: { enableAutoReply: true } }],
  [`POST ${ME}/settings/cse/keypairs/1:obliterate`, "settings.administer", ["administer", "send"], "keys of encrypted mail", { json: {} }],
  [`POST ${ME}/watch`, "mailbox.watch", ["administer", "send"], "tells a topic of every message", { json: { topicName: "projects/x/topics/y" } }],
  [
    "POST /batch/gmail/v1",
    "batch",
    UNKNOWN,
    "requests within are not told apart",
    { raw: { type: "multipart/mixed; boundary=x", text: "--x--" }, source: "memory" },
  ],
]);
