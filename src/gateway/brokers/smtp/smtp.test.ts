import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { connect } from "node:net";
import { test } from "node:test";
import type { Lease } from "../../../vault/index.ts";
import type { HeldOperation } from "../../ports.ts";
import { authorityNamed } from "../../test-kit.ts";
import { smtpBroker } from "./index.ts";
import { readDelivery, replyOf, writeDelivery, type Delivery } from "./delivery.ts";
import { HOST, openKit, RawClient, scriptedServer, talk, UNATTENDED } from "./test-kit.ts";

const MESSAGE = [
  "From: me@sender.example",
  "To: ann@client.example",
  "Subject: Hello",
  "",
  "Hello.",
  "..a line that began with a dot",
];
const ENVELOPE = ["EHLO agent", "MAIL FROM:<me@sender.example>", "RCPT TO:<ann@client.example>"];
const data = (lines: readonly string[] = MESSAGE) => `${lines.join("\r\n")}\r\n.\r\n`;

test("a message is taken whole, queued for a person, and never sent before", async (t) => {
  const kit = await openKit();
  t.after(() => kit.close());
  const [greeting, ehlo, ...replies] = await talk(kit.port, [
    ...ENVELOPE,
    "RCPT TO:<bob@Partner.example>",
    "RCPT TO:<ann@client.example>",
    "DATA",
    data(),
    "QUIT",
  ]);
  assert.equal(greeting, `220 ${HOST} ESMTP Cofferdam`);
  assert.doesNotMatch(ehlo ?? "", /PIPELINING|CHUNKING|SMTPUTF8|DSN|STARTTLS/);
  assert.match(ehlo ?? "", /250-SIZE 8388608 .*8BITMIME.*AUTH PLAIN LOGIN/);
  assert.deepEqual(replies.slice(-2), [
    "250 2.0.0 queued as apr-1: waits for a person",
    "221 2.0.0 bye",
  ]);
  const [held] = kit.held;
  assert.deepEqual(held?.operation, {
    from: "me@sender.example",
    recipients: ["ann@client.example", "bob@partner.example"],
  });
  const lines = MESSAGE.map((line) => line.replace(/^\.\./, "."));
  assert.equal(held?.body?.toString(), `${lines.join("\r\n")}\r\n`);
  assert.equal(kit.connects, 0, "nobody connects for what only waits");
  const [action] = kit.actions;
  assert.deepEqual(action?.impact, {
    recipients: ["ann@client.example", "bob@partner.example"],
    reversible: false,
  });
});

test("INV-118: what a person approved is sent once, the very bytes, with the grant's login", async (t) => {
  const server = await scriptedServer([]);
  const kit = await openKit({ server: server.port, lease: LOGIN });
  t.after(() => (kit.close(), server.close()));
  await talk(kit.port, [...ENVELOPE, "AUTH PLAIN AGFnZW50AG93bg==", "DATA", data(), "QUIT"]);
  const [held] = kit.held;
  assert.ok(held !== undefined);
  assert.deepEqual(server.said, []);
  const asked = await smtpBroker.perform(await kit.errand(held));
  assert.deepEqual(server.said, [
    "EHLO [127.0.0.1]",
    `AUTH PLAIN ${Buffer.from("\0relay\0s3cret-pass").toString("base64")}`,
    `MAIL FROM:<me@sender.example> SIZE=${held.body?.length}`,
    "RCPT TO:<ann@client.example>",
    "DATA",
    MESSAGE.join("\r\n"),
    "QUIT",
  ]);
  assert.equal(asked.answer?.status, 200);
  assert.deepEqual(readDelivery(asked.answer?.body ?? Buffer.alloc(0)), {
    sent: "yes",
    accepted: ["ann@client.example"],
    refused: [],
    code: 250,
    text: "2.0.0 taken as 17",
  });
});

const LOGIN: Lease = {
  credential: "mail",
  attach: { kind: "login", user: "relay", password: "s3cret-pass" },
  secrets: ["s3cret-pass"],
};

