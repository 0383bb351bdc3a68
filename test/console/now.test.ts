/**
 * Now: one glance says whether anything needs a person; runs are cards, live, and can be acted on.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Page } from "playwright-core";
import { eventually, TestHome } from "../support/home.ts";
import { openDesk } from "./kit.ts";
import { sampleHome } from "./sample/index.ts";

const TASK = `task: counting
purpose: Count for ever
lifetime: 1h
grants: []
`;

/** An agent chose its name so that it reads as another. */
const SCRIPT = "agent\u202egnp.sh";

async function startRun(home: TestHome, script: string): Promise<string> {
  home.write("task.yaml", TASK);
  home.write(SCRIPT, script);
  const cmd = ["sh", SCRIPT];
  const { stdout, stderr, code } = await home.run(cmd, ["-d", "--json", "--task", "task.yaml"]);
  assert.equal(code, 0, stderr);
  return (JSON.parse(stdout) as { run: string }).run;
}

const cardOf = (page: Page, run: string) => page.locator(`article[data-run="${run}"]`);

test("an empty Now teaches; a run appears, is paused by a key, resumed, and killed", async () => {
  await using desk = await openDesk();
  const page = await desk.signedIn();
  await page.getByRole("heading", { name: "Nothing needs you" }).waitFor();
  await page.getByText("cofferdam run -- claude").waitFor();
  await desk.isAccessible(page);
  await desk.picture(page, "now-empty");

  const run = await startRun(desk.home, "while :; do /bin/true; sleep 0.2; done");
  const card = cardOf(page, run);
  await card.getByText("running").waitFor();
  await card.getByText("U+202E").waitFor(); // What reorders text is spelled out.
  await card.getByText("Asks before each effect").waitFor();

  await page.keyboard.press("j");
  const focused = page.locator("article:focus-within");
  assert.equal(await focused.getAttribute("data-run"), run);
  await page.keyboard.press("p");
  await card.getByText("paused", { exact: true }).waitFor();
  await card.getByText("by hand").waitFor();
  assert.equal((await desk.home.ask("run.show", { run })).state, "paused");
  await page.getByRole("heading", { name: "Nothing needs you" }).waitFor(); // Whoever paused it knows.

  await card.getByRole("button", { name: "Resume" }).click();
  await card.getByText("running").waitFor();

  // The `p` of `g p` opens People, and pauses nothing, though this card has the focus.
  await card.getByRole("link", { name: "counting" }).focus();
  await page.keyboard.press("g");
  await page.keyboard.press("p");
  await page.getByRole("heading", { name: "People" }).waitFor();
  await page.keyboard.press("g");
  await page.keyboard.press("n");
  await card.getByText("running").waitFor();
  await page.keyboard.press("j");

  await page.keyboard.press("x");
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: "Cut" }).click();
  await dialog.getByText("0 were cut").waitFor();
  await desk.isAccessible(page);
  await dialog.getByRole("button", { name: "Kill" }).click();
  await page.getByRole("list").getByText("counting").waitFor();
  assert.equal(await card.count(), 0, "it is no card any more");
  assert.equal((await desk.home.ask("run.show", { run })).end?.reason, "killed");
});

test("INV-242: two runs of one job are paused, resumed and killed together, and stay so", async () => {
  await using desk = await openDesk();
  const page = await desk.signedIn();
  await page.getByRole("heading", { name: "Nothing needs you" }).waitFor();
  assert.equal(await page.getByRole("heading", { name: "Together" }).count(), 0);
  const runs = [await startRun(desk.home, "sleep 300"), await startRun(desk.home, "sleep 301")];
  const row = page.locator('li[data-lineage^="agent:"]');
  await row.getByText("2 live runs").waitFor();
  await row.getByRole("button", { name: "Pause all" }).click();
  for (const run of runs) await cardOf(page, run).getByText("paused", { exact: true }).waitFor();
  await row.getByText("was paused by hand").waitFor();
  await desk.isAccessible(page);
  await desk.picture(page, "now-lineage");
  await row.getByRole("button", { name: "Resume all" }).click();
  for (const run of runs) await cardOf(page, run).getByText("running", { exact: true }).waitFor();
  await row.getByRole("button", { name: "Kill all…" }).click();
  await desk.isAccessible(page);
  await page.getByRole("dialog").getByRole("button", { name: "Kill all" }).click();
  for (const run of runs) {
    const ended = async () => (await desk.home.ask("run.show", { run })).end;
    assert.equal((await eventually("its end", 10_000, ended)).reason, "killed");
  }
  // It has no run any more, and still lets none begin: that is to be seen.
  await row.getByText("paused", { exact: true }).waitFor();
  await row.getByText("0 live runs").waitFor();
});

