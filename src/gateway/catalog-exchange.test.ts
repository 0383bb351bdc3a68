/** Requests to systems of the catalog: judged whole, by what they do, over state that is looked up. */
import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import { test, type TestContext } from "node:test";
import { ask, HOST, site, worldOf } from "./http-test-kit.ts";
import type { WorldOptions } from "./test-kit.ts";

const WRITES = `[{ verbs: ["*"], doing: [read, write, publish, delete] }]`;

/** A site that remembers what reached it, and says that entry N has the status of `states`. */
async function blog(
  t: TestContext,
  states: Readonly<Record<string, string>> = {},
  more: Partial<WorldOptions> & { allow?: string; system?: string } = {},
) {
  const reached: string[] = [];
  const server = site((request: IncomingMessage, response) => {
    let body = "";
    request.on("data", (chunk) => (body += String(chunk)));
    request.on("end", () => {
      reached.push(`${request.method} ${request.url} ${body}`.trim());
      const id = /\/posts\/(\d+)\?context=edit/.exec(request.url ?? "")?.[1];
      const status = id === undefined ? undefined : states[id];
      response.setHeader("content-type", "application/json");
      if (id !== undefined && status === undefined) response.statusCode = 404;
      response.end(JSON.stringify(status === undefined ? { ok: true } : { id, status }));
    });
  });
  const it = await worldOf(t, server, { system: "wordpress", allow: WRITES, ...more });
  return { it, reached };
}

