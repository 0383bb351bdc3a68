/**
 * The console's frame: it opens by a link that works once, shows who is signed in, and signs out.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { openDesk } from "./kit.ts";

test("a link signs in once, is gone from the address bar, and signing out ends it", async () => {
  await using desk = await openDesk();
  const context = await desk.context();
  const page = await context.newPage();
  const link = desk.takeLink();
  await page.goto(link);
  await page.getByRole("navigation", { name: "Screens" }).waitFor();
  assert.equal(page.url(), `${desk.origin}/`);
  await desk.isAccessible(page);
  await desk.picture(page, "shell");

  const other = await (await desk.context()).newPage();
  await other.goto(link);
  await other.getByText("this link was used already").waitFor();

  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByText("Sign in with a link that works once").waitFor();
  await desk.isAccessible(page);
});
