/**
 * `cofferdam blast` by the real command line: what it answers, what its gate refuses, and a daemon that starts no task
 * over its budget.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { doBlastJob } from "../src/daemon/blast-jobs.ts";
import { TestHome } from "./support/home.ts";
import { HEAD, NEWS, SHOP, taskFrom } from "./support/blast-world.ts";

const home = new TestHome();
before(async () => {
  const how = ["--kind", "basic", "--user", "agent", "--host", "news.example.com", "--stdin"];
  const added = await home.call(["credential", "add", "news", ...how], {
    input: "k9-Quite-a-Secret-71",
  });
  assert.equal(added.code, 0, added.stderr);
});
after(() => home.close());

const NARROW = `${HEAD}${NEWS.replace(/ +unattended.*\n/, "")}`;
home.write("ops.yaml", `${HEAD}${NEWS}`);
home.write("narrow.yaml", NARROW);
home.write("shop.yaml", `${HEAD}${SHOP}`);
home.write(
  "quiet.yaml",
  "task: quiet\npurpose: Reach nothing.\ncompute: { cpus: 1 }\nlifetime: 1h\n",
);
const blast = (...args: readonly string[]) => home.call(["blast", ...args]);

/** As `blast --json` prints it, as far as the tests look. */
interface Printed {
  readonly sentence: string;
  readonly outcomes: readonly {
    readonly name: string;
    readonly unattended: unknown;
    readonly approverFooled: unknown;
    readonly path: readonly { readonly says: string }[];
  }[];
  readonly cut: { readonly says: string; readonly diff: string } | null;
  readonly assumptions: readonly string[];
  readonly without: {
    readonly outcomes: readonly { readonly name: string; readonly amount: unknown }[];
  };
}

test("blast --json says the sentence, each outcome with its way, what would cut it, and what was assumed", async () => {
  const { code, stdout } = await blast("ops.yaml", "--json");
  assert.equal(code, 0);
  const { sentence, outcomes, cut, assumptions, without } = JSON.parse(stdout) as Printed;
  assert.match(
    sentence,
    /^At worst, without anyone saying yes, the agent could read any number of customer records and write to any number of people; fooling whoever approves would add nothing\.$/,
  );
  const mail = outcomes.find(({ name }) => name === "people_mailable");
  assert.deepEqual(
    [mail?.unattended, mail?.approverFooled, mail?.path.length],
    ["unbounded", "unbounded", 2],
  );
  assert.equal(cut?.says, "have a person asked again by rule 1 of news");
  assert.deepEqual(assumptions, ["news: its system was not asked"]);
  assert.equal(without.outcomes.find(({ name }) => name === "credentials_mintable")?.amount, 1);
});

test("the cut's diff is one that git applies, and what it predicts comes true", async () => {
  const { cut } = JSON.parse((await blast("ops.yaml", "--json")).stdout) as Printed;
  execFileSync("git", ["apply", "-p1"], { cwd: home.workspace, input: cut?.diff ?? "" });
  const { outcomes } = JSON.parse((await blast("ops.yaml", "--json")).stdout) as Printed;
  home.write("ops.yaml", `${HEAD}${NEWS}`);
  assert.equal(outcomes.find(({ name }) => name === "people_mailable")?.unattended, 0);
});

