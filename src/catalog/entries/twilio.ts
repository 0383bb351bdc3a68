/**
 * Twilio: messages, calls and numbers. Bodies are forms; each message and call costs money by the piece. A
 * path may end in .json, .xml or .csv, and .xml is what it is without.
 *
 * @module
 */
import type { EntrySource } from "../entry.ts";

const ANY = "(?:\\.(?:json|xml|csv))?";
const ACCOUNT = "/Accounts/{account}";
/** `Messages`, `Messages.json`. */
const list = (name: string) => `${ACCOUNT}/{list:(?:${name})${ANY}}`;
const one = (name: string) => `${ACCOUNT}/{list:${name}}/{sid}`;
const CALLBACKS = ["param.Url", "param.StatusCallback", "param.FallbackUrl"];

export const twilio: EntrySource = {
  system: "twilio",
  title: "Twilio",
  docs: ["https://www.twilio.com/docs/usage/api", "https://github.com/twilio/twilio-oai"],
  hosts: ["api.twilio.com"],
  base: ["/2010-04-01"],
  credential: [{ in: "header", name: "authorization", scheme: "Basic" }],
  unknown: ["spend", "send", "execute", "delete", "administer"],
  routes: [
    {
      verb: "message.send",
      request: `POST ${list("Messages")}`,
      effects: ["send"],
      summary:
        "Send {param.Body} from {param.From} {param.MessagingServiceSid} to {param.To}, which costs money",
      recipients: ["param.To", "param.StatusCallback"],
      takes_effect_at: "param.SendAt",
      // What waits cannot be changed, but its text can be emptied. An answer in XML names no message that is found.
      later: {
        read: { message: "/Accounts/{path.account}/Messages/{answer.sid}.json" },
        waits: { "message.status": { only: ["scheduled"] } },
        withdrawn: { "message.status": { only: ["canceled"] } },
        compare: ["to", "body", "messaging_service_sid", "num_media"].map(
          (one) => `message.${one}`,
        ),
        stop: [
          {
            request: "POST /Accounts/{path.account}/Messages/{answer.sid}.json",
            form: { Status: "canceled" },
          },
        ],
      },
      show: "message",
    },
    {
      verb: "message.feedback",
      request: `POST ${ACCOUNT}/Messages/{sid}/{part:Feedback${ANY}}`,
      effects: ["write"],
      summary: "Say that the message {path.sid} had its effect",
    },
    {
      // An empty body redacts what was said; a status cancels what was to be sent.
      verb: "message.redact",
      request: `POST ${one("Messages")}`,
      effects: ["delete"],
      summary: "Empty or cancel the message {path.sid}",
    },
    {
      // What the call says and does is fetched from an address, or stands in TwiML.
      verb: "call.make",
      request: `POST ${list("Calls")}`,
      effects: ["send", "execute", "spend"],
      summary: "Call {param.To} from {param.From} and do what {param.Url} {param.Twiml} says",
      recipients: ["param.To", ...CALLBACKS],
      show: "message",
    },
    {
      verb: "call.change",
      request: [
        `POST ${one("Calls")}`,
        `POST ${ACCOUNT}/Calls/{sid}/{part:[A-Za-z]+${ANY}}`,
        `POST ${ACCOUNT}/Calls/{sid}/{part:[A-Za-z]+}/{id}`,
      ],
      effects: ["send", "execute"],
      summary: "Change a running call: {param.Status} {param.Url} {param.Twiml} {path.part}",
      recipients: CALLBACKS,
    },
    {
      verb: "conference.change",
      request: [
        `POST ${one("Conferences")}`,
        `POST ${ACCOUNT}/Conferences/{sid}/{part:Participants${ANY}}`,
        `POST|DELETE ${ACCOUNT}/Conferences/{sid}/{part:Participants}/{call}`,
        `POST ${ACCOUNT}/Queues/{sid}/Members/{call}`,
      ],
      effects: ["send", "execute", "spend"],
      summary: "Change a running conference, or call {param.To} into it",
      recipients: ["param.To", ...CALLBACKS],
    },
    {
      verb: "number.buy",
      request: [
        `POST ${list("IncomingPhoneNumbers")}`,
        `POST ${ACCOUNT}/IncomingPhoneNumbers/{kind:(?:Local|Mobile|TollFree)${ANY}}`,
      ],
      effects: ["spend", "administer"],
      summary: "Buy the number {param.PhoneNumber} {param.AreaCode}, which costs money each month",
      recipients: ["param.VoiceUrl", "param.SmsUrl"],
      show: "payment",
    },
    {
      verb: "number.release",
      request: `DELETE ${one("IncomingPhoneNumbers")}`,
      effects: ["delete"],
      summary: "Give up the number {path.sid} for good",
    },
    {
      // Its addresses get what is said to the number.
      verb: "number.administer",
      request: [
        `POST ${one("IncomingPhoneNumbers")}`,
        `POST|DELETE ${ACCOUNT}/IncomingPhoneNumbers/{sid}/{rest...}`,
        `POST ${list("Applications")}`,
        `POST|DELETE ${one("Applications")}`,
      ],
      effects: ["administer", "send"],
      summary: "Change what answers {path.sid}: {param.VoiceUrl} {param.SmsUrl}",
      recipients: ["param.VoiceUrl", "param.SmsUrl"],
    },
    {
      verb: "number.verify",
      request: `POST ${list("OutgoingCallerIds")}`,
      effects: ["send", "administer"],
      summary: "Call {param.PhoneNumber}, to send from it later",
      recipients: ["param.PhoneNumber"],
    },
    {
      verb: "account.administer",
      request: [
        "POST /{list:Accounts(?:\\.(?:json|xml|csv))?}",
        "POST /Accounts/{account}",
        `POST ${list("Keys|SigningKeys|Tokens|ConnectApps|AuthorizedConnectApps")}`,
        `POST|DELETE ${ACCOUNT}/{list:Keys|SigningKeys|ConnectApps|OutgoingCallerIds}/{sid}`,
        `POST|DELETE ${ACCOUNT}/SIP/{rest...}`,
        `POST|DELETE ${ACCOUNT}/Usage/{rest...}`,
      ],
      effects: ["administer"],
      summary: "Administer the account: {path.list} {path.sid} {path.rest}",
    },
    {
      verb: "record.write",
      request: [
        `POST ${list("Addresses|Queues")}`,
        `POST ${ACCOUNT}/{list:Addresses|Queues}/{sid}`,
      ],
      effects: ["write"],
      summary: "Change {path.list}: {param.FriendlyName}",
    },
    {
      verb: "record.delete",
      request: [
        `DELETE ${ACCOUNT}/{list:Messages|Calls|Recordings|Transcriptions|Addresses|Queues}/{sid}`,
        `DELETE ${ACCOUNT}/{list:Messages|Calls|Recordings|Conferences}/{sid}/{rest...}`,
      ],
      effects: ["delete"],
      summary: "Delete {path.sid} of {path.list} for good",
    },
    {
      verb: "data.read",
      request: [
        "GET /{list:Accounts(?:\\.(?:json|xml|csv))?}",
        "GET /Accounts/{account}",
        `GET ${ACCOUNT}/{rest...}`,
      ],
      effects: ["read-private"],
      summary: "Read {path.rest}",
    },
  ],
};
