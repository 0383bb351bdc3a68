import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import {
  factsOf,
  groundFor,
  HEAD,
  NEWS,
  PROGRAM,
  SHOP,
  taskFrom,
} from "../../../test/support/blast-world.ts";
import { reckonAll, totalOf } from "../answer.ts";
import { solveTask } from "../assess.ts";
import { solve } from "../solve.ts";
import { cutsOf, cutsOfFacts, TRIES_MAX } from "./cut.ts";

/** What `patch` makes of a task file. */
function patched(source: string, diff: string): string {
  const folder = mkdtempSync(join(tmpdir(), "cofferdam-cut-"));
  try {
    writeFileSync(join(folder, "ops.yaml"), source);
    const done = spawnSync("git", ["apply", "--unsafe-paths", "-p1", "-"], {
      cwd: folder,
      input: diff,
    });
    assert.equal(done.status, 0, done.stderr.toString());
    return readFileSync(join(folder, "ops.yaml"), "utf8");
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const PROBED = `principal("postgres:shop-agent@db.example.com:5432", postgres) @from("asked").
at("postgres:shop-agent@db.example.com:5432", "db.example.com:5432").
can("postgres:shop-agent@db.example.com:5432", select, "db/shop public.orders"). named("db/shop public.orders", "public.orders").
can("postgres:shop-agent@db.example.com:5432", select, "db/shop public.customers"). named("db/shop public.customers", "public.customers").
label("db/shop public.customers", customer). rows("db/shop public.customers", 12000). rows("db/shop public.orders", 4).`;

const FILES = [
  ["leave to send, which nobody needs", `${HEAD}${NEWS}`, ""],
  ["a database that was asked, and one of two tables with customers", `${HEAD}${SHOP}`, PROBED],
  ["several grants, none of them asked", `${HEAD}${NEWS}${SHOP}`, ""],
  [
    "a token passed in",
    `${HEAD.replace("compute:", "environment: [LANG, DEPLOY_TOKEN]\ncompute:")}${NEWS}`,
    "",
  ],
  ["no end of a last line", `${HEAD}${NEWS}`.trimEnd(), ""],
  [
    "another indentation",
    `task: ops\npurpose: p\ngrants:\n-   system: ssh\n    name: web\n    hosts: [w.example.com]\n    credential: w\n    with: {host_key: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ9v1yq3ZkJ3m1m1m1m1m1m1m1m1m1m1m1m1m1m1m1m1"}\n    allow:\n    -   verbs: [exec]   # anything\n    -   verbs: [sftp.read]\n`,
    "",
  ],
] as const;
for (const [what, source, known] of FILES) {
  test(`INV-178: a cut's diff, applied, gives what was predicted: ${what}`, async () => {
    const task = taskFrom(source);
    const ground = await groundFor(task, known);
    const solution = solveTask(task, ground);
    const cuts = cutsOf({ source, name: "ops.yaml", read: taskFrom }, task, solution, ground);
    assert.ok(cuts.length > 0, "something can be cut");
    for (const { diff = "", cuts: smaller } of cuts) {
      const after = solveTask(taskFrom(patched(source, diff)), ground);
      for (const { outcome, before, after: told } of smaller) {
        const was = reckonAll(solution, outcome);
        const now = reckonAll(after, outcome);
        for (const which of ["unattended", "approverFooled"] as const) {
          assert.equal(totalOf(was, which), before[which]);
          assert.equal(totalOf(now, which), told[which]);
        }
      }
    }
  });
}

const cutsFor = async (source: string, known = "") => {
  const task = taskFrom(source);
  const ground = await groundFor(task, known);
  return cutsOf(
    { source, name: "ops.yaml", read: taskFrom },
    task,
    solveTask(task, ground),
    ground,
  );
};

test("what takes nothing from the task comes first: a person is asked again", async () => {
  const [best] = await cutsFor(`${HEAD}${NEWS}`);
  assert.equal(best?.says, "have a person asked again by rule 1 of news");
  assert.deepEqual([best.takes, best.asks], [[], ["news: campaign.schedule"]]);
  const mailable = best.cuts.find(({ outcome }) => outcome === "people_mailable");
  assert.deepEqual(mailable?.after, { unattended: 0, approverFooled: "unbounded" });
});

test("a table of customers goes, and the others stay", async () => {
  const [best] = await cutsFor(`${HEAD}${SHOP}`, PROBED);
  assert.match(best?.diff ?? "", /^\+.*on: \[public\.orders\]/m);
  const records = best?.cuts.find(({ outcome }) => outcome === "customer_records");
  assert.deepEqual(records?.before, { unattended: 12_000, approverFooled: 12_000 });
  assert.deepEqual(records.after, { unattended: 0, approverFooled: 0 });
  assert.deepEqual(best?.takes, []);
});

test("comments and everything else of the file stay as they are", async () => {
  const source = `${HEAD}${NEWS}`;
  for (const { diff = "" } of await cutsFor(source)) {
    const kept = new Set(patched(source, diff).split("\n"));
    const removed = source.split("\n").filter((line) => !kept.has(line));
    assert.ok(removed.length <= 2 || removed.some((line) => line.includes("system:")), diff);
  }
  const [best] = await cutsFor(source);
  assert.match(patched(source, best?.diff ?? ""), /# Drafts only, says the office\./);
});

test("of a task that can do nothing that counts nothing is cut", async () => {
  assert.deepEqual(await cutsFor("task: t\npurpose: p\ncompute: { cpus: 1 }\nlifetime: 1h\n"), []);
});

test("of facts alone the changes that they name are tried, without a diff", () => {
  const facts =
    factsOf(`uses(n, p). may(n, send, send, list) @change("grants[0].allow[0]"). can(p, send, list). people(list, 40).
    may(n, send, send, other) @change("grants[0].allow[1]"). can(p, send, other). people(other, 2).`);
  const [best] = cutsOfFacts(solve(PROGRAM, facts), facts);
  assert.equal(best?.says, "change grants[0].allow[0]");
  assert.equal(best.diff, undefined);
  assert.deepEqual(best.cuts[0]?.after, { unattended: 2, approverFooled: 2 });
});

test(`no more than ${TRIES_MAX} changes are tried, however many there are`, async () => {
  const many = Array.from({ length: 40 }, (_, at) =>
    NEWS.replace("name: news ", `name: news${at} `).replace("news.example", `news${at}.example`),
  );
  const source = `${HEAD}${many.join("")}`;
  let read = 0;
  const task = taskFrom(source);
  const ground = await groundFor(task);
  const counted = (text: string) => {
    read += 1;
    return taskFrom(text);
  };
  cutsOf({ source, name: "ops.yaml", read: counted }, task, solveTask(task, ground), ground);
  assert.ok(read > 0 && read <= TRIES_MAX, String(read));
});
