/**
 * Probes of web services against doubles, through the command line and the daemon: each planted power is found, and the
 * twin that lacks it does not have it. WordPress is asked for real in test/wordpress, n8n in test/heavy.
 */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Answer as Blast } from "../src/blast/index.ts";
import {
  bearer,
  DISCORD,
  GMAIL,
  LISTMONK,
  NOTION,
  OPENAI,
  SLACK,
  startAccounts,
  STRIPE,
} from "./doubles/accounts.ts";
import type { Double } from "./doubles/double.ts";
import { startGithub, startGitlab, type PlantedRepository } from "./doubles/forges.ts";
import { factFile, type FactFile } from "./support/fact-file.ts";
import { TestHome } from "./support/home.ts";

const home = new TestHome();
const doubles: Double[] = [];
let told: FactFile;

const DEPLOY = `on: push
jobs:
  ship:
    environment: production
    runs-on: ubuntu-latest
    steps:
      - uses: appleboy/ssh-action@v1
        with:
          host: web1.x.example
          username: deploy
          key: \${{ secrets.DEPLOY_KEY }}
`;
const REPOSITORIES: readonly PlantedRepository[] = [
  {
    name: "site",
    isPrivate: true,
    isProtected: false,
    reviews: 0,
    workflows: { "deploy.yml": DEPLOY },
    secrets: ["DEPLOY_KEY"],
    environments: { production: { secrets: ["PROD_TOKEN"], isReviewed: true } },
  },
  {
    name: "guarded",
    isPrivate: true,
    isProtected: true,
    reviews: 1,
    workflows: {},
    secrets: [],
    environments: {},
  },
];
const PIPELINE = `ship:
  script:
    - rsync -a . deploy@web2.x.example:/srv
    - curl -H "token: $SHIP_TOKEN" https://x.example
`;

/** Accounts: a system, the host that its grant names, how the credential goes. */
const ACCOUNTS: readonly (readonly [
  name: string,
  system: string,
  host: string,
  how: readonly string[],
])[] = [
  ["gh-all", "github", "api.github.com", ["bearer"]],
  ["gh-reader", "github", "api.github.com", ["bearer"]],
  ["gl-maintainer", "gitlab", "gitlab.test", ["header", "--field", "private-token"]],
  ["gl-developer", "gitlab", "gitlab.test", ["header", "--field", "private-token"]],
  ["gl-reader", "gitlab", "gitlab.test", ["header", "--field", "private-token"]],
  ["sk-all", "stripe", "api.stripe.com", ["bearer"]],
  ["rk-customers", "stripe", "api.stripe.com", ["bearer"]],
  ["xoxb-writes", "slack", "slack.com", ["bearer"]],
  ["xoxb-reads", "slack", "slack.com", ["bearer"]],
  ["bot", "discord", "discord.com", ["header", "--field", "authorization", "--word", "Bot"]],
  ["reads", "gmail", "gmail.googleapis.com", ["bearer"]],
  ["sends", "gmail", "gmail.googleapis.com", ["bearer"]],
  ["project", "openai", "api.openai.com", ["bearer"]],
  ["empty", "notion", "api.notion.com", ["bearer"]],
  ["manager", "listmonk", "news.test", ["basic", "--user", "bot"]],
  ["reader", "listmonk", "news.test", ["basic", "--user", "bot"]],
  ["tg", "telegram", "api.telegram.org", ["path"]],
];

