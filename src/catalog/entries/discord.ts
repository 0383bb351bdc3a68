/**
 * Discord, by its HTTP API in every version that answers, and without one. Webhooks and answers to interactions
 * need no credential but the token in their path. What is attached to a request (`payload_json` in a part) is
 * shown as text, and no effect depends on it. The gateway is a WebSocket, and so denied.
 *
 * @module
 */
import type { EntrySource } from "../entry.ts";

type Routes = EntrySource["routes"];

const ANY_BODY = ["none" as const, "json" as const, "form" as const, "multipart" as const];
const MESSAGE = "/channels/{channel}/messages/{message}";
const GUILD = "/guilds/{guild}";
const HOOK = "/webhooks/{hook}/{secret}";

const MESSAGES: Routes = [
  {
    verb: "message.read",
    request: [
      "GET /channels/{channel}/messages",
      "GET /channels/{channel}/messages/pins",
      "GET /channels/{channel}/pins",
      `GET ${MESSAGE}`,
      `GET ${MESSAGE}/reactions/{emoji}`,
      "GET /channels/{channel}/polls/{message}/answers/{answer}",
      `GET ${GUILD}/messages/search`,
    ],
    effects: ["read-private"],
    summary: "Read messages of {path.channel}{path.guild} {path.message}",
  },
  {
    verb: "message.delete",
    request: [
      "POST /channels/{channel}/messages/bulk-delete",
      `DELETE ${MESSAGE}`,
      `DELETE ${MESSAGE}/reactions`,
      `DELETE ${MESSAGE}/reactions/{emoji}`,
      `DELETE ${MESSAGE}/reactions/{emoji}/{user}`,
      "DELETE /channels/{channel}/messages/pins/{message}",
      "DELETE /channels/{channel}/pins/{message}",
    ],
    effects: ["delete"],
    summary: "Delete in {path.channel}: {path.message} {body.messages.*} {path.emoji}",
  },
  {
    verb: "message.send",
    request: [
      "POST /channels/{channel}/messages",
      "POST /channels/{channel}/threads",
      `POST ${MESSAGE}/threads`,
    ],
    effects: ["send"],
    summary:
      "Send to {path.channel}: {body.name} {body.content} {body.message.content}{body.payload_json}",
    body: ANY_BODY,
    recipients: ["path.channel"],
    show: "message",
  },
  {
    // It goes to every server that follows the channel.
    verb: "message.publish",
    request: `POST ${MESSAGE}/crosspost`,
    effects: ["publish"],
    summary: "Publish {path.message} of {path.channel} to all who follow it",
    recipients: ["path.channel"],
  },
  {
    verb: "message.edit",
    request: `PATCH ${MESSAGE}`,
    effects: ["send"],
    summary: "Change {path.message} in {path.channel} to: {body.content}{body.payload_json}",
    body: ANY_BODY,
    recipients: ["path.channel"],
    show: "message",
  },
  {
    verb: "message.signal",
    request: [
      `PUT ${MESSAGE}/reactions/{emoji}/@me`,
      "PUT /channels/{channel}/messages/pins/{message}",
      "PUT /channels/{channel}/pins/{message}",
      "POST /channels/{channel}/typing",
      "POST /channels/{channel}/polls/{message}/expire",
      "POST /channels/{channel}/send-soundboard-sound",
      "PUT /channels/{channel}/voice-status",
    ],
    effects: ["send"],
    summary: "Show something in {path.channel}: {path.emoji} {path.message} {body.status}",
    recipients: ["path.channel"],
  },
  {
    // A group is told that it is one.
    verb: "dm.group",
    request: "POST /users/@me/channels",
    effects: ["administer"],
    summary: "Make a group of {body.nicks.@}",
    recipients: ["body.recipient_id", "body.recipients.*", "body.nicks.@"],
    cases: [
      {
        when: {
          "body.access_tokens": { absent: true },
          "body.nicks": { absent: true },
          "body.recipients": { absent: true },
        },
        verb: "dm.open",
        effects: ["write"],
        summary: "Open a channel to {body.recipient_id}, who sees nothing of it",
      },
    ],
  },
];

