/**
 * Every golden row of WordPress against a real one: the very request is sent by a user who may, and what it changed
 * is what the row says, no more, and no less unless a reason stands here.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import type { Effect } from "../../src/action/index.ts";
import { requestOf } from "../../src/catalog/golden-kit.ts";
import type { Golden } from "../../src/catalog/golden.ts";
import { GOLDENS } from "../../src/catalog/goldens.ts";
import { UNKNOWN_VERB } from "../../src/catalog/index.ts";
import { effectsBetween, type Moment } from "./changes.ts";
import { makeFixture, setFixture } from "./fixture.ts";
import { startWordPress, type Answer, type User, type WordPress } from "./kit.ts";

/** Rows, by their reason, that this site cannot show, and why. */
const NOT_HERE: Readonly<Record<string, string>> = {
  "a post behind a password": "the password is wrong",
  "a state of a plugin": "no plugin has registered one",
  "a state in a list": "refused as no text",
  "into the trash": "not by status, only by DELETE",
  "revisions have no trash": "WordPress 6.1 lets nobody delete one",
  "its picture": "needs a picture",
  "code on the server": "plugins come from wordpress.org",
  "a name with a slash": "that plugin is not installed",
  "a template's name holds two slashes": "the theme has none",
  "on every page": "the theme has none",
  "a plugin's own function": "since WordPress 6.9",
  "also where it says that it only reads": "since WordPress 6.9",
  "names of abilities": "since WordPress 6.9",
  "customers and their addresses": "no shop",
  "the customer gets mail of it": "no shop",
  "paid as it says": "no shop",
  "to the trash or for good": "no shop",
  "the gateway gives the money back unless told not to": "no shop",
  "money off for all who know the code": "no shop",
};
/** Rows, by their reason, that are stricter than what happens here, and why. */
const STRICTER: Readonly<Record<string, string>> = {
  "public later": "nothing shows yet",
  "another time for what is scheduled": "nothing shows yet",
  "a draft is scheduled": "nothing shows yet",
  "what is scheduled waits no more": "nothing shows yet",
  "private is not a draft": "editors alone see it",
  "query and body differ: the stricter": "the body wins here",
  "PHP's names of a parameter": "the body wins here",
  "off the site": "publishing is also what takes off",
  "files have no trash": "publishing is also what takes off",
  "off the page": "publishing is also what takes off",
  "terms have no trash": "publishing is also what takes off",
  "the author gets mail": "not by this API in 6.1; plugins and notes of 6.9 send it",
  "a new account, told by mail": "plugins send it",
  "a menu": "it shows nowhere until it has a place",
  "posts, users and options by another door": "an empty call; the test below makes one",
};
/** Rows, by their reason, whose answers differ in what is not private. */
const DIFFERS: Readonly<Record<string, string>> = {
  "the index of the API": "a link to the theme",
  "its own pages": "a random number each time",
};

/** Seen in what changes; code that runs and money that is spent are not. */
const SEEN: ReadonlySet<Effect> = new Set(["publish", "delete", "administer", "send", "write"]);

let site: WordPress;
let fetches = 0;
const EMBED = JSON.stringify({
  ...{ version: "1.0", type: "rich", width: 1, height: 1 },
  html: '<iframe src="https://x.example/"></iframe>',
});
const outside = createServer((request, response) => {
  fetches += 1;
  const isEmbed = request.url?.startsWith("/o") === true;
  response.setHeader("content-type", isEmbed ? "application/json" : "text/html");
  const link = `<link rel="alternate" type="application/json+oembed" href="http://${request.headers.host}/o">`;
  response.end(isEmbed ? EMBED : `<head><title>outside</title>${link}</head>`);
});

before(async () => {
  outside.listen(0, "127.0.0.1");
  await once(outside, "listening");
  site = await startWordPress();
  await makeFixture(site);
});
after(async () => {
  await site.close();
  outside.close();
});

const ROWS = GOLDENS.get("wordpress") ?? [];
for (const row of ROWS.filter(({ verb }) => verb !== UNKNOWN_VERB)) {
  test(`${row.request} ${said(row)}: ${row.effects.join(", ")}: ${row.why}`, async () => {
    await setFixture(site, row);
    const then = await moment();
    const answer = await sendAs(row, site.editor, site.admin);
    const seen = effectsBetween(then, await moment());
    assert.equal(
      answer.status >= 400,
      row.why in NOT_HERE,
      `answered ${answer.status} ${answer.text}`,
    );
    for (const effect of seen) assert.ok(isSaid(row, effect), `it also did: ${effect}`);
    if (row.why in NOT_HERE) return;
    const unseen = row.effects.filter((effect) => SEEN.has(effect) && !seen.has(effect));
    if (!(row.why in STRICTER)) assert.deepEqual(unseen, [], "said, and not done");
    if (row.effects.join() !== "read" || row.why in DIFFERS) return;
    const everybody = await send(row);
    assert.deepEqual(answer, everybody, "what is only `read` is what everybody gets");
  });
}

