/**
 * A lively home to look at: a small company whose agent waits for decisions, a rollout that went astray and was paused,
 * and a few that go on quietly. All of it is real: models are scripted, everything else runs.
 *
 * @module
 */
import { once } from "node:events";
import { copyFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { startModelServer, type ModelServer, type Turn } from "../../drills/model/index.ts";
import { startCompany } from "../../examples/ops-agent/company.ts";
import { eventually, TestHome } from "../../test/support/home.ts";
import { ASTRAY, quiet, weekOf } from "./scripts.ts";

const WAITING = 6;
const ROLLOUTS = 3;

export interface Sample {
  readonly home: TestHome;
  close(): Promise<void>;
}

export async function startSample(): Promise<Sample> {
  const home = new TestHome();
  const closers: (() => Promise<void>)[] = [() => home.close()];
  const close = async () => {
    for (const one of closers) await one();
  };
  try {
    const company = await startCompany(home);
    closers.push(company.close);
    const site = createServer((_, response) => response.end("ok\n"));
    site.listen(0, "127.0.0.1");
    await once(site, "listening");
    closers.push(async () => void site.close());
    copyFileSync(join(import.meta.dirname, "agent.mjs"), join(home.workspace, "agent.mjs"));
    const start = async (name: string, script: readonly Turn[], rest: string) => {
      const model = await startModelServer({ script, hosts: ["api.anthropic.com"] });
      closers.push(() => model.close());
      const file = writeTask(home, name, model, rest);
      const { code, stdout, stderr } = await home.call(
        ["run", "-d", "--task", file, "--", "node", "agent.mjs", "Go on with the task."],
        {},
      );
      if (code !== 0) throw new Error(`${name}: ${stderr}`);
      return stdout.trim();
    };
    await start("ops-week", weekOf(company.servers.site), company.grants);
    await eventually("the workflow that waits", 60_000, async () => approveWorkflow(home));
    await eventually("approvals that wait", 60_000, async () => {
      return (await home.approvals()).length >= WAITING;
    });
    const rollouts = `  - system: http
    name: site
    hosts: [site.test]
    ports: [80]
    tls: false
    dial: 127.0.0.1:${(site.address() as AddressInfo).port}
    allow: [{ methods: [GET], paths: ["/**"] }]
`;
    const astray = await start("rollout-17", ASTRAY, rollouts);
    const at = { trajectory: "job-8", episode: "episode 17", step: 3 };
    await home.ask("run.step", { run: astray, ...at }).catch(() => {}); // It may be paused by now.
    for (let n = 1; n <= ROLLOUTS; n += 1) {
      await start(`rollout-${17 + n}`, quiet(400), rollouts);
    }
    await eventually("what went astray is found", 60_000, async () => {
      const runs = await home.runs({ all: true });
      return runs.some(({ task, counts }) => task === "rollout-17" && counts.findings > 0);
    });
    return { home, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Its nodes can execute, so making it waits; everything after it is for whoever looks. */
async function approveWorkflow(home: TestHome): Promise<boolean> {
  const made = (await home.approvals()).find(({ verb }) => verb === "workflow.create");
  if (made === undefined) return false;
  const { id } = made;
  await home.ask("approvals.approve", { id, code: await home.codeOf(id) });
  return true;
}

function writeTask(home: TestHome, name: string, model: ModelServer, grants: string): string {
  const file = join(home.root, `${name}.yaml`);
  const ca = `${name}-model.pem`;
  const paired = name === "ops-week" ? "    pairs: [blog, list, n8n, page, web, db]\n" : "";
  writeFileSync(join(home.root, ca), model.ca);
  writeFileSync(
    file,
    `task: ${name}
purpose: ${name === "ops-week" ? "Draft freely; a person decides what is published, sent or run." : "Solve the task of the episode."}
approvals: { hold: 10m }
grants:
  - system: anthropic
    name: anthropic
    dial: 127.0.0.1:${model.port}
    ca: ./${ca}
${paired}    allow: [{ verbs: [message.create] }]
${grants}`,
  );
  return file;
}
