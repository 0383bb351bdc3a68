/**
 * Probes of web services and answers that are hostile or broken: whatever comes, a probe ends within its questions, states
 * facts that are read as they were meant, and takes what was not told for the worst (INV-174, INV-175).
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseFacts, principalOf, printFact, type Fact } from "../../blast/index.ts";
import { findEntry, verbInfos } from "../../catalog/index.ts";
import type { TaskGrant } from "../../policy/index.ts";
import { readRules } from "../fact-files.ts";
import { QUESTIONS_MAX, type Probe, type Probed, type Question, type Reply } from "../probe.ts";
import { readPipelineText, readWorkflowText } from "./ci-text.ts";
import { WEB_PROBES } from "./index.ts";

const program = readRules("");

interface Asked extends Probed {
  readonly questions: readonly Question[];
}

/** Runs `probe` against answers made by `answer`. */
async function run(probe: Probe, answer: (target: string) => Partial<Reply>): Promise<Asked> {
  const place = { system: probe.system, hosts: ["x.test"], ports: [443], credential: "c" } as const;
  const grant = { ...place, name: "g", kind: "system", allow: [] } as unknown as TaskGrant;
  const questions: Question[] = [];
  const probed = await probe.probe({
    ...{ grant, principal: principalOf(grant), at: "2026-11-27T10:00:00Z" },
    ask: (question) => {
      questions.push(question);
      const target = "request" in question ? question.request : "";
      const body = Buffer.alloc(0);
      return Promise.resolve(
        questions.length > QUESTIONS_MAX
          ? { status: 0, body, isCut: false, failure: "too many" }
          : { status: 200, body, isCut: false, ...answer(target) },
      );
    },
  });
  return { ...probed, questions };
}

const json = (value: unknown): Partial<Reply> => ({ body: Buffer.from(JSON.stringify(value)) });
const no: Partial<Reply> = { ...json({ message: "Not Found" }), status: 404 };
const can = ({ facts }: Probed, verb: string) =>
  facts.filter(({ predicate, terms }) => predicate === "can" && terms[1] === verb);

/** Every fact must read as the very fact that was meant. */
function readBack(facts: readonly Fact[]): void {
  const text = facts.map(printFact).join("\n");
  assert.ok(Buffer.byteLength(text) < 1 << 20, "a file of facts is at most 1 MiB");
  const read = parseFacts({ file: "f", text }, program);
  assert.deepEqual(
    read.map(({ predicate, terms, isAssumed, persons }) => ({
      predicate,
      terms,
      isAssumed,
      persons,
    })),
    facts.map(({ predicate, terms, isAssumed, persons }) => ({
      predicate,
      terms,
      isAssumed,
      persons,
    })),
  );
}

