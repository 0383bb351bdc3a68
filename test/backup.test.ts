/** The drill: a home is backed up while it is at work, lost, and restored; what happened since is not done again. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { renewProof, verifyLedger, verifyProof } from "../src/ledger/index.ts";
import { eventually, TestHome } from "./support/home.ts";

const home = new TestHome();
const path = (name: string) => join(home.root, name);
const SECRET = "correct horse battery staple 4711";
let posts = 0;
const site = createServer((request, response) => {
  if (request.method === "POST") posts += 1;
  request.resume();
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify({ id: 1, status: "publish", title: { raw: "A" } }));
});

before(async () => {
  site.listen(0, "127.0.0.1");
  await once(site, "listening");
  writeFileSync(path("passphrase"), "correct horse battery\n", { mode: 0o600 });
  writeFileSync(
    path("task.yaml"),
    `task: blog-work
purpose: Draft and publish.
environment: []
approvals: { hold: 60s }
grants:
  - system: wordpress
    name: blog
    hosts: [blog.test]
    ports: [80]
    dial: 127.0.0.1:${(site.address() as AddressInfo).port}
    credential: blog
    variable: BLOG_PASSWORD
    allow:
      - verbs: ["*"]
        doing: [read, write, publish, delete]
`,
  );
});
after(async () => {
  await home.close();
  site.close();
  site.closeAllConnections();
});

/** Ends the daemon, and waits until it is gone. */
async function stop(): Promise<void> {
  const pid = home.daemonPid() ?? 0;
  await home.call(["stop", "--force"]);
  await eventually("its end", 60_000, () => (existsSync(`/proc/${pid}`) ? undefined : true));
}

test("INV-233: what is backed up while a run writes comes back whole, says so, and performs nothing a second time", async () => {
  const added = await home.call(
    [
      ...["credential", "add", "blog", "--kind", "basic", "--user", "editor"],
      ...["--host", "blog.test", "--scheme", "http", "--port", "80", "--stdin"],
    ],
    { input: `${SECRET}\n` },
  );
  assert.equal(added.code, 0, added.stderr);
  const post = `curl -s -u "editor:$BLOG_PASSWORD" -H 'content-type: application/json' -d '{"title":"News","status":"publish"}' http://blog.test/wp-json/wp/v2/posts`;
  const script = `${post} & while :; do /bin/true; done`;
  const running = home.run(["sh", "-c", script], ["--task", path("task.yaml")]);
  const asked = await eventually(
    "something waits",
    60_000,
    async () => (await home.approvals())[0],
  );
  const [was] = await home.runs();
  const { proof, key } = await home.ask("ledger.prove", { seq: 3 });

  await home.ask("lineage.pause", { lineage: "job:stands" });

  const file = path("backup.tar");
  const made = await home.call(["backup", file, "--passphrase-file", path("passphrase"), "--json"]);
  assert.equal(made.code, 0, made.stderr);
  const { entries } = JSON.parse(made.stdout) as { readonly entries: number };
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.ok(!readFileSync(file).includes(SECRET));
  assert.ok((await home.ask("daemon.status", {})).entries > entries, "it was written on meanwhile");
  const again = await home.call(["backup", file, "--without-keys"]);
  assert.match(again.stderr, /cannot be made/, "never over another");

  // After the backup it is approved, and done.
  await home.ask("approvals.approve", { id: asked.id, code: await home.codeOf(asked.id) });
  await eventually("it is published", 60_000, () => posts === 1 || undefined);
  await eventually(
    "it is over",
    60_000,
    async () => (await home.approvals()).length === 0 || undefined,
  );
  await stop();
  await running;
  const later = readFileSync(join(home.state, "ledger/checkpoint"), "utf8");
  rmSync(home.state, { recursive: true, force: true });

  const restore = ["restore", file, "--to", home.state, "--passphrase-file", path("passphrase")];
  const restored = await home.call(restore);
  assert.equal(restored.code, 0, restored.stderr);
  assert.match(restored.stdout, new RegExp(`${entries} entries verified`));
  assert.match((await home.call(restore)).stderr, /is not empty/);

  const [info] = await home.runs({ all: true }); // Starts the daemon.
  assert.deepEqual([info?.run, info?.state, info?.end?.reason], [was?.run, "ended", "daemon"]);
  const log = await home.log();
  const first = log[entries];
  assert.equal(first?.type, "record");
  assert.equal(first.data?.["done"], "restore");
  assert.match(
    JSON.stringify(first.data?.["why"]),
    new RegExp(`with ${entries} entries; what came after`),
  );
  const [approval] = await home.approvals({ all: true });
  assert.deepEqual([approval?.id, approval?.state], [asked.id, "cancelled"]);
  assert.equal(posts, 1, "what was performed since is not performed again");
  const paused = await home.ask("lineage.list", {});
  assert.deepEqual(
    paused.flatMap(({ lineage, paused: so }) => (so === undefined ? [] : [lineage])),
    ["job:stands"],
    "what stood still does not go on",
  );
  const { stdout } = await home.call(["credential", "list", "--json"]);
  assert.match(stdout, /"blog"/);

  const dir = join(home.state, "ledger");
  assert.deepEqual((await verifyLedger(dir)).problems, []);
  const { problems } = await verifyLedger(dir, { since: later });
  assert.match(problems[0]?.what ?? "", /cut off|does not continue it/, "a rollback is seen");
  assert.equal(verifyProof(proof, key).seq, 3);
  assert.equal((await renewProof(dir, proof)).proven.seq, 3);
  assert.equal((await home.ask("ledger.prove", { seq: 3 })).key, key);
  assert.ok(!existsSync(join(home.state, "restored.json")), "said once");
});

test("nothing is pruned while a backup is made; whoever goes away ends it", async () => {
  const { createClient } = await import("../src/client/index.ts");
  const { locateHome } = await import("../src/api/index.ts");
  const client = createClient(locateHome({ COFFERDAM_HOME: home.state }));
  const gone = new AbortController();
  let folder = "";
  for await (const copies of client.stream("backup.hold", {}, gone.signal)) {
    ({ folder } = copies);
    assert.deepEqual(copies.files, [
      ...["approvals.db", "watches.db", "unattended.db", "lineages.db"],
    ]);
    await assert.rejects(home.ask("retention.prune", {}), { code: "retention.busy" });
    break;
  }
  gone.abort();
  await eventually("its copies are gone", 60_000, () => !existsSync(folder) || undefined);
  assert.equal((await home.ask("retention.prune", {})).entries, 0);
});

test("INV-234: a home of a newer form, or of an unknown part, is refused with both numbers, and left as it is", async () => {
  await stop();
  const formats = join(home.state, "formats.json");
  const good = readFileSync(formats, "utf8");
  for (const [text, why] of [
    [
      '{"home":2,"ledger":1,"runs":1}',
      /home in .* is of format 2; this Cofferdam reads formats up to 1/,
    ],
    ['{"home":1,"ledger":1,"runs":1,"more":1}', /more in .* is of format 1; .* up to 0/],
    ["{", /not what Cofferdam wrote/], // daemon.formats
  ] as const) {
    writeFileSync(formats, text);
    const { code, stderr } = await home.call(["ps"]);
    assert.equal(code, 125);
    assert.match(stderr, why);
    assert.equal(readFileSync(formats, "utf8"), text);
  }
  writeFileSync(formats, good);
  assert.equal((await home.call(["ps"])).code, 0);
});
