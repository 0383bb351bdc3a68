/**
 * What the nodes of n8n do, by their type. A type that does not stand here may do anything, community nodes
 * among them. `npm run test:heavy` compares the types with n8n's own packages. Some do nothing until a parameter
 * of theirs makes them run code (`QUIET`).
 *
 * @module
 */
import type { Effect } from "../../action/index.ts";

/** Kinds of node, the most dangerous first. */
export const NODE_KINDS = [
  "unknown",
  "code",
  "database",
  "http",
  "mail",
  "chat",
  "ai",
  "trigger",
  "plain",
] as const;
export type NodeKind = (typeof NODE_KINDS)[number];

/** What a node of each kind adds to a workflow. */
export const KIND_EFFECTS: Readonly<Record<NodeKind, readonly Effect[]>> = {
  unknown: ["send", "execute", "delete", "administer", "spend"],
  code: ["execute"],
  database: ["execute"],
  http: ["send"],
  mail: ["send"],
  chat: ["send"],
  ai: ["spend"],
  trigger: [],
  plain: [],
};

const BASE = "n8n-nodes-base.";
const LANGCHAIN = "@n8n/n8n-nodes-langchain.";

const KINDS: ReadonlyMap<string, NodeKind> = new Map([
  ...types(
    BASE,
    "code",
    "aiTransform code executeCommand executeWorkflow function functionItem ftp git n8n readBinaryFile " +
      "readBinaryFiles readWriteFile ssh writeBinaryFile",
  ),
  ...types(LANGCHAIN, "code", "code toolCode toolWorkflow mcpClientTool"),
  ...types(
    BASE,
    "database",
    "crateDb elasticsearch microsoftSql mongoDb mySql oracleDatabase postgres questDb redis snowflake supabase " +
      "timescaleDb",
  ),
  ...types(BASE, "http", "graphql httpRequest httpRequestTool"),
  ...types(LANGCHAIN, "http", "toolHttpRequest"),
  ...types(
    BASE,
    "mail",
    "awsSes emailSend gmail mailgun mailjet mandrill microsoftOutlook sendGrid",
  ),
  ...types(
    BASE,
    "chat",
    "discord googleChat mattermost matrix microsoftTeams rocketchat slack telegram twilio whatsApp zulip",
  ),
  ...types(
    LANGCHAIN,
    "ai",
    "agent chainLlm chainSummarization lmChatAnthropic lmChatOpenAi openAi",
  ),
  ...types(
    BASE,
    "trigger",
    "cron emailReadImap errorTrigger executeWorkflowTrigger formTrigger interval manualTrigger " +
      "scheduleTrigger webhook",
  ),
  ...types(LANGCHAIN, "trigger", "chatTrigger manualChatTrigger mcpTrigger"),
  ...types(
    BASE,
    "plain",
    "aggregate compareDatasets dateTime filter if itemLists limit merge noOp removeDuplicates " +
      "renameKeys set sort splitInBatches splitOut stickyNote stopAndError summarize switch",
  ),
]);

/** Every type whose kind is known. */
export const KNOWN_TYPES: readonly string[] = [...KINDS.keys()];

function types(prefix: string, kind: NodeKind, names: string): readonly [string, NodeKind][] {
  return names.split(" ").map((name) => [`${prefix}${name}`, kind]);
}

/**
 * Types that run code or SQL unless each of these parameters has one of the values; one that is absent has
 * n8n's default, which is the first. SQL is run by alasql, in earlier versions within n8n itself.
 */
export const QUIET: ReadonlyMap<string, Readonly<Record<string, readonly string[]>>> = new Map([
  [`${BASE}sort`, { type: ["simple", "random"] }],
  [`${BASE}itemLists`, { type: ["simple", "random"] }],
  [
    `${BASE}merge`,
    {
      mode: (
        "append combine chooseBranch keepKeyMatches mergeByIndex mergeByKey multiplex passThrough " +
        "removeKeyMatches wait"
      ).split(" "),
      combineBy: ["combineByFields", "combineByPosition", "combineAll"],
    },
  ],
]);

/** The kind of node that `type` names; types are told apart by case. */
export function kindOf(type: string): NodeKind {
  return KINDS.get(type) ?? "unknown";
}
