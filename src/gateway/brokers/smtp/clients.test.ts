/**
 * Real clients before the broker and a real server behind it: Exim is the oracle of what a message is.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import fc from "fast-check";
import { createTransport } from "nodemailer";
import { SMTPServer } from "smtp-server";
import { startExim, type Exim } from "../../../../test/support/exim.ts";
import { eventually } from "../../../../test/support/home.ts";
import { authorityNamed } from "../../test-kit.ts";
import { smtpBroker } from "./index.ts";
import { HOST, openKit, talk, UNATTENDED, type Kit } from "./test-kit.ts";

const run = promisify(execFile);
const LOGIN = { user: "relay", password: "s3cret-pass" };
const LEASE = {
  credential: "mail",
  attach: { kind: "login", ...LOGIN } as const,
  secrets: [LOGIN.password],
};
const folder = mkdtempSync(join(tmpdir(), "cofferdam-mail-"));
let exim: Exim;
let plain: Exim;
before(async () => {
  const authority = await authorityNamed("run");
  exim = await startExim({ login: LOGIN, tls: authority.leafFor(HOST) });
  plain = await startExim();
  writeFileSync(join(folder, "ca.pem"), authority.certificatePem);
  writeFileSync(join(folder, "mail.eml"), MESSAGE);
});
after(async () => {
  await exim.stop();
  await plain.stop();
  rmSync(folder, { recursive: true });
});

const MESSAGE = [
  ...["From: Me <me@sender.example>", "To: ann@client.example", "Subject: Hello", ""],
  ...["Hello.", ".", "..", ".a line that begins with a dot", ""],
].join("\r\n");

/** What the server has taken by `sending`. */
async function takenBy(server: Exim, sending: () => Promise<unknown>) {
  const before = server.messages().length;
  await sending();
  await eventually("the message", 10_000, () => server.messages().length > before);
  return server.messages().slice(before);
}

const CLIENTS: readonly (readonly [string, (kit: Kit) => Promise<unknown>])[] = [
  [
    "curl",
    ({ port }) =>
      run("curl", [
        ...["-sS", "--ssl-reqd", "--cacert", join(folder, "ca.pem"), "--user", "agent:whatever"],
        ...["--resolve", `${HOST}:${port}:127.0.0.1`, "--url", `smtp://${HOST}:${port}`],
        ...["--mail-from", "me@sender.example", "--mail-rcpt", "ann@client.example"],
        ...["--upload-file", join(folder, "mail.eml")],
      ]),
  ],
  [
    "swaks",
    ({ port }) =>
      run("swaks", [
        ...["--server", "127.0.0.1", "--port", String(port), "--auth", "LOGIN"],
        ...["--auth-user", "agent", "--auth-password", "whatever", "--from", "me@sender.example"],
        ...["--to", "ann@client.example", "--body", "Hello.\n.\n..\n"],
      ]),
  ],
  [
    "msmtp",
    ({ port }) =>
      run("sh", [
        "-c",
        [
          `msmtp --host=127.0.0.1 --port=${port} --tls=on --tls-starttls=on --tls-certcheck=off`,
          `--auth=plain --user=agent --passwordeval='echo x' -f me@sender.example ann@client.example`,
          `< ${join(folder, "mail.eml")}`,
        ].join(" "),
      ]),
  ],
  [
    "python's smtplib",
    ({ port }) =>
      run("python3", [
        "-c",
        `import smtplib, ssl
c = ssl.create_default_context(cafile="${join(folder, "ca.pem")}")
s = smtplib.SMTP("127.0.0.1", ${port})
s._host = "${HOST}"
s.starttls(context=c)
s.login("agent", "whatever")
s.sendmail("me@sender.example", ["ann@client.example"], open("${join(folder, "mail.eml")}", newline="").read())
s.quit()`,
      ]),
  ],
  [
    "nodemailer",
    async ({ port }) => {
      const ca = (await authorityNamed("run")).certificatePem;
      const transport = createTransport({
        ...{ host: "127.0.0.1", port, requireTLS: true, tls: { ca, servername: HOST } },
        auth: { user: "agent", pass: "whatever" },
      });
      await transport.sendMail({
        ...{ from: "Me <me@sender.example>", to: "ann@client.example", subject: "Grüße" },
        ...{ text: "Hello.\n.\n", html: "<p>Hello</p>" },
        attachments: [{ filename: "a.pdf", content: Buffer.from([0, 1, 2, 255]) }],
      });
      transport.close();
    },
  ],
];
for (const [name, sending] of CLIENTS) {
  test(`${name} sends with a login of its own, and the server gets it by STARTTLS with the grant's`, async (t) => {
    const options = { server: exim.port, tls: true, allow: [UNATTENDED], lease: LEASE };
    const kit = await openKit(options);
    t.after(() => kit.close());
    const [taken, ...more] = await takenBy(exim, () => sending(kit));
    assert.deepEqual(taken?.recipients, ["ann@client.example"]);
    assert.equal(taken?.from, "me@sender.example");
    assert.deepEqual(kit.refusals, []);
    const [action] = kit.actions;
    assert.equal(action?.verb, "send", JSON.stringify(action?.fields));
    assert.equal(more.length, 0, "once");
    assert.ok(exim.log().some((line) => line.includes("A=plain:relay")));
  });
}

