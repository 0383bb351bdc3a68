/** The engine by an entry made for it: what is doubled, missing, odd or not understood counts as the strictest. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Json } from "../action/index.ts";
import { entrySchema, lookupsOf, describeRequest, type CatalogRequest } from "./index.ts";

const entry = entrySchema.parse({
  system: "made-up",
  title: "Made-up",
  docs: ["https://made-up.example/"],
  base: ["/api", "/v2/api"],
  credential: [
    { in: "path", after: "/bot" },
    { in: "path", after: "/hooks/{id}/" },
  ],
  unknown: ["administer"],
  escaped_slash: ["team"],
  refuse: ["param.act_as", "header.x-act-as", "param.token"],
  routes: [
    { verb: "post.list", request: "GET /posts", effects: ["read"], summary: "List" },
    {
      verb: "post.publish",
      request: ["POST /posts", "PUT /posts/{id:\\d+}/copy"],
      effects: ["publish"],
      summary: "Publish {param.title}",
      body: ["none", "json", "form", "multipart"],
      cases: [
        { when: { "param.status": { only: ["draft"] } }, verb: "post.draft", effects: ["write"] },
        { when: { "param.status": { absent: true } }, verb: "post.draft", effects: ["write"] },
      ],
    },
    {
      verb: "post.change",
      request: "PATCH /posts/{id:\\d+}",
      effects: ["publish"],
      summary: "Change",
      lookup: { current: "/posts/{path.id}" },
      cases: [
        { when: { "current.live": { absent: true } }, effects: ["write"] },
        { when: { "current.live": { only: [false] } }, effects: ["write"] },
      ],
    },
    {
      verb: "team.tell",
      request: "POST /teams/{team}/posts/{post}",
      effects: ["send"],
      summary: "Tell",
      cases: [{ when: { "path.post": { only: ["x"] } }, verb: "team.note", effects: ["write"] }],
    },
    {
      verb: "team.leave",
      request: "POST /teams/a/posts/b/leave",
      effects: ["delete"],
      summary: "Leave",
    },
    {
      verb: "hook.call",
      request: ["POST /hooks/{id}/{key}/{part}", "POST /bot{key}/call"],
      root: true,
      effects: ["send"],
      summary: "Call",
    },
    { verb: "file.read", request: "GET /files/{path...}", effects: ["read"], summary: "Read" },
    {
      verb: "several",
      request: "POST /several",
      effects: ["write"],
      summary: "Do several things",
      children: { items: "body.calls", max: 3 },
    },
  ],
});

interface Asked {
  readonly headers?: CatalogRequest["headers"];
  readonly json?: Json;
  readonly form?: string;
  readonly facts?: Record<string, Json>;
  readonly readings?: readonly (readonly string[])[];
}

function requestOf(line: string, { headers, json, form, readings }: Asked): CatalogRequest {
  const [, method = "", path = "", query = ""] = /^(\S+) ([^?]*)\??(.*)$/.exec(line) ?? [];
  const type = json === undefined ? "application/x-www-form-urlencoded" : "application/json";
  const text = json === undefined ? form : JSON.stringify(json);
  return {
    method,
    scheme: "https",
    host: "made-up.example",
    port: 443,
    path,
    query,
    headers: { ...(text === undefined ? {} : { "content-type": type }), ...headers },
    readings: readings ?? [path.slice(1).split("/")],
    ...(text === undefined ? {} : { body: Buffer.from(text) }),
  };
}

const describe = (line: string, asked: Asked) =>
  describeRequest(entry, requestOf(line, asked), asked.facts);

/** A path with escaped slashes, as servers read it that part before they decode and that part after. */
const parted = (segments: readonly string[]) => [
  segments,
  segments.flatMap((segment) => segment.split("/")),
];

