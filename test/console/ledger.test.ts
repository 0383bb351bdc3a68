/**
 * The ledger's screen in a real browser: searching, reading an entry and its proof, verifying, exporting, what comes in
 * meanwhile, and words of an agent that would like to be more than words.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import type { Page } from "playwright-core";
import type { Entry } from "../../src/api/index.ts";
import { openTroubledHome, type TroubledHome } from "../support/troubled.ts";
import { openDesk, type Desk } from "./kit.ts";

let of: TroubledHome;
let desk: Desk;
let page: Page;
before(async () => {
  of = await openTroubledHome();
  desk = await openDesk({ home: of.home });
  page = await desk.signedIn();
});
after(async () => {
  await desk.close();
});

const rows = () => page.getByRole("table", { name: "Entries, newest first" }).getByRole("row");
const open = async (query = "") => {
  await page.goto(`${desk.origin}/ledger${query === "" ? "" : `?q=${encodeURIComponent(query)}`}`);
  await rows().first().getByRole("link").waitFor();
};

test("the record is listed newest first, by keyboard and mouse, and is accessible", async () => {
  await open();
  await page.getByRole("button", { name: /^denial/ }).waitFor();
  const total = (await of.home.log()).length;
  await page.getByText(`${total} entries`, { exact: true }).first().waitFor();
  await desk.isAccessible(page);
  await desk.picture(page, "ledger");
  await page.getByRole("table").focus();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  await page.getByRole("heading", { name: `Entry ${total - 2}` }).waitFor();
  assert.equal(new URL(page.url()).pathname, `/ledger/${total - 2}`);
});

test("a search narrows; a facet adds to it and takes it back; what is misspelt is said", async () => {
  await open();
  const box = page.getByRole("searchbox", { name: "Search the record" });
  await box.fill("type:denial");
  const denials = (await of.home.log()).filter(({ type }) => type === "denial").length;
  await page.getByText(`${denials} entries`, { exact: true }).first().waitFor();
  await page.getByRole("button", { name: /^denial/, pressed: true }).click();
  assert.equal(await box.inputValue(), "");
  await box.fill("type:denyal");
  await page
    .getByRole("alert")
    .getByText("type has no denyal; there is denial")
    .waitFor({ timeout: 5000 });
  await box.fill("typ:denial");
  await page.getByRole("alert").getByText("did you mean type:?").waitFor();
  await box.fill("nothingofthekind");
  await page.getByRole("heading", { name: "Nothing matches" }).waitFor();
  await page.getByRole("button", { name: "Show all of them" }).click();
  await rows().first().getByRole("link").waitFor();
});

test("an entry shows what it says as text, however hostile, and leads to its run and neighbours", async () => {
  const entries = await of.home.log();
  const hostile = entries.find(({ process }) =>
    process?.argv.join(" ").includes("onerror"),
  ) as Entry;
  assert.ok(hostile !== undefined, "the record has what the run typed");
  await page.goto(`${desk.origin}/ledger/${hostile.seq}`);
  const pane = page.getByRole("complementary", { name: `Entry ${hostile.seq}` });
  await pane.getByText("onerror=alert(1)").first().waitFor();
  assert.equal(await page.locator("img").count(), 0, "markup of an agent is no element");
  assert.ok((await pane.getByText("U+202E").count()) > 0, "what turns text round is spelled out");
  assert.ok((await pane.getByText("U+001B").count()) > 0);
  await desk.isAccessible(page);
  await desk.picture(page, "ledger-hostile");
  await pane.getByRole("link", { name: "after" }).click();
  await page.getByRole("heading", { name: `Entry ${hostile.seq + 1}` }).waitFor();
  await page.getByRole("link", { name: "its entries" }).click();
  await page.getByRole("searchbox").waitFor();
  assert.equal(await page.getByRole("searchbox").inputValue(), `run:${hostile.run}`);
});

test("the proof of an entry is shown step by step and taken along as files", async () => {
  const denial = (await of.home.log()).find(({ type }) => type === "denial");
  await page.goto(`${desk.origin}/ledger/${denial?.seq}`);
  await page.getByRole("tab", { name: "Proof" }).click();
  await page.getByText("Proven.").waitFor();
  await page.getByText(`cofferdam verify --proof entry-${denial?.seq}.tlog-proof`).waitFor();
  await desk.isAccessible(page);
  await desk.picture(page, "ledger-proof");
  const saved = await saving(() =>
    page.getByRole("button", { name: "Download the proof" }).click(),
  );
  assert.match(saved, /^c2sp\.org\/tlog-proof@v1\n/);
});

test("the record is verified with a bar and a verdict", async () => {
  await open();
  await page.getByRole("button", { name: "Verify…" }).click();
  await page.getByRole("button", { name: "Verify all of it" }).click();
  await page.getByText("Intact.").waitFor();
  await desk.isAccessible(page);
  await desk.picture(page, "ledger-verify");
  await page.getByRole("button", { name: "Close", exact: true }).click();
});

test("what matches is exported, and nothing else", async () => {
  await open("type:denial");
  const saved = await saving(async () => {
    await page.getByText("Export", { exact: true }).click();
    await page.getByRole("button", { name: /JSON lines/ }).click();
  });
  const exported = saved
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Entry);
  const denials = (await of.home.log()).filter(({ type }) => type === "denial");
  assert.deepEqual(exported, denials);
});

test("what comes in meanwhile is offered and moves nothing until one asks", async () => {
  await open();
  const first = await rows().first().getByRole("link").textContent();
  await of.home.run(["true"]);
  const more = page.getByRole("button", { name: /new entries/ });
  await more.waitFor();
  assert.equal(await rows().first().getByRole("link").textContent(), first);
  await more.click();
  await rows()
    .first()
    .getByRole("link")
    .filter({ hasNotText: first ?? "" })
    .waitFor();
});

test("in the dark, and at a phone's width, it is as readable; an entry takes the whole width", async () => {
  const dark = await desk.alsoSignedIn(page, { dark: true });
  await dark.goto(`${desk.origin}/ledger/3`);
  await dark.getByRole("heading", { name: "Entry 3" }).waitFor();
  await desk.isAccessible(dark);
  await desk.picture(dark, "ledger-dark");
  const phone = await desk.alsoSignedIn(page, { phone: true });
  await phone.goto(`${desk.origin}/ledger`);
  await phone.getByRole("row").first().getByRole("link").waitFor();
  await desk.isAccessible(phone);
  await desk.picture(phone, "ledger-phone");
  await phone.goto(`${desk.origin}/ledger/3`);
  await phone.getByRole("heading", { name: "Entry 3" }).waitFor();
  await desk.picture(phone, "ledger-phone-entry");
  const wide = await phone.evaluate<boolean>("document.documentElement.scrollWidth > innerWidth");
  assert.equal(wide, false, "nothing sticks out to the side");
});

async function saving(act: () => Promise<unknown>): Promise<string> {
  const [file] = await Promise.all([page.waitForEvent("download"), act()]);
  return readFileSync(await file.path(), "utf8");
}
