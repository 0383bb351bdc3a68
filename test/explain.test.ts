/** `catalog` and `explain` as a person and a script use them. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { TestHome } from "./support/home.ts";

const home = new TestHome();
after(() => home.close());

interface Explained {
  readonly system: string;
  readonly verb: string;
  readonly effects: readonly string[];
  readonly verdict: string;
  readonly rule: string;
  readonly summary: string;
  readonly lookups: readonly { readonly name: string; readonly known: boolean }[];
}

async function explain(system: string, request: string, ...more: string[]): Promise<Explained> {
  const line = ["explain", "--system", system, request, ...more, "--json"];
  const { code, stdout, stderr } = await home.call(line);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout) as Explained;
}

const FORM = "content-type: application/x-www-form-urlencoded";
const CASES = [
  ["git", "update refs/heads/agent/x src/a.txt", [], "push.update", "write", "allow"],
  ["git", "force refs/heads/agent/x", [], "push.force", "delete", "confirm"],
  ["git", "create refs/heads/agent/x Makefile", [], "push", "execute", "confirm"],
  [
    "git",
    "update refs/heads/x",
    ["--with", '{"protected":["x"]}'],
    "push.update",
    "publish",
    "confirm",
  ],
  ["git", "GET /me/site.git/HEAD", [], "unknown", "administer", "deny"],
  [
    "wordpress",
    "POST /wp-json/wp/v2/posts",
    ["--data", '{"status":"draft"}'],
    "post.draft",
    "write",
    "allow",
  ],
  [
    "wordpress",
    "POST /wp-json/wp/v2/posts",
    ["--data", '{"status":"publish"}'],
    "post.publish",
    "publish",
    "confirm",
  ],
  [
    "wordpress",
    "POST /wp-json/wp/v2/posts",
    ["--data", "status=publish", "--header", FORM],
    "post.publish",
    "publish",
    "confirm",
  ],
  ["wordpress", "GET /?rest_route=/wp/v2/posts", [], "post.list", "read", "allow"],
  ["wordpress", "POST /wp-json/nothing/like/it", [], "unknown", "administer", "deny"],
  ["stripe", "POST /v1/refunds", ["--data", "charge=ch_1"], "refund.create", "spend", "confirm"],
  ["stripe", "GET https://api.stripe.com/v1/customers", [], "data.read", "read-private", "allow"],
  ["http", "DELETE /x", [], "DELETE", "delete", "confirm"],
  ["http", "GET /a/../b", [], "GET", "read", "deny"],
] as const;
for (const [system, request, more, verb, effect, verdict] of CASES) {
  test(`${system} ${request} ${more.join(" ")}: ${verb}, ${verdict}`, async () => {
    const told = await explain(system, request, ...more);
    assert.deepEqual([told.system, told.verb, told.verdict], [system, verb, verdict]);
    assert.ok(told.effects.includes(effect), told.effects.join());
    assert.notEqual(told.summary, "");
    assert.notEqual(told.rule, "");
  });
}

test("what depends on a state is the strictest without it, and may be milder with it", async () => {
  const request = "POST /wp-json/wp/v2/posts/7";
  const blind = await explain("wordpress", request, "--data", '{"title":"a"}');
  assert.equal(blind.verb, "post.publish");
  assert.deepEqual(
    blind.lookups.map(({ name, known }) => [name, known]),
    [["current", false]],
  );
  const file = join(home.root, "post.json");
  writeFileSync(file, '{"id":7,"status":"draft"}');
  const seeing = await explain(
    "wordpress",
    request,
    "--data",
    '{"title":"a"}',
    "--fact",
    `current=@${file}`,
  );
  assert.deepEqual([seeing.verb, seeing.verdict], ["post.draft", "allow"]);
});

test("a body comes from a file or standard input, and only as what it is", async () => {
  const file = join(home.root, "body.json");
  writeFileSync(file, '{"status":"publish"}');
  const request = "POST /wp-json/wp/v2/posts";
  assert.equal((await explain("wordpress", request, "--data", `@${file}`)).verb, "post.publish");
  const line = ["explain", "--system", "wordpress", request, "--data", "@-"];
  assert.match(
    (await home.call(line, { input: '{"status":"draft"}' })).stdout,
    /verb +post\.draft/,
  );
  writeFileSync(file, Buffer.from([0xff, 0xfe]));
  const refused = await home.call([...line.slice(0, -1), `@${file}`]);
  assert.deepEqual([refused.code, /not text in UTF-8/.test(refused.stderr)], [125, true]);
});

const REFUSED = [
  [["explain", "--system", "wordpres", "GET /"], 125, /no system is called "wordpres"/],
  [["explain", "GET /"], 125, /no system is called ""/],
  [["explain", "--system", "http", "/"], 125, /'METHOD PATH'/],
  [["explain", "--system", "http", "GET /a b"], 125, /escaped as it is sent/],
  [["explain", "--system", "http", "GET /", "--fact", "current={"], 125, /--fact takes NAME=JSON/],
  [["explain", "--system", "http", "GET /", "--header", "x"], 125, /--header takes/],
  [["explain", "--system", "http", "GET /", "--data", "@/nowhere"], 125, /cannot read \/nowhere/],
  [["explain", "--system", "http"], 2, /usage/],
  [["catalog", "nothing"], 125, /no system is called "nothing"/],
] as const;
for (const [line, expected, message] of REFUSED) {
  test(`fault cli.usage, cli.data, cli.system: refused: ${line.join(" ")}`, async () => {
    const { code, stderr, stdout } = await home.call(line);
    assert.equal(code, expected);
    assert.match(stderr, message);
    assert.equal(stdout, "");
  });
}

test("the catalog lists every system with its verbs, and one in full", async () => {
  const { stdout } = await home.call(["catalog", "--json"]);
  const systems = JSON.parse(stdout) as {
    system: string;
    verbs: { verb: string; effects: string[] }[];
  }[];
  const blog = systems.find(({ system }) => system === "wordpress");
  assert.ok(
    blog?.verbs.some(({ verb, effects }) => verb === "post.publish" && effects.includes("publish")),
  );
  assert.ok(systems.every(({ verbs }) => verbs.length > 0));
  const one = await home.call(["catalog", "wordpress"]);
  assert.match(one.stdout, /post\.publish +\[publish/);
  assert.match(
    (await home.call(["catalog"])).stdout,
    /^wordpress +WordPress \(\d+ verbs\), at hosts that the grant names$/m,
  );
});
