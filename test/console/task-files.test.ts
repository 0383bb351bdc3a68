/**
 * Endpoints on task files: what a browser's session may read and write, and that answers are those of the command line.
 */
import assert from "node:assert/strict";
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Page } from "playwright-core";
import type { Answers, ApiName, Asks, ListedTask } from "../../src/api/index.ts";
import { HEAD, NEWS, SHOP } from "../support/blast-world.ts";
import { openDesk, type Desk } from "./kit.ts";

let desk: Desk;
let page: Page;
before(async () => {
  desk = await openDesk();
  page = await desk.signedIn();
});
after(() => desk.close());

interface Refusal {
  readonly code: string;
  readonly message: string;
}

/** Asks as a page does. */
async function ask<Name extends ApiName>(
  name: Name,
  asks: Asks<Name>,
): Promise<{ readonly status: number; readonly body: Answers<Name> & Refusal }> {
  return page.evaluate(
    async ([path, body]) => {
      // The other half of a session.
      const { localStorage } = globalThis as unknown as {
        readonly localStorage: { getItem(name: string): string | null };
      };
      const response = await fetch(path ?? "", {
        method: "POST",
        headers: {
          "content-type": "application/json",
          "x-cofferdam-key": localStorage.getItem("cofferdam.key") ?? "",
        },
        body: body ?? "",
      });
      return { status: response.status, body: (await response.json()) as never };
    },
    [`/api/${name}`, JSON.stringify(asks)],
  );
}

const OPS = `${HEAD}${NEWS}`;
const tasks = () => join(desk.home.state, "tasks");
const save = (name: string, source: string, base?: string) =>
  ask("task.save", { name, source, ...(base === undefined ? {} : { base }) });

test("INV-195: a text is saved where its writer saw what it takes the place of, and nowhere else", async () => {
  const made = await save("ops.yaml", OPS);
  assert.equal(made.status, 200, made.body.message);
  assert.equal(readFileSync(join(tasks(), "ops.yaml"), "utf8"), OPS);
  assert.equal(statSync(join(tasks(), "ops.yaml")).mode & 0o777, 0o600);
  assert.equal(statSync(tasks()).mode & 0o777, 0o700);

  const again = await save("ops.yaml", `${OPS}# more\n`);
  assert.deepEqual([again.status, again.body.code], [409, "console.task_changed"]);
  const next = await save("ops.yaml", `${OPS}# more\n`, made.body.digest);
  assert.equal(next.status, 200, next.body.message);
  const stale = await save("ops.yaml", OPS, made.body.digest);
  assert.deepEqual([stale.status, stale.body.code], [409, "console.task_changed"]);
  const gone = await save("none.yaml", OPS, made.body.digest);
  assert.deepEqual([gone.status, gone.body.code], [409, "console.task_changed"]);
  assert.deepEqual(readdirSync(tasks()), ["ops.yaml"], "nothing half-written is left");
  const { body } = await ask("task.read", { place: "tasks/ops.yaml" });
  assert.deepEqual(
    [body.source, body.digest, body.isEditable],
    [`${OPS}# more\n`, next.body.digest, true],
  );
});

test("INV-195: of twenty that save at once over the same text one does", async () => {
  const { digest } = (await save("race.yaml", OPS)).body;
  const all = await Promise.all(
    Array.from({ length: 20 }, (_, at) => save("race.yaml", `${OPS}# ${at}\n`, digest)),
  );
  assert.deepEqual(all.map(({ status }) => status).sort(), [200, ...Array(19).fill(409)]);
});

const NAMES = [
  "../evil.yaml",
  "..%2fevil.yaml",
  "/etc/evil.yaml",
  "a/b.yaml",
  ".hidden.yaml",
  "evil.yaml/",
  "evil.yaml\n",
  "evil\0.yaml",
  "evil.txt",
  "evil",
  ".yaml",
  "..",
  "",
  `${"a".repeat(62)}.yaml`,
  "é.yaml",
  "a\\b.yaml",
];
for (const name of NAMES) {
  test(`INV-195: ${JSON.stringify(name)} is no name of a file to write or to read`, async () => {
    const { status, body } = await save(name, OPS);
    assert.deepEqual([status, body.code], [400, "console.request"]);
    const read = await ask("task.read", { place: `tasks/${name}` });
    assert.notEqual(read.status, 200);
    const assessed = await ask("blast.assess", { place: `tasks/${name}`, source: OPS });
    assert.notEqual(assessed.status, 200, "nor beside which budgets are looked for");
  });
}

