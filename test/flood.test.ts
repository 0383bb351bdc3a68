/** A run that floods the record, beside one that does not: whole daemon, real processes. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { Entry } from "../src/api/index.ts";
import { TestHome } from "./support/home.ts";

const home = new TestHome();
after(() => home.close());

const times = (count: number) => `n=0; while [ $n -lt ${count} ]; do /bin/true; n=$((n+1)); done`;

/** The entries of the run that `command` is. */
function entriesOf(log: readonly Entry[], script: string): readonly Entry[] {
  const start = log.find(
    ({ type, data }) => type === "run.start" && JSON.stringify(data).includes(script),
  );
  return log.filter(({ run }) => run !== undefined && run === start?.run);
}

test("INV-30: a flood of execs is counted exactly, written briefly, and slows nobody else", async () => {
  const flood = times(1000);
  const quiet = times(300);
  const flooding = home.run(["sh", "-c", flood]);
  const order: string[] = [];
  void flooding.then(() => order.push("flood"));
  const beside = await home.run(["sh", "-c", quiet]);
  order.push("quiet");
  const result = await flooding;
  assert.deepEqual([result.code, beside.code], [0, 0], result.stderr + beside.stderr);
  assert.deepEqual(order, ["quiet", "flood"]);

  const log = await home.log();
  const starts = (script: string) =>
    entriesOf(log, script).filter(
      ({ type, target }) => type === "process.start" && target?.endsWith("/true"),
    );
  const sum = starts(flood).reduce((all, { data }) => all + Number(data?.["merged"] ?? 1), 0);
  assert.equal(sum, 1000, "no exec is lost");
  // How many fewer depends on the machine: what is merged is what comes within a moment.
  assert.ok(starts(flood).length < 950, `${starts(flood).length} entries for 1000 execs`);
  assert.equal(starts(quiet).length, 300, "each exec of the quiet run has its own entry");
});
