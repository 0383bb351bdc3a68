import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { test } from "node:test";
import fc from "fast-check";
import { Channel } from "./channel.ts";
import { Dialogue, DIALOGUE_TIMES, type DialoguePorts } from "./dialogue.ts";
import type { Message } from "./message.ts";
import { send } from "./send.ts";
import { listenLocally, openKit, RawClient, scriptedServer, talk } from "./test-kit.ts";

const START = ["EHLO a", "MAIL FROM:<me@sender.example>"];
const ENVELOPE = [...START, "RCPT TO:<ann@client.example>"];

/** What is said, the reply to the last of it, and why. */
const DIALOGUES: readonly (readonly [readonly string[], RegExp, string])[] = [
  [["MAIL FROM:<me@sender.example>"], /^503/, "no EHLO"],
  [["EHLO"], /^501/, "EHLO without a name"],
  [["EHLO a b"], /^501/, "EHLO with two"],
  [["HELO a"], /^250 smtp.example.com$/, "HELO"],
  [["EHLO a", "VRFY ann"], /^502 5.7.0/, "VRFY"],
  [["EHLO a", "EXPN all"], /^502 5.7.0/, "EXPN"],
  [["EHLO a", "BDAT 10 LAST"], /^502/, "BDAT: CHUNKING is not offered"],
  [["EHLO a", "TURN"], /^500/, "a command of old"],
  [["EHLO a", "XCLIENT ADDR=127.0.0.1"], /^500/, "XCLIENT"],
  [["EHLO a", "STARTTLS"], /^503/, "STARTTLS where there is none"],
  [["EHLO a", "NOOP hello"], /^250/, "NOOP with an argument"],
  [["EHLO a", "RCPT TO:<ann@client.example>"], /^503/, "RCPT before MAIL"],
  [["EHLO a", "DATA"], /^503/, "DATA before MAIL"],
  [[...START, "DATA"], /^503/, "DATA before RCPT"],
  [[...START, "MAIL FROM:<me@sender.example>"], /^503/, "MAIL twice"],
  [[...ENVELOPE, "DATA now"], /^501/, "DATA with an argument"],
  [[...ENVELOPE, "RSET", "DATA"], /^503/, "DATA after RSET"],
  [[...ENVELOPE, "EHLO b", "DATA"], /^503/, "DATA after another EHLO"],
  [["EHLO a", "MAIL FROM:<>"], /^553 5.1.7/, "no sender"],
  [["EHLO a", "MAIL FROM:me@sender.example"], /^501/, "no brackets"],
  [["EHLO a", "MAIL FROM:<me@sender.example> SMTPUTF8"], /^555/, "SMTPUTF8 is not offered"],
  [["EHLO a", "MAIL FROM:<me@sender.example> RET=FULL"], /^555/, "RET is not offered"],
  [["EHLO a", "MAIL FROM:<me@sender.example> ENVID=x"], /^555/, "ENVID is not offered"],
  [["EHLO a", "MAIL FROM:<me@sender.example> BODY=BINARYMIME"], /^501/, "BINARYMIME"],
  [["EHLO a", "MAIL FROM:<me@sender.example> BODY=8BITMIME SIZE=10"], /^250/, "usual parameters"],
  [
    ["EHLO a", "MAIL FROM:<me@sender.example> AUTH=<>"],
    /^250/,
    "who the message is from, of RFC 4954: not handed on",
  ],
  [["EHLO a", "MAIL FROM:<me@sender.example> SIZE=9999999999"], /^552 5.3.4/, "too many bytes"],
  [["EHLO a", "MAIL FROM:<me@sender.example> SIZE=-1"], /^501/, "a size below nothing"],
  [[...START, "RCPT TO:<ann@client.example> NOTIFY=SUCCESS"], /^555/, "NOTIFY is not offered"],
  [[...START, "RCPT TO:<ann@client.example> ORCPT=rfc822;b@x"], /^555/, "ORCPT is not offered"],
  [[...START, "RCPT TO:<ann%evil.example@client.example>"], /^553 5.1.3/, "a relay's percent sign"],
  [[...START, "RCPT TO:<@evil.example:ann@client.example>"], /^553/, "a source route"],
  [[...START, 'RCPT TO:<"a b"@client.example>'], /^553/, "a quoted local part"],
  [[...START, "RCPT TO:<ann@[127.0.0.1]>"], /^553/, "an address literal"],
  [[...START, "RCPT TO:<ann@client.example> RCPT TO:<bob@x.example>"], /^501/, "two in one line"],
  [[...START, "RCPT TO:<>"], /^553/, "nobody"],
  [["EHLO a", "AUTH CRAM-MD5"], /^504/, "a login that is not offered"],
  [["EHLO a", "AUTH PLAIN", "AGEAYg=="], /^235/, "a login in two steps"],
  [["EHLO a", "AUTH LOGIN", "YQ==", "Yg=="], /^235/, "a login in three"],
  [["EHLO a", "AUTH PLAIN *"], /^501/, "a login that is given up"],
  [["EHLO a", "AUTH PLAIN AGEAYg==", "AUTH PLAIN AGEAYg=="], /^503/, "two logins"],
];
for (const [lines, wanted, why] of DIALOGUES) {
  test(`dialogue: ${why}`, async (t) => {
    const kit = await openKit();
    t.after(() => kit.close());
    assert.match((await talk(kit.port, lines)).at(-1) ?? "", wanted);
    assert.deepEqual(kit.findings, []);
  });
}

