/**
 * What may be said in MCP, by either side: each method with its verb, what it does, and what it is about.
 * Both eras are one table: 2025-11-25 (sessions, requests in both directions) and 2026-07-28 (stateless: what
 * a server wants to know stands in its results, and the answers in the next request).
 *
 * What a tool does nobody knows but whoever reviewed it: its verb's effect is the strictest that waits for a
 * person, and a rule of the task file or a pin says less. What a server says of its own tools counts for
 * nothing (docs/decisions/0297).
 *
 * @module
 */
import type { Effect } from "../../action/index.ts";
import type { VerbInfo } from "../protocol.ts";

/** What a verb is, beside what every protocol says of its own. */
export const VERBS = {
  session: { effects: ["read"], summary: "Open, discover, keep and end the session" },
  "tools.list": { effects: ["read"], summary: "List the server's tools" },
  "tools.call": {
    effects: ["execute"],
    summary: "Call a tool; what it does a rule or a pin says, else it counts as execute",
  },
  "resources.list": { effects: ["read"], summary: "List resources and their templates" },
  "resources.read": { effects: ["read-private"], summary: "Read a resource" },
  "resources.subscribe": { effects: ["read"], summary: "Hear of changes of a resource" },
  "prompts.list": { effects: ["read"], summary: "List the server's prompts" },
  "prompts.get": { effects: ["read"], summary: "Get a prompt, filled in" },
  "completion.complete": { effects: ["read"], summary: "Have an argument completed" },
  "logging.set": { effects: ["write"], summary: "Set how much the server tells" },
  "tasks.read": { effects: ["read"], summary: "See how a task of the server stands" },
  "tasks.result": { effects: ["read-private"], summary: "Get the result of a task" },
  "tasks.update": { effects: ["execute"], summary: "Give a task of the server more to go on with" },
  "tasks.cancel": { effects: ["write"], summary: "Have a task of the server cancelled" },
  "subscriptions.listen": { effects: ["read"], summary: "Hear of changes at the server" },
  "sampling.create": {
    effects: ["spend"],
    summary: "The server has the agent's model write something, in words of the server",
  },
  "sampling.answer": { effects: ["send"], summary: "Send the server what the model wrote" },
  "elicitation.create": {
    effects: ["read"],
    summary: "The server asks the agent's user something",
  },
  "elicitation.answer": { effects: ["send"], summary: "Send the server what was asked for" },
  "roots.list": { effects: ["read"], summary: "The server asks which folders the agent works in" },
  "roots.answer": { effects: ["write"], summary: "Tell the server the agent's folders" },
  unknown: {
    effects: ["execute", "administer"],
    summary: "What is not known, or not as the protocol has it; nobody can grant it",
  },
} as const satisfies Readonly<Record<string, VerbInfo>>;

export type Verb = keyof typeof VERBS;

/** Highest effects of the system. */
export const UNKNOWN_EFFECTS: readonly Effect[] = [
  ...["read-private", "write", "publish", "send", "execute"],
  ...["delete", "administer", "spend"],
] as Effect[];

/** One method: what it is, and where its parameters name what it is about. */
export interface Method {
  readonly verb: Verb;
  /** Parameter that holds the object: a tool's name, a resource's URI. */
  readonly object?: "name" | "uri" | "taskId" | "ref";
  /** Parameters that there may be beside `_meta`; what else stands there is not understood. */
  readonly params: readonly string[];
}

const EACH = ["inputResponses", "requestState"] as const; // 2026-07-28, "multi round-trip requests".

/** What a client may ask. */
export const REQUESTS: ReadonlyMap<string, Method> = new Map<string, Method>([
  ["initialize", { verb: "session", params: ["protocolVersion", "capabilities", "clientInfo"] }],
  ["server/discover", { verb: "session", params: [] }],
  ["ping", { verb: "session", params: [] }],
  ["tools/list", { verb: "tools.list", params: ["cursor"] }],
  [
    "tools/call",
    { verb: "tools.call", object: "name", params: ["name", "arguments", "task", ...EACH] },
  ],
  ["resources/list", { verb: "resources.list", params: ["cursor"] }],
  ["resources/templates/list", { verb: "resources.list", params: ["cursor"] }],
  ["resources/read", { verb: "resources.read", object: "uri", params: ["uri", ...EACH] }],
  ["resources/subscribe", { verb: "resources.subscribe", object: "uri", params: ["uri"] }],
  ["resources/unsubscribe", { verb: "resources.subscribe", object: "uri", params: ["uri"] }],
  ["prompts/list", { verb: "prompts.list", params: ["cursor"] }],
  ["prompts/get", { verb: "prompts.get", object: "name", params: ["name", "arguments", ...EACH] }],
  [
    "completion/complete",
    { verb: "completion.complete", object: "ref", params: ["ref", "argument", "context"] },
  ],
  ["logging/setLevel", { verb: "logging.set", params: ["level"] }],
  ["tasks/list", { verb: "tasks.read", params: ["cursor"] }],
  ["tasks/get", { verb: "tasks.read", object: "taskId", params: ["taskId"] }],
  ["tasks/result", { verb: "tasks.result", object: "taskId", params: ["taskId"] }],
  ["tasks/update", { verb: "tasks.update", object: "taskId", params: ["taskId", ...EACH] }],
  ["tasks/cancel", { verb: "tasks.cancel", object: "taskId", params: ["taskId"] }],
  ["subscriptions/listen", { verb: "subscriptions.listen", params: ["notifications"] }],
]);

/** What a server may ask of a client, over a stream or in a result: by the method, as its verbs are named. */
export const SERVER_REQUESTS: ReadonlyMap<string, { readonly asks: Verb; readonly answers: Verb }> =
  new Map([
    ["sampling/createMessage", { asks: "sampling.create", answers: "sampling.answer" }],
    ["elicitation/create", { asks: "elicitation.create", answers: "elicitation.answer" }],
    ["roots/list", { asks: "roots.list", answers: "roots.answer" }],
  ]);

/** What a client may say without being answered; all of it only keeps the session going. */
export const CLIENT_NOTICES: ReadonlySet<string> = new Set([
  "notifications/initialized",
  "notifications/cancelled",
  "notifications/progress",
  "notifications/roots/list_changed",
]);

/** What a server may say so. */
export const SERVER_NOTICES: ReadonlySet<string> = new Set([
  "notifications/cancelled",
  "notifications/progress",
  "notifications/message",
  "notifications/tools/list_changed",
  "notifications/prompts/list_changed",
  "notifications/resources/list_changed",
  "notifications/resources/updated",
  "notifications/subscriptions/acknowledged",
  "notifications/elicitation/complete",
  "notifications/tasks/status",
]);
