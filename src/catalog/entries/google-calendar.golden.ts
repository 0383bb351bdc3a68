/** Golden requests of Google Calendar. */
import { goldenRows, type Golden } from "../golden.ts";

const DISCOVERY = "github.com/googleapis/google-api-nodejs-client discovery/calendar-v3.json";
const CALENDAR = "/calendar/v3/calendars/primary";
const ALL = ["send", "publish", "delete", "administer"] as const;
const GUEST = { attendees: [{ email: "ann@example.org" }] };
const OWN = { facts: { current: { id: "e1", summary: "alone" } } };
const SHARED = { facts: { current: { id: "e1", ...GUEST } } };

export const golden: readonly Golden[] = goldenRows(DISCOVERY, [
  [
    `POST ${CALENDAR}/events`,
    "event.create",
    ["write"],
    "nobody else is in it",
    { json: { summary: "a" } },
  ],
  [
    `POST ${CALENDAR}/events?sendUpdates=all`,
    "event.invite",
    ["send"],
    "guests are told",
    { json: { summary: "a", ...GUEST }, recipients: ["ann@example.org"], reversible: false },
  ],
  [
    `POST ${CALENDAR}/events?sendUpdates=none`,
    "event.invite",
    ["send"],
    "it stands in their calendars all the same, and some mails may still be sent",
    { json: { summary: "a", ...GUEST }, recipients: ["ann@example.org"] },
  ],
  [
    `PATCH ${CALENDAR}/events/e1`,
    "event.update",
    ["write"],
    "looked up: no guests",
    { json: { summary: "b" }, ...OWN, reversible: true },
  ],
  [
    `PATCH ${CALENDAR}/events/e1?sendUpdates=none`,
    "event.update-invitation",
    ["send"],
    "it has guests already",
    { json: { summary: "b" }, ...SHARED, recipients: ["ann@example.org"] },
  ],
  [
    `PATCH ${CALENDAR}/events/e1`,
    "event.update-invitation",
    ["send"],
    "gets its first guest",
    { json: GUEST, ...OWN, recipients: ["ann@example.org"] },
  ],
  [
    `PUT ${CALENDAR}/events/e1`,
    "event.update-invitation",
    ["send"],
    "the look-up failed: as if it had guests",
    { json: { summary: "b" } },
  ],
  [`DELETE ${CALENDAR}/events/e1`, "event.delete", ["delete"], "no guests", OWN],
  [
    `DELETE ${CALENDAR}/events/e1`,
    "event.cancel",
    ["delete", "send"],
    "taken out of others' calendars",
    { ...SHARED, recipients: ["ann@example.org"] },
  ],
  [
    `POST ${CALENDAR}/events/e1`,
    "event.cancel",
    ["delete", "send"],
    "the method in a header",
    { headers: { "x-http-method-override": "DELETE" } },
  ],
  [
    `POST ${CALENDAR}/events/quickAdd?text=Lunch%20at%20noon`,
    "event.quick-add",
    ["write"],
    "names nobody",
  ],
  [
    `POST ${CALENDAR}/events/quickAdd?text=Lunch%20with%20ann%40example.org`,
    "event.quick-add",
    ["send"],
    "names an address",
    { source: "memory" },
  ],
  [
    `POST ${CALENDAR}/events/import`,
    "event.import",
    ["write"],
    "a private copy",
    { json: { iCalUID: "x" } },
  ],
  [
    `POST ${CALENDAR}/events/e1/move?destination=x`,
    "event.move",
    ["send"],
    "another organiser",
    { recipients: ["x"] },
  ],
  [
    `POST ${CALENDAR}/events/watch`,
    "event.watch",
    ["administer", "send"],
    "an address is told of every change",
    {
      json: { type: "web_hook", address: "https://e.example.org/" },
      recipients: ["https://e.example.org/"],
    },
  ],
  [`GET ${CALENDAR}/events`, "event.read", ["read-private"], "what the owner does"],
  [`GET ${CALENDAR}/events/e1/instances`, "event.read", ["read-private"], "what the owner does"],
  [
    "POST /calendar/v3/freeBusy",
    "freebusy.read",
    ["read-private"],
    "a query in a body",
    { json: { items: [{ id: "x" }] }, source: "memory" },
  ],
  [`GET ${CALENDAR}/acl`, "acl.read", ["read-private"], "who may see it"],
  [
    `POST ${CALENDAR}/acl`,
    "acl.share",
    ["administer", "publish", "send"],
    "everyone may see it",
    { json: { role: "reader", scope: { type: "default" } } },
  ],
  [
    `POST ${CALENDAR}/acl?sendNotifications=false`,
    "acl.share",
    ["administer", "send"],
    "one person may write",
    {
      json: { role: "writer", scope: { type: "user", value: "e@example.org" } },
      recipients: ["e@example.org"],
    },
  ],
  [`DELETE ${CALENDAR}/acl/user:e@example.org`, "acl.delete", ["administer"], "rights are taken"],
  [`POST ${CALENDAR}/clear`, "calendar.clear", ["delete", "send"], "all events go"],
  ["DELETE /calendar/v3/calendars/c1", "calendar.delete", ["delete", "send"], "all events go"],
  [
    "POST /calendar/v3/calendars",
    "calendar.write",
    ["write"],
    "a new one, which is private",
    { json: { summary: "c" } },
  ],
  [
    "POST /calendar/v3/users/me/calendarList",
    "calendar-list.write",
    ["write"],
    "only what is shown",
    { json: { id: "c" } },
  ],
  [
    "GET /calendar/v3/users/me/calendarList",
    "calendar.read",
    ["read-private"],
    "the owner's calendars",
  ],
  [
    "POST /batch/calendar/v3",
    "batch",
    ALL,
    "requests within are not told apart",
    { raw: { type: "multipart/mixed; boundary=x", text: "--x--" }, source: "memory" },
  ],
  [
    "POST /calendar/v3/calendars/primary/unheard",
    "unknown",
    ALL,
    "no method of the API",
    { source: "memory" },
  ],
]);