/** What is said at once, after the lines before it: nothing of it is heard. */
const AHEAD: readonly (readonly [readonly string[], string, string])[] = [
  [[], "EHLO a\r\nMAIL FROM:<me@sender.example>\r\n", "pipelining, which is not offered"],
  [["EHLO a"], "STARTTLS\r\nMAIL FROM:<evil@sender.example>\r\n", "a command before TLS"],
  [ENVELOPE, "DATA\r\nFrom: me@sender.example\r\n\r\nx\r\n.\r\n", "a message before 354"],
  [
    [...ENVELOPE, "DATA"],
    "From: me@sender.example\r\n\r\nx\r\n.\r\nMAIL FROM:<me@sender.example>\r\n",
    "a command behind the message",
  ],
  [
    [...ENVELOPE, "DATA"],
    "From: me@sender.example\r\n\r\nx\n.\nMAIL FROM:<e@sender.example>\r\n",
    "LF",
  ],
  [[...ENVELOPE, "DATA"], "From: me@sender.example\r\n\r\nx\r\n.\rMAIL FROM:<e@x>\r\n", "CR"],
  [[...ENVELOPE, "DATA"], "From: me@sender.example\r\n\r\n\0\r\n.\r\n", "a zero byte"],
  [["EHLO a"], "NOOP\n", "a line that ends in LF"],
  [["EHLO a"], "NOOP\rVRFY x\r\n", "a CR within a line"],
  [["EHLO a"], `NOOP ${"x".repeat(13_000)}\r\n`, "a line without an end"],
  [["EHLO a"], "MAIL FROM:<m\u00e9@sender.example>\r\n", "bytes beyond ASCII"],
];
for (const [lines, ahead, why] of AHEAD) {
  test(`INV-117: what is said ahead or beside the line ends is not heard, and it is over: ${why}`, async (t) => {
    const kit = await openKit({ tls: true });
    t.after(() => kit.close());
    const client = new RawClient(connect(kit.port, "127.0.0.1"));
    await client.reply();
    for (const line of lines) {
      client.say(line);
      await client.reply();
    }
    client.say(ahead);
    assert.match(await client.reply(), /^554 5\.(5\.2|6\.0) refused: /);
    assert.equal(await client.reply(), "");
    assert.deepEqual(kit.actions, []);
    assert.equal(kit.refusals.length + kit.findings.length, 1);
  });
}

