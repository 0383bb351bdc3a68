/** What waits for a person, end to end: a run asks, a person answers at the command line, and it happens once. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { ApprovalInfo, Entry } from "../src/api/index.ts";
import { eventually, TestHome, type Result } from "./support/home.ts";

const home = new TestHome();
const SECRET = "correct horse battery staple 4711";
const seen: { readonly line: string; readonly authorization: string; readonly body: string }[] = [];
const states = new Map<string, string>();

/** A site in the shape of WordPress's API, which remembers what reached it. */
const site = createServer((request: IncomingMessage, response) => {
  let body = "";
  request.on("data", (chunk) => (body += String(chunk)));
  request.on("end", () => {
    const authorization = request.headers.authorization ?? "";
    seen.push({ line: `${request.method} ${request.url}`, authorization, body });
    const id = /\/posts\/(\d+)/.exec(request.url ?? "")?.[1] ?? "1";
    response.setHeader("content-type", "application/json");
    // A site that echoes: what must not come back is in its answer, and in a field of its head.
    response.setHeader("x-echo", authorization);
    const status = states.get(id) ?? "draft";
    const title = { raw: "A" };
    response.end(JSON.stringify({ id, status, title, echo: authorization, secret: SECRET }));
  });
});

before(async () => {
  site.listen(0, "127.0.0.1");
  await once(site, "listening");
  const added = await home.call(
    [
      ...["credential", "add", "blog", "--kind", "basic", "--user", "editor"],
      ...["--host", "blog.test", "--scheme", "http", "--port", "80", "--stdin"],
    ],
    { input: `${SECRET}\n` },
  );
  assert.equal(added.code, 0, added.stderr);
});
after(async () => {
  await home.close();
  site.close();
  site.closeAllConnections();
});

function taskFile(more = ""): string {
  const { port } = site.address() as AddressInfo;
  const file = join(home.root, `task-${Math.random().toString(36).slice(2)}.yaml`);
  writeFileSync(
    file,
    `task: blog-work
purpose: Draft and publish.
environment: []
approvals: { hold: 60s, ${more} }
grants:
  - system: wordpress
    name: blog
    hosts: [blog.test]
    ports: [80]
    dial: 127.0.0.1:${port}
    credential: blog
    variable: BLOG_PASSWORD
    allow:
      - verbs: ["*"]
        doing: [read, write, publish, delete]
`,
  );
  return file;
}

/** A run that posts `json`, and prints the answer. */
function posting(json: object, path = "/posts", more = ""): Promise<Result> {
  const url = `http://blog.test/wp-json/wp/v2${path}`;
  const script = `curl -s -S -i --max-time 90 -u "editor:$BLOG_PASSWORD" -H 'content-type: application/json' -d '${JSON.stringify(json)}' '${url}'`;
  return home.run(["sh", "-c", script], ["--task", taskFile(more)]);
}

async function waiting(): Promise<ApprovalInfo> {
  return eventually("something waits", 60_000, async () => (await home.approvals())[0]);
}

const posts = () => seen.filter(({ line }) => line.startsWith("POST"));

test("a draft goes out with the credential, which the run never holds and never gets back", async () => {
  const { code, stdout, stderr } = await posting({ title: "A", status: "draft" });
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^HTTP\/1.1 200/);
  const [sent] = posts().slice(-1);
  const expected = `Basic ${Buffer.from(`editor:${SECRET}`).toString("base64")}`;
  assert.equal(sent?.authorization, expected);
  assert.ok(!stdout.includes(SECRET), "not in the body");
  assert.ok(!stdout.includes(expected.slice(6)), "nor encoded");
  assert.match(stdout, /redacted|\*{8}/, "and it shows that something was taken out");
  const log = await home.call(["log", "--json"]);
  assert.ok(!log.stdout.includes(SECRET) && !log.stdout.includes(expected.slice(6)));
});

