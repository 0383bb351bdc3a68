/**
 * One run in the console, on real runs: from a finding back to the model's words, processes, the map, a recording, and a
 * workspace that is applied; what agents write is shown and does nothing.
 */
import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Page } from "playwright-core";
import { startModelServer, type ModelServer, type Turn } from "../../drills/model/index.ts";
import { RUN_ENDPOINTS } from "../../src/api/console/runs.ts";
import { SshHome } from "../ssh/kit.ts";
import { eventually, TestHome } from "../support/home.ts";
import { openDesk, type Desk } from "./kit.ts";
import { sampleHome } from "./sample/index.ts";

const EVIL = "<img src=x onerror=document.title=1>\u202Egnp.exe";
const SCRIPT: readonly Turn[] = [
  {
    text: "Clean up.",
    calls: [
      { tool: "Bash", input: { command: "curl -s -X DELETE http://site.test/items/1" } },
      { tool: "Bash", input: { command: "curl -s http://site.test/list" } },
    ],
  },
  {
    text: "Try elsewhere.",
    calls: [
      {
        tool: "Bash",
        input: { command: "curl -s --max-time 2 http://169.254.169.254/latest/meta-data/" },
      },
      {
        tool: "Bash",
        input: {
          command: `echo hello > notes.txt; echo 'export A=1' > .envrc; curl -s -A "${EVIL}" http://site.test/agent`,
        },
      },
    ],
  },
  { text: "Done." },
];

/** Asks the model, and does what it says by bash, one call after the other. */
const AGENT = `
import { spawnSync } from "node:child_process";
const messages = [{ role: "user", content: "Go." }];
const tools = [{ name: "Bash", input_schema: { type: "object" } }];
for (;;) {
  const answer = await (await fetch("https://api.anthropic.com/v1/messages", {
    method: "POST",
    headers: { "content-type": "application/json", "x-api-key": "k", "anthropic-version": "2023-06-01" },
    body: JSON.stringify({ model: "scripted-1", max_tokens: 9, tools, messages }),
  })).json();
  messages.push({ role: "assistant", content: answer.content });
  const calls = answer.content.filter(({ type }) => type === "tool_use");
  if (calls.length === 0) break;
  messages.push({ role: "user", content: calls.map((call) => {
    const { status, stdout } = spawnSync("bash", ["-c", call.input.command], { encoding: "utf8" });
    return { type: "tool_result", tool_use_id: call.id, content: "code " + status + " " + stdout };
  }) });
}
`;

const home = new TestHome();
const site: Server = createServer((_, response) => response.end("ok\n"));
let model: ModelServer;
let desk: Desk;
let page: Page;
let run = "";

before(async () => {
  model = await startModelServer({ script: SCRIPT, hosts: ["api.anthropic.com"] });
  await new Promise<void>((resolve) => site.listen(0, "127.0.0.1", resolve));
  writeFileSync(join(home.root, "model.pem"), model.ca);
  home.write("agent.mjs", AGENT);
  writeFileSync(
    join(home.root, "task.yaml"),
    `task: tidy
purpose: Keep the site tidy
respond: { metadata: [alert] }
grants:
  - system: anthropic
    name: model
    dial: 127.0.0.1:${model.port}
    ca: ./model.pem
    allow: [{ verbs: [message.create] }]
  - system: http
    name: site
    hosts: [site.test]
    ports: [80]
    tls: false
    dial: 127.0.0.1:${(site.address() as AddressInfo).port}
    allow: [{ methods: [GET], paths: ["/**"] }]
`,
  );
  const ran = await home.run(["node", "agent.mjs"], ["--task", join(home.root, "task.yaml")]);
  assert.equal(ran.code, 0, ran.stderr);
  run = (await home.runs({ all: true }))[0]?.run ?? "";
  desk = await openDesk({ home });
  page = await desk.signedIn();
});
after(async () => {
  site.close();
  await model.close();
  await desk.close();
});

const open = async (search: string, at: Page = page) =>
  at.goto(`${desk.origin}/runs/${run}${search}`);
