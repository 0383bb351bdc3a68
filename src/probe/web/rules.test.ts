/** Rules on web services: each way is found, and is gone when one fact of it is. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { answerOf, parseFacts, solve } from "../../blast/index.ts";
import { readRules } from "../fact-files.ts";

const program = readRules("");

/** How much of `outcome` follows from facts in the language of fact files. */
function amountOf(facts: readonly string[], outcome: string): unknown {
  const parsed = parseFacts({ file: "f", text: facts.join("\n") }, program);
  return answerOf(solve(program, parsed)).outcomes.find(({ name }) => name === outcome)
    ?.approverFooled;
}

const EDITOR = [`uses(blog, editor).`, `principal(editor, wordpress).`];
const ADMINISTRATOR = [
  `principal(administrator, wordpress).`,
  `can(administrator, "plugin.change", site).`,
  `runs_on(administrator, web1, "www-data").`,
  `host(web1).`,
];
const WAYS: readonly (readonly [
  way: string,
  facts: readonly string[],
  outcome: string,
  amount: unknown,
])[] = [
  [
    "an account that may edit users makes itself an administrator, by its own grant",
    [
      ...EDITOR,
      `may(blog, "user.update", administer, users).`,
      `can(editor, "user.update", users).`,
      `raises(editor, "user.update", administrator).`,
      `may(blog, "user.delete", delete, any).`,
      `can(administrator, "user.delete", users).`,
      `rows(users, 9).`,
    ],
    "data_destroyable",
    9,
  ],
  [
    "a new administrator's password is sent by a grant without a credential",
    [
      ...EDITOR,
      `may(blog, "user.create", administer, users).`,
      `can(editor, "user.create", users).`,
      `logs_in_as(editor, "user.create", administrator).`,
      `carries(bare, "blog:443").`,
      `at(administrator, "blog:443").`,
      `may(bare, "user.delete", delete, any).`,
      `can(administrator, "user.delete", users).`,
      `rows(users, 9).`,
    ],
    "data_destroyable",
    9,
  ],
  [
    "a script in an administrator's browser installs a plugin",
    [
      ...EDITOR,
      ...ADMINISTRATOR,
      `may(blog, "post.publish", publish, posts).`,
      `can(editor, "post.publish", posts).`,
      `scripts(editor, "post.publish", administrator).`,
      `is_effect(wordpress, "plugin.change", execute).`,
    ],
    "hosts_executable",
    1,
  ],
  [
    "what runs as the web server has all that the site's code has",
    [
      `uses(shell, ssh).`,
      `principal(ssh, ssh).`,
      `may(shell, exec, execute, any).`,
      `can(ssh, exec, any).`,
      `login(ssh, web1, "www-data").`,
      `is_machine(web1, "www-data", "the machine of blog", "the web server").`,
      `is_service(code, "the machine of blog", "the web server").`,
      `principal(code, "wordpress code").`,
      `can(code, "database.read", users).`,
      `label(users, customer).`,
      `rows(users, 9).`,
    ],
    "customer_records",
    9,
  ],
  [
    "a mailbox that can be read has an administrator's password reset",
    [
      `uses(mail, ann).`,
      `may(mail, "message.read", "read-private", "mailbox ann").`,
      `can(ann, "message.read", "mailbox ann").`,
      `resets("mailbox ann", administrator).`,
      ...ADMINISTRATOR,
      `is_effect(wordpress, "plugin.change", execute).`,
    ],
    "hosts_executable",
    1,
  ],
  [
    "a webhook starts a workflow that writes to people",
    [
      `uses(flows, key).`,
      `may(flows, "webhook.call", execute, ring).`,
      `can(key, "webhook.call", ring).`,
      `starts(ring, send, "its mail").`,
      `people("its mail", 3).`,
    ],
    "people_mailable",
    3,
  ],
  [
    "a workflow of one's own mails by the credential that n8n keeps",
    [
      `uses(flows, key).`,
      `principal(key, n8n).`,
      `may(flows, "package.install", execute, n8n).`,
      `can(key, "package.install", n8n).`,
      `lends(key, smtp).`,
      `opens(smtp, mailer).`,
      `principal(mailer, "kept mail").`,
      `can(mailer, use, customers).`,
      `people(customers, 3).`,
    ],
    "people_mailable",
    3,
  ],
  [
    "calls of a model that nothing bounds",
    [
      `uses(model, key).`,
      `may(model, "message.create", write, messages).`,
      `can(key, "message.create", messages).`,
      `billed(key, unbounded).`,
    ],
    "compute_usable",
    "unbounded",
  ],
];
/** What a way can do without: its outcome is only larger by it, or it says where. */
const SPARE = /^principal\((?:editor|ssh), |^host\(/;
for (const [way, facts, outcome, amount] of WAYS) {
  test(`${way}: ${outcome} ${String(amount)}, and nothing without any one of its facts`, () => {
    assert.equal(amountOf(facts, outcome), amount);
    for (const left of facts) {
      if (
        SPARE.test(left) &&
        amountOf(
          facts.filter((one) => one !== left),
          outcome,
        ) !== 0
      )
        continue;
      assert.equal(
        amountOf(
          facts.filter((one) => one !== left),
          outcome,
        ),
        0,
        `without ${left}`,
      );
    }
  });
}