const HOOKS: Routes = [
  {
    verb: "webhook.send",
    request: [`POST ${HOOK}`, `POST ${HOOK}/{form:slack|github}`],
    effects: ["send"],
    summary:
      "Send by the webhook {path.hook} {query.thread_id}: {body.content}{body.text}{body.payload_json}{body.payload}",
    body: ANY_BODY,
    recipients: ["path.hook", "query.thread_id"],
    show: "message",
  },
  {
    verb: "webhook.edit",
    request: `PATCH ${HOOK}/messages/{message}`,
    effects: ["send"],
    summary:
      "Change {path.message} of the webhook {path.hook} to: {body.content}{body.payload_json}",
    body: ANY_BODY,
    recipients: ["path.hook", "query.thread_id"],
    show: "message",
  },
  {
    verb: "webhook.delete-message",
    request: `DELETE ${HOOK}/messages/{message}`,
    effects: ["delete"],
    summary: "Delete {path.message} of the webhook {path.hook}",
  },
  {
    verb: "message.read",
    request: `GET ${HOOK}/messages/{message}`,
    effects: ["read-private"],
    summary: "Read {path.message} of the webhook {path.hook}",
  },
  {
    // A read answers with its secret, by which everyone can send.
    verb: "webhook.administer",
    request: [
      "GET|POST /channels/{channel}/webhooks",
      `GET ${GUILD}/webhooks`,
      "GET|PATCH|DELETE /webhooks/{hook}",
      `GET|PATCH|DELETE ${HOOK}`,
      "POST /channels/{channel}/followers",
    ],
    effects: ["administer"],
    summary:
      "Make, change or read with its secret a webhook: {path.channel}{path.guild} {path.hook} {body.name} {body.webhook_channel_id}",
    recipients: ["body.webhook_channel_id"],
  },
  {
    verb: "interaction.answer",
    request: "POST /interactions/{interaction}/{secret}/callback",
    effects: ["send"],
    summary:
      "Answer the interaction {path.interaction}: {body.data.content}{body.data.title}{body.payload_json}",
    body: ANY_BODY,
    recipients: ["path.interaction"],
    show: "message",
  },
];

