/**
 * listmonk: its subscribers and lists, as a part of the entry (listmonk.ts).
 *
 * @module
 */
import type { EntrySource, Test } from "../entry.ts";

const SUBSCRIBER = "{id:\\d+}";
export const NO: Test = { only: [false] };
export const NONE: Test = { absent: true };

/** Both ways of leaving something off. */
export function unless(reference: string): readonly Record<string, Test>[] {
  return [{ [reference]: NONE }, { [reference]: NO }];
}

/** A subscriber that is put on a list gets a mail that asks for consent, unless consent is claimed for it. */
const CREATE_CASES = unless("body.preconfirm_subscriptions").flatMap((when) => [
  {
    when: { ...when, "body.lists.*": NONE },
    verb: "subscriber.write",
    effects: ["write" as const],
    summary: "Write down the subscriber {body.email}",
  },
  {
    when,
    verb: "subscriber.subscribe",
    effects: ["write" as const, "send" as const],
    summary: "Put {body.email} on the lists {body.lists.*}; they may be asked by mail",
  },
]);

/** What asks nobody: each list of the subscriber is of one kind or in one state. */
const SETTLED: readonly Record<string, Test>[] = [
  { "current.data.id": { present: true }, "current.data.lists.*": NONE },
  { "current.data.lists.*.subscription_status": { only: ["confirmed", "unsubscribed"] } },
  { "current.data.lists.*.optin": { only: ["single"] } },
];

/**
 * Whoever changes a subscriber asks it again, by mail, for whatever it has not confirmed. An `id` in the body is
 * whom the mail then goes to.
 */
const PATCH_CASES = unless("body.preconfirm_subscriptions").flatMap((given) => {
  const when = {
    ...given,
    "body.lists": NONE,
    "body.status": NONE,
    "body.email": NONE,
    "body.id": NONE,
  };
  return [
    ...SETTLED.map((settled) => ({
      when: { ...when, ...settled },
      verb: "subscriber.write",
      effects: ["write" as const],
      summary: "Change the subscriber {current.data.email} {path.id}",
    })),
    {
      when,
      verb: "subscriber.ask-again",
      effects: ["write" as const, "send" as const],
      summary: "Change the subscriber {current.data.email} {path.id}, who is asked again by mail",
    },
  ];
});

/** The lists that are named take the place of all there were. */
const REPLACE_CASES = unless("body.preconfirm_subscriptions").flatMap((when) => [
  {
    when: { ...when, "body.lists.*": NONE },
    verb: "subscriber.unlist",
    effects: ["write" as const, "send" as const, "delete" as const],
    summary: "Change {current.data.email} {path.id} to {body.email}, and take it off its lists",
  },
  {
    when,
    verb: "subscriber.relist",
    effects: ["write" as const, "send" as const, "delete" as const],
    summary:
      "Change {current.data.email} {path.id} to {body.email}, on the lists {body.lists.*} alone; they may be asked by mail",
  },
]);

const CURRENT = { current: "/subscribers/{path.id}" };