test("INV-195: links, folders and what others may write are not read, and never written through", async () => {
  const outside = join(desk.home.workspace, "outside.yaml");
  writeFileSync(outside, OPS);
  symlinkSync(outside, join(tasks(), "link.yaml"));
  symlinkSync(join(desk.home.workspace, "made.yaml"), join(tasks(), "dangling.yaml"));
  mkdirSync(join(tasks(), "folder.yaml"));
  writeFileSync(join(tasks(), "open.yaml"), OPS);
  chmodSync(join(tasks(), "open.yaml"), 0o666);
  for (const name of ["link.yaml", "dangling.yaml", "folder.yaml", "open.yaml"]) {
    const read = await ask("task.read", { place: `tasks/${name}` });
    assert.deepEqual([read.status, read.body.code], [400, "console.task_file"], name);
    const saved = await save(name, `${OPS}# x\n`);
    assert.notEqual(saved.status, 200, name);
  }
  assert.equal(readFileSync(outside, "utf8"), OPS);
  assert.ok(!existsSync(join(desk.home.workspace, "made.yaml")));
  const { body } = await ask("task.list", {});
  const places = new Set(body.tasks.map(({ place }) => place));
  assert.ok(places.has("tasks/ops.yaml") && !places.has("tasks/link.yaml"));
  // The twin: one file under a second name is written in place of, not through.
  linkSync(outside, join(tasks(), "second.yaml"));
  const { digest } = (await ask("task.read", { place: "tasks/second.yaml" })).body;
  assert.equal((await save("second.yaml", `${OPS}# own\n`, digest)).status, 200);
  assert.equal(readFileSync(outside, "utf8"), OPS);
  for (const name of ["link.yaml", "dangling.yaml", "folder.yaml", "open.yaml", "second.yaml"])
    rmSync(join(tasks(), name), { recursive: true });
});

const TEXTS = [
  ["no YAML", "task: [", "console.task_text"],
  ["another kind of file", "budget: x\nmost: {}\n", "console.task_text"],
  ["nothing", "", "console.task_text"],
  ["an alias", "task: &a x\npurpose: *a\n", "console.task_text"],
  ["a mark that turns text", `${OPS}# \u202e\n`, "console.task_text"],
  ["leave that has run out", OPS.replace("2027-06-01", "2020-01-01"), "console.task_text"],
  ["more than is read", "#".repeat(64 * 1024 + 1), "console.request"],
] as const;
for (const [what, source, code] of TEXTS) {
  test(`a text is not saved that is ${what}`, async () => {
    const { status, body } = await save("bad.yaml", source);
    assert.deepEqual([status, body.code], [400, code], body.message);
    assert.ok(!existsSync(join(tasks(), "bad.yaml")));
  });
}

test("places that are nowhere are refused, and those that ship are read only", async () => {
  for (const place of ["tasks/none.yaml", "profile/none", "run/r-none"]) {
    const { status, body } = await ask("task.read", { place });
    assert.deepEqual([status, body.code], [404, "console.no_such_task"], place);
  }
  for (const place of ["/etc/passwd", "run/../x", "profile/../x", "other/x", "tasks/"]) {
    assert.equal((await ask("task.read", { place })).body.code, "console.request", place);
  }
  const shell = await ask("task.read", { place: "profile/shell" });
  assert.deepEqual([shell.status, shell.body.isEditable], [200, false]);
});

test("task.check tells each fault with its place and fix, and of a sound text what it means", async () => {
  const wrong = await ask("task.check", {
    place: "tasks/new.yaml",
    source: OPS.replace("purpose", "purpos"),
  });
  const misspelt = wrong.body.problems.find(({ hint }) => hint.includes('did you mean "purpose"'));
  assert.deepEqual([misspelt?.line, misspelt?.column], [3, 1]);
  assert.deepEqual(wrong.body.parts, []);
  const { body } = await ask("task.check", { place: "tasks/new.yaml", source: `${OPS}${SHOP}` });
  assert.deepEqual(body.problems, []);
  const news = body.parts.find(({ about }) => about === "news");
  assert.equal(news?.line, 6);
  assert.match(news.sentences.join(" "), /it may ask for campaign\.read and campaign\.schedule/);
  const { allows = [], denies = [] } = news.verdicts ?? {};
  assert.ok(allows.includes("campaign.read"));
  assert.ok(denies.includes("subscriber.delete"), denies.join(" "));
  const shop = body.parts.find(({ about }) => about === "shop");
  assert.deepEqual(shop?.verdicts?.waits, ["delete"]);
  const told = body.parts.flatMap(({ sentences }) => sentences).join("\n");
  desk.home.write("ops.yaml", `${OPS}${SHOP}`);
  const printed = await desk.home.call(["check", "ops.yaml"]);
  assert.equal(`${told}\n`, printed.stdout, "the sentences of the command line");
});

test("task.help says what a key is for and what may stand there", async () => {
  const { body } = await ask("task.help", {
    source: "task: x\nlifetime: 1h\n",
    line: 2,
    column: 4,
  });
  assert.deepEqual([body.path, body.isKey, body.word], ["", true, "lifetime"]);
  assert.match(body.says, /at the latest/);
  assert.equal((await ask("task.help", { source: "", line: 0, column: 1 })).status, 400);
});