const draft = { path: "/posts", body: { status: "draft" } };
const ROWS: readonly (readonly [string, Asked, string, readonly string[], string])[] = [
  ["GET /api/posts", {}, "post.list", ["read"], "a route"],
  ["GET /v2/api/posts", {}, "post.list", ["read"], "by the second base"],
  ["GET /posts", {}, "unknown", ["administer"], "without a base"],
  ["GET /api/posts/", {}, "unknown", ["administer"], "a slash behind"],
  ["GET /API/posts", {}, "unknown", ["administer"], "in another case"],
  ["HEAD /api/posts", {}, "unknown", ["administer"], "a method that is not listed"],
  ["get /api/posts", {}, "unknown", ["administer"], "a method in small letters"],
  ["GET /api/posts", { json: {} }, "unknown", ["administer"], "a GET with a body"],
  ["PUT /api/posts/7/copy", {}, "post.draft", ["write"], "the second form of a route"],
  ["PUT /api/posts/7a/copy", {}, "unknown", ["administer"], "an expression matches whole"],
  ["PUT /api/posts/7\n/copy", {}, "unknown", ["administer"], "and no line end"],
  ["GET /api/files/a/b/c", {}, "file.read", ["read"], "the rest of a path"],
  ["GET /api/files", {}, "unknown", ["administer"], "a rest of nothing"],
  ["POST /api/posts", { json: { status: "draft" } }, "post.draft", ["write"], "as it should be"],
  ["POST /api/posts", { json: {} }, "post.draft", ["write"], "absent is a draft here"],
  ["POST /api/posts", { json: { status: "x" } }, "post.publish", ["publish"], "an odd value"],
  ["POST /api/posts", { json: { status: null } }, "post.publish", ["publish"], "null"],
  ["POST /api/posts", { json: { status: ["draft"] } }, "post.publish", ["publish"], "a list"],
  ["POST /api/posts", { json: [{ status: "publish" }] }, "post.publish", ["publish"], "several"],
  ["POST /api/posts", { json: "status" }, "post.publish", ["publish"], "a text for an object"],
  ["POST /api/posts", { form: "status=draft" }, "post.draft", ["write"], "a form"],
  ["POST /api/posts", { form: "status=draft&status=x" }, "post.publish", ["publish"], "doubled"],
  ["POST /api/posts", { form: "status[a]=x" }, "post.publish", ["publish"], "a member"],
  [
    "POST /api/posts?status=publish",
    { json: { status: "draft" } },
    "post.publish",
    ["publish"],
    "query and body differ",
  ],
  [
    "POST /api/posts",
    { form: "{}", headers: { "content-type": "text/plain" } },
    "unknown",
    ["administer"],
    "a form of body that the route does not take",
  ],
  [
    "POST /api/posts",
    { json: {}, headers: { "content-encoding": "gzip" } },
    "unknown",
    ["administer"],
    "a body in an encoding",
  ],
  [
    "GET /api/posts",
    { readings: [["api", "posts"], ["api"]] },
    "unknown",
    ["administer"],
    "two ways to read the path, of which one is unknown",
  ],
  [
    "GET /api/files/a",
    {
      readings: [
        ["api", "files", "a"],
        ["api", "posts"],
      ],
    },
    "unknown",
    ["administer"],
    "two ways to read the path that are two routes",
  ],
  ["GET /api/posts", { readings: [] }, "unknown", ["administer"], "no way to read the path"],
  [
    "POST /api/teams/a%2Fb/posts/1",
    { readings: parted(["api", "teams", "a/b", "posts", "1"]) },
    "team.tell",
    ["send"],
    "a part that may hold a slash",
  ],
  [
    "POST /api/teams/a/posts/1%2F2",
    { readings: parted(["api", "teams", "a", "posts", "1/2"]) },
    "unknown",
    ["administer"],
    "a part that may hold none",
  ],
  [
    "POST /api/teams/a%2Fposts%2Fb/posts/leave",
    {
      readings: [
        ["api", "teams", "a/posts/b", "posts", "leave"],
        ["api", "teams", "a", "posts", "b", "leave"],
      ],
    },
    "unknown",
    ["administer"],
    "parted it is another route",
  ],
  [
    "POST /api/teams/a/posts%2F1",
    { readings: parted(["api", "teams", "a", "posts/1"]) },
    "unknown",
    ["administer"],
    "only parted it is a route",
  ],
  [
    "POST /api/teams/a/posts/x%3Fy",
    {
      readings: [
        ["api", "teams", "a", "posts", "x?y"],
        ["api", "teams", "a", "posts", "x"],
      ],
    },
    "unknown",
    ["administer"],
    "two ways to read the path of which one is milder",
  ],
  ["POST /api/posts?act_as=1", { json: {} }, "unknown", ["administer"], "a refused parameter"],
  ["POST /api/posts", { json: { act_as: null } }, "unknown", ["administer"], "and in a body"],
  ["POST /api/posts", { form: "act_as[a]=1" }, "unknown", ["administer"], "and a member of it"],
  [
    "POST /api/posts",
    { json: {}, headers: { "x-act-as": "root" } },
    "unknown",
    ["administer"],
    "a refused header",
  ],
  [
    "PATCH /api/posts/7",
    { facts: { current: { live: false } } },
    "post.change",
    ["write"],
    "known",
  ],
  ["PATCH /api/posts/7", { facts: { current: {} } }, "post.change", ["write"], "known as absent"],
  ["PATCH /api/posts/7", { facts: { current: { live: 1 } } }, "post.change", ["publish"], "live"],
  ["PATCH /api/posts/7", {}, "post.change", ["publish"], "what was not looked up is not absent"],
  ["PATCH /api/posts/7", { facts: { other: {} } }, "post.change", ["publish"], "another look-up"],
  ["GET /api/posts?token=a", {}, "unknown", ["administer"], "a credential of its own"],
  ["GET /api/posts?token", {}, "unknown", ["administer"], "an empty one"],
  ["POST /api/posts", { form: "a=1&token[]=a" }, "unknown", ["administer"], "one in a form"],
  ["POST /api/posts", { json: { token: 1 } }, "unknown", ["administer"], "one in JSON"],
  ["GET /api/posts?tokens=a", {}, "post.list", ["read"], "another name"],
  ["POST /api/several", { json: { calls: [draft] } }, "several", ["write"], "one within"],
  [
    "POST /api/several",
    { json: { calls: [{ path: "/posts", body: { status: "draft", token: "a" } }] } },
    "unknown",
    ["administer"],
    "a credential of its own within",
  ],
  [
    "POST /api/several",
    { json: { calls: [draft, { path: "/posts", body: { status: "publish" } }] } },
    "several",
    ["write", "publish"],
    "the strictest within",
  ],
  ["POST /api/several", { json: { calls: [] } }, "unknown", ["administer"], "none within"],
  ["POST /api/several", { json: {} }, "unknown", ["administer"], "nothing within"],
  [
    "POST /api/several",
    { json: { calls: [draft, draft, draft, draft] } },
    "unknown",
    ["administer"],
    "more than it may hold",
  ],
  [
    "POST /api/several",
    { json: { calls: [draft, { path: "/nothing" }] } },
    "unknown",
    ["administer"],
    "one within is unknown, so all of it is",
  ],
  [
    "POST /api/several",
    { json: { calls: [{ path: "/several", body: { calls: [draft] } }] } },
    "unknown",
    ["administer"],
    "several within several",
  ],
  ...["/posts/../admin", "//posts", "/./posts", "/posts%2f", "posts", "/posts#a"].map(
    (path) =>
      [
        "POST /api/several",
        { json: { calls: [{ path }] } },
        "unknown",
        ["administer"],
        `a path within that servers read differently: ${path}`,
      ] as const,
  ),
];
for (const [line, asked, verb, effects, why] of ROWS) {
  test(`${JSON.stringify(line)} is ${verb} (${effects.join(", ")}): ${why}`, () => {
    const described = describe(line, asked);
    assert.deepEqual([described.verb, [...described.effects]], [verb, [...effects]]);
  });
}