test("another protocol is named, and left", async (t) => {
  for (const said of [
    "GET / HTTP/1.1\r\n",
    "\x16\x03\x01\x02\r\n",
    "SSH-2.0-x\r\n",
    "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
  ]) {
    const kit = await openKit();
    t.after(() => kit.close());
    const client = new RawClient(connect(kit.port, "127.0.0.1"));
    await client.reply();
    client.say(said);
    assert.match(await client.reply(), /^(421|554)/);
    assert.match(kit.findings[0] ?? "", /^protocol: /);
  }
});

test("a message that is too long is counted and refused, and the session goes on", async (t) => {
  const kit = await openKit({ with: { bytes: 200 } });
  t.after(() => kit.close());
  const long = `From: me@sender.example\r\n\r\n${"x\r\n".repeat(100)}.\r\n`;
  const replies = await talk(kit.port, [...ENVELOPE, "DATA", long, "NOOP"]);
  assert.match(replies.at(-2) ?? "", /^552 5.3.4/);
  assert.match(replies.at(-1) ?? "", /^250/);
  assert.deepEqual(
    kit.refusals.map(({ rule }) => rule),
    ["smtp.bytes"],
  );
  const stored = await openKit({ spoolBytes: 100 });
  t.after(() => stored.close());
  assert.match((await talk(stored.port, ["EHLO a"]))[1] ?? "", /SIZE 100/);
});

test("whoever errs on and on is left", async (t) => {
  const kit = await openKit();
  t.after(() => kit.close());
  const replies = await talk(kit.port, ["EHLO a", ...Array.from({ length: 12 }, () => "WHAT")]);
  assert.ok(replies.includes("421 4.7.0 too many commands or errors"));
});

test("a thousand recipients are taken, one more is not", async (t) => {
  const kit = await openKit();
  t.after(() => kit.close());
  const many = Array.from({ length: 1001 }, (_, at) => `RCPT TO:<a${at}@client.example>`);
  const replies = await talk(kit.port, [...START, ...many]);
  assert.match(replies.at(-2) ?? "", /^250/);
  assert.match(replies.at(-1) ?? "", /^550 5.5.3/);
});

async function pair(): Promise<readonly [Socket, Socket, () => void]> {
  const server = createServer();
  const port = await listenLocally(server);
  const accepted = once(server, "connection") as Promise<[Socket]>;
  const client = connect(port, "127.0.0.1");
  const [served] = await accepted;
  const close = () => (server.close(), client.destroy(), served.destroy());
  return [client, served, close];
}

const PORTS: DialoguePorts = {
  host: "h.example",
  bytesMax: 10_000,
  upgrade: undefined,
  submit: () => Promise.resolve({ code: 250, enhanced: "2.0.0", text: "ok" }),
  refuse: () => {},
  offend: () => {},
  because: () => {},
};

test("a client that says nothing, and one that reads nothing, does not keep a session", async (t) => {
  const [client, served, close] = await pair();
  t.after(close);
  client.resume();
  const times = { ...DIALOGUE_TIMES, commandMs: 30 };
  await assert.rejects(new Dialogue(served, PORTS, times).run(), { code: "gateway.smtp_silent" });
  const [, deaf, end] = await pair();
  t.after(end);
  const channel = new Channel(deaf);
  await assert.rejects(channel.write(Buffer.alloc(64 << 20), 100), { code: "gateway.smtp_silent" });
  deaf.destroy();
  await assert.rejects(channel.write("x", 100), { code: "gateway.smtp_gone" });
  assert.equal(await channel.read(100), undefined);
});

test("a client that drips a message does not keep a session", async (t) => {
  const [socket, served, close] = await pair();
  t.after(close);
  const client = new RawClient(socket);
  const times = { ...DIALOGUE_TIMES, dataMs: 100, messageMs: 200 };
  const done = new Dialogue(served, PORTS, times).run();
  await client.reply();
  for (const line of [...ENVELOPE, "DATA"]) {
    client.say(line);
    await client.reply();
  }
  const drip = setInterval(() => socket.write("x"), 20);
  t.after(() => clearInterval(drip));
  await assert.rejects(done, { code: "gateway.smtp_silent" });
});

