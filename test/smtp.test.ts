/** Mail, end to end: a run sends by usual programs, a person sees all of it, and a real server gets it once. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { authorityNamed } from "../src/gateway/test-kit.ts";
import { startExim, type Exim } from "./support/exim.ts";
import { eventually, TestHome } from "./support/home.ts";

const home = new TestHome();
const LOGIN = { user: "relay", password: "correct horse battery staple 4711" };
const HOST = "smtp.sender.test";
let exim: Exim;

before(async () => {
  const authority = await authorityNamed("elsewhere");
  exim = await startExim({ login: LOGIN, tls: authority.leafFor(HOST) });
  writeFileSync(join(home.root, "ca.pem"), authority.certificatePem);
  const added = await home.call(
    [
      ...["credential", "add", "mail", "--kind", "login", "--user", LOGIN.user],
      ...["--host", HOST, "--scheme", "smtp", "--stdin"],
    ],
    { input: `${LOGIN.password}\n` },
  );
  assert.equal(added.code, 0, added.stderr);
  home.write("mail.eml", MESSAGE);
});
after(async () => {
  await home.close();
  await exim.stop();
});

const MESSAGE = [
  ...["From: Agent <agent@sender.test>", "To: ann@client.example", "Subject: The offer"],
  ...["MIME-Version: 1.0", 'Content-Type: multipart/mixed; boundary="b"', "", "--b"],
  ...["Content-Type: text/html; charset=utf-8", ""],
  '<p>Please <a href="https://evil.example/pay">https://bank.example</a> pay.</p>',
  ...["--b", "Content-Type: application/pdf", 'Content-Disposition: attachment; filename="o.pdf"'],
  ...["Content-Transfer-Encoding: base64", "", "aGVsbG8=", "--b--", ""],
].join("\r\n");

function taskFile(allow: string, port = exim.port): string {
  const file = join(home.root, `task-${Math.random().toString(36).slice(2)}.yaml`);
  writeFileSync(
    file,
    `task: offers
purpose: Write to clients.
environment: []
approvals: { hold: 60s }
grants:
  - system: smtp
    name: mail
    hosts: [${HOST}]
    ports: [587]
    dial: 127.0.0.1:${port}
    ca: ca.pem
    credential: mail
    with: { from: [agent@sender.test], recipients_per_message: 3 }
    allow:
      - verbs: [send]
${allow}
`,
  );
  return file;
}
/** Leave ends within a year. */
const SOON = new Date(Date.now() + 30 * 864e5).toISOString().slice(0, 10);
const CLIENTS_ONLY = '        on: ["*@client.example"]';

const send = (to: readonly string[], more = "") =>
  [
    "curl -sS -v --ssl-reqd --user agent:own",
    `--url smtp://${HOST}:587 --mail-from agent@sender.test`,
    ...to.map((one) => `--mail-rcpt ${one}`),
    `--upload-file ${more === "" ? "mail.eml" : more} 2>&1`,
  ].join(" ");

test("INV-116: a mail waits with all of it on its card, the client does not, and after a yes it arrives once", async () => {
  const script = send(["ann@client.example", "blind@client.example"]);
  const result = await home.run(["sh", "-c", script], ["--task", taskFile(CLIENTS_ONLY)]);
  assert.equal(result.code, 0, result.stdout + result.stderr);
  const [, id = ""] = /250 2\.0\.0 queued as (\S+): waits for a person/.exec(result.stdout) ?? [];
  assert.notEqual(id, "", result.stdout);
  assert.deepEqual(exim.messages(), []);
  const card = (await home.call(["approvals", "show", id])).stdout;
  for (const part of [
    /Sent as +\| agent@sender.test/,
    /Goes to \(2\) +\| ann@client.example {2}To\n +\| blind@client.example {2}Bcc/,
    /Subject +\| The offer/,
    /https:\/\/evil.example\/pay {2}<- https:\/\/bank.example/,
    /a link that reads https:\/\/bank.example leads to evil.example/,
    /o.pdf, application\/pdf, 5 bytes, SHA-256 2cf24dba5fb0a30e/,
    /Undo +\| cannot be undone/,
  ]) {
    assert.match(card, part);
  }
  const code = await home.codeOf(id);
  const yes = await home.call(["approvals", "approve", id, "--code", code]);
  assert.equal(yes.code, 0, yes.stdout + yes.stderr);
  const taken = await eventually("the mail", 20_000, () =>
    exim.messages().length > 0 ? exim.messages() : undefined,
  );
  assert.equal(taken.length, 1);
  assert.deepEqual(taken[0]?.recipients, ["ann@client.example", "blind@client.example"]);
  assert.ok(taken[0]?.text.includes("aGVsbG8="));
  assert.ok(exim.log().some((line) => line.includes("A=plain:relay")));
  const again = await home.call(["approvals", "approve", id, "--code", code]);
  assert.notEqual(again.code, 0);
  assert.equal(exim.messages().length, 1);
});

