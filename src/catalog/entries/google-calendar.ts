/**
 * Google Calendar, by its API. An event with guests stands in their calendars whatever `sendUpdates` says, and
 * "some emails might still be sent" (discovery document): only events without guests are private.
 *
 * @module
 */
import type { EntrySource } from "../entry.ts";

const EVENTS = "/calendars/{calendar}/events";
const EVENT = `${EVENTS}/{event}`;
const CURRENT = { current: "/calendars/{path.calendar}/events/{path.event}" };
const GUESTS = ["body.attendees.*.email", "current.attendees.*.email"];
/** The event was looked up and has no guests, and gets none. */
const WITHOUT_GUESTS = {
  "current.id": { present: true as const },
  "current.attendees": { absent: true as const },
  "param.attendees": { absent: true as const },
};

export const googleCalendar: EntrySource = {
  system: "google-calendar",
  title: "Google Calendar",
  docs: ["https://developers.google.com/workspace/calendar/api/v3/reference"],
  hosts: ["www.googleapis.com"],
  base: ["/calendar/v3"],
  credential: [{ in: "header", name: "authorization", scheme: "Bearer" }],
  unknown: ["send", "publish", "delete", "administer"],
  override: { header: "x-http-method-override" },
  routes: [
    {
      verb: "event.quick-add",
      request: `POST ${EVENTS}/quickAdd`,
      effects: ["send"],
      summary: "Add an event: {query.text}",
      body: ["none"],
      cases: [{ when: { "query.text": { only_like: "^[^@]*$" } }, effects: ["write"] }],
    },
    {
      verb: "event.import",
      request: `POST ${EVENTS}/import`,
      effects: ["write"],
      summary: "Add a private copy of the event {body.summary}",
    },
    {
      verb: "event.watch",
      request: [
        `POST ${EVENTS}/watch`,
        "POST /calendars/{calendar}/acl/watch",
        "POST /users/me/{list:calendarList|settings}/watch",
        "POST /channels/stop",
      ],
      effects: ["administer", "send"],
      summary: "Tell {body.address} of every change",
      recipients: ["body.address"],
    },
    {
      verb: "event.invite",
      request: `POST ${EVENTS}`,
      effects: ["send"],
      summary: "Invite {body.attendees.*.email} to {body.summary}",
      recipients: ["body.attendees.*.email"],
      show: "message",
      cases: [
        {
          when: { "param.attendees": { absent: true } },
          verb: "event.create",
          effects: ["write"],
          summary: "Add the event {body.summary}, without guests",
        },
      ],
    },
    {
      verb: "event.update-invitation",
      request: `PUT|PATCH ${EVENT}`,
      effects: ["send"],
      summary: "Change an event that others have in their calendars: {body.summary}",
      lookup: CURRENT,
      recipients: GUESTS,
      show: "message",
      cases: [
        {
          when: WITHOUT_GUESTS,
          verb: "event.update",
          effects: ["write"],
          summary: "Change an event without guests: {body.summary}",
        },
      ],
    },
    {
      verb: "event.cancel",
      request: `DELETE ${EVENT}`,
      effects: ["delete", "send"],
      summary: "Cancel an event that others have in their calendars",
      lookup: CURRENT,
      recipients: GUESTS,
      cases: [
        {
          when: WITHOUT_GUESTS,
          verb: "event.delete",
          effects: ["delete"],
          summary: "Delete an event without guests: {current.summary}",
        },
      ],
    },
    {
      verb: "event.move",
      request: `POST ${EVENT}/move`,
      effects: ["send"],
      summary: "Move an event to the calendar {query.destination}, and so to another organiser",
      recipients: ["query.destination"],
    },
    {
      verb: "event.read",
      request: [`GET ${EVENTS}`, `GET ${EVENT}`, `GET ${EVENT}/instances`],
      effects: ["read-private"],
      summary: "Read events of {path.calendar}",
    },
    {
      verb: "freebusy.read",
      request: "POST /freeBusy",
      effects: ["read-private"],
      summary: "Read when {body.items.*.id} are busy",
    },
    {
      verb: "acl.read",
      request: ["GET /calendars/{calendar}/acl", "GET /calendars/{calendar}/acl/{rule}"],
      effects: ["read-private"],
      summary: "Read who may see {path.calendar}",
    },
    {
      // Notifications go out by default.
      verb: "acl.share",
      request: ["POST /calendars/{calendar}/acl", "PUT|PATCH /calendars/{calendar}/acl/{rule}"],
      effects: ["administer", "publish", "send"],
      summary: "Let {body.scope.type} {body.scope.value} be {body.role} of {path.calendar}",
      recipients: ["body.scope.value"],
      cases: [
        {
          when: { "body.scope.type": { only: ["user", "group"] } },
          effects: ["administer", "send"],
        },
      ],
    },
    {
      verb: "acl.delete",
      request: "DELETE /calendars/{calendar}/acl/{rule}",
      effects: ["administer"],
      summary: "Take from {path.rule} the right to see {path.calendar}",
    },
    {
      verb: "calendar.clear",
      request: "POST /calendars/{calendar}/clear",
      effects: ["delete", "send"],
      summary: "Delete every event of {path.calendar}",
    },
    {
      verb: "calendar.delete",
      request: "DELETE /calendars/{calendar}",
      effects: ["delete", "send"],
      summary: "Delete the calendar {path.calendar}",
    },
    {
      verb: "calendar.write",
      request: ["POST /calendars", "PUT|PATCH /calendars/{calendar}"],
      effects: ["write"],
      summary: "Change the calendar {body.summary}",
    },
    {
      verb: "calendar-list.write",
      request: [
        "POST /users/me/calendarList",
        "PUT|PATCH|DELETE /users/me/calendarList/{calendar}",
      ],
      effects: ["write"],
      summary: "Change which calendars are shown: {body.id} {path.calendar}",
    },
    {
      verb: "calendar.read",
      request: [
        "GET /calendars/{calendar}",
        "GET /users/me/{list:calendarList|settings}",
        "GET /users/me/{list:calendarList|settings}/{id}",
        "GET /colors",
      ],
      effects: ["read-private"],
      summary: "Read calendars and settings",
    },
    {
      verb: "batch",
      request: "POST /batch/calendar/v3",
      root: true,
      effects: ["send", "publish", "delete", "administer"],
      summary: "Do several things at once, which are not told apart",
      body: ["raw"],
    },
  ],
};