before(async () => {
  const github = await startGithub(
    {
      [secretOf("gh-all")]: { scopes: ["repo", "workflow", "delete_repo"], role: "admin" },
      [secretOf("gh-reader")]: { scopes: [], role: "pull" },
    },
    REPOSITORIES,
  );
  const gitlab = await startGitlab(
    {
      [secretOf("gl-maintainer")]: { scopes: ["api"], level: 40 },
      [secretOf("gl-developer")]: { scopes: ["api"], level: 30 },
      [secretOf("gl-reader")]: { scopes: ["read_api"], level: 40 },
    },
    PIPELINE,
  );
  const refused = { status: 403, json: { error: "not allowed" } };
  const basic = (given: string) =>
    Buffer.from(given.replace(/^Basic /, ""), "base64")
      .toString()
      .split(":")[1] ?? "";
  const by: Readonly<Record<string, Double>> = {
    github,
    gitlab,
    stripe: await startAccounts(bearer, STRIPE, refused),
    slack: await startAccounts(bearer, SLACK, {
      status: 200,
      json: { ok: false, error: "missing_scope" },
    }),
    discord: await startAccounts(
      ({ headers }) => String(headers.authorization).replace("Bot ", ""),
      DISCORD,
      refused,
    ),
    gmail: await startAccounts(bearer, GMAIL, refused),
    openai: await startAccounts(bearer, OPENAI, refused),
    notion: await startAccounts(bearer, NOTION, refused),
    listmonk: await startAccounts(
      ({ headers }) => basic(String(headers.authorization)),
      LISTMONK,
      refused,
    ),
    telegram: await startAccounts(
      ({ path }) => path[0] ?? "",
      {
        "bot42:tg-of-a-test": {
          "bot42:tg-of-a-test/getMe": { status: 200, json: { ok: true, result: {} } },
          "bot42:tg-of-a-test/getMyStarBalance": {
            status: 200,
            json: { ok: true, result: { amount: 250 } },
          },
        },
      },
      refused,
    ),
  };
  doubles.push(...Object.values(by));
  for (const [name, system, host, [kind = "", ...how]] of ACCOUNTS) {
    const place = ["--host", host, "--scheme", "http", "--port", "80", "--stdin"];
    const input = secretOf(name);
    const added = await home.call(["credential", "add", name, "--kind", kind, ...how, ...place], {
      input,
    });
    assert.equal(added.code, 0, added.stderr);
    const { port } = new URL(by[system]?.url ?? "");
    writeFileSync(taskOf(name), taskText(name, system, host, Number(port)));
    const probed = await home.call(["probe", taskOf(name)]);
    assert.equal(probed.code, 0, probed.stdout + probed.stderr);
  }
  told = factFile(home.state);
});
after(async () => {
  await home.close();
  for (const double of doubles) await double.close();
});

/** A token as long as a vault takes. */
function secretOf(name: string): string {
  return name === "tg" ? "42:tg-of-a-test" : `${name}-of-a-test`;
}
function taskOf(name: string): string {
  return join(home.root, `${name}.yaml`);
}
function taskText(name: string, system: string, host: string, port: number): string {
  return `task: look
purpose: Look.
grants:
  - system: ${system}
    name: ${name}
    hosts: [${host}]
    ports: [80]
    dial: 127.0.0.1:${port}
    credential: ${name}
    allow: [{ verbs: ["*"] }]
`;
}

/** What a probe says of a verb: it can, it may (nobody told), or it cannot. */
function says(name: string, verb: string, object: string): "can" | "may" | "cannot" {
  const [, system, host] = ACCOUNTS.find(([one]) => one === name) ?? [];
  const fact = told.facts.find(
    ({ predicate, terms }) =>
      predicate === "can" &&
      terms[0] === `${system}:${name}@${host}:80` &&
      terms[1] === verb &&
      terms[2] === object,
  );
  return fact === undefined ? "cannot" : fact.isAssumed ? "may" : "can";
}

