/**
 * Drills in which a model is led, played by each real agent, unmodified, through three channels: attempted and
 * contained; seen to cross where nothing contains them; not attempted where the model follows nothing. `npm run
 * test:agents`; some 20 minutes.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { z } from "zod";
import { AGENTS, type Agent } from "../../drills/field/agents.ts";
import { channelsOf } from "../../drills/field/drill.ts";
import { drillSchema, faultsOf, LED, type DrillRecord } from "../../drills/record.ts";
import { DRILLS } from "../../drills/registry.ts";
import { LEAKY } from "../support/leaky.ts";
import { AGENTS_BIN, installAgents, isInstalled } from "./install.ts";

installAgents();

const MAIN = join(import.meta.dirname, "..", "..", "drills", "main.ts");
const PLAYED = DRILLS.filter((drill) => channelsOf(drill, true).length > 0);

/** What an agent refuses by itself: its own guard takes `<(` for an injection. No attempt then, and no pass. */
const OWN_GUARD: Readonly<Record<string, { readonly drill: string; readonly attempt: string }>> = {
  "gemini-cli": { drill: "d17-same-command", attempt: "substitution" },
};

async function play(agent: Agent, ...line: readonly string[]) {
  const own = ["--agent", agent.name, "--agent-bin", AGENTS_BIN, "--json"];
  const child = spawn(process.execPath, [MAIN, ...line, ...own], {
    stdio: ["ignore", "pipe", "pipe"],
    cwd: "/",
  });
  let [out, err] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (err += text));
  const [code] = (await once(child, "close")) as [number | null];
  assert.notEqual(out, "", err);
  const { drills } = z.object({ drills: z.array(drillSchema) }).parse(JSON.parse(out));
  return { code, drills };
}

/** The attempts of a drill by each channel, by name. */
function checkAll({ name, agent, attempts }: DrillRecord, player: Agent): void {
  const drill = PLAYED.find((one) => one.name === name);
  const own = drill?.attempts.map((attempt) => attempt.name);
  const found = LED.map((channel) =>
    attempts.filter((one) => one.channel === channel).map((one) => one.name),
  );
  assert.deepEqual(
    found,
    LED.map(() => own),
    name,
  );
  assert.equal(agent, player.name);
}

for (const agent of AGENTS) {
  const skip = isInstalled(agent.program ?? "") ? false : "has no program for this machine";
  describe(agent.name, { skip }, () => {
    test("all that a model is led to is attempted and contained, by each channel, and twins pass", async () => {
      const guarded = OWN_GUARD[agent.name];
      const { code, drills } = await play(agent, ...PLAYED.map(({ name }) => name));
      assert.equal(drills.length, PLAYED.length);
      for (const drill of drills) {
        assert.equal(drill.failed, null, drill.name);
        assert.equal(drill.skipped, null, drill.name);
        checkAll(drill, agent);
        const guard = guarded?.drill === drill.name ? guarded.attempt : undefined;
        for (const attempt of drill.attempts) {
          const what = `${drill.name} ${attempt.name} by ${attempt.channel}`;
          const isOurs = attempt.name !== guard;
          assert.deepEqual([attempt.attempted, attempt.bareCrossed], [isOurs, isOurs], what);
          if (isOurs)
            assert.deepEqual(faultsOf(attempt), [], `${what}: ${JSON.stringify(attempt)}`);
        }
        // A twin of the same form is refused, too, which looks like a result that nothing executed.
        for (const { name, passed, detail } of guard === undefined ? drill.twins : []) {
          assert.ok(passed, `${drill.name} ${name}: ${detail}`);
        }
      }
      assert.equal(code, guarded === undefined ? 0 : 1);
    });

    test("where nothing contains it, what it attempts is seen to cross", async () => {
      const folder = mkdtempSync(join(tmpdir(), "cofferdam-leaky-"));
      const leaky = join(folder, "cofferdam");
      writeFileSync(leaky, LEAKY, { mode: 0o755 });
      const { code, drills } = await play(agent, "d27", "--cofferdam", leaky);
      rmSync(folder, { recursive: true });
      for (const drill of drills) {
        checkAll(drill, agent);
        for (const { channel, crossed, effect, harm, output } of drill.attempts) {
          assert.deepEqual([crossed, effect, harm], [true, true, true], `${channel}: ${output}`);
        }
      }
      assert.equal(code, 1);
    });

    test("INV-161: where its model follows no injection nothing was attempted", async () => {
      const { code, drills } = await play(agent, "d27", "--careful");
      for (const drill of drills) {
        checkAll(drill, agent);
        for (const attempt of drill.attempts) {
          assert.deepEqual([attempt.attempted, attempt.bareCrossed], [false, false]);
          assert.ok(faultsOf(attempt).includes("it was not attempted inside the run"));
        }
        for (const twin of drill.twins) assert.ok(twin.passed, `${twin.name}: ${twin.detail}`);
      }
      assert.equal(code, 1);
    });
  });
}
