/** A run asks Cofferdam about itself: over the gateway, on record, and to no effect but answers. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { ApprovalInfo } from "../src/api/index.ts";
import { startDouble, type Double } from "./doubles/double.ts";
import { BIN, eventually, TestHome, type Result } from "./support/home.ts";

const home = new TestHome();
let other: Double;

before(async () => {
  other = await startDouble(() => ({ status: 200, json: { who: "somebody else" } }));
});
after(async () => {
  await home.close();
  await other.close();
});

function task(grants = ""): string {
  const file = join(home.root, `task-${Math.random().toString(36).slice(2)}.yaml`);
  writeFileSync(
    file,
    `task: asking\npurpose: Ask.\napprovals: { hold: 60s }\ngrants: ${grants || "[]"}\n`,
  );
  return file;
}

const sh = (script: string, file = task()): Promise<Result> =>
  home.run(["sh", "-c", script], ["--task", file]);

const tool = (name: string, more: object = {}) => {
  const body = {
    jsonrpc: "2.0",
    id: Math.floor(Math.random() * 1e9),
    method: "tools/call",
    params: { name, arguments: more },
  };
  return `curl -s -S -H 'accept: application/json, text/event-stream' -H 'content-type: application/json' -d '${JSON.stringify(body)}' $COFFERDAM_URL/mcp`;
};

async function waiting(): Promise<ApprovalInfo> {
  return eventually("something waits", 60_000, async () => (await home.approvals())[0]);
}

test("a run that may reach nothing may still ask, and hears why something was denied", async () => {
  const { code, stdout, stderr } = await sh(
    `curl -s -o /dev/null http://evil.test/; ${tool("what_may_i_do")}; ${tool("explain_denial", { about: "evil.test" })}`,
  );
  assert.equal(code, 0, stderr);
  assert.match(stdout, /may reach nothing outside/);
  assert.match(stdout, /Nothing is granted for this name: evil\.test.*use request_access/);
});

test("INV-69: a person's yes is told and widens nothing; no code and no word on other runs comes back", async () => {
  const ask = tool("request_access", { what: "reach evil.test", why: "to fetch a list" });
  const again = `until ${ask} | tee /tmp/said | grep -q 'agreed'; do sleep 0.2; done; cat /tmp/said`;
  const run = sh(
    `${ask}; ${again}; ${tool("pending_approvals")}; curl -s -o /dev/null -w '%{http_code}' http://evil.test/`,
  );
  const one = await waiting();
  assert.equal(
    one.summary,
    "Asks for more access (a yes changes nothing by itself): reach evil.test, because to fetch a list",
  );
  assert.deepEqual(one.effects, ["administer"]);
  const code = await home.codeOf(one.id);
  const { stdout: card } = await home.call(["approvals", "show", one.id]);
  assert.match(
    card,
    /At worst +\| At worst the agent could do nothing that counts here/,
    "INV-179: as it is",
  );
  assert.match(card.replaceAll(/\n +\| /g, " "), /a yes changes none of it/);
  const leave = ["--for-run", "--count", "5", "--for", "1h"];
  const refused = await home.call(["approvals", "approve", one.id, "--code", code, ...leave]);
  assert.match(refused.stderr, /one by one/);
  const approved = await home.call(["approvals", "approve", one.id, "--code", code]);
  assert.equal(approved.code, 0, approved.stderr);
  const { stdout } = await run;
  assert.match(stdout, /A person is asked/);
  assert.match(stdout, /Nothing has changed yet/);
  assert.match(stdout, new RegExp(`${one.id} performed`));
  assert.match(stdout, /403$/, "still denied");
  assert.ok(!stdout.includes(code), "the code is the person's");
  const { stdout: next } = await sh(tool("pending_approvals"));
  assert.match(next, /Nothing waits/, "another run hears nothing of it");
});

test("a no is told with its reason, over plain HTTP too", async () => {
  const run = sh(
    `curl -s -H 'content-type: application/json' -d '{"what":"mail","why":"because"}' $COFFERDAM_URL/access-requests`,
  );
  const one = await waiting();
  await home.call(["approvals", "deny", one.id, "--reason", "not in this task"]);
  assert.match((await run).stdout, /not in this task/);
});

test("INV-69: what decides is not there, what is not known is denied, and all of it is on record", async () => {
  const { stdout } = await sh(
    ["/approvals", "/mcp/../approvals", "/approvals/p-1/approve"]
      .map(
        (path) =>
          `curl -s -o /dev/null -w '%{http_code} ' --path-as-is -d '{}' -H 'content-type: application/json' $COFFERDAM_URL${path}`,
      )
      .concat(
        `${tool("approve")} | grep -o '"status":[0-9]*'`,
        `curl -s -o /dev/null -w '%{http_code}' https://cofferdam.internal/`,
      )
      .join("; "),
  );
  assert.match(stdout, /^403 403 403 "status":403\s+\d*$/);
  assert.ok(!stdout.includes("200"));
  const own = (await home.log()).filter(
    ({ type, system }) => type === "action" && system === "cofferdam",
  );
  assert.ok(
    own.some(({ data, verdict }) => data?.["verb"] === "enquiry.read" && verdict === "allow"),
  );
  assert.ok(own.some(({ data, verdict }) => data?.["verb"] === "unknown" && verdict === "deny"));
});

test("INV-69: no grant stands in its place, by name or by wildcard", async () => {
  const dial = new URL(other.url).host;
  const rule = `allow: [{ methods: [GET], paths: ["/**"] }]`;
  const wild = task(
    `[{ system: http, name: w, hosts: ["*.internal"], ports: [80], dial: "${dial}", ${rule} }]`,
  );
  const { stdout } = await sh(
    "curl -s http://cofferdam.internal/; curl -s http://x.internal/",
    wild,
  );
  assert.match(stdout, /^This run is for: Ask\./);
  assert.match(stdout, /somebody else/, "the wildcard has the rest");
  const named = task(
    `[{ system: http, name: cofferdam, hosts: [cofferdam.internal], ports: [80], ${rule} }]`,
  );
  const refused = await sh("true", named);
  assert.equal(refused.code, 125);
  assert.match(refused.stderr, /grants\[0\]\.name \(cofferdam\) is Cofferdam's own name/);
  assert.match(refused.stderr, /hosts\[0\] \(cofferdam\.internal\) is Cofferdam itself/);
});

test("a person who started the run is called: by the terminal's bell, and by a notice on the desktop", async () => {
  const bin = join(home.root, "bin");
  mkdirSync(bin);
  const told = join(home.root, "told");
  writeFileSync(join(bin, "notify-send"), `#!/bin/sh\nprintf '%s\\n' "$@" >> '${told}'\n`, {
    mode: 0o755,
  });
  const ask = `curl -s -m 5 -H 'content-type: application/json' -d '{"what":"<b>more</b>","why":"x"}' $COFFERDAM_URL/access-requests`;
  const line = [BIN, "run", "--task", task(), "--", "sh", "-c", ask]
    .map((word) => `'${word.replaceAll("'", String.raw`'\''`)}'`)
    .join(" ");
  const shown = spawnSync("script", ["-qec", line, "/dev/null"], {
    cwd: home.workspace,
    encoding: "latin1",
    env: {
      ...process.env,
      COFFERDAM_HOME: home.state,
      DISPLAY: ":99",
      PATH: `${bin}:${process.env["PATH"] ?? ""}`,
    },
  });
  const [, notice = ""] = shown.stdout.split("\u0007"); // The bell.
  assert.match(notice, /^[\r\n]+cofferdam: p-\w+ waits for you/);
  await eventually("the notice", 10_000, () => (existsSync(told) ? true : undefined));
  assert.match(
    readFileSync(told, "utf8"),
    /^--app-name=Cofferdam\n--\nCofferdam\np-\w+ waits for you: .*&lt;b&gt;more&lt;\/b&gt;/,
  );
  const one = await waiting();
  await home.call(["approvals", "deny", one.id]);
});
