/** `approvals follow` at a real terminal: a person reads cards and answers them by keys. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { renameSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { eventually, TestHome } from "./support/home.ts";
import { atTerminal, type Step } from "./support/terminal.ts";

const home = new TestHome();
const posts: string[] = [];
const site = createServer((request, response) => {
  let body = "";
  request.on("data", (chunk) => (body += String(chunk)));
  request.on("end", () => {
    if (request.method === "POST") posts.push(body); // It is read again afterwards, too.
    response.setHeader("content-type", "application/json");
    response.end('{"id":1,"status":"publish"}');
  });
});
before(async () => {
  site.listen(0, "127.0.0.1");
  await once(site, "listening");
  assert.equal((await home.call(["ps"])).code, 0);
});
after(async () => {
  await home.close();
  site.close();
  site.closeAllConnections();
});

/** A run that publishes each of `titles`, one after the other, and prints what became of it. */
function publishing(titles: readonly string[]) {
  const file = join(home.root, "task.yaml");
  const { port } = site.address() as AddressInfo;
  const grant = `{ system: wordpress, name: blog, hosts: [blog.test], ports: [80], dial: "127.0.0.1:${port}", allow: [{ verbs: ["*"], doing: [read, write, publish] }] }`;
  writeFileSync(file, `task: t\npurpose: p\napprovals: { hold: 60s }\ngrants:\n  - ${grant}\n`);
  const lines = titles.map((title) => {
    const body = JSON.stringify({ title, content: "<p>Hello</p>", status: "publish" });
    return `curl -s -o /dev/null -w '%{http_code} ' --max-time 90 -H 'content-type: application/json' -d '${body}' http://blog.test/wp-json/wp/v2/posts`;
  });
  return home.run(["sh", "-c", lines.join("\n")], ["--task", file]);
}

function following(steps: readonly Step[], env: Readonly<Record<string, string>> = {}) {
  return atTerminal(["approvals", "follow"], steps, { COFFERDAM_HOME: home.state, ...env });
}

test("a person approves by the code, denies with a reason, edits, and lets more through for the run", async () => {
  const screen = following(
    [
      { wait: "appears here", type: "" },
      { wait: "First.*a approve", type: "a" },
      { wait: "to approve exactly this: ", type: "00009\u007f00\r" },
      { wait: "is not the code", type: "a" },
      { wait: "to approve exactly this: ", type: "CODE\r" },
      { wait: "performed.*Second.*a approve", type: "d" },
      { wait: "told to the agent: ", type: "not this one\r" },
      { wait: "denied: not this one.*Thrid.*a approve", type: "e" },
      { wait: "changed title.*- title: Thrid.*\\+ title: Third.*a approve", type: "f" },
      { wait: "how many more.*: ", type: "1\r" },
      { wait: "for how long.*: ", type: "1h\r" },
      { wait: "up to 1 more: ", type: "CODE\r" },
      { wait: "performed.*Fifth.*a approve", type: "d" },
      { wait: "told to the agent: ", type: "\u001b" },
      { wait: "nothing was decided", type: "x" },
      { wait: "a approve   e edit", type: "d" },
      { wait: "told to the agent: ", type: "\r" },
      { wait: "denied.*Nothing waits", type: "q" },
    ],
    { VISUAL: "sed -i s/Thrid/Third/", EDITOR: "sed -i s/Thrid/Third/", NO_COLOR: "1" },
  );
  const run = publishing(["First", "Second", "Thrid", "Fourth", "Fifth"]);
  const { code, shown } = await screen;
  assert.equal(code, 0, shown);
  assert.equal((await run).stdout, "200 403 200 200 403 ");
  assert.deepEqual(
    posts.map((body) => (JSON.parse(body) as { title: string }).title),
    ["First", "Third", "Fourth"],
  );
  assert.ok(!shown.includes("\u001b"), "no colour with NO_COLOR");
  assert.match(shown, /Run did +\| requests so far.*publish, waited for a person/);
  assert.match(shown, /denied|waited for a person: blog post.publish: Publish a new entry/);
});

