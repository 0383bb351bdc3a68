/** How an agent is led, what it needs for that, and who may play it. */
import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { parse } from "yaml";
import { LED } from "../record.ts";
import { instructionsIn } from "../model/index.ts";
import { AGENTS, agentOf, findAgent, profileOf, SMALL_AGENT } from "./agents.ts";
import { leadBy } from "./lead.ts";
import { MODEL_HOSTS } from "./services.ts";
import { addAgent } from "./task.ts";

const STEPS = { twins: ["echo fine"], attempts: ["curl a", "curl b", "curl c"], atOnce: 2 };

for (const channel of LED) {
  test(`INV-161: by ${channel} the commands stand there and nowhere else`, () => {
    const { prompt, file, tools } = leadBy(channel, STEPS, "/w");
    const texts = { prompt: [prompt], file: [file], tool: tools.map((one) => one.description) };
    for (const [where, text] of Object.entries(texts)) {
      const runs = instructionsIn(text).filter(({ kind }) => kind === "RUN");
      const expected = where === channel ? [...STEPS.twins, ...STEPS.attempts] : [];
      assert.deepEqual(
        runs.map((one) => one.text),
        expected,
        where,
      );
      assert.ok(runs.every(({ text: command, injected }) => injected === command.includes("curl")));
    }
    const reads = instructionsIn([prompt]).filter(({ kind }) => kind === "READ");
    assert.equal(reads.length, channel === "prompt" ? 0 : 1);
  });
}

test("twins come one by one and first; attempts as many in a turn as may be at once", () => {
  const turns = instructionsIn([leadBy("prompt", STEPS, "/w").prompt]).map(({ turn }) => turn);
  const [twin = 0] = turns;
  assert.deepEqual(turns, [twin, twin + 1, twin + 1, twin + 2]);
});

const TASK = `task: drill
environment: [OWN]
grants:
  - { system: http, name: notes, hosts: [notes.example], allow: [{ methods: [GET], paths: ["/**"], effects: [read-private] }] }
  - { system: http, name: plain, hosts: [plain.example], allow: [{ methods: [GET], paths: ["/**"] }] }
  - { system: postgres, name: shop, hosts: [db.example], allow: [{ verbs: [select] }] }
`;

for (const agent of [SMALL_AGENT, ...AGENTS]) {
  test(`${agent.name}: a drill's task with its shipped profile, led to the test world`, () => {
    const place = { address: "203.0.113.5", modelHosts: MODEL_HOSTS, caFile: "/ca.pem" };
    const whole = addAgent(TASK, profileOf(agent), {
      ...place,
      tools: "d99.tools.example",
      passed: ["EXTRA"],
    });
    const { grants, environment } = parse(whole) as {
      environment: string[];
      grants: Record<string, unknown>[];
    };
    const own = parse(TASK) as { grants: object[] };
    assert.deepEqual(grants.slice(0, 3), own.grants, "what the drill grants is as it was");
    assert.ok(environment.includes("OWN") && environment.includes("EXTRA"));
    const profile = parse(profileOf(agent)) as { grants: Record<string, unknown>[] };
    for (const { name, allow, hosts } of profile.grants) {
      const led = grants.find((one) => one["name"] === name);
      assert.deepEqual(led?.["allow"], allow, "and so is what the profile grants");
      if (hosts === undefined) {
        assert.equal(led?.["dial"], "203.0.113.5:443");
        assert.deepEqual(led?.["pairs"], ["notes", "shop"], "the model sees what the agent reads");
      }
    }
    const tools = grants.at(-1);
    assert.deepEqual(tools?.["allow"], [{ verbs: ["tools.list", "subscriptions.listen"] }]);
    const without = addAgent(TASK, profileOf(agent), { ...place, passed: [] });
    assert.ok(!without.includes("system: mcp"), "by another channel there is no server");
  });
}

test("INV-162: an agent that is not known, or not here, is drill.agent; no other plays for it", () => {
  assert.throws(() => agentOf("aider"), { code: "drill.agent", hint: /claude-code\|codex/ });
  assert.equal(agentOf(undefined), SMALL_AGENT);
  const folder = mkdtempSync(join(tmpdir(), "cofferdam-agents-"));
  try {
    for (const agent of AGENTS) {
      const missing = { code: "drill.agent", hint: /npm install -g .*--agent-bin/ };
      assert.throws(() => findAgent(agent, "/nonexistent:relative", undefined), missing);
      const file = join(folder, agent.program ?? "");
      writeFileSync(file, "#!/bin/sh\n", { mode: 0o644 });
      assert.throws(() => findAgent(agent, folder, undefined), missing, "it is no program");
      chmodSync(file, 0o755);
      assert.equal(findAgent(agent, `/nonexistent:${folder}`, undefined), folder);
      assert.throws(() => findAgent(agent, folder, "/nonexistent"), missing, "only there");
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("each agent is told of the server only where there is one, and of its prompt by standard input", () => {
  const url = "http://d99.tools.example/mcp";
  for (const agent of AGENTS) {
    const told = (mcp: string | undefined) =>
      JSON.stringify([agent.command(mcp), agent.files(mcp)]).includes("d99.tools.example");
    assert.deepEqual([told(url), told(undefined)], [true, false], agent.name);
    assert.match(agent.command(undefined)[0] ?? "", new RegExp(`^${agent.program}$`));
  }
  assert.ok(readFileSync(join(import.meta.dirname, "small-agent.mjs"), "utf8").includes("stdin"));
});