const rows = (at: Page = page) => at.getByRole("listbox", { name: "Timeline" }).getByRole("option");
const detail = (at: Page = page) => at.getByRole("complementary", { name: "Detail" });
const steps = async () =>
  detail().getByRole("region", { name: "How it came about" }).getByRole("button").allInnerTexts();

test("runs are listed, and one is opened", async () => {
  await page.goto(`${desk.origin}/runs`);
  await page.getByRole("link", { name: run }).waitFor();
  await desk.isAccessible(page);
  await desk.picture(page, "runs");
  await page.getByRole("link", { name: run }).click();
  await page.getByRole("heading", { name: "tidy" }).waitFor();
  await rows().first().waitFor();
  await desk.isAccessible(page);
  await desk.picture(page, "run-timeline");
});

test("from a finding one walks back to the model's words, and down again", async () => {
  await open("");
  await rows().first().waitFor();
  await page.keyboard.press("]");
  await detail().getByText("What was asked").waitFor();
  const refused = await steps();
  assert.match(refused[0] ?? "", /^model turn/);
  assert.match(refused[1] ?? "", /^tool call/);
  assert.match(refused.at(-1) ?? "", /^action[^]*DELETE[^]*deny/);
  await desk.picture(page, "run-detail");
  await desk.isAccessible(page);

  await page.goto(`${desk.origin}/runs/${run}?lane=finding`);
  await rows().first().click();
  await detail().getByText("What was noticed").waitFor();
  await detail()
    .getByRole("button", { name: /^tool call/ })
    .first()
    .click();
  await detail().getByText("The model's words").waitFor();
  await detail().getByText("meta-data").first().waitFor();
  await detail()
    .getByRole("button", { name: /^model turn/ })
    .first()
    .click();
  await detail().getByText("The record keeps no prose of a model").waitFor();
  const made = detail().getByRole("region", { name: "What came of it" });
  assert.equal(await made.getByRole("button", { name: /^tool call/ }).count(), 2);
});

test("filters and keys: refused only, one call's doings, find, jump; the address has it all", async () => {
  await open("");
  await rows().first().waitFor();
  await page.getByLabel("Refused only").check();
  await page.waitForURL(/refused=1/);
  await page.getByText(/^[23456] items$/).waitFor();
  for (const text of await rows().allInnerTexts()) assert.match(text, /refused|finding|deny/);

  await open("?q=DELETE&lane=tool");
  await page.getByText("1 item", { exact: true }).waitFor();
  await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  await detail().getByRole("button", { name: "Show only what came of it" }).click();
  await page.waitForURL(/under=/);
  await page.getByRole("button", { name: "Show all again" }).waitFor();
  assert.ok(
    (await page.getByRole("searchbox", { name: "Find in the timeline" }).inputValue()) === "DELETE",
  );
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Show all", exact: true }).click();

  await page.keyboard.press("?");
  await page.getByRole("dialog", { name: "Keys" }).getByRole("button", { name: "Close" }).click();
  await page.keyboard.press(":");
  await page.getByLabel("Entry or time").fill("x y");
  await page.keyboard.press("Enter");
  await page.getByText("neither the number of an entry nor a time").waitFor();
  const denial = (await home.log()).find(
    ({ type, verdict }) => type === "action" && verdict === "deny",
  );
  await page.getByLabel("Entry or time").fill(`${denial?.seq}`);
  await page.keyboard.press("Enter");
  await page.waitForURL(new RegExp(`item=${denial?.seq}\\b`));
  await page.reload();
  await detail().getByText("DELETE").first().waitFor();
  const selected = page.getByRole("option", { selected: true });
  await selected.waitFor();
  assert.match(await selected.innerText(), /DELETE/);
});

test("the strip zooms by dragging and by buttons", async () => {
  await open("");
  const strip = page.getByRole("img", { name: /^Density/ });
  const box = await strip.boundingBox();
  assert.ok(box !== null);
  await page.mouse.move(box.x + box.width * 0.5, box.y + 10);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.9, box.y + 10, { steps: 4 });
  await page.mouse.up();
  await page.waitForURL(/from=\d+&to=\d+/);
  await page.getByRole("button", { name: "All", exact: true }).click();
  await page.waitForURL((url) => !url.search.includes("from"));
  await page.getByRole("button", { name: "Zoom in" }).click();
  await page.waitForURL(/from=\d+&to=\d+/);
});