const NOTHING: readonly (readonly [why: string, answer: Partial<Reply>])[] = [
  ["a page of HTML", { body: Buffer.from("<!doctype html><title>Log in</title>") }],
  ["nothing", { status: 0, failure: "connection refused" }],
  ["an answer that was cut", { ...json({}), isCut: true }],
  [
    "the wrong shape",
    json({ data: 7, capabilities: "all", scopes: 3, files: "", items: 1, results: {}, user: 0 }),
  ],
  ["names that stand twice", { body: Buffer.from('{"data":{"a":1,"a":2}}') }],
  ["a server's fault", { status: 500 }],
  ["a refusal that is a page", { status: 403, body: Buffer.from("<h1>Forbidden</h1>") }],
  ["that it was asked too often", { ...json({ message: "API rate limit exceeded" }), status: 403 }],
  [
    "that it was asked too often, in a header",
    { ...json({}), status: 403, headers: ["Retry-After", "60"] },
  ],
  ["a credential that is not known", { status: 401 }],
  ["a list where an object belongs", json([[[]]])],
  ["null", json(null)],
];
for (const probe of WEB_PROBES) {
  const effects = new Map(
    verbInfos(findEntry(probe.system) ?? assert.fail()).map((one) => [one.verb, one.effects]),
  );
  for (const [why, answer] of NOTHING) {
    test(`INV-174: ${probe.system} answers with ${why}: every verb counts as possible, at its worst`, async () => {
      // A service that says no by 401 is told no.
      if (answer.status === 401 && probe.system === "resend") return;
      const probed = await run(probe, () => answer);
      const quiet = new Set(["webhook.send", "webhook.run"]); // Of Slack: opened by addresses, and not by a token.
      for (const [verb, does] of effects) {
        if (quiet.has(verb)) continue;
        const found = can(probed, verb);
        assert.notEqual(found.length, 0, verb);
        const isNoted =
          found.some(({ isAssumed }) => isAssumed) || does.every((one) => one.startsWith("read"));
        assert.ok(
          isNoted || ["n8n", "wordpress", "listmonk", "telegram"].includes(probe.system),
          verb,
        );
      }
      assert.notEqual(probed.notes.length, 0, "it says so");
      readBack(probed.facts);
    });
  }

  test(`${probe.system}: an answer that never ends is asked for no more than a probe may ask`, async () => {
    const page = Array.from({ length: 100 }, (_, at) => ({
      id: at + 1,
      full_name: `o/r${at}`,
      name: "n",
    }));
    const { questions, facts } = await run(probe, (target) =>
      json(
        target.includes("repos?") || target.includes("projects?")
          ? page
          : {
              data: page,
              results: page,
              nextCursor: "again",
              response_metadata: { next_cursor: "again" },
            },
      ),
    );
    assert.ok(questions.length < QUESTIONS_MAX, String(questions.length));
    readBack(facts);
  });

  test(`${probe.system}: no question does more than read`, async () => {
    const { questions } = await run(probe, () => ({ status: 500 }));
    for (const question of questions) {
      assert.ok("request" in question);
      assert.ok(
        question.request.startsWith("GET /") || question.request === "POST /v1/search",
        question.request,
      );
    }
  });

  test(`INV-175: ${probe.system}: whatever is answered, facts read as they were meant`, async () => {
    const text = fc.oneof(
      fc.string(),
      fc.constantFrom('")."\n', "\\", "\u2028\u202e", "unbounded", "any", "\r\n#"),
    );
    const number = fc.oneof(fc.double(), fc.integer(), fc.constantFrom(1e308, -1, 2 ** 53, 0.5));
    const value = fc.oneof(text, number, fc.boolean(), fc.constant(null));
    const keys = fc.constantFrom(
      ...[
        "data",
        "id",
        "name",
        "full_name",
        "permissions",
        "capabilities",
        "results",
        "subscriber_count",
        "ok",
      ],
      ...[
        "nodes",
        "active",
        "type",
        "scopes",
        "available",
        "amount",
        "currency",
        "channels",
        "num_members",
        "private",
      ],
    );
    const object = fc.dictionary(
      keys,
      fc.oneof(value, fc.array(value), fc.array(fc.dictionary(keys, value))),
    );
    const property = fc.asyncProperty(fc.array(object, { minLength: 1 }), async (answers) => {
      let at = 0;
      const { facts } = await run(probe, () => json(answers[(at += 1) % answers.length]));
      readBack(facts);
    });
    await fc.assert(property, { numRuns: 25 });
  });
}

