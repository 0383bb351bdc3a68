/**
 * Incidents in a real browser: listed, read as a page, blackened, and exported with proofs that hold elsewhere.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Page } from "playwright-core";
import { TestHome } from "../support/home.ts";
import { openTroubledHome, TYPED, type TroubledHome } from "../support/troubled.ts";
import { openDesk, type Desk } from "./kit.ts";

let of: TroubledHome;
let desk: Desk;
let page: Page;
const scratch = mkdtempSync(join(tmpdir(), "cofferdam-incident-"));
before(async () => {
  of = await openTroubledHome();
  desk = await openDesk({ home: of.home });
  page = await desk.signedIn();
});
after(async () => {
  await desk.close();
  rmSync(scratch, { recursive: true, force: true });
});

test("the troubled run is listed with what was found, the quiet one is not, and its report is read", async () => {
  await page.goto(`${desk.origin}/incidents`);
  await page.getByText("1 run in which").waitFor();
  await desk.isAccessible(page);
  await desk.picture(page, "incidents");
  await page.getByRole("link", { name: "report" }).click();
  await page.getByText("Nothing of what was attempted reached a system outside.").waitFor();
  await page.getByRole("heading", { name: "Timeline" }).waitFor();
  await desk.isAccessible(page);
  await desk.picture(page, "incident");
  await page.getByText("ATT&CK T1046").first().waitFor();
});

test("what it typed itself is blackened and seen to be; its markup is text", async () => {
  await page.goto(`${desk.origin}/incidents/${of.troubled}`);
  await page.locator("mark").first().waitFor();
  await page.getByText(/Blackened: secret in/).waitFor();
  const html = await page.content();
  assert.ok(!html.includes(TYPED));
  assert.equal(await page.locator("main img, main script").count(), 0);
  await page.getByText("<script>alert(1)</script>").first().waitFor();
  await page.getByRole("checkbox", { name: /blacken persons/ }).check();
  await page
    .getByRole("status")
    .getByText(/Blackened/)
    .waitFor();
});

test("it is exported as an archive whose proofs hold without this home", async () => {
  await page.goto(`${desk.origin}/incidents/${of.troubled}`);
  await page.getByRole("button", { name: "Export…" }).click();
  await page.getByRole("checkbox", { name: /Markdown/ }).check();
  await desk.isAccessible(page);
  await desk.picture(page, "incident-export");
  const [file] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "Export", exact: true }).click(),
  ]);
  assert.equal(file.suggestedFilename(), `incident-${of.troubled}.tar`);
  execFileSync("tar", ["xf", await file.path()], { cwd: scratch });
  const folder = join(scratch, `incident-${of.troubled}`);
  const key = join(scratch, "kept.vkey");
  writeFileSync(key, (await of.home.ask("ledger.prove", { seq: 0 })).key);
  const other = new TestHome();
  try {
    const verified = await other.call(["verify", "--report", folder, "--key", key]);
    assert.equal(verified.code, 0, verified.stdout);
  } finally {
    await other.close();
  }
  await page.getByText(/cited entries proven, and the whole record is intact/).waitFor();
});

test("at a phone's width and in the dark it is read as well", async () => {
  const phone = await desk.alsoSignedIn(page, { phone: true, dark: true });
  await phone.goto(`${desk.origin}/incidents/${of.troubled}`);
  await phone.getByRole("heading", { name: "Timeline" }).waitFor();
  await desk.isAccessible(phone);
  await desk.picture(phone, "incident-phone");
  const isWide = await phone.evaluate<boolean>("document.documentElement.scrollWidth > innerWidth");
  assert.equal(isWide, false);
});

test("where nothing happened yet, it says what will stand here", async () => {
  await using quiet = await openDesk();
  const empty = await quiet.signedIn();
  await empty.goto(`${quiet.origin}/incidents`);
  await empty.getByRole("heading", { name: "No incident" }).waitFor();
  await quiet.isAccessible(empty);
  await empty.goto(`${quiet.origin}/ledger`);
  await empty.getByRole("searchbox").waitFor();
});