test("processes stand as a tree, with what they were refused", async () => {
  await open("?tab=processes");
  const tree = page.getByRole("tree", { name: "Processes" });
  const agent = tree.getByRole("treeitem").filter({ hasText: "agent.mjs" });
  await agent.first().waitFor();
  const curl = tree.getByRole("treeitem").filter({ hasText: "DELETE" }).last();
  assert.match(await curl.innerText(), /1 refused/);
  await desk.isAccessible(page);
  await desk.picture(page, "run-processes");
  await page.getByRole("button", { name: "Close all" }).click();
  await tree
    .getByText(/refused/)
    .first()
    .waitFor();
  await page.getByLabel("Only those with refusals or findings").check();
});

test("the map has who talked to what, as a picture and as a list", async () => {
  await open("?tab=map");
  await page.getByRole("button", { name: /^site\.test/ }).waitFor();
  await page.getByRole("button", { name: /169\.254\.169\.254.*refused/ }).waitFor();
  await desk.isAccessible(page);
  await desk.picture(page, "run-map");
  await page.getByLabel("By tool call").check();
  await page
    .getByRole("button", { name: /^Bash: / })
    .first()
    .waitFor();
  await page.getByLabel("As a list").check();
  const line = page.getByRole("row").filter({ hasText: "site.test" }).first();
  await line
    .getByText(/allowed|refused/)
    .first()
    .waitFor();
  await desk.isAccessible(page);
});

test("INV-192: what an agent writes into its commands is text: it does not load, run, or reorder anything", async () => {
  await open("?q=onerror&lane=process");
  await rows().first().waitFor();
  await rows().getByText("U+202E").first().waitFor();
  await rows().first().click();
  await detail().getByText("U+202E").first().waitFor();
  await detail().locator("summary").first().click();
  await desk.isAccessible(page);
  await desk.picture(page, "run-hostile");
  assert.equal(await page.locator("img").count(), 0);
  assert.notEqual(await page.title(), "1");
});

test("INV-193: a workspace is applied from here, and what others execute only after it is ticked by name", async () => {
  await open("?tab=workspace");
  await page.getByText("+hello").waitFor();
  const executed = page.getByRole("region", { name: "Executed by others" });
  await executed.getByText(".envrc").waitFor();
  await desk.isAccessible(page);
  await desk.picture(page, "run-workspace");
  await page.getByRole("button", { name: "Apply", exact: true }).click();
  await page.getByText("1 change applied").waitFor();
  await page.getByText("Held: not ticked").waitFor();
  assert.equal(readFileSync(join(home.workspace, "notes.txt"), "utf8"), "hello\n");
  assert.equal(existsSync(join(home.workspace, ".envrc")), false, "it was not ticked");
  await executed.getByRole("checkbox").check();
  await page.getByRole("button", { name: "Apply", exact: true }).click();
  await page.getByText("Nothing differs").waitFor();
  assert.equal(readFileSync(join(home.workspace, ".envrc"), "utf8"), "export A=1\n");
  const noted = (await home.log()).findLast(({ type }) => type === "workspace");
  assert.equal(noted?.data?.["done"], "apply");
});

test("a phone's width and the dark hold it", async () => {
  const phone = await desk.alsoSignedIn(page, { phone: true });
  await open("", phone);
  await rows(phone).first().waitFor();
  await desk.isAccessible(phone);
  await desk.picture(phone, "run-phone");
  assert.ok(
    await phone.evaluate("document.documentElement.scrollWidth <= innerWidth"),
    "nothing sticks out",
  );
  await rows(phone).first().click();
  await detail(phone).waitFor();
  await desk.picture(phone, "run-phone-detail");
  const dark = await desk.alsoSignedIn(page, { dark: true });
  await open("?refused=1", dark);
  await rows(dark).first().click();
  await detail(dark).getByText("On record").waitFor();
  await desk.isAccessible(dark);
  await desk.picture(dark, "run-dark");
  await open("?tab=map", dark);
  await dark.getByRole("button", { name: /^site\.test/ }).waitFor();
  await desk.picture(dark, "run-map-dark");
});