/** Answers of the documented shape, in which what is anyone's to write is `name`, and a number `count`. */
const SHAPED: readonly (readonly [
  system: string,
  answers: Readonly<Record<string, (name: string, count: number) => unknown>>,
])[] = [
  [
    "n8n",
    {
      "/workflows": (name) => ({
        data: [
          {
            ...{ id: "1", name, active: true },
            nodes: [
              { type: "n8n-nodes-base.webhook", credentials: { [name]: { id: name, name } } },
            ],
          },
        ],
      }),
      "/credentials": (name) => ({ data: [{ id: "2", name, type: name }] }),
    },
  ],
  [
    "listmonk",
    {
      "/lists": (name, count) => ({
        data: { results: [{ id: 1, name, subscriber_count: count }] },
      }),
      "/settings": (name, count) => ({
        data: { smtp: [{ host: name, port: count, username: name, enabled: true }] },
      }),
      "/dashboard": (_, count) => ({ data: { subscribers: { total: count, orphans: count } } }),
    },
  ],
  [
    "slack",
    {
      "auth.test": () => ({ ok: true }),
      "conversations.list": (name, count) => ({
        ok: true,
        channels: [{ id: name, name, num_members: count }],
      }),
    },
  ],
  [
    "discord",
    {
      guilds: (name, count) => [
        { id: "1", name, permissions: "8", approximate_member_count: count },
      ],
    },
  ],
  ["gmail", { profile: (name, count) => ({ emailAddress: name, messagesTotal: count }) }],
  [
    "gitlab",
    {
      "projects?": (name, count) => [
        { id: 1, path_with_namespace: name, default_branch: name, approvals_before_merge: count },
      ],
    },
  ],
  [
    "github",
    {
      "/repos?": (name) => [
        {
          full_name: "a/b",
          private: true,
          default_branch: name,
          permissions: { admin: true, push: true },
        },
      ],
      "/user": (name) => ({ login: name }),
      "/environments": (name) => ({ environments: [{ name }] }),
      "/secrets": (name) => ({ secrets: [{ name }] }),
    },
  ],
  [
    "wordpress",
    {
      "users/me": (name) => ({
        id: 1,
        email: name,
        capabilities: { list_users: true, [name]: true },
      }),
      "roles=administrator": (name) => [{ email: name }],
      "users?": () => [],
    },
  ],
  [
    "stripe",
    {
      "v1/balance": (_, count) => ({ available: [{ amount: count, currency: "eur" }] }),
      search: (_, count) => ({ total_count: count }),
    },
  ],
  ["telegram", { getMyStarBalance: (_, count) => ({ ok: true, result: { amount: count } }) }],
];
for (const [system, answers] of SHAPED) {
  const probe = WEB_PROBES.find((one) => one.system === system) ?? assert.fail();
  test(`INV-175: ${system}: a name states nothing, and a number that is no amount is none`, async () => {
    const names = fc.oneof(
      fc.string({ minLength: 1, maxLength: 60 }),
      fc.constantFrom('a").\n', "b\\", '")', "\r\n", "\u202e", "any", "unbounded"),
    );
    const numbers = fc.oneof(
      fc.double(),
      fc.integer(),
      fc.constantFrom(1e308, -1, 2 ** 53, 0.5, 3),
    );
    const property = fc.asyncProperty(names, numbers, async (name, count) => {
      let shaped = 0;
      const { facts } = await run(probe, (target) => {
        const found = Object.entries(answers).find(([part]) => target.includes(part));
        if (found === undefined) return no;
        shaped += 1;
        return json(found[1](name, count));
      });
      assert.notEqual(shaped, 0);
      readBack(facts);
      const amounts = facts.filter(({ predicate }) =>
        ["rows", "people", "money"].includes(predicate),
      );
      for (const { terms } of amounts)
        assert.ok(
          terms[1] === "unbounded" || (Number.isSafeInteger(terms[1]) && Number(terms[1]) >= 0),
          String(terms),
        );
      assert.ok(facts.every(({ terms }) => terms[0] !== "any" && terms[0] !== "unbounded"));
    });
    await fc.assert(property, { numRuns: 200 });
  });
}

test("INV-174: of more than is kept the rest counts at its worst, and what is kept can be read", async () => {
  const listmonk = WEB_PROBES.find(({ system }) => system === "listmonk") ?? assert.fail();
  const { facts, notes } = await run(listmonk, (target) => {
    if (target.includes("/profile"))
      return json({ data: { user_role: { id: 1, permissions: [] }, list_role: null } });
    const from = Number(/page=(\d+)/.exec(target)?.[1] ?? 0) * 100;
    const results = Array.from({ length: 100 }, (_, at) => ({
      id: from + at,
      name: "n".repeat(60),
      subscriber_count: 5,
    }));
    return target.includes("/lists?") ? json({ data: { results } }) : no;
  });
  readBack(facts);
  assert.match(notes.join("\n"), /more than \d+ facts/);
  assert.ok(
    facts.some(
      ({ predicate, terms }) =>
        predicate === "can" && String(terms[2]).endsWith("what is not kept"),
    ),
  );
});

const github = WEB_PROBES.find(({ system }) => system === "github") ?? assert.fail();
const repository = (at: number) => ({
  full_name: `acme/r${at}`,
  private: true,
  default_branch: "main",
  permissions: { admin: true, push: true },
});