test("a home with a past: needs first, in words and colours, in light, dark and on a phone", async () => {
  const home = new TestHome();
  await sampleHome(home.state, { runs: 30, events: 12_000, nowMs: Date.now() + 5000 });
  await using desk = await openDesk({ home });
  const page = await desk.signedIn();
  await page.getByRole("heading", { name: "3 things need you" }).waitFor();
  const first = page.getByRole("article").first();
  await first.getByRole("link", { name: /approvals? waits?/ }).waitFor();
  const strip = await first.getByRole("img").getAttribute("aria-label");
  assert.match(strip ?? "", /\d+ actions? in two minutes: /);
  await page.getByText("tunnel: ssh in the connection to updates.example.net:443").waitFor();
  await desk.isAccessible(page);
  await desk.picture(page, "now-light");
  const dark = await desk.alsoSignedIn(page, { dark: true });
  await dark.goto(desk.origin);
  await dark.getByRole("article").first().waitFor();
  await desk.isAccessible(dark);
  await desk.picture(dark, "now-dark");
  const phone = await desk.alsoSignedIn(page, { phone: true });
  await phone.goto(desk.origin);
  await phone.getByRole("article").first().waitFor();
  await desk.isAccessible(phone);
  const root = "document.documentElement";
  const overflow = await phone.evaluate(`${root}.scrollWidth - ${root}.clientWidth`);
  assert.equal(overflow, 0, "nothing lies beside the page");
  await desk.picture(phone, "now-phone");
});

test("a page that loses its stream says so, and catches up when it comes back", async () => {
  await using desk = await openDesk();
  const page = await desk.signedIn();
  await page.getByRole("heading", { name: "Nothing needs you" }).waitFor();
  await page.route("**/api/stream*", async (route) => route.abort());
  await page.goto(`${desk.origin}/?again`);
  await page.getByText("not connected: what you see may be old").waitFor();
  const run = await startRun(desk.home, "sleep 300");
  await page.unroute("**/api/stream*");
  await cardOf(page, run).getByText("running").waitFor();
  assert.equal(await page.getByText("not connected").count(), 0);
});

test("INV-218: a run's stream, cut again and again in a flood, tells each entry once", async () => {
  await using desk = await openDesk();
  const page = await desk.signedIn();
  const run = await startRun(
    desk.home,
    "i=0; while [ $i -lt 600 ]; do /bin/true $i; i=$((i+1)); done",
  );
  const pass = await desk.passOf(page);
  const seen: number[] = [];
  let from = "0";
  for (let isOver = false, n = 0; !isOver; n += 1) {
    const gone = new AbortController();
    const response = await fetch(`${desk.origin}/api/stream?run=${run}&from=${from}`, {
      headers: pass,
      signal: gone.signal,
    });
    assert.equal(response.status, 200);
    let text = "";
    let left = 1 + (n % 4);
    const body = response.body?.pipeThrough(new TextDecoderStream());
    assert.ok(body !== undefined);
    for await (const chunk of body) {
      text += chunk;
      for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
        const message = text.slice(0, end);
        text = text.slice(end + 2);
        const data = /^data: (\[.*)$/m.exec(message)?.[1];
        if (data === undefined || left === 0) continue;
        const entries = JSON.parse(data) as { seq: number; type: string }[];
        seen.push(...entries.map(({ seq }) => seq));
        from = /^id: (\d+)$/m.exec(message)?.[1] ?? from;
        isOver ||= entries.some(({ type }) => type === "run.end");
        left -= 1;
      }
      if (left === 0 || isOver) break;
    }
    gone.abort();
  }
  const all = await eventually("the record at rest", 5000, async () => {
    const entries = (await desk.home.log()).filter((entry) => entry.run === run);
    return entries.at(-1)?.type === "run.end" ? entries : undefined;
  });
  assert.ok(all.length > 500, `${all.length} entries are a flood`);
  assert.deepEqual(
    seen,
    all.map(({ seq }) => seq),
  );
  await page.getByRole("list").getByText("counting").waitFor();
});
