/**
 * Chats: whom a bot reaches. Slack says its scopes in a header (X-OAuth-Scopes, as its own client reads it), Discord the
 * permissions in each guild, Telegram neither chats nor rights.
 * https://docs.slack.dev/reference/methods/conversations.list, https://docs.discord.com/developers/topics/permissions,
 * https://core.telegram.org/bots/api
 *
 * @module
 */
import { z } from "zod";
import { UNBOUNDED } from "../../blast/index.ts";
import { CREDENTIAL_MARK, type Probe, type Probed, type ProbePorts } from "../probe.ts";
import { every, Findings, nameOf, type Power, type Told } from "./findings.ts";
import { Asker, COUNT } from "./questions.ts";

const CHANNELS_MAX = 100;
const PAGES_MAX = 5;

const OK = z.object({ ok: z.literal(true) });
const CHANNEL = z.object({
  id: z.string().min(1).max(40),
  name: z.string().optional(),
  is_member: z.boolean().optional(),
  is_private: z.boolean().optional(),
  num_members: COUNT.optional().catch(undefined),
});
const CHANNELS = OK.extend({
  channels: z.array(CHANNEL).max(1000),
  response_metadata: z.object({ next_cursor: z.string().max(1000).optional() }).optional(),
});

export const slackProbe: Probe = {
  system: "slack",
  asks: ["scopes of the token (X-OAuth-Scopes)", "channels with their numbers of members"],
  probe: probeSlack,
};

async function probeSlack(ports: ProbePorts): Promise<Probed> {
  const findings = new Findings(ports);
  const asker = new Asker(ports, findings);
  const who = await asker.get("api/auth.test", OK);
  const header = who.value === undefined ? undefined : who.header("x-oauth-scopes");
  const scopes =
    header === undefined ? undefined : new Set(header.split(",").map((one) => one.trim()));
  // Tokens of old have scopes that stand for many.
  findings.holds("what is written in a workspace is not read", findings.own("workspace"));
  const isOld =
    scopes !== undefined && ["bot", "client", "post", "admin"].some((one) => scopes.has(one));
  const scope = (...names: string[]): Told => {
    if (scopes === undefined) return undefined;
    if (names.some((name) => scopes.has(name))) return true;
    return isOld ? undefined : false;
  };
  const channels = await slackChannels(asker, findings);
  const powers = channels.flatMap(({ object, isMember, isPrivate }): readonly Power[] => {
    const speaks = isMember ? scope("chat:write") : isPrivate ? false : scope("chat:write.public");
    return [
      ["message.send message.schedule", object, every(scope("chat:write"), speaks)],
      ["message.edit message.delete", object, scope("chat:write")],
      ["file.share", object, every(scope("files:write"), isMember)],
    ];
  });
  findings.powers(who.where, [...powers, ...slackPowers(findings, scope, scopes)]);
  return findings.probed();
}

function slackPowers(
  findings: Findings,
  scope: (...names: string[]) => Told,
  scopes: ReadonlySet<string> | undefined,
): readonly Power[] {
  const team = findings.own("workspace");
  const reads = scopes && [...scopes].some((one) => /:(?:read|history)$/.test(one));
  const admin = (suffix: RegExp): Told =>
    scopes && [...scopes].some((one) => one === "admin" || suffix.test(one));
  return [
    ["api.test", team, true],
    // Whoever may write may write to any member, by opening a talk with them.
    [
      "message.send",
      findings.own("members of the workspace"),
      every(scope("chat:write"), scope("im:write", "mpim:write", "chat:write.customize")),
    ],
    ["data.read", team, reads],
    ["message.search", team, scope("search:read", "search:read.public", "search:read.private")],
    [
      "mark.add mark.remove",
      findings.own("marks"),
      scope("reactions:write", "pins:write", "bookmarks:write"),
    ],
    ["reminder.add reminder.delete", team, scope("reminders:write")],
    [
      "file.prepare file.upload file.keep file.publish file.delete",
      team,
      scope("files:write", "remote_files:write"),
    ],
    [
      "document.edit document.draft document.create document.delete",
      team,
      scope("canvases:write", "lists:write"),
    ],
    [
      "member.change",
      team,
      scope(
        "channels:manage",
        "channels:write",
        "channels:join",
        "groups:write",
        "channels:write.invites",
        "groups:write.invites",
        "usergroups:write",
      ),
    ],
    [
      "member.invite-external",
      team,
      scope("conversations.connect:write", "conversations.connect:manage"),
    ],
    [
      "channel.create channel.publish channel.change channel.archive",
      team,
      scope("channels:manage", "channels:write", "groups:write"),
    ],
    [
      "channel.open",
      team,
      scope(
        "im:write",
        "mpim:write",
        "channels:manage",
        "channels:write",
        "groups:write",
        "stars:write",
      ),
    ],
    ["profile.change profile.administer", team, scope("users.profile:write")],
    ["presence.set", team, scope("users:write", "dnd:write")],
    ["admin.read", team, admin(/^admin\..*:read$/)],
    ["admin.invite admin.change", team, admin(/^admin\..*:write$/)],
    // Addresses of webhooks are secrets of their own: the token opens none.
    ["webhook.send webhook.run", team, false],
  ];
}

interface Channel {
  readonly object: string;
  readonly isMember: boolean;
  readonly isPrivate: boolean;
}

