/**
 * What probing a real WordPress finds of an administrator, an editor, an author and a subscriber is what each of them
 * then really can do, no more and no less; and the ways that follow from it can be walked.
 */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Answer as Blast } from "../../src/blast/index.ts";
import { factFile } from "../support/fact-file.ts";
import { TestHome } from "../support/home.ts";
import { makeFixture } from "./fixture.ts";
import { startWordPress, type User, type WordPress } from "./kit.ts";

const home = new TestHome();
let site: WordPress;
const users = new Map<string, User>();
let told: ReturnType<typeof factFile>;

before(async () => {
  site = await startWordPress();
  await makeFixture(site);
  users.set("administrator", site.admin).set("editor", site.editor);
  for (const role of ["author", "subscriber"]) users.set(role, await makeUser(role));
  await site.keep();
  for (const [role, { user, applicationPassword }] of users) {
    const place = ["--host", "blog.test", "--scheme", "http", "--port", "80"];
    const added = await home.call(
      ["credential", "add", role, "--kind", "basic", "--user", user, ...place, "--stdin"],
      { input: applicationPassword },
    );
    assert.equal(added.code, 0, added.stderr);
    writeFileSync(taskOf(role), taskText(role));
    const probed = await home.call(["probe", taskOf(role)]);
    assert.equal(probed.code, 0, probed.stdout + probed.stderr);
  }
  told = factFile(home.state);
});
after(async () => {
  await home.close();
  await site.close();
});

const taskOf = (role: string) => join(home.root, `${role}.yaml`);
function taskText(role: string): string {
  return `task: blog
purpose: Look after the blog.
grants:
  - system: wordpress
    name: ${role}
    hosts: [blog.test]
    ports: [80]
    dial: 127.0.0.1:${site.port}
    credential: ${role}
    allow: [{ verbs: ["*"] }]
`;
}

const JSON_BODY = { "content-type": "application/json" };
async function makeUser(role: string): Promise<User> {
  const post = async (path: string, json: object) => {
    const asked = {
      method: "POST",
      as: site.admin,
      headers: JSON_BODY,
      body: JSON.stringify(json),
    };
    return JSON.parse((await site.ask(`/wp-json/wp/v2/${path}`, asked)).text) as {
      readonly id: number;
      readonly password: string;
    };
  };
  const { id } = await post("users", {
    username: role,
    email: `${role}@x.example`,
    password: "p",
    roles: [role],
  });
  const { password } = await post(`users/${String(id)}/application-passwords`, { name: "test" });
  return { user: role, id, applicationPassword: password };
}

/** A verb, the object that a probe says it of, and a request that tries it. */
const ATTEMPTS: readonly (readonly [
  verb: string,
  object: string,
  request: string,
  json?: object,
])[] = [
  ["user.list", "users", "GET users?context=edit"],
  [
    "user.create",
    "users",
    "POST users",
    {
      username: "made-ROLE",
      email: "made-ROLE@x.example",
      password: "p",
      roles: ["administrator"],
    },
  ],
  ["user.update", "users", "POST users/1", { first_name: "A" }],
  ["user.update", "OWN account", "POST users/me", { first_name: "A" }],
  ["app-password.change", "users", "POST users/1/application-passwords", { name: "of ROLE" }],
  [
    "app-password.change",
    "OWN account",
    "POST users/me/application-passwords",
    { name: "of ROLE" },
  ],
  ["settings.update", "site", "POST settings", { description: "A" }],
  ["settings.read", "site", "GET settings"],
  ["plugin.list", "site", "GET plugins"],
  ["post.draft", "entries", "POST posts", { title: "A", status: "draft" }],
  ["post.publish", "site", "POST posts", { title: "A", status: "publish" }],
  ["post.trash", "entries", "DELETE posts/12"],
  ["media.upload", "site", "POST media"],
  ["comment.list", "comments", "GET comments?context=edit"],
  ["comment.delete", "comments", "DELETE comments/3"],
  ["comment.create", "authors and moderators", "POST comments", { post: 7, content: "by ROLE" }],
  ["term.update", "site", "POST categories/4", { name: "B" }],
  ["design.change", "site", "POST menus", { name: "menu ROLE" }],
  ["block.render", "site", "GET block-renderer/core/archives?context=edit"],
];

