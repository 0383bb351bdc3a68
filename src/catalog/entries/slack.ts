/**
 * Slack, by its Web API, its webhooks and its uploads. A method is called by GET or POST, its arguments stand
 * in query, form and JSON alike. A `token` among them would act as somebody else than the credential of the
 * grant, so that such a request is unknown. All of `admin.*` and whatever mints tokens is administration.
 *
 * @module
 */
import type { EntrySource } from "../entry.ts";

type Routes = EntrySource["routes"];

const ANY_BODY = ["none" as const, "json" as const, "form" as const, "multipart" as const];

/** The methods of `names`, `family.{one two}` written as `family.one`, as one request each of GET and POST. */
function methods(...names: readonly string[]): string {
  const pattern = names
    .flatMap((name) => name.split(" "))
    .map((name) => name.replaceAll(".", "\\."))
    .join("|");
  return `GET|POST /{method:${pattern}}`;
}

const MESSAGES: Routes = [
  {
    verb: "message.send",
    request: methods(
      "chat.postMessage chat.meMessage chat.postEphemeral chat.unfurl entity.presentDetails",
      "chat.startStream chat.appendStream chat.stopStream calls.add calls.update calls.end",
      "calls.participants.add calls.participants.remove",
    ),
    effects: ["send"],
    summary: "Send to {param.channel} {param.user}: {param.text} ({path.method})",
    body: ANY_BODY,
    recipients: ["param.channel", "param.user"],
    show: "message",
  },
  {
    verb: "message.schedule",
    request: methods("chat.scheduleMessage"),
    effects: ["send"],
    summary: "Send to {param.channel} at {param.post_at}: {param.text}",
    body: ANY_BODY,
    recipients: ["param.channel"],
    takes_effect_at: "param.post_at",
    show: "message",
  },
  {
    // Whoever read it finds other words there.
    verb: "message.edit",
    request: methods("chat.update"),
    effects: ["send"],
    summary: "Change the message {param.ts} in {param.channel} to: {param.text}",
    body: ANY_BODY,
    recipients: ["param.channel"],
    show: "message",
  },
  {
    verb: "message.delete",
    request: methods("chat.delete chat.deleteScheduledMessage"),
    effects: ["delete"],
    summary: "Delete {param.ts} {param.scheduled_message_id} in {param.channel}",
    body: ANY_BODY,
  },
  {
    verb: "mark.add",
    request: methods("reactions.add pins.add bookmarks.add bookmarks.edit"),
    effects: ["send"],
    summary:
      "Mark in {param.channel} {param.channel_id}: {param.name} {param.title} {param.link} ({path.method})",
    body: ANY_BODY,
    recipients: ["param.channel", "param.channel_id"],
  },
  {
    verb: "mark.remove",
    request: methods("reactions.remove pins.remove bookmarks.remove"),
    effects: ["delete"],
    summary: "Remove a mark in {param.channel} {param.channel_id}: {param.name} ({path.method})",
    body: ANY_BODY,
  },
  {
    // It opens on the person's screen, or changes what stands there.
    verb: "view.show",
    request: methods(
      "views.open views.push views.update views.publish dialog.open assistant.threads.setStatus",
      "assistant.threads.setSuggestedPrompts assistant.threads.setTitle agents.sessions.rename",
      "agents.sessions.setStatus",
    ),
    effects: ["send"],
    summary: "Show {param.user_id} {param.channel_id} a window ({path.method})",
    body: ANY_BODY,
    recipients: ["param.user_id", "param.channel_id", "param.trigger_id"],
    show: "message",
  },
  {
    verb: "reminder.add",
    request: methods("reminders.add"),
    effects: ["send"],
    summary: "Remind {param.user} at {param.time}: {param.text}",
    body: ANY_BODY,
    recipients: ["param.user"],
    takes_effect_at: "param.time",
    show: "message",
  },
  {
    verb: "reminder.delete",
    request: methods("reminders.complete reminders.delete"),
    effects: ["delete"],
    summary: "End the reminder {param.reminder}",
    body: ANY_BODY,
  },
  {
    // What a workflow waits for is answered, and it goes on.
    verb: "workflow.continue",
    request: methods(
      "functions.completeSuccess functions.completeError workflows.stepCompleted",
      "workflows.stepFailed workflows.updateStep",
    ),
    effects: ["execute"],
    summary: "Let a workflow go on ({path.method})",
    body: ANY_BODY,
  },
];