test("blast.assess answers as `cofferdam blast --json` does", async () => {
  desk.home.write("ops.yaml", `${OPS}${SHOP}`);
  const printed = JSON.parse((await desk.home.call(["blast", "ops.yaml", "--json"])).stdout) as {
    sentence: string;
    outcomes: Record<string, unknown>[];
    assumptions: string[];
    cut: Record<string, unknown>;
    moreCuts: unknown[];
    without: { outcomes: { name: string; amount: unknown; path: unknown }[] };
  };
  const asks = { place: "tasks/ops.yaml", source: `${OPS}${SHOP}`, cuts: true } as const;
  const { body } = await ask("blast.assess", asks);
  assert.equal(body.sentence, printed.sentence);
  assert.deepEqual(body.assumptions, printed.assumptions);
  for (const [at, outcome] of body.outcomes.entries()) {
    const { name, says, unattended, approverFooled, path, fooledPath } = outcome;
    const told = { name, says, unattended, approverFooled, path };
    const { objects: _objects, backup: _backup, ...own } = printed.outcomes[at] ?? {};
    assert.deepEqual({ ...told, ...(fooledPath === undefined ? {} : { fooledPath }) }, own);
    const bare = printed.without.outcomes[at];
    assert.deepEqual([outcome.without, outcome.withoutPath], [bare?.amount, bare?.path]);
  }
  assert.equal(body.cuts.length, 1 + printed.moreCuts.length);
  const [{ source, ...cut } = { source: "" }] = body.cuts;
  assert.deepEqual(cut, printed.cut);
  const after = await ask("blast.assess", { ...asks, source });
  const predicted = body.cuts[0]?.cuts[0];
  const outcome = after.body.outcomes.find(({ name }) => name === predicted?.outcome);
  assert.equal(outcome?.unattended, predicted?.after.unattended, "the cut, tried");
});

test("the picture has each way in it, box by box, and every box its place", async () => {
  const { body } = await ask("blast.assess", { place: "tasks/ops.yaml", source: `${OPS}${SHOP}` });
  const { nodes = [], edges = [], width = 0, height = 0 } = body.picture ?? {};
  const ids = new Set(nodes.map(({ id }) => id));
  for (const { boxes, fooledBoxes, approverFooled, name } of body.outcomes) {
    if (approverFooled === 0) continue;
    assert.ok(boxes.includes(name) && boxes.includes("start"), name);
    for (const id of [...boxes, ...fooledBoxes]) assert.ok(ids.has(id), id);
  }
  for (const { from, to, curve } of edges) assert.ok(ids.has(from) && ids.has(to) && curve !== "");
  for (const { x, y } of nodes) assert.ok(x > 0 && x < width && y > 0 && y < height);
  assert.equal(body.places["grants[1].allow[0]"]?.says, "rule 1 of shop");
  const none = await ask("blast.assess", { place: "tasks/ops.yaml", source: OPS, picture: "none" });
  assert.equal(none.body.picture, undefined);
  const bare = await ask("blast.assess", {
    place: "tasks/ops.yaml",
    source: OPS,
    picture: "without",
  });
  assert.ok((bare.body.picture?.nodes.length ?? 0) > 1);
});

const mailable = async (whatIf: Asks<"blast.assess">["whatIf"], source = `${OPS}${SHOP}`) => {
  const asks = { place: "tasks/ops.yaml", source, ...(whatIf === undefined ? {} : { whatIf }) };
  const { body } = await ask("blast.assess", asks);
  const outcome = body.outcomes.find(({ name }) => name === "people_mailable");
  return [outcome?.unattended, outcome?.approverFooled];
};

test("what-if questions are solved anew: a grant less, an approver fooled or never there, leave for a verb", async () => {
  const asked = `${OPS}${SHOP}`.replace(/ +unattended.*\n/, "");
  assert.deepEqual(await mailable({}, asked), [0, "unbounded"]);
  assert.deepEqual(await mailable({ approver: "fooled" }, asked), ["unbounded", "unbounded"]);
  assert.deepEqual(await mailable({ approver: "never" }, asked), [0, 0]);
  assert.deepEqual(await mailable({ withoutGrants: ["news"] }, asked), [0, 0]);
  assert.deepEqual(await mailable({ withoutGrants: ["shop"] }, asked), [0, "unbounded"]);
  const leave = [{ grant: "news", verb: "campaign.schedule" }];
  assert.deepEqual(await mailable({ leave }, asked), ["unbounded", "unbounded"]);
});

