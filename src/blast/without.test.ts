import assert from "node:assert/strict";
import { test } from "node:test";
import { groundFor, HEAD, NEWS, SHOP, taskFrom } from "../../test/support/blast-world.ts";
import { isMore } from "./amount.ts";
import { assess } from "./assess.ts";

async function both(source: string, known = "") {
  const task = taskFrom(source);
  const { answer } = assess(task, await groundFor(task, known));
  const without = new Map(
    answer.without?.outcomes.map(({ name, amount, path }) => [name, { amount, path }]),
  );
  return { answer, without };
}
const WEB = (rule: string) => `  - system: http
    name: crm
    hosts: [crm.example.com]
    ${rule}
    allow:
      - { methods: [GET], paths: ["/public/*"] }
`;
const SSH = `  - system: ssh
    name: web
    hosts: [web1.example.com]
    credential: w
    with: { host_key: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ9v1yq3ZkJ3m1m1m1m1m1m1m1m1m1m1m1m1m1m1m1m1" }
    allow:
      - { verbs: [exec], on: ["systemctl status nginx"], doing: [read] }
`;

const CASES = [
  // grants, known, outcome, with (fooled), without, why
  [SHOP, "", "hosts_executable", 0, 1, "its role may be let run programs on the server"],
  [
    NEWS,
    "",
    "credentials_mintable",
    0,
    1,
    "its token administers, whatever the task file asks for",
  ],
  [SSH, "", "hosts_executable", 0, 1, "a shell, where a command was granted"],
  [
    WEB("credential: c"),
    "",
    "data_destroyable",
    0,
    "unbounded",
    "any method, where GET was granted",
  ],
  [
    WEB("dial: 127.0.0.1:80"),
    "",
    "data_destroyable",
    0,
    "unbounded",
    "no credential is needed for what it asks",
  ],
  [
    NEWS,
    `at(other, "10.0.0.7:5432"). principal(other, postgres). run_knows(found). opens(found, other).
     can(other, select, people). label(people, customer). rows(people, 7). is_effect(postgres, select, read).`,
    "secrets_readable",
    1,
    2,
    "it holds the credential itself",
  ],
] as const;
for (const [grants, known, outcome, contained, bare, why] of CASES) {
  test(`without Cofferdam ${outcome} is ${bare} instead of ${contained}: ${why}`, async () => {
    const { answer, without } = await both(`${HEAD}${grants}`, known);
    assert.equal(answer.outcomes.find(({ name }) => name === outcome)?.approverFooled, contained);
    assert.equal(without.get(outcome)?.amount, bare);
    assert.ok((without.get(outcome)?.path.length ?? 0) > 0);
  });
}

test("without Cofferdam the agent connects to what a machine of its network could, which is told as an assumption", async () => {
  const known = `at(other, "10.0.0.7:5432"). principal(other, postgres). run_knows(found). opens(found, other).
    can(other, select, people). label(people, customer). rows(people, 7). is_effect(postgres, select, read).`;
  const { answer, without } = await both(`${HEAD}${WEB("")}`, known);
  assert.equal(answer.outcomes[0]?.approverFooled, 0, "no grant leads to that database");
  assert.equal(without.get("customer_records")?.amount, 7);
  const told = answer.without?.assumptions.join("\n") ?? "";
  assert.match(told, /connects to every place that a machine of its network could/);
});

const TASKS = [SHOP, NEWS, SSH, WEB("credential: c"), WEB(""), `${SHOP}${NEWS}${SSH}${WEB("")}`];
for (const [at, grants] of TASKS.entries()) {
  test(`what contains an agent never makes more possible than there was: task ${at}`, async () => {
    const { answer, without } = await both(`${HEAD}${grants}`);
    for (const { name, approverFooled } of answer.outcomes) {
      const bare = without.get(name)?.amount ?? 0;
      assert.ok(!isMore(approverFooled, bare), `${name}: ${approverFooled} with, ${bare} without`);
    }
  });
}
