/** What a person saw of a run's changes is what is applied, and the run stands still for all of it. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Client } from "../src/client/index.ts";
import { clientOf, execute, startIdle } from "./support/rollout.ts";
import { TestHome } from "./support/home.ts";

const home = new TestHome();
let client: Client;
before(async () => {
  client = await clientOf(home);
});
after(async () => home.close());

const sh = (run: string, script: string) => execute(client, run, ["sh", "-euc", script]);
const diff = (run: string) => client.call("workspace.diff", { run });
const apply = (run: string, digest?: string) =>
  client.call("workspace.apply", {
    ...{ run, confirm: ["package.json"], partial: false },
    ...(digest === undefined ? {} : { digest }),
  });
const onHost = (name: string) => readFileSync(join(home.workspace, name), "utf8");

/** Each is done after the person has looked; none may be told by size or time alone. */
const LATER: readonly (readonly [string, string])[] = [
  [
    "other content of the same size and time",
    "cp -p package.json x; printf bad > package.json; touch -r x package.json; rm x",
  ],
  ["a mode", "chmod 755 package.json"],
  ["a file more", "echo > more"],
  ["a file less", "rm notes"],
  ["a link elsewhere", "ln -sf /etc/shadow link"],
  ["a kind", "rm notes; mkdir notes"],
];
for (const [what, script] of LATER) {
  test(`INV-269 fault workspace.changed: ${what} that came after the look is not applied`, async () => {
    const { run } = await startIdle(client, home);
    await sh(run, "printf fun > package.json; echo 1 > notes; ln -s notes link");
    assert.equal((await diff(run)).digest, undefined, "what still moves can be applied by no look");
    await client.call("run.pause", { run });
    const { digest } = await diff(run);
    assert.equal((await diff(run)).digest, digest, "the same again is the same");
    await client.call("run.resume", { run });
    await sh(run, script);
    await client.call("run.pause", { run });
    await assert.rejects(apply(run, digest), { code: "workspace.changed" });
    for (const name of ["package.json", "notes", "more"]) {
      assert.equal(existsSync(join(home.workspace, name)), false);
    }
    await client.call("run.kill", { run });
  });
}

/** Writes through a map that it had before the look: no call, no time and no size tells of it. */
const MAPPER = `
import mmap, os, time
with open("package.json", "r+b") as file:
    map = mmap.mmap(file.fileno(), 3)
before = os.stat("package.json").st_mtime_ns
open("/tmp/mapped", "w").close()
while not os.path.exists("/tmp/go"): time.sleep(0.02)
map[:] = b"bad"
os.utime("package.json", ns=(before, before))
open("/tmp/done", "w").close()
time.sleep(1000)
`;

test("INV-269 fault workspace.changed: nor is what comes through a map that stays open", async () => {
  const { run } = await startIdle(client, home);
  await sh(run, "printf fun > package.json");
  const lines = client.stream("run.exec", { run, argv: ["python3", "-c", MAPPER] });
  const mapper = (async () => {
    for await (const _ of lines);
  })();
  const until = (name: string) =>
    sh(run, `n=0; until [ -e ${name} ]; do n=$((n+1)); [ $n -lt 500 ]; sleep 0.02; done`);
  assert.equal((await until("/tmp/mapped")).end.code, 0);
  await client.call("run.pause", { run });
  const { digest } = await diff(run);
  await client.call("run.resume", { run });
  assert.equal((await sh(run, "touch /tmp/go")).end.code, 0);
  assert.equal((await until("/tmp/done")).end.code, 0);
  await client.call("run.pause", { run });
  await assert.rejects(apply(run, digest), { code: "workspace.changed" });
  assert.equal(existsSync(join(home.workspace, "package.json")), false);
  await client.call("run.kill", { run });
  await mapper;
});

test("benign twin: what was looked at is applied, of a run that ended too", async () => {
  const { run } = await startIdle(client, home);
  await sh(run, "printf fun > package.json; mkdir folder; echo 1 > folder/one");
  await client.call("run.pause", { run });
  const { digest } = await diff(run);
  assert.match(digest ?? "", /^[0-9a-f]{64}$/);
  await client.call("run.kill", { run });
  assert.equal((await diff(run)).digest, digest);
  const { applied } = await apply(run, digest);
  assert.deepEqual(applied.toSorted(), ["folder", "folder/one", "package.json"]);
  assert.equal(onHost("package.json"), "fun");
  // At the command line as well, with the words that `diff` prints.
  const other = await startIdle(client, home);
  await sh(other.run, "echo 2 > two");
  await client.call("run.kill", { run: other.run });
  const { stderr } = await home.call(["diff", other.run]);
  const said = /`cofferdam (apply .*)` applies these alone/.exec(stderr)?.[1] ?? "";
  const done = await home.call(said.split(" "));
  assert.equal(done.code, 0, done.stderr);
  assert.equal(onHost("two"), "2\n");
  const refused = await home.call(["apply", other.run, "--digest", "0".repeat(64)]);
  assert.match(refused.stderr, /is not what was shown/);
});

test("INV-193: a run whose lineage goes on in the middle of an apply stands still to its end", async () => {
  const { run } = await startIdle(client, home, undefined, { job: "applied" });
  await sh(run, "for n in $(seq 3000); do echo $n > f$n; done");
  const lineage = "job:applied" as const;
  await client.call("lineage.pause", { lineage });
  let isOver = false;
  const applying = apply(run).finally(() => (isOver = true));
  await client.call("lineage.resume", { lineage });
  const { state } = await client.call("run.show", { run });
  assert.equal(isOver, false, "the apply takes longer than that");
  assert.equal(state, "paused");
  assert.equal((await applying).applied.length, 3000);
  assert.equal((await sh(run, "echo on")).stdout, "on\n");
  await client.call("run.kill", { run });
});
