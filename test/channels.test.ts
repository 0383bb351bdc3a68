/** Approvals from a phone, end to end: the real daemon, with doubles of Telegram, Slack and ntfy on loopback. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { ApprovalInfo } from "../src/api/index.ts";
import { NTFY_TOKEN, startNtfy, type NtfyDouble } from "./doubles/ntfy.ts";
import { SLACK_TOKEN, startSlack, type SlackDouble } from "./doubles/slack.ts";
import { startTelegram, TELEGRAM_TOKEN, type TelegramDouble } from "./doubles/telegram.ts";
import { eventually, TestHome, type Result } from "./support/home.ts";

const home = new TestHome();
const uid = process.getuid?.() ?? 0;
const ADA = 4711;
const BOB = 815;
const CHANNEL = "C0DOUBLE1";
const ADAS_TOPIC = "ada-2kV9xT7bQm4Lr8Zc1NwY5s";
let telegram: TelegramDouble;
let slack: SlackDouble;
let ntfy: NtfyDouble;

const posts: string[] = [];
const site = createServer((request, response) => {
  let body = "";
  request.on("data", (chunk) => (body += String(chunk)));
  request.on("end", () => {
    if (request.method === "POST") posts.push(body);
    response.end("done");
  });
});

function secretFile(name: string, text: string): void {
  writeFileSync(join(home.state, name), `${text}\n`, { mode: 0o600 });
}

/** The list of approvers, with another first entry where that is given. */
function approversFile(first = `cli:${uid}, telegram:${ADA}, slack:U0ADA, ntfy:ada`): string {
  return `approvers:
  - name: ada
    identities: [${first}]
  - name: bob
    identities: [telegram:${BOB}, slack:U0BOB]
channels:
  telegram:
    api: ${telegram.url}
    token: { file: telegram.token }
    chats: [${ADA}, ${BOB}]
  slack: { api: "${slack.url}", token: { file: slack.token }, channel: ${CHANNEL} }
  ntfy:
    api: ${ntfy.url}
    token: { file: ntfy.token }
    topic: { file: cards.topic }
    replies: { ada: { file: ada.topic } }
`;
}

async function writeApprovers(text: string): Promise<void> {
  rmSync(join(home.state, "approvers.yaml"), { force: true });
  secretFile("approvers.yaml", text);
}

before(async () => {
  telegram = await startTelegram();
  slack = await startSlack(CHANNEL);
  ntfy = await startNtfy();
  site.listen(0, "127.0.0.1");
  await once(site, "listening");
  mkdirSync(home.state, { mode: 0o700 });
  secretFile("telegram.token", TELEGRAM_TOKEN);
  secretFile("slack.token", SLACK_TOKEN);
  secretFile("ntfy.token", NTFY_TOKEN);
  secretFile("cards.topic", "cofferdam-cards");
  secretFile("ada.topic", ADAS_TOPIC);
  await writeApprovers(approversFile());
});
after(async () => {
  await home.close();
  site.close();
  site.closeAllConnections();
  for (const double of [telegram, slack, ntfy]) await double.close();
});

const TASKS = {
  wordpress: `system: wordpress, name: blog, allow: [{ verbs: ["*"], doing: [read, write, publish] }]`,
  http: `system: http, name: blog, allow: [{ methods: [POST], paths: ["/**"], effects: [publish] }]`,
};

function taskFile(
  more = "",
  { system = "wordpress", grant = "" }: { system?: keyof typeof TASKS; grant?: string } = {},
): string {
  const { port } = site.address() as AddressInfo;
  const file = join(home.root, `task-${Math.random().toString(36).slice(2)}.yaml`);
  const all = `hosts: [blog.test], ports: [80], dial: "127.0.0.1:${port}", ${grant} ${TASKS[system]}`;
  writeFileSync(
    file,
    `task: blog-work\npurpose: b\napprovals: { hold: 90s, ${more} }\ngrants:\n  - { ${all} }\n`,
  );
  return file;
}