test("INV-118: sent again while it waits it is the same, and afterwards hears what became of it", async () => {
  const before = exim.messages().length;
  const once = send(["carl@client.example"]);
  const script = `for i in $(seq 60); do out=$(${once}); echo "$out"; case "$out" in *"250 2.0.0 sent"*) exit 0;; esac; sleep 0.3; done; exit 1`;
  const running = home.run(["sh", "-c", script], ["--task", taskFile(CLIENTS_ONLY)]);
  const id = await eventually("the approval", 20_000, async () => {
    const all = await home.approvals();
    return all.find(({ state }) => state === "requested" || state === "shown")?.id;
  });
  const yes = await home.call(["approvals", "approve", id, "--code", await home.codeOf(id)]);
  assert.equal(yes.code, 0, yes.stderr);
  const { code, stdout } = await running;
  assert.equal(code, 0, stdout);
  const queued = new Set([...stdout.matchAll(/queued as (\S+):/g)].map(([, one]) => one));
  assert.deepEqual([...queued], [id]);
  assert.match(stdout, /250 2\.0\.0 sent: OK id=/);
  assert.equal(exim.messages().length, before + 1);
});

test("INV-116: a forged From and a blind copy to others are refused; the login is nowhere", async () => {
  home.write("forged.eml", MESSAGE.replace("Agent <agent@sender.test>", "boss@bank.example"));
  const before = exim.messages().length;
  const script = `${send(["ann@client.example"], "forged.eml")}; ${send(["ann@client.example", "spy@rival.example"])}; cat /run/cofferdam/denials.jsonl`;
  const { stdout } = await home.run(["sh", "-c", script], ["--task", taskFile(CLIENTS_ONLY)]);
  assert.match(stdout, /550 5.7.1 From boss@bank.example is not among agent@sender.test/);
  assert.match(stdout, /550 5.7.1 Cofferdam: This is not granted/);
  assert.equal(stdout.match(/"system":"mail"/g)?.length, 2, stdout);
  assert.equal(exim.messages().length, before);
  const record = JSON.stringify(await home.log());
  assert.ok(!record.includes(LOGIN.password) && !stdout.includes(LOGIN.password));
});

test("what a rule lets pass is sent at once, as often as it says, and each refusal is told", async () => {
  const leave = `        unattended: { count: 2, per: 1d, reason: A test., expires: ${SOON} }`;
  const before = exim.messages().length;
  const script = `${send(["ann@client.example", "nobody@client.example"])}; ${send(["bob@client.example"])}`;
  const { stdout } = await home.run(["sh", "-c", script], ["--task", taskFile(leave)]);
  assert.match(stdout, /250 2.0.0 sent to 1 of 2; the server refused nobody@client.example \(550/);
  assert.match(stdout, /queued as \S+: waits/);
  const taken = exim.messages().slice(before);
  assert.deepEqual(
    taken.map(({ recipients }) => recipients),
    [["ann@client.example"]],
  );
  const outcome = (await home.log()).find(
    ({ type, data }) => type === "outcome" && data?.["sent"] === "yes",
  );
  assert.deepEqual(outcome?.data?.["accepted"], ["ann@client.example"]);
});

test("INV-135: a day's leave is that of a credential: other runs share it, and a killed daemon gives none back", async (t) => {
  const leave = (count: number) =>
    `        on: ["*@daily.example"]\n        unattended: { count: ${count}, per: 1d, reason: A test., expires: ${SOON} }`;
  const mail = (count: number, port = exim.port) =>
    home.run(["sh", "-c", send(["ann@daily.example"])], ["--task", taskFile(leave(count), port)]);
  assert.match((await mail(1)).stdout, /250 2.0.0 sent/);
  assert.match((await mail(1)).stdout, /queued as \S+: waits/, "another run, the same day");
  // A server that never says a word: the mail has leave, and no outcome.
  const silent = createServer().listen(0, "127.0.0.1");
  t.after(() => silent.close());
  await once(silent, "listening");
  const connected = once(silent, "connection");
  const under = mail(2, (silent.address() as AddressInfo).port);
  const [socket] = (await connected) as [Socket];
  process.kill(home.daemonPid() ?? assert.fail("a daemon"), "SIGKILL");
  await under;
  socket.destroy();
  assert.match((await mail(2)).stdout, /queued as \S+: waits/, "another daemon, the same day");
  assert.match((await mail(3)).stdout, /250 2.0.0 sent/, "what is left is left");
});

test("a server that cannot prove its name gets neither the mail nor the login", async () => {
  const other = await startExim({
    login: LOGIN,
    tls: (await authorityNamed("other")).leafFor(HOST),
  });
  try {
    const leave = `        unattended: { count: 5, reason: A test., expires: ${SOON} }`;
    const file = taskFile(leave);
    writeFileSync(file, readFileSync(file, "utf8").replace(`:${exim.port}`, `:${other.port}`));
    const { stdout } = await home.run(["sh", "-c", send(["ann@client.example"])], ["--task", file]);
    assert.match(stdout, /451 4.4.0 not sent: /);
    assert.deepEqual(other.messages(), []);
    assert.ok(!other.log().some((line) => line.includes("A=plain")));
  } finally {
    await other.stop();
  }
});
