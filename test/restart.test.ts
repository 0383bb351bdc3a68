/** `restart: on-failure`, with real runs: what a new attempt keeps, and what ends them all. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import type { Entry } from "../src/api/index.ts";
import { eventually, TestHome } from "./support/home.ts";

const home = new TestHome();
after(() => home.close());

function task(name: string, more: string): string {
  const file = join(home.root, `${name}.yaml`);
  writeFileSync(file, `task: ${name}\npurpose: Try again.\n${more}`);
  return file;
}
const again = task("again", "restart: on-failure\n");

async function entriesOf(name: string): Promise<readonly Entry[]> {
  const log = await home.log();
  const id = log.findLast(({ type, data }) => type === "run.start" && data?.["task"] === name)?.run;
  return log.filter(({ run }) => run === id);
}
const restarts = (log: readonly Entry[]) => log.filter(({ type }) => type === "run.restart");

const reasonOf = (end: Entry | undefined) =>
  (end?.data?.["end"] as { reason?: string } | undefined)?.reason;

const list = () => home.runs({ all: true });

test("a command that fails is started again in a new sandbox, with workspace and home as it left them", async () => {
  const script =
    "echo $1 >> tries; echo $1 >> ~/tries; echo pid $$; [ -e /tmp/left ] && echo left; touch /tmp/left; " +
    "sleep 100 & cat; [ $(wc -l < tries) -eq 3 ] && [ $(wc -l < ~/tries) -eq 3 ]";
  const result = await home.run(["sh", "-c", script, "sh", "x"], ["--task", again], {
    input: "typed once\n",
  });
  assert.equal(result.code, 0, result.stderr);
  const pids = result.stdout.match(/pid \d+/g) ?? [];
  assert.equal(pids.length, 3, "its output is followed through all attempts");
  assert.equal(
    new Set(pids).size,
    1,
    "each begins with the same numbers of a namespace of its own",
  );
  assert.doesNotMatch(result.stdout, /left/, "scratch is new");
  const log = await entriesOf("again");
  assert.deepEqual(
    restarts(log).map(({ data }) => [data?.["attempt"], data?.["waitMs"]]),
    [
      [1, 1000],
      [2, 2000],
    ],
  );
  assert.equal(log.filter(({ type }) => type === "run.proved").length, 3, "INV-5, each time");
  assert.equal(log.filter(({ type }) => type === "run.end").length, 1);
  assert.equal(
    log.filter(({ type }) => type === "denial").length,
    0,
    "what proofs try is no denial",
  );
  assert.equal((await list()).find((one) => one.task === "again")?.attempt, 3);
});

test("a task that does not ask for it ends with its first failure", async () => {
  const once = task("once", "");
  const result = await home.run(["sh", "-c", "exit 3"], ["--task", once]);
  assert.equal(result.code, 3);
  assert.deepEqual(restarts(await entriesOf("once")), []);
});

test("a kill between two attempts ends the run", async () => {
  const file = task("killed", "restart: on-failure\n");
  const { stdout } = await home.call(["run", "-d", "--task", file, "--", "sh", "-c", "exit 1"]);
  const id = /r-[0-9a-z]+/.exec(stdout)?.[0] ?? "";
  await eventually("a later attempt", 20_000, async () => {
    const { stdout: shown } = await home.call(["ps"]);
    return /starting, attempt [2-6]/.test(shown) ? true : undefined;
  });
  const killed = await home.call(["kill", id]);
  assert.equal(killed.code, 0, killed.stderr);
  const log = await entriesOf("killed");
  assert.equal(log.at(-1)?.type, "run.end", "and nothing of it comes after");
  const end = log.findLast(({ type }) => type === "run.end");
  assert.equal(reasonOf(end), "killed");
});

test("its lifetime is one for all attempts", async () => {
  const file = task("short", "restart: on-failure\nlifetime: 4s\n");
  const result = await home.run(["sh", "-c", "exit 1"], ["--task", file]);
  assert.notEqual(result.code, 0);
  const log = await entriesOf("short");
  assert.ok(restarts(log).length >= 1);
  const end = log.findLast(({ type }) => type === "run.end");
  assert.equal(reasonOf(end), "lifetime");
});