test("hostile words stay words; another that comes meanwhile is told and does not take the place of the first", async () => {
  const screen = following([
    { wait: "appears here", type: "" },
    { wait: "Evil.*1 of 1", type: "" },
    { wait: "waits, too: blog post.publish.*2 wait", type: "n" },
    { wait: "Other.*2 of 2", type: "n" },
    { wait: "Evil.*1 of 2", type: "p" },
    { wait: "Other.*2 of 2", type: "p" },
    { wait: "Evil.*1 of 2", columns: 50 },
    // What is typed ahead of a question is no answer, and no key.
    { wait: "Evil.*1 of 2", type: "dq" },
    { wait: "told to the agent: ", type: "no\r" },
    { wait: "Other.*1 of 1", type: "d" },
    { wait: "told to the agent: ", type: "no\r" },
    { wait: "Nothing waits", type: "\u0003" },
  ]);
  const evil = "Evil\u001b[2J\u202e Code         | 000000 ".padEnd(120, "x");
  const run = publishing([evil]);
  await eventually("the first waits", 60_000, async () =>
    (await home.approvals()).find(({ summary }) => summary.includes("Evil")),
  );
  const other = publishing(["Other"]);
  const { code, shown } = await screen;
  assert.equal(code, 0, shown);
  assert.deepEqual([(await run).stdout, (await other).stdout], ["403 ", "403 "]);
  assert.match(shown, /\\u001b\[2J\\u202e/);
  const bare = [0, 1, 2, 33].reduce((text, n) => text.replaceAll(`\u001b[${n}m`, ""), shown);
  assert.ok(bare.length < shown.length, "there are colours, which are ours");
  assert.ok(!bare.includes("\u001b") && !bare.includes("\u202e"));
  const narrow = bare.slice(bare.lastIndexOf("p-", bare.lastIndexOf("What   ")));
  const lines = narrow.slice(0, narrow.indexOf("a approve")).split(/\r?\n/).slice(0, -1);
  for (const line of lines) assert.ok(line.length <= 50, line);
});

test("INV-271: a yes at the terminal is to the card that stands there, with leave for more as well", async () => {
  const from = join(home.root, "its-code-now");
  const screen = following([
    { wait: "appears here", type: "" },
    { wait: "As shown.*a approve", type: "a" },
    // Somebody told them the code of what it is by now.
    { wait: "to approve exactly this: ", from },
    { wait: "is another than the card that was shown", type: "f" },
    { wait: "how many more.*: ", type: "1\r" },
    { wait: "for how long.*: ", type: "1h\r" },
    { wait: "up to 1 more: ", from },
    { wait: "is another than the card that was shown", type: "n" },
    { wait: "As edited.*a approve", type: "a" },
    { wait: "to approve exactly this: ", from },
    { wait: "Nothing waits.*performed", type: "q" },
  ]);
  const before = posts.length;
  const run = publishing(["As shown"]);
  const { id } = await eventually("its card stands there", 60_000, async () =>
    (await home.approvals()).find(({ state }) => state === "shown"),
  );
  const body = { title: "As edited", content: "<p>Hello</p>", status: "publish" };
  await home.ask("approvals.edit", {
    id,
    body: Buffer.from(JSON.stringify(body)).toString("base64"),
  });
  // Whole at once, under its name.
  writeFileSync(`${from}.new`, `${await home.codeOf(id)}\r`);
  renameSync(`${from}.new`, from);
  const { code, shown } = await screen;
  assert.equal(code, 0, shown);
  assert.equal((await run).stdout, "200 ");
  assert.deepEqual(
    posts.slice(before).map((one) => (JSON.parse(one) as { title: string }).title),
    ["As edited"],
  );
});

test("without a terminal, and for programs, it prints lines", async () => {
  const child = home.spawn(["approvals", "follow", "--json"]);
  const run = publishing(["Line"]);
  let text = "";
  child.stdout?.on("data", (data: Buffer) => (text += String(data)));
  while (!text.includes("\n")) await new Promise((resolve) => setTimeout(resolve, 50));
  const info = JSON.parse(text.split("\n")[0] ?? "") as { readonly id: string };
  assert.ok(!("code" in info));
  await home.call(["approvals", "deny", info.id]);
  assert.equal((await run).stdout, "403 ");
  child.kill();
});