const FILES: Routes = [
  {
    verb: "file.prepare",
    request: methods("files.getUploadURLExternal files.remote.add"),
    effects: ["write"],
    summary: "Prepare the file {param.filename} {param.title}, which nobody sees yet",
    body: ANY_BODY,
  },
  {
    verb: "file.upload",
    request: "POST /upload/{rest...}",
    root: true,
    effects: ["write"],
    summary: "Upload the bytes of a file, which nobody sees yet",
    body: ["none", "raw", "form", "json", "multipart"],
  },
  {
    // Shared in the channels that are named; without one its owner alone has it.
    verb: "file.share",
    request: methods("files.completeUploadExternal files.upload"),
    effects: ["send"],
    summary:
      "Share the file {param.files} {param.filename} in {param.channel_id} {param.channels}: {param.initial_comment}",
    body: ANY_BODY,
    recipients: ["param.channel_id", "param.channels"],
    show: "message",
    cases: [
      {
        when: {
          "param.channel_id": { absent: true },
          "param.channels": { absent: true },
          "param.thread_ts": { absent: true },
        },
        verb: "file.keep",
        effects: ["write"],
        summary: "Keep the file {param.files} {param.filename} for oneself",
      },
    ],
  },
  {
    verb: "file.share",
    request: methods("files.remote.share files.remote.update"),
    effects: ["send"],
    summary: "Share the file {param.file} {param.external_id} in {param.channels}",
    body: ANY_BODY,
    recipients: ["param.channels"],
  },
  {
    verb: "file.publish",
    request: methods("files.sharedPublicURL"),
    effects: ["publish"],
    summary: "Make the file {param.file} readable by everyone with its address",
    body: ANY_BODY,
  },
  {
    verb: "file.delete",
    request: methods(
      "files.delete files.revokePublicURL files.remote.remove files.comments.delete",
    ),
    effects: ["delete"],
    summary: "Delete the file {param.file} {param.external_id} or its address ({path.method})",
    body: ANY_BODY,
  },
  {
    // A canvas or a list may be open before others.
    verb: "document.edit",
    request: methods(
      "canvases.edit conversations.canvases.create slackLists.update slackLists.items.create",
      "slackLists.items.update",
    ),
    effects: ["send"],
    summary: "Change {param.canvas_id} {param.list_id} {param.channel_id}, which others may read",
    body: ANY_BODY,
    recipients: ["param.channel_id"],
  },
  {
    verb: "document.create",
    request: methods("canvases.create slackLists.create"),
    effects: ["send"],
    summary: "Make {param.title} {param.name} in {param.channel_id}",
    body: ANY_BODY,
    recipients: ["param.channel_id"],
    cases: [
      {
        when: { "param.channel_id": { absent: true } },
        verb: "document.draft",
        effects: ["write"],
        summary: "Make {param.title} {param.name} for oneself",
      },
    ],
  },
  {
    verb: "document.delete",
    request: methods("canvases.delete slackLists.items.delete slackLists.items.deleteMultiple"),
    effects: ["delete"],
    summary: "Delete {param.canvas_id} {param.list_id} ({path.method})",
    body: ANY_BODY,
  },
];