test("a publication waits, is shown whole, and what was shown is sent once with the credential", async () => {
  const before = posts().length;
  const run = posting({ title: "News", content: "All of it.", status: "publish" });
  const one = await waiting();
  assert.equal(posts().length, before, "nothing left");
  const listed = await home.call(["approvals", "list", "--json"]);
  const code = await home.codeOf(one.id);
  assert.ok(!listed.stdout.includes(code), "who approves has to see the card");
  const shown = await home.call(["approvals", "show", one.id]);
  for (const text of ["PUBLISHES", "Title        | News", "All of it.", code, "curl"]) {
    assert.ok(shown.stdout.includes(text), `${text} stands in\n${shown.stdout}`);
  }
  // INV-179: what leave for more would widen stands on the card, before and after.
  assert.match(
    shown.stdout,
    /More of it +\| with leave for more .*\n +\| publications, unattended: 0 -> unbounded\n/,
  );
  const wrong = await home.call(["approvals", "approve", one.id, "--code", "000000"]);
  assert.match(wrong.stderr, /not the code/);
  const approved = await home.call(["approvals", "approve", one.id, "--code", code]);
  assert.equal(approved.code, 0, approved.stderr);
  const { stdout } = await run;
  assert.match(stdout, /^HTTP\/1.1 200/);
  assert.ok(!stdout.includes(SECRET));
  const sent = posts().slice(before);
  assert.deepEqual(
    sent.map(({ body }) => body),
    ['{"title":"News","content":"All of it.","status":"publish"}'],
  );
  assert.match(sent[0]?.authorization ?? "", /^Basic /);
  const again = await home.call([
    "approvals",
    "approve",
    one.id,
    "--code",
    await home.codeOf(one.id),
  ]);
  assert.match(again.stderr, /performed/);
  assert.equal(posts().length, before + 1, "once");
  const log = readFileSync(join(home.state, "daemon.log"), "utf8").split("\n");
  const served = log.find((line) => line.includes('"worker.serves"') && line.includes(one.id));
  assert.match(served ?? "", /"use":"errand"/, "INV-74: by a worker that serves no run");
});

test("a person edits what waits, approves that, and the agent is told what was changed", async () => {
  const before = posts().length;
  const run = posting({ title: "Nwes", status: "publish" });
  const one = await waiting();
  const first = await home.codeOf(one.id);
  const edit = (EDITOR: string) =>
    home.call(["approvals", "edit", one.id], { env: { EDITOR, VISUAL: EDITOR } });
  assert.match(
    (await edit("false")).stderr,
    /did not end well; nothing was changed/,
    "fault cli.editor",
  );
  assert.match((await edit("cp /etc/hostname")).stderr, /no JSON/);
  assert.match((await edit("sed -i s/publish/private/")).stdout, /^Status +\| private$/m);
  const edited = await edit("sed -i s/Nwes/News/");
  assert.match(edited.stdout, /^Title +\| News$/m);
  const old = await home.call(["approvals", "approve", one.id, "--code", first]);
  assert.match(old.stderr, /not the code/, "which was of other bytes");
  const code = /Code +\| (\w+)/.exec(edited.stdout)?.[1] ?? "";
  assert.equal((await home.call(["approvals", "approve", one.id, "--code", code])).code, 0);
  assert.match((await run).stdout, /x-cofferdam-edited: .*title/i);
  assert.deepEqual(
    posts()
      .slice(before)
      .map(({ body }) => body),
    ['{"title":"News","status":"private"}'],
  );
});