async function slackChannels(asker: Asker, findings: Findings): Promise<readonly Channel[]> {
  const found: Channel[] = [];
  let cursor = "";
  let isWhole = false;
  for (let page = 0; page < PAGES_MAX && !isWhole; page += 1) {
    const target = `api/conversations.list?types=public_channel,private_channel&exclude_archived=true&limit=200${cursor}`;
    const { value, where } = await asker.get(target, CHANNELS);
    if (value === undefined) break;
    for (const {
      id,
      name = "",
      is_member: isMember = false,
      is_private: isPrivate = false,
      num_members: members,
    } of value.channels) {
      if (found.length === CHANNELS_MAX) break;
      const object = findings.object(`channel ${nameOf(id)} ${nameOf(name)}`);
      findings.amount(where, "people", object, members);
      found.push({ object, isMember, isPrivate });
    }
    const next = value.response_metadata?.next_cursor ?? "";
    isWhole = next === "" && value.channels.length <= CHANNELS_MAX;
    cursor = `&cursor=${encodeURIComponent(next)}`;
    if (next === "") break;
  }
  findings.assume(
    "how many members a workspace has is not asked",
    "people",
    findings.own("members of the workspace"),
    UNBOUNDED,
  );
  if (isWhole) return found;
  findings.note("channels were not told whole; those beyond count at their worst");
  const object = findings.own("channels that were not told");
  findings.amount("GET /api/conversations.list", "people", object, undefined);
  return [...found, { object, isMember: true, isPrivate: false }];
}

const GUILD = z.object({
  id: z.string().regex(/^\d{1,20}$/),
  name: z.string(),
  /** Bits, as text. */
  permissions: z.string().regex(/^\d{1,20}$/),
  approximate_member_count: COUNT.optional().catch(undefined),
});
const GUILDS = z.array(GUILD).max(200);

/** https://docs.discord.com/developers/topics/permissions: bitwise permission flags. */
const BITS = {
  invite: 0n,
  kick: 1n,
  ban: 2n,
  administrator: 3n,
  channels: 4n,
  guild: 5n,
  send: 11n,
  messages: 13n,
  roles: 28n,
  webhooks: 29n,
  expressions: 30n,
} as const;

export const discordProbe: Probe = {
  system: "discord",
  asks: ["guilds with their numbers of members and the bot's permissions"],
  probe: probeDiscord,
};

async function probeDiscord(ports: ProbePorts): Promise<Probed> {
  const findings = new Findings(ports);
  const asker = new Asker(ports, findings);
  const { value, where } = await asker.get(
    "api/v10/users/@me/guilds?with_counts=true&limit=200",
    GUILDS,
  );
  const powers: Power[] = [["public.read app.read", findings.own("application"), true]];
  for (const { id, name, permissions, approximate_member_count: members } of value ?? []) {
    const object = findings.object(`guild ${id} ${nameOf(name)}`);
    findings.amount(where, "people", object, members);
    findings.holds("what is written in a guild is not read", object);
    const bits = BigInt(permissions);
    // What a role does not give a channel's own setting may.
    const may = (...names: (keyof typeof BITS)[]): Told =>
      ["administrator" as const, ...names].some((one) => (bits >> BITS[one]) % 2n === 1n)
        ? true
        : undefined;
    powers.push(
      ["message.read guild.read", object, true],
      ["message.send message.edit message.signal message.publish", object, may("send")],
      ["message.delete", object, may("messages")],
      ["webhook.administer", object, may("webhooks")],
      ["channel.administer channel.delete", object, may("channels")],
      ["member.administer", object, may("roles", "kick", "ban", "guild")],
      ["member.remove", object, may("kick", "ban")],
      ["emoji.publish emoji.delete", object, may("expressions")],
    );
  }
  if (value === undefined || value.length === 200) {
    const object = findings.own("guilds that were not told");
    findings.amount(where, "people", object, undefined);
    powers.push(["message.send message.read message.delete", object, undefined]);
  }
  findings.powers(where, powers);
  return findings.probed();
}

const STARS = OK.extend({ result: z.object({ amount: z.number().int() }) });

export const telegramProbe: Probe = {
  system: "telegram",
  asks: ["whether the token is good (getMe)", "how many Stars it has"],
  async probe(ports) {
    const findings = new Findings(ports);
    const asker = new Asker(ports, findings);
    const method = (name: string) => `bot${CREDENTIAL_MARK}/${name}`;
    const me = await asker.get(method("getMe"), OK);
    const { value, where } = await asker.get(method("getMyStarBalance"), STARS);
    const stars = findings.own("Stars");
    findings.amount(
      where,
      "money",
      stars,
      value === undefined ? undefined : Math.max(0, value.result.amount),
    );
    findings.note(
      "Telegram does not tell in which chats a bot is: whom it reaches counts as anyone",
    );
    const chats = findings.own("chats that it is in");
    findings.powers("a bot's token has no scopes", [
      ["bot.read", findings.own("bot"), me.may],
      ["data.read update.read update.consume update.discard file.read", chats, true],
      ["message.send message.signal message.edit query.answer chat.change", chats, undefined],
      ["payment.refund stars.spend message.send-paid payment.answer", stars, undefined],
    ]);
    findings.assume("messages of whoever wrote to it", "label", chats, "customer");
    findings.assume("messages of whoever wrote to it", "rows", chats, UNBOUNDED);
    return findings.probed();
  },
};