const CHANNELS: Routes = [
  {
    verb: "member.change",
    request: methods(
      "conversations.invite conversations.kick conversations.join conversations.leave",
      "conversations.acceptSharedInvite conversations.approveSharedInvite",
      "conversations.declineSharedInvite conversations.requestSharedInvite.approve",
      "conversations.requestSharedInvite.deny conversations.externalInvitePermissions.set",
      "canvases.access.set canvases.access.delete slackLists.access.set slackLists.access.delete",
      "usergroups.create usergroups.disable usergroups.enable usergroups.update",
      "usergroups.users.update team.externalTeams.disconnect",
    ),
    effects: ["administer"],
    summary:
      "Change who is where: {param.users} {param.user} {param.user_ids} {param.channel} {param.usergroup} ({path.method})",
    body: ANY_BODY,
    recipients: ["param.users", "param.user", "param.user_ids", "param.channel_ids"],
  },
  {
    verb: "member.invite-external",
    request: methods("conversations.inviteShared"),
    effects: ["administer", "send"],
    summary: "Invite {param.emails} {param.user_ids} from elsewhere into {param.channel}",
    body: ANY_BODY,
    recipients: ["param.emails", "param.user_ids"],
  },
  {
    verb: "channel.publish",
    request: methods("conversations.create"),
    effects: ["publish"],
    summary: "Make the channel {param.name}, which everyone can join",
    body: ANY_BODY,
    cases: [
      {
        when: { "param.is_private": { only: ["true"] } },
        verb: "channel.create",
        effects: ["write"],
        summary: "Make the private channel {param.name}",
      },
    ],
  },
  {
    verb: "channel.change",
    request: methods(
      "conversations.rename conversations.setTopic conversations.setPurpose conversations.unarchive",
    ),
    effects: ["send"],
    summary:
      "Change the channel {param.channel}: {param.name} {param.topic} {param.purpose} ({path.method})",
    body: ANY_BODY,
    recipients: ["param.channel"],
  },
  {
    verb: "channel.archive",
    request: methods("conversations.archive"),
    effects: ["delete"],
    summary: "Archive the channel {param.channel}",
    body: ANY_BODY,
    reversible: true,
  },
  {
    verb: "channel.open",
    request: methods(
      "conversations.open conversations.close conversations.mark stars.add stars.remove",
    ),
    effects: ["write"],
    summary: "Open, close or mark {param.channel} {param.users} for oneself ({path.method})",
    body: ANY_BODY,
  },
];

const PEOPLE: Routes = [
  {
    verb: "profile.administer",
    request: methods("users.profile.set"),
    effects: ["administer", "publish"],
    summary: "Change the profile of {param.user}: {param.name} {param.value} {param.profile}",
    body: ANY_BODY,
    cases: [
      {
        when: { "param.user": { absent: true } },
        verb: "profile.change",
        effects: ["publish"],
        summary: "Change one's own profile: {param.name} {param.value} {param.profile}",
      },
    ],
  },
  {
    verb: "profile.change",
    request: methods("users.setPhoto users.deletePhoto"),
    effects: ["publish"],
    summary: "Change one's own picture ({path.method})",
    body: ANY_BODY,
  },
  {
    verb: "presence.set",
    request: methods("users.setPresence dnd.setSnooze dnd.endSnooze dnd.endDnd"),
    effects: ["write"],
    summary: "Say whether one is there ({path.method})",
    body: ANY_BODY,
  },
];

const READS: Routes = [
  {
    verb: "api.test",
    request: methods("api.test auth.test"),
    effects: ["read"],
    summary: "Ask who one is",
    body: ANY_BODY,
  },
  {
    verb: "message.search",
    request: methods("search.all search.files search.messages"),
    effects: ["read-private"],
    summary: "Search for {param.query}",
    body: ANY_BODY,
  },
  {
    verb: "data.read",
    request: methods(
      "conversations.history conversations.info conversations.list conversations.members",
      "conversations.replies conversations.listConnectInvites conversations.requestSharedInvite.list",
      "chat.getPermalink chat.scheduledMessages.list reactions.get reactions.list pins.list",
      "bookmarks.list stars.list files.info files.list files.remote.info files.remote.list",
      "reminders.info reminders.list users.conversations users.getPresence users.identity",
      "users.info users.list users.lookupByEmail users.profile.get users.discoverableContacts.lookup",
      "usergroups.list usergroups.users.list team.info team.profile.get team.preferences.list",
      "team.accessLogs team.billableInfo team.billing.info team.integrationLogs",
      "team.externalTeams.list bots.info emoji.list dnd.info dnd.teamInfo calls.info",
      "canvases.sections.lookup slackLists.items.info slackLists.items.list auth.teams.list",
      "slackLists.download.start slackLists.download.get workflows.featured.list",
      "apps.event.authorizations.list migration.exchange openid.connect.userInfo",
    ),
    effects: ["read-private"],
    summary: "Read {param.channel} {param.user} {param.file} ({path.method})",
    body: ANY_BODY,
  },
];

