/** Leave for a time is one for all runs, stays used, and is not given back by anything. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import type { Action } from "../action/index.ts";
import { UNKNOWN_PROCESS } from "../action/index.ts";
import { catalogSystems } from "../catalog/index.ts";
import { compileRunPolicy, parseTaskFile } from "../policy/index.ts";
import { Rules } from "./rules.ts";
import { leavesOf, UnattendedStore } from "./unattended-store.ts";

const NOW = Date.parse("2026-11-27T12:00:00Z");
const HOUR = 3_600_000;

interface Changes {
  readonly name?: string;
  readonly credential?: string;
  readonly host?: string;
  readonly paths?: string;
  readonly count?: number;
  readonly per?: string;
}

function taskOf({
  name = "pages",
  credential = "site",
  host = "a.test",
  paths = '"/p", "/q"',
  count = 2,
  per = "per: 1d, ",
}: Changes = {}) {
  const source = `task: ${name}
purpose: A test.
grants:
  - system: http
    name: ${name}
    hosts: [${host}]
    credential: ${credential}
    allow:
      - methods: [POST]
        paths: [${paths}]
        effects: [publish]
        unattended: { count: ${count}, ${per}reason: A test., expires: 2027-01-01 }
`;
  return parseTaskFile(source, "task.yaml", NOW, catalogSystems());
}

/** What becomes of one more action at `atMs`. */
function post(rules: Rules, atMs = NOW, host = "a.test"): string {
  const action: Action = {
    ...{ id: "a-1", run: "r-1", at: new Date(atMs).toISOString(), monoMs: 1 },
    ...{ system: rules.task.grants[0]?.name ?? "", kind: "http", verb: "POST" },
    ...{ effects: ["publish"], target: `https://${host}/p`, summary: "", digest: "" },
    fields: { method: "POST", scheme: "https", host, port: 443, path: "/p" },
    cause: UNKNOWN_PROCESS,
  };
  return rules.decide(action).decision.verdict;
}

function fileOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "cofferdam-unattended-"));
  t.after(() => rmSync(folder, { recursive: true }));
  return join(folder, "unattended.db");
}

const rulesOf = (store: UnattendedStore, changes?: Changes) => {
  const task = taskOf(changes);
  return new Rules(task, compileRunPolicy(task), store);
};

test("INV-135: leave for a day is one for all runs, by credential, system, place and what the rule covers", (t) => {
  const store = new UnattendedStore(fileOf(t), NOW);
  t.after(() => store.close());
  assert.equal(post(rulesOf(store)), "allow");
  assert.equal(post(rulesOf(store, { name: "other" })), "allow", "a task's name is no identity");
  const same = rulesOf(store);
  assert.equal(post(same), "confirm");
  assert.equal(post(same, NOW + 23 * HOUR), "confirm");
  assert.equal(
    post(rulesOf(store, { count: 3 })),
    "allow",
    "a larger count has what is left of it",
  );
  for (const [changes, why] of [
    [{ credential: "another" }, "who acts is another"],
    [{ host: "b.test" }, "where is another place"],
    [{ paths: '"/p"' }, "the rule covers something else"],
    [{ per: "" }, "a count of the run is the run's own"],
  ] as const) {
    const host = "host" in changes ? changes.host : "a.test";
    assert.equal(post(rulesOf(store, changes), NOW, host), "allow", why);
  }
  assert.equal(post(rulesOf(store), NOW + 25 * HOUR), "allow", "a day later there is leave again");
});

test("INV-135: what was used is used after a restart, whatever the clock says; after a year it is forgotten", (t) => {
  const file = fileOf(t);
  const first = new UnattendedStore(file, NOW);
  for (const _ of [1, 2]) assert.equal(post(rulesOf(first)), "allow");
  first.close();
  const second = new UnattendedStore(file, NOW);
  assert.equal(post(rulesOf(second)), "confirm");
  assert.equal(post(rulesOf(second), NOW - 48 * HOUR), "confirm", "a clock set back gives none");
  second.close();
  const third = new UnattendedStore(file, NOW + 367 * 24 * HOUR);
  const [leave = ""] = leavesOf(taskOf()).values();
  assert.deepEqual(third.of(leave), []);
  third.close();
});

test("INV-135: a rule that a living run lost a part of has the leave of before", (t) => {
  const store = new UnattendedStore(fileOf(t), NOW);
  t.after(() => store.close());
  const narrowed = rulesOf(store);
  narrowed.narrow(taskOf({ paths: '"/p"' }));
  assert.equal(post(narrowed), "allow");
  const whole = rulesOf(store);
  assert.equal(post(whole), "allow");
  assert.equal(post(narrowed), "confirm");
  assert.equal(post(whole), "confirm");
});

test("fault daemon.unattended: leave that cannot be kept is not given", (t) => {
  const file = fileOf(t);
  writeFileSync(file, "this is no database, and was never one ".repeat(50));
  assert.throws(() => new UnattendedStore(file, NOW), { code: "daemon.unattended" });
  const store = new UnattendedStore(fileOf(t), NOW);
  const rules = rulesOf(store);
  store.close();
  assert.throws(() => post(rules), { code: "daemon.unattended" });
});