const CASES: readonly (readonly [
  name: string,
  verb: string,
  object: string,
  told: "can" | "may" | "cannot",
  why: string,
])[] = [
  ["gh-all", "content.push", "api.github.com:80 acme/site main", "can", "nothing protects it"],
  [
    "gh-all",
    "content.push",
    "api.github.com:80 acme/site other branches",
    "can",
    "the scope workflow",
  ],
  [
    "gh-all",
    "repo.delete",
    "api.github.com:80 acme/site",
    "can",
    "admin and the scope delete_repo",
  ],
  [
    "gh-all",
    "protection.write",
    "api.github.com:80 acme/guarded",
    "can",
    "an administrator takes away what protects",
  ],
  ["gh-reader", "content.push", "api.github.com:80 acme/site main", "cannot", "it may only pull"],
  ["gh-reader", "secret.write", "api.github.com:80 acme/site", "cannot", "it may only pull"],
  ["gh-reader", "issue.create", "api.github.com:80 what everyone sees", "cannot", "no scope"],
  ["gl-maintainer", "content.push", "gitlab.test:80 7 acme/site main", "can", "can_push"],
  [
    "gl-maintainer",
    "secret.read",
    "gitlab.test:80 7 acme/site variables",
    "can",
    "maintainers read variables",
  ],
  ["gl-developer", "content.push", "gitlab.test:80 7 acme/site main", "cannot", "protected"],
  [
    "gl-developer",
    "content.push",
    "gitlab.test:80 7 acme/site other branches",
    "can",
    "with a pipeline of its own",
  ],
  [
    "gl-developer",
    "secret.read",
    "gitlab.test:80 7 acme/site variables",
    "cannot",
    "only maintainers",
  ],
  ["gl-reader", "content.push", "gitlab.test:80 7 acme/site main", "cannot", "read_api"],
  ["gl-reader", "token.write", "gitlab.test:80 7 acme/site", "cannot", "read_api"],
  [
    "sk-all",
    "payout.create",
    "stripe:sk-all@api.stripe.com:80 balance in smallest units of EUR",
    "may",
    "reading is told, writing is not",
  ],
  [
    "rk-customers",
    "payout.create",
    "stripe:rk-customers@api.stripe.com:80 balance",
    "cannot",
    "it may not even read payouts",
  ],
  [
    "rk-customers",
    "data.read",
    "stripe:rk-customers@api.stripe.com:80 customers",
    "can",
    "answered",
  ],
  ["xoxb-writes", "message.send", "slack.com:80 channel C1 general", "can", "a member, chat:write"],
  [
    "xoxb-writes",
    "message.send",
    "slack.com:80 channel C2 board",
    "cannot",
    "a private channel of others",
  ],
  ["xoxb-reads", "message.send", "slack.com:80 channel C1 general", "cannot", "no chat:write"],
  [
    "xoxb-writes",
    "admin.change",
    "slack:xoxb-writes@slack.com:80 workspace",
    "cannot",
    "no scope of administration",
  ],
  ["bot", "message.send", "discord.com:80 guild 7 friends", "can", "ADMINISTRATOR"],
  [
    "bot",
    "message.send",
    "discord.com:80 guild 8 quiet",
    "may",
    "a channel may let what the guild does not",
  ],
  ["reads", "message.read", "mailbox ann@x.example", "can", "answered"],
  [
    "reads",
    "message.send",
    "gmail:reads@gmail.googleapis.com:80 any address",
    "may",
    "cannot be asked",
  ],
  ["sends", "message.read", "gmail:sends@gmail.googleapis.com:80 mailbox", "cannot", "403"],
  [
    "project",
    "organization.administer",
    "openai:project@api.openai.com:80 organization",
    "cannot",
    "403",
  ],
  [
    "project",
    "response.create",
    "openai:project@api.openai.com:80 anything else",
    "may",
    "nobody asked",
  ],
  ["empty", "page.read", "notion:empty@api.notion.com:80 pages", "can", "an empty search"],
  ["manager", "campaign.start", "news.test:80 list 1 Customers", "can", "campaigns:send"],
  ["manager", "user.write", "news.test:80 server", "can", "users:manage"],
  ["manager", "settings.update", "news.test:80 server", "cannot", "settings:get alone"],
  ["reader", "campaign.start", "news.test:80 list 1 Customers", "cannot", "no campaigns:send"],
  ["reader", "subscriber.read", "news.test:80 list 1 Customers", "can", "subscribers:get_all"],
  ["reader", "subscriber.query", "news.test:80 all tables", "cannot", "no sql_query"],
  [
    "tg",
    "message.send",
    "telegram:tg@api.telegram.org:80 chats that it is in",
    "may",
    "Telegram tells of no chats",
  ],
];
for (const [name, verb, object, expected, why] of CASES) {
  test(`${name} ${expected} ${verb} on ${object}: ${why}`, () => {
    assert.equal(says(name, verb, object), expected);
  });
}