const ADMINISTRATION: Routes = [
  {
    verb: "admin.read",
    request: methods(
      "admin.analytics.getFile admin.apps.activities.list admin.apps.approved.list",
      "admin.apps.config.lookup admin.apps.requests.list admin.apps.restricted.list",
      "admin.auth.policy.getEntities admin.barriers.list",
      "admin.conversations.ekm.listOriginalConnectedChannelInfo",
      "admin.conversations.getConversationPrefs admin.conversations.getCustomRetention",
      "admin.conversations.getTeams admin.conversations.lookup",
      "admin.conversations.restrictAccess.listGroups admin.conversations.search admin.emoji.list",
      "admin.functions.list admin.functions.permissions.lookup admin.inviteRequests.approved.list",
      "admin.inviteRequests.denied.list admin.inviteRequests.list admin.roles.listAssignments",
      "admin.teams.admins.list admin.teams.list admin.teams.owners.list admin.teams.settings.info",
      "admin.usergroups.listChannels admin.users.getExpiration admin.users.list",
      "admin.users.session.getSettings admin.users.session.list admin.workflows.permissions.lookup",
      "admin.workflows.search",
    ),
    effects: ["read-private"],
    summary: "Read of the organization ({path.method})",
    body: ANY_BODY,
  },
  {
    verb: "admin.invite",
    request: methods("admin.users.invite"),
    effects: ["administer", "send"],
    summary: "Invite {param.email} to {param.team_id} {param.channel_ids}",
    body: ANY_BODY,
    recipients: ["param.email"],
  },
  {
    // Whatever else there is or will be: channels are deleted in bulk, and owners made.
    verb: "admin.change",
    request: "GET|POST /{method:admin(?:\\.[A-Za-z]+)+}",
    effects: ["administer", "delete"],
    summary: "Administer the organization ({path.method})",
    body: ANY_BODY,
  },
  {
    // Each answers with a token or an address that works without Cofferdam, or ends one.
    verb: "app.administer",
    request: methods(
      "apps.connections.open apps.uninstall apps.manifest.create apps.manifest.delete",
      "apps.manifest.export apps.manifest.update apps.manifest.validate apps.user.connection.update",
      "apps.permissions.request apps.permissions.users.request auth.revoke oauth.access oauth.token",
      "oauth.v2.access oauth.v2.exchange openid.connect.token tooling.tokens.rotate rtm.connect",
      "rtm.start workflows.featured.add workflows.featured.remove workflows.featured.set",
    ),
    effects: ["administer"],
    summary: "Change an app or its tokens ({path.method})",
    body: ANY_BODY,
  },
];

const HOOKS: Routes = [
  {
    // Older ones take another channel from the body.
    verb: "webhook.send",
    request: [
      "POST /services/{team}/{hook}/{secret}",
      "POST /{kind:actions|commands}/{team}/{hook}/{secret}",
    ],
    root: true,
    effects: ["send"],
    summary: "Send by the webhook {path.hook} {body.channel}: {body.text}{body.payload}",
    body: ["json", "form"],
    recipients: ["path.hook", "body.channel"],
    show: "message",
  },
  {
    verb: "webhook.run",
    request: [
      "POST /triggers/{team}/{hook}/{secret}",
      "POST /workflows/{team}/{app}/{hook}/{secret}",
    ],
    root: true,
    effects: ["execute"],
    summary: "Start the workflow behind {path.hook}",
    body: ["none", "json", "form"],
  },
];

export const slack: EntrySource = {
  system: "slack",
  title: "Slack",
  docs: ["https://docs.slack.dev/apis/web-api", "https://docs.slack.dev/reference/methods"],
  hosts: ["slack.com", "hooks.slack.com", "files.slack.com"],
  base: ["/api"],
  credential: [
    { in: "header", name: "authorization", scheme: "Bearer" },
    { in: "path", after: "/services/{team}/{hook}/" },
    { in: "path", after: "/actions/{team}/{hook}/" },
    { in: "path", after: "/commands/{team}/{hook}/" },
    { in: "path", after: "/triggers/{team}/{hook}/" },
    { in: "path", after: "/workflows/{team}/{app}/{hook}/" },
    { in: "path", after: "/upload/{version}/" },
  ],
  refuse: ["param.token"],
  unknown: ["publish", "send", "execute", "delete", "administer"],
  // Its arguments are read by Hack, PHP's kin.
  dialect: ["php"],
  routes: [...MESSAGES, ...FILES, ...CHANNELS, ...PEOPLE, ...READS, ...ADMINISTRATION, ...HOOKS],
};