test("asked again, the agent is told what became of it", async (t) => {
  const refused = [{ recipient: "bob@x.example", code: 550, text: "no such user" }];
  const accepted = ["ann@client.example"];
  const body = writeDelivery({ sent: "yes", accepted, refused, code: 250, text: "ok" });
  const answer = { status: 200, headers: [], body, isCut: false };
  let times = 0;
  const kit = await openKit({
    hold() {
      times += 1;
      const approval = "apr-1";
      if (times === 1) return { kind: "answered", approval, answer };
      if (times === 2) return { kind: "denied", approval, reason: "no" };
      return { kind: "answered", approval, answer: { ...answer, body: Buffer.from("?") } };
    },
  });
  t.after(() => kit.close());
  const again = [...ENVELOPE.slice(1), "DATA", data()];
  const replies = await talk(kit.port, ["EHLO a", ...again, ...again, ...again]);
  const ends = replies.filter((_, at) => at > 1 && (at - 1) % 4 === 0);
  assert.match(
    ends[0] ?? "",
    /^250 .*sent to 1 of 2; the server refused bob@x.example \(550 no such/,
  );
  assert.match(ends[1] ?? "", /^550 5.7.1 Cofferdam:/);
  assert.match(ends[2] ?? "", /^554 .*not known/);
});

test("INV-116: a From or a recipient that is not granted is refused, and told why", async (t) => {
  const kit = await openKit({ allow: [{ verbs: ["send"], on: ["*@client.example"] }] });
  t.after(() => kit.close());
  const forged = MESSAGE.with(0, "From: boss@bank.example");
  const [, , , , , reply] = await talk(kit.port, [...ENVELOPE, "DATA", data(forged)]);
  assert.match(reply ?? "", /^550 5.7.1 From boss@bank.example is not among \*@sender.example/);
  const blind = [...ENVELOPE, "RCPT TO:<spy@rival.example>", "DATA", data()];
  const [, , , , , , other] = await talk(kit.port, blind);
  assert.match(other ?? "", /^550 5.7.1 Cofferdam:/);
  assert.deepEqual(kit.verdicts, ["deny", "deny"]);
  assert.deepEqual(kit.held, []);
});

test("what passes without a person is sent at once; the server's refusals are told one by one", async (t) => {
  const server = await scriptedServer([[/^RCPT TO:<bob/, "550 5.1.1 no such user\r\n"]]);
  const kit = await openKit({ server: server.port, allow: [UNATTENDED], lease: LOGIN });
  t.after(() => (kit.close(), server.close()));
  const lines = [...ENVELOPE, "RCPT TO:<bob@client.example>", "DATA", data()];
  const reply = (await talk(kit.port, lines)).at(-1);
  const wanted = "sent to 1 of 2; the server refused bob@client.example (550 5.1.1 no such user)";
  assert.equal(reply, `250 2.0.0 ${wanted}`);
  assert.deepEqual(
    kit.outcomes.map(({ sent, accepted }) => ({ sent, accepted })),
    [{ sent: "yes", accepted: ["ann@client.example"] }],
  );
});

type Script = readonly (readonly [RegExp, string | (() => string)])[];
const SERVERS: readonly (readonly [string, Script, RegExp, string, string?])[] = [
  ["no MAIL", [[/^MAIL/, "550 go away\r\n"]], /^554 .*go away/, "no"],
  ["MAIL for now", [[/^MAIL/, "451 later\r\n"]], /^451 .*later/, "no"],
  ["every recipient", [[/^RCPT/, "550 nobody\r\n"]], /^554 .*nobody/, "no"],
  ["every recipient for now", [[/^RCPT/, "450 busy\r\n"]], /^451 .*busy/, "no"],
  ["DATA", [[/^DATA/, "554 no\r\n"]], /^554 /, "no"],
  ["the message", [[/^<message>/, "554 spam\r\n"]], /^554 .*not sent.*spam/, "no"],
  ["silence at the end: it leaves", [[/^<message>/, ""]], /^554 .*may have been sent/, "unknown"],
  ["a reply at the end that is none", [[/^<message>/, "what?\r\n"]], /^554 .*may have/, "unknown"],
  ["another success at the end", [[/^<message>/, "220 hm\r\n"]], /^554 .*may have/, "unknown"],
  ["a connection that ends before", [[/^DATA/, ""]], /^451 .*not sent/, "no"],
  ["login", [[/^AUTH/, "535 no: s3cret-pass\r\n"]], /^554 .*refused the login \(535\)$/, "no"],
  ["no login offered", [[/^EHLO/, "250 sink\r\n"]], /^451 .*offers no login/, "no"],
  ["an answer ahead", [[/^MAIL/, "250 ok\r\n250 ok\r\n"]], /^451 .*not asked/, "no"],
  ["an answer without an end", [[/^MAIL/, "250-a\r\n".repeat(300)]], /^451 .*without an end/, "no"],
  ["a banner of another", [], /^451 .*no reply/, "no", "SSH-2.0-x\r\n"],
  ["a greeting that refuses", [], /^554 .*refused the greeting/, "no", "554 no\r\n"],
];
for (const [what, script, reply, sent, greeting] of SERVERS) {
  test(`a server that refuses or breaks is told from one that took it: ${what}`, async (t) => {
    const server = await scriptedServer(script, greeting === undefined ? {} : { greeting });
    const kit = await openKit({ server: server.port, allow: [UNATTENDED], lease: LOGIN });
    t.after(() => (kit.close(), server.close()));
    const last = (await talk(kit.port, [...ENVELOPE, "DATA", data()])).at(-1) ?? "";
    assert.match(last, reply);
    assert.doesNotMatch(last, /s3cret|czNjcmV0/);
    assert.equal(kit.outcomes[0]?.["sent"], sent);
    const messages = server.said.filter((line) => line.startsWith("From:")).length;
    assert.ok(messages <= 1, "at most once");
  });
}

test("a server's echo of the login is blackened, and control characters of its answers do not go on", async (t) => {
  const server = await scriptedServer([[/^RCPT/, "550 \x1b[2Js3cret-pass \xff\r\n"]]);
  const kit = await openKit({ server: server.port, allow: [UNATTENDED], lease: LOGIN });
  t.after(() => (kit.close(), server.close()));
  const last = (await talk(kit.port, [...ENVELOPE, "DATA", data()])).at(-1) ?? "";
  assert.match(last, /550 \?\[2J\[redacted\]/);
  assert.doesNotMatch(JSON.stringify(kit.outcomes), /s3cret/);
});

test("bytes beyond ASCII go to servers that take them, and to no others", async (t) => {
  const [able, not] = [await scriptedServer([]), await scriptedServer([[/^EHLO/, "250 x\r\n"]])];
  t.after(() => (able.close(), not.close()));
  const type = "Content-Type: text/plain; charset=utf-8";
  const text = data([...MESSAGE.slice(0, 3), type, "", "Gr\u00c3\u00bc\u00c3\u009fe"]);
  for (const [server, wanted] of [
    [able, /^250 /],
    [not, /^451 .*8BITMIME/],
  ] as const) {
    const kit = await openKit({ server: server.port, allow: [UNATTENDED] });
    t.after(() => kit.close());
    assert.match((await talk(kit.port, [...ENVELOPE, "DATA", text])).at(-1) ?? "", wanted);
  }
  assert.match(able.said[1] ?? "", / BODY=8BITMIME$/);
});

test("nobody is there: for now it is not sent", async (t) => {
  const kit = await openKit({ server: 1, allow: [UNATTENDED] });
  t.after(() => kit.close());
  const last = (await talk(kit.port, [...ENVELOPE, "DATA", data()])).at(-1);
  assert.match(last ?? "", /^451 4.4.0 not sent: nobody answers there/);
});

test("STARTTLS and implicit TLS: as the granted name to the agent, and to the server only that name", async (t) => {
  const authority = await authorityNamed("run");
  for (const port of [587, 465]) {
    const kit = await openKit({ tls: true, port });
    t.after(() => kit.close());
    const client = new RawClient(connect(kit.port, "127.0.0.1"));
    const say = async (line: string) => (client.say(line), await client.reply());
    if (port === 587) {
      await client.reply();
      assert.match(await say("EHLO a"), /STARTTLS/);
      assert.match(await say("MAIL FROM:<evil@sender.example>"), /^250/);
      assert.match(await say("STARTTLS"), /^220/);
    }
    await client.upgrade(authority.certificatePem);
    if (port === 465) assert.match(await client.reply(), /^220/);
    else assert.match(await say("RCPT TO:<x@y.example>"), /^503/, "what was said before is void");
    assert.doesNotMatch(await say("EHLO a"), /STARTTLS/);
    for (const line of [...ENVELOPE.slice(1), "DATA"]) await say(line);
    assert.match(await say(data()), /queued as apr-1/);
    client.socket.destroy();
  }
});

const TLS_OFFER = [/^EHLO/, "250-sink\r\n250 STARTTLS\r\n"] as const;
const UNSAFE: readonly (readonly [string, Script, RegExp])[] = [
  ["a server that offers no STARTTLS", [], /offers no STARTTLS/],
  ["one that says no", [TLS_OFFER, [/^STARTTLS/, "454 later\r\n"]], /refused STARTTLS \(454\)/],
  ["an answer behind 220", [TLS_OFFER, [/^STARTTLS/, "220 go\r\n250 x\r\n"]], /more before TLS/],
  ["no TLS behind 220", [TLS_OFFER, [/^STARTTLS/, "220 go\r\n"]], /not sent/],
];
for (const [what, script, reply] of UNSAFE) {
  test(`without TLS that proves the name neither login nor mail leave: ${what}`, async (t) => {
    const server = await scriptedServer(script);
    const options = { server: server.port, allow: [UNATTENDED], lease: LOGIN, tls: true };
    const kit = await openKit(options);
    t.after(() => (kit.close(), server.close()));
    const last = (await talk(kit.port, [...ENVELOPE, "DATA", data()])).at(-1) ?? "";
    assert.match(last, /^(451|554) /);
    assert.match(last, reply);
    assert.ok(!server.said.some((line) => /AUTH|MAIL|s3cret/.test(line)), server.said.join());
  });
}

test("an approval's answer is read back, and nothing else is taken for one", () => {
  for (const text of ["", "null", "{}", '{"sent":"yes"}']) {
    assert.equal(readDelivery(Buffer.from(text)), undefined);
  }
  const sent: Delivery = { sent: "no", accepted: [], refused: [], code: 0, text: "x" };
  assert.equal(replyOf(sent).code, 451);
});

test("a stored operation that is none is not sent", async (t) => {
  const server = await scriptedServer([]);
  const kit = await openKit({ server: server.port });
  t.after(() => (kit.close(), server.close()));
  const held: HeldOperation = { host: HOST, port: 587, operation: "QUIT", facts: {} };
  const { outcome, answer } = await smtpBroker.perform(await kit.errand(held));
  assert.deepEqual([outcome.failure?.code, answer?.status], ["smtp.sent_no", 500]);
  assert.deepEqual(server.said, []);
});

test("a digest stands for envelope and bytes: another blind copy is another approval", async (t) => {
  const kit = await openKit();
  t.after(() => kit.close());
  const more = ["RCPT TO:<spy@client.example>", "DATA", data()];
  await talk(kit.port, [...ENVELOPE, "DATA", data(), ...ENVELOPE.slice(1), ...more]);
  const [one, other] = kit.actions;
  assert.notEqual(one?.digest, other?.digest);
  const sums = kit.held.map(({ body }) =>
    createHash("sha256")
      .update(body ?? "")
      .digest("hex"),
  );
  assert.equal(sums[0], sums[1]);
});