/** Of what is refused as unknown, by its reason: what it does that a laxer reading would not have said. */
const REFUSED: Readonly<Record<string, Effect>> = {
  "a number in the body is taken, not the path's": "publish",
  "a number in the query is taken, not the path's": "publish",
  "a number in a form is taken, not the path's": "publish",
  "another one is deleted than the path says": "delete",
  "a child's number in its body is taken, not its path's": "publish",
  "a child's method is not overridden: this one publishes": "publish",
  "CGI makes the same header of it": "delete",
  "PHP makes the same header of it": "delete",
  "a second media type in the first one's shadow": "publish",
  "two media types in one header": "publish",
  "PHP makes a route of it, beside a route": "administer",
  "a route in a form, beside a route": "administer",
};

for (const [why, effect] of Object.entries(REFUSED)) {
  test(`what is refused as unknown does: ${effect}: ${why}`, async () => {
    const row = ROWS.find((one) => one.why === why);
    assert.equal(row?.verb, UNKNOWN_VERB);
    await setFixture(site, row);
    const then = await moment();
    await send(row, site.editor);
    const seen = effectsBetween(then, await moment());
    assert.ok(seen.has(effect), `it did: ${[...seen].join(", ")}`);
  });
}

test("a draft is shown to nobody, what is published to everybody", async () => {
  await site.restore();
  const post = async (status: string) => {
    const headers = { "content-type": "application/json" };
    const body = JSON.stringify({ title: `seen ${status}`, status });
    const answer = await site.ask("/wp-json/wp/v2/posts", {
      ...{ method: "POST", as: site.editor, headers, body },
    });
    return (JSON.parse(answer.text) as { readonly id: number }).id;
  };
  const [draft, published] = [await post("draft"), await post("publish")];
  const { text } = await site.anonymousGet("/");
  assert.match(text, /seen publish/);
  assert.doesNotMatch(text, /seen draft/);
  assert.equal((await site.anonymousGet(`/wp-json/wp/v2/posts/${published}`)).status, 200);
  assert.equal((await site.anonymousGet(`/wp-json/wp/v2/posts/${draft}`)).status, 401);
});

test("XML-RPC publishes with an application password, which stands in its body", async () => {
  await site.restore();
  const then = await moment();
  const { user, applicationPassword } = site.editor;
  const value = (text: string) => `<param><value>${text}</value></param>`;
  const post = ["post_title", "post_status"].map(
    (name) => `<member><name>${name}</name><value>publish</value></member>`,
  );
  const body = `<methodCall><methodName>wp.newPost</methodName><params>${["1", user, applicationPassword, `<struct>${post.join("")}</struct>`].map(value).join("")}</params></methodCall>`;
  await site.ask("/xmlrpc.php", { method: "POST", headers: { "content-type": "text/xml" }, body });
  assert.ok(effectsBetween(then, await moment()).has("publish"));
});

test("every exception names a row", () => {
  const reasons = new Set(ROWS.map(({ why }) => why));
  const named = [NOT_HERE, STRICTER, DIFFERS, REFUSED].flatMap((list) => Object.keys(list));
  assert.deepEqual(
    named.filter((why) => !reasons.has(why)),
    [],
  );
});

function said({ json, form, raw, facts }: Golden): string {
  return [json && JSON.stringify(json), form, raw?.text, facts && JSON.stringify(facts)]
    .filter((text) => text !== undefined)
    .join(" ");
}

/** Writing is in all that changes something. */
function isSaid({ effects }: Golden, effect: Effect): boolean {
  return effects.includes(effect) || (effect === "write" && effects.some((one) => SEEN.has(one)));
}

async function moment(): Promise<Moment> {
  return { tables: await site.tables(), mailChars: site.mail().length, fetches };
}

/** By the first of them who may. */
async function sendAs(row: Golden, ...users: readonly User[]): Promise<Answer> {
  let answer: Answer = { status: 0, text: "" };
  for (const as of users) {
    answer = await send(row, as);
    if (answer.status !== 401 && answer.status !== 403) break;
  }
  return answer;
}

function send(row: Golden, as?: User): Promise<Answer> {
  const { method, path, query, headers, body } = requestOf(row);
  const type = headers["content-type"]?.toString();
  const { port } = outside.address() as AddressInfo;
  const target = query === "" ? path : `${path}?${query}`;
  const places = [
    ["https://evil.example", `http://127.0.0.1:${port}`],
    ["https://site.example/a", `${site.origin}/?p=7`],
  ] as const;
  const here = places.reduce((text, [name, place]) => text.replace(name, place), target);
  return site.ask(here, {
    method,
    // The media type first: where CGI makes two headers one, the later is the one that counts.
    headers: { ...(type && { "content-type": type }), ...(headers as Record<string, string>) },
    ...(as && { as }),
    ...(body && { body: Buffer.from(body).toString() }),
  });
}
