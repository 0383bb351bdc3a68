/**
 * What the catalog says of scheduled posts, against a real WordPress: taking effect changes nothing that is
 * compared, an editor's change does, and what stops it stops it.
 */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Json } from "../../src/action/index.ts";
import {
  ANSWER,
  findEntry,
  laterOf,
  type CatalogRequest,
  type Later,
  type LaterState,
} from "../../src/catalog/index.ts";
import { startWordPress, type WordPress } from "./kit.ts";

const POSTS = "/wp-json/wp/v2/posts";
const HEADERS = { "content-type": "application/json" };
let site: WordPress;

before(async () => {
  site = await startWordPress();
});
after(() => site.close());

interface Scheduled {
  readonly id: number;
  readonly later: Later;
  read(): Promise<LaterState>;
}

/** A post for a time that is `aheadMs` away, and how it is seen. */
async function schedule(aheadMs: number): Promise<Scheduled> {
  const at = new Date(Date.now() + aheadMs).toISOString().slice(0, 19);
  const body = JSON.stringify({ title: "News", content: "All", status: "future", date_gmt: at });
  const answer = await site.ask(POSTS, { method: "POST", as: site.editor, headers: HEADERS, body });
  assert.equal(answer.status, 201, answer.text);
  const request: CatalogRequest = {
    ...{ method: "POST", scheme: "http", host: "x", port: 80, path: POSTS, query: "" },
    readings: [POSTS.slice(1).split("/")],
    headers: HEADERS,
    body: Buffer.from(body),
  };
  const entry = findEntry("wordpress");
  const later = entry && laterOf(entry, request);
  assert.ok(later !== undefined);
  const part = later.answerOf(JSON.parse(answer.text) as Json);
  const { id } = part as { readonly id: number };
  return {
    id,
    later,
    async read() {
      const facts = { [ANSWER]: part };
      const target = later.target("entry", facts);
      assert.ok(typeof target === "string");
      const { status, text } = await site.ask(target, { as: site.editor });
      assert.equal(status, 200, text);
      const state = later.state({ ...facts, entry: JSON.parse(text) as Json });
      assert.ok(state !== undefined);
      assert.equal(state.at?.slice(0, 19), at, "its time is read");
      return state;
    },
  };
}

/** WordPress publishes at once what is less than a minute away; it may be slow to hear of it. */
const AHEAD_MS = 75_000;

test("published by its time nothing compared has changed; what was stopped stays a draft", async () => {
  const [published, stopped] = [await schedule(AHEAD_MS), await schedule(AHEAD_MS)];
  const state = await published.read();
  assert.deepEqual([state.waits, state.isWithdrawn], [true, false]);
  for (const name of ["title.raw", "content.raw", "date_gmt", "slug", "categories", "author"]) {
    assert.ok(state.values[`entry.${name}`], `${name} is compared`);
  }
  const [stop] = stopped.later.stops({ [ANSWER]: { id: stopped.id } });
  assert.ok(stop?.content !== undefined);
  const { method, target, content } = stop;
  const headers = { "content-type": content.type };
  const sent = { method, as: site.editor, headers, body: content.text };
  assert.equal((await site.ask(target, sent)).status, 200);
  let now = state;
  for (const end = Date.now() + 2 * AHEAD_MS; now.waits && Date.now() < end;) {
    await new Promise((resolve) => setTimeout(resolve, 1000));
    await site.ask("/cron.php");
    now = await published.read();
  }
  assert.deepEqual([now.waits, now.isWithdrawn], [false, false], "it is published");
  assert.deepEqual(now.values, state.values);
  const draft = await stopped.read();
  assert.deepEqual([draft.waits, draft.isWithdrawn], [false, true]);
});

const CHANGES = [{ title: "Scam" }, { content: "Scam" }, { slug: "scam" }, { excerpt: "x" }];
for (const change of [...CHANGES, { date_gmt: "2033-01-01T00:00:00" }, { password: "p" }]) {
  test(`an editor's change shows: ${JSON.stringify(change)}`, async () => {
    const { id, read } = await schedule(3_600_000);
    const state = await read();
    const body = JSON.stringify(change);
    const to = { method: "POST", as: site.admin, headers: HEADERS, body };
    assert.equal((await site.ask(`${POSTS}/${id}`, to)).status, 200);
    const now = "date_gmt" in change ? undefined : await read();
    if (now !== undefined) assert.notDeepEqual(now.values, state.values);
    else await assert.rejects(read(), /its time is read/);
  });
}