test("INV-118: what is approved arrives byte for byte, once, and every recipient is told apart", async (t) => {
  const got: { to: string[]; bytes: Buffer }[] = [];
  const sink = new SMTPServer({
    authOptional: true,
    disabledCommands: ["STARTTLS"],
    onRcptTo: ({ address }, _, done) =>
      done(address.startsWith("nobody") ? new Error("no such user") : null),
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => {
        got.push({
          to: session.envelope.rcptTo.map(({ address }) => address),
          bytes: Buffer.concat(chunks),
        });
        done(null, "taken");
      });
    },
  });
  sink.listen(0, "127.0.0.1");
  await new Promise((resolve) => sink.server.once("listening", resolve));
  const { port } = sink.server.address() as { port: number };
  const kit = await openKit({ server: port });
  t.after(() => (kit.close(), sink.close()));
  const text = MESSAGE.replaceAll("\r\n.", "\r\n..");
  await talk(kit.port, [
    ...["EHLO a", "MAIL FROM:<me@sender.example>", "RCPT TO:<ann@client.example>"],
    ...["RCPT TO:<nobody@client.example>", "DATA", `${text}.\r\n`],
  ]);
  const [held] = kit.held;
  assert.ok(held?.body !== undefined);
  assert.deepEqual(held.body.toString(), MESSAGE);
  const { answer } = await smtpBroker.perform(await kit.errand(held));
  const delivery = JSON.parse(answer?.body.toString() ?? "") as { refused: unknown };
  assert.deepEqual(delivery.refused, [
    { recipient: "nobody@client.example", code: 550, text: "no such user" },
  ]);
  assert.equal(got.length, 1);
  assert.deepEqual(got[0]?.to, ["ann@client.example"]);
  assert.equal(got[0]?.bytes.toString("latin1"), MESSAGE);
});

test("INV-117: whatever the broker lets through is exactly one message for Exim, with the same text", async (t) => {
  const kit = await openKit({ server: plain.port, allow: [UNATTENDED] });
  t.after(() => kit.close());
  const piece = fc.constantFrom(
    ...[
      "\r\n",
      "\r\n.\r\n",
      "\r\n..\r\n",
      "\n.\n",
      "\n.\r\n",
      "\r\n.\n",
      "\r.\r",
      "\r\n.\r",
      "\r\r\n",
    ],
    ...[
      "\r\n.",
      ".",
      "\0",
      "a",
      "MAIL FROM:<evil@sender.example>\r\nRCPT TO:<x@y.example>\r\nDATA\r\n",
    ],
  );
  let [sent, refused] = [0, 0];
  const property = fc.asyncProperty(fc.array(piece, { maxLength: 10 }), async (pieces) => {
    const body = `begin${pieces.join("")}end`;
    const before = plain.messages().length;
    const replies = await talk(kit.port, [
      ...["EHLO a", "MAIL FROM:<me@sender.example>", "RCPT TO:<ann@client.example>", "DATA"],
      `From: me@sender.example\r\nTo: ann@client.example\r\nSubject: s\r\n\r\n${body}\r\n.\r\n`,
    ]);
    const isSent = (replies.at(-1) ?? "").startsWith("250");
    if (isSent) sent += 1;
    else refused += 1;
    const taken = await eventually("the message", 5000, () => {
      const now = plain.messages();
      return isSent && now.length === before ? undefined : now.slice(before);
    });
    assert.equal(taken.length, isSent ? 1 : 0, JSON.stringify(body));
    // Nothing behind an end within: then there was something ahead, and all of it was refused.
    const unstuffed = `\r\n${body}`.replaceAll("\r\n.", "\r\n").slice(2).replaceAll("\r\n", "\n");
    if (isSent) assert.ok(taken[0]?.text.endsWith(`\n\n${unstuffed}\n`), JSON.stringify(body));
  });
  await fc.assert(property, { numRuns: 80, seed: 4711 });
  assert.ok(sent > 10 && refused > 10, `${sent} sent, ${refused} refused`);
  t.diagnostic(`${sent} sent, ${refused} refused`);
});