test("what-if questions: without a fact that was probed", async () => {
  const facts = join(desk.home.state, "facts");
  mkdirSync(facts, { recursive: true });
  const who = "postgres:shop-agent@db.example.com:5432";
  writeFileSync(
    join(facts, "shop.facts"),
    `principal("${who}", postgres) @from("asked"). at("${who}", "db.example.com:5432").
can("${who}", select, "db/shop public.customers"). named("db/shop public.customers", "public.customers").
label("db/shop public.customers", customer). rows("db/shop public.customers", 12000).`,
  );
  const records = async (withoutFacts: string[]) => {
    const asks = { place: "tasks/shop.yaml", source: `${HEAD}${SHOP}`, whatIf: { withoutFacts } };
    const { body } = await ask("blast.assess", asks);
    const outcome = body.outcomes.find(({ name }) => name === "customer_records");
    return {
      amount: outcome?.unattended,
      facts: outcome?.path.flatMap((step) => step.facts) ?? [],
    };
  };
  const known = await records([]);
  assert.equal(known.amount, 12_000);
  const can = known.facts.find(({ fact }) => fact.startsWith("can("));
  assert.ok(can !== undefined, "a fact of the way, as it is written there");
  assert.equal((await records([can.fact])).amount, 0);
  rmSync(join(facts, "shop.facts"));
  assert.equal((await records([])).amount, "unbounded", "facts are read again where they changed");
});

test("blast.compare tells what a text makes possible, and the budget that it breaks", async () => {
  writeFileSync(
    join(tasks(), "blast-budget.yaml"),
    "budget: What agents here may do.\nmost:\n  people_mailable: { unattended: 0 }\n",
  );
  const narrow = OPS.replace(/ +unattended.*\n/, "");
  const { body } = await ask("blast.compare", {
    place: "tasks/ops.yaml",
    before: narrow,
    after: OPS,
  });
  const mail = body.outcomes.find(({ name }) => name === "people_mailable");
  assert.deepEqual([mail?.before.unattended, mail?.after.unattended], [0, "unbounded"]);
  assert.match(body.facts.join("\n"), /^may\(news, "campaign\.schedule", send/);
  assert.deepEqual(
    body.excesses.map(({ outcome, which, most }) => [outcome, which, most]),
    [["people_mailable", "unattended", 0]],
  );
  rmSync(join(tasks(), "blast-budget.yaml"));
  const broken = await ask("blast.compare", { place: "tasks/ops.yaml", before: "", after: OPS });
  assert.deepEqual([broken.status, broken.body.code], [400, "policy.task_file"]);
});

test("texts that runs used are listed, read and told by version; proposals rest on them", async () => {
  desk.home.write(
    "quiet.yaml",
    "task: quiet\npurpose: Reach nothing.\nlifetime: 1h\nenvironment: [LANG]\n",
  );
  const file = join(desk.home.workspace, "quiet.yaml");
  const ran = await desk.home.run(["true"], ["--task", file]);
  assert.equal(ran.code, 0, ran.stderr);
  // The index of the record is a moment behind.
  let used: ListedTask | undefined;
  while (used === undefined) {
    used = (await ask("task.list", {})).body.tasks.find((one) => one.file === file);
  }
  assert.deepEqual([used.kind, used.task, used.runs], ["run", "quiet", 1]);
  const { source, isEditable } = (await ask("task.read", { place: used.place })).body;
  assert.deepEqual([source, isEditable], [readFileSync(file, "utf8"), false]);
  const history = await ask("task.history", { task: "quiet" });
  assert.deepEqual(
    history.body.versions.map(({ place, runs }) => [place, runs.length]),
    [[used.place, 1]],
  );
  const tighter = await ask("tighten.propose", { place: used.place, source });
  assert.equal(tighter.status, 200, tighter.body.message);
  const printed = JSON.parse((await desk.home.call(["tighten", file, "--json"])).stdout) as unknown;
  assert.deepEqual(tighter.body, printed, "as the command line says");
  const autonomy = await ask("autonomy.propose", { place: used.place, source });
  assert.deepEqual([autonomy.body.runs, autonomy.body.proposals], [1, []]);
  const none = await ask("tighten.propose", { place: "tasks/new.yaml", source: "task: [" });
  assert.deepEqual([none.status, none.body.code], [400, "policy.task_file"]);
});

test("only an operator saves; whoever is signed in looks", async () => {
  const { CONSOLE_ENDPOINTS } = await import("../../src/api/index.ts");
  assert.equal(CONSOLE_ENDPOINTS["task.save"].needs, "operator");
  const looks = [
    "task.list",
    "task.read",
    "task.check",
    "task.help",
    "task.history",
    "blast.assess",
    "blast.compare",
    "tighten.propose",
    "autonomy.propose",
  ] as const;
  for (const name of looks) assert.equal(CONSOLE_ENDPOINTS[name].needs, "viewer", name);
});