test("INV-118: a server that is silent at the end may have it; one that drips its answer is left", async (t) => {
  const message: Message = {
    from: "me@sender.example",
    recipients: ["ann@client.example"],
    bytes: Buffer.from("From: me@sender.example\r\n\r\nx\r\n"),
  };
  const times = { replyMs: 100, writeMs: 100, endMs: 100 };
  const kit = await openKit();
  t.after(() => kit.close());
  const held = { host: "h", port: 587, operation: null, facts: {} };
  const place = await kit.errand(held).catch(() => undefined);
  assert.equal(place, undefined, "nobody listens there");
  for (const [pattern, sent] of [
    [/^<message>/, "unknown"],
    [/^RCPT/, "no"],
  ] as const) {
    const server = await scriptedServer([[pattern, "250-"]]);
    t.after(() => server.close());
    const other = await openKit({ server: server.port });
    t.after(() => other.close());
    const { way, ...at } = await other.errand(held);
    const delivery = await send(message, way, at, times);
    assert.deepEqual([delivery.sent, delivery.code], [sent, 0], String(pattern));
    assert.match(delivery.text, /nothing|does not end/);
  }
});

test("codes of what a server is refused for", async (t) => {
  // gateway.smtp_unfit and gateway.smtp_refused stand in the record as sentences.
  const server = await scriptedServer([[/^EHLO/, "250-x\r\n250 AUTH GSSAPI\r\n"]]);
  const kit = await openKit({ server: server.port });
  t.after(() => (kit.close(), server.close()));
  const errand = await kit.errand({ host: "h", port: 587, operation: null, facts: {} });
  const attach = { kind: "login", user: "u", password: "p4ss-w0rd" } as const;
  const way = { ...errand.way, lease: { credential: "c", attach, secrets: ["p4ss-w0rd"] } };
  const bytes = Buffer.from("x\r\n");
  const delivery = await send({ from: "a@b.c", recipients: ["d@e.f"], bytes }, way, errand);
  assert.match(delivery.text, /not used: it offers no login by password/);
  assert.ok(!server.said.some((line) => line.startsWith("MAIL")));
});

test("fuzz: whatever a client says, nothing is submitted but whole messages to canonical mailboxes", async (t) => {
  const line = fc.oneof(
    fc.constantFrom(
      "EHLO a\r\n",
      "MAIL FROM:<me@sender.example>\r\n",
      "RCPT TO:<ann@client.example>\r\n",
      "DATA\r\n",
      "From: a@b\r\n\r\nx\r\n.\r\n",
      ".\r\n",
      "RSET\r\n",
      "\n.\n",
      "AUTH PLAIN\r\n",
    ),
    fc.string({
      unit: fc.constantFrom("\r", "\n", ".", "a", "<", ">", "@", " ", ":"),
      maxLength: 9,
    }),
  );
  const property = fc.asyncProperty(fc.array(line, { maxLength: 12 }), async (lines) => {
    const [client, served, close] = await pair();
    client.resume();
    const submitted: Message[] = [];
    const submit = (message: Message) => {
      submitted.push(message);
      return PORTS.submit(message);
    };
    const times = { ...DIALOGUE_TIMES, commandMs: 200, dataMs: 200, messageMs: 200 };
    const done = new Dialogue(served, { ...PORTS, submit }, times).run().catch(() => {});
    for (const text of lines) {
      client.write(text);
      await new Promise((resolve) => setImmediate(resolve));
    }
    client.end();
    await done;
    close();
    for (const { from, recipients, bytes } of submitted) {
      assert.match([from, ...recipients].join(" "), /^[a-z]+@[a-z.]+( [a-z]+@[a-z.]+)+$/);
      assert.doesNotMatch(bytes.toString("latin1"), /\0|\r(?!\n)|(?<!\r)\n/);
    }
  });
  await fc.assert(property, { numRuns: 150 });
  t.diagnostic("150 dialogues");
});
