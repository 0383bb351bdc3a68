/** Golden requests of Discord. */
import { goldenRows, type Golden } from "../golden.ts";

const SPEC = "github.com/discord/discord-api-spec specs/openapi.json";
const DOCS = "github.com/discord/discord-api-docs developers";
const REFERENCE = `${DOCS}/reference.mdx`;
const WEBHOOK = `${DOCS}/resources/webhook.mdx`;
const INTERACTIONS = `${DOCS}/interactions/receiving-and-responding.mdx`;
const COMMANDS = `${DOCS}/interactions/application-commands.mdx`;
const UNKNOWN = ["publish", "send", "delete", "administer", "spend"] as const;
const V10 = "/api/v10";
const FORM_DATA = "multipart/form-data; boundary=b";
const HI = { json: { content: "Hi" } };

export const golden: readonly Golden[] = [
  ...goldenRows(REFERENCE, [
    [
      `POST ${V10}/channels/1/messages`,
      "message.send",
      ["send"],
      "a message",
      { ...HI, recipients: ["1"], reversible: false },
    ],
    ["POST /api/channels/1/messages", "message.send", ["send"], "the default version", HI],
    ...[9, 8, 7, 6].map(
      (version) =>
        [
          `POST /api/v${version}/channels/1/messages`,
          "message.send",
          ["send"],
          "an older version",
          HI,
        ] as const,
    ),
    ["POST /api/v3/channels/1/messages", "unknown", UNKNOWN, "a version that has ended", HI],
    ["POST /api/v11/channels/1/messages", "unknown", UNKNOWN, "a version of tomorrow", HI],
    ["POST /api/v010/channels/1/messages", "unknown", UNKNOWN, "a version in other digits", HI],
    ["POST /channels/1/messages", "unknown", UNKNOWN, "outside the API", HI],
    [
      `POST ${V10}/channels/1/messages`,
      "message.send",
      ["send"],
      "as a form",
      { form: "content=Hi", recipients: ["1"] },
    ],
    [
      `POST ${V10}/channels/1/messages`,
      "message.send",
      ["send"],
      "its JSON in a part, with a file",
      {
        raw: {
          type: FORM_DATA,
          text: '--b\r\nContent-Disposition: form-data; name="payload_json"\r\nContent-Type: application/json\r\n\r\n{"content":"Hi"}\r\n--b\r\nContent-Disposition: form-data; name="files[0]"; filename="a"\r\n\r\nx\r\n--b--\r\n',
        },
        recipients: ["1"],
      },
    ],
    [
      `POST ${V10}/channels/1/messages`,
      "unknown",
      UNKNOWN,
      "a body whose type is none that is read",
      { raw: { type: "text/plain", text: '{"content":"Hi"}' } },
    ],
  ]),
  ...goldenRows(SPEC, [
    [`GET ${V10}/channels/1/messages`, "message.read", ["read-private"], "what was said"],
    [`GET ${V10}/guilds/2/messages/search?content=key`, "message.read", ["read-private"], "all"],
    [`GET ${V10}/webhooks/3/t/messages/@original`, "message.read", ["read-private"], "its own"],
    [
      `PATCH ${V10}/channels/1/messages/4`,
      "message.edit",
      ["send"],
      "other words where people read",
      { json: { content: "Bye" }, recipients: ["1"] },
    ],
    [
      `DELETE ${V10}/channels/1/messages/4`,
      "message.delete",
      ["delete"],
      "gone",
      { reversible: false },
    ],
    [
      `POST ${V10}/channels/1/messages/bulk-delete`,
      "message.delete",
      ["delete"],
      "a POST that deletes many",
      { json: { messages: ["4", "5"] } },
    ],
    [
      `POST /api/channels/1/messages/bulk-delete`,
      "message.delete",
      ["delete"],
      "without a version",
      { json: { messages: ["4", "5"] } },
    ],
    [
      `DELETE ${V10}/channels/1/messages/4/reactions`,
      "message.delete",
      ["delete"],
      "what others pressed",
    ],
    [
      `PUT ${V10}/channels/1/messages/4/reactions/%F0%9F%91%8D/@me`,
      "message.signal",
      ["send"],
      "its author is told",
      { recipients: ["1"] },
    ],
    [`POST ${V10}/channels/1/typing`, "message.signal", ["send"], "seen for ten seconds"],
    [
      `POST ${V10}/channels/1/messages/4/crosspost`,
      "message.publish",
      ["publish"],
      "to all servers that follow",
      { recipients: ["1"] },
    ],
    [
      `POST ${V10}/channels/1/threads`,
      "message.send",
      ["send"],
      "a thread with a first message",
      { json: { name: "t", message: { content: "Hi" } }, recipients: ["1"] },
    ],
    [
      `POST ${V10}/users/@me/channels`,
      "dm.open",
      ["write"],
      "nothing is said yet",
      { json: { recipient_id: "6" } },
    ],
    [
      `POST ${V10}/users/@me/channels`,
      "dm.group",
      ["administer"],
      "others are put together",
      { json: { access_tokens: ["a"], nicks: { "6": "Ann" } }, recipients: ["6"] },
    ],
    [
      `POST ${V10}/users/@me/channels`,
      "dm.group",
      ["administer"],
      "a group by its older name",
      {
        json: { recipient_id: "6", recipients: ["6", "8"] },
        recipients: ["6", "8"],
        source: "memory",
      },
    ],
    [
      `PUT ${V10}/channels/1/permissions/7`,
      "channel.administer",
      ["administer"],
      "who may see it",
      { json: { allow: "8", type: 0 } },
    ],
    [
      `POST ${V10}/channels/1/invites`,
      "channel.administer",
      ["administer"],
      "a way in",
      { json: {} },
    ],
    [
      `DELETE ${V10}/channels/1`,
      "channel.delete",
      ["delete", "administer"],
      "with all in it",
      { reversible: false },
    ],
    [
      `PUT ${V10}/guilds/2/members/6/roles/7`,
      "member.administer",
      ["administer"],
      "a role for somebody",
      { recipients: ["6"] },
    ],
    [
      `PATCH ${V10}/guilds/2/members/@me`,
      "member.administer",
      ["administer"],
      "one's own name there",
      { json: { nick: "Boss" } },
    ],
    [
      `PUT ${V10}/guilds/2/bans/6`,
      "member.remove",
      ["delete", "administer"],
      "out, with what was said",
      { json: { delete_message_seconds: 604800 }, recipients: ["6"] },
    ],
    [
      `POST ${V10}/guilds/2/bulk-ban`,
      "member.remove",
      ["delete", "administer"],
      "many",
      { json: { user_ids: ["6", "8"] }, recipients: ["6", "8"] },
    ],
    [`POST ${V10}/guilds/2/prune`, "member.remove", ["delete", "administer"], "all who are quiet"],
    [`GET ${V10}/guilds/2/prune?days=7`, "guild.read", ["read-private"], "how many that would be"],
    [
      `PATCH ${V10}/guilds/2/roles/7`,
      "guild.administer",
      ["administer", "delete"],
      "what a role may do",
      { json: { permissions: "8" } },
    ],
    [
      `POST ${V10}/guilds/2/scheduled-events`,
      "guild.publish",
      ["publish"],
      "all see it",
      { json: { name: "n" } },
    ],
    [`DELETE ${V10}/guilds/2/emojis/9`, "guild.delete", ["delete"], "from all messages"],
    [`GET ${V10}/guilds/2/members?limit=1000`, "guild.read", ["read-private"], "who there is"],
    [
      `PATCH ${V10}/applications/@me`,
      "app.administer",
      ["administer"],
      "interactions go elsewhere",
      {
        json: { interactions_endpoint_url: "https://e.example.org/" },
        recipients: ["https://e.example.org/"],
      },
    ],
    [
      `POST ${V10}/applications/1/entitlements/2/consume`,
      "entitlement.consume",
      ["spend"],
      "used up",
    ],
    [
      `POST ${V10}/applications/1/emojis`,
      "emoji.publish",
      ["publish"],
      "at an address that everyone can read",
      { json: { name: "n", image: "data:image/png;base64,AA==" } },
    ],
    [`DELETE ${V10}/applications/1/emojis/9`, "emoji.delete", ["delete"], "gone"],
    [`PATCH ${V10}/users/@me`, "profile.publish", ["publish"], "seen by all", { json: {} }],
    [`GET ${V10}/gateway/bot`, "app.read", ["read-private"], "where it would listen"],
    [`GET ${V10}/guilds/templates/abc`, "public.read", ["read"], "no server of that name"],
    [`POST ${V10}/lobbies`, "unknown", UNKNOWN, "not listed", { json: {} }],
    [`GET ${V10}/channels/1/messages/`, "unknown", UNKNOWN, "a slash behind"],
  ]),
  ...goldenRows(WEBHOOK, [
    [
      `POST ${V10}/webhooks/3/secret1`,
      "webhook.send",
      ["send"],
      "without a credential",
      { ...HI, recipients: ["3"] },
    ],
    [
      "POST /api/webhooks/3/secret1?wait=true&thread_id=5",
      "webhook.send",
      ["send"],
      "without a version, into a thread",
      { ...HI, recipients: ["3", "5"] },
    ],
    [
      `POST ${V10}/webhooks/3/secret1/slack`,
      "webhook.send",
      ["send"],
      "in Slack's form",
      { json: { text: "Hi" }, recipients: ["3"] },
    ],
    [
      `PATCH ${V10}/webhooks/3/secret1/messages/@original`,
      "webhook.edit",
      ["send"],
      "other words where people read",
      { ...HI, recipients: ["3"] },
    ],
    [`DELETE ${V10}/webhooks/3/secret1/messages/4`, "webhook.delete-message", ["delete"], "gone"],
    [`DELETE ${V10}/webhooks/3/secret1`, "webhook.administer", ["administer"], "its end"],
    [`GET ${V10}/channels/1/webhooks`, "webhook.administer", ["administer"], "their secrets"],
    [
      `POST ${V10}/channels/1/webhooks`,
      "webhook.administer",
      ["administer"],
      "a way to send without a credential",
      { json: { name: "n" } },
    ],
    [
      `POST ${V10}/channels/1/followers`,
      "webhook.administer",
      ["administer"],
      "what is published there comes to another channel",
      {
        json: { webhook_channel_id: "9" },
        recipients: ["9"],
        source: `${DOCS}/resources/channel.mdx`,
      },
    ],
  ]),
  ...goldenRows(INTERACTIONS, [
    [
      `POST ${V10}/interactions/5/secret1/callback`,
      "interaction.answer",
      ["send"],
      "whoever asked sees it",
      { json: { type: 4, data: { content: "Hi" } }, recipients: ["5"] },
    ],
    [
      "POST /api/interactions/5/secret1/callback?with_response=true",
      "interaction.answer",
      ["send"],
      "without a version, for later",
      { json: { type: 5 }, recipients: ["5"] },
    ],
  ]),
  ...goldenRows(COMMANDS, [
    [
      `POST ${V10}/applications/1/commands`,
      "command.publish",
      ["publish"],
      "in every server",
      { json: { name: "buy", description: "Buy" } },
    ],
    [
      `PUT ${V10}/applications/1/commands`,
      "command.replace",
      ["publish", "delete"],
      "a list in place of all",
      { json: [] },
    ],
    [
      `PUT ${V10}/applications/1/guilds/2/commands/3/permissions`,
      "app.administer",
      ["administer"],
      "who may use it",
      { json: { permissions: [] } },
    ],
  ]),
];