/** A run that publishes `content`, and prints the answer's status and body. */
function posting(content: string, file = taskFile()): Promise<Result> {
  const json = JSON.stringify({ content, status: "publish" });
  const url = "http://blog.test/wp-json/wp/v2/posts";
  const curl = `curl -s -S -i --max-time 120 -H 'content-type: application/json' -d '${json}' ${url}`;
  return home.run(["sh", "-c", curl], ["--task", file]);
}

const list = () => home.approvals({ all: true });

/** What waits, once its card is wherever it goes. */
async function asked(): Promise<ApprovalInfo & { readonly code: string }> {
  const found = await eventually("its card is everywhere", 60_000, async () => {
    const one = (await list()).find(({ state }) => state === "requested");
    if (one === undefined) return undefined;
    const has = (text: string) => text.includes(one.id);
    const chats = telegram.sent.filter(({ text }) => has(text));
    const isThere =
      new Set(chats.map(({ chat }) => chat)).size === 2 &&
      slack.posted.some(({ text }) => has(text)) &&
      ntfy.messages.some(({ message }) => has(message));
    return isThere ? one : undefined;
  });
  return { ...found, code: await home.codeOf(found.id) };
}

const stateOf = async (id: string) => (await list()).find((one) => one.id === id)?.state;

/** The card of `id` in a chat. */
function cardIn(chat: number, id: string) {
  const card = telegram.sent.find((one) => one.chat === chat && one.text.startsWith(id));
  assert.ok(card !== undefined);
  return card;
}

/** What the bot said in a chat after `act`. */
async function saidAfter(chat: number, act: () => void): Promise<string> {
  const of = () => telegram.sent.filter((one) => one.chat === chat);
  const before = of().length;
  act();
  return eventually("an answer", 60_000, () => of()[before]?.text);
}

const threadOf = (id: string) => slack.posted.find(({ text }) => text.startsWith(id))?.ts ?? "";

test("every channel of approvers.yaml is begun, told of, and says a harmless word", async () => {
  const shown = await eventually("all listen", 60_000, async () => {
    const { stdout } = await home.call(["approvals", "channels"]);
    return (stdout.match(/listening/g) ?? []).length === 3 ? stdout : undefined;
  });
  assert.match(shown, /2 listed in .*approvers\.yaml: ada, bob/);
  for (const name of ["telegram", "slack", "ntfy"]) {
    const tried = await home.call(["approvals", "channels", "test", name]);
    assert.equal(tried.code, 0, tried.stderr);
  }
  assert.deepEqual(
    telegram.sent.map(({ chat }) => chat),
    [ADA, BOB],
  );
  assert.match(slack.posted[0]?.text ?? "", /nothing is asked of you/);
  assert.match(ntfy.messages[0]?.message ?? "", /nothing is asked of you/);
  const none = await home.call(["approvals", "channels", "test", "signal"]);
  assert.match(none.stderr, /no channel "signal" is listed/, "fault daemon.no_channel");
});