const SERVERS: Routes = [
  {
    verb: "channel.delete",
    request: "DELETE /channels/{channel}",
    effects: ["delete", "administer"],
    summary: "Delete the channel {path.channel} with all that was said in it",
  },
  {
    verb: "channel.administer",
    request: [
      "PATCH /channels/{channel}",
      `POST|PATCH ${GUILD}/channels`,
      "PUT|DELETE /channels/{channel}/permissions/{overwrite}",
      "POST /channels/{channel}/invites",
      "DELETE /invites/{code}",
      "PUT /invites/{code}/target-users",
      "PUT|DELETE /channels/{channel}/recipients/{user}",
      "PUT|DELETE /channels/{channel}/thread-members/{user}",
    ],
    effects: ["administer"],
    summary:
      "Change a channel or who may see it: {path.channel}{path.guild}{path.code} {path.user}{path.overwrite} {body.name}",
    body: ANY_BODY,
    recipients: ["path.user"],
  },
  {
    verb: "member.remove",
    request: [
      `DELETE ${GUILD}/members/{user}`,
      `PUT ${GUILD}/bans/{user}`,
      `POST ${GUILD}/bulk-ban`,
      `POST ${GUILD}/prune`,
      `DELETE /users/@me/guilds/{guild}`,
    ],
    effects: ["delete", "administer"],
    summary:
      "Remove from {path.guild}: {path.user} {body.user_ids.*} {body.days} {body.delete_message_seconds}",
    recipients: ["path.user", "body.user_ids.*"],
  },
  {
    verb: "member.administer",
    request: [
      `PUT|PATCH ${GUILD}/members/{user}`,
      `PATCH ${GUILD}/members/@me/nick`,
      `PUT|DELETE ${GUILD}/members/{user}/roles/{role}`,
      `DELETE ${GUILD}/bans/{user}`,
      `PATCH ${GUILD}/voice-states/{user}`,
      `PATCH ${GUILD}/requests/{request}`,
    ],
    effects: ["administer"],
    summary:
      "Change the member {path.user} of {path.guild}: {path.role} {body.nick} {body.roles.*}",
    recipients: ["path.user"],
  },
  {
    verb: "guild.administer",
    request: [
      `PATCH ${GUILD}`,
      `POST|PATCH ${GUILD}/roles`,
      `PATCH|DELETE ${GUILD}/roles/{role}`,
      `POST ${GUILD}/auto-moderation/rules`,
      `PATCH|DELETE ${GUILD}/auto-moderation/rules/{rule}`,
      `PUT ${GUILD}/{part:onboarding|incident-actions}`,
      `PATCH ${GUILD}/{part:welcome-screen|widget}`,
      `DELETE ${GUILD}/integrations/{integration}`,
      `POST ${GUILD}/templates`,
      `PUT|PATCH|DELETE ${GUILD}/templates/{code}`,
    ],
    effects: ["administer", "delete"],
    summary:
      "Change the server {path.guild}: {path.part}{path.role}{path.rule}{path.integration} {body.name} {body.permissions}",
    body: ANY_BODY,
  },
  {
    verb: "guild.publish",
    request: [
      `POST ${GUILD}/{kind:emojis|stickers|soundboard-sounds|scheduled-events}`,
      `PATCH ${GUILD}/{kind:emojis|stickers|soundboard-sounds|scheduled-events}/{id}`,
      `POST ${GUILD}/scheduled-events/{id}/exceptions`,
      `PATCH ${GUILD}/scheduled-events/{id}/exceptions/{exception}`,
      "POST /stage-instances",
      "PATCH /stage-instances/{channel}",
    ],
    effects: ["publish"],
    summary: "Publish in {path.guild} {path.kind}: {body.name} {body.topic}",
    body: ANY_BODY,
  },
  {
    verb: "guild.delete",
    request: [
      `DELETE ${GUILD}/{kind:emojis|stickers|soundboard-sounds|scheduled-events}/{id}`,
      `DELETE ${GUILD}/scheduled-events/{id}/exceptions/{exception}`,
      "DELETE /stage-instances/{channel}",
    ],
    effects: ["delete"],
    summary: "Delete {path.id}{path.channel} of {path.guild} {path.kind}",
  },
  {
    verb: "guild.read",
    request: [
      "GET /channels/{channel}",
      "GET /channels/{channel}/{part:invites|thread-members}",
      "GET /channels/{channel}/thread-members/{user}",
      "GET /channels/{channel}/threads/search",
      "GET /channels/{channel}/threads/archived/{kind:private|public}",
      "GET /channels/{channel}/users/@me/threads/archived/private",
      `GET ${GUILD}`,
      `GET ${GUILD}/{part:audit-logs|bans|channels|emojis|integrations|invites|members|new-member-welcome|onboarding|preview|prune|regions|requests|roles|scheduled-events|soundboard-sounds|stickers|templates|vanity-url|welcome-screen|widget|widget\\.json|widget\\.png}`,
      `GET ${GUILD}/{part:bans|emojis|members|roles|scheduled-events|soundboard-sounds|stickers|voice-states}/{id}`,
      `GET ${GUILD}/auto-moderation/rules`,
      `GET ${GUILD}/auto-moderation/rules/{rule}`,
      `GET ${GUILD}/threads/active`,
      `GET ${GUILD}/scheduled-events/{id}/users`,
      `GET ${GUILD}/scheduled-events/{id}/users/counts`,
      `GET ${GUILD}/scheduled-events/{id}/{exception}/users`,
      "GET /stage-instances/{channel}",
      "GET /invites/{code}",
      "GET /invites/{code}/target-users",
      "GET /invites/{code}/target-users/job-status",
      "GET /users/@me",
      "GET /users/@me/{part:connections|guilds}",
      "GET /users/@me/guilds/{guild}/member",
      "GET /users/{user}",
    ],
    effects: ["read-private"],
    summary: "Read {path.channel}{path.guild}{path.user}{path.code} {path.part} {path.id}",
  },
];