const HIDDEN = [
  // path, as shown, why
  ["/hooks/1/s3cret/x", "/hooks/1/[hidden]/x", "behind a part of any name"],
  ["/hooks/1/s3%2Fcret/x", "/hooks/1/[hidden]/x", "escaped"],
  ["/ho%6Fks/1/s3cret/x", "/ho%6Fks/1/[hidden]/x", "behind a name that is escaped"],
  ["/hooks/1/s3cret", "/hooks/1/[hidden]", "where no route fits"],
  ["/bots3cret/call", "/bot[hidden]/call", "behind the start of its own part"],
  ["/%62ots3cret/other", "/bot[hidden]/other", "escaped, and where no route fits"],
  ["/a/hooks/1/s3cret/x", "/a/hooks/1/[hidden]/x", "below another folder"],
  ["/hooks/1", "/hooks/1", "there is none"],
  ["/bot/call", "/bot/call", "there is none in that part"],
] as const;
for (const [path, shown, why] of HIDDEN) {
  test(`a credential in ${path} is not shown: ${why}`, () => {
    const { target, summary, fields } = describe(`POST ${path}`, {});
    assert.equal(target, `https://made-up.example${shown}`);
    assert.equal(fields["path"], shown);
    assert.ok(!JSON.stringify([summary, fields]).includes("cret"));
  });
}

test("the parts of several are told one by one", () => {
  const { parts } = describe("POST /api/several", {
    json: { calls: [draft, { path: "/posts", body: { status: "x" } }] },
  });
  assert.deepEqual(parts, [
    { verb: "post.draft", effects: ["write"] },
    { verb: "post.publish", effects: ["publish"] },
  ]);
});

test("a look-up is below the base that the request came by, with its holes escaped", () => {
  const request = requestOf("PATCH /v2/api/posts/7", {});
  assert.deepEqual(lookupsOf(entry, request), [{ name: "current", target: "/v2/api/posts/7" }]);
});

test("what opens a WebSocket is unknown", () => {
  const request = { ...requestOf("GET /api/posts", {}), upgrade: "websocket" } as const;
  assert.equal(describeRequest(entry, request).verb, "unknown");
});