export const SUBSCRIBERS: EntrySource["routes"] = [
  {
    // The search may be an SQL expression, which can read whatever its role can.
    verb: "subscriber.read",
    request: [
      "GET /subscribers",
      `GET /subscribers/${SUBSCRIBER}`,
      `GET /subscribers/${SUBSCRIBER}/activity`,
      `GET /subscribers/${SUBSCRIBER}/bounces`,
    ],
    effects: ["read-private"],
    summary: "Read subscribers: {path.id} {query.search} {query.query}",
    cases: [
      {
        when: { "query.query": { present: true } },
        verb: "subscriber.query",
        summary: "Read subscribers by SQL: {query.query}",
      },
    ],
  },
  {
    verb: "subscriber.export",
    request: ["GET /subscribers/export", `GET /subscribers/${SUBSCRIBER}/export`],
    effects: ["read-private"],
    summary: "Export subscribers with all that is known of them",
  },
  {
    // Consent that nobody gave: from then on mail is sent to them.
    verb: "subscriber.preconfirm",
    request: "POST /subscribers",
    effects: ["write", "send", "administer"],
    summary: "Put {body.email} on the lists {body.lists.*} as if they had consented",
    body: ["json"],
    recipients: ["body.email"],
    cases: CREATE_CASES,
  },
  {
    verb: "subscriber.preconfirm",
    request: `PATCH /subscribers/${SUBSCRIBER}`,
    effects: ["write", "send", "delete", "administer"],
    summary: "Put {current.data.email} {path.id} on {body.lists.*} as if they had consented",
    body: ["json"],
    lookup: CURRENT,
    recipients: ["body.email", "current.data.email"],
    cases: [...PATCH_CASES, ...REPLACE_CASES],
  },
  {
    verb: "subscriber.preconfirm",
    request: `PUT /subscribers/${SUBSCRIBER}`,
    effects: ["write", "send", "delete", "administer"],
    summary: "Put {body.email} {path.id} on {body.lists.*} alone, as if they had consented",
    body: ["json"],
    lookup: CURRENT,
    recipients: ["body.email", "current.data.email"],
    cases: REPLACE_CASES,
  },
  {
    verb: "subscriber.send-optin",
    request: `POST /subscribers/${SUBSCRIBER}/optin`,
    effects: ["send"],
    summary: "Ask the subscriber {current.data.email} for consent by mail",
    lookup: { current: "/subscribers/{path.id}" },
    recipients: ["current.data.email"],
  },
  {
    verb: "subscriber.blocklist",
    request: [
      "PUT /subscribers/blocklist",
      `PUT /subscribers/${SUBSCRIBER}/blocklist`,
      "PUT /bounces/blocklist",
    ],
    effects: ["write", "delete"],
    summary: "Block subscribers, and end what they subscribed to: {path.id} {body.ids.*}",
  },
  {
    verb: "subscriber.lists",
    request: [`PUT /subscribers/lists/${SUBSCRIBER}`, "PUT /subscribers/lists"],
    effects: ["write", "delete", "administer"],
    summary: "{body.action}: subscribers {path.id} {body.ids.*} and lists {body.target_list_ids.*}",
    body: ["json"],
    cases: [
      // Any status is written over the one there is: who had left hears again, who had confirmed does not.
      ...[NONE, { only: [""] }].map((status) => ({
        when: { "body.action": { only: ["add"] }, "body.status": status },
        verb: "subscriber.add",
        effects: ["write" as const],
      })),
      {
        when: { "body.action": { only: ["remove", "unsubscribe"] } },
        verb: "subscriber.remove",
        effects: ["write", "delete"],
      },
    ],
  },
  {
    verb: "subscriber.delete",
    request: ["DELETE /subscribers", `DELETE /subscribers/${SUBSCRIBER}`],
    effects: ["delete"],
    summary: "Delete subscribers: {path.id} {query.id}",
  },
  {
    verb: "subscriber.bulk",
    request: [
      "POST /subscribers/query/{act:delete}",
      "PUT /subscribers/query/{act:blocklist}",
      "PUT /subscribers/query/{act:lists}",
    ],
    effects: ["delete", "administer"],
    summary: "Do {path.act} to all subscribers that a query finds: {body.query} {body.search}",
    body: ["json"],
  },
  {
    verb: "bounce.read",
    request: ["GET /bounces", "GET /bounces/{id:\\d+}"],
    effects: ["read-private"],
    summary: "Read bounces",
  },
  {
    verb: "bounce.delete",
    request: [
      "DELETE /bounces",
      "DELETE /bounces/{id:\\d+}",
      `DELETE /subscribers/${SUBSCRIBER}/bounces`,
    ],
    effects: ["delete"],
    summary: "Delete bounces",
  },
  {
    // A bounce that is reported can block a subscriber.
    verb: "bounce.report",
    request: ["POST /webhooks/bounce", "POST /webhooks/service/{service}"],
    root: true,
    effects: ["write", "delete"],
    summary: "Report that mail to {body.email} came back",
    body: ["json"],
  },
  {
    verb: "import.read",
    request: ["GET /import/subscribers", "GET /import/subscribers/logs"],
    effects: ["read-private"],
    summary: "Read how the import goes",
  },
  {
    // It can overwrite, block, and claim consent; its parameters are text within the form.
    verb: "import.start",
    request: "POST /import/subscribers",
    effects: ["write", "delete", "administer"],
    summary: "Import subscribers: {body.params}",
    body: ["multipart"],
  },
  {
    verb: "import.stop",
    request: "DELETE /import/subscribers",
    effects: ["write"],
    summary: "Stop the import",
  },
  {
    verb: "public.subscribe",
    request: "POST /public/subscription",
    effects: ["write", "send"],
    summary: "Subscribe {body.email}, who may be asked by mail",
    recipients: ["body.email"],
  },
  {
    verb: "public.subscribe",
    request: "POST /subscription/form",
    root: true,
    effects: ["write", "send"],
    summary: "Subscribe {body.email}, who may be asked by mail",
    recipients: ["body.email"],
  },
  {
    verb: "public.read",
    request: ["GET /public/lists", "GET /public/archive", "GET /health", "GET /lang/{lang}"],
    effects: ["read"],
    summary: "Read what everyone can read",
  },
];

export const LISTS: EntrySource["routes"] = [
  {
    verb: "list.read",
    request: ["GET /lists", "GET /lists/{id:\\d+}"],
    effects: ["read-private"],
    summary: "Read lists",
  },
  {
    verb: "list.publish",
    request: "POST /lists",
    effects: ["publish"],
    summary: "Make the list {body.name}, which everyone can see and join",
    body: ["json"],
    cases: [
      {
        when: { "body.type": { only: ["private"] } },
        verb: "list.create",
        effects: ["write"],
        summary: "Make the private list {body.name}",
      },
    ],
  },
  {
    verb: "list.publish",
    request: "PUT /lists/{id:\\d+}",
    effects: ["publish"],
    summary: "Change the list {path.id}, which everyone can see: {body.name}",
    body: ["json"],
    lookup: { current: "/lists/{path.id}" },
    cases: [{ absent: true as const }, { only: ["private"] }].map((type) => ({
      when: { "body.type": type, "current.data.type": { only: ["private"] } },
      verb: "list.update",
      effects: ["write"],
      summary: "Change the private list {path.id}: {body.name}",
    })),
  },
  {
    verb: "list.delete",
    request: ["DELETE /lists", "DELETE /lists/{id:\\d+}"],
    effects: ["delete"],
    summary: "Delete lists: {path.id} {query.id}",
  },
];
