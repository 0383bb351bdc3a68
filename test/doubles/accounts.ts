/**
 * Doubles of services that hold money, people or mail, as far as probes ask them, after the documented answers:
 * https://docs.stripe.com/api/balance/balance_object, https://docs.stripe.com/search, https://docs.stripe.com/keys/restricted-api-keys
 * (403 for what a restricted key lacks); https://docs.slack.dev/reference/methods/auth.test, conversations.list;
 * https://docs.discord.com/developers/resources/user (guilds with counts); https://core.telegram.org/bots/api;
 * https://developers.google.com/workspace/gmail/api/reference/rest/v1/users/getProfile; https://developers.notion.com/reference/capabilities;
 * https://platform.openai.com/docs/api-reference, https://platform.claude.com/docs/en/api/errors; listmonk by its sources (cmd/users.go,
 * cmd/lists.go, internal/auth/models.go).
 *
 * @module
 */
import { startDouble, type Answer, type Call, type Double } from "./double.ts";

/** Answers by `SERVICE TOKEN METHOD /path`; what is not there the token may not. */
export type Planted = Readonly<Record<string, Answer | ((call: Call) => Answer)>>;

/** One double for a service: `answers` by path, for each token; the status by which it refuses the rest. */
export async function startAccounts(
  tokenOf: (call: Call) => string,
  answers: Readonly<Record<string, Planted>>,
  refusal: Answer,
): Promise<Double> {
  return startDouble((call) => {
    const planted = answers[tokenOf(call)] ?? answers[tokenOf(call).replace(/-of-a-test$/, "")];
    if (planted === undefined) return { status: 401, json: { error: "not known" } };
    const answer = planted[call.path.join("/")];
    return typeof answer === "function" ? answer(call) : (answer ?? refusal);
  });
}

export const bearer = ({ headers }: Call): string =>
  String(headers.authorization).replace(/^Bearer /, "");

const json = (value: unknown, headers: Readonly<Record<string, string>> = {}): Answer => ({
  status: 200,
  json: value,
  headers,
});
const list = (...data: unknown[]) => json({ object: "list", data, has_more: false });

/** A key that may do all, one that may read customers. */
export const STRIPE: Readonly<Record<string, Planted>> = {
  "sk-all": {
    ...Object.fromEntries(
      "charges payment_intents refunds transfers payouts topups invoices subscriptions credit_notes disputes quotes payment_links checkout/sessions issuing/cards products webhook_endpoints accounts files"
        .split(" ")
        .map((path) => [`v1/${path}`, list()]),
    ),
    "v1/balance": json({
      object: "balance",
      available: [
        { amount: 120_050, currency: "eur" },
        { amount: -500, currency: "usd" },
      ],
      pending: [],
    }),
    "v1/customers/search": json({
      object: "search_result",
      data: [],
      has_more: true,
      total_count: 321,
    }),
  },
  "rk-customers": {
    "v1/customers/search": json({
      object: "search_result",
      data: [],
      has_more: true,
      total_count: 10_000,
    }),
  },
};

const CHANNELS = [
  { id: "C1", name: "general", is_member: true, is_private: false, num_members: 40 },
  { id: "C2", name: "board", is_member: false, is_private: true, num_members: 5 },
];
export const SLACK: Readonly<Record<string, Planted>> = {
  "xoxb-writes": {
    "api/auth.test": json(
      { ok: true, user_id: "U1", team_id: "T1" },
      { "x-oauth-scopes": "chat:write,channels:read,groups:read" },
    ),
    "api/conversations.list": json({
      ok: true,
      channels: CHANNELS,
      response_metadata: { next_cursor: "" },
    }),
  },
  "xoxb-reads": {
    "api/auth.test": json(
      { ok: true, user_id: "U1", team_id: "T1" },
      { "x-oauth-scopes": "channels:read,groups:read" },
    ),
    "api/conversations.list": json({
      ok: true,
      channels: CHANNELS,
      response_metadata: { next_cursor: "" },
    }),
  },
};

export const DISCORD: Readonly<Record<string, Planted>> = {
  bot: {
    "api/v10/users/@me/guilds": json([
      { id: "7", name: "friends", permissions: "8", approximate_member_count: 900 },
      { id: "8", name: "quiet", permissions: "1024", approximate_member_count: 70 },
    ]),
  },
};

export const GMAIL: Readonly<Record<string, Planted>> = {
  reads: {
    "gmail/v1/users/me/profile": json({
      emailAddress: "Ann@x.example",
      messagesTotal: 4711,
      threadsTotal: 1,
      historyId: "1",
    }),
    "gmail/v1/users/me/messages": json({ messages: [{ id: "1", threadId: "1" }] }),
    "gmail/v1/users/me/labels": json({ labels: [] }),
    "gmail/v1/users/me/settings/filters": json({}),
  },
  sends: {},
};

export const OPENAI: Readonly<Record<string, Planted>> = {
  project: {
    "v1/models": json({ object: "list", data: [] }),
    "v1/files": list(),
    "v1/batches": list(),
    "v1/fine_tuning/jobs": list(),
  },
};
export const NOTION: Readonly<Record<string, Planted>> = {
  empty: {
    "v1/users/me": json({}),
    "v1/search": json({ object: "list", results: [], has_more: false }),
  },
};

/** GET /api/profile and lists of listmonk: a role with every permission, and one that reads. */
const profile = (permissions: readonly string[], lists: readonly object[] = []) =>
  json({
    data: {
      id: 5,
      username: "bot",
      type: "api",
      user_role_id: 4,
      user_role: { id: 4, name: "r", permissions },
      list_role: { id: 9, name: "l", lists },
    },
  });
const lists = ({ query }: Call): Answer => {
  const results = [
    { id: 1, name: "Customers", subscriber_count: 1200 },
    { id: 2, name: 'x")."', subscriber_count: -3 },
    { id: 3, name: "Many", subscriber_count: 1e308 },
  ];
  return json({
    data: { results: query.get("page") === "1" ? results : [], total: 3, per_page: 100, page: 1 },
  });
};
const counts = json({
  data: {
    subscribers: { total: 1500, blocklisted: 0, orphans: 12 },
    lists: {},
    campaigns: {},
    messages: 9,
  },
});
export const LISTMONK: Readonly<Record<string, Planted>> = {
  manager: {
    "api/profile": profile([
      "lists:get_all",
      "lists:manage_all",
      "subscribers:get_all",
      "subscribers:manage",
      "subscribers:sql_query",
      "campaigns:manage_all",
      "campaigns:send",
      "tx:send",
      "users:manage",
      "settings:get",
    ]),
    "api/lists": lists,
    "api/dashboard/counts": counts,
    "api/settings": json({
      data: {
        smtp: [
          { enabled: true, host: "mail.x.example", port: 587, username: "news", password: "•••" },
        ],
      },
    }),
  },
  reader: {
    "api/profile": profile(["lists:get_all", "subscribers:get_all"]),
    "api/lists": lists,
    "api/dashboard/counts": counts,
  },
};
