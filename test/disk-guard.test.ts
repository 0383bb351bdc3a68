/** A real run on a small disk of its own: what it may fill, and what is kept for the record. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { RunInfo } from "../src/api/index.ts";
import { eventually, TestHome } from "./support/home.ts";

const skip = process.geteuid?.() !== 0 && "to mount a small disk needs root";
const home = new TestHome();
before(() => {
  if (skip) return;
  mkdirSync(home.state);
  const small = ["-t", "tmpfs", "-o", "size=256m,mode=0700", "small-disk", home.state];
  execFileSync("mount", small);
});
after(async () => {
  if (!skip) {
    await home.call(["stop", "--force"], { cwd: "/" });
    execFileSync("umount", ["--lazy", home.state]); // The daemon is still on its way out.
  }
  await home.close();
});

async function stateOf(run: string): Promise<RunInfo> {
  const { stdout } = await home.call(["ps", "--all", "--json"]);
  const line = stdout.split("\n").find((one) => one.includes(`"${run}"`)) ?? "";
  return JSON.parse(line) as RunInfo;
}

test(
  "INV-91: a run that fills the disk is paused while the record can still be written",
  { skip },
  async () => {
    const fill =
      "head -c 220M /dev/zero > ~/0; for n in $(seq 99); do head -c 1M /dev/zero > ~/$n; sleep 0.3; done";
    const task = join(home.workspace, "quiet.yaml");
    // A HOME of its own: runs that share a kept one wrote all that is in it.
    writeFileSync(task, "task: quiet\npurpose: Write nothing.\nhome: fresh\n");
    const quiet = (await home.run(["sleep", "60"], ["-d", "--task", task])).stdout.trim();
    const run = (await home.run(["sh", "-c", fill], ["-d"])).stdout.trim();
    const reason = await eventually("the pause", 60_000, async () => {
      const { state, pauseReason } = await stateOf(run);
      return state === "paused" ? pauseReason : undefined;
    });
    assert.match(reason, /disk of the record is nearly full/);
    assert.equal((await stateOf(quiet)).state, "running", "who wrote nothing goes on");
    assert.equal((await home.run(["true"])).code, 0, "others can still be started and recorded");
    assert.equal((await home.call(["kill", run, quiet])).code, 0);
    assert.equal((await home.call(["verify"])).code, 0);
  },
);
