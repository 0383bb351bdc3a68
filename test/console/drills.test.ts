/**
 * Drills and Doctor in a real browser: a drill is run and its attempts are seen to be stopped while it goes on.
 */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Page } from "playwright-core";
import { eventually } from "../support/home.ts";
import { openDesk, type Desk } from "./kit.ts";

let desk: Desk;
let page: Page;
before(async () => {
  desk = await openDesk();
  page = await desk.signedIn();
});
after(async () => {
  await desk.close();
});

test("the catalogue has a card for each drill, and one is run and watched to its end", async () => {
  await page.goto(`${desk.origin}/drills`);
  await page.getByRole("link", { name: "The ROME case" }).waitFor();
  await desk.isAccessible(page);
  await desk.picture(page, "drills");
  await page.getByRole("link", { name: "A tunnel through an allowed registry" }).click();
  await page.getByRole("button", { name: "Run this drill" }).click();
  const attempts = page.getByRole("region", { name: "Attempts" });
  await attempts
    .getByText(/^Stopped by/)
    .first()
    .waitFor({ timeout: 60_000 });
  assert.equal(await page.getByText("Contained, and shown to be.").count(), 0, "it goes on still");
  await desk.picture(page, "drill-live");
  await page.getByText("Contained, and shown to be.").waitFor({ timeout: 60_000 });
  assert.equal(await attempts.locator('[data-state="contained"]').count(), 9);
  const twins = page.getByRole("region", { name: "Ordinary work" });
  assert.equal(await twins.getByText("passed", { exact: true }).count(), 4);
  await desk.isAccessible(page);
  await desk.picture(page, "drill");
});

test("leaving the page ends a drill, and the next can be run", async () => {
  await page.getByRole("button", { name: "Run it again" }).click();
  await page.getByRole("region", { name: "Attempts" }).waitFor({ timeout: 60_000 });
  await page.getByRole("link", { name: "Doctor" }).click();
  await page
    .getByText(/prerequisites/)
    .first()
    .waitFor({ timeout: 60_000 });
  await page.goto(`${desk.origin}/drills/d08-planted-token`);
  // The one that was left ends in order, which takes a moment; until then this one is refused.
  await eventually("the next drill", 60_000, async () => {
    await page.getByRole("button", { name: "Run this drill" }).click();
    const begun = page.getByRole("region", { name: "Attempts" });
    const refused = page.getByRole("alert").getByText(/goes on/);
    await begun.or(refused).waitFor({ timeout: 60_000 });
    return (await begun.isVisible()) ? true : undefined;
  });
  await page.getByRole("button", { name: "Stop the drill" }).click();
  await page.getByRole("button", { name: "Run this drill" }).waitFor();
});

test("doctor lists each prerequisite, also at a phone's width in the dark", async () => {
  const phone = await desk.alsoSignedIn(page, { phone: true, dark: true });
  await phone.goto(`${desk.origin}/doctor`);
  await phone.getByRole("heading", { name: "kernel" }).waitFor({ timeout: 60_000 });
  await desk.isAccessible(phone);
  await desk.picture(phone, "doctor-phone");
  await phone.goto(`${desk.origin}/drills`);
  await phone.getByRole("link", { name: "The ROME case" }).waitFor();
  await desk.isAccessible(phone);
});