for (const [verb, object, request, json] of ATTEMPTS) {
  test(`${verb} on ${object}: told of whom it is so`, async () => {
    for (const [role, as] of users) {
      await site.restore();
      const [method = "", path = ""] = request.split(" ");
      const body = json === undefined ? undefined : JSON.stringify(json).replaceAll("ROLE", role);
      const file = {
        headers: {
          "content-type": "image/png",
          "content-disposition": 'attachment; filename="a.png"',
        },
        body: "\x89PNG",
      };
      const sent =
        path === "media" ? file : { headers: JSON_BODY, ...(body === undefined ? {} : { body }) };
      const { status, text } = await site.ask(`/wp-json/wp/v2/${path}`, { method, as, ...sent });
      assert.ok([200, 201, 401, 403, 500].includes(status), `${role}: ${status} ${text}`);
      const isDone = status !== 401 && status !== 403;
      assert.equal(
        told.has("can", principal(role), verb, objectOf(role, object)),
        isDone,
        `${role}: ${status} ${text}`,
      );
    }
  });
}

const objectOf = (role: string, object: string) =>
  object.startsWith("OWN ") ? `${principal(role)} ${object.slice(4)}` : `blog.test:80 ${object}`;
const principal = (role: string) => `wordpress:${role}@blog.test:80`;

test("numbers are those of the site, and what it does not tell an account is unbounded", () => {
  const rows = (what: string) => told.amounts("rows", `blog.test:80 ${what}`);
  assert.deepEqual([...new Set(rows("users"))], [5], "what the author was not told the editor was");
  assert.deepEqual([...new Set(rows("comments"))], [2]);
  assert.deepEqual(told.amounts("rows", `${principal("author")} comments on its entries`), [
    "unbounded",
  ]);
  assert.ok(!told.has("can", principal("author"), "user.list", "blog.test:80 users"));
});

async function blast(role: string): Promise<Blast> {
  const { stdout, stderr, code } = await home.call(["blast", taskOf(role), "--json"]);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout) as Blast;
}

const stepsTo = ({ outcomes }: Blast, name: string) =>
  outcomes.find((one) => one.name === name)?.path.map(({ says }) => says) ?? [];

test("an administrator's grant leads to the machine; its code to whatever the site holds", async () => {
  const answer = await blast("administrator");
  assert.match(
    stepsTo(answer, "hosts_executable").join("\n"),
    /plugin\.change[\s\S]*its code runs on the machine of blog/,
  );
  const secrets = answer.outcomes.find(({ name }) => name === "secrets_readable");
  assert.match(
    secrets?.objects.map(({ object }) => object).join("\n") ?? "",
    /DB_PASSWORD in blog\.test:80 wp-config\.php/,
  );
  const customers = answer.outcomes.find(({ name }) => name === "customer_records");
  assert.equal(customers?.objects.find(({ object }) => object.endsWith(" users"))?.unattended, 5);
});

test("an editor reaches the machine through an administrator's browser, which is said to be assumed", async () => {
  const answer = await blast("editor");
  const steps = stepsTo(answer, "hosts_executable").join("\n");
  assert.match(steps, /writes a script by post\.draft, which runs as blog\.test:80 administrator/);
  assert.match(answer.assumptions.join("\n"), /an administrator looks at what it writes/);
});

for (const role of ["author", "subscriber"]) {
  test(`the twin: ${role}s reach no machine, no users and no further secret`, async () => {
    const { outcomes } = await blast(role);
    for (const name of ["hosts_executable", "customer_records", "secrets_readable"]) {
      const found = outcomes.find((one) => one.name === name);
      assert.equal(
        found?.approverFooled,
        0,
        `${name}: ${JSON.stringify(found?.path.map(({ says }) => says))}`,
      );
    }
  });
}

test("each question is on record, and none does more than read", async () => {
  const asked = (await home.log()).filter(
    ({ rule, type }) => rule === "cofferdam.probe" && type === "action",
  );
  assert.ok(asked.length === 4 * 7 + 1, String(asked.length));
  const effects = new Set(asked.flatMap(({ data }) => data?.["effects"] as string[]));
  assert.deepEqual(
    [...effects].filter((one) => !one.startsWith("read")),
    [],
  );
});