test("INV-273: an edit that does less is performed as it is then; one of what a rule calls more keeps the rule's word", async () => {
  const before = posts().length;
  const edit = (id: string, EDITOR: string) =>
    home.call(["approvals", "edit", id], { env: { EDITOR, VISUAL: EDITOR } });
  const finish = async (id: string) => {
    const said = await home.call(["approvals", "approve", id, "--code", await home.codeOf(id)]);
    assert.equal(said.code, 0, said.stderr);
  };
  const file = taskFile();
  const args = ["curl", "-sSi", "--max-time", "90", "-H", "content-type: application/json"];
  const send = (system: string, rule: string, path: string, body: object) => {
    const source = readFileSync(file, "utf8")
      .replace(/system: \w+/, `system: ${system}`)
      .replace(/ {4}(?:credential|variable): .*\n/g, "")
      .replace(/ {6}- [^]*$/, `      - ${rule}\n`);
    writeFileSync(file, source);
    const call = [...args, "-d", JSON.stringify(body), `http://blog.test${path}`];
    return home.run(call, ["--task", file]);
  };
  // With a node of code it executes; without one it only writes.
  const node = { name: "a", type: "n8n-nodes-base.code", position: [0, 0], parameters: {} };
  const flow = { name: "w", nodes: [node], connections: {}, settings: {} };
  const all = '{ verbs: ["*"], doing: [read, write, execute] }';
  const run = send("n8n", all, "/api/v1/workflows", flow);
  const one = await waiting();
  assert.equal((await edit(one.id, "sed -i s/base.code/base.noOp/")).code, 0);
  await finish(one.id);
  assert.match((await run).stdout, /^HTTP\/1.1 200/);
  // By itself a POST of http writes; a rule says of it that it publishes.
  const rule = '{ methods: [POST], paths: ["/**"], effects: [publish] }';
  const other = send("http", rule, "/hooks", { a: "one" });
  const two = await waiting();
  assert.equal((await edit(two.id, "sed -i s/one/two/")).code, 0);
  const shown = await home.call(["approvals", "show", two.id]);
  assert.match(shown.stdout, /PUBLISHES/);
  await finish(two.id);
  assert.match((await other).stdout, /^HTTP\/1.1 200/);
  const bodies = posts().slice(before);
  assert.deepEqual(
    bodies.map(({ body }) => body),
    [JSON.stringify(flow).replace("base.code", "base.noOp"), '{"a":"two"}'],
  );
});

test("fault approval.leave: nobody gets leave for more of what administers", async () => {
  const run = home.run(
    ["sh", "-c", "curl -s -o /dev/null -w '%{http_code}' -X DELETE http://admin.test/users/1"],
    ["--task", adminTask()],
  );
  const one = await waiting();
  const more = ["--for-run", "--count", "1", "--for", "1h"];
  const refused = await home.call([
    "approvals",
    "approve",
    one.id,
    "--code",
    await home.codeOf(one.id),
    ...more,
  ]);
  assert.match(refused.stderr, /approved one by one/);
  await home.call(["approvals", "deny", one.id]);
  assert.equal((await run).stdout, "403");
});

/** A plain grant whose deletions administer. */
function adminTask(): string {
  const { port } = site.address() as AddressInfo;
  const file = join(home.root, "admin.yaml");
  const rule = `{ methods: [DELETE], paths: ["/**"], effects: [delete, administer] }`;
  const grant = `{ system: http, name: admin, hosts: [admin.test], ports: [80], dial: "127.0.0.1:${port}", allow: [${rule}] }`;
  writeFileSync(file, `task: a\npurpose: b\ngrants:\n  - ${grant}\n`);
  return file;
}

test("a no is told with its reason, and asked again it stays a no", async () => {
  const before = posts().length;
  const run = posting({ title: "No", status: "publish" });
  const one = await waiting();
  await home.call(["approvals", "deny", one.id, "--reason", "not this week"]);
  const { stdout } = await run;
  assert.match(stdout, /^HTTP\/1.1 403/);
  assert.match(stdout, /not this week/);
  assert.equal(posts().length, before);
});