const APPLICATIONS: Routes = [
  {
    verb: "command.publish",
    request: [
      "POST /applications/{app}/commands",
      "PATCH /applications/{app}/commands/{command}",
      "POST /applications/{app}/guilds/{guild}/commands",
      "PATCH /applications/{app}/guilds/{guild}/commands/{command}",
    ],
    effects: ["publish"],
    summary: "Publish the command {body.name} {path.command}: {body.description}",
  },
  {
    // A list takes the place of all commands there are.
    verb: "command.replace",
    request: [
      "PUT /applications/{app}/commands",
      "PUT /applications/{app}/guilds/{guild}/commands",
      "DELETE /applications/{app}/commands/{command}",
      "DELETE /applications/{app}/guilds/{guild}/commands/{command}",
    ],
    effects: ["publish", "delete"],
    summary: "Replace or delete commands: {body.*.name} {path.command}",
  },
  {
    verb: "app.administer",
    request: [
      "PATCH /applications/{app}",
      "PUT /applications/{app}/guilds/{guild}/commands/{command}/permissions",
      "PUT /applications/{app}/role-connections/metadata",
      "PUT|DELETE /users/@me/applications/{app}/role-connection",
      "POST /applications/{app}/entitlements",
      "DELETE /applications/{app}/entitlements/{entitlement}",
      "POST /oauth2/token",
      "POST /oauth2/token/revoke",
    ],
    effects: ["administer"],
    summary:
      "Change the app {path.app} or who may use it: {body.interactions_endpoint_url} {path.command}",
    recipients: ["body.interactions_endpoint_url", "body.event_webhooks_url"],
  },
  {
    verb: "entitlement.consume",
    request: "POST /applications/{app}/entitlements/{entitlement}/consume",
    effects: ["spend"],
    summary: "Use up what was bought: {path.entitlement}",
  },
  {
    // Pictures of an app lie at an address that everyone can read.
    verb: "emoji.publish",
    request: [
      "POST /applications/{app}/emojis",
      "PATCH /applications/{app}/emojis/{emoji}",
      "POST /applications/{app}/attachment",
    ],
    effects: ["publish"],
    summary: "Give the app a picture: {body.name}",
    body: ANY_BODY,
  },
  {
    verb: "emoji.delete",
    request: "DELETE /applications/{app}/emojis/{emoji}",
    effects: ["delete"],
    summary: "Delete the app's picture {path.emoji}, which messages may show",
  },
  {
    verb: "profile.publish",
    request: "PATCH /users/@me",
    effects: ["publish"],
    summary: "Change how the bot looks to all: {body.username}",
  },
  {
    verb: "app.read",
    request: [
      "GET /applications/{app}",
      "GET /applications/{app}/{part:commands|emojis|entitlements}",
      "GET /applications/{app}/{part:commands|emojis|entitlements|activity-instances}/{id}",
      "GET /applications/{app}/guilds/{guild}/commands",
      "GET /applications/{app}/guilds/{guild}/commands/{command}",
      "GET /applications/{app}/guilds/{guild}/commands/{command}/permissions",
      "GET /applications/{app}/role-connections/metadata",
      "GET /users/@me/applications/{app}/{part:entitlements|role-connection}",
      "GET /skus/{sku}/subscriptions",
      "GET /skus/{sku}/subscriptions/{subscription}",
      "GET /oauth2/@me",
      "GET /oauth2/userinfo",
      "GET /oauth2/applications/@me",
      "GET /gateway/bot",
    ],
    effects: ["read-private"],
    summary: "Read of the app {path.app} {path.part} {path.id}",
  },
  {
    verb: "public.read",
    request: [
      "GET /gateway",
      "GET /voice/regions",
      "GET /sticker-packs",
      "GET /sticker-packs/{pack}",
      "GET /stickers/{sticker}",
      "GET /soundboard-default-sounds",
      "GET /guilds/templates/{code}",
      "GET /oauth2/keys",
    ],
    effects: ["read"],
    summary: "Read what everyone can read",
  },
];

export const discord: EntrySource = {
  system: "discord",
  title: "Discord",
  docs: [
    "https://docs.discord.com/developers/reference",
    "https://github.com/discord/discord-api-spec",
  ],
  hosts: ["discord.com"],
  // Without a version it is the default one's.
  base: [...[10, 9, 8, 7, 6].map((version) => `/api/v${version}`), "/api"],
  credential: [
    { in: "header", name: "authorization", scheme: "Bot" },
    { in: "header", name: "authorization", scheme: "Bearer" },
    { in: "path", after: "/webhooks/{hook}/" },
    { in: "path", after: "/interactions/{interaction}/" },
  ],
  unknown: ["publish", "send", "delete", "administer", "spend"],
  // `/guilds/templates/x` is none of a server called templates.
  routes: [...HOOKS, ...APPLICATIONS, ...MESSAGES, ...SERVERS],
};