test("INV-67: a listed approver approves from a phone, and the record says who", async () => {
  const before = posts.length;
  const run = posting("Hello.");
  const { id, code } = await asked();
  const card = cardIn(ADA, id);
  for (const text of ["PUBLISHES", "Content\n| Hello.", `| ${code}`]) {
    assert.ok(card.text.includes(text), `${text} in\n${card.text}`);
  }
  assert.deepEqual(card.buttons, [`approve:${id}`, `deny:${id}`]);
  telegram.press(ADA, card, `approve:${id}`);
  const question = await eventually("a question", 60_000, () =>
    telegram.sent.find(({ text }) => text.includes("answer this with the code")),
  );
  assert.equal(posts.length, before, "a button alone does nothing");
  telegram.write({ from: ADA, chat: ADA, text: code.toUpperCase(), replyTo: question.id });
  assert.match((await run).stdout, /^HTTP\/1.1 200/);
  assert.deepEqual(posts.slice(before), ['{"content":"Hello.","status":"publish"}']);
  const log = await home.log();
  const step = log.find(
    ({ type, data }) =>
      type === "approval" && data?.["approval"] === id && data["state"] === "approved",
  );
  assert.equal(step?.data?.["by"], `telegram:${ADA}`);
  await eventually("settled everywhere", 60_000, () => {
    const over = (text: string) => text.startsWith(`${id} is performed by telegram:${ADA}`);
    return (
      card.buttons.length === 0 &&
      telegram.sent.filter(({ text }) => over(text)).length === 2 &&
      slack.posted.some((one) => over(one.text) && one.thread_ts === threadOf(id)) &&
      ntfy.messages.some(({ message }) => over(message))
    );
  });
  const stale = await saidAfter(ADA, () => telegram.press(ADA, card, `approve:${id}`));
  assert.match(stale, /is performed/, "a stale button");
});

test("INV-67: strangers, names, bots, and what was forwarded or edited decide nothing", async () => {
  const before = posts.length;
  const run = posting("Attack.");
  const { id, code } = await asked();
  const mine = cardIn(ADA, id);
  const text = `approve ${id} ${code}`;
  const write = { from: ADA, chat: ADA, text, replyTo: mine.id };
  telegram.write({ from: 666, chat: 666, text });
  telegram.write({ from: 666, chat: 666, text, username: "ada" });
  telegram.write({ from: 666, chat: ADA, text, username: "ada" });
  telegram.write({ ...write, isBot: true });
  telegram.write({ ...write, chat: -77 });
  telegram.write({ ...write, kind: "edited_message", more: { edit_date: 1 } });
  telegram.write({ ...write, more: { edit_date: 1 } });
  const origin = { type: "user", date: 1, sender_user: { id: ADA, is_bot: false } };
  telegram.write({ from: 666, chat: 666, text, more: { forward_origin: origin } });
  telegram.write({ ...write, more: { forward_origin: origin } });
  telegram.write({ ...write, more: { via_bot: { id: 9, is_bot: true } } });
  telegram.press(666, mine, `approve:${id}`);
  const thread = threadOf(id);
  slack.write("U0EVE", code, thread);
  slack.write("U0EVE", code, thread, { username: "U0ADA" });
  slack.write("U0ADA", code, thread, { bot_id: "B0AGENT", app_id: "A0AGENT" });
  slack.write("U0ADA", code, thread, { edited: { user: "U0ADA", ts: "1.000000" } });
  slack.write("U0ADA", code, thread, { team: "T0OTHER" });
  slack.write("U0ADA", text);
  slack.write("U0DOUBLEBOT", text, undefined, { bot_id: "B0DOUBLE1" });
  ntfy.publish("cofferdam-cards", text);
  ntfy.publish("ada", text);
  const wrong = await saidAfter(ADA, () => telegram.write({ ...write, text: "000000" }));
  assert.match(wrong, /"000000" is not the code of/, "and it was heard after all of the above");
  await eventually("the stranger was noticed", 60_000, async () => {
    const { stdout } = await home.call(["approvals", "channels", "--json"]);
    const { channels } = JSON.parse(stdout) as { channels: { name: string; strangers: number }[] };
    return (channels.find(({ name }) => name === "slack")?.strangers ?? 0) > 0;
  });
  assert.equal(await stateOf(id), "shown");
  slack.write("U0BOB", "deny looks odd &amp; late", thread);
  const { stdout } = await run;
  assert.match(stdout, /^HTTP\/1.1 403/);
  assert.match(stdout, /looks odd & late/);
  assert.equal(posts.length, before);
});

