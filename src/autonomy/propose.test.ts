import assert from "node:assert/strict";
import { test } from "node:test";
import type { Entry } from "../api/index.ts";
import { parseTaskFile, type Task } from "../policy/index.ts";
import { historyOf, propose, type Autonomy } from "./index.ts";

const SOURCE = `task: shop
purpose: Keep the shop in order.
grants:
  - system: http
    name: shop
    hosts: [shop.example.com]
    allow:
      # what is left of old orders
      - { methods: [GET, DELETE], paths: ["/orders/*"], effects: [delete] }
`;
const NOW = Date.parse("2026-11-27T12:00:00.000Z");
const DAY = 86_400_000;
const parse = (source: string): Task => parseTaskFile(source, "shop.yaml", NOW, new Map());

interface Story {
  readonly approvals?: number;
  readonly runs?: number;
  readonly days?: number;
  /** What the last approval came to; `performed` else. */
  readonly last?: string;
  readonly edited?: boolean;
  readonly found?: boolean;
  readonly effect?: string;
  readonly source?: string;
}

/** A record of runs in which persons were asked. */
function entriesOf({
  approvals = 21,
  runs = 3,
  days = 8,
  last = "performed",
  edited = false,
  found = false,
  effect = "delete",
}: Story): readonly Entry[] {
  const entries: Entry[] = [];
  const add = (at: number, entry: Omit<Entry, "seq" | "at" | "monoMs">) =>
    entries.push({ seq: entries.length, at: new Date(at).toISOString(), monoMs: 0, ...entry });
  const start = NOW - days * DAY;
  for (let n = 0; n < runs; n += 1)
    add(start, { type: "run.start", run: `r-${n}`, data: { task: "shop" } });
  for (let n = 0; n < approvals; n += 1) {
    const at = start + (n * days * DAY) / Math.max(1, approvals - 1);
    const [run, action] = [`r-${n % runs}`, `a-${n}`];
    const fields = {
      method: "DELETE",
      scheme: "https",
      host: "shop.example.com",
      port: 443,
      path: `/orders/${n}`,
    };
    const data = { kind: "http", verb: "DELETE", effects: [effect], fields };
    add(at, {
      type: "action",
      run,
      action,
      verdict: "confirm",
      rule: "grants[0].allow[0]",
      system: "shop",
      data,
    });
    const said = { approval: `p-${n}`, verb: "DELETE" };
    if (edited && n === 3)
      add(at, {
        type: "approval",
        run,
        action,
        data: { ...said, state: "shown", reason: "edited: less" },
      });
    add(at, { type: "approval", run, action, data: { ...said, state: "approved" } });
    add(at, {
      type: "approval",
      run,
      action,
      data: { ...said, state: n === approvals - 1 ? last : "performed" },
    });
  }
  if (found) add(NOW, { type: "finding", run: "r-1", data: { finding: "tunnel", detail: "ssh" } });
  return entries;
}

function told(story: Story): Autonomy {
  const source = story.source ?? SOURCE;
  const history = historyOf(entriesOf(story), "shop");
  return propose({ task: parse(source), source, history, nowMs: NOW, parse });
}

test("what was approved often, by itself and without a doubt, is proposed within limits and until a day", () => {
  const [proposal, ...others] = told({}).proposals;
  assert.equal(others.length, 0);
  assert.equal(proposal?.kind, "let-through");
  const task = parse(proposal.source);
  const [rule] = task.grants[0]?.allow ?? [];
  assert.deepEqual(
    [rule?.methods, rule?.paths, rule?.effects],
    [["DELETE"], ["/orders/*"], ["delete"]],
  );
  assert.equal(rule?.unattended?.count, 3);
  assert.equal(rule?.unattended?.perMs, DAY);
  assert.equal(
    new Date((rule?.unattended?.expiresMs ?? 0) - DAY).toISOString().slice(0, 10),
    "2026-12-27",
  );
  assert.match(proposal.source, /# what is left of old orders/);
});

const MISSING: readonly (readonly [Story, RegExp, string])[] = [
  [{ approvals: 19 }, /20 approvals; there are 19/, "too few"],
  [{ runs: 2 }, /3 runs; there are 2/, "one run that was asked twenty times is one case"],
  [{ days: 6 }, /7 days .* there are 6/, "a busy afternoon is no habit"],
  [{ last: "denied" }, /none that a person doubted; one was denied/, "a no"],
  [{ last: "cancelled" }, /took back a yes/, "a yes that was taken back"],
  [{ last: "failed", approvals: 22 }, /none that failed/, "what fails is not settled"],
  [{ edited: true }, /one was changed/, "what persons change they do not agree with"],
  [{ found: true }, /runs without findings; in r-1 there is tunnel/, "a finding in the same run"],
  [{ effect: "administer" }, /administers is asked for each time/, "what makes new authority"],
  [
    { source: SOURCE.replace("grants:", "approvals: { four_eyes: [delete] }\ngrants:") },
    /needs two persons/,
    "four eyes",
  ],
];
for (const [story, missing, why] of MISSING) {
  test(`nothing is proposed: ${why}`, () => {
    const { proposals, waiting } = told(story);
    assert.deepEqual(proposals, []);
    assert.match(waiting[0]?.missing.join("; ") ?? "", missing);
  });
}

test("the record of another task speaks for nothing", () => {
  const history = historyOf(entriesOf({}), "other");
  const { proposals, waiting } = propose({
    task: parse(SOURCE),
    source: SOURCE,
    history,
    nowMs: NOW,
    parse,
  });
  assert.deepEqual([proposals, waiting], [[], []]);
});

const LEAVE = SOURCE.replace(
  ", effects: [delete] }",
  `, effects: [delete], unattended: { count: 5, reason: They are kept elsewhere., expires: 2027-01-01 } }`,
);

for (const [story, evidence, why] of [
  [{ found: true }, /tunnel was found in r-1/, "a finding where it passed"],
  [{ last: "denied" }, /denied DELETE/, "a no to what did not pass any more"],
] as const) {
  test(`leave is proposed to be taken back: ${why}`, () => {
    const entries = entriesOf(story).map((entry) =>
      entry.type === "action" && entry.action !== "a-20"
        ? { ...entry, verdict: "allow" as const }
        : entry,
    );
    const history = historyOf(
      entries.filter(({ type, action }) => type !== "approval" || action === "a-20"),
      "shop",
    );
    const { proposals } = propose({
      task: parse(LEAVE),
      source: LEAVE,
      history,
      nowMs: NOW,
      parse,
    });
    assert.equal(proposals[0]?.kind, "take-back");
    assert.match(proposals[0].evidence.join(), evidence);
    assert.equal(parse(proposals[0].source).grants[0]?.allow[0]?.unattended, undefined);
  });
}

test("leave that nothing speaks against stays", () => {
  const entries = entriesOf({}).map((entry) =>
    entry.type === "action" ? { ...entry, verdict: "allow" as const } : entry,
  );
  const history = historyOf(
    entries.filter(({ type }) => type !== "approval"),
    "shop",
  );
  assert.deepEqual(
    propose({ task: parse(LEAVE), source: LEAVE, history, nowMs: NOW, parse }).proposals,
    [],
  );
});