test("INV-174: of ten thousand repositories those that are not looked at count at their worst", async () => {
  const { facts, notes, questions } = await run(github, (target) => {
    if (target.includes("/user/repos"))
      return json(Array.from({ length: 100 }, (_, at) => repository(at)));
    if (target.endsWith("/user"))
      return { ...json({ login: "a" }), headers: ["X-OAuth-Scopes", "repo"] };
    return no;
  });
  assert.ok(questions.length < QUESTIONS_MAX);
  const beyond = facts.filter(({ terms }) => String(terms[2]).includes("that were not looked at"));
  assert.ok(beyond.some(({ terms, isAssumed }) => terms[1] === "content.push" && isAssumed));
  assert.match(notes.join("\n"), /repositories more than are looked at/);
  readBack(facts);
});

test("the twin: few repositories, told whole, leave nothing to assume beyond them", async () => {
  const { facts } = await run(github, (target) => {
    if (target.includes("/user/repos")) return json([repository(1)]);
    if (target.endsWith("/user"))
      return { ...json({ login: "a" }), headers: ["X-OAuth-Scopes", "repo"] };
    return no;
  });
  assert.ok(!facts.some(({ terms }) => String(terms[2]).includes("that were not looked at")));
});

test("INV-174: a header that stands twice tells no scopes", async () => {
  const told = await run(github, (target) => {
    if (target.includes("/user/repos")) return json([repository(1)]);
    const headers = ["X-OAuth-Scopes", "", "x-oauth-scopes", "gist"];
    return target.endsWith("/user") ? { ...json({ login: "a" }), headers } : no;
  });
  assert.ok(can(told, "repo.delete").every(({ isAssumed }) => isAssumed));
  assert.notEqual(can(told, "repo.delete").length, 0);
});

const WORKFLOWS: readonly (readonly [
  text: string,
  says: Partial<ReturnType<typeof readWorkflowText>>,
  why: string,
])[] = [
  [
    "run: echo ${{ secrets.A_KEY }} ${{secrets['B']}}",
    { secrets: ["A_KEY", "B"], takesAll: false },
    "by name",
  ],
  ["secrets: inherit", { takesAll: true }, "all are handed on"],
  ["x: ${{ toJSON(secrets) }}", { takesAll: true }, "all as text"],
  ["x: ${{ secrets[matrix.key] }}", { takesAll: true }, "by an expression"],
  ["environment:\n  name: prod", { environments: ["prod"] }, "with a name of its own"],
  ["  environment: 'prod'", { environments: ["prod"] }, "in quotes"],
  [
    "run: rsync -a . deploy@web1.x.example:/srv",
    { deploys: { host: "web1.x.example", user: "deploy" } },
    "an account at a host",
  ],
  ["run: ssh $HOST", { deploys: { host: undefined, user: undefined } }, "where to is not said"],
  ["run: git clone git@github.com:a/b.git", {}, "git is no deployment"],
  [
    "uses: a/ssh-thing@v1",
    { deploys: { host: undefined, user: undefined } },
    "an action of that name",
  ],
];
for (const [text, says, why] of WORKFLOWS) {
  test(`a workflow says ${JSON.stringify(says)}: ${why}`, () => {
    const read = readWorkflowText(text);
    for (const [key, value] of Object.entries(says))
      assert.deepEqual(read[key as keyof typeof read], value);
    if (!("deploys" in says)) assert.equal(read.deploys, undefined);
  });
}

test("a pipeline's variables are those that are not GitLab's own; what it includes may name more", () => {
  const read = readPipelineText(
    "a:\n  script: [deploy $SHIP_TOKEN ${CI_JOB_ID}]\ninclude: other.yml\n",
  );
  assert.deepEqual([read.secrets, read.takesAll], [["SHIP_TOKEN"], true]);
});

test("texts of CI of any length are read in time that grows with them", () => {
  for (const piece of ["host: ", "environment:\n ", "secrets[ ", "a@b.", "$A", " - ssh "]) {
    readWorkflowText(piece.repeat(60_000));
    readPipelineText(piece.repeat(60_000));
  }
});
