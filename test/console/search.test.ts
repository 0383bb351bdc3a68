/**
 * The record by the console's own endpoints: `ledger.status`, `ledger.search`, `ledger.page`, `ledger.entry`,
 * `ledger.facets` and `now.show`, as a page asks them; and `run.cut`.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Answers, ApiName, Asks } from "../../src/api/index.ts";
import { eventually, TestHome } from "../support/home.ts";
import { openDesk, type Desk } from "./kit.ts";
import { sampleHome } from "./sample/index.ts";

type Headers = Readonly<Record<string, string>>;

async function post(desk: Desk, name: string, body: unknown, pass: Headers): Promise<Response> {
  return fetch(`${desk.origin}/api/${name}`, {
    method: "POST",
    headers: { ...pass, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
}

test("the record is searched, leafed through, counted and read by number; strangers get nothing", async () => {
  const home = new TestHome();
  const runs = await sampleHome(home.state, { runs: 12, events: 6000, isOver: true });
  await using desk = await openDesk({ home });
  const page = await desk.signedIn();
  const pass = await desk.passOf(page);
  const ask = async <Name extends ApiName>(name: Name, asks: Asks<Name>) => {
    const response = await post(desk, name, asks, pass);
    assert.equal(response.status, 200, `${name}: ${response.status}`);
    return (await response.json()) as Answers<Name>;
  };
  await eventually("the index", 30_000, async () => {
    const { indexed, size } = await ask("ledger.status", {});
    return size > 5000 && indexed === size;
  });
  const all = await desk.home.log();

  const denied = all.filter(({ verdict }) => verdict === "deny").map(({ seq }) => seq);
  const query = { verdict: ["deny" as const] };
  const found = await ask("ledger.search", { query, near: denied[3] ?? 0 });
  assert.deepEqual(found, { count: denied.length, size: all.length, offset: 3 });
  const leaf = await ask("ledger.page", { query, offset: 2, limit: 4 });
  assert.deepEqual(
    leaf.rows.map(({ seq }) => seq),
    denied.slice(2, 6),
  );
  const incident = runs.find(({ course }) => course === "incident");
  const tunnel = await ask("ledger.page", { query: { text: "T1572" }, offset: 0, limit: 5 });
  assert.deepEqual(
    tunnel.rows.map(({ type, run, finding }) => [type, run, finding]),
    [["finding", incident?.run, "tunnel"]],
  );
  const seq = tunnel.rows[0]?.seq ?? 0;
  assert.deepEqual(await ask("ledger.entry", { seq }), all[seq]);
  const facets = await ask("ledger.facets", { query: { run: [incident?.run ?? ""] } });
  const own = all.filter(({ run }) => run === incident?.run);
  assert.equal(facets.count, own.length);
  assert.equal(facets.type["finding"], 1);
  const { cards } = await ask("now.show", {});
  assert.equal(cards.length, 12);
  assert.deepEqual(
    cards.filter(({ needs }) => needs.length > 0).map(({ run }) => run),
    cards.filter(({ end }) => end?.reason === "finding").map(({ run }) => run),
  );

  const missing = await post(desk, "ledger.entry", { seq: 1_000_000 }, pass);
  assert.deepEqual(
    [missing.status, ((await missing.json()) as { code: string }).code],
    [404, "console.no_such_entry"],
  );
  for (const name of ["ledger.page", "ledger.entry", "ledger.facets", "now.show", "run.cut"]) {
    const stranger = { ...pass, cookie: "" };
    assert.equal((await post(desk, name, {}, stranger)).status, 401, name);
  }
  const wide = { query: { text: "a b c d e f g h i" } };
  const refused = await post(desk, "ledger.search", wide, pass);
  assert.equal(((await refused.json()) as { code: string }).code, "console.query");
});

test("a run's connections are cut, and it goes on", async () => {
  await using desk = await openDesk();
  desk.home.write("task.yaml", "task: t\npurpose: Wait\ngrants: []\n");
  const { stdout } = await desk.home.run(["sleep", "60"], ["-d", "--json", "--task", "task.yaml"]);
  const { run } = JSON.parse(stdout) as { run: string };
  assert.deepEqual(await desk.home.ask("run.cut", { run }), { cut: 0 });
  assert.equal((await desk.home.ask("run.show", { run })).state, "running");
  await desk.home.ask("run.kill", { run });
  await assert.rejects(desk.home.ask("run.cut", { run }), { code: "daemon.state" });
});
