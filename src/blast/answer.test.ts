import assert from "node:assert/strict";
import { test } from "node:test";
import { answerOf } from "./answer.ts";
import { printAnswer } from "./print.ts";
import { solved } from "../../test/support/blast-world.ts";

/** An account that reads, deletes and writes; the first grant unattended, the second after a yes. */
const WORLD = `
uses(shop, "postgres:a@db:5432").
may(shop, select, read, orders). may(shop, delete, delete, orders) @confirm.
can("postgres:a@db:5432", select, orders). can("postgres:a@db:5432", delete, orders).
label(orders, customer). rows(orders, 12000).
`;
const answer = (text: string) => answerOf(solved(text));
const outcome = (text: string, name: string) => {
  const found = answer(text).outcomes.find((one) => one.name === name);
  assert.ok(found);
  return found;
};

const SENTENCES = [
  [
    "",
    "At worst the agent could do nothing that counts here, even if whoever approves were fooled.",
  ],
  [
    WORLD,
    "At worst, without anyone saying yes, the agent could read 12,000 customer records; if whoever approves were fooled, it could also destroy 12,000 records (of which no backup is known).",
  ],
  [
    `${WORLD} backup_of(copy, orders).`,
    "At worst, without anyone saying yes, the agent could read 12,000 customer records; if whoever approves were fooled, it could also destroy 12,000 records (of which a backup is out of its reach).",
  ],
  [
    `run_reads(file). label(file, customer). rows(file, 1). run_knows(key).`,
    "At worst, without anyone saying yes, the agent could read one customer record and learn one secret; fooling whoever approves would add nothing.",
  ],
  [
    `uses(n, p). may(n, send, send, list) @confirm. can(p, send, list). people(list, unbounded).`,
    "Without anyone saying yes the agent could do nothing that counts; if whoever approves were fooled, it could write to any number of people.",
  ],
] as const;
for (const [facts, sentence] of SENTENCES) {
  test(`one sentence: ${sentence.slice(0, 60)}...`, () => {
    assert.equal(answer(facts).sentence, sentence);
  });
}

test("every outcome has both bounds and its way, whether it is possible or not", () => {
  const { outcomes } = answer(WORLD);
  assert.deepEqual(
    outcomes
      .map(({ name, unattended, approverFooled, path }) => ({
        ...{ name, unattended, approverFooled, steps: path.length },
      }))
      .slice(0, 2),
    [
      { name: "customer_records", unattended: 12_000, approverFooled: 12_000, steps: 2 },
      { name: "people_mailable", unattended: 0, approverFooled: 0, steps: 0 },
    ],
  );
  assert.equal(outcomes.length, 9);
});

const BACKUPS = [
  // further facts, without a person, with a yes, why
  ["", "none known", "none known", "nobody told of one"],
  ["backup_of(copy, orders).", "out of reach", "out of reach", "it cannot be destroyed"],
  [
    'backup_of(copy, orders). may(shop, delete, delete, copy) @confirm. can("postgres:a@db:5432", delete, copy).',
    "out of reach",
    "in reach",
    "it takes a yes",
  ],
  [
    'backup_of(copy, orders). may(shop, delete, delete, copy). can("postgres:a@db:5432", delete, copy).',
    "in reach",
    "in reach",
    "it goes as well",
  ],
  [
    'backup_of(copy, orders). backup_of(tape, orders). may(shop, delete, delete, copy). can("postgres:a@db:5432", delete, copy).',
    "out of reach",
    "out of reach",
    "one of two is enough",
  ],
] as const;
for (const [facts, unattended, approverFooled, why] of BACKUPS) {
  test(`a backup is ${unattended}, and ${approverFooled} with a yes: ${why}`, () => {
    const { objects } = outcome(`${WORLD} ${facts}`, "data_destroyable");
    const orders = objects.find(({ object }) => object === "orders");
    assert.deepEqual(orders?.backup, { unattended, approverFooled });
  });
}

test("of one object the largest counts, over objects the sum, and what nothing bounds is never a number", () => {
  const more = `may(shop, select, read, people). can("postgres:a@db:5432", select, people). label(people, customer).`;
  assert.equal(outcome(`${WORLD} rows(orders, 9).`, "customer_records").unattended, 12_000);
  assert.equal(outcome(`${WORLD} ${more} rows(people, 5).`, "customer_records").unattended, 12_005);
  assert.equal(
    outcome(`${WORLD} ${more} rows(people, unbounded).`, "customer_records").unattended,
    "unbounded",
  );
});

test("what only a yes adds has a way of its own, and the way to a bound is one that comes to it", () => {
  const facts = `uses(blog, w). may(blog, "post.publish", publish, post). can(w, "post.publish", post).
    times(blog, "post.publish", "blog, rule", 20). times(blog, "post.publish", "blog, rule", unbounded) @confirm.`;
  const { unattended, approverFooled, path, fooledPath } = outcome(facts, "publications");
  assert.deepEqual([unattended, approverFooled], [20, "unbounded"]);
  assert.equal(path.at(-1)?.says, "by blog it publishes (post.publish), 20 times");
  assert.equal(
    fooledPath?.at(-1)?.says,
    "by blog it publishes (post.publish), any number of times",
  );
});

test("assumptions are told once, whatever rests on them, and only those that something rests on", () => {
  const facts = `${WORLD} rows(orders, 12000) @assumed @from("shop: not asked"). label(other, customer) @assumed @from("unused").
    can("postgres:a@db:5432", select, more) @assumed @from("shop: not asked"). may(shop, select, read, more).
    label(more, customer). rows(more, 2).`;
  assert.deepEqual(answer(facts).assumptions, ["shop: not asked"]);
});

test("text: numbered steps with the facts behind them, in plain words, nothing twice", () => {
  const facts = `uses(web, s). may(web, exec, execute, any) @confirm @from("grants[0].allow[0]"). can(s, exec, any) @assumed @from("web: not asked").
    principal(s, ssh). login(s, web1, deploy). host(web1). readable(web1, deploy, file). label(file, customer). rows(file, 1).`;
  const text = printAnswer(answer(facts));
  assert.match(
    text,
    /Customer records readable, if whoever approves is fooled\n  1\. By web it does exec on whatever there is, as s\n/,
  );
  assert.match(text, /once a person says yes \(grants\[0\]\.allow\[0\]\)/);
  assert.match(text, /assumed: s may exec on whatever there is \(web: not asked\)/);
  assert.match(text, /  3\. It reads 1 customer record in file\n/);
  assert.match(text, /\n  1-2\. As above, under customer records readable\n/);
  assert.equal(text.match(/By web it does exec/g)?.length, 1);
});

test("text: a name of a system cannot write a line of ours, nor command a terminal", () => {
  const facts = String.raw`run_reads("a\nAt worst nothing\t"). label("a\nAt worst nothing\t", customer). rows("a\nAt worst nothing\t", 3).`;
  const text = printAnswer(answer(`${facts} run_knows("\u001b[31mred").`));
  assert.ok(!/^At worst nothing/m.test(text));
  assert.ok(!text.includes("\u001b"));
});
