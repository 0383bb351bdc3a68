import assert from "node:assert/strict";
import { test } from "node:test";
import { HOLE, type Route } from "./entry.ts";
import {
  allEntries,
  ANSWER,
  describeRequest,
  entrySchema,
  findEntry,
  flawsOf,
  laterOf,
  UNKNOWN_VERB,
  type CatalogRequest,
  type Entry,
  type EntrySource,
  type Facts,
} from "./index.ts";
import { instantOf } from "./describe.ts";

function request(method: string, path: string, json?: object): CatalogRequest {
  return {
    ...{ method, scheme: "https", host: "x.example", port: 443, path, query: "" },
    readings: [path.slice(1).split("/")],
    headers: json === undefined ? {} : { "content-type": "application/json" },
    ...(json === undefined ? {} : { body: Buffer.from(JSON.stringify(json)) }),
  };
}

function known(system: string): Entry {
  const entry = findEntry(system);
  assert.ok(entry !== undefined);
  return entry;
}

function laterAt(system: string, one: CatalogRequest) {
  const later = laterOf(known(system), one);
  assert.ok(later !== undefined);
  return later;
}

test("a scheduled post is found by its answer, of which nothing else is kept", () => {
  const later = laterAt("wordpress", request("POST", "/wp-json/wp/v2/posts", { title: "A" }));
  const answer = later.answerOf({ id: 17, content: { raw: "all of it" } });
  assert.deepEqual(answer, { id: 17 });
  const facts: Facts = { [ANSWER]: answer };
  assert.equal(later.target("entry", facts), "/wp-json/wp/v2/posts/17?context=edit");
  assert.deepEqual(later.stops(facts), [
    {
      method: "POST",
      target: "/wp-json/wp/v2/posts/17",
      content: { type: "application/json", text: '{"status":"draft"}' },
    },
  ]);
  const post = {
    title: { raw: "A" },
    status: "future",
    date_gmt: "2027-01-01T08:00:00",
    slug: "a",
  };
  const state = later.state({ ...facts, entry: post });
  assert.deepEqual(
    [state?.waits, state?.isWithdrawn, state?.at, state?.standing],
    [true, false, "2027-01-01T08:00:00.000Z", "entry.status: future"],
  );
  const published = later.state({ ...facts, entry: { ...post, status: "publish", modified: "x" } });
  assert.equal(published?.waits, false);
  assert.deepEqual(published?.values, state?.values, "taking effect is no change");
  for (const change of [
    { title: { raw: "B" } },
    { date_gmt: "2027-01-01T08:00:01" },
    { slug: "b" },
    { password: "p" },
  ]) {
    const changed = later.state({ ...facts, entry: { ...post, ...change } });
    assert.notDeepEqual(changed?.values, state?.values, JSON.stringify(change));
  }
});