test("what the screen asks: every answer is as its contract says, and what is not there is refused", async () => {
  const ask = async (name: keyof typeof RUN_ENDPOINTS, asks: object) => {
    // As the page asks: with its key, which goes with the session.
    const value = await page.evaluate(
      async ([path, body]) => {
        const { localStorage } = globalThis as unknown as {
          localStorage: { getItem(name: string): string };
        };
        const key = localStorage.getItem("cofferdam.key");
        const headers = { "content-type": "application/json", "x-cofferdam-key": key };
        const answer = await fetch(path, { method: "POST", headers, body });
        const said: unknown = await answer.json();
        return said;
      },
      [`/api/${name}`, JSON.stringify({ run, ...asks })] as const,
    );
    const isRefusal = typeof value === "object" && value !== null && "code" in value;
    if (!isRefusal) RUN_ENDPOINTS[name].gives.parse(value);
    return value as Readonly<Record<string, unknown>>;
  };
  const window = { filter: { refused: true } };
  // The index of the record may be behind the run for a moment.
  await eventually("it is told", 10_000, async () => {
    const { matched } = await ask("run.timeline", { ...window, offset: 0, limit: 10 });
    return Number(matched) >= 3 || undefined;
  });
  const strip = await ask("run.strip", { filter: {}, buckets: 7 });
  assert.equal(strip["isWhole"], true);
  const { at } = await ask("run.locate", { ...window, find: { finding: "next" } });
  const { id } = at as { id: string };
  const { chain } = await ask("run.item", { id });
  assert.ok((chain as unknown[]).length >= 4);
  assert.ok(Number((await ask("run.processes", {}))["processes"]) >= 5);
  assert.ok(((await ask("run.map", { by: "call" }))["edges"] as unknown[]).length >= 3);

  assert.equal((await ask("run.item", { id: "999999" }))["code"], "console.no_item");
  for (const wrong of [{ id: "../1" }, { id: "1; x" }, { id: "1", run: "r-1/../2" }]) {
    assert.equal((await ask("run.item", wrong))["code"], "console.request", JSON.stringify(wrong));
  }
  const tooMuch = await ask("run.timeline", { filter: {}, offset: 0, limit: 501 });
  assert.equal(tooMuch["code"], "console.request");
});

test("a run that is not there, and one without a workspace, say so", async () => {
  await page.goto(`${desk.origin}/runs/r-none`);
  await page.getByText("There is no such run").waitFor();
});