test("INV-67: four eyes: two identities of one person are one, wherever they decide", async () => {
  const before = posts.length;
  const run = posting("Both.", taskFile("four_eyes: [publish]"));
  const { id, code } = await asked();
  const first = await home.call(["approvals", "approve", id, "--code", code]);
  assert.equal(first.code, 0, first.stderr);
  const write = { from: ADA, chat: ADA, text: code, replyTo: cardIn(ADA, id).id };
  assert.match(
    await saidAfter(ADA, () => telegram.write(write)),
    /\(ada\) has approved it already/,
  );
  ntfy.publish(ADAS_TOPIC, `approve ${id} ${code}`);
  await eventually("ntfy is answered", 60_000, () =>
    ntfy.messages.some(({ message }) => message.includes("ntfy:ada (ada) has approved it already")),
  );
  slack.write("U0ADA", code, threadOf(id));
  await eventually("Slack is answered", 60_000, () =>
    slack.posted.some(({ text }) => text.includes("slack:U0ADA (ada) has approved it already")),
  );
  assert.equal(posts.length, before);
  slack.write("U0BOB", code, threadOf(id));
  assert.match((await run).stdout, /^HTTP\/1.1 200/);
  assert.equal(posts.length, before + 1);
});

test("INV-68: a long one is shown in part, is not approved there, and can be refused", async () => {
  const run = posting("long ".repeat(1000));
  const { id, code } = await asked();
  const card = cardIn(BOB, id);
  assert.match(card.text, /too long to be shown here whole/);
  assert.ok(!card.text.includes(code));
  assert.deepEqual(card.buttons, [`deny:${id}`]);
  ntfy.publish(ADAS_TOPIC, `approve ${id} ${code}`);
  const write = { from: BOB, chat: BOB, text: `approve ${id} ${code}` };
  assert.match(await saidAfter(BOB, () => telegram.write(write)), /not shown here whole/);
  await eventually("ntfy is answered", 60_000, () =>
    ntfy.messages.some(({ message }) => message.includes("was not shown here whole")),
  );
  telegram.write({ from: BOB, chat: BOB, text: "deny too long", replyTo: card.id });
  assert.match((await run).stdout, /^HTTP\/1.1 403/);
});

test("INV-68: a body that nobody describes is not approved by its hash", async () => {
  const run = posting("Hashed.", taskFile("", { system: "http" }));
  const { id, code } = await asked();
  const card = cardIn(ADA, id);
  assert.match(card.text, /some of what would be sent cannot be shown/);
  const write = { from: ADA, chat: ADA, text: code, replyTo: card.id };
  assert.match(await saidAfter(ADA, () => telegram.write(write)), /not shown here whole/);
  telegram.write({ ...write, text: "deny what is it?" });
  assert.match((await run).stdout, /what is it\?/);
});

test("INV-68: what is decided while no daemon runs is heard, once, and no card is lost", async () => {
  const before = posts.length;
  telegram.refuse("sendMessage", 2, { status: 429, s: 1 });
  telegram.refuse("getUpdates", 1, { status: 502 });
  slack.refuse(1, 1);
  const run = posting("Overnight.");
  const { id, code } = await asked();
  await home.call(["stop", "--force"]);
  await run;
  telegram.write({ from: ADA, chat: ADA, text: `approve ${id} ${code}` });
  await home.call(["approvals", "list"]);
  await eventually("performed", 60_000, async () => (await stateOf(id)) === "performed");
  assert.equal(posts.length, before + 1);
  const cards = telegram.sent.filter(({ text }) => text.startsWith(`${id}  `));
  assert.equal(cards.length, 2, "each chat has one card");
  telegram.repeat();
  const talk = await saidAfter(ADA, () =>
    telegram.write({ from: ADA, chat: ADA, text: "?", replyTo: cardIn(ADA, id).id }),
  );
  assert.match(talk, /answer this message with its code/, "told twice, it is not heard twice");
  assert.equal(posts.length, before + 1);
});

