/** Golden requests of Twilio. */
import { goldenRows, type Golden } from "../golden.ts";

const SPEC = "github.com/twilio/twilio-oai spec/json/twilio_api_v2010.json";
const AC = "/2010-04-01/Accounts/AC1";
const UNKNOWN = ["spend", "send", "execute", "delete", "administer"] as const;

export const golden: readonly Golden[] = goldenRows(SPEC, [
  [`POST ${AC}/Messages.json`, "message.send", ["send"], "a text to a phone", { form: "To=%2B15551234567&From=%2B15557654321&Body=Hi", recipients: ["+15551234567"], reversible: false }],
  [`POST ${AC}/Messages`, "message.send", ["send"], "without .json it is XML", { form: "To=%2B15551234567&Body=Hi", recipients: ["+15551234567"], source: "memory" }],
  [`POST ${AC}/Messages.json`, "message.send", ["send"], "later, with an address that is told", { form: "To=%2B1555&Body=Hi&ScheduleType=fixed&SendAt=2027-01-02T03:04:05Z&StatusCallback=https://e.example.org/", recipients: ["+1555", "https://e.example.org/"] }],
  [`POST ${AC}/Messages.json?To=%2B1666`, "message.send", ["send"], "two receivers: both are shown", { form: "To=%2B1555&Body=Hi", recipients: ["+1555", "+1666"] }],
  [`POST ${AC}/Messages/SM1.json`, "message.redact", ["delete"], "what was said is emptied", { form: "Body=" }],
  [`POST ${AC}/Messages/SM1/Feedback.json`, "message.feedback", ["write"], "a remark to Twilio", { form: "Outcome=confirmed" }],
  [`DELETE ${AC}/Messages/SM1.json`, "record.delete", ["delete"], "history goes", { reversible: false }],
  [`POST ${AC}/Calls.json`, "call.make", ["send", "execute", "spend"], "an address says what the call does", { form: "To=%2B15551234567&From=%2B1555&Url=https://e.example.org/twiml", recipients: ["+15551234567", "https://e.example.org/twiml"] }],
  [`POST ${AC}/Calls.json`, "call.make", ["send", "execute", "spend"], "a program in the request", { form: "To=%2B15551234567&From=%2B1555&Twiml=%3CResponse%2F%3E" }],
  [`POST ${AC}/Calls/CA1.json`, "call.change", ["send", "execute"], "a running call does something else", { form: "Url=https://e.example.org/", recipients: ["https://e.example.org/"] }],
  [`POST ${AC}/Calls/CA1/Recordings.json`, "call.change", ["send", "execute"], "people are recorded", { form: "" }],
  [`POST ${AC}/Conferences/CF1/Participants.json`, "conference.change", ["send", "execute", "spend"], "someone is called", { form: "From=%2B1555&To=%2B1556", recipients: ["+1556"] }],
  [`POST ${AC}/IncomingPhoneNumbers.json`, "number.buy", ["spend", "administer"], "costs money each month", { form: "PhoneNumber=%2B1555" }],
  [`POST ${AC}/IncomingPhoneNumbers/TollFree.json`, "number.buy", ["spend", "administer"], "another kind", { form: "PhoneNumber=%2B1555" }],
  [`POST ${AC}/IncomingPhoneNumbers/PN1.json`, "number.administer", ["administer", "send"], "another address answers", { form: "VoiceUrl=https://e.example.org/", recipients: ["https://e.example.org/"] }],
  [`DELETE ${AC}/IncomingPhoneNumbers/PN1.json`, "number.release", ["delete"], "it may never be had again"],
  [`POST ${AC}/OutgoingCallerIds.json`, "number.verify", ["send", "administer"], "the number is called", { form: "PhoneNumber=%2B1555", recipients: ["+1555"] }],
  [`POST ${AC}/Keys.json`, "account.administer", ["administer"], "a key that works without Cofferdam", { form: "FriendlyName=k" }],
  [`POST ${AC}/Tokens.json`, "account.administer", ["administer"], "a token that works without Cofferdam", { form: "" }],
  ["POST /2010-04-01/Accounts/AC1.json", "account.administer", ["administer"], "the account is closed", { form: "Status=closed" }],
  ["POST /2010-04-01/Accounts.json", "account.administer", ["administer"], "another account", { form: "FriendlyName=b" }],
  [`POST ${AC}/Queues.json`, "record.write", ["write"], "nobody is called", { form: "FriendlyName=q" }],
  [`GET ${AC}/Messages.json`, "data.read", ["read-private"], "what was said to whom"],
  [`GET ${AC}/Recordings/RE1.json`, "data.read", ["read-private"], "what was recorded"],
  [`GET ${AC}/AvailablePhoneNumbers/US/Local.json`, "data.read", ["read-private"], "what could be bought"],
  [`POST ${AC}/Messages.json/x`, "unknown", UNKNOWN, "another path", { form: "To=%2B1555" }],
  ["POST /2008-08-01/Accounts/AC1/Messages.json", "unknown", UNKNOWN, "another version", { form: "To=%2B1555" }],
]);
