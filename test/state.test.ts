/** Every form of state that was ever released opens in this Cofferdam, and is brought to the newest. */
import assert from "node:assert/strict";
import { chmodSync, cpSync, existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { DatabaseSync } from "node:sqlite";
import { verifyLedger } from "../src/ledger/index.ts";
import { eventually, TestHome } from "./support/home.ts";

const FIXTURES = join(import.meta.dirname, "fixtures", "state");
/** The newest form of each, which every older one becomes. */
const NEWEST = { "approvals.db": 3, "watches.db": 1, "unattended.db": 1 } as const;

/** A home as a fixture has it, closed to others: git keeps no such modes. */
function homeOf(version: string): TestHome {
  const home = new TestHome();
  after(() => home.close());
  cpSync(join(FIXTURES, version), home.state, { recursive: true });
  const close = (path: string) => {
    chmodSync(path, 0o700);
    for (const item of readdirSync(path, { withFileTypes: true })) {
      if (item.isDirectory()) close(join(path, item.name));
      else chmodSync(join(path, item.name), 0o600);
    }
  };
  close(home.state);
  return home;
}

async function open(home: TestHome): Promise<void> {
  const before = await verifyLedger(join(home.state, "ledger"));
  assert.deepEqual(before.problems, []);
  const [run, ...others] = await home.runs({ all: true }); // Starts the daemon.
  assert.deepEqual([run?.state, run?.end, others], ["ended", { code: 0, reason: "exited" }, []]);
  const { stdout } = await home.call(["credential", "list", "--json"]);
  assert.match(stdout, /"sample"/);
  const { holds } = await home.ask("retention.show", {});
  assert.deepEqual(
    holds.map(({ why }) => why),
    ["a sample"],
  );
  assert.ok((await home.log()).length > before.size);
  const pid = home.daemonPid() ?? 0;
  await home.call(["stop"]);
  await eventually("its end", 60_000, () => !existsSync(`/proc/${pid}`) || undefined);
  for (const [name, newest] of Object.entries(NEWEST)) {
    const db = new DatabaseSync(join(home.state, name), { readOnly: true });
    assert.equal(db.prepare("PRAGMA user_version").get()?.["user_version"], newest, name);
    db.close();
  }
  const formats: unknown = JSON.parse(readFileSync(join(home.state, "formats.json"), "utf8"));
  assert.deepEqual(formats, { home: 1, ledger: 1, runs: 1 });
}

for (const version of readdirSync(FIXTURES)) {
  test(`INV-234: the state of ${version} opens, whole`, async () => open(homeOf(version)));
}

test("INV-234: a home of before there were numbers is brought to the newest form", async () => {
  const home = homeOf("v1");
  rmSync(join(home.state, "formats.json"));
  for (const [name, was] of [
    ["approvals.db", 2],
    ["watches.db", 0],
    ["unattended.db", 0],
  ] as const) {
    const db = new DatabaseSync(join(home.state, name));
    if (name === "approvals.db") db.exec("DROP TABLE asked");
    db.exec(`PRAGMA user_version = ${was}`);
    db.close();
  }
  await open(home);
  assert.ok(existsSync(join(home.state, "approvals.db.format-2")), "with a copy kept");
});