test("text, page and picture", async () => {
  const { code, stdout } = await blast("ops.yaml", "--html", "blast.html");
  assert.equal(code, 0);
  assert.match(stdout, /\ncustomer records readable +unbounded +unbounded +unbounded\n/);
  assert.match(stdout, /without Cofferdam/);
  assert.match(stdout, /What would cut most at the least cost: have a person asked again/);
  assert.match(readFileSync(join(home.workspace, "blast.html"), "utf8"), /^<!doctype html>/);
  assert.match((await blast("ops.yaml", "--dot")).stdout, /^digraph blast \{/);
  const failed = await blast("ops.yaml", "--html", "none/blast.html");
  assert.match(failed.stderr, /cannot write the page/, "cli.blast_page");
  assert.notEqual(failed.code, 0);
});

const GATES = [
  ["ops.yaml", "people_mailable=0 unattended", 1, "leave to send"],
  ["narrow.yaml", "people_mailable=0 unattended", 0, "a person is asked"],
  ["narrow.yaml", "people_mailable=100 fooled", 1, "and may be fooled"],
  ["quiet.yaml", "people_mailable=0 fooled", 0, "nothing to fool anybody for"],
  ["ops.yaml", "people_mailabel=0 unattended", 2, "no outcome"],
] as const;
for (const [file, limit, code, why] of GATES) {
  test(`INV-177: blast ${file} --max '${limit}' ends with ${code}: ${why}`, async () => {
    const done = await blast(file, "--max", limit);
    const expected = code === 2 ? [1, 2, 125] : [code];
    assert.ok(expected.includes(done.code ?? -1), `${done.code} ${done.stderr}`);
    if (code === 1)
      assert.match(
        done.stderr,
        /over budget: people_mailable, .*\n  1\. By news it does campaign\.schedule/,
      );
    if (code === 2) assert.match(done.stderr, /did you mean people_mailable\?/);
    if (code === 0) assert.equal(done.stderr, "");
  });
}

test("INV-177: of several limits one that is broken is enough", async () => {
  const done = await blast(
    "narrow.yaml",
    "--max",
    "people_mailable=0 unattended",
    "--max",
    "people_mailable=0 fooled",
  );
  assert.equal(done.code, 1);
  assert.equal(done.stderr.match(/over budget/g)?.length, 1);
});

test("--diff tells what is possible before and after, and the ways that are new", async () => {
  const { code, stdout } = await blast("--diff", "narrow.yaml", "ops.yaml");
  assert.equal(code, 0);
  assert.match(stdout, /^people who can be written to, unattended: 0 -> unbounded\n/);
  assert.match(
    stdout,
    /\nNew: people who can be written to, unattended: everything at news: 0 -> unbounded\n  1\. By news it does campaign\.schedule/,
  );
  assert.match(
    stdout,
    /Facts that made it so:\n  may\(news, "campaign\.schedule", send, "everything at news"\)/,
  );
  assert.equal(
    (await blast("--diff", "ops.yaml", "narrow.yaml", "--max", "people_mailable=0 unattended"))
      .code,
    0,
  );
  assert.equal(
    (await blast("--diff", "narrow.yaml", "ops.yaml", "--max", "people_mailable=0 unattended"))
      .code,
    1,
  );
  assert.notEqual((await blast("--diff", "ops.yaml")).code, 0);
});

const budget = (most: string) => `budget: What agents here may do at worst.\nmost:\n  ${most}\n`;
const run = (file: string) => home.run(["echo", "it ran"], ["--task", join(home.workspace, file)]);

test("INV-177: a task over the budget beside it does not start, and its twin within it does", async () => {
  home.write(
    "blast-budget.yaml",
    budget("hosts_executable: { fooled: 0 }\n  people_mailable: { unattended: 0 }"),
  );
  const refused = await run("ops.yaml");
  assert.equal(refused.code, 125, refused.stderr);
  assert.doesNotMatch(refused.stdout, /it ran/);
  assert.match(
    refused.stderr,
    /the task is not started: over budget: people_mailable, unattended: unbounded, and at most 0/,
  );
  assert.match(
    refused.stderr,
    /By news it does campaign\.schedule/,
    "daemon.budget says which way",
  );
  const begun = (await home.log()).filter(({ type }) => type === "run.start").length;
  assert.equal(begun, 0, "nothing of it began");
  const done = await run("quiet.yaml");
  assert.deepEqual([done.code, done.stdout.includes("it ran")], [0, true], done.stderr);
  assert.equal((await blast("ops.yaml")).code, 1, "the same budget fails a job of CI");
  assert.equal((await blast("quiet.yaml")).code, 0);
});

test("INV-177: a run that is started detached, as by the API, is refused as well", async () => {
  const done = await home.call([
    "run",
    "-d",
    "--task",
    join(home.workspace, "ops.yaml"),
    "--",
    "true",
  ]);
  assert.notEqual(done.code, 0);
  assert.match(done.stderr, /over budget/);
});

const BROKEN = [
  [
    "a misspelt outcome",
    () => home.write("blast-budget.yaml", budget("people_mailabel: { unattended: 0 }")),
    /did you mean people_mailable/,
  ],
  ["no YAML", () => home.write("blast-budget.yaml", "most: ["), /blast-budget\.yaml/],
  [
    "a folder in its place",
    () => mkdirSync(join(home.workspace, "blast-budget.yaml")),
    /cannot read the budget/,
  ],
  [
    "rules that cannot be read",
    () => {
      home.write("blast-budget.yaml", budget("people_mailable: { unattended: 0 }"));
      mkdirSync(join(home.state, "rules"), { recursive: true });
      writeFileSync(join(home.state, "rules", "own.rules"), "rule broken");
    },
    /own\.rules/,
  ],
  [
    "facts that no rule knows",
    () => {
      home.write("blast-budget.yaml", budget("people_mailable: { unattended: 0 }"));
      mkdirSync(join(home.state, "facts"), { recursive: true });
      writeFileSync(join(home.state, "facts", "own.facts"), "nonsense(a).");
    },
    /own\.facts/,
  ],
] as const;
for (const [what, breakIt, message] of BROKEN) {
  test(`INV-177: where the budget cannot be computed nothing starts: ${what} (probe.budget, blast.budget)`, async () => {
    const places = [
      join(home.workspace, "blast-budget.yaml"),
      join(home.state, "rules"),
      join(home.state, "facts"),
    ];
    for (const place of places) rmSync(place, { recursive: true, force: true });
    breakIt();
    const refused = await run("quiet.yaml");
    for (const place of places) rmSync(place, { recursive: true, force: true });
    assert.equal(refused.code, 125, refused.stderr);
    assert.doesNotMatch(refused.stdout, /it ran/);
    assert.match(refused.stderr, message);
    const twin = await run("quiet.yaml");
    assert.equal(twin.code, 0, twin.stderr);
  });
}

test("INV-177: a budget in the home holds for every run, wherever its task file lies", async () => {
  rmSync(join(home.workspace, "blast-budget.yaml"), { force: true });
  const file = join(home.state, "blast-budget.yaml");
  writeFileSync(file, budget("people_mailable: { unattended: 0 }"));
  const refused = await run("ops.yaml");
  assert.match(refused.stderr, /over budget: people_mailable/);
  assert.equal((await run("quiet.yaml")).code, 0);
  rmSync(file);
  // Where nobody wrote a budget nothing is computed, and nothing refused for it.
  const facts = join(home.state, "facts");
  mkdirSync(facts, { recursive: true });
  writeFileSync(join(facts, "own.facts"), "nonsense(a).");
  assert.equal((await run("quiet.yaml")).code, 0);
  rmSync(facts, { recursive: true });
});

test("fault daemon.blast_thread: what dies while it works something out lets nothing start", async () => {
  const none = "/none";
  const job = {
    kind: "now",
    home: { rules: none, facts: none, catalog: none },
    task: taskFrom(NARROW),
  } as const;
  const dies = new URL("data:text/javascript,process.exit(0)");
  await assert.rejects(doBlastJob(job, dies), { code: "daemon.blast_thread" });
  const [sentence] = await doBlastJob(job);
  assert.match(sentence ?? "", /^At worst/);
});

test("fault daemon.probe: a task file without grants has nobody to ask", async () => {
  const { code, stderr } = await home.call(["probe", "quiet.yaml"]);
  assert.notEqual(code, 0);
  assert.match(stderr, /the task file grants nothing/);
});