const AMOUNTS: readonly (readonly [predicate: string, object: string, amount: number | string])[] =
  [
    ["money", "stripe:sk-all@api.stripe.com:80 balance in smallest units of EUR", 120_050],
    ["money", "stripe:sk-all@api.stripe.com:80 balance in smallest units of USD", 0],
    ["rows", "stripe:sk-all@api.stripe.com:80 customers", 321],
    ["people", "slack.com:80 channel C1 general", 40],
    ["people", "discord.com:80 guild 7 friends", 900],
    ["rows", "mailbox ann@x.example", 4711],
    ["people", "news.test:80 list 1 Customers", 1200],
    ["people", 'news.test:80 list 2 x")."', "unbounded"],
    ["people", "news.test:80 list 3 Many", "unbounded"],
    ["money", "telegram:tg@api.telegram.org:80 Stars", 250],
    ["rows", "notion:empty@api.notion.com:80 pages", 0],
  ];
for (const [predicate, object, amount] of AMOUNTS) {
  test(`${object}: ${predicate} ${amount}`, () => {
    assert.deepEqual([...new Set(told.amounts(predicate, object))], [amount]);
  });
}

async function blast(name: string): Promise<Blast> {
  const { stdout, stderr, code } = await home.call(["blast", taskOf(name), "--json"]);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout) as Blast;
}
const outcome = ({ outcomes }: Blast, name: string) => outcomes.find((one) => one.name === name);

test("a push gives CI's secret and the machine that it deploys to; the twin nothing of it", async () => {
  const all = await blast("gh-all");
  const secrets = outcome(all, "secrets_readable")?.objects ?? [];
  const deployKey = secrets.find(
    ({ object }) => object === "DEPLOY_KEY of api.github.com:80 acme/site",
  );
  assert.equal(deployKey?.unattended, 1);
  const reviewed = secrets.find(
    ({ object }) => object === "PROD_TOKEN of api.github.com:80 acme/site production",
  );
  assert.deepEqual([reviewed?.unattended, reviewed?.persons], [0, 1], "a reviewer must say yes");
  const hosts = outcome(all, "hosts_executable")?.objects.map(({ object }) => object);
  assert.deepEqual(hosts, ["web1.x.example"]);
  const twin = await blast("gh-reader");
  assert.equal(outcome(twin, "secrets_readable")?.approverFooled, 0);
  assert.equal(outcome(twin, "hosts_executable")?.approverFooled, 0);
});

test("it is so: the token pushes the workflow that the probe says it may, and the twin does not", async () => {
  const [github] = doubles;
  const push = (token: string) =>
    fetch(`${github?.url}/repos/acme/site/contents/.github/workflows/x.yml`, {
      method: "PUT",
      headers: { authorization: `Bearer ${secretOf(token)}`, "content-type": "application/json" },
      body: JSON.stringify({ branch: "main", content: "" }),
    });
  assert.equal((await push("gh-all")).status, 201);
  assert.equal((await push("gh-reader")).status, 404);
});

test("a manager of listmonk becomes the super admin, and with SQL reads what lies in its database", async () => {
  const all = await blast("manager");
  const secrets = outcome(all, "secrets_readable")?.objects.map(({ object }) => object) ?? [];
  assert.ok(secrets.includes("password of smtp:news@mail.x.example:587"));
  const mailed = outcome(all, "people_mailable")?.objects ?? [];
  const list = mailed.find(({ object }) => object === "news.test:80 list 1 Customers");
  assert.deepEqual([list?.unattended, list?.approverFooled], [0, 1200]);
  const logins = outcome(all, "credentials_mintable")?.objects.map(({ object }) => object) ?? [];
  assert.ok(logins.includes("listmonk:manager@news.test:80"));
  const twin = await blast("reader");
  assert.equal(outcome(twin, "secrets_readable")?.approverFooled, 0);
  assert.equal(outcome(twin, "data_destroyable")?.approverFooled, 0);
});

test("the credential of a path stands in none of what is on record", async () => {
  const asked = JSON.stringify((await home.log()).filter(({ rule }) => rule === "cofferdam.probe"));
  assert.ok(asked.includes("getMe"));
  assert.ok(!asked.includes("42:tg-of"));
});

test("a grant that the task file has not is told: daemon.probe", async () => {
  const { code, stderr } = await home.call(["probe", taskOf("tg"), "--grant", "other"]);
  assert.notEqual(code, 0);
  assert.match(stderr, /no grant other/);
  const { stdout } = await home.call(["probe", taskOf("tg"), "--grant", "tg"]);
  assert.match(stdout, /^tg: 2 questions, /);
});