test("INV-68: a run reaches no channel, and what it is shown with is lent to none", async () => {
  const channels = [telegram, slack, ntfy];
  const curls = channels.map(({ url }) => `curl -s -m 5 -X POST ${url}/by-the-run`);
  const { stdout } = await home.run(
    ["sh", "-c", `${curls.join("; ")}; echo over; ls ${home.state}`],
    ["--task", taskFile()],
  );
  assert.equal(stdout, "over\n");
  const fromRun = () =>
    channels.map(({ arrived }) => arrived.filter((one) => /by-the-run/.test(one)));
  assert.deepEqual(fromRun(), [[], [], []]);
  for (const { url } of channels) await fetch(`${url}/by-the-run`, { method: "POST" });
  assert.equal(fromRun().flat().length, 3, "who reaches one is seen");

  const added = await home.call(
    ["credential", "add", "bot", "--kind", "path", "--host", "telegram.test", "--stdin"],
    { input: `${TELEGRAM_TOKEN}\n` },
  );
  assert.equal(added.code, 0, added.stderr);
  await writeApprovers(approversFile().replace("{ file: telegram.token }", "{ credential: bot }"));
  await eventually("the token of another place is not used", 60_000, async () => {
    const { stdout: shown } = await home.call(["approvals", "channels"]);
    return /telegram +stopped .*bot is for https:\/\/telegram\.test:443/.test(shown);
  });
  const file = taskFile("", { grant: "credential: bot," });
  const tried = await home.call(["run", "--task", file, "--", "true"]);
  assert.match(tried.stderr, /approvers are asked with/, "fault daemon.channel_credential");
  await writeApprovers(approversFile());
  await eventually("it is begun anew", 60_000, async () => {
    const { stdout: shown } = await home.call(["approvals", "channels"]);
    return /telegram +listening/.test(shown);
  });
});

test("INV-67: only who is listed decides, at the command line too; a broken list refuses all", async () => {
  const run = posting("Who?");
  const { id, code } = await asked();
  const approve = () => home.call(["approvals", "approve", id, "--code", code]);
  const deny = () => home.call(["approvals", "deny", id]);
  await writeApprovers(approversFile("telegram:4711, ntfy:ada"));
  for (const refused of [await approve(), await deny()]) {
    assert.equal(refused.code, 125);
    assert.match(refused.stderr, /cli:\d+ is nobody who may decide here/);
  }
  await writeApprovers(approversFile(`cli:${uid}, telegram:@ada, ntfy:ada`));
  for (const refused of [await approve(), await deny()]) {
    assert.equal(refused.code, 125);
    assert.match(refused.stderr, /approvers\.yaml:3:\d+: /);
  }
  const shown = await eventually("the channels ended", 60_000, async () => {
    const { code: status, stdout } = await home.call(["approvals", "channels"]);
    assert.equal(status, 1);
    assert.match(stdout, /approvers\.yaml:3:\d+: /);
    return stdout.includes("listening") ? undefined : stdout;
  });
  assert.match(shown, /nobody decides anything/);
  telegram.write({ from: BOB, chat: BOB, text: `approve ${id} ${code}` });
  assert.equal(await stateOf(id), "shown");
  await writeApprovers(approversFile());
  assert.match((await run).stdout, /^HTTP\/1.1 200/, "it was heard as soon as the list was mended");
  const log = await home.log();
  const step = log.findLast(({ data }) => data?.["state"] === "approved");
  assert.equal(step?.data?.["by"], `telegram:${BOB}`);
});

test("no token and no topic of an approver is in the log, the record, a card or an answer", async () => {
  const { stdout } = await home.call(["log", "--json"]);
  const daemon = home.exec("cat", [join(home.state, "daemon.log")]);
  const said = JSON.stringify([
    telegram.sent,
    slack.messages,
    ntfy.messages.map((one) => one.message),
  ]);
  for (const secret of [TELEGRAM_TOKEN, SLACK_TOKEN, NTFY_TOKEN, ADAS_TOPIC]) {
    for (const text of [stdout, daemon, said]) assert.ok(!text.includes(secret));
  }
});
