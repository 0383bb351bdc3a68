/**
 * What probing a real n8n finds: the key's power, workflows that others can start, the credentials that one's own could
 * use; and, as the twin, a key that may only read workflows.
 */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Answer as Blast } from "../../src/blast/index.ts";
import { factFile, type FactFile } from "../support/fact-file.ts";
import { TestHome } from "../support/home.ts";
import { chain, node, startN8n, webhook, type N8n } from "./kit.ts";

const HOSTILE = 'a").\ncan("n8n:reader@n8n.test:80", user.invite, "x").\n#';
const home = new TestHome();
let n8n: N8n;
let told: FactFile;
let smtp = "";
let mailing = "";

before(async () => {
  n8n = await startN8n();
  const data = { user: "u", password: "p", host: "mail.x.example", port: 25, secure: false };
  smtp = (await n8n.api("POST", "/credentials", { name: HOSTILE, type: "smtp", data })).id;
  const sends = node(
    "Mail",
    "emailSend",
    { fromEmail: "a@x.example", toEmail: "b@x.example" },
    { credentials: { smtp: { id: smtp, name: HOSTILE } } },
  );
  mailing = (await n8n.api("POST", "/workflows", chain(HOSTILE, [webhook("ring"), sends]))).id;
  await n8n.api("POST", `/workflows/${mailing}/activate`);
  await n8n.api("POST", "/workflows", chain("asleep", [webhook("asleep"), sends]));
  for (let at = 0; at < 12; at += 1)
    await n8n.api("POST", "/workflows", chain(`quiet ${at}`, [webhook(`q${at}`)]));
  const keys = { owner: n8n.apiKey, reader: await n8n.keyOf(["workflow:list", "workflow:read"]) };
  for (const [name, key] of Object.entries(keys)) {
    const place = ["--host", "n8n.test", "--scheme", "http", "--port", "80"];
    const how = ["--kind", "header", "--field", "x-n8n-api-key", ...place, "--stdin"];
    const added = await home.call(["credential", "add", name, ...how], { input: key });
    assert.equal(added.code, 0, added.stderr);
    writeFileSync(taskOf(name), taskText(name));
    const probed = await home.call(["probe", taskOf(name)]);
    assert.equal(probed.code, 0, probed.stdout + probed.stderr);
  }
  told = factFile(home.state);
});
after(async () => {
  await home.close();
  await n8n.close();
});

const taskOf = (name: string) => join(home.root, `${name}.yaml`);
const taskText = (name: string) => `task: flows
purpose: Look after workflows.
grants:
  - system: n8n
    name: ${name}
    hosts: [n8n.test]
    ports: [80]
    dial: 127.0.0.1:${n8n.port}
    credential: ${name}
    allow: [{ verbs: ["*"] }]
`;
const can = (who: string, verb: string) =>
  told.facts.filter(
    ({ predicate, terms }) =>
      predicate === "can" && terms[0] === `n8n:${who}@n8n.test:80` && terms[1] === verb,
  );

const ATTEMPTS: readonly (readonly [verb: string, method: string, path: string, json?: unknown])[] =
  [
    ["workflow.create", "POST", "/workflows", chain("made", [webhook("made")])],
    ["workflow.delete", "DELETE", "/workflows/MAILING"],
    ["workflow.deactivate", "POST", "/workflows/MAILING/deactivate"],
    ["workflow.activate", "POST", "/workflows/MAILING/activate"],
    ["user.invite", "POST", "/users", [{ email: "a@x.example", role: "global:member" }]],
    [
      "credential.write",
      "POST",
      "/credentials",
      { name: "c", type: "httpHeaderAuth", data: { name: "a", value: "b" } },
    ],
    ["credential.read", "GET", "/credentials/schema/smtp"],
    ["tag.write", "POST", "/tags", { name: "t" }],
    ["execution.read", "GET", "/executions"],
    ["workflow.read", "GET", "/workflows"],
    ["package.read", "GET", "/community-packages"],
  ];
for (const [verb, method, path, json] of ATTEMPTS.toReversed()) {
  test(`${verb}: told of which key it is so`, async () => {
    for (const who of ["reader", "owner"]) {
      const key =
        who === "owner" ? n8n.apiKey : await n8n.keyOf(["workflow:list", "workflow:read"]);
      const body = json === undefined ? {} : { body: JSON.stringify(json) };
      const headers = { "content-type": "application/json", "x-n8n-api-key": key };
      const { status, text } = await n8n.ask(`/api/v1${path.replace("MAILING", mailing)}`, {
        method,
        headers,
        ...body,
      });
      const [fact] = can(who, verb);
      assert.equal(fact !== undefined, status < 300, `${who}: ${status} ${text}`);
      assert.notEqual(fact?.isAssumed, true, "it was told");
    }
  });
}

async function blast(name: string): Promise<Blast> {
  const { stdout, stderr, code } = await home.call(["blast", taskOf(name), "--json"]);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout) as Blast;
}

test("a key that may make and activate workflows mails by the credential that n8n keeps, and runs code", async () => {
  const { outcomes } = await blast("owner");
  const mail = outcomes
    .find(({ name }) => name === "people_mailable")
    ?.objects.find(({ object }) => object.includes(`credential ${smtp}`));
  const steps = mail?.path.map(({ says }) => says).join("\n") ?? "";
  assert.match(steps, /code of its own run by [\s\S]*acts as whoever uses n8n\.test:80 credential/);
  assert.notEqual(outcomes.find(({ name }) => name === "hosts_executable")?.approverFooled, 0);
});

test("the twin reads workflows, and rings at the one that is active: no code, no other mail", async () => {
  const { outcomes } = await blast("reader");
  assert.equal(outcomes.find(({ name }) => name === "hosts_executable")?.approverFooled, 0);
  const mail = outcomes.find(({ name }) => name === "people_mailable")?.objects ?? [];
  assert.deepEqual(
    mail.map(({ object }) => object.startsWith(`n8n.test:80 workflow ${mailing} `)),
    [true],
  );
});

test("INV-175: a name that would end its line and state a fact is a name", () => {
  assert.deepEqual(can("reader", "user.invite"), []);
  assert.ok(told.facts.some(({ terms }) => String(terms[2] ?? "").includes('a").\\u000acan(')));
  assert.equal(told.facts.filter(({ terms }) => terms.includes("x")).length, 0);
});