for (const id of ["", ".", "..", undefined, ["1", "2"]]) {
  test(`an answer that says ${JSON.stringify(id)} leads nowhere`, () => {
    const later = laterAt("wordpress", request("POST", "/wp-json/wp/v2/posts", { title: "A" }));
    const facts = { [ANSWER]: id === undefined ? {} : { id } } as Facts;
    const target = later.target("entry", facts);
    // A list is one value, as its JSON; it names nothing there, and stays in its segment.
    if (Array.isArray(id)) assert.doesNotMatch(target ?? "", /posts\/[^?]*\//);
    else assert.equal(target, undefined);
    if (!Array.isArray(id)) assert.deepEqual(later.stops(facts), []);
  });
}

test("a path cannot be left by what an answer says", () => {
  const later = laterAt("wordpress", request("POST", "/wp-json/wp/v2/posts", { title: "A" }));
  const target = later.target("entry", { [ANSWER]: { id: "../../users/1?x=" } });
  assert.equal(target, "/wp-json/wp/v2/posts/..%2F..%2Fusers%2F1%3Fx%3D?context=edit");
});

test("a campaign is compared with its lists and its template, which there may be none of", () => {
  const later = laterAt(
    "listmonk",
    request("PUT", "/api/campaigns/3/status", { status: "scheduled" }),
  );
  const data = {
    status: "scheduled",
    subject: "News",
    body: "b",
    send_at: "2027-01-01T08:00:00Z",
    template_id: 2,
    lists: [{ id: 1 }, { id: 4 }],
  };
  const campaign = (change: object) => ({ campaign: { data: { ...data, ...change } } });
  const template = { template: { data: { body: "t" } } };
  assert.equal(later.target("template", campaign({})), "/api/templates/2");
  assert.equal(later.target("template", campaign({ template_id: null })), null);
  assert.equal(later.target("template", {}), null, "not before the campaign was read");
  const before = later.state({ ...campaign({}), ...template });
  assert.ok(before?.waits === true && before.at === "2027-01-01T08:00:00.000Z");
  const same = later.state({
    ...campaign({ status: "running", lists: [{ id: 4 }, { id: 1 }] }),
    ...template,
  });
  assert.deepEqual(same?.values, before.values, "in another order, and on its way");
  const changes = [
    { lists: [{ id: 1 }] },
    { subject: "x" },
    { body: "x" },
    { send_at: null },
    { template_id: 3 },
    { headers: [{ Bcc: "x" }] },
  ];
  for (const change of changes) {
    const after = later.state({ ...campaign(change), ...template });
    assert.notDeepEqual(after?.values, before.values, JSON.stringify(change));
  }
  const other = later.state({ ...campaign({}), template: { data: { body: "x" } } });
  assert.notDeepEqual(other?.values, before.values, "its template says another thing");
  assert.deepEqual(
    later.stops({}).map(({ method, target, content }) => `${method} ${target} ${content?.text}`),
    [
      'PUT /api/campaigns/3/status {"status":"draft"}',
      'PUT /api/campaigns/3/status {"status":"paused"}',
    ],
  );
});

test("what answers with nothing that is compared has not answered", () => {
  const later = laterAt(
    "listmonk",
    request("PUT", "/api/campaigns/3/status", { status: "scheduled" }),
  );
  assert.equal(later.state({ campaign: { message: "error" } }), undefined);
  assert.equal(later.state({ campaign: { data: { status: "scheduled" } } }), undefined);
});

test("a form is sent as one", () => {
  const form = Buffer.from("To=%2B15550100&Body=Hi");
  const path = "/2010-04-01/Accounts/AC1/Messages.json";
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  const later = laterAt("twilio", { ...request("POST", path), headers, body: form });
  const [stop] = later.stops({ [ANSWER]: { sid: "SM1" } });
  assert.equal(stop?.target, "/2010-04-01/Accounts/AC1/Messages/SM1.json");
  assert.deepEqual(stop?.content, { type: headers["content-type"], text: "Status=canceled" });
});

/** Every route that is watched, with paths for it in which names stand for themselves. */
const WATCHED = [...allEntries()].flatMap(([system, entry]) =>
  entry.routes.flatMap((route) =>
    route.later === undefined ? [] : [[system, entry, route, route.later] as const],
  ),
);

test("what is watched is found where its systems schedule", () => {
  const systems = new Set(WATCHED.map(([system]) => system));
  assert.deepEqual([...systems].sort(), ["listmonk", "resend", "sendgrid", "twilio", "wordpress"]);
});

for (const [system, entry, { verb }, later] of WATCHED) {
  test(`${system}: ${verb}: what reads and what stops it are requests that the entry knows, and stopping reaches nobody`, () => {
    const fill = (text: string) =>
      text.replaceAll(HOLE, (_, reference: string) => (reference === "path.kind" ? "posts" : "7"));
    const describe = (method: string, target: string, body?: { type: string; text: string }) => {
      const [path = "", query = ""] = `${entry.base[0] ?? ""}${fill(target)}`.split("?");
      return describeRequest(entry, {
        ...request(method, path),
        query,
        ...(body && { headers: { "content-type": body.type }, body: Buffer.from(body.text) }),
      });
    };
    for (const target of Object.values(later.read)) {
      const { verb: read, effects } = describe("GET", target);
      assert.notEqual(read, UNKNOWN_VERB, target);
      assert.ok(
        effects.every((effect) => effect.startsWith("read")),
        target,
      );
    }
    for (const { request: form, json, form: pairs } of later.stop) {
      const [method = "", target = ""] = form.split(" ");
      const body =
        json === undefined
          ? pairs && {
              type: "application/x-www-form-urlencoded",
              text: String(new URLSearchParams(pairs)),
            }
          : { type: "application/json", text: JSON.stringify(json) };
      const { verb: stop, effects } = describe(method, target, body);
      assert.notEqual(stop, UNKNOWN_VERB, form);
      assert.ok(
        !effects.some((effect) => ["send", "spend", "execute", "administer"].includes(effect)),
        form,
      );
    }
  });
}

const SOURCE: EntrySource = {
  ...{ system: "made-up", title: "Made-up", docs: ["https://made-up.example/"] },
  unknown: ["administer"],
  routes: [],
};
const RULE: NonNullable<Route["later"]> = {
  read: { one: "/things/{path.id}", two: "/parts/{one.part}" },
  waits: { "one.state": { only: ["waits"] } },
  compare: ["one.text", "two.text"],
  stop: [{ request: "DELETE /things/{path.id}/schedule" }],
};

/** A rule's change, and what is said of it; nothing where it is right. */
const FLAWS: readonly (readonly [string, Partial<typeof RULE>, RegExp | undefined])[] = [
  ["as it should be", {}, undefined],
  ["by its answer", { read: { one: "/things/{answer.id}" }, compare: ["one.text"] }, undefined],
  [
    "a read of what is read after it",
    { read: { two: "/p/{one.part}", one: "/t/{path.id}" } },
    /refers to one.part/,
  ],
  [
    "a look-up, which is not made again",
    { read: { one: "/t/{current.id}" }, compare: ["one.x"] },
    /current.id/,
  ],
  [
    "a name that is not in the path",
    { read: { one: "/t/{path.no}" }, compare: ["one.x"] },
    /path.no/,
  ],
  [
    "a name that is taken",
    { read: { answer: "/t" }, waits: { "answer.x": { present: true } }, compare: ["answer.x"] },
    /has the name/,
  ],
  ["compares the request, which does not change", { compare: ["body.text"] }, /body.text/],
  ["stops by what could not be read", { stop: [{ request: "DELETE /things/{one.id}" }] }, /one.id/],
  ["two bodies", { stop: [{ request: "POST /s", json: {}, form: {} }] }, /one body/],
];
for (const [what, change, flaw] of FLAWS) {
  test(`a system of one's own: ${what}`, () => {
    const route = {
      verb: "thing.plan",
      request: "PUT /things/{id}",
      effects: ["send"],
      summary: "Plan",
      later: { ...RULE, ...change },
    };
    const entry = entrySchema.parse({ ...SOURCE, routes: [route] });
    const said = flawsOf(entry).map(({ path, message }) => `${path.join(".")} ${message}`);
    if (flaw === undefined) assert.deepEqual(said, []);
    else assert.match(said.join("\n"), flaw);
  });
}

test("a time without a zone is UTC, wherever this runs", () => {
  for (const text of [
    "2027-01-01T08:00:00",
    "2027-01-01 08:00:00",
    "2027-01-01T08:00:00Z",
    "2027-01-01T09:00:00+01:00",
  ]) {
    assert.equal(instantOf([text]), "2027-01-01T08:00:00.000Z", text);
  }
  assert.equal(instantOf(["tomorrow"]), undefined);
  assert.equal(instantOf([]), undefined);
});
