/**
 * Makes the state of a home by a real daemon of this Cofferdam, to be kept in test/fixtures/state/vN: later ones are held
 * to opening it (docs/guides/keeping-the-record.md). `node scripts/state-fixture.ts test/fixtures/state/v1`
 */
import assert from "node:assert/strict";
import { cpSync, existsSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { eventually, TestHome } from "../test/support/home.ts";

/** What is of the moment, or of the machine. */
const PASSED_OVER = /^(?:.*\.sock|daemon\.log|etc|homes|console|code|backup)$/;

const [to] = process.argv.slice(2);
assert(to !== undefined && !existsSync(to), "name a folder that is not there yet");
const home = new TestHome();
try {
  const added = await home.call(
    ["credential", "add", "sample", "--kind", "bearer", "--host", "api.example.com", "--stdin"],
    { input: "sample-and-no-secret-of-anybody-0123\n" },
  );
  assert.equal(added.code, 0, added.stderr);
  const task = join(home.root, "task.yaml"); // A profile's own path would be this machine's.
  writeFileSync(task, "task: sample\npurpose: To be kept.\ngrants: []\n");
  assert.equal((await home.run(["true"], ["--task", task])).code, 0);
  const [run] = await home.runs({ all: true });
  assert(run, "it ran");
  await home.ask("retention.hold", { run: run.run, why: "a sample" });
  writeFileSync(
    join(home.state, "passkeys.json"),
    `${JSON.stringify({ version: 1, passkeys: [] })}\n`,
    { mode: 0o600 },
  );
  const pid = home.daemonPid() ?? 0;
  await home.call(["stop"]);
  await eventually("its end", 60_000, () => !existsSync(`/proc/${pid}`) || undefined);
  const kept = readdirSync(home.state).filter((name) => !PASSED_OVER.test(name));
  for (const name of kept) {
    cpSync(join(home.state, name), join(to, name), { recursive: true });
  }
  rmSync(join(to, "runs", run.run, "layer"), { recursive: true, force: true });
} finally {
  await home.close();
}