test("what is not what it was when it was shown is not sent", async () => {
  states.set("7", "publish");
  const before = posts().length;
  const run = posting({ content: "b" }, "/posts/7");
  const one = await waiting();
  states.set("7", "private");
  await home.call(["approvals", "approve", one.id, "--code", await home.codeOf(one.id)]);
  const { stdout } = await run;
  assert.match(stdout, /^HTTP\/1.1 403/);
  assert.match(stdout, /not what it was when it was shown/);
  assert.equal(posts().length, before);
});

test("with a time to take it back it is performed after that, and not at all where it was taken back", async () => {
  const before = posts().length;
  const run = posting({ title: "Late", status: "publish" }, "/posts", "undo: 1h");
  const one = await waiting();
  await home.call(["approvals", "approve", one.id, "--code", await home.codeOf(one.id)]);
  const { stdout: list } = await home.call(["approvals", "list", "--json"]);
  const [kept] = JSON.parse(list) as ApprovalInfo[];
  assert.equal(kept?.state, "approved");
  assert.ok(kept?.notBefore !== undefined);
  await home.call(["approvals", "deny", one.id, "--reason", "second thoughts"]);
  const { stdout } = await run;
  assert.match(stdout, /second thoughts/);
  assert.equal(posts().length, before);
});

test("INV-190: `approvals undo` takes a yes back, and says no to nothing that waits; the look stands beside the card", async () => {
  const before = posts().length;
  const run = posting(
    { title: "Undone", content: "<b>x</b>", status: "publish" },
    "/posts",
    "undo: 1h",
  );
  const { id } = await waiting();
  const shown = await home.ask("approvals.show", { id });
  const { content } = shown.look;
  assert.ok(content.kind === "post", content.kind);
  assert.deepEqual(content.passages[0], {
    label: "Title",
    name: "title",
    text: "Undone",
    doubts: [],
  });
  assert.deepEqual([shown.needs, shown.undoMs, shown.isEditable], [1, 3_600_000, true]);
  assert.match(shown.leave?.join() ?? "", /publications, unattended: 0 -> unbounded/);
  // The console asks for it apart, since it takes a moment, and a card need not wait for it.
  const brief = await home.ask("approvals.show", { id, isBrief: true });
  assert.deepEqual([brief.leave, brief.mayLeave, brief.code], [undefined, true, shown.code]);
  assert.deepEqual((await home.ask("approvals.widens", { id })).leave, shown.leave);
  const none = await home.call(["approvals", "undo", id]);
  assert.match(none.stderr, /has not said yes/);
  const sha256 = "0".repeat(64);
  await assert.rejects(home.ask("approvals.attachment", { id, sha256 }), {
    code: "approval.attachment",
  });
  await home.call(["approvals", "approve", id, "--code", shown.code]);
  const undone = await home.call(["approvals", "undo", id]);
  assert.match(undone.stdout, /cancelled: its yes was taken back/);
  assert.notEqual((await home.call(["approvals", "undo", id])).code, 0, "twice is once");
  assert.match((await run).stdout, /taken back/);
  assert.equal(posts().length, before);
});

test("leave for more of the same is used up, and then the next waits", async () => {
  const before = posts().length;
  const url = "http://blog.test/wp-json/wp/v2/posts";
  const post = (n: number) =>
    `curl -s -o /dev/null -w '%{http_code}\\n' -H 'content-type: application/json' -d '{"title":"${n}","status":"publish"}' ${url}`;
  const run = home.run(["sh", "-c", [1, 2, 3].map(post).join("\n")], ["--task", taskFile()]);
  const one = await waiting();
  const approved = await home.call([
    ...["approvals", "approve", one.id, "--code", await home.codeOf(one.id)],
    ...["--for-run", "--count", "1", "--for", "1h"],
  ]);
  assert.equal(approved.code, 0, approved.stderr);
  const third = await eventually("the third waits", 60_000, async () =>
    (await home.approvals()).find(({ id }) => id !== one.id),
  );
  assert.equal(posts().length, before + 2);
  await home.call(["approvals", "deny", third.id, "--reason", "enough"]);
  assert.equal((await run).stdout, "200\n200\n403\n");
});