test("a run that lives is followed without a jump, paused and killed from here", async () => {
  home.write(
    "busy.sh",
    "i=0; while :; do curl -s http://nowhere-$((i % 400)).test/ >/dev/null; i=$((i+1)); done",
  );
  const { stdout, code, stderr } = await home.run(
    ["sh", "busy.sh"],
    ["-d", "--json", "--task", join(home.root, "task.yaml")],
  );
  assert.equal(code, 0, stderr);
  const { run: busy } = JSON.parse(stdout) as { run: string };
  await page.goto(`${desk.origin}/runs/${busy}`);
  await rows().first().waitFor();
  const count = async () =>
    Number((await page.getByText(/^[\d,]+ items?$/).innerText()).replaceAll(/\D/g, ""));
  const follow = page.getByLabel("Follow");
  assert.equal(await follow.isChecked(), true);
  const list = page.getByRole("listbox", { name: "Timeline" });
  const scrolled = async () => list.evaluate((one) => one.scrollTop);
  await eventually(
    "the end is followed",
    30_000,
    async () => (await scrolled()) > 300 || undefined,
  );
  // Who reads is not moved.
  await list.hover();
  await page.mouse.wheel(0, -100_000);
  await eventually("it is at the top", 5_000, async () => (await scrolled()) === 0 || undefined);
  assert.equal(await follow.isChecked(), false);
  const first = await rows().first().innerText();
  const before = await count();
  await eventually("more has come", 60_000, async () => (await count()) > before + 5 || undefined);
  assert.equal(await rows().first().innerText(), first);
  assert.equal(await scrolled(), 0);

  await page.getByRole("button", { name: "Pause" }).click();
  await page.getByText("paused", { exact: true }).first().waitFor();
  await page.getByRole("button", { name: "Stop…" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Kill" }).click();
  await page.getByText("ended", { exact: true }).first().waitFor();
  assert.equal(await page.getByRole("button", { name: "Pause" }).count(), 0);
});

test("a run of 20,000 entries opens at once, and only the rows in sight are there", async () => {
  const long = new TestHome();
  const [made] = await sampleHome(long.state, { runs: 1, events: 20_000, isOver: true });
  await using other = await openDesk({ home: long });
  const tab = await other.signedIn();
  await tab.goto(`${other.origin}/runs/${made?.run}`);
  await rows(tab).first().waitFor();
  await tab.getByText(/^Reading the record/).waitFor({ state: "detached" });
  assert.ok((await rows(tab).count()) < 100);
  await tab.keyboard.press(":");
  await tab.getByLabel("Entry or time").fill("15000");
  await tab.keyboard.press("Enter");
  const selected = tab.getByRole("option", { selected: true });
  await selected.waitFor();
  assert.ok(Number(await selected.getAttribute("aria-posinset")) > 3000);
  await tab.getByText("How it came about").waitFor();
  await tab.getByRole("searchbox", { name: "Find in the timeline" }).fill("no such thing");
  await tab.getByText("Nothing matches").waitFor();
  await other.isAccessible(tab);
});

test("INV-194: a recording is played and searched; titles, links and clipboards in it reach nothing", async () => {
  const ssh = new SshHome();
  try {
    await ssh.start();
    const expires = new Date(Date.now() + 2 * 86_400_000).toISOString().slice(0, 10);
    const task = ssh.task(
      `      - { verbs: [shell, script], unattended: { count: 9, reason: a test, expires: "${expires}" } }\n`,
    );
    const osc =
      "\\\\033]0;OWNED\\\\007\\\\033]8;;http://evil.example/\\\\033\\\\\\\\click\\\\033]8;;\\\\033\\\\\\\\";
    const ran = await ssh.run(
      task,
      `ssh -tt server.example "printf '${osc} \\\\342\\\\200\\\\256txt \\\\033[31mred\\\\033[0m plain\\\\n'; sleep 3; echo the end"`,
    );
    assert.equal(ran.code, 0, ran.stderr);
    const played = (await ssh.home.runs({ all: true }))[0]?.run ?? "";
    await using other = await openDesk({ home: ssh.home });
    const tab = await other.signedIn();
    await tab.goto(`${other.origin}/runs/${played}?tab=recordings`);
    await tab.getByText("is what the record says").waitFor();
    const screen = tab.getByRole("region", { name: "What the terminal showed" });
    await tab.getByRole("searchbox", { name: "Find what was shown" }).fill("THE END");
    await tab.keyboard.press("Enter");
    await screen.getByText("the end").waitFor();
    await screen.getByText("click").waitFor();
    await screen.getByText("\ufffdtxt").waitFor(); // It would turn the line around.
    await other.isAccessible(tab);
    await other.picture(tab, "run-recording");
    assert.equal(await screen.locator("a").count(), 0);
    assert.doesNotMatch(await tab.title(), /OWNED/);
    await tab.getByRole("slider", { name: "Moment" }).fill("0");
    await screen.getByText("the end").waitFor({ state: "detached" });
    await tab.getByLabel("Speed").selectOption("16");
    await tab.getByRole("button", { name: "Play" }).click();
    await screen.getByText("the end").waitFor();
    await tab.getByRole("searchbox", { name: "Find what was shown" }).fill("never there");
    await tab.keyboard.press("Enter");
    await tab.getByText("never shown").waitFor();
  } finally {
    await ssh.close();
  }
});