const post = (path: string, json: object, more = "") => {
  const body = JSON.stringify(json);
  return `POST /wp-json/wp/v2${path} HTTP/1.1\r\n${HOST}Content-Type: application/json\r\n${more}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
};
const isOver = (text: string) => text.endsWith("}\n") || text.endsWith('{"ok":true}');

test("a draft is written, and the action says what it is", async (t) => {
  const { it, reached } = await blog(t);
  const said = await ask(it, post("/posts", { title: "A", status: "draft" }), isOver);
  assert.match(said, /^HTTP\/1.1 200 /);
  assert.deepEqual(reached, ['POST /wp-json/wp/v2/posts {"title":"A","status":"draft"}']);
  const [action] = it.actions;
  assert.deepEqual(
    [action?.kind, action?.system, action?.verb, action?.effects],
    ["wordpress", "a", "post.draft", ["write"]],
  );
  assert.deepEqual(action?.fields["body"], { title: "A", status: "draft" });
});

test("a publication is handed to a person whole, and nothing of it reaches the site", async (t) => {
  const { it, reached } = await blog(t);
  const said = await ask(it, post("/posts", { title: "A", status: "publish" }), isOver);
  assert.match(said, /^HTTP\/1.1 403 /);
  assert.match(said, /x-cofferdam: approval-pending/);
  assert.match(said, /"approval":"p-1"/);
  assert.deepEqual(reached, []);
  const [held] = it.held;
  assert.equal(held?.request.body?.toString(), '{"title":"A","status":"publish"}');
  assert.equal(held?.action.verb, "post.publish");
  const [denial] = it.denials;
  assert.equal(denial?.waits, true, "waiting is no attempt that counts for stickiness");
});

test("F1: a body that is chunked and longer than what streams is read whole before it is judged", async (t) => {
  const { it, reached } = await blog(t);
  const filler = "x".repeat(200_000);
  const body = JSON.stringify({ content: filler, status: "publish" });
  const chunks = (body.match(/.{1,60000}/gs) ?? []).map(
    (part) => `${part.length.toString(16)}\r\n${part}\r\n`,
  );
  const said = await ask(
    it,
    `POST /wp-json/wp/v2/posts HTTP/1.1\r\n${HOST}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n${chunks.join("")}0\r\n\r\n`,
    isOver,
  );
  assert.match(said, /approval-pending/);
  assert.equal(it.held[0]?.request.body?.length, body.length);
  assert.deepEqual(reached, []);
});

test("fault gateway.body_long: a body longer than may be stored is refused, and nothing of it reaches the site", async (t) => {
  const { it, reached } = await blog(t, {}, { limits: { spoolBytes: 100_000 } });
  const said = await ask(it, post("/posts", { content: "x".repeat(150_000), status: "draft" }));
  assert.match(said, /^HTTP\/1.1 413 /);
  assert.match(said, /http\.body_long/);
  assert.deepEqual(reached, []);
});

test("the state of what is edited is looked up: a live post's edit waits, a draft's goes", async (t) => {
  const { it, reached } = await blog(t, { 7: "publish", 8: "draft" });
  assert.match(await ask(it, post("/posts/7", { content: "b" }), isOver), /approval-pending/);
  assert.match(await ask(it, post("/posts/8", { content: "b" }), isOver), /^HTTP\/1.1 200/);
  assert.deepEqual(reached, [
    "GET /wp-json/wp/v2/posts/7?context=edit",
    "GET /wp-json/wp/v2/posts/8?context=edit",
    'POST /wp-json/wp/v2/posts/8 {"content":"b"}',
  ]);
  assert.deepEqual(it.held[0]?.request.facts, { current: { id: "7", status: "publish" } });
  const looks = it.actions.filter(({ summary }) => summary.startsWith("Look up"));
  assert.deepEqual(
    looks.map(({ verb, effects }) => [verb, effects]),
    [
      ["post.list", ["read"]],
      ["post.list", ["read"]],
    ],
    "each is on record, and makes nothing private",
  );
});

test("what cannot be looked up counts as the strictest", async (t) => {
  const { it } = await blog(t);
  assert.match(await ask(it, post("/posts/9", { content: "b" }), isOver), /approval-pending/);
  const blind = await blog(t, { 8: "draft" }, { allow: `[{ verbs: [post.draft, post.publish] }]` });
  assert.match(await ask(blind.it, post("/posts/8", { content: "b" }), isOver), /approval-pending/);
  assert.deepEqual(blind.reached, [], "a look-up that no rule grants is not made");
});

test("a token in the path reaches the system, and stands in nothing that is kept", async (t) => {
  const allow = `[{ verbs: ["*"], doing: [read, read-private] }]`;
  const { it, reached } = await blog(t, {}, { system: "telegram", allow });
  const get = (path: string) => ask(it, `GET ${path} HTTP/1.1\r\n${HOST}\r\n`, isOver);
  assert.match(await get("/bot1:s3cret/getMe"), /^HTTP\/1.1 200 /);
  assert.match(await get("/bot1:s3cret/SendMessage?chat_id=5"), /grants no message.send/);
  assert.match(await get("/bot1:s3cret/?method=sendMessage"), /grants no unknown/);
  assert.match(await get("/bot1:s3cret%2FsendMessage/getMe"), /grants no unknown/);
  assert.deepEqual(reached, ["GET /bot1:s3cret/getMe"]);
  assert.deepEqual(
    it.actions.map(({ target }) => target.replace(/^https?:\/\/[^/]+/, "")),
    ["/bot[hidden]/getMe", "/bot[hidden]/SendMessage", "/bot[hidden]/", "/bot[hidden]/getMe"],
  );
  assert.ok(!JSON.stringify([it.actions, it.denials]).includes("s3cret"));
});

const UNKNOWN = [
  ["a route that is none", post("/nothing", {})],
  [
    "two names of one body",
    post("/posts", {})
      .replace("{}", '{"status":"draft","status":"publish"}')
      .replace("Content-Length: 2", "Content-Length: 37"),
  ],
  ["a compressed body", post("/posts", { status: "draft" }, "Content-Encoding: gzip\r\n")],
  [
    "a body of another type",
    post("/posts", { status: "draft" }).replace("application/json", "text/plain"),
  ],
] as const;
for (const [what, request] of UNKNOWN) {
  test(`${what} is unknown, which no wildcard grants`, async (t) => {
    const { it, reached } = await blog(t, {}, { allow: `[{ verbs: ["*"] }]` });
    const said = await ask(it, request, isOver);
    assert.match(said, /^HTTP\/1.1 403 /);
    assert.match(said, /grants no unknown/);
    assert.deepEqual(reached, []);
  });
}

test("the answer to what was approved is the agent's, with what a person changed", async (t) => {
  const { it } = await blog(
    t,
    {},
    {
      hold: () =>
        Promise.resolve({
          kind: "answered",
          approval: "p-2",
          note: "title",
          answer: {
            status: 201,
            headers: ["content-type", "application/json"],
            body: Buffer.from('{"id":5}'),
            isCut: false,
          },
        }),
    },
  );
  const said = await ask(it, post("/posts", { status: "publish" }), (text) =>
    text.endsWith('{"id":5}'),
  );
  assert.match(said, /^HTTP\/1.1 201 /);
  assert.match(said, /x-cofferdam-approval: p-2\r\nx-cofferdam-edited: title/);
});

test("a denial by a person says why", async (t) => {
  const { it } = await blog(
    t,
    {},
    {
      hold: () => Promise.resolve({ kind: "denied", approval: "p-3", reason: "not this week" }),
    },
  );
  const said = await ask(it, post("/posts", { status: "publish" }), isOver);
  assert.match(said, /^HTTP\/1.1 403 /);
  assert.match(said, /not this week/);
  assert.equal(it.denials[0]?.waits, undefined);
});

test("a plain grant's request that waits is read whole as well, and stored as it is", async (t) => {
  const server = site((_, response) => response.end("gone"));
  const plain = await worldOf(t, server, {
    allow: `[{ methods: [POST], paths: ["/**"], effects: [send] }]`,
  });
  const said = await ask(
    plain,
    `POST /x HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n`,
    isOver,
  );
  assert.match(said, /approval-pending/);
  assert.equal(plain.held[0]?.request.body?.toString(), "abc");
  assert.notEqual(
    plain.held[0]?.action.digest,
    plain.actions[0]?.digest,
    "of all that will be sent",
  );
});