test("a yes that is taken back takes the leave for more with it", async () => {
  const before = posts().length;
  const url = "http://blog.test/wp-json/wp/v2/posts";
  const post = (n: number) =>
    `curl -s -o /dev/null -w '%{http_code}\\n' -H 'content-type: application/json' -d '{"title":"back ${n}","status":"publish"}' ${url}`;
  const file = taskFile("undo: 1h");
  const run = home.run(["sh", "-c", [1, 2].map(post).join("\n")], ["--task", file]);
  const one = await waiting();
  const approved = await home.call([
    ...["approvals", "approve", one.id, "--code", await home.codeOf(one.id)],
    ...["--for-run", "--count", "5", "--for", "1h"],
  ]);
  assert.equal(approved.code, 0, approved.stderr);
  await home.call(["approvals", "deny", one.id, "--reason", "second thoughts"]);
  const ended = run.then(() => "ended" as const);
  const next = eventually("the second waits, too", 60_000, async () =>
    (await home.approvals()).find(({ id }) => id !== one.id),
  );
  const second = await Promise.race([ended, next]);
  assert.ok(second !== "ended", "it was let through");
  await home.call(["approvals", "deny", second.id]);
  assert.equal((await run).stdout, "403\n403\n");
  assert.equal(posts().length, before);
});

test("what users of a system made is called without the credential, by leave or by approval", async () => {
  const place = ["--host", "flows.test", "--scheme", "http", "--port", "80", "--stdin"];
  const key = "flows-key-0f3d9c21ab75";
  const add = ["credential", "add", "flows", "--kind", "bearer", ...place];
  const added = await home.call(add, { input: `${key}\n` });
  assert.equal(added.code, 0, added.stderr);
  const { port } = site.address() as AddressInfo;
  const file = join(home.root, "flows.yaml");
  const grant = `{ system: n8n, name: flows, hosts: [flows.test], ports: [80], dial: "127.0.0.1:${port}", credential: flows, variable: KEY, allow: [{ verbs: ["*"], doing: [read-private, execute] }] }`;
  writeFileSync(file, `task: a\npurpose: b\ngrants:\n  - ${grant}\n`);
  const calls = ["/webhook/a", "/webhook/b", "/api/v1/workflows", '/webhook/c" -H "a: $KEY'];
  const curl = (path: string) =>
    `curl -s -o /dev/null -w '%{http_code}\\n' "http://flows.test${path}"`;
  const run = home.run(["sh", "-c", calls.map(curl).join("\n")], ["--task", file]);
  const one = await waiting();
  await home.call([
    ...["approvals", "approve", one.id, "--code", await home.codeOf(one.id)],
    ...["--for-run", "--count", "1", "--for", "1h"],
  ]);
  assert.equal((await run).stdout, "200\n200\n200\n403\n", "nor its placeholder");
  const sent = (line: string) => seen.find((request) => request.line === line)?.authorization;
  assert.equal(sent("GET /webhook/a"), "", "approved");
  assert.equal(sent("GET /webhook/b"), "", "by leave");
  assert.equal(sent("GET /api/v1/workflows"), `Bearer ${key}`, "the system itself has it");
});

test("every step is on record, intent before effect", async () => {
  const log: readonly Entry[] = await home.log();
  const performed = log.find(
    ({ type, data }) => type === "approval" && data?.["state"] === "performed",
  );
  const { approval: id = "" } = (performed?.data ?? {}) as { approval?: string };
  const steps = log
    .filter(
      ({ type, data, rule }) =>
        (type === "approval" && data?.["approval"] === id) || rule === `approval.${id}`,
    )
    .map(({ type, data }) => (type === "approval" ? data?.["state"] : type));
  assert.deepEqual(steps, ["requested", "shown", "approved", "performing", "action", "performed"]);
  assert.match((await home.call(["verify"])).stdout, /^intact/);
});
