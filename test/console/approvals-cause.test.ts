/** Why something is asked for, on its card: an agent's model calls a tool, which publishes and changes a workflow. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { startModelServer } from "../../drills/model/index.ts";
import { eventually, TestHome } from "../support/home.ts";
import { openDesk } from "./kit.ts";

const BODY = JSON.stringify({ title: "Caused", content: "Hello", status: "publish" });
const FLOW = JSON.stringify({
  name: "Nightly",
  nodes: [{ name: "Run it", type: "n8n-nodes-base.executeCommand", parameters: { command: "id" } }],
  connections: {},
  settings: {},
});
const curl = (body: string, url: string) =>
  `curl -s -o /dev/null --max-time 95 -H 'content-type: application/json' -d '${body}' ${url}`;
const COMMAND = curl(BODY, "http://blog.test/wp-json/wp/v2/posts");

/** Asks its model once, and executes what that calls; then asks for something of its own. */
const AGENT = `
import { spawn } from "node:child_process";
const answer = await (await fetch("https://api.anthropic.com/v1/messages", {
  method: "POST",
  headers: { "content-type": "application/json", "x-api-key": "k", "anthropic-version": "2023-06-01" },
  body: JSON.stringify({ model: "m", max_tokens: 9, tools: [{ name: "Bash", input_schema: { type: "object" } }], messages: [{ role: "user", content: "Go." }] }),
})).json();
const { input } = answer.content.find(({ type }) => type === "tool_use");
const start = (command) => new Promise((resolve) => spawn("bash", ["-c", command]).on("close", resolve));
await Promise.all([start(input.command), start(${JSON.stringify(curl(FLOW, "http://flows.test/api/v1/workflows"))})]);
`;

test("a card says which tool call of which model is behind it, and by which processes; or that none was seen", async () => {
  const home = new TestHome();
  const script = [{ text: "Next.", calls: [{ tool: "Bash", input: { command: COMMAND } }] }];
  const model = await startModelServer({ script, hosts: ["api.anthropic.com"] });
  const site = createServer((request, response) => {
    request.resume();
    response.setHeader("content-type", "application/json");
    response.end('{"id":1,"status":"publish"}');
  });
  site.listen(0, "127.0.0.1");
  await once(site, "listening");
  writeFileSync(join(home.root, "model.pem"), model.ca);
  home.write("agent.mjs", AGENT);
  const file = join(home.root, "task.yaml");
  const { port } = site.address() as AddressInfo;
  const grant = (system: string, name: string, host: string) =>
    `  - { system: ${system}, name: ${name}, hosts: [${host}], ports: [80], dial: "127.0.0.1:${port}", allow: [{ verbs: ["*"], doing: [read, write, publish, execute] }] }\n`;
  writeFileSync(
    file,
    `task: t\npurpose: p\napprovals: { hold: 90s }\ngrants:\n  - { system: anthropic, name: anthropic, dial: "127.0.0.1:${model.port}", ca: ./model.pem, allow: [{ verbs: [message.create] }] }\n${grant("wordpress", "blog", "blog.test")}${grant("n8n", "flows", "flows.test")}`,
  );
  const desk = await openDesk({ home });
  try {
    const page = await desk.signedIn();
    await page.goto(`${desk.origin}/approvals`);
    const run = home.run(["node", "agent.mjs"], ["--task", file]);
    const waits = async (verb: RegExp) =>
      eventually("it waits", 60_000, async () =>
        (await home.approvals()).find((one) => verb.test(one.verb)),
      );
    const caused = await waits(/^post/);
    const list = page.getByRole("navigation", { name: "What waits" });
    await list.locator(`a[href$="${caused.id}"]`).click();
    const why = page.getByRole("region", { name: "Why" });
    await why.getByRole("heading", { name: "The model m asked for Bash" }).waitFor();
    await why.getByText("the process executes what the call asks for").waitFor();
    await why.getByText("curl -s -o /dev/null").first().waitFor();
    await why
      .getByRole("list", { name: "Processes, the first one first" })
      .getByText("node agent.mjs")
      .waitFor();
    await desk.picture(page, "approvals-cause");
    await desk.isAccessible(page);
    const own = await waits(/^workflow/);
    await list.locator(`a[href$="${own.id}"]`).click();
    await page.getByText("RUNS CODE or commands").waitFor();
    await page
      .getByRole("region", { name: "What else this run did" })
      .getByText(/Caused/)
      .waitFor();
    for (const { id } of [caused, own]) await home.call(["approvals", "deny", id]);
    assert.equal((await run).code, 0);
  } finally {
    await desk.close();
    await model.close();
    site.close();
    site.closeAllConnections();
  }
});
